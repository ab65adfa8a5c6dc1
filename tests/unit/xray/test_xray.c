#include "guarded.h"
#include "xray/xray.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_parse_and_print),
        cmocka_unit_test(the_defaults_are_those_of_the_node),
        cmocka_unit_test(a_missing_font_is_an_error),
        cmocka_unit_test(the_card_is_dark_with_text_in_the_middle),
        cmocka_unit_test(the_card_fits_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
