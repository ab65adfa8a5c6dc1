#include "xray/scheme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct label_set *labels;

static int setup(void **state)
{
    (void)state;
    static const char *const names[] = {"person", "car", "7", "widget"};
    return label_set_create(&labels, names, 4);
}

static int teardown(void **state)
{
    (void)state;
    label_set_unref(&labels);
    return 0;
}

static struct rgb color(const struct xray_style *style, int class_id, float confidence)
{
    const struct detection item = {.class_id = class_id, .confidence = confidence};
    return scheme_color(style, labels, &item);
}

static void assert_color(struct rgb got, struct rgb expected)
{
    assert_memory_equal(&got, &expected, sizeof got);
}

static bool are_equal(struct rgb a, struct rgb b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* What a scheme goes by changes the colour, what it does not go by leaves it. */
static void each_scheme_goes_by_its_own(void **state)
{
    (void)state;
    static const bool by_class[] = {true, false, true, false, true, false};
    static const bool by_confidence[] = {false, true, false, true, false, false};
    for (int i = 0; xray_scheme_names[i]; i++) {
        struct xray_style style = {.scheme = (enum xray_scheme)i};
        assert_int_equal(are_equal(color(&style, 0, 0.9f), color(&style, 1, 0.9f)), !by_class[i]);
        assert_int_equal(are_equal(color(&style, 0, 0.9f), color(&style, 0, 0.3f)),
                         !by_confidence[i]);
    }
}

static void well_known_classes_keep_their_color_in_any_model(void **state)
{
    (void)state;
    struct xray_style style = {.scheme = XRAY_SCHEME_CLASS_SPECIFIC};
    struct rgb car;
    assert_true(palette_known("car", &car));
    assert_color(color(&style, 1, 0.9f), car);
    assert_color(color(&style, 3, 0.9f), palette_class(3)); /* nobody knows a widget */
    assert_color(color(&style, 99, 0.9f), palette_class(99));
}

static void a_chosen_color_wins(void **state)
{
    (void)state;
    struct xray_style style = {.custom_count = 3,
                               .custom = {{"car", {1, 2, 3}}, {"3", {4, 5, 6}}, {"77", {7, 8, 9}}}};
    for (int i = 0; i < 2; i++) {
        style.scheme = i ? XRAY_SCHEME_CLASS_SPECIFIC : XRAY_SCHEME_DEFAULT;
        assert_color(color(&style, 1, 0.9f), (struct rgb){1, 2, 3});  /* by name, */
        assert_color(color(&style, 3, 0.9f), (struct rgb){4, 5, 6});  /* by id, */
        assert_color(color(&style, 77, 0.9f), (struct rgb){7, 8, 9}); /* also without a name */
        assert_false(are_equal(color(&style, 0, 0.9f), (struct rgb){1, 2, 3}));
    }
    style.scheme = XRAY_SCHEME_CONFIDENCE;
    assert_color(color(&style, 1, 0.9f), palette_confidence(0.9f));
    style.scheme = XRAY_SCHEME_DEFAULT;
    const struct detection item = {.class_id = 3};
    assert_color(scheme_color(&style, NULL, &item), (struct rgb){4, 5, 6});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheme_goes_by_its_own),
        cmocka_unit_test(well_known_classes_keep_their_color_in_any_model),
        cmocka_unit_test(a_chosen_color_wins),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
