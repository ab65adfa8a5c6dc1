#include "guarded.h"
#include "xray/palette.h"
#include "xray/xray.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct xray *xray;

static int setup(void **state)
{
    (void)state;
    return xray_create(&xray, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    xray_destroy(&xray);
    return 0;
}

static int draw(struct guarded *g, const struct detection *items, int count, int source_width,
                int source_height, const struct xray_style *style)
{
    static const char *const names[] = {"person", "car"};
    struct label_set *labels = NULL;
    struct detections *all = NULL;
    assert_int_equal(label_set_create(&labels, names, 2), OW_OK);
    assert_int_equal(detections_create(&all, count, labels), OW_OK);
    label_set_unref(&labels);
    all->source_width = source_width;
    all->source_height = source_height;
    memcpy(all->items, items, (size_t)count * sizeof *items);
    int drawn = xray_draw(xray, &g->frame, all, style);
    detections_unref(&all);
    return drawn;
}

static struct xray_style boxes_only(void)
{
    struct xray_style style;
    xray_style_default(&style);
    style.show_labels = style.show_confidence = style.show_track_ids = false;
    style.overlay_alpha = 0;
    return style;
}

static uint8_t pixel(const struct guarded *g, int plane, int x, int y)
{
    return g->frame.plane[plane][y * g->frame.stride[plane] + x];
}

static void the_box_is_on_its_edge_in_the_color_of_its_class(void **state)
{
    (void)state;
    struct guarded g;
    struct xray_style style = boxes_only();
    const struct detection item = {1, 0.8f, 40, 30, 120, 90, 0, NULL};
    guarded_open(&g, 201, 151);
    assert_int_equal(draw(&g, &item, 1, 201, 151, &style), 1);
    struct ink ink = palette_ink(palette_class(1), &g.frame);
    assert_int_equal(pixel(&g, 0, 80, 30), ink.plane[0]);
    assert_int_equal(pixel(&g, 0, 80, 31), ink.plane[0]);
    assert_int_equal(pixel(&g, 0, 80, 89), ink.plane[0]);
    assert_int_equal(pixel(&g, 0, 40, 60), ink.plane[0]);
    assert_int_equal(pixel(&g, 0, 119, 60), ink.plane[0]);
    assert_int_equal(pixel(&g, 1, 40, 15), ink.plane[1]);
    assert_int_equal(pixel(&g, 2, 20, 30), ink.plane[2]);
    assert_true(pixel(&g, 0, 80, 29) < GROUND_Y - 20); /* the dark line outside */
    assert_true(pixel(&g, 0, 80, 32) < GROUND_Y - 20); /* and inside */
    assert_int_equal(guarded_changed(&g, 46, 36, 114, 84), 0);
    assert_int_equal(guarded_changed_all(&g), guarded_changed(&g, 39, 29, 121, 91));
    assert_true(guarded_intact(&g));
    guarded_close(&g);
}

/* The inside is moved towards the colour, the more the stronger; outside nothing happens. */
static void the_tint_is_as_strong_as_it_is_set(void **state)
{
    (void)state;
    int last = 0;
    for (int i = 0; i <= 4; i++) {
        struct guarded g;
        struct xray_style style = boxes_only();
        style.overlay_alpha = (float)i / 4;
        const struct detection item = {1, 0.8f, 40, 30, 120, 90, 0, NULL};
        guarded_open(&g, 201, 151);
        draw(&g, &item, 1, 201, 151, &style);
        struct ink ink = palette_ink(palette_class(1), &g.frame);
        int moved = pixel(&g, 0, 80, 60) - GROUND_Y;
        assert_true(i == 0 ? moved == 0 : moved > last);
        assert_true(moved <= (ink.plane[0] - GROUND_Y) / 4); /* the picture stays in sight */
        assert_int_equal(guarded_changed_all(&g), guarded_changed(&g, 39, 29, 121, 91));
        last = moved;
        guarded_close(&g);
    }
}

static void boxes_follow_the_size_of_the_frame(void **state)
{
    (void)state;
    struct guarded g;
    struct xray_style style = boxes_only();
    const struct detection item = {0, 0.8f, 400, 300, 1200, 900, 0, NULL};
    guarded_open(&g, 192, 108);
    assert_int_equal(draw(&g, &item, 1, 1920, 1080, &style), 1);
    assert_int_equal(guarded_changed_all(&g), guarded_changed(&g, 39, 29, 121, 91));
    assert_true(guarded_changed(&g, 39, 50, 43, 51) >= 3);
    assert_true(guarded_changed(&g, 117, 50, 121, 51) >= 3);
    guarded_close(&g);
}

static void the_label_stands_above_and_is_readable(void **state)
{
    (void)state;
    struct guarded g;
    struct xray_style style;
    xray_style_default(&style);
    const struct detection item = {0, 0.87f, 60, 300, 300, 500, 12, NULL};
    guarded_open(&g, 960, 540);
    assert_int_equal(draw(&g, &item, 1, 960, 540, &style), 1);
    int above = guarded_changed(&g, 59, 270, 320, 299);
    assert_true(above > 130 * 15);
    assert_int_equal(guarded_changed(&g, 0, 0, 960, 270), 0);
    /* Fill and text differ by the contrast that the palette promises. */
    struct ink fill = palette_ink(palette_class(0), &g.frame);
    int filled = 0, written = 0;
    uint8_t text_luma = palette_ink(palette_text_on(palette_class(0)), &g.frame).plane[0];
    for (int y = 280; y < 300; y++)
        for (int x = 60; x < 190; x++) {
            filled += pixel(&g, 0, x, y) == fill.plane[0];
            written += abs(pixel(&g, 0, x, y) - text_luma) < 16;
        }
    assert_true(filled > 900);
    assert_true(written > 200);
    guarded_close(&g);
}

/* Each part of the label makes it longer. */
static void the_style_chooses_what_is_said(void **state)
{
    (void)state;
    int last = -1;
    for (int parts = 0; parts < 4; parts++) {
        struct guarded g;
        struct xray_style style;
        xray_style_default(&style);
        style.show_boxes = false;
        style.show_labels = parts > 0;
        style.show_confidence = parts > 1;
        style.show_track_ids = parts > 2;
        const struct detection item = {0, 0.87f, 60, 300, 300, 500, 12, NULL};
        guarded_open(&g, 960, 540);
        assert_int_equal(draw(&g, &item, 1, 960, 540, &style), 1);
        int changed = guarded_changed_all(&g);
        assert_true(changed > last);
        assert_int_equal(changed > 0, parts > 0);
        last = changed;
        guarded_close(&g);
    }
}

static void labels_stay_in_the_picture_and_off_each_other(void **state)
{
    (void)state;
    struct guarded g;
    struct xray_style style;
    xray_style_default(&style);
    style.show_boxes = false;
    const struct detection items[] = {{0, 0.9f, 900, 2, 958, 200, 1, NULL},
                                      {0, 0.8f, 500, 300, 600, 400, 2, NULL}};
    guarded_open(&g, 960, 540);
    assert_int_equal(draw(&g, items, 1, 960, 540, &style), 1);
    assert_true(guarded_changed(&g, 830, 2, 960, 25) > 130 * 15); /* inside, moved to the left */
    guarded_close(&g);
    guarded_open(&g, 960, 540);
    draw(&g, &items[1], 1, 960, 540, &style);
    int one = guarded_changed_all(&g);
    guarded_close(&g);
    guarded_open(&g, 960, 540);
    const struct detection twins[] = {items[1], items[1], items[1], items[1], items[1], items[1]};
    assert_int_equal(draw(&g, twins, 6, 960, 540, &style), 6);
    assert_true(guarded_changed_all(&g) > one * 59 / 10);
    guarded_close(&g);
}

/* Two side by side: the label of one does not lie on the other. */
static void labels_spare_other_objects(void **state)
{
    (void)state;
    struct guarded g;
    struct xray_style style;
    xray_style_default(&style);
    style.show_boxes = false;
    const struct detection items[] = {{0, 0.9f, 400, 250, 500, 400, 1, NULL},
                                      {0, 0.8f, 400, 180, 500, 245, 2, NULL}};
    guarded_open(&g, 960, 540);
    assert_int_equal(draw(&g, items, 2, 960, 540, &style), 2);
    assert_int_equal(guarded_changed(&g, 402, 185, 498, 243), 0);
    assert_true(guarded_changed_all(&g) > 2 * 130 * 15);
    guarded_close(&g);
}

/* Pushed off its place, a label stays where it is when the way is free again, until it must go. */
static void labels_do_not_jump(void **state)
{
    (void)state;
    struct xray_style style;
    xray_style_default(&style);
    style.show_boxes = false;
    style.show_track_ids = false;
    const struct detection object = {0, 0.8f, 400, 250, 500, 400, 1001, NULL};
    const struct detection above = {0, 0.9f, 380, 222, 560, 249, 0, NULL};
    const struct detection on_top = {0, 0.9f, 380, 255, 560, 280, 0, NULL};
    const struct {
        struct detection items[2];
        int count, y; /* where its label is then */
    } steps[] = {{{object}, 1, 231},
                 {{above, object}, 2, 253},
                 {{object}, 1, 253},
                 {{on_top, object}, 2, 231}};
    for (int i = 0; i < 4; i++) {
        struct guarded g;
        guarded_open(&g, 960, 540);
        draw(&g, steps[i].items, steps[i].count, 960, 540, &style);
        int changed = guarded_changed(&g, 402, steps[i].y, 490, steps[i].y + 20);
        assert_in_range(changed, 88 * 20 - 20,
                        88 * 20); /* type has the luma of the ground here and there */
        guarded_close(&g);
    }
}

static void the_unsure_are_left_out(void **state)
{
    (void)state;
    struct guarded g;
    struct xray_style style = boxes_only();
    style.min_confidence = 0.5f;
    const struct detection items[] = {{0, 0.49f, 10, 10, 60, 60, 0, NULL},
                                      {0, NAN, 10, 10, 60, 60, 0, NULL}};
    guarded_open(&g, 100, 100);
    assert_int_equal(draw(&g, items, 2, 100, 100, &style), 0);
    assert_int_equal(guarded_changed_all(&g), 0);
    const struct detection sure = {0, 0.5f, 10, 10, 60, 60, 0, NULL};
    assert_int_equal(draw(&g, &sure, 1, 100, 100, &style), 1);
    guarded_close(&g);
}

static void what_is_no_box_is_not_drawn(void **state)
{
    (void)state;
    const struct detection items[] = {
        {0, 0.9f, NAN, 10, 60, 60, 0, NULL},        {0, 0.9f, 10, NAN, 60, 60, 0, NULL},
        {0, 0.9f, 10, 10, NAN, 60, 0, NULL},        {0, 0.9f, 10, 10, 60, NAN, 0, NULL},
        {0, 0.9f, 60, 10, 10, 60, 0, NULL},         {0, 0.9f, 10, 60, 60, 10, 0, NULL},
        {0, 0.9f, 10, 10, 10, 60, 0, NULL},         {0, 0.9f, -50, 10, -5, 60, 0, NULL},
        {0, 0.9f, 110, 10, 150, 60, 0, NULL},       {0, 0.9f, INFINITY, 0, INFINITY, 9, 0, NULL},
        {0, 0.9f, -FLT_MAX, 0, -1e30f, 9, 0, NULL},
    };
    struct guarded g;
    struct xray_style style;
    xray_style_default(&style);
    guarded_open(&g, 100, 100);
    assert_int_equal(draw(&g, items, sizeof items / sizeof items[0], 100, 100, &style), 0);
    assert_int_equal(guarded_changed_all(&g), 0);
    guarded_close(&g);
}

/* Every coordinate and confidence takes every odd value, on every odd size. */
static void any_numbers_are_safe(void **state)
{
    (void)state;
    static const float values[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX,
                                   0,   -3.5f,    7,         31,      1e9f};
    static const int sizes[][2] = {{1, 1}, {2, 2}, {17, 9}, {33, 21}, {640, 3}, {3, 480}};
    enum { VALUES = 10 };
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct guarded g;
        struct xray_style style;
        int drawn = 0;
        guarded_open(&g, sizes[s][0], sizes[s][1]);
        for (int i = 0; i < VALUES * VALUES * VALUES * VALUES; i++) {
            const struct detection item = {i - 5000,
                                           values[i / 7 % VALUES],
                                           values[i % VALUES],
                                           values[i / 10 % VALUES],
                                           values[i / 100 % VALUES],
                                           values[i / 1000],
                                           (uint32_t)i * 4294967u,
                                           NULL};
            xray_style_default(&style);
            style.scheme = (enum xray_scheme)(i % 6);
            style.mode = (enum xray_mode)(i / 6 % 5);
            g.frame.capture_us += 40000;
            style.overlay_alpha = style.heatmap_intensity = values[i / 13 % VALUES];
            style.line_thickness = i % 40 - 10;
            style.font_size = i % 17 ? 0.6f : values[i / 17 % VALUES];
            drawn += draw(&g, &item, 1, i % 3 ? 32 : 0, i % 5 ? 32 : -1, &style);
        }
        assert_true(guarded_intact(&g));
        assert_true(drawn > 100);
        assert_true(guarded_changed_all(&g) > 0);
        guarded_close(&g);
    }
}

