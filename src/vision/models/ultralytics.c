/* Models as Ultralytics exports them (YOLO v5 and later) and whatever speaks their contract. Boxes
 * are cx, cy, w, h in tensor pixels, scores are probabilities already; behind the scores there may
 * be more, E values: coefficients of a mask, or key points (ultralytics_shapes.c). */
#include "vision/models/ultralytics.h"

#include "core/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum variant {
    CHANNELS_FIRST,  /* [1, 4+C+E, N] */
    CHANNELS_LAST,   /* [1, N, 4+C+E] */
    WITH_OBJECTNESS, /* [1, N, 5+C+E]: v5, the score is objectness x class */
    END_TO_END,      /* [1, N, 6+E]: x1, y1, x2, y2, score, class; overlaps are gone already */
};

enum {
    BOX_ROWS = 4,
    END_TO_END_COLUMNS = 6,
    END_TO_END_MAX_ROWS = 1000, /* exports have 300; a grid of cells has thousands */
    CLASSES_MAX = 10000,
};

/* Beyond this no coordinate of a tensor of at most FRAME_MAX_SIDE is meant. */
static const float absurd_coordinate = 100000.0F;

/* Cells of the three grids with strides 8, 16 and 32. */
static int64_t grid_cells(const struct model_traits *traits)
{
    int64_t cells = 0;
    for (int stride = 8; stride <= 32; stride *= 2)
        cells += (int64_t)(traits->input_width / stride) * (traits->input_height / stride);
    return cells;
}

static bool choose(struct output_layout *layout, enum variant variant, int64_t classes)
{
    if (classes < 0 || classes > CLASSES_MAX)
        return false;
    layout->variant = (int)variant;
    layout->class_count = (int)classes;
    layout->suppressed = variant == END_TO_END;
    return true;
}

/* With names in the metadata the number of classes is known, and with it the layout. */
static bool recognise_named(const struct model_traits *traits, int64_t rows, int64_t columns,
                            struct output_layout *layout)
{
    int64_t classes = traits->names;
    int64_t channels = BOX_ROWS + classes + layout->extra;
    if (rows == channels)
        return choose(layout, CHANNELS_FIRST, classes);
    if (columns == channels)
        return choose(layout, CHANNELS_LAST, classes);
    if (columns == channels + 1)
        return choose(layout, WITH_OBJECTNESS, classes);
    return false;
}

/* Without names only the number of boxes tells: one for each cell of the grids, or three as v5 has
 * them. [1, cells, 85] is left out on purpose: such outputs are as a rule raw grids (YOLOX), whose
 * boxes would be nonsense if read as pixels. */
static bool recognise_by_grid(const struct model_traits *traits, int64_t rows, int64_t columns,
                              struct output_layout *layout)
{
    int64_t cells = grid_cells(traits);
    int64_t others = BOX_ROWS + layout->extra;
    if (columns == cells && rows > others)
        return choose(layout, CHANNELS_FIRST, rows - others);
    if (rows == 3 * cells && columns > others + 1)
        return choose(layout, WITH_OBJECTNESS, columns - others - 1);
    if (rows == cells && columns > others && columns != 85)
        return choose(layout, CHANNELS_LAST, columns - others);
    return false;
}

bool ultralytics_recognise_boxes(const struct model_traits *traits,
                                 const struct tensor_info *tensor, int extra,
                                 struct output_layout *layout)
{
    if (tensor->type == TENSOR_OTHER || tensor->rank != 3 ||
        (tensor->dims[0] != 1 && tensor->dims[0] != -1))
        return false;
    int64_t rows = tensor->dims[1];
    int64_t columns = tensor->dims[2];
    bool few_rows = rows >= 1 && rows <= END_TO_END_MAX_ROWS;
    layout->extra = extra;
    if (columns == END_TO_END_COLUMNS + extra && (few_rows || traits->end_to_end))
        return choose(layout, END_TO_END, traits->names);
    return traits->names > 0 ? recognise_named(traits, rows, columns, layout)
                             : recognise_by_grid(traits, rows, columns, layout);
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    (void)format; /* the default */
    if (traits->task != NULL && strcmp(traits->task, "detect") != 0)
        return false;
    for (int i = 0; i < traits->io->output_count; i++) {
        layout->outputs[0] = i;
        layout->output_count = 1;
        if (ultralytics_recognise_boxes(traits, &traits->io->outputs[i], 0, layout))
            return true;
    }
    return false;
}

static bool is_box(const struct detection *box)
{
    /* Written so that a NaN fails. */
    return fabsf(box->x1) < absurd_coordinate && fabsf(box->y1) < absurd_coordinate &&
           fabsf(box->x2) < absurd_coordinate && fabsf(box->y2) < absurd_coordinate &&
           box->x2 > box->x1 && box->y2 > box->y1;
}

static bool is_confident(float score, const struct model_thresholds *thresholds)
{
    return score >= thresholds->confidence && score > 0.0F && score <= 1.001F;
}

static int add_if_sound(struct candidate_list *out, struct detection *candidate, size_t row)
{
    if (!is_box(candidate))
        return OW_OK;
    candidate->confidence = fminf(candidate->confidence, 1.0F);
    candidate->track_id = (uint32_t)row;
    return candidate_list_add(out, candidate);
}

static struct detection from_centre(float cx, float cy, float w, float h)
{
    return (struct detection){
        .x1 = cx - w / 2, .y1 = cy - h / 2, .x2 = cx + w / 2, .y2 = cy + h / 2};
}

