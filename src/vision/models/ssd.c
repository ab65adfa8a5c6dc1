/* Boxes with scores, corner by corner.
 *
 * Chosen already: boxes [1,N,4], scores [1,N] and class numbers [1,N], with or without the 1, as
 * TensorFlow's object detection exports them (`detection_boxes`: top, left, bottom, right in 0..1;
 * classes from 1), torchvision (`boxes`: x1, y1, x2, y2 in pixels; `labels` from 1) and RT-DETR's
 * own export with `orig_target_sizes` (pixels; `labels` from 0).
 *
 * Still to be suppressed: boxes [1,N,4] as corners and scores [1,N,C], in 0..1 or pixels
 * (YOLO-NAS). Where each row of scores sums up to 1, the first class is the background, as in SSD
 * (Liu et al., 2016) and in face detectors such as UltraFace. */
#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>

enum variant { CHOSEN = 1, IN_PARTS = 2, TOP_FIRST = 4, FROM_ONE = 8, BACKGROUND = 16 };

/* A list of N rows of `width` values: [1,N,width], [N,width]; of one value also [1,N], [N]. */
static bool list_of(const struct tensor_view *view, int64_t width, int64_t *rows)
{
    int skip = view->rank > 1 && view->dims[0] == 1 ? 1 : 0;
    int left = view->rank - skip;
    if (view->rank < 1 || view->rank > 3 || left < 1)
        return false;
    *rows = view->dims[skip];
    int64_t columns = left == 2 ? view->dims[skip + 1] : 1;
    return left <= 2 && *rows >= 0 && columns == width && view->count == (size_t)(*rows * width);
}

/* The part of values that are greater than the pictures' parts are: pixels. */
static bool are_pixels(const struct tensor_view *boxes)
{
    for (size_t i = 0; i < boxes->count; i++)
        if (boxes->data[i] > 2.0F)
            return true;
    return false;
}

static bool are_corners(const struct tensor_view *boxes)
{
    size_t sound = 0;
    for (size_t i = 0; i + 3 < boxes->count; i += 4)
        sound += boxes->data[i + 2] >= boxes->data[i] && boxes->data[i + 3] >= boxes->data[i + 1];
    return (float)sound > 0.99F * (float)boxes->count / 4.0F;
}

/* Places to tell pixels from parts by; of nothing found nothing can be told. */
static bool shows_boxes(const struct tensor_view *boxes)
{
    for (size_t i = 0; i < boxes->count; i++)
        if (boxes->data[i] != 0.0F)
            return true;
    return false;
}

static bool recognise_chosen(const struct model_traits *traits, struct output_layout *layout,
                             struct picture_format *format)
{
    int boxes = -1;
    int scores = -1;
    int classes = -1;
    int64_t rows = 0;
    for (int i = 0; i < traits->io->output_count; i++) {
        if (output_is_named(traits, i, "box") && list_of(&traits->probe[i], 4, &rows))
            boxes = i;
        else if (output_is_named(traits, i, "score"))
            scores = i;
        else if (output_is_named(traits, i, "class") || output_is_named(traits, i, "label"))
            classes = i;
    }
    int64_t others[2] = {-1, -1};
    if (boxes < 0 || scores < 0 || classes < 0 || !list_of(&traits->probe[scores], 1, &others[0]) ||
        !list_of(&traits->probe[classes], 1, &others[1]) ||
        !list_of(&traits->probe[boxes], 4, &rows) || others[0] != rows || others[1] != rows)
        return false;
    bool tensorflow = output_is_named(traits, boxes, "detection_boxes");
    bool pixels = traits->io->input_count > 1 || are_pixels(&traits->probe[boxes]);
    if (!tensorflow && !pixels && !shows_boxes(&traits->probe[boxes]))
        return false;
    *layout = (struct output_layout){
        .outputs = {boxes, scores, classes},
        .output_count = 3,
        .variant = CHOSEN | (pixels ? 0 : IN_PARTS) | (tensorflow ? TOP_FIRST : 0) |
                   (traits->io->input_count > 1 ? 0 : FROM_ONE),
        .class_count = traits->names,
        .suppressed = true,
        .assumed = traits->io->input_count > 1 ? NULL : "its class numbers are taken to begin at 1",
    };
    format->placement = PLACEMENT_STRETCH;
    return true;
}

/* Does each row of scores sum up to 1? */
static bool sums_are_one(const struct tensor_view *scores)
{
    const int64_t columns = scores->dims[2];
    for (int64_t i = 0; i < scores->dims[1]; i++) {
        float sum = 0;
        for (int64_t c = 0; c < columns; c++)
            sum += scores->data[i * columns + c];
        if (!(fabsf(sum - 1.0F) < 0.01F))
            return false;
    }
    return columns > 1;
}

