/* Every mode and scheme, for objects with boxes only, with masks and with key points, compared with
 * pictures that were looked at. OVERWATCH_GOLDEN=write writes them anew; a picture that differs is
 * left in the working folder, to be looked at beside the one in tests/data/xray. */
#include "golden.h"
#include "person.h"
#include "xray/xray.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 320, HEIGHT = 180, MOMENTS = 12, MOMENT_US = 100000 };

/* A label or a line that is not there, or elsewhere, is more than this; other hinting is less. */
static const double mean_most = 1.0, share_most = 0.004;

/* The same on every system, while newer Inter has other shapes. */
static const char font[] = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";

enum kind { DETECTIONS, MASKS, POSES, KINDS };

static struct label_set *labels;
static struct object_shape *shapes[KINDS];

static int setup(void **state)
{
    static const char *const names[] = {"person", "bicycle", "car"};
    (void)state;
    shapes[MASKS] = person_create(true, false);
    shapes[POSES] = person_create(false, true);
    return shapes[MASKS] && shapes[POSES] ? label_set_create(&labels, names, 3) : OW_ENOMEM;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++)
        object_shape_unref(&shapes[i]);
    label_set_unref(&labels);
    return 0;
}

/* A dim side, a middle one and a bright one, so that everything is seen on all of them. */
static void paint(struct frame *frame)
{
    static const uint8_t lumas[] = {40, 110, 205};
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            frame->plane[0][y * frame->stride[0] + x] =
                (uint8_t)(lumas[3 * x / WIDTH] + (y > HEIGHT / 2 ? 12 : 0));
    for (int y = 0; y < chroma_size(HEIGHT); y++) {
        memset(frame->plane[1] + y * frame->stride[1], 122, (size_t)chroma_size(WIDTH));
        memset(frame->plane[2] + y * frame->stride[2], 130, (size_t)chroma_size(WIDTH));
    }
    frame->matrix = COLOR_BT709;
}

/* At one of MOMENTS moments: people walking on each ground, two of whom meet, and a car. */
static void place(struct detections *all, enum kind kind, int moment)
{
    static const struct {
        float x, y, width, height, speed, confidence;
        int class_id;
    } objects[] = {
        {30, 44, 42, 100, 2, .91f, 0},   {120, 60, 40, 96, 1, .74f, 0},
        {146, 52, 38, 92, -1, .52f, 0},  {236, 48, 44, 108, 1, .83f, 0},
        {196, 118, 66, 40, -3, .33f, 2},
    };
    detections_clear(all);
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        float x = objects[i].x + objects[i].speed * (float)(moment - MOMENTS);
        const struct detection item = {.class_id = objects[i].class_id,
                                       .confidence = objects[i].confidence,
                                       .x1 = x,
                                       .y1 = objects[i].y,
                                       .x2 = x + objects[i].width,
                                       .y2 = objects[i].y + objects[i].height,
                                       .track_id = (uint32_t)i + 1,
                                       .shape = objects[i].class_id == 0 ? shapes[kind] : NULL};
        detections_append(all, &item);
    }
}

static const struct zone_states zones = {
    .count = 3,
    .items = {{.name = "Yard",
               .count = 4,
               .points = {{.32f, .30f}, {.62f, .22f}, {.66f, .90f}, {.30f, .94f}},
               .inside = 2},
              {.name = "Gate",
               .line = true,
               .count = 2,
               .points = {{.05f, .95f}, {.25f, .70f}},
               .in = 12,
               .out = 3},
              {.name = "Door",
               .count = 4,
               .points = {{.74f, .20f}, {.97f, .20f}, {.97f, .97f}, {.74f, .97f}},
               .inside = 1,
               .happened_us = MOMENTS * MOMENT_US}}};

/* The last moment, after those before it; put into the sheet below the others. */
static void draw(struct picture *sheet, enum kind kind, const struct xray_style *style,
                 bool with_zones)
{
    struct xray *xray = NULL;
    struct detections *all = NULL;
    assert_int_equal(xray_create(&xray, font, NULL), OW_OK);
    assert_int_equal(detections_create(&all, 8, labels), OW_OK);
    all->source_width = WIDTH;
    all->source_height = HEIGHT;
    xray_set_zones(xray, with_zones ? &zones : NULL);
    for (int moment = 1; moment <= MOMENTS; moment++) {
        struct frame *frame = NULL;
        assert_int_equal(frame_create(&frame, WIDTH, HEIGHT), OW_OK);
        paint(frame);
        frame->capture_us = moment * MOMENT_US;
        place(all, kind, moment);
        xray_draw(xray, frame, all, style);
        if (moment == MOMENTS)
            picture_put(sheet, frame, 0, (int)kind * HEIGHT);
        frame_unref(&frame);
    }
    detections_unref(&all);
    xray_destroy(&xray);
}

