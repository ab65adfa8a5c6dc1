/* Outputs of a test picture's run of any number, name, shape and value: what recognises them must
 * be able to read them, and others of the same shapes. The input: one byte each of decoder (0 =
 * none is named), class names, picture side, task and number of outputs; for each output one byte
 * each of name and rank, and its sides as two bytes each, little-endian; then the values as
 * float32. */
#include "fuzz.h"

#include "core/error.h"
#include "vision/models/family.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 5, OUTPUTS_MAX = 6, RANK_MAX = 5, VALUES_MAX = 1 << 16 };

static const char *const decoders[] = {NULL,
                                       "ultralytics",
                                       "yolox",
                                       "yolov5-grid",
                                       "nanodet",
                                       "detr",
                                       "ssd",
                                       "blazeface",
                                       "classify",
                                       "movenet",
                                       "class-map",
                                       "ultralytics-segment",
                                       "ultralytics-pose"};
static const char *const names[] = {"output", "boxes",           "scores",           "labels",
                                    "logits", "detection_boxes", "detection_classes"};
static const char *const tasks[] = {NULL, "detect", "classify", "segment", "pose"};
enum {
    DECODERS = sizeof decoders / sizeof *decoders,
    NAMES = sizeof names / sizeof *names,
    TASKS = sizeof tasks / sizeof *tasks
};

struct outputs {
    struct ort_session_info io;
    struct tensor_view views[SESSION_MAX_TENSORS];
    float *values[OUTPUTS_MAX];
};

struct input {
    const uint8_t *at;
    size_t left;
};

static unsigned take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static int take_output(struct input *input, struct outputs *out)
{
    struct tensor_info *info = &out->io.outputs[out->io.output_count];
    struct tensor_view *view = &out->views[out->io.output_count];
    snprintf(info->name, sizeof info->name, "%s", names[take(input) % NAMES]);
    info->type = TENSOR_FLOAT32;
    info->rank = view->rank = (int)(take(input) % (RANK_MAX + 1));
    view->count = 1;
    for (int i = 0; i < view->rank; i++) {
        unsigned low = take(input);
        info->dims[i] = view->dims[i] = (int64_t)(low | (take(input) & 0x3f) << 8);
        view->count *= (size_t)view->dims[i];
        if (view->count > VALUES_MAX)
            return OW_ETOOLARGE;
    }
    float *values = malloc(view->count * sizeof *values + 1);
    if (!values)
        return OW_ENOMEM;
    out->values[out->io.output_count++] = values;
    view->data = view->count > 0 ? values : NULL;
    return OW_OK;
}

/* What is missing is what is there, again and again. */
static void fill(struct outputs *out, const uint8_t *data, size_t size)
{
    for (int i = 0; i < out->io.output_count; i++) {
        size_t room = out->views[i].count * sizeof(float);
        memset(out->values[i], 0, room);
        for (size_t at = 0; size > 0 && at < room; at += size)
            memcpy((uint8_t *)out->values[i] + at, data, room - at < size ? room - at : size);
    }
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

static void check_shape(const struct object_shape *shape, size_t cells)
{
    if ((size_t)shape->mask_width * (size_t)shape->mask_height != cells)
        abort();
    for (int k = 0; k < shape->keypoint_count; k++) {
        const struct keypoint *point = &shape->keypoints[k];
        if (!(point->score >= 0 && point->score <= 1) || !isfinite(point->x) || !isfinite(point->y))
            abort();
    }
}

static void read_shapes(const struct model_family *family, const struct output_layout *layout,
                        const struct outputs *outputs, const struct candidate_list *list)
{
    size_t cells_left = 10000;
    for (size_t i = 0; i < list->count && family->shape; i++) {
        struct object_shape *shape = NULL;
        size_t before = cells_left;
        int rc = family->shape(layout, outputs->views, &list->items[i], &cells_left, &shape);
        if (rc != OW_OK || cells_left > before)
            abort();
        if (shape)
            check_shape(shape, before - cells_left);
        else if (before != cells_left)
            abort();
        object_shape_unref(&shape);
    }
}

static void decode(const struct model_family *family, const struct output_layout *layout,
                   const struct outputs *outputs)
{
    static const struct model_thresholds thresholds = {
        .confidence = 0.1F, .iou = 0.5F, .max_detections = 100};
    struct candidate_list list = {0};
    if (family->decode(layout, outputs->views, &thresholds, &list) != OW_OK)
        abort(); /* the shapes were its own choice */
    check(&list);
    nms_sort(&list, &thresholds);
    read_shapes(family, layout, outputs, &list);
    candidate_list_free(&list);
}

static void try(struct outputs *outputs, struct input *input, const uint8_t head[HEAD_BYTES])
{
    struct output_layout layout = {0};
    struct picture_format format = picture_format_default;
    const char *wanted = decoders[head[0] % DECODERS];
    const int side = 32 << head[2] % 4;
    const struct model_traits traits = {
        .io = &outputs->io,
        .probe = outputs->views,
        .input_width = side,
        .input_height = side,
        .task = tasks[head[3] % TASKS],
        .names = head[1],
        .chosen = wanted != NULL,
    };
    fill(outputs, input->at, input->left);
    const struct model_family *family = model_family_find(&traits, wanted, &layout, &format);
    if (!family)
        return;
    if (layout.class_count < 0 || layout.output_count < 1 || !(format.std[0] > 0))
        abort();
    layout.input_width = layout.input_height = side;
    decode(family, &layout, outputs);
    /* Other values of the same shapes. */
    size_t skip = input->left < 3 ? input->left : 3;
    fill(outputs, input->at + skip, input->left - skip);
    decode(family, &layout, outputs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outputs outputs = {0};
    struct input input = {data, size};
    if (size < HEAD_BYTES)
        return 0;
    input.at += HEAD_BYTES;
    input.left -= HEAD_BYTES;
    outputs.io.input_count = 1 + data[4] / 128;
    int rc = OW_OK;
    for (int i = 0; i <= data[4] % OUTPUTS_MAX && rc == OW_OK; i++)
        rc = take_output(&input, &outputs);
    if (rc == OW_OK)
        try(&outputs, &input, data);
    for (int i = 0; i < OUTPUTS_MAX; i++)
        free(outputs.values[i]);
    return 0;
}