static void many_and_long_ones_are_safe(void **state)
{
    (void)state;
    enum { MANY = 700 };
    struct detection *items = calloc(MANY, sizeof *items);
    struct detections *all = NULL;
    struct label_set *labels = NULL;
    struct guarded g;
    struct xray_style style;
    char name[400];
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa4", 2);
    name[sizeof name - 2] = '\0';
    const char *const names[] = {name};
    assert_int_equal(label_set_create(&labels, names, 1), OW_OK);
    assert_int_equal(detections_create(&all, MANY, labels), OW_OK);
    label_set_unref(&labels);
    all->source_width = 321;
    all->source_height = 181;
    for (int i = 0; i < MANY; i++)
        all->items[i] = (struct detection){0,
                                           0.5f,
                                           (float)(i % 300),
                                           (float)(i % 160),
                                           (float)(i % 300 + 30),
                                           (float)(i % 160 + 20),
                                           0,
                                           NULL};
    xray_style_default(&style);
    guarded_open(&g, 321, 181);
    assert_in_range(xray_draw(xray, &g.frame, all, &style), 300, MANY);
    assert_true(guarded_intact(&g));
    assert_int_equal(xray_draw(xray, &g.frame, NULL, &style), 0);
    detections_unref(&all);
    guarded_close(&g);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_box_is_on_its_edge_in_the_color_of_its_class),
        cmocka_unit_test(the_tint_is_as_strong_as_it_is_set),
        cmocka_unit_test(boxes_follow_the_size_of_the_frame),
        cmocka_unit_test(the_label_stands_above_and_is_readable),
        cmocka_unit_test(the_style_chooses_what_is_said),
        cmocka_unit_test(labels_stay_in_the_picture_and_off_each_other),
        cmocka_unit_test(labels_spare_other_objects),
        cmocka_unit_test(labels_do_not_jump),
        cmocka_unit_test(the_unsure_are_left_out),
        cmocka_unit_test(what_is_no_box_is_not_drawn),
        cmocka_unit_test(any_numbers_are_safe),
        cmocka_unit_test(many_and_long_ones_are_safe),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
