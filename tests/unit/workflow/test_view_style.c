#include "core/metadata.h"
#include "workflow/view_style.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_told(const struct xray_style *style, const char *expected)
{
    struct shared_text *look = NULL;
    view_style_tell(style, &look);
    assert_non_null(look);
    assert_string_equal(look->text, expected);
    shared_text_unref(&look);
}

static void what_the_user_has_chosen_is_told(void **state)
{
    (void)state;
    struct xray_style style;
    xray_style_default(&style);
    assert_int_equal(view_style_hides(&style), 0);
    assert_told(&style, "{\"color_scheme\":\"default\",\"colors\":[],\"hides\":[],"
                        "\"min_confidence\":0.0}");
    style.show_boxes = style.show_track_ids = style.show_zones = style.show_masks = false;
    style.min_confidence = 0.5F;
    style.custom[0] = (struct xray_custom_color){"car", {255, 136, 0}};
    style.custom[1] = (struct xray_custom_color){"7", {0, 1, 2}};
    style.custom_count = 2;
    assert_int_equal(view_style_hides(&style), METADATA_HIDES_BOXES | METADATA_HIDES_TRACKS);
    assert_told(&style, "{\"color_scheme\":\"default\",\"colors\":[[\"car\",\"#ff8800\"],"
                        "[\"7\",\"#000102\"]],\"hides\":[\"boxes\",\"tracks\",\"zones\"],"
                        "\"min_confidence\":0.5}");
    style.show_contours = style.show_labels = style.show_confidence = false;
    style.scheme = XRAY_SCHEME_NEON; /* which takes no colours */
    assert_told(&style, "{\"color_scheme\":\"neon\",\"colors\":[],\"hides\":[\"boxes\",\"names\","
                        "\"confidence\",\"tracks\",\"masks\",\"zones\"],\"min_confidence\":0.5}");
}

static void what_says_the_same_stays(void **state)
{
    (void)state;
    struct xray_style style;
    struct shared_text *look = NULL;
    xray_style_default(&style);
    view_style_tell(&style, &look);
    const struct shared_text *first = look;
    style.line_thickness++; /* of no interest to others */
    view_style_tell(&style, &look);
    assert_ptr_equal(look, first);
    style.scheme = XRAY_SCHEME_THERMAL;
    struct shared_text *held = shared_text_ref(look); /* so that its place is not taken */
    view_style_tell(&style, &look);
    assert_ptr_not_equal(look, held);
    shared_text_unref(&held);
    shared_text_unref(&look);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_user_has_chosen_is_told),
        cmocka_unit_test(what_says_the_same_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
