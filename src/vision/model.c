#include "vision/model.h"

#include "core/clock.h"
#include "core/log.h"
#include "vision/letterbox.h"
#include "vision/model_names.h"
#include "vision/models/family.h"
#include "vision/nms.h"
#include "vision/session.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE_MIN = 32, SIDE_MAX = 4096, SIDE_DEFAULT = 640, THREADS_MAX = 4, INPUT_ALIGNMENT = 64 };

struct model {
    struct model_info info;
    char *path;
    struct ort_session *session;
    struct letterbox *letterbox;
    float *input;
    const struct model_family *family;
    struct output_layout layout;
    struct candidate_list candidates; /* memory kept from run to run */
};

static int thread_count(int wanted)
{
    if (wanted > 0)
        return wanted;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (int)cores;
}

/* Up to two whole numbers out of "[416, 416]" or "640"; how many there were. */
static int read_sides(const char *text, int sides[2])
{
    int count = 0;
    while (*text != '\0' && count < 2) {
        if (!isdigit((unsigned char)*text)) {
            text++;
            continue;
        }
        char *end = NULL;
        long value = strtol(text, &end, 10);
        sides[count++] = value > SIDE_MAX ? SIDE_MAX + 1 : (int)value;
        text = end;
    }
    return count;
}

/* Height and width of the input tensor: what the file fixes, else its `imgsz`, else 640. */
static int read_input_size(struct model *model, struct reason *why)
{
    const struct tensor_info *input = &ort_session_info(model->session)->inputs[0];
    int sides[2] = {SIDE_DEFAULT, SIDE_DEFAULT};
    char *text = ort_session_metadata(model->session, "imgsz");
    if (text != NULL && read_sides(text, sides) == 1)
        sides[1] = sides[0];
    free(text);
    for (int k = 0; k < 2; k++) {
        int64_t side = input->dims[k + 2] > 0 ? input->dims[k + 2] : sides[k];
        if (side < SIDE_MIN || side > SIDE_MAX)
            return reason_set(why, OW_EUNSUPPORTED,
                              "the model wants pictures of side %lld; supported are %d to %d",
                              (long long)side, SIDE_MIN, SIDE_MAX);
        sides[k] = (int)side;
    }
    model->info.input_height = sides[0];
    model->info.input_width = sides[1];
    return OW_OK;
}

static int not_understood(const struct model *model, const char *task, struct reason *why)
{
    const struct ort_session_info *io = ort_session_info(model->session);
    char inputs[80];
    char outputs[96];
    char supported[128];
    return reason_set(why, OW_EUNSUPPORTED,
                      "the model is not understood: inputs %s; outputs %s%s%.16s. Supported: "
                      "float32 input [1,3,H,W], %s",
                      ort_session_describe(io->inputs, io->input_count, inputs, sizeof inputs),
                      ort_session_describe(io->outputs, io->output_count, outputs, sizeof outputs),
                      task != NULL ? "; task " : "", task != NULL ? task : "",
                      model_families_supported(supported, sizeof supported));
}

static bool input_is_picture(const struct ort_session_info *io)
{
    const struct tensor_info *input = &io->inputs[0];
    return io->input_count == 1 && io->output_count >= 1 && input->is_float32 && input->rank == 4 &&
           (input->dims[0] == 1 || input->dims[0] == -1) &&
           (input->dims[1] == 3 || input->dims[1] == -1);
}

/* The names of the metadata; none, and a word in the log, where they cannot be read. */
static int read_names(struct model *model)
{
    char *text = ort_session_metadata(model->session, "names");
    int result = text != NULL ? model_names_parse(&model->info.labels, text) : OW_EPARSE;
    if (result == OW_EPARSE || result == OW_ELIMIT) {
        if (text != NULL)
            log_warn("model %s: its class names cannot be read (%s)", model->path,
                     error_text(result));
        result = model_names_numbered(&model->info.labels, 0);
    }
    free(text);
    return result;
}

/* Names by number for a model that has none itself. */
static int complete_names(struct model *model)
{
    if (model->info.labels->count > 0 || model->layout.class_count == 0)
        return OW_OK;
    label_set_unref(&model->info.labels);
    return model_names_numbered(&model->info.labels, model->layout.class_count);
}

static int recognise(struct model *model, struct reason *why)
{
    const struct ort_session_info *io = ort_session_info(model->session);
    char *task = ort_session_metadata(model->session, "task");
    char *end_to_end = ort_session_metadata(model->session, "end2end");
    int result = OW_OK;
    if (!input_is_picture(io)) {
        result = not_understood(model, task, why);
        goto out;
    }
    result = read_input_size(model, why);
    if (result == OW_OK)
        result = read_names(model);
    if (result != OW_OK)
        goto out;
    const struct model_traits traits = {
        .io = io,
        .input_width = model->info.input_width,
        .input_height = model->info.input_height,
        .task = task,
        .end_to_end = end_to_end != NULL && strcasecmp(end_to_end, "true") == 0,
        .names = model->info.labels->count,
    };
    model->family = model_family_find(&traits, &model->layout);
    result = model->family != NULL ? complete_names(model) : not_understood(model, task, why);
out:
    free(task);
    free(end_to_end);
    return result;
}

