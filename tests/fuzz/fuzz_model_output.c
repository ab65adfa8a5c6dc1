/* Outputs of a model of any shape and value. The input: one byte each of flags, class names and
 * rank, two bytes each of rows and columns (as the model announces them, little-endian), the same
 * as the run gives them, then the values as float32. */
#include "fuzz.h"

#include "core/error.h"
#include "vision/models/family.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 11, VALUES_MAX = 1 << 16 };
enum {
    FLAG_END_TO_END = 1,
    FLAG_AGNOSTIC = 2,
    FLAG_CLASSES = 4,
    FLAG_DYNAMIC = 8,
    FLAG_CELLS = 16
};

static int64_t side_at(const uint8_t *data)
{
    return (int16_t)(data[0] | data[1] << 8); /* -1 is "not fixed" */
}

static const struct model_family *recognise(const uint8_t *data, struct output_layout *layout)
{
    static struct ort_session_info io;
    memset(&io, 0, sizeof io);
    io.output_count = 1;
    io.outputs[0] = (struct tensor_info){.type = TENSOR_FLOAT32, .rank = 3};
    io.outputs[0].dims[0] = data[0] & FLAG_DYNAMIC ? -1 : 1;
    io.outputs[0].dims[1] = side_at(data + 3);
    io.outputs[0].dims[2] = side_at(data + 5);
    const struct model_traits traits = {
        .io = &io,
        .input_width = data[0] & FLAG_CELLS ? 32 : 416, /* 32: grids of 21 cells */
        .input_height = data[0] & FLAG_CELLS ? 32 : 416,
        .end_to_end = data[0] & FLAG_END_TO_END,
        .names = data[1],
    };
    struct picture_format format = picture_format_default;
    return model_family_find(&traits, NULL, layout, &format);
}

static void check(const struct candidate_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct detection *item = &list->items[i];
        if (!(item->confidence > 0 && item->confidence <= 1) || item->class_id < 0 ||
            !isfinite(item->x1) || !isfinite(item->y1) || !(item->x2 > item->x1) ||
            !(item->y2 > item->y1) || !isfinite(item->x2) || !isfinite(item->y2))
            abort();
    }
}

static void decode(const struct model_family *family, const struct output_layout *layout,
                   const uint8_t *data, const struct tensor_view *view)
{
    static const int wanted[] = {0, 2};
    const struct model_thresholds thresholds = {
        .confidence = 0.1F,
        .iou = 0.5F,
        .max_detections = 100,
        .agnostic = data[0] & FLAG_AGNOSTIC,
        .classes = data[0] & FLAG_CLASSES ? wanted : NULL,
        .class_count = 2,
    };
    struct candidate_list list = {0};
    int rc = family->decode(layout, view, &thresholds, &list);
    check(&list);
    if (rc == OW_OK && layout->suppressed)
        nms_sort(&list, &thresholds);
    else if (rc == OW_OK)
        nms_apply(&list, &thresholds);
    check(&list);
    if (rc == OW_OK && list.count > 100)
        abort();
    candidate_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct output_layout layout = {0};
    if (size < HEAD_BYTES)
        return 0;
    const struct model_family *family = recognise(data, &layout);
    if (!family)
        return 0;
    struct tensor_view view = {.rank = data[2] % (TENSOR_MAX_RANK + 1)};
    view.dims[0] = 1;
    view.dims[1] = side_at(data + 7);
    view.dims[2] = side_at(data + 9);
    int64_t count = view.dims[1] * view.dims[2];
    if (count < 0 || count > VALUES_MAX)
        return 0;
    view.count = (size_t)count;
    float *values = calloc(view.count > 0 ? view.count : 1, sizeof *values);
    if (!values)
        return 0;
    size_t given = size - HEAD_BYTES, room = view.count * sizeof *values;
    /* What is missing is what is there, again and again. */
    for (size_t at = 0; given > 0 && at < room; at += given)
        memcpy((uint8_t *)values + at, data + HEAD_BYTES, room - at < given ? room - at : given);
    view.data = values;
    decode(family, &layout, data, &view);
    free(values);
    return 0;
}
