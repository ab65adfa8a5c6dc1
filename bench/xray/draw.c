/* How long drawing takes, by mode: draw [WIDTH HEIGHT OBJECTS]. Prints one line a mode, in
 * microseconds; the copy that a view draws on is not in it. */
#include "core/clock.h"
#include "xray/xray.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 1000, FRAME_US = 33333 };

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Persons of street footage, in rows that overlap a little, each walking. */
static void place(struct detections *all, int round)
{
    int width = all->source_width, height = all->source_height;
    for (int i = 0; i < all->count; i++) {
        float tall = (float)height / 3, wide = tall * 0.4f;
        float x = (float)((i * 211 + round * (1 + i % 3)) % width);
        float y = (float)(i * 83 % (height - height / 3));
        all->items[i] = (struct detection){.class_id = i % 5,
                                           .confidence = 0.95f - 0.02f * (float)(i % 30),
                                           .x1 = x - wide / 2,
                                           .y1 = y,
                                           .x2 = x + wide / 2,
                                           .y2 = y + tall,
                                           .track_id = (uint32_t)i + 1};
    }
}

static void measure(struct xray *xray, struct frame *frame, struct detections *all,
                    const struct xray_style *style, const char *name)
{
    static int64_t took_us[ROUNDS];
    for (int round = -20; round < ROUNDS; round++) { /* the first fill the glyph cache */
        place(all, round + 20);
        frame->capture_us += FRAME_US;
        int64_t start_us = clock_now_us();
        xray_draw(xray, frame, all, style);
        if (round >= 0)
            took_us[round] = clock_now_us() - start_us;
    }
    qsort(took_us, ROUNDS, sizeof took_us[0], compare);
    printf("%-16s p50 %5lld us   p95 %5lld us\n", name, (long long)took_us[ROUNDS / 2],
           (long long)took_us[ROUNDS * 95 / 100]);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"person", "bicycle", "car", "bus", "dog"};
    int width = argc > 3 ? atoi(argv[1]) : 960, height = argc > 3 ? atoi(argv[2]) : 540;
    int objects = argc > 3 ? atoi(argv[3]) : 20;
    struct xray *xray = NULL;
    struct frame *frame = NULL;
    struct detections *all = NULL;
    struct label_set *labels = NULL;
    struct reason why = {""};
    struct xray_style style;
    if (xray_create(&xray, NULL, &why) < 0 || frame_create(&frame, width, height) < 0 ||
        label_set_create(&labels, names, 5) < 0 || detections_create(&all, objects, labels) < 0) {
        fprintf(stderr, "draw: %s\n", why.text[0] ? why.text : "out of memory, or a bad size");
        return 1;
    }
    memset(frame->plane[0], 100, (size_t)frame->stride[0] * (size_t)height);
    for (int i = 1; i < FRAME_PLANES; i++)
        memset(frame->plane[i], 128, (size_t)frame->stride[i] * (size_t)chroma_size(height));
    all->source_width = width;
    all->source_height = height;
    xray_style_default(&style);
    printf("%dx%d, %d objects\n", width, height, objects);
    for (int mode = 0; xray_mode_names[mode]; mode++) {
        style.mode = (enum xray_mode)mode;
        measure(xray, frame, all, &style, xray_mode_names[mode]);
    }
    style.mode = XRAY_BOXES;
    style.scheme = XRAY_SCHEME_NEON;
    measure(xray, frame, all, &style, "boxes, neon");
    detections_unref(&all);
    label_set_unref(&labels);
    frame_unref(&frame);
    xray_destroy(&xray);
    return 0;
}
