#include "vision/model.h"

#include "core/clock.h"
#include "vision/letterbox.h"
#include "vision/model_recognise.h"
#include "vision/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    THREADS_MAX = 4,
    MASK_CELLS_MAX = 1 << 20, /* of all masks of a frame; the surest objects come first */
};

struct model {
    struct model_info info;
    char *path;
    struct ort_session *session;
    struct letterbox *letterboxes[SESSION_MAX_PICTURES]; /* one for each of the input's pictures */
    struct model_nature nature;
    struct candidate_list candidates; /* memory kept from run to run */
};

static int thread_count(int wanted)
{
    if (wanted > 0)
        return wanted;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (int)cores;
}

static int read_sidecar(struct model_sidecar *out, const char *path, const char *decoder,
                        struct reason *why)
{
    int result = model_sidecar_load(out, path, why);
    if (result != OW_OK || decoder == NULL || decoder[0] == '\0')
        return result;
    if (model_family_exists(decoder)) {
        snprintf(out->decoder, sizeof out->decoder, "%s", decoder);
        return OW_OK;
    }
    model_sidecar_clear(out);
    return reason_set(why, OW_EINVAL, "there is no decoder \"%.40s\"", decoder);
}

/* Memory for so many pictures. A letterbox keeps to one place in it, where it has drawn a border.
 */
static int make_room(struct model *model, int count)
{
    struct model_input *input = &model->nature.input;
    int result = OW_OK;
    if (count > input->room)
        for (int i = 0; i < SESSION_MAX_PICTURES; i++)
            letterbox_destroy(&model->letterboxes[i]);
    result = model_input_reserve(input, count);
    for (int i = 0; i < count && result == OW_OK; i++)
        if (model->letterboxes[i] == NULL)
            result = letterbox_create(&model->letterboxes[i], &model->nature.format, input->width,
                                      input->height);
    return result;
}

static int open_parts(struct model *model, const struct model_options *options, struct reason *why)
{
    struct model_sidecar sidecar = {0};
    int result = read_sidecar(&sidecar, model->path, options->decoder, why);
    if (result == OW_OK)
        result = ort_session_open(&model->session, model->path, thread_count(options->threads),
                                  options->providers, why);
    if (result == OW_OK)
        result = model_recognise(&model->nature, model->session, &sidecar, model->path, why);
    if (result == OW_OK)
        result = make_room(model, 1);
    if (result == OW_OK)
        model->info = (struct model_info){
            .path = model->path,
            .family = model->nature.family->name,
            .task = model->nature.family->task,
            .provider = ort_session_provider(model->session),
            .input_width = model->nature.input.width,
            .input_height = model->nature.input.height,
            .batch_least =
                model->nature.input.batch_fixed > 0 ? model->nature.input.batch_fixed : 1,
            .batch_most = model_input_batch_most(&model->nature.input),
            .confidence = sidecar.confidence,
            .iou = sidecar.iou,
            .labels = model->nature.labels,
        };
    model_sidecar_clear(&sidecar);
    return result;
}

int model_open(struct model **out, const char *path, const struct model_options *options,
               struct reason *why)
{
    static const struct model_options defaults = {0};
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return reason_set(why, OW_ENOMEM, "out of memory");
    int result = OW_ENOMEM;
    model->path = strdup(path);
    if (model->path != NULL)
        result = open_parts(model, options != NULL ? options : &defaults, why);
    if (result != OW_OK) {
        if (result == OW_ENOMEM)
            reason_set(why, result, "out of memory");
        model_close(&model);
        return result;
    }
    *out = model;
    return OW_OK;
}

int model_check_providers(const char *list, struct reason *why)
{
    const struct provider *providers[PROVIDERS_MAX + 1];
    return provider_list(providers, list, why);
}

const struct model_info *model_info(const struct model *model)
{
    return &model->info;
}

/* Leaves out what lies wholly in the border. */
static void drop_outside(struct candidate_list *list, const struct letterbox_geometry *geometry)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct detection box = list->items[i];
        letterbox_to_source(geometry, &box.x1, &box.y1);
        letterbox_to_source(geometry, &box.x2, &box.y2);
        if (box.x2 > 0.0F && box.y2 > 0.0F && box.x1 < (float)geometry->source_width &&
            box.y1 < (float)geometry->source_height)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

/* Masks and key points, and the way from tensor pixels to the frame's. */
static int finish_items(const struct model *model, const struct letterbox_geometry *geometry,
                        const struct tensor_view *outputs,
                        const struct model_thresholds *thresholds, struct detections *made)
{
    const struct model_nature *nature = &model->nature;
    size_t cells_left = MASK_CELLS_MAX;
    int result = OW_OK;
    for (int i = 0; i < made->count && result == OW_OK; i++) {
        struct detection *item = &made->items[i];
        if (nature->family->shape != NULL && item->confidence >= thresholds->shape_confidence)
            result =
                nature->family->shape(&nature->layout, outputs, item, &cells_left, &item->shape);
        item->track_id = 0;
        letterbox_to_source(geometry, &item->x1, &item->y1);
        letterbox_to_source(geometry, &item->x2, &item->y2);
    }
    return result;
}