/* Columns are walked in blocks, so that each row of scores is read once, in order. */
static int decode_channels_first(const struct tensor_view *view, int classes,
                                 const struct model_thresholds *thresholds,
                                 struct candidate_list *out)
{
    enum { BLOCK = 256 };
    float best[BLOCK];
    int best_class[BLOCK];
    const size_t count = (size_t)view->dims[2];
    const float *boxes = view->data;
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t size = count - start < BLOCK ? count - start : BLOCK;
        for (size_t k = 0; k < size; k++) {
            best[k] = 0.0F;
            best_class[k] = 0;
        }
        for (int c = 0; c < classes; c++) {
            const float *row = view->data + (size_t)(BOX_ROWS + c) * count + start;
            for (size_t k = 0; k < size; k++) {
                bool better = row[k] > best[k];
                best[k] = better ? row[k] : best[k];
                best_class[k] = better ? c : best_class[k];
            }
        }
        for (size_t k = 0; k < size; k++) {
            if (!is_confident(best[k], thresholds) || !class_wanted(thresholds, best_class[k]))
                continue;
            size_t at = start + k;
            struct detection candidate = from_centre(boxes[at], boxes[count + at],
                                                     boxes[2 * count + at], boxes[3 * count + at]);
            candidate.class_id = best_class[k];
            candidate.confidence = best[k];
            int result = add_if_sound(out, &candidate, at);
            if (result != OW_OK)
                return result;
        }
    }
    return OW_OK;
}

static int decode_channels_last(const struct tensor_view *view, int classes, bool has_objectness,
                                const struct model_thresholds *thresholds,
                                struct candidate_list *out)
{
    const size_t rows = (size_t)view->dims[1];
    const size_t columns = (size_t)view->dims[2];
    for (size_t i = 0; i < rows; i++) {
        const float *row = view->data + i * columns;
        float objectness = has_objectness ? row[BOX_ROWS] : 1.0F;
        if (!is_confident(objectness, thresholds))
            continue;
        const float *scores = row + BOX_ROWS + (has_objectness ? 1 : 0);
        int best = 0;
        for (int c = 1; c < classes; c++)
            if (scores[c] > scores[best] || isnan(scores[best]))
                best = c;
        float score = scores[best] <= 1.001F ? objectness * scores[best] : NAN;
        if (!is_confident(score, thresholds) || !class_wanted(thresholds, best))
            continue;
        struct detection candidate = from_centre(row[0], row[1], row[2], row[3]);
        candidate.class_id = best;
        candidate.confidence = score;
        int result = add_if_sound(out, &candidate, i);
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

static int decode_end_to_end(const struct tensor_view *view, int classes,
                             const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const size_t rows = (size_t)view->dims[1];
    const size_t columns = (size_t)view->dims[2];
    const float limit = (float)(classes > 0 ? classes : CLASSES_MAX);
    for (size_t i = 0; i < rows; i++) {
        const float *row = view->data + i * columns;
        if (!is_confident(row[4], thresholds) || !(row[5] >= 0.0F && row[5] < limit))
            continue;
        struct detection candidate = {
            .class_id = (int)row[5],
            .confidence = row[4],
            .x1 = row[0],
            .y1 = row[1],
            .x2 = row[2],
            .y2 = row[3],
        };
        if (!class_wanted(thresholds, candidate.class_id))
            continue;
        int result = add_if_sound(out, &candidate, i);
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

/* The length that the layout's channels must have: a dynamic shape is known only after the run. */
static int64_t channels_of(const struct output_layout *layout)
{
    switch ((enum variant)layout->variant) {
    case WITH_OBJECTNESS:
        return BOX_ROWS + 1 + layout->class_count + layout->extra;
    case END_TO_END:
        return END_TO_END_COLUMNS + layout->extra;
    case CHANNELS_FIRST:
    case CHANNELS_LAST:
        break;
    }
    return BOX_ROWS + layout->class_count + layout->extra;
}

static bool shape_fits(const struct output_layout *layout, const struct tensor_view *view)
{
    int channel_axis = layout->variant == CHANNELS_FIRST ? 1 : 2;
    if (view->rank != 3 || view->dims[0] != 1 || view->dims[1] < 0 || view->dims[2] < 0)
        return false;
    return view->dims[channel_axis] == channels_of(layout) &&
           view->count == (size_t)view->dims[1] * (size_t)view->dims[2];
}

const float *ultralytics_extra(const struct output_layout *layout, const struct tensor_view *view,
                               size_t row, size_t *step)
{
    size_t first = (size_t)(channels_of(layout) - layout->extra);
    size_t columns = (size_t)view->dims[2];
    bool by_columns = layout->variant == CHANNELS_FIRST;
    *step = by_columns ? columns : 1;
    return by_columns ? view->data + first * columns + row : view->data + row * columns + first;
}

int ultralytics_decode(const struct output_layout *layout, const struct tensor_view *outputs,
                       const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const struct tensor_view *view = &outputs[layout->outputs[0]];
    if (!shape_fits(layout, view))
        return OW_EPARSE;
    if (view->data == NULL || view->count == 0)
        return OW_OK;
    switch ((enum variant)layout->variant) {
    case CHANNELS_FIRST:
        return decode_channels_first(view, layout->class_count, thresholds, out);
    case CHANNELS_LAST:
        return decode_channels_last(view, layout->class_count, false, thresholds, out);
    case WITH_OBJECTNESS:
        return decode_channels_last(view, layout->class_count, true, thresholds, out);
    case END_TO_END:
        return decode_end_to_end(view, layout->class_count, thresholds, out);
    }
    return OW_EINVAL;
}

const struct model_family ultralytics_family = {
    .name = "ultralytics",
    .task = "detect",
    .supports = "detection outputs [1,4+C,N], [1,N,4+C], [1,N,5+C] (v5) or [1,N,6] (end to end)",
    .recognise = recognise,
    .decode = ultralytics_decode,
};
