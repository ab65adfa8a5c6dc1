/* YOLOv5 (ultralytics/yolov5, models/yolo.py, Detect) cut before its last layer: one output a grid,
 * [1, A, rows, columns, 5+C], or [1, A*(5+C), rows, columns] as the convolution gives it, where the
 * decoder must be named: YOLOv3 and v4 have the same shape and another formula.
 *
 * With s = sigmoid: centre = (2 s(xy) - 0.5 + cell) * stride, size = (2 s(wh))^2 * anchor. */
#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>
#include <string.h>

enum variant { RAW, SIGMOIDS };
enum { HEAD = 5, LEVELS_MIN = 2, LEVELS_MAX = 4 };

/* models/yolov5s.yaml and models/hub/yolov5s6.yaml */
static const float anchors_p5[] = {10, 13, 16,  30,  33, 23,  30,  61,  62,
                                   45, 59, 119, 116, 90, 156, 198, 373, 326};
static const float anchors_p6[] = {19,  27,  44,  40,  38,  94,  96,  68,  86,  152, 180, 137,
                                   140, 301, 303, 264, 238, 542, 436, 615, 739, 380, 925, 792};

/* One grid as it lies in memory: value c of the box of anchor a in cell k is
 * data[a * anchor + k * cell + c * channel]. */
struct grid {
    int rows, columns, anchors, channels;
    size_t anchor, cell, channel;
};

static bool grid_of(const int64_t *dims, int rank, int anchors, struct grid *out)
{
    int64_t channels = rank == 5 ? dims[4] : dims[1] / (anchors > 0 ? anchors : 1);
    int64_t rows = dims[2];
    int64_t columns = dims[3];
    if (rank == 5)
        anchors = dims[1] > 0 && dims[1] <= LAYOUT_MAX_ANCHORS / 2 ? (int)dims[1] : 0;
    if ((rank != 4 && rank != 5) || anchors < 1 || rows < 1 || columns < 1 || rows > 1024 ||
        columns > 1024 || channels <= HEAD || channels > HEAD + FAMILY_CLASSES_MAX ||
        (rank == 4 && dims[1] != anchors * channels))
        return false;
    size_t cells = (size_t)(rows * columns);
    *out = (struct grid){
        .rows = (int)rows,
        .columns = (int)columns,
        .anchors = anchors,
        .channels = (int)channels,
        .anchor = cells * (size_t)channels,
        .cell = rank == 5 ? (size_t)channels : 1,
        .channel = rank == 5 ? 1 : cells,
    };
    return true;
}

static bool is_probability(const struct tensor_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (!(view->data[i] >= 0.0F && view->data[i] <= 1.0F))
            return false;
    return true;
}

/* The largest grid first, as the anchors are listed. */
static void insert_by_size(const struct model_traits *traits, struct output_layout *layout,
                           int output)
{
    int at = layout->output_count++;
    for (; at > 0 && traits->probe[layout->outputs[at - 1]].dims[2] < traits->probe[output].dims[2];
         at--)
        layout->outputs[at] = layout->outputs[at - 1];
    layout->outputs[at] = output;
}

static bool levels_fit(const struct model_traits *traits, struct output_layout *layout)
{
    for (int i = 0; i < layout->output_count; i++) {
        struct grid grid = {0};
        const struct tensor_view *view = &traits->probe[layout->outputs[i]];
        int stride = 8 << i;
        if (!grid_of(view->dims, view->rank, 3, &grid) || grid.anchors != 3 || view->data == NULL ||
            grid.columns != traits->input_width / stride ||
            grid.rows != traits->input_height / stride ||
            (i > 0 && layout->class_count != grid.channels - HEAD))
            return false;
        layout->class_count = grid.channels - HEAD;
        layout->variant = is_probability(view) ? SIGMOIDS : RAW;
    }
    return traits->names == 0 || traits->names == layout->class_count;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    (void)format; /* the default */
    if (traits->probe == NULL || traits->io->output_count < LEVELS_MIN ||
        traits->io->output_count > LEVELS_MAX)
        return false;
    for (int i = 0; i < traits->io->output_count; i++) {
        if (!output_has_rank(traits, i, 5) && !(traits->chosen && output_has_rank(traits, i, 4)))
            return false;
        insert_by_size(traits, layout, i);
    }
    if (!levels_fit(traits, layout))
        return false;
    layout->level_count = layout->output_count;
    if (layout->level_count == 4)
        memcpy(layout->anchors, anchors_p6, sizeof anchors_p6);
    else
        memcpy(layout->anchors, anchors_p5, sizeof anchors_p5);
    layout->assumed =
        "the anchors of YOLOv5 are taken for granted; set `anchors` in its .json file "
        "where boxes have the wrong size";
    return true;
}

static float activated(float value, bool raw)
{
    return raw ? sigmoid(value) : value;
}

static int decode_box(const struct output_layout *layout, const float *at, const struct grid *grid,
                      const float anchor[2], int cell, int stride,
                      const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const bool raw = layout->variant == RAW;
    const size_t next = grid->channel;
    float objectness = activated(at[4 * next], raw);
    if (!is_confident(objectness, thresholds))
        return OW_OK;
    int best = 0;
    for (int c = 1; c < layout->class_count; c++)
        if (at[(size_t)(HEAD + c) * next] > at[(size_t)(HEAD + best) * next])
            best = c;
    float score = objectness * activated(at[(size_t)(HEAD + best) * next], raw);
    if (!is_confident(score, thresholds))
        return OW_OK;
    float box[4];
    for (size_t i = 0; i < 4; i++)
        box[i] = 2.0F * activated(at[i * next], raw);
    const float unit = (float)stride;
    const int line = cell / grid->columns;
    return add_scored(out, thresholds,
                      box_from_centre((box[0] - 0.5F + (float)(cell % grid->columns)) * unit,
                                      (box[1] - 0.5F + (float)line) * unit,
                                      box[2] * box[2] * anchor[0], box[3] * box[3] * anchor[1]),
                      best, score);
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    for (int level = 0; level < layout->level_count; level++) {
        const struct tensor_view *view = &outputs[layout->outputs[level]];
        const int stride = 8 << level;
        struct grid grid = {0};
        if (view->data == NULL || !grid_of(view->dims, view->rank, 3, &grid) || grid.anchors != 3 ||
            grid.channels != HEAD + layout->class_count || view->count != 3 * grid.anchor)
            return OW_EPARSE;
        for (int a = 0; a < 3; a++)
            for (int cell = 0; cell < grid.rows * grid.columns; cell++) {
                int result = decode_box(
                    layout, view->data + (size_t)a * grid.anchor + (size_t)cell * grid.cell, &grid,
                    &layout->anchors[(level * 3 + a) * 2], cell, stride, thresholds, out);
                if (result != OW_OK)
                    return result;
            }
    }
    return OW_OK;
}

const struct model_family yolov5_grid_family = {
    .name = "yolov5-grid",
    .task = "detect",
    .recognise = recognise,
    .decode = decode,
};