static int allocate_input(struct model *model)
{
    size_t bytes = (size_t)model->info.input_width * (size_t)model->info.input_height * 3 *
                   sizeof *model->input;
    bytes = (bytes + INPUT_ALIGNMENT - 1) / INPUT_ALIGNMENT * INPUT_ALIGNMENT;
    model->input = aligned_alloc(INPUT_ALIGNMENT, bytes);
    if (model->input == NULL)
        return OW_ENOMEM;
    return letterbox_create(&model->letterbox, model->info.input_width, model->info.input_height);
}

int model_open(struct model **out, const char *path, int threads, struct reason *why)
{
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return reason_set(why, OW_ENOMEM, "out of memory");
    int result = OW_ENOMEM;
    model->path = strdup(path);
    if (model->path != NULL)
        result = ort_session_open(&model->session, path, thread_count(threads), why);
    if (result == OW_OK)
        result = recognise(model, why);
    if (result == OW_OK)
        result = allocate_input(model);
    if (result != OW_OK) {
        if (result == OW_ENOMEM)
            reason_set(why, result, "out of memory");
        model_close(&model);
        return result;
    }
    model->info.path = model->path;
    model->info.family = model->family->name;
    model->info.task = "detect";
    model->info.provider = "CPU";
    *out = model;
    return OW_OK;
}

const struct model_info *model_info(const struct model *model)
{
    return &model->info;
}

/* From tensor pixels to the frame's, leaving out what lies wholly in the border. */
static void map_to_source(struct candidate_list *list, const struct letterbox_geometry *geometry)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct detection box = list->items[i];
        letterbox_to_source(geometry, &box.x1, &box.y1);
        letterbox_to_source(geometry, &box.x2, &box.y2);
        if (box.x2 > 0.0F && box.y2 > 0.0F && box.x1 < (float)geometry->source_width &&
            box.y1 < (float)geometry->source_height)
            list->items[kept++] = box;
    }
    list->count = kept;
}

static int make_detections(const struct model *model, const struct frame *frame,
                           struct detections **out)
{
    const struct candidate_list *list = &model->candidates;
    struct detections *made = NULL;
    int result = detections_create(&made, (int)list->count, model->info.labels);
    if (result != OW_OK)
        return result;
    made->source_width = frame->width;
    made->source_height = frame->height;
    made->frame_sequence = frame->sequence;
    made->capture_us = frame->capture_us;
    if (list->count > 0)
        memcpy(made->items, list->items, list->count * sizeof *list->items);
    *out = made;
    return OW_OK;
}

static int postprocess(struct model *model, const struct frame *frame,
                       const struct letterbox_geometry *geometry, const struct tensor_view *view,
                       const struct model_thresholds *thresholds, struct detections **out,
                       struct reason *why)
{
    struct candidate_list *list = &model->candidates;
    candidate_list_clear(list);
    int result = model->family->decode(&model->layout, view, thresholds, list);
    if (result == OW_EPARSE)
        return reason_set(why, result,
                          "the model's output has another shape than the file announced");
    if (result == OW_OK) {
        map_to_source(list, geometry);
        if (model->layout.suppressed)
            nms_sort(list, thresholds);
        else
            nms_apply(list, thresholds);
        result = make_detections(model, frame, out);
    }
    return result == OW_OK ? OW_OK : reason_set(why, result, "out of memory");
}

int model_run(struct model *model, const struct frame *frame,
              const struct model_thresholds *thresholds, struct detections **out,
              struct model_timing *timing, struct reason *why)
{
    struct letterbox_geometry geometry;
    struct tensor_view outputs[SESSION_MAX_TENSORS];
    int64_t start = clock_now_us();
    int result = letterbox_apply(model->letterbox, frame, model->input, &geometry);
    if (result != OW_OK)
        return reason_set(why, result, "a frame of %dx%d cannot be prepared for the model",
                          frame->width, frame->height);
    int64_t prepared = clock_now_us();
    result = ort_session_run(model->session, model->input, model->info.input_height,
                             model->info.input_width, outputs, why);
    if (result != OW_OK)
        return result;
    int64_t inferred = clock_now_us();
    result =
        postprocess(model, frame, &geometry, &outputs[model->layout.output], thresholds, out, why);
    if (result == OW_OK && timing != NULL)
        *timing = (struct model_timing){
            .preprocess_us = prepared - start,
            .inference_us = inferred - prepared,
            .postprocess_us = clock_now_us() - inferred,
        };
    return result;
}

void model_close(struct model **model)
{
    struct model *self = *model;
    if (self == NULL)
        return;
    *model = NULL;
    ort_session_close(&self->session);
    letterbox_destroy(&self->letterbox);
    candidate_list_free(&self->candidates);
    label_set_unref(&self->info.labels);
    free(self->input);
    free(self->path);
    free(self);
}
