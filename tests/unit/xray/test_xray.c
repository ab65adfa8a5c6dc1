#include "guarded.h"
#include "xray/palette.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void names_parse_and_print(void **state)
{
    (void)state;
    enum xray_mode mode = XRAY_BOXES;
    enum xray_scheme scheme = XRAY_SCHEME_DEFAULT;
    assert_int_equal(xray_mode_parse("boxes", &mode), OW_OK);
    assert_string_equal(xray_mode_name(mode), "boxes");
    assert_int_equal(xray_scheme_parse("confidence", &scheme), OW_OK);
    assert_int_equal(scheme, XRAY_SCHEME_CONFIDENCE);
    assert_string_equal(xray_scheme_name(scheme), "confidence");
    assert_int_equal(xray_scheme_parse("default", &scheme), OW_OK);
    assert_int_equal(scheme, XRAY_SCHEME_DEFAULT);
    static const char *const unknown[] = {"", "Boxes", "boxes ", "sepia", NULL};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(xray_mode_parse(unknown[i], &mode), OW_ENOTFOUND);
        assert_int_equal(xray_scheme_parse(unknown[i], &scheme), OW_ENOTFOUND);
    }
    assert_int_equal(mode, XRAY_BOXES); /* untouched */
    for (int i = 0; xray_mode_names[i]; i++) {
        assert_int_equal(xray_mode_parse(xray_mode_names[i], &mode), OW_OK);
        assert_int_equal(mode, i);
        assert_string_equal(xray_mode_name(mode), xray_mode_names[i]);
    }
    for (int i = 0; xray_scheme_names[i]; i++) {
        assert_int_equal(xray_scheme_parse(xray_scheme_names[i], &scheme), OW_OK);
        assert_int_equal(scheme, i);
    }
    assert_int_equal(xray_mode_parse("both", &mode), OW_OK);
    assert_string_equal(xray_mode_name(mode), "boxes+heatmap");
}

static void the_defaults_are_those_of_the_node(void **state)
{
    (void)state;
    struct xray_style style;
    xray_style_default(&style);
    assert_int_equal(style.line_thickness, 2);
    assert_true(style.font_size > 0.59f && style.font_size < 0.61f);
    assert_true(style.show_boxes && style.show_labels && style.show_confidence);
}

static void a_missing_font_is_an_error(void **state)
{
    (void)state;
    struct xray *xray = NULL;
    struct reason why = {""};
    assert_int_equal(xray_create(&xray, "/nonexistent.otf", &why), OW_ENOTFOUND);
    assert_null(xray);
    assert_true(why.text[0]);
}

/* Dark all over, bright text in the middle, nothing at the edges; in both ranges. */
static void the_card_is_dark_with_text_in_the_middle(void **state)
{
    (void)state;
    struct xray *xray = NULL;
    assert_int_equal(xray_create(&xray, NULL, NULL), OW_OK);
    for (int full = 0; full < 2; full++) {
        struct guarded g;
        guarded_open(&g, 961, 541);
        g.frame.full_range = full;
        xray_card(xray, &g.frame, "NO SIGNAL", "since 12:03:07 — connection refused");
        int bright = 0, bright_in_the_middle = 0;
        for (int y = 0; y < 541; y++)
            for (int x = 0; x < 961; x++) {
                bool is = g.frame.plane[0][y * g.frame.stride[0] + x] > 120;
                bright += is;
                bright_in_the_middle += is && x > 200 && x < 760 && y > 150 && y < 350;
            }
        assert_int_equal(bright, bright_in_the_middle);
        assert_in_range(bright, 3000, 40000);
        assert_true(g.frame.plane[0][0] < 45);
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
    xray_destroy(&xray);
}

static void the_card_fits_any_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1},   {2, 2},   {16, 16},  {33, 17},
                                   {640, 5}, {5, 640}, {320, 180}};
    static const char long_line[] =
        "since 12:03:07 — the host rtsp.example.org does not answer on port 554, tried again in "
        "8 seconds, and so on and so forth, and this is longer than any line that fits";
    struct xray *xray = NULL;
    assert_int_equal(xray_create(&xray, NULL, NULL), OW_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct guarded g, other;
        int width = sizes[i][0], height = sizes[i][1];
        guarded_open(&g, width, height);
        guarded_open(&other, width, height);
        for (int y = 0; y < height; y++)
            memset(other.frame.plane[0] + y * other.frame.stride[0], 222, (size_t)width);
        xray_card(xray, &g.frame, "NO SIGNAL", long_line);
        xray_card(xray, &other.frame, "NO SIGNAL", long_line);
        assert_true(guarded_intact(&g));
        /* All of it is painted: what was there before does not show. */
        assert_memory_equal(g.memory[0], other.memory[0], g.size[0]);
        guarded_close(&other);
        xray_card(xray, &g.frame, NULL, NULL);
        xray_card(xray, &g.frame, "", "");
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
    xray_destroy(&xray);
    xray_destroy(&xray);
}

static struct detections *one_object(int source)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, 1, NULL), OW_OK);
    all->source_width = all->source_height = source;
    all->items[0] = (struct detection){.confidence = 0.9f, .x1 = 20, .y1 = 20, .x2 = 60, .y2 = 80};
    return all;
}

