#include "guarded.h"
#include "xray/scheme.h"
#include "xray/zones.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SIDE = 300 };

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

static struct xray_style style_of(enum xray_mode mode)
{
    struct xray_style style;
    xray_style_default(&style);
    style.mode = mode;
    return style;
}

static uint8_t luma(const struct guarded *g, int x, int y)
{
    return g->frame.plane[0][y * g->frame.stride[0] + x];
}

static struct zone_states square(void)
{
    return (struct zone_states){
        .count = 1,
        .items = {{.name = "Yard",
                   .count = 4,
                   .points = {{.3f, .3f}, {.8f, .3f}, {.8f, .8f}, {.3f, .8f}},
                   .inside = 3}}};
}

static void draw(struct guarded *g, const struct zone_states *zones, const struct xray_style *style,
                 int64_t capture_us)
{
    guarded_open(g, SIDE, SIDE);
    g->frame.capture_us = capture_us;
    xray_set_zones(xray, zones);
    xray_draw(xray, &g->frame, NULL, style);
    assert_true(guarded_intact(g));
}

static void an_area_has_outline_tint_and_tag(void **state)
{
    (void)state;
    struct guarded g;
    struct zone_states zones = square();
    struct xray_style style = style_of(XRAY_BOXES);
    assert_false(xray_shows(xray, NULL, &style));
    draw(&g, &zones, &style, 1000);
    assert_true(xray_shows(xray, NULL, &style));
    struct ink ink = palette_ink(scheme_zone(&style, 0), &g.frame);
    assert_in_range(luma(&g, 90, 150), ink.plane[0] - 16, ink.plane[0] + 4);
    assert_in_range(luma(&g, 200, 240), ink.plane[0] - 16, ink.plane[0] + 4);
    int inside = luma(&g, 150, 200);
    assert_in_range(inside, GROUND_Y + 4, GROUND_Y + 40);
    assert_int_equal(luma(&g, 220, 110), inside); /* evenly */
    assert_int_equal(guarded_changed(&g, 0, 0, 86, SIDE), 0);
    assert_int_equal(guarded_changed(&g, 0, 244, SIDE, SIDE), 0);
    assert_true(guarded_changed(&g, 88, 60, 200, 86) > 400); /* the tag above it */
    guarded_close(&g);

    style.show_zones = false;
    assert_false(xray_shows(xray, NULL, &style));
    draw(&g, &zones, &style, 2000);
    assert_int_equal(guarded_changed_all(&g), 0);
    guarded_close(&g);
}

/* In every mode, whatever it shows of the picture; a quad in its second panel. */
static void every_mode_shows_zones(void **state)
{
    (void)state;
    for (int mode = 0; xray_mode_names[mode]; mode++) {
        struct guarded with, without;
        struct zone_states zones = square();
        struct xray_style style = style_of((enum xray_mode)mode);
        bool quad = mode == XRAY_QUAD;
        int x = quad ? 150 + 45 : 90, y = quad ? 75 : 150;
        draw(&without, NULL, &style, 1000);
        draw(&with, &zones, &style, 2000);
        assert_true(luma(&with, x, y) > luma(&without, x, y) + 30);
        guarded_close(&with);
        guarded_close(&without);
    }
}

static void what_happens_shines_for_a_moment(void **state)
{
    (void)state;
    const int64_t happened_us = 5000000;
    int before = 0;
    for (int i = 0; i < 5; i++) {
        static const int after_ms[] = {2000, 800, 400, 10, -200};
        struct guarded g;
        struct zone_states zones = square();
        struct xray_style style = style_of(XRAY_BOXES);
        zones.items[0].happened_us = happened_us;
        draw(&g, &zones, &style, happened_us + after_ms[i] * 1000);
        int inside = luma(&g, 150, 200);
        if (i < 4)
            assert_true(inside > before);
        else
            assert_in_range(inside, before, before + 1); /* no more than in full */
        before = inside;
        guarded_close(&g);
    }
}

/* Its arrow points to the right of the way from the first point to the second. */
static void a_line_says_which_way_is_in(void **state)
{
    (void)state;
    for (int turned = 0; turned < 2; turned++) {
        struct guarded g;
        struct zone_states zones = {
            .count = 1, .items = {{.line = true, .count = 2, .points = {{.1f, .5f}, {.9f, .5f}}}}};
        struct xray_style style = style_of(XRAY_BOXES);
        if (turned) {
            zones.items[0].points[0].x = .9f;
            zones.items[0].points[1].x = .1f;
        }
        draw(&g, &zones, &style, 1000);
        struct ink ink = palette_ink(scheme_zone(&style, 0), &g.frame);
        assert_in_range(luma(&g, 60, 150), ink.plane[0] - 16, ink.plane[0] + 4);
        int in = turned ? 150 - 8 : 150 + 8;
        assert_in_range(luma(&g, 150, in), ink.plane[0] - 16, ink.plane[0] + 4);
        assert_int_equal(luma(&g, 100, in), GROUND_Y);
        int tag = turned ? 150 + 12 : 150 - 12; /* on the other side */
        assert_true(guarded_changed(&g, 110, tag - 3, 190, tag + 3) > 300);
        guarded_close(&g);
    }
}

