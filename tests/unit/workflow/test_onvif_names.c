#include "workflow/onvif_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void classes_of_models_have_onvif_s_names(void **state)
{
    (void)state;
    assert_string_equal(onvif_name_find("person")->type, "Human");
    assert_null(onvif_name_find("person")->vehicle);
    assert_string_equal(onvif_name_find("Car")->type, "Vehicle");
    assert_string_equal(onvif_name_find("Car")->vehicle, "Car");
    assert_string_equal(onvif_name_find("motorcycle")->vehicle, "Motorcycle");
    assert_string_equal(onvif_name_find("zebra")->type, "Animal");
    assert_null(onvif_name_find("potted plant"));
    assert_null(onvif_name_find("cart")); /* whole names only */
    assert_null(onvif_name_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_of_models_have_onvif_s_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
