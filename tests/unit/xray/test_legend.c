#include "guarded.h"
#include "xray/legend.h"
#include "xray/scheme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WIDTH = 400, HEIGHT = 300, SECOND_US = 1000000 };

static struct xray *xray;
static struct label_set *labels;

static int setup(void **state)
{
    static const char *const names[] = {"person", "bicycle", "car"};
    (void)state;
    int rc = label_set_create(&labels, names, 3);
    return rc < 0 ? rc : xray_create(&xray, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    xray_destroy(&xray);
    label_set_unref(&labels);
    return 0;
}

static struct xray_style style_of(enum xray_mode mode)
{
    struct xray_style style;
    xray_style_default(&style);
    style.mode = mode;
    style.show_legend = true;
    style.font_size = 1; /* so that there are whole chroma samples of each colour */
    style.show_labels = style.show_confidence = style.show_track_ids = false;
    return style;
}

/* `count` objects of one class in a place of the picture. */
static struct detections *see(int count, int class_id, float x, float y)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, count, labels), OW_OK);
    detections_clear(all);
    all->source_width = WIDTH;
    all->source_height = HEIGHT;
    for (int i = 0; i < count; i++) {
        const struct detection item = {.class_id = class_id + (count > 50 ? i : 0),
                                       .confidence = 0.8f,
                                       .x1 = x,
                                       .y1 = y,
                                       .x2 = x + 60,
                                       .y2 = y + 40};
        detections_append(all, &item);
    }
    return all;
}

static void draw_wide(struct guarded *g, int width, const struct detections *seen,
                      const struct xray_style *style, int64_t at_us)
{
    guarded_open(g, width, HEIGHT);
    g->frame.capture_us = at_us;
    xray_draw(xray, &g->frame, seen, style);
    assert_true(guarded_intact(g));
}

static void draw(struct guarded *g, const struct detections *seen, const struct xray_style *style,
                 int64_t at_us)
{
    draw_wide(g, WIDTH, seen, style, at_us);
}

enum corner { TOP_RIGHT, TOP_LEFT, BOTTOM_RIGHT, BOTTOM_LEFT, CORNERS };

/* Luma pixels changed in a corner. */
static int in_corner(const struct guarded *g, enum corner corner)
{
    int x = corner == TOP_LEFT || corner == BOTTOM_LEFT ? 0 : WIDTH - 150;
    int y = corner == TOP_RIGHT || corner == TOP_LEFT ? 0 : HEIGHT - 70;
    return guarded_changed(g, x, y, x + 150, y + 70);
}

/* How many chroma samples of the upper right corner are in a colour. */
static int colored(const struct guarded *g, struct rgb color)
{
    struct ink ink = palette_ink(color, &g->frame);
    int count = 0, near = 4;
    for (int y = 0; y < 35; y++)
        for (int x = (WIDTH - 150) / 2; x < WIDTH / 2; x++)
            count += abs(g->frame.plane[1][y * g->frame.stride[1] + x] - ink.plane[1]) <= near &&
                     abs(g->frame.plane[2][y * g->frame.stride[2] + x] - ink.plane[2]) <= near;
    return count;
}

static void it_lists_what_is_in_sight(void **state)
{
    (void)state;
    struct guarded g, more;
    struct detections *one = see(1, 2, 20, 200), *four = see(4, 2, 20, 200);
    struct xray_style style = style_of(XRAY_BOXES);
    draw(&g, one, &style, SECOND_US);
    assert_true(in_corner(&g, TOP_RIGHT) > 500);
    assert_true(colored(&g, palette_class(2)) >= 6); /* the swatch */
    assert_int_equal(colored(&g, palette_class(0)), 0);
    draw(&more, four, &style, SECOND_US);
    int other = 0;
    for (int y = 0; y < 70; y++)
        other += memcmp(g.frame.plane[0] + y * g.frame.stride[0] + WIDTH - 150,
                        more.frame.plane[0] + y * more.frame.stride[0] + WIDTH - 150, 150) != 0;
    assert_in_range(other, 4, 20); /* rows of the digit */
    guarded_close(&g);
    guarded_close(&more);

    style.show_legend = false;
    draw(&g, one, &style, SECOND_US);
    assert_int_equal(in_corner(&g, TOP_RIGHT), 0);
    guarded_close(&g);
    detections_unref(&one);
    detections_unref(&four);
}

