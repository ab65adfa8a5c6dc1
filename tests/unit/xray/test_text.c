#include "guarded.h"
#include "xray/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct text *text;
static const struct ink ink = {{235, 128, 128}};

static int setup(void **state)
{
    (void)state;
    return text_create(&text, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    text_destroy(&text);
    return 0;
}

static void figures_do_not_jump(void **state)
{
    (void)state;
    int width = text_width(text, 15, "0.00");
    assert_true(width > 15);
    assert_int_equal(text_width(text, 15, "1.11"), width);
    assert_int_equal(text_width(text, 15, "0.87"), width);
    assert_true(text_width(text, 15, "person") > text_width(text, 15, "perso"));
    assert_true(text_width(text, 30, "person") > text_width(text, 15, "person") * 3 / 2);
    assert_int_equal(text_width(text, 15, ""), 0);
}

/* Names in other alphabets have glyphs of their own, of either font. */
static void names_of_the_world_are_shown(void **state)
{
    (void)state;
    static const char *const names[] = {"Fußgänger", "собака", "ουρανός", "—", "ﺎ"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct guarded g;
        guarded_open(&g, 200, 40);
        assert_true(text_draw(text, &g.frame, 5, 25, 20, names[i], ink, 255) > 5);
        assert_true(guarded_changed_all(&g) > 5);
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
    assert_int_not_equal(text_width(text, 40, "ж"), text_width(text, 40, "і"));
}

static void drawn_where_it_was_measured(void **state)
{
    (void)state;
    struct guarded g;
    guarded_open(&g, 160, 50);
    struct text_heights heights = text_heights(text, 20);
    int width = text_width(text, 20, "Hgpx 1");
    assert_int_equal(text_draw(text, &g.frame, 20, 30, 20, "Hgpx 1", ink, 255), 20 + width);
    assert_int_equal(guarded_changed_all(&g), guarded_changed(&g, 19, 30 - heights.capital - 1,
                                                              21 + width, 30 + heights.below));
    assert_true(guarded_changed_all(&g) > 150);
    assert_int_equal(heights.capital, 15);
    assert_in_range(heights.below, 3, 6);
    /* Smooth edges: more than two brightnesses. */
    int between = 0;
    for (int y = 0; y < 50; y++)
        for (int x = 0; x < 160; x++) {
            int value = g.frame.plane[0][y * g.frame.stride[0] + x];
            between += value > GROUND_Y + 20 && value < 215;
        }
    assert_true(between > 20);
    guarded_close(&g);
}

static void malformed_names_show_replacement_characters(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xc0\xaf",
                                      "\xe2\x82",
                                      "\xf0\x9f\x98",
                                      "\xff",
                                      "\xed\xa0\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xf4\x90\x80\x80"};
    int replacement = text_width(text, 20, "\xef\xbf\xbd");
    assert_true(replacement > 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t size = strlen(bad[i]) + 1;
        char *exact = malloc(size); /* the sanitizer sees a read behind the end */
        memcpy(exact, bad[i], size);
        int width = text_width(text, 20, exact);
        assert_in_range(width, replacement - 1, replacement * (int)size);
        free(exact);
    }
    assert_int_equal(text_width(text, 20, "\n"), text_width(text, 20, " "));
}

/* More characters and sizes than the cache holds. */
static void the_cache_starts_anew_when_full(void **state)
{
    (void)state;
    int before = text_width(text, 12, "person 0.87");
    for (unsigned c = 0x20; c < 0x3000; c++) {
        char name[4] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
                        (char)(0x80 | (c & 0x3f)), 0};
        text_width(text, 6 + (int)(c % 40), name);
    }
    assert_int_equal(text_width(text, 12, "person 0.87"), before);
    assert_int_equal(text_width(text, -5, "x"), text_width(text, TEXT_PIXELS_MIN, "x"));
    assert_int_equal(text_width(text, 1 << 20, "x"), text_width(text, TEXT_PIXELS_MAX, "x"));
}

static void a_font_that_is_none_is_named(void **state)
{
    (void)state;
    struct text *none = NULL;
    struct reason why = {""};
    assert_int_equal(text_create(&none, "/nonexistent/font.otf", &why), OW_ENOTFOUND);
    assert_non_null(strstr(why.text, "/nonexistent/font.otf"));
    assert_int_equal(text_create(&none, "/proc/self/exe", &why), OW_ENOTFOUND);
    setenv("OVERWATCH_FONT", "/nonexistent/other.otf", 1);
    assert_int_equal(text_create(&none, NULL, &why), OW_ENOTFOUND);
    assert_non_null(strstr(why.text, "other.otf"));
    unsetenv("OVERWATCH_FONT");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_do_not_jump),
        cmocka_unit_test(names_of_the_world_are_shown),
        cmocka_unit_test(drawn_where_it_was_measured),
        cmocka_unit_test(malformed_names_show_replacement_characters),
        cmocka_unit_test(the_cache_starts_anew_when_full),
        cmocka_unit_test(a_font_that_is_none_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
