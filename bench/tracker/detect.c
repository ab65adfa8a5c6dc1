/* What a model sees in footage, for bench/tracker: tracker_detect MODEL Y4M FRAMES > detections.csv
 *
 * One line a detection: frame, class, score in thousandths, left, top, width, height in pixels.
 * Persons, cars, buses and trucks. The settings are those of the demo, but for the score:
 * everything is kept that a tracker may want. The time that reading the output takes with and
 * without the low scores goes to stderr. */
#include "core/frame.h"
#include "footage.h"
#include "vision/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int classes[] = {0, 2, 5, 7};
static const struct model_thresholds all = {.confidence = 0.1F,
                                            .classes = classes,
                                            .class_count = 4,
                                            .iou = 0.5F,
                                            .max_detections = 300,
                                            .agnostic = true};
static const struct model_thresholds high = {.confidence = 0.4F,
                                             .classes = classes,
                                             .class_count = 4,
                                             .iou = 0.5F,
                                             .max_detections = 300,
                                             .agnostic = true};

static void fill(struct frame *frame, const struct footage *footage, uint64_t index)
{
    uint8_t *plane[FRAME_PLANES];
    int stride[FRAME_PLANES];
    footage_planes(footage, footage_at(footage, index), plane, stride);
    for (int k = 0; k < FRAME_PLANES; k++) {
        int rows = k == 0 ? frame->height : chroma_size(frame->height);
        for (int y = 0; y < rows; y++)
            memcpy(frame->plane[k] + (ptrdiff_t)y * frame->stride[k],
                   plane[k] + (ptrdiff_t)y * stride[k], (size_t)stride[k]);
    }
    frame->sequence = index;
}

static int64_t detect(struct model *model, const struct frame *frame,
                      const struct model_thresholds *thresholds, struct detections **found)
{
    struct model_timing timing = {0};
    struct reason why = {""};
    if (model_run(model, frame, thresholds, found, &timing, &why) < 0) {
        fprintf(stderr, "tracker_detect: %s\n", why.text);
        exit(1);
    }
    return timing.postprocess_us;
}

static void print(const struct detections *found, int index)
{
    for (int i = 0; i < found->count; i++) {
        const struct detection *box = &found->items[i];
        printf("%d,%d,%.0f,%.1f,%.1f,%.1f,%.1f\n", index, box->class_id,
               (double)(box->confidence * 1000), (double)box->x1, (double)box->y1,
               (double)(box->x2 - box->x1), (double)(box->y2 - box->y1));
    }
}

int main(int argc, char **argv)
{
    struct footage footage;
    struct model *model = NULL;
    struct frame *frame = NULL;
    struct reason why = {""};
    if (argc != 4 || footage_open(&footage, argv[2], &why) < 0 ||
        model_open(&model, argv[1], 0, &why) < 0 ||
        frame_create(&frame, footage.width, footage.height) < 0) {
        fprintf(stderr, "tracker_detect MODEL Y4M FRAMES: %s\n", why.text);
        return 1;
    }
    int frames = atoi(argv[3]);
    int64_t all_us = 0, high_us = 0;
    puts("frame,class,score,left,top,width,height");
    for (int i = 0; i < frames; i++) {
        struct detections *found = NULL;
        fill(frame, &footage, (uint64_t)i);
        high_us += detect(model, frame, &high, &found);
        detections_unref(&found);
        all_us += detect(model, frame, &all, &found);
        print(found, i);
        detections_unref(&found);
    }
    fprintf(stderr, "reading the output: %lld us a frame from 0.1, %lld us from 0.4\n",
            (long long)(all_us / frames), (long long)(high_us / frames));
    frame_unref(&frame);
    model_close(&model);
    footage_close(&footage);
    return 0;
}