static int differing(const struct guarded *a, const struct guarded *b, int x0, int y0, int x1,
                     int y1)
{
    int count = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            count += luma(a, x, y) != luma(b, x, y);
    return count;
}

static void the_tag_tells_the_counts(void **state)
{
    (void)state;
    struct guarded three, four;
    struct zone_states zones = square();
    struct xray_style style = style_of(XRAY_BOXES);
    draw(&three, &zones, &style, 1000);
    zones.items[0].inside = 4;
    draw(&four, &zones, &style, 2000);
    int there = differing(&three, &four, 0, 0, SIDE, SIDE);
    assert_in_range(there, 5, 100);
    assert_int_equal(there, differing(&three, &four, 88, 60, 200, 90));
    guarded_close(&three);
    guarded_close(&four);
}

/* A label would stand where the tag is, were it not there. */
static void labels_keep_off_the_tag(void **state)
{
    (void)state;
    struct guarded alone, both;
    struct zone_states zones = square();
    struct xray_style style = style_of(XRAY_BOXES);
    struct detections *seen = NULL;
    assert_int_equal(detections_create(&seen, 1, NULL), OW_OK);
    seen->source_width = seen->source_height = SIDE;
    seen->items[0] =
        (struct detection){.confidence = 0.9f, .x1 = 92, .y1 = 100, .x2 = 150, .y2 = 200};
    draw(&alone, &zones, &style, 1000);
    guarded_open(&both, SIDE, SIDE);
    xray_draw(xray, &both.frame, seen, &style);
    assert_int_equal(differing(&alone, &both, 0, 0, SIDE, 87), 0);
    xray_set_zones(xray, NULL);
    guarded_close(&both);
    guarded_open(&both, SIDE, SIDE);
    xray_draw(xray, &both.frame, seen, &style);
    assert_true(guarded_changed(&both, 88, 80, 200, 98) > 300); /* here it would be */
    detections_unref(&seen);
    guarded_close(&alone);
    guarded_close(&both);
}

/* Where one zone's tag is, another's is not. */
static void tags_keep_off_each_other(void **state)
{
    (void)state;
    struct zone_states zones = square();
    struct xray_style style = style_of(XRAY_BOXES);
    struct guarded g;
    struct layer layer = {0};
    struct text *text = NULL;
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    zones.count = 3;
    zones.items[1] = zones.items[2] = zones.items[0];
    guarded_open(&g, SIDE, SIDE);
    assert_int_equal(text_create(&text, NULL, NULL), OW_OK);
    scene_read(scene, &g.frame, NULL, &style);
    zones_draw(scene, &zones, &layer);
    zones_tag(scene, &zones, text);
    assert_int_equal(scene->taken_count, 3);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++)
            assert_int_equal(rect_common(scene->taken[i], scene->taken[k]), 0);
    text_destroy(&text);
    layer_free(&layer);
    guarded_close(&g);
    free(scene);
}

/* Points of any value, in pictures of any size; fewer than make a shape are no zone. */
static void any_zones_are_safe(void **state)
{
    (void)state;
    static const float values[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -3.5f, 0, .3f, .7f, 1, 40};
    static const int sizes[][2] = {{1, 1}, {2, 2}, {17, 9}, {33, 21}, {320, 3}, {3, 240}, {64, 48}};
    enum { VALUES = 10 };
    struct zone_states *zones = calloc(1, sizeof *zones);
    assert_non_null(zones);
    zones->count = 2;
    for (int i = 0; i < 2; i++)
        memset(zones->items[i].name, 'W', ZONE_STATE_NAME_BYTES - 1);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct guarded g;
        guarded_open(&g, sizes[s][0], sizes[s][1]);
        for (int i = 0; i < 1500; i++) {
            struct xray_style style = style_of((enum xray_mode)(i % (XRAY_POSE_KEYPOINTS + 1)));
            style.line_thickness = i % 20;
            for (int k = 0; k < 2; k++) {
                struct zone_state *zone = &zones->items[k];
                zone->line = (i + k) % 3 == 0;
                zone->count = i % 7 == 6 ? ZONE_STATE_POINTS_MAX : i % 7;
                zone->happened_us = i * 1000;
                for (int p = 0; p < zone->count; p++)
                    zone->points[p] = (struct zone_state_point){
                        values[(i * 7 + p * 3 + k) % VALUES], values[(i / 3 + p * p) % VALUES]};
            }
            g.frame.capture_us = i * 1000;
            xray_set_zones(xray, zones);
            xray_draw(xray, &g.frame, NULL, &style);
        }
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
    free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_area_has_outline_tint_and_tag),
        cmocka_unit_test(every_mode_shows_zones),
        cmocka_unit_test(what_happens_shines_for_a_moment),
        cmocka_unit_test(a_line_says_which_way_is_in),
        cmocka_unit_test(the_tag_tells_the_counts),
        cmocka_unit_test(labels_keep_off_the_tag),
        cmocka_unit_test(tags_keep_off_each_other),
        cmocka_unit_test(any_zones_are_safe),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