static struct picture draw_sheet(const struct xray_style *style, bool with_zones)
{
    struct picture sheet = picture_create(WIDTH, KINDS * HEIGHT);
    for (enum kind kind = DETECTIONS; kind < KINDS; kind++)
        draw(&sheet, kind, style, with_zones);
    return sheet;
}

static bool is_golden(const struct picture *sheet, const struct picture *golden)
{
    bool same = true;
    for (int kind = 0; kind < KINDS; kind++) {
        struct picture_difference off =
            picture_compare(sheet, golden, 0, kind * HEIGHT, WIDTH, HEIGHT);
        same = same && off.mean <= mean_most && off.share <= share_most;
    }
    return same;
}

static void path_of(char out[512], const char *name)
{
    snprintf(out, 512, "%s/%s.png", GOLDEN_FOLDER, name);
}

/* True when the picture is the golden one, or has become it. */
static bool check(const char *name, const struct xray_style *style, bool with_zones)
{
    char path[512], beside[128];
    const char *order = getenv("OVERWATCH_GOLDEN");
    struct picture golden = {0}, sheet = draw_sheet(style, with_zones);
    bool good = false;
    path_of(path, name);
    if (order && strcmp(order, "write") == 0) {
        good = picture_write(&sheet, path);
    } else if (picture_read(&golden, path) && golden.width == sheet.width &&
               golden.height == sheet.height) {
        good = is_golden(&sheet, &golden);
    }
    if (!good) {
        snprintf(beside, sizeof beside, "golden-%s.png", name);
        picture_write(&sheet, beside);
        print_error("%s is not as in %s; what was drawn is in %s\n", name, path, beside);
    }
    picture_free(&golden);
    picture_free(&sheet);
    return good;
}

static struct xray_style plain(enum xray_mode mode, enum xray_scheme scheme)
{
    struct xray_style style;
    xray_style_default(&style);
    style.mode = mode;
    style.scheme = scheme;
    return style;
}

static void every_mode_is_golden(void **state)
{
    (void)state;
    bool good = true;
    for (int mode = 0; xray_mode_names[mode]; mode++) {
        char name[64];
        struct xray_style style = plain((enum xray_mode)mode, XRAY_SCHEME_DEFAULT);
        snprintf(name, sizeof name, "mode-%s", xray_mode_names[mode]);
        good &= check(name, &style, false);
    }
    assert_true(good);
}

static void every_scheme_is_golden(void **state)
{
    (void)state;
    bool good = true;
    for (int scheme = 0; xray_scheme_names[scheme]; scheme++) {
        char name[64];
        struct xray_style style = plain(XRAY_BOXES_HEATMAP, (enum xray_scheme)scheme);
        style.show_legend = style.show_trails = true;
        snprintf(name, sizeof name, "scheme-%s", xray_scheme_names[scheme]);
        good &= check(name, &style, false);
    }
    assert_true(good);
}

static void zones_are_golden(void **state)
{
    (void)state;
    static const enum xray_mode modes[] = {XRAY_BOXES, XRAY_SCHEMATIC, XRAY_QUAD};
    bool good = true;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char name[64];
        struct xray_style style = plain(modes[i], XRAY_SCHEME_DEFAULT);
        snprintf(name, sizeof name, "zones-%s", xray_mode_name(modes[i]));
        good &= check(name, &style, true);
    }
    assert_true(good);
}

/* What would be seen is noticed: each of these is one thing off. */
static void other_pictures_are_not(void **state)
{
    (void)state;
    char path[512];
    struct picture golden;
    path_of(path, "zones-boxes");
    assert_true(picture_read(&golden, path));
    for (int i = 0; i < 7; i++) {
        struct xray_style style = plain(XRAY_BOXES, XRAY_SCHEME_DEFAULT);
        style.show_labels = i != 1;
        style.show_confidence = i != 2;
        style.show_track_ids = i != 3;
        style.line_thickness = i == 4 ? 3 : 2;
        style.min_confidence = i == 5 ? 0.4f : 0; /* without the car */
        style.show_zones = i != 6;
        struct picture sheet = draw_sheet(&style, true);
        assert_int_equal(is_golden(&sheet, &golden), i == 0);
        picture_free(&sheet);
    }
    picture_free(&golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_is_golden),
        cmocka_unit_test(every_scheme_is_golden),
        cmocka_unit_test(zones_are_golden),
        cmocka_unit_test(other_pictures_are_not),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
