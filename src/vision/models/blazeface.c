/* BlazeFace (Bazarevsky et al., 2019), MediaPipe's face detectors: 896 anchors, points on two
 * grids, two in each cell of the finer one and six in each of the coarser: scores [1,896,1] as
 * logits and boxes [1,896,16], of which the first four are centre and size in pixels from the
 * anchor (mediapipe, ssd_anchors_calculator.cc, tensors_to_detections_calculator.cc). Either whole
 * or grid by grid, 512 and 384 rows. Pictures are RGB, -1..1. */
#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>

enum { FINE = 16, COARSE = 8, FINE_EACH = 2, COARSE_EACH = 6, VALUES = 16 };
enum { FINE_ROWS = FINE * FINE * FINE_EACH, COARSE_ROWS = COARSE * COARSE * COARSE_EACH };

/* score_clipping_thresh: exp() of a broken value must stay a number */
static const float max_logit = 100.0F;

static int find(const struct model_traits *traits, int64_t rows, int64_t columns)
{
    for (int i = 0; i < traits->io->output_count; i++) {
        int rank = 0;
        const int64_t *dims = output_dims(traits, i, &rank);
        if (output_has_rank(traits, i, 3) && dims[1] == rows && dims[2] == columns)
            return i;
    }
    return -1;
}

static bool find_pair(const struct model_traits *traits, int64_t rows, struct output_layout *layout)
{
    int scores = find(traits, rows, 1);
    int boxes = find(traits, rows, VALUES);
    if (scores < 0 || boxes < 0)
        return false;
    layout->outputs[layout->output_count++] = scores;
    layout->outputs[layout->output_count++] = boxes;
    return true;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    if ((traits->task != NULL && !traits->chosen) || traits->input_width != traits->input_height ||
        (!find_pair(traits, FINE_ROWS + COARSE_ROWS, layout) &&
         (!find_pair(traits, FINE_ROWS, layout) || !find_pair(traits, COARSE_ROWS, layout))))
        return false;
    layout->class_count = 1;
    layout->only_class = "face";
    for (int c = 0; c < 3; c++) {
        format->mean[c] = 0.5F;
        format->std[c] = 0.5F;
    }
    return true;
}

/* The anchor of a row, in 0..1. */
static void anchor_of(int row, float *x, float *y)
{
    bool fine = row < FINE_ROWS;
    int side = fine ? FINE : COARSE;
    int cell = fine ? row / FINE_EACH : (row - FINE_ROWS) / COARSE_EACH;
    int line = cell / side;
    *x = ((float)(cell % side) + 0.5F) / (float)side;
    *y = ((float)line + 0.5F) / (float)side;
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const float side = (float)layout->input_width;
    int anchor = 0;
    for (int pair = 0; pair < layout->output_count; pair += 2) {
        const struct tensor_view *scores = &outputs[layout->outputs[pair]];
        const struct tensor_view *boxes = &outputs[layout->outputs[pair + 1]];
        int rows = layout->output_count == 2 ? FINE_ROWS + COARSE_ROWS
                   : pair == 0               ? FINE_ROWS
                                             : COARSE_ROWS;
        if (!view_is(scores, rows, 1) || !view_is(boxes, rows, VALUES))
            return OW_EPARSE;
        for (int i = 0; i < rows; i++, anchor++) {
            float score = sigmoid(fminf(fmaxf(scores->data[i], -max_logit), max_logit));
            if (isnan(scores->data[i]) || !is_confident(score, thresholds))
                continue;
            const float *at = boxes->data + (ptrdiff_t)i * VALUES;
            float x = 0;
            float y = 0;
            anchor_of(anchor, &x, &y);
            int result = add_scored(
                out, thresholds, box_from_centre(x * side + at[0], y * side + at[1], at[2], at[3]),
                0, score);
            if (result != OW_OK)
                return result;
        }
    }
    return OW_OK;
}

const struct model_family blazeface_family = {
    .name = "blazeface",
    .task = "detect",
    .recognise = recognise,
    .decode = decode,
};