/* A class that is not seen any more stays for a while, then goes, and the plate with the last. */
static void what_has_gone_stays_for_three_seconds(void **state)
{
    (void)state;
    struct guarded g;
    struct detections *one = see(1, 2, 20, 200), *none = see(0, 0, 0, 0);
    struct xray_style style = style_of(XRAY_BOXES);
    draw(&g, one, &style, 10 * SECOND_US);
    guarded_close(&g);
    draw(&g, none, &style, 12 * SECOND_US);
    assert_true(in_corner(&g, TOP_RIGHT) > 500);
    guarded_close(&g);
    draw(&g, none, &style, 14 * SECOND_US);
    assert_int_equal(guarded_changed_all(&g), 0);
    assert_false(xray_shows(xray, none, &style));
    guarded_close(&g);
    detections_unref(&one);
    detections_unref(&none);
}

/* It leaves a corner that objects come to, but not at once, and does not come back for nothing. */
static void it_keeps_off_the_objects(void **state)
{
    (void)state;
    struct guarded g;
    struct xray *fresh = NULL, *kept = xray;
    struct detections *away = see(2, 0, 20, 220), *there = see(3, 0, WIDTH - 80, 10);
    struct xray_style style = style_of(XRAY_BOXES);
    style.overlay_alpha = 0;
    assert_int_equal(xray_create(&fresh, NULL, NULL), OW_OK);
    xray = fresh;
    draw(&g, away, &style, 20 * SECOND_US);
    assert_true(in_corner(&g, TOP_RIGHT) > 500);
    guarded_close(&g);
    draw(&g, there, &style, 21 * SECOND_US);
    assert_int_equal(in_corner(&g, TOP_LEFT), 0);
    guarded_close(&g);
    draw(&g, there, &style, 23 * SECOND_US);
    assert_true(in_corner(&g, TOP_LEFT) > 500);
    guarded_close(&g);
    draw(&g, away, &style, 30 * SECOND_US);
    assert_true(in_corner(&g, TOP_LEFT) > 500);
    assert_int_equal(in_corner(&g, TOP_RIGHT), 0);
    guarded_close(&g);
    xray = kept;
    xray_destroy(&fresh);
    detections_unref(&away);
    detections_unref(&there);
}

/* Where colours go by confidence it is the scale of these that explains them: pure colours,
 * wherever it begins, at an even x or an odd one. */
static void scales_stand_for_confidence_and_heat(void **state)
{
    (void)state;
    struct detections *one = see(1, 2, 20, 200);
    for (int odd = 0; odd < 2; odd++) {
        struct guarded g;
        struct xray_style style = style_of(XRAY_BOXES);
        style.scheme = XRAY_SCHEME_CONFIDENCE;
        draw_wide(&g, WIDTH + odd, one, &style, (40 + 2 * odd) * SECOND_US);
        assert_int_equal(colored(&g, palette_class(2)), 0);
        assert_true(colored(&g, palette_confidence(0.5f)) >= 1);
        guarded_close(&g);
        style = style_of(XRAY_HEATMAP);
        draw_wide(&g, WIDTH + odd, one, &style, (41 + 2 * odd) * SECOND_US);
        assert_true(in_corner(&g, TOP_RIGHT) > 500);
        assert_true(colored(&g, palette_thermal(0.9f)) >= 1);
        guarded_close(&g);
    }
    detections_unref(&one);
}

/* More classes than it has rows for, on pictures of any size. */
static void any_number_of_classes_is_safe(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {16, 16}, {64, 48}, {320, 40}, {40, 320}, {960, 540}};
    struct detections *many = see(80, 0, 100, 100);
    for (int mode = 0; xray_mode_names[mode]; mode++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct guarded g;
            struct xray_style style = style_of((enum xray_mode)mode);
            guarded_open(&g, sizes[i][0], sizes[i][1]);
            g.frame.capture_us = (60 + mode) * SECOND_US;
            assert_in_range(xray_draw(xray, &g.frame, many, &style), 0, 80);
            assert_true(guarded_intact(&g));
            guarded_close(&g);
        }
    detections_unref(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lists_what_is_in_sight),
        cmocka_unit_test(what_has_gone_stays_for_three_seconds),
        cmocka_unit_test(it_keeps_off_the_objects),
        cmocka_unit_test(scales_stand_for_confidence_and_heat),
        cmocka_unit_test(any_number_of_classes_is_safe),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