static bool recognise_candidates(const struct model_traits *traits, struct output_layout *layout,
                                 struct picture_format *format)
{
    if (traits->io->output_count != 2)
        return false;
    int boxes = view_is(&traits->probe[0], -1, 4) && !output_is_named(traits, 0, "score") ? 0 : 1;
    const struct tensor_view *places = &traits->probe[boxes];
    const struct tensor_view *scores = &traits->probe[1 - boxes];
    float low = 0;
    float high = 0;
    if (!view_is(places, -1, 4) || !view_is(scores, places->dims[1], -1) || places->dims[1] < 1 ||
        scores->dims[2] < 1 || !are_corners(places) ||
        !column_range(scores, 0, scores->dims[2] - 1, &low, &high) || low < 0.0F || high > 1.0F)
        return false;
    bool background = sums_are_one(scores);
    bool pixels = are_pixels(places);
    const int64_t classes = scores->dims[2] - (background ? 1 : 0);
    if (classes > FAMILY_CLASSES_MAX || (traits->names > 0 && traits->names != classes))
        return false;
    *layout = (struct output_layout){
        .outputs = {boxes, 1 - boxes},
        .output_count = 2,
        .variant = (pixels ? 0 : IN_PARTS) | (background ? BACKGROUND : 0),
        .class_count = (int)classes,
        .assumed = "how it wants its pictures is not known (taken: as UltraFace where a background "
                   "is among the classes, else RGB 0..1); set `mean`, `std`, `letterbox` in its "
                   ".json file",
    };
    format->placement = pixels ? PLACEMENT_CENTRE : PLACEMENT_STRETCH;
    for (int c = 0; c < 3 && background; c++) {
        format->mean[c] = 127.0F / 255.0F;
        format->std[c] = 128.0F / 255.0F;
    }
    return true;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    if (traits->probe == NULL || (traits->task != NULL && !traits->chosen))
        return false;
    return recognise_chosen(traits, layout, format) || recognise_candidates(traits, layout, format);
}

static struct detection box_of(const struct output_layout *layout, const float *at)
{
    float width = layout->variant & IN_PARTS ? (float)layout->input_width : 1.0F;
    float height = layout->variant & IN_PARTS ? (float)layout->input_height : 1.0F;
    int x = layout->variant & TOP_FIRST ? 1 : 0;
    return (struct detection){
        .x1 = at[x] * width,
        .y1 = at[1 - x] * height,
        .x2 = at[2 + x] * width,
        .y2 = at[3 - x] * height,
    };
}

static int decode_chosen(const struct output_layout *layout, const struct tensor_view *outputs,
                         const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const struct tensor_view *lists[3];
    int64_t rows[3] = {0};
    for (int i = 0; i < 3; i++) {
        lists[i] = &outputs[layout->outputs[i]];
        if (!list_of(lists[i], i == 0 ? 4 : 1, &rows[i]) || rows[i] != rows[0])
            return OW_EPARSE;
    }
    const float first = layout->variant & FROM_ONE ? 1.0F : 0.0F;
    const float limit = (float)(layout->class_count > 0 ? layout->class_count : FAMILY_CLASSES_MAX);
    for (int64_t i = 0; i < rows[0] && lists[0]->data != NULL; i++) {
        float number = lists[2]->data[i] - first;
        if (!(number >= 0.0F && number < limit))
            continue;
        int result = add_scored(out, thresholds, box_of(layout, lists[0]->data + i * 4),
                                (int)number, lists[1]->data[i]);
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    if (layout->variant & CHOSEN)
        return decode_chosen(layout, outputs, thresholds, out);
    const struct tensor_view *boxes = &outputs[layout->outputs[0]];
    const struct tensor_view *scores = &outputs[layout->outputs[1]];
    const int skip = layout->variant & BACKGROUND ? 1 : 0;
    if (!view_is(boxes, -1, 4) || !view_is(scores, boxes->dims[1], layout->class_count + skip))
        return OW_EPARSE;
    for (int64_t i = 0; i < boxes->dims[1]; i++) {
        const float *row = scores->data + i * scores->dims[2] + skip;
        int best = best_class(row, layout->class_count);
        int result =
            add_scored(out, thresholds, box_of(layout, boxes->data + i * 4), best, row[best]);
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

const struct model_family ssd_family = {
    .name = "ssd",
    .task = "detect",
    .recognise = recognise,
    .decode = decode,
};
