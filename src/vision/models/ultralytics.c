/* Models as Ultralytics exports them (YOLO v5 and later) and whatever speaks their contract. Boxes
 * are cx, cy, w, h in tensor pixels, scores are probabilities already; behind the scores there may
 * be more, E values: coefficients of a mask, or key points (ultralytics_shapes.c). */
#include "vision/models/ultralytics.h"

#include "core/error.h"
#include "vision/models/common.h"

#include <math.h>
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
    FEW_ROWS = 1000, /* exports with the suppression inside have 300; grids have thousands */
};

static bool choose(struct output_layout *layout, enum variant variant, int64_t classes)
{
    if (classes < 0 || classes > FAMILY_CLASSES_MAX)
        return false;
    layout->variant = (int)variant;
    layout->class_count = (int)classes;
    layout->suppressed = variant == END_TO_END;
    return true;
}

/* With names in Ultralytics' metadata the number of classes is known, and with it the layout. Few
 * rows of boxes and classes are RT-DETR's, whose boxes are parts of the picture. */
static bool recognise_named(const struct model_traits *traits, int64_t rows, int64_t columns,
                            struct output_layout *layout)
{
    int64_t classes = traits->names;
    int64_t channels = BOX_ROWS + classes + layout->extra;
    if (rows == channels)
        return choose(layout, CHANNELS_FIRST, classes);
    if (columns == channels && rows > FEW_ROWS)
        return choose(layout, CHANNELS_LAST, classes);
    if (columns == channels + 1)
        return choose(layout, WITH_OBJECTNESS, classes);
    return false;
}

/* How many classes there are when the metadata is silent: 80 (COCO), or what the shape leaves. */
static bool classes_fit(const struct model_traits *traits, int64_t classes, bool only_coco)
{
    if (traits->names > 0)
        return traits->names == classes;
    return only_coco ? classes == 80 : classes > 0;
}

/* Are these rows probabilities? */
static bool rows_are_probabilities(const struct tensor_view *view, int64_t first, int64_t end)
{
    for (int64_t i = first * view->dims[2]; i < end * view->dims[2]; i++)
        if (!(view->data[i] >= 0.0F && view->data[i] <= 1.0F))
            return false;
    return true;
}

/* Without that metadata the boxes of a test picture tell: there is one for each cell of the grids,
 * in pixels near it, or three as v5 and v7 have them. What follows them is one class more or the
 * objectness, which the shape does not tell: [1,N,85] can be both. */
static bool recognise_by_probe(const struct model_traits *traits, const struct tensor_view *view,
                               struct output_layout *layout)
{
    const int64_t others = BOX_ROWS + layout->extra;
    const int64_t rows = view->dims[1];
    const int64_t columns = view->dims[2];
    float low = 0;
    float high = 0;
    if (grid_look_at(traits, view, true, 1).pixels > 0.9F &&
        rows_are_probabilities(view, BOX_ROWS, rows - layout->extra) &&
        classes_fit(traits, rows - others, false))
        return choose(layout, CHANNELS_FIRST, rows - others);
    if (!column_range(view, BOX_ROWS, columns - layout->extra - 1, &low, &high) || low < 0.0F ||
        high > 1.0F)
        return false;
    if (grid_look_at(traits, view, false, 3).pixels > 0.9F &&
        classes_fit(traits, columns - others - 1, false))
        return choose(layout, WITH_OBJECTNESS, columns - others - 1);
    if (grid_look_at(traits, view, false, 1).pixels <= 0.9F)
        return false;
    if (classes_fit(traits, columns - others, true))
        return choose(layout, CHANNELS_LAST, columns - others);
    /* YOLOv6: an objectness that is always 1. */
    return classes_fit(traits, columns - others - 1, true) &&
           column_range(view, BOX_ROWS, BOX_ROWS, &low, &high) && low == 1.0F &&
           choose(layout, WITH_OBJECTNESS, columns - others - 1);
}

/* x1, y1, x2, y2 in pixels, a probability, the number of a class. */
static bool rows_are_final(const struct tensor_view *view)
{
    bool pixels = false;
    for (int64_t i = 0; i < view->dims[1]; i++) {
        const float *row = view->data + i * END_TO_END_COLUMNS;
        if (!(row[2] >= row[0] && row[3] >= row[1] && row[4] >= 0.0F && row[4] <= 1.0F &&
              row[5] >= 0.0F && row[5] == floorf(row[5])))
            return false;
        pixels = pixels || row[2] > 2.0F;
    }
    return pixels;
}

bool ultralytics_recognise_boxes(const struct model_traits *traits, int output, int extra,
                                 struct output_layout *layout)
{
    int rank = 0;
    const int64_t *dims = output_dims(traits, output, &rank);
    if (!output_has_rank(traits, output, 3))
        return false;
    const struct tensor_view *view = traits->probe != NULL ? &traits->probe[output] : NULL;
    const bool told = traits->task != NULL || traits->chosen;
    bool few_rows = dims[1] >= 1 && dims[1] <= FEW_ROWS;
    layout->extra = extra;
    if (dims[2] == END_TO_END_COLUMNS + extra && (few_rows || traits->end_to_end) &&
        (told || (view != NULL && view_is(view, -1, -1) && rows_are_final(view))))
        return choose(layout, END_TO_END, traits->names);
    if (told && traits->names > 0)
        return recognise_named(traits, dims[1], dims[2], layout);
    return view != NULL && view_is(view, -1, -1) && recognise_by_probe(traits, view, layout);
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    (void)format; /* the default */
    if (traits->task != NULL && strcmp(traits->task, "detect") != 0)
        return false;
    for (int i = 0; i < traits->io->output_count; i++) {
        if (!ultralytics_recognise_boxes(traits, i, 0, layout))
            continue;
        layout->outputs[0] = i;
        layout->output_count = 1;
        return true;
    }
    return false;
}

/* Takes over what is better of a row of one class's scores; a loop of its own, and in this form, so
 * that compilers make SIMD of it. */
static void keep_better(const float *restrict scores, int class_id, size_t count,
                        float *restrict best, int *restrict best_class)
{
    for (size_t k = 0; k < count; k++) {
        float value = scores[k];
        float former = best[k];
        int mask = -(value > former);
        best_class[k] = (best_class[k] & ~mask) | (class_id & mask);
        best[k] = value > former ? value : former;
    }
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
        for (int c = 0; c < classes; c++)
            keep_better(view->data + (size_t)(BOX_ROWS + c) * count + start, c, size, best,
                        best_class);
        for (size_t k = 0; k < size; k++) {
            if (!is_confident(best[k], thresholds) || !class_wanted(thresholds, best_class[k]))
                continue;
            size_t at = start + k;
            struct detection candidate = box_from_centre(
                boxes[at], boxes[count + at], boxes[2 * count + at], boxes[3 * count + at]);
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
        int best = best_class(scores, classes);
        float score = scores[best] <= 1.001F ? objectness * scores[best] : NAN;
        if (!is_confident(score, thresholds) || !class_wanted(thresholds, best))
            continue;
        struct detection candidate = box_from_centre(row[0], row[1], row[2], row[3]);
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
    const float limit = (float)(classes > 0 ? classes : FAMILY_CLASSES_MAX);
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
    .recognise = recognise,
    .decode = ultralytics_decode,
};
