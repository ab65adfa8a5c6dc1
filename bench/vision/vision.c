/* What a model costs: vision FOOTAGE.y4m MODEL.onnx… Prints a row for each model and one and two
 * threads: medians in milliseconds of letterbox, model, decoding with suppression, and drawing; how
 * much the first and the third are of the second; what the whole of letterbox, model, decoding,
 * suppression and tracker does in frames a second against the bare session; and how many objects
 * were seen. See docs/measuring.md. */
#include "bare.h"
#include "core/clock.h"
#include "core/log.h"
#include "footage.h"
#include "vision/tracker.h"
#include "xray/xray.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 3, ROUNDS = 20, FRAMES_A_ROUND = 6, FRAMES = ROUNDS * FRAMES_A_ROUND, STEP = 6 };

/* What frames go through. */
struct line {
    const struct footage *footage;
    struct model *model;
    struct tracker *tracker;
    struct xray *xray;
    struct xray_style style;
};

struct row {
    double preprocess_ms[FRAMES], inference_ms[FRAMES], postprocess_ms[FRAMES], draw_ms[FRAMES];
    double whole_ms[ROUNDS], bare_ms[ROUNDS], ratio[ROUNDS]; /* of all frames of a round */
    int objects;
};

static double ms(int64_t us)
{
    return (double)us / 1e3;
}

/* A copy of the footage's pixels, just written as those of a decoder are; also to be drawn on. */
static int copy_frame(struct frame **out, const struct footage *footage, uint64_t at)
{
    struct frame frame = {.width = footage->width,
                          .height = footage->height,
                          .sequence = at,
                          .capture_us = clock_now_us()};
    footage_planes(footage, footage_at(footage, at), frame.plane, frame.stride);
    return frame_copy(out, &frame);
}

/* One frame; `index` below 0 warms up and is not counted. */
static int run_whole(struct line *line, int index, struct row *row, struct reason *why)
{
    static const float confidence = 0.4F;
    const struct model_thresholds thresholds = {.confidence = tracker_lowest_confidence(confidence),
                                                .shape_confidence = confidence,
                                                .iou = 0.45F,
                                                .max_detections = 300};
    struct frame *frame = NULL;
    struct detections *found = NULL, *tracked = NULL;
    struct model_timing timing;
    int rc = copy_frame(&frame, line->footage, (uint64_t)(index < 0 ? -index : index) * STEP);
    int64_t start_us = clock_now_us();
    if (rc == OW_OK)
        rc = model_run(line->model, frame, &thresholds, &found, &timing, why);
    if (rc == OW_OK)
        rc = tracker_update(line->tracker, found, confidence, &tracked);
    int64_t seen_us = clock_now_us();
    if (rc == OW_OK)
        xray_draw(line->xray, frame, tracked, &line->style);
    if (rc == OW_OK && index >= 0) {
        row->whole_ms[index / FRAMES_A_ROUND] += ms(seen_us - start_us);
        row->preprocess_ms[index] = ms(timing.preprocess_us);
        row->inference_ms[index] = ms(timing.inference_us);
        row->postprocess_ms[index] = ms(timing.postprocess_us);
        row->draw_ms[index] = ms(clock_now_us() - seen_us);
        row->objects += tracked->count;
    }
    detections_unref(&found);
    detections_unref(&tracked);
    frame_unref(&frame);
    return rc;
}

/* Both by short turns, so that a busy moment of the machine hits both; a long one, which hits one
 * round, does not count in the median of the rounds. */
static int measure(struct line *line, struct bare *bare, struct row *row, struct reason *why)
{
    int rc = OW_OK;
    for (int i = -WARM_UP; i < FRAMES && rc == OW_OK; i++) {
        rc = run_whole(line, i, row, why);
        if (rc != OW_OK || i < 0 || (i + 1) % FRAMES_A_ROUND != 0)
            continue;
        int round = i / FRAMES_A_ROUND;
        int64_t bare_us = 0;
        rc = bare_run(bare, FRAMES_A_ROUND, &bare_us, why);
        row->bare_ms[round] = ms(bare_us);
        row->ratio[round] = row->bare_ms[round] / row->whole_ms[round];
    }
    return rc;
}

static void print_row(const struct model_info *info, int threads, struct row *row)
{
    const char *slash = strrchr(info->path, '/');
    double model_ms = median_of(row->inference_ms, FRAMES);
    double before_ms = median_of(row->preprocess_ms, FRAMES);
    double after_ms = median_of(row->postprocess_ms, FRAMES);
    double draw_ms = median_of(row->draw_ms, FRAMES);
    double whole_fps = 1e3 * FRAMES_A_ROUND / median_of(row->whole_ms, ROUNDS);
    double bare_fps = 1e3 * FRAMES_A_ROUND / median_of(row->bare_ms, ROUNDS);
    printf("%-24.24s %-12s %4dx%-4d %7d %8.2f %6.2f %6.2f %6.1f %6.2f %8.1f %8.1f %6.3f %8.2f\n",
           slash != NULL ? slash + 1 : info->path, info->family, info->input_width,
           info->input_height, threads, model_ms, before_ms, after_ms,
           100 * (before_ms + after_ms) / model_ms, draw_ms, whole_fps, bare_fps,
           median_of(row->ratio, ROUNDS), (double)row->objects / FRAMES);
    fflush(stdout);
}

static enum xray_mode mode_of(const char *task)
{
    return strcmp(task, "segment") == 0 ? XRAY_MASKS
           : strcmp(task, "pose") == 0  ? XRAY_POSE_SKELETON
                                        : XRAY_BOXES;
}

static int bench(const char *path, int threads, const struct footage *footage, struct reason *why)
{
    const struct model_options options = {.threads = threads};
    struct line line = {.footage = footage};
    struct bare bare = {0};
    struct row *row = calloc(1, sizeof *row);
    xray_style_default(&line.style);
    int rc = row != NULL ? model_open(&line.model, path, &options, why) : OW_ENOMEM;
    if (rc == OW_OK)
        rc = bare_open(&bare, model_info(line.model), threads, why);
    if (rc == OW_OK)
        rc = tracker_create(&line.tracker);
    if (rc == OW_OK)
        rc = xray_create(&line.xray, NULL, why);
    if (rc == OW_OK) {
        line.style.mode = mode_of(model_info(line.model)->task);
        rc = measure(&line, &bare, row, why);
    }
    if (rc == OW_OK)
        print_row(model_info(line.model), threads, row);
    xray_destroy(&line.xray);
    tracker_destroy(&line.tracker);
    bare_close(&bare);
    model_close(&line.model);
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
    if (log_open(NULL, LOG_WARN, false) != OW_OK ||
        footage_open(&footage, argv[1], &why) != OW_OK) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    printf("%d frames of %dx%d, confidence 0.4\n", FRAMES, footage.width, footage.height);
    printf("%-24s %-12s %-9s %7s %8s %6s %6s %6s %6s %8s %8s %6s %8s\n", "model", "family", "input",
           "threads", "model ms", "pre", "post", "% more", "draw", "fps", "bare fps", "ratio",
           "objects");
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
