#include "xray/palette.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void text_on_every_color_is_readable(void **state)
{
    (void)state;
    for (int i = 0; i < PALETTE_COLORS; i++) {
        struct rgb color = palette_class(i);
        assert_true(palette_contrast(color, palette_text_on(color)) >= 4.5); /* WCAG AA */
    }
    for (int i = 0; i < 1 << 15; i++) { /* any that users choose */
        struct rgb color = {(uint8_t)(i << 3), (uint8_t)(i >> 5 << 3), (uint8_t)(i >> 10 << 3)};
        assert_true(palette_contrast(color, palette_text_on(color)) >= 4.5);
    }
    assert_true(fabs(palette_contrast((struct rgb){0, 0, 0}, (struct rgb){255, 255, 255}) - 21) <
                0.01);
}

static int distance(struct rgb a, struct rgb b)
{
    return abs(a.r - b.r) + abs(a.g - b.g) + abs(a.b - b.b);
}

static void class_colors_are_distinct_and_stable(void **state)
{
    (void)state;
    for (int i = 0; i < PALETTE_COLORS; i++) {
        for (int j = 0; j < i; j++)
            assert_true(distance(palette_class(i), palette_class(j)) >= 48);
        assert_int_equal(distance(palette_class(i), palette_class(i + PALETTE_COLORS)), 0);
        if (i)
            assert_true(distance(palette_class(i), palette_class(i - 1)) >= 130);
    }
    palette_class(INT_MIN); /* any id */
    palette_class(-1);
}

static void confidence_goes_from_red_to_green(void **state)
{
    (void)state;
    struct rgb low = palette_confidence(0), mid = palette_confidence(0.5f),
               high = palette_confidence(1);
    assert_true(low.r > 200 && low.g < 100);
    assert_true(mid.r > 200 && mid.g > 150 && mid.b < 100);
    assert_true(high.r < 100 && high.g > 150);
    static const float odd[] = {NAN, -1, -INFINITY};
    for (int i = 0; i < 3; i++)
        assert_int_equal(distance(palette_confidence(odd[i]), low), 0);
    assert_int_equal(distance(palette_confidence(INFINITY), high), 0);
    assert_int_equal(distance(palette_confidence(7), high), 0);
}

/* A warmer place never looks darker than a colder one. */
static void thermal_colors_rise(void **state)
{
    (void)state;
    const struct frame frame = {.matrix = COLOR_BT709};
    int last = 0;
    for (int i = 0; i <= 100; i++) {
        int luma = palette_ink(palette_thermal((float)i / 100), &frame).plane[0];
        assert_true(luma >= last);
        last = luma;
    }
    assert_int_equal(distance(palette_thermal(NAN), palette_thermal(0)), 0);
    assert_int_equal(distance(palette_thermal(7), palette_thermal(1)), 0);
}

static void known_classes_have_their_color(void **state)
{
    (void)state;
    struct rgb person, car, none = {1, 2, 3};
    assert_true(palette_known("person", &person));
    assert_true(palette_known("car", &car));
    assert_true(person.r > 200 && car.b > 200);
    assert_false(palette_known("Person", &none));
    assert_false(palette_known("", &none));
    assert_int_equal(none.r, 1);
    palette_neon(INT_MIN); /* any id */
}

static void ink_knows_matrix_and_range(void **state)
{
    (void)state;
    static const struct {
        struct rgb color;
        bool full;
        enum color_matrix matrix;
        uint8_t y, u, v;
    } cases[] = {
        {{0, 0, 0}, false, COLOR_BT601, 16, 128, 128},
        {{255, 255, 255}, false, COLOR_BT709, 235, 128, 128},
        {{0, 0, 0}, true, COLOR_BT709, 0, 128, 128},
        {{255, 255, 255}, true, COLOR_BT601, 255, 128, 128},
        {{255, 0, 0}, false, COLOR_BT601, 81, 90, 240},
        {{255, 0, 0}, false, COLOR_BT709, 63, 102, 240},
        {{0, 0, 255}, false, COLOR_BT601, 41, 240, 110},
        {{0, 255, 0}, false, COLOR_BT709, 173, 42, 26},
        {{255, 0, 0}, true, COLOR_BT601, 76, 85, 255},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct frame frame = {.full_range = cases[i].full, .matrix = cases[i].matrix};
        struct ink ink = palette_ink(cases[i].color, &frame);
        assert_true(abs(ink.plane[0] - cases[i].y) <= 1);
        assert_true(abs(ink.plane[1] - cases[i].u) <= 1);
        assert_true(abs(ink.plane[2] - cases[i].v) <= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_on_every_color_is_readable),
        cmocka_unit_test(class_colors_are_distinct_and_stable),
        cmocka_unit_test(confidence_goes_from_red_to_green),
        cmocka_unit_test(thermal_colors_rise),
        cmocka_unit_test(known_classes_have_their_color),
        cmocka_unit_test(ink_knows_matrix_and_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
