/* YOLOX (Ge et al., 2021; yolox/models/yolo_head.py): one box a cell of three grids, [1, N, 5+C]:
 * place and size, objectness, class scores, the latter two as probabilities. Exported as a rule
 * with place and size still relative to the cell: x = (x + column) * stride, w = exp(w) * stride;
 * with --decode_in_inference in pixels. Pictures are BGR, 0..255, in the top left corner. */
#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>

enum variant { IN_CELLS, IN_PIXELS };
enum { BOX = 4, HEAD = 5 };

static const int strides[] = {8, 16, 32};
enum { LEVELS = sizeof strides / sizeof strides[0] };

/* Larger than any picture: exp() of a broken value must stay a number. */
static const float max_log_size = 8.0F;

static bool scores_are_probabilities(const struct tensor_view *view)
{
    float low = 0;
    float high = 0;
    return column_range(view, BOX, view->dims[2] - 1, &low, &high) && low >= 0.0F && high <= 1.0F;
}

/* YOLOv6 exports the same shape with an objectness that is always 1, and takes other pictures. */
static bool objectness_varies(const struct tensor_view *view)
{
    float low = 0;
    float high = 0;
    return column_range(view, BOX, BOX, &low, &high) && low < 1.0F;
}

static bool recognise_output(const struct model_traits *traits, const struct tensor_view *view,
                             struct output_layout *layout)
{
    const int64_t classes = view->dims[2] - HEAD;
    if (classes < 1 || classes > FAMILY_CLASSES_MAX ||
        !view_is(view, grid_cells(traits->input_width, traits->input_height, strides, LEVELS), -1))
        return false;
    if (traits->names > 0 && traits->names != classes)
        return false;
    const struct grid_look look = grid_look_at(traits, view, false, 1);
    bool in_cells = look.offsets > 0.9F && look.pixels < 0.5F;
    /* Boxes in pixels with 4+C columns look the same: the number of classes has to be known. */
    bool in_pixels = look.pixels > 0.9F && (traits->names > 0 || classes == 80);
    if (!scores_are_probabilities(view) || in_cells == in_pixels ||
        (in_pixels && !objectness_varies(view)))
        return false;
    layout->variant = in_cells ? IN_CELLS : IN_PIXELS;
    layout->class_count = (int)classes;
    return true;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    if (traits->probe == NULL || (traits->task != NULL && !traits->chosen))
        return false;
    for (int i = 0; i < traits->io->output_count; i++) {
        if (!recognise_output(traits, &traits->probe[i], layout))
            continue;
        layout->outputs[0] = i;
        layout->output_count = 1;
        format->placement = PLACEMENT_TOP_LEFT;
        format->bgr = true;
        for (int c = 0; c < 3; c++)
            format->std[c] = 1.0F / 255.0F;
        return true;
    }
    return false;
}

static struct detection box_of(const float *row, bool in_cells, int column, int line, int stride)
{
    if (!in_cells)
        return box_from_centre(row[0], row[1], row[2], row[3]);
    const float unit = (float)stride;
    return box_from_centre((row[0] + (float)column) * unit, (row[1] + (float)line) * unit,
                           expf(fminf(row[2], max_log_size)) * unit,
                           expf(fminf(row[3], max_log_size)) * unit);
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const struct tensor_view *view = &outputs[layout->outputs[0]];
    const int classes = layout->class_count;
    if (!view_is(view, grid_cells(layout->input_width, layout->input_height, strides, LEVELS),
                 HEAD + classes))
        return OW_EPARSE;
    const float *row = view->data;
    for (int level = 0; level < LEVELS; level++) {
        const int stride = strides[level];
        const int width = (layout->input_width + stride - 1) / stride;
        const int height = (layout->input_height + stride - 1) / stride;
        for (int cell = 0; cell < width * height; cell++, row += HEAD + classes) {
            if (!is_confident(row[BOX], thresholds))
                continue;
            int best = best_class(row + HEAD, classes);
            float score = row[HEAD + best] <= 1.001F ? row[BOX] * row[HEAD + best] : NAN;
            if (!is_confident(score, thresholds))
                continue;
            int result = add_scored(
                out, thresholds,
                box_of(row, layout->variant == IN_CELLS, cell % width, cell / width, stride), best,
                score);
            if (result != OW_OK)
                return result;
        }
    }
    return OW_OK;
}

const struct model_family yolox_family = {
    .name = "yolox",
    .task = "detect",
    .recognise = recognise,
    .decode = decode,
};
