/* How long drawing takes, by mode: draw [WIDTH HEIGHT OBJECTS [MODE]]. Prints one line a mode, in
 * microseconds; the copy that a view draws on is not in it. The objects have masks and key points,
 * in the modes of masks and poses. */
#include "core/clock.h"
#include "person.h"
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

/* Persons of street footage, in rows that overlap a little, each walking. The shape may be NULL. */
static void place(struct detections *all, struct object_shape *shape, int objects, int round)
{
    detections_clear(all);
    int width = all->source_width, height = all->source_height;
    for (int i = 0; i < objects; i++) {
        float tall = (float)height / 3, wide = tall * 0.4f;
        float x = (float)((i * 211 + round * (1 + i % 3)) % width);
        float y = (float)(i * 83 % (height - height / 3));
        const struct detection item = {.class_id = i % 5,
                                       .confidence = 0.95f - 0.02f * (float)(i % 30),
                                       .x1 = x - wide / 2,
                                       .y1 = y,
                                       .x2 = x + wide / 2,
                                       .y2 = y + tall,
                                       .track_id = (uint32_t)i + 1,
                                       .shape = shape};
        detections_append(all, &item);
    }
}

/* What all modes are measured with. */
struct bench {
    struct xray *xray;
    struct frame *frame;
    struct detections *all;
    struct object_shape *shape;
    int objects;
};

static void measure(const struct bench *b, bool shapes, const struct xray_style *style,
                    const char *name)
{
    static int64_t took_us[ROUNDS];
    for (int round = -20; round < ROUNDS; round++) { /* the first fill the glyph cache */
        place(b->all, shapes ? b->shape : NULL, b->objects, round + 20);
        b->frame->capture_us += FRAME_US;
        int64_t start_us = clock_now_us();
        xray_draw(b->xray, b->frame, b->all, style);
        if (round >= 0)
            took_us[round] = clock_now_us() - start_us;
    }
    qsort(took_us, ROUNDS, sizeof took_us[0], compare);
    printf("%-16s least %5lld us   p50 %5lld us   p95 %5lld us\n", name, (long long)took_us[0],
           (long long)took_us[ROUNDS / 2], (long long)took_us[ROUNDS * 95 / 100]);
}

/* What costs more than the plain boxes. */
static void measure_schemes(const struct bench *b, struct xray_style *style)
{
    style->mode = XRAY_BOXES;
    style->scheme = XRAY_SCHEME_NEON;
    measure(b, false, style, "boxes, neon");
    style->scheme = XRAY_SCHEME_DEFAULT;
    style->show_trails = true;
    measure(b, false, style, "boxes, trails");
    style->show_trails = false;
    style->show_legend = true;
    measure(b, false, style, "boxes, legend");
    style->show_legend = false;
    /* One as large as half the picture, a small one, and a line. */
    static const struct zone_states zones = {
        .count = 3,
        .items = {{.name = "Yard",
                   .count = 4,
                   .points = {{.1f, .3f}, {.6f, .2f}, {.9f, .9f}, {.2f, .95f}}},
                  {.name = "Door",
                   .count = 4,
                   .points = {{.7f, .1f}, {.9f, .1f}, {.9f, .3f}, {.7f, .3f}}},
                  {.name = "Gate", .line = true, .count = 2, .points = {{.1f, .6f}, {.4f, .7f}}}}};
    xray_set_zones(b->xray, &zones);
    measure(b, false, style, "boxes, 3 zones");
    style->mode = XRAY_BOXES_HEATMAP;
    style->show_trails = style->show_legend = true;
    measure(b, false, style, "+heatmap, all");
    xray_set_zones(b->xray, NULL);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"person", "bicycle", "car", "bus", "dog"};
    int width = argc > 3 ? atoi(argv[1]) : 960, height = argc > 3 ? atoi(argv[2]) : 540;
    int objects = argc > 3 ? atoi(argv[3]) : 20;
    struct bench b = {.shape = person_create(true, true), .objects = objects};
    struct label_set *labels = NULL;
    struct reason why = {""};
    struct xray_style style;
    if (!b.shape || xray_create(&b.xray, NULL, &why) < 0 ||
        frame_create(&b.frame, width, height) < 0 || label_set_create(&labels, names, 5) < 0 ||
        detections_create(&b.all, objects, labels) < 0) {
        fprintf(stderr, "draw: %s\n", why.text[0] ? why.text : "out of memory, or a bad size");
        return 1;
    }
    memset(b.frame->plane[0], 100, (size_t)b.frame->stride[0] * (size_t)height);
    for (int i = 1; i < FRAME_PLANES; i++)
        memset(b.frame->plane[i], 128, (size_t)b.frame->stride[i] * (size_t)chroma_size(height));
    b.all->source_width = width;
    b.all->source_height = height;
    xray_style_default(&style);
    printf("%dx%d, %d objects\n", width, height, objects);
    for (int mode = 0; xray_mode_names[mode]; mode++) {
        if (argc > 4 && strcmp(argv[4], xray_mode_names[mode]) != 0)
            continue;
        style.mode = (enum xray_mode)mode;
        measure(&b, mode >= XRAY_MASKS, &style, xray_mode_names[mode]);
    }
    if (argc < 5)
        measure_schemes(&b, &style);
    detections_unref(&b.all);
    object_shape_unref(&b.shape);
    label_set_unref(&labels);
    frame_unref(&b.frame);
    xray_destroy(&b.xray);
    return 0;
}