static int make_detections(const struct model *model, const struct frame *frame,
                           const struct letterbox_geometry *geometry,
                           const struct tensor_view *outputs,
                           const struct model_thresholds *thresholds, struct detections **out)
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
    result = finish_items(model, geometry, outputs, thresholds, made);
    if (result != OW_OK)
        detections_unref(&made);
    else
        *out = made;
    return result;
}

static int postprocess(struct model *model, const struct frame *frame,
                       const struct letterbox_geometry *geometry, const struct tensor_view *outputs,
                       const struct model_thresholds *thresholds, struct detections **out,
                       struct reason *why)
{
    struct candidate_list *list = &model->candidates;
    candidate_list_clear(list);
    int result = model->nature.family->decode(&model->nature.layout, outputs, thresholds, list);
    if (result == OW_EPARSE)
        return reason_set(why, result,
                          "the model's output has another shape than the file announced");
    if (result == OW_OK) {
        drop_outside(list, geometry);
        if (model->nature.layout.suppressed)
            nms_sort(list, thresholds);
        else
            nms_apply(list, thresholds);
        result = make_detections(model, frame, geometry, outputs, thresholds, out);
    }
    return result == OW_OK ? OW_OK : reason_set(why, result, "out of memory");
}

static int preprocess(struct model *model, struct model_job *job, int index,
                      struct letterbox_geometry *geometry, struct reason *why)
{
    int64_t start = clock_now_us();
    int result = letterbox_apply(model->letterboxes[index], job->frame,
                                 model_input_planes(&model->nature.input, index), geometry);
    job->timing.preprocess_us = clock_now_us() - start;
    return result == OW_OK
               ? OW_OK
               : reason_set(why, result, "a frame of %dx%d cannot be prepared for the model",
                            job->frame->width, job->frame->height);
}

/* What the session gave for one of its `pictures`. */
static int read_result(struct model *model, struct model_job *job, int index, int pictures,
                       const struct letterbox_geometry *geometry, const struct tensor_view *outputs,
                       struct reason *why)
{
    struct tensor_view own[SESSION_MAX_TENSORS] = {0};
    int64_t start = clock_now_us();
    for (int i = 0; i < ort_session_info(model->session)->output_count; i++)
        if (!tensor_view_of_picture(&outputs[i], pictures, index, &own[i]))
            return reason_set(why, OW_EUNSUPPORTED,
                              "the model gives no result for each of %d pictures", pictures);
    int result = postprocess(model, job->frame, geometry, own, job->thresholds, &job->found, why);
    job->timing.postprocess_us = clock_now_us() - start;
    return result;
}

int model_run_batch(struct model *model, struct model_job *jobs, int count, struct reason *why)
{
    struct letterbox_geometry geometry[SESSION_MAX_PICTURES];
    struct tensor_view outputs[SESSION_MAX_TENSORS];
    int pictures = count;
    int result = make_room(model, count);
    if (result != OW_OK)
        return reason_set(why, result, "out of memory");
    for (int i = 0; i < count && result == OW_OK; i++)
        result = preprocess(model, &jobs[i], i, &geometry[i], why);
    int64_t start = clock_now_us();
    if (result == OW_OK)
        result =
            model_input_run(&model->nature.input, model->session, count, outputs, &pictures, why);
    int64_t inference_us = clock_now_us() - start;
    for (int i = 0; i < count && result == OW_OK; i++) {
        jobs[i].timing.inference_us = inference_us;
        result = read_result(model, &jobs[i], i, pictures, &geometry[i], outputs, why);
    }
    for (int i = 0; i < count && result != OW_OK; i++)
        detections_unref(&jobs[i].found);
    return result;
}

int model_run(struct model *model, const struct frame *frame,
              const struct model_thresholds *thresholds, struct detections **out,
              struct model_timing *timing, struct reason *why)
{
    struct model_job job = {.frame = frame, .thresholds = thresholds};
    int result = model_run_batch(model, &job, 1, why);
    if (result != OW_OK)
        return result;
    *out = job.found;
    if (timing != NULL)
        *timing = job.timing;
    return OW_OK;
}

void model_close(struct model **model)
{
    struct model *self = *model;
    if (self == NULL)
        return;
    *model = NULL;
    ort_session_close(&self->session);
    for (int i = 0; i < SESSION_MAX_PICTURES; i++)
        letterbox_destroy(&self->letterboxes[i]);
    candidate_list_free(&self->candidates);
    model_nature_clear(&self->nature);
    free(self->path);
    free(self);
}