/* What the picture shows is private in this mode: nothing of it comes through. */
static void a_schematic_shows_nothing_of_the_picture(void **state)
{
    (void)state;
    struct xray *xray = NULL;
    struct detections *seen = one_object(100);
    struct xray_style style;
    xray_style_default(&style);
    style.mode = XRAY_SCHEMATIC;
    assert_int_equal(xray_create(&xray, NULL, NULL), OW_OK);
    assert_true(xray_shows(xray, NULL, &style));
    for (int known = 0; known < 2; known++) {
        struct guarded g, other;
        guarded_open(&g, 321, 201);
        guarded_open(&other, 321, 201);
        for (int p = 0; p < FRAME_PLANES; p++)
            for (int y = 0; y < guarded_height(&other.frame, p); y++)
                memset(other.frame.plane[p] + y * other.frame.stride[p], 37 * y & 255,
                       (size_t)guarded_width(&other.frame, p));
        assert_int_equal(xray_draw(xray, &g.frame, known ? seen : NULL, &style), known);
        assert_int_equal(xray_draw(xray, &other.frame, known ? seen : NULL, &style), known);
        for (int p = 0; p < FRAME_PLANES; p++)
            assert_memory_equal(g.memory[p], other.memory[p], g.size[p]);
        assert_true(guarded_intact(&g));
        guarded_close(&g);
        guarded_close(&other);
    }
    detections_unref(&seen);
    xray_destroy(&xray);
}

static uint8_t luma(const struct guarded *g, int x, int y)
{
    return g->frame.plane[0][y * g->frame.stride[0] + x];
}

/* The same moment four times: plain, with the box, with the heat, and without the picture. */
static void a_quad_has_four_panels(void **state)
{
    (void)state;
    struct xray *xray = NULL;
    struct guarded g;
    struct detections *seen = one_object(100);
    struct xray_style style;
    xray_style_default(&style);
    style.mode = XRAY_QUAD;
    assert_int_equal(xray_create(&xray, NULL, NULL), OW_OK);
    guarded_open(&g, 403, 401); /* panels of 200x200, odd remainders */
    g.frame.capture_us = 1000000;
    for (int y = 0; y < 401; y++) /* halved, each pixel is the mean of 60, 80, 100, 120 */
        for (int x = 0; x < 403; x++)
            g.frame.plane[0][y * g.frame.stride[0] + x] = (uint8_t)(60 + x % 2 * 20 + y % 2 * 40);
    assert_int_equal(xray_draw(xray, &g.frame, seen, &style), 1);
    assert_true(guarded_intact(&g));
    assert_int_equal(luma(&g, 80, 100), 90);  /* original: also where the object is */
    assert_int_equal(luma(&g, 390, 100), 90); /* boxes: beside the object, */
    struct ink ink = palette_ink(palette_class(0), &g.frame);
    assert_int_equal(luma(&g, 200 + 40, 100), ink.plane[0]); /* and on its left edge */
    assert_int_equal(luma(&g, 190, 210), 90);                /* heat map: away from it, */
    assert_true(abs(luma(&g, 80, 300) - 90) > 8);            /* and in it */
    assert_true(luma(&g, 390, 210) < 40);                    /* schematic: dark */
    assert_int_equal(luma(&g, 240, 300), ink.plane[0]);
    assert_true(luma(&g, 402, 200) < 40 && luma(&g, 200, 400) < 40); /* what is left over */
    guarded_close(&g);
    detections_unref(&seen);
    xray_destroy(&xray);
}

static void a_quad_too_small_is_boxes(void **state)
{
    (void)state;
    struct xray *xray = NULL;
    struct guarded g;
    struct detections *seen = one_object(100);
    struct xray_style style;
    xray_style_default(&style);
    style.mode = XRAY_QUAD;
    assert_int_equal(xray_create(&xray, NULL, NULL), OW_OK);
    guarded_open(&g, 31, 300);
    assert_int_equal(xray_draw(xray, &g.frame, seen, &style), 1);
    assert_true(guarded_intact(&g));
    assert_int_equal(luma(&g, 30, 290), GROUND_Y);
    guarded_close(&g);
    detections_unref(&seen);
    xray_destroy(&xray);
}

/* A heat map stays to be drawn after the object has gone, boxes do not. */
static void what_is_to_be_drawn_is_known_before(void **state)
{
    (void)state;
    struct xray *xray = NULL;
    struct guarded g;
    struct detections *seen = one_object(100), *nothing = NULL;
    struct xray_style style;
    xray_style_default(&style);
    assert_int_equal(detections_create(&nothing, 0, NULL), OW_OK);
    nothing->source_width = nothing->source_height = 100;
    assert_int_equal(xray_create(&xray, NULL, NULL), OW_OK);
    assert_true(xray_shows(xray, seen, &style));
    assert_false(xray_shows(xray, nothing, &style));
    assert_false(xray_shows(xray, NULL, &style));
    style.mode = XRAY_HEATMAP;
    assert_false(xray_shows(xray, nothing, &style));
    guarded_open(&g, 100, 100);
    g.frame.capture_us = 1000000;
    xray_draw(xray, &g.frame, seen, &style);
    assert_true(xray_shows(xray, nothing, &style));
    for (int i = 0; i < 200 && xray_shows(xray, nothing, &style); i++) {
        g.frame.capture_us += 1000000;
        xray_draw(xray, &g.frame, nothing, &style);
    }
    assert_false(xray_shows(xray, nothing, &style)); /* it has cooled */
    guarded_close(&g);
    detections_unref(&seen);
    detections_unref(&nothing);
    xray_destroy(&xray);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_parse_and_print),
        cmocka_unit_test(the_defaults_are_those_of_the_node),
        cmocka_unit_test(a_missing_font_is_an_error),
        cmocka_unit_test(the_card_is_dark_with_text_in_the_middle),
        cmocka_unit_test(the_card_fits_any_size),
        cmocka_unit_test(a_schematic_shows_nothing_of_the_picture),
        cmocka_unit_test(a_quad_has_four_panels),
        cmocka_unit_test(a_quad_too_small_is_boxes),
        cmocka_unit_test(what_is_to_be_drawn_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
