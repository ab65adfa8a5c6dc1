/* What a model costs: vision FOOTAGE.y4m MODEL.onnx… Prints a row for each model and one and two
 * threads, in milliseconds (medians), then what the whole of letterbox, model, decoding,
 * suppression and tracker does in frames a second against the bare session on the same memory; and
 * how many objects were seen. See docs/measuring.md. */
#include "core/clock.h"
#include "footage.h"
#include "vision/model.h"
#include "vision/session.h"
#include "vision/tracker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 3, ROUNDS = 5, FRAMES_A_ROUND = 20, FRAMES = ROUNDS * FRAMES_A_ROUND, STEP = 7 };

struct row {
    int64_t preprocess_us[FRAMES], inference_us[FRAMES], postprocess_us[FRAMES];
    int64_t whole_us, bare_us; /* of all frames */
    int objects;
};

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double median_ms(int64_t *values)
{
    qsort(values, FRAMES, sizeof *values, compare);
    const int64_t middle_us = values[FRAMES / 2];
    return (double)middle_us / 1e3;
}

static int run_whole(struct model *model, struct tracker *tracker, const struct footage *footage,
                     int index, struct row *row, struct reason *why)
{
    static const float confidence = 0.4F;
    const struct model_thresholds thresholds = {.confidence = tracker_lowest_confidence(confidence),
                                                .shape_confidence = confidence,
                                                .iou = 0.45F,
                                                .max_detections = 300};
    uint64_t at = (uint64_t)(index < 0 ? -index : index) * STEP;
    struct frame frame = {.width = footage->width,
                          .height = footage->height,
                          .sequence = at,
                          .capture_us = clock_now_us()};
    struct detections *found = NULL;
    struct detections *tracked = NULL;
    struct model_timing timing;
    footage_planes(footage, footage_at(footage, at), frame.plane, frame.stride);
    int64_t start_us = clock_now_us();
    int rc = model_run(model, &frame, &thresholds, &found, &timing, why);
    if (rc != OW_OK)
        return rc;
    rc = tracker_update(tracker, found, confidence, &tracked);
    if (rc == OW_OK && index >= 0) {
        row->whole_us += clock_now_us() - start_us;
        row->preprocess_us[index] = timing.preprocess_us;
        row->inference_us[index] = timing.inference_us;
        row->postprocess_us[index] = timing.postprocess_us;
        row->objects += tracked->count;
    }
    detections_unref(&found);
    detections_unref(&tracked);
    return rc;
}

/* The session alone, on values that do not change. */
static int run_bare(struct ort_session *session, void *values, const int64_t dims[4], int frames,
                    int64_t *took_us, struct reason *why)
{
    struct tensor_view outputs[SESSION_MAX_TENSORS];
    const struct tensor_info *input = &ort_session_info(session)->inputs[0];
    bool last = input->dims[1] != 3 && input->dims[3] == 3;
    int64_t start_us = clock_now_us();
    for (int i = 0; i < frames; i++) {
        int rc = ort_session_run(session, values, dims, dims[last ? 1 : 2], dims[last ? 2 : 3],
                                 outputs, why);
        if (rc != OW_OK)
            return rc;
    }
    *took_us += clock_now_us() - start_us;
    return OW_OK;
}

/* Both by turns, so that a busy moment of the machine hits both. */
static int measure(struct model *model, struct ort_session *session, const struct footage *footage,
                   struct row *row, struct reason *why)
{
    const struct tensor_info *input = &ort_session_info(session)->inputs[0];
    const struct model_info *info = model_info(model);
    bool last = input->dims[1] != 3 && input->dims[3] == 3;
    const int64_t dims[4] = {1, last ? info->input_height : 3,
                             last ? info->input_width : info->input_height,
                             last ? 3 : info->input_width};
    size_t bytes =
        (size_t)dims[1] * (size_t)dims[2] * (size_t)dims[3] * tensor_type_bytes(input->type);
    void *values = calloc(1, bytes);
    struct tracker *tracker = NULL;
    int64_t warm_us = 0;
    int rc = values != NULL ? tracker_create(&tracker) : OW_ENOMEM;
    if (rc == OW_OK)
        rc = run_bare(session, values, dims, WARM_UP, &warm_us, why);
    for (int i = -WARM_UP; i < 0 && rc == OW_OK; i++)
        rc = run_whole(model, tracker, footage, i, row, why);
    for (int i = 0; i < FRAMES && rc == OW_OK; i++) {
        rc = run_whole(model, tracker, footage, i, row, why);
        if (rc == OW_OK && (i + 1) % FRAMES_A_ROUND == 0)
            rc = run_bare(session, values, dims, FRAMES_A_ROUND, &row->bare_us, why);
    }
    tracker_destroy(&tracker);
    free(values);
    return rc;
}

static void print_row(const struct model_info *info, int threads, struct row *row)
{
    const char *slash = strrchr(info->path, '/');
    double model_ms = median_ms(row->inference_us);
    double before_ms = median_ms(row->preprocess_us);
    double after_ms = median_ms(row->postprocess_us);
    double whole_fps = 1e6 * FRAMES / (double)row->whole_us;
    double bare_fps = 1e6 * FRAMES / (double)row->bare_us;
    printf("%-24.24s %-12s %4dx%-4d %7d %8.2f %6.2f %6.2f %6.1f %8.1f %8.1f %6.3f %8.2f\n",
           slash != NULL ? slash + 1 : info->path, info->family, info->input_width,
           info->input_height, threads, model_ms, before_ms, after_ms,
           100 * (before_ms + after_ms) / model_ms, whole_fps, bare_fps, whole_fps / bare_fps,
           (double)row->objects / FRAMES);
}

static int bench(const char *path, int threads, const struct footage *footage, struct reason *why)
{
    const struct model_options options = {.threads = threads};
    struct model *model = NULL;
    struct ort_session *session = NULL;
    struct row *row = calloc(1, sizeof *row);
    int rc = row != NULL ? model_open(&model, path, &options, why) : OW_ENOMEM;
    if (rc == OW_OK)
        rc = ort_session_open(&session, path, threads, NULL, why);
    if (rc == OW_OK)
        rc = measure(model, session, footage, row, why);
    if (rc == OW_OK)
        print_row(model_info(model), threads, row);
    ort_session_close(&session);
    model_close(&model);
    free(row);
    return rc;
}

int main(int argc, char **argv)
{
    struct footage footage;
    struct reason why = {""};
    if (argc < 3) {
        fprintf(stderr, "usage: %s FOOTAGE.y4m MODEL.onnx…\n", argv[0]);
        return 2;
    }
    if (footage_open(&footage, argv[1], &why) != OW_OK) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    printf("%d frames of %dx%d, confidence 0.4\n", FRAMES, footage.width, footage.height);
    printf("%-24s %-12s %-9s %7s %8s %6s %6s %6s %8s %8s %6s %8s\n", "model", "family", "input",
           "threads", "model ms", "pre", "post", "% more", "fps", "bare fps", "ratio", "objects");
    int failed = 0;
    for (int i = 2; i < argc; i++)
        for (int threads = 1; threads <= 2; threads++)
            if (bench(argv[i], threads, &footage, &why) != OW_OK) {
                fprintf(stderr, "%s: %s\n", argv[i], why.text);
                failed = 1;
                break;
            }
    footage_close(&footage);
    return failed;
}
