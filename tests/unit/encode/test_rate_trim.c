#include "encode/rate_trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* An encoder that makes `part` of what it is told, for some pictures; returns what it made at the
 * end as a part of the wanted rate. */
static double run(struct rate_trim *trim, double part, int pictures)
{
    double made = 0;
    for (int i = 0; i < pictures; i++) {
        made = part * trim->factor;
        rate_trim_add(trim, (size_t)(made * 1000000 / 30 / 8), 1000000, 30);
    }
    return made;
}

static bool about(double a, double b)
{
    return a > b - 0.025 && a < b + 0.025;
}

static void what_is_left_is_made_up_for(void **state)
{
    (void)state;
    struct rate_trim trim;
    rate_trim_reset(&trim);
    assert_true(about(run(&trim, 0.8, 10), 0.8)); /* not at once */
    assert_true(about(run(&trim, 0.8, 90), 0.97));
    assert_true(about(run(&trim, 0.9, 150), 0.97));
    assert_true(about(run(&trim, 1.1, 150), 1.1)); /* never told less than is wanted */
    assert_true(about(trim.factor, 1));
}

static void it_has_bounds(void **state)
{
    (void)state;
    struct rate_trim trim;
    rate_trim_reset(&trim);
    run(&trim, 0.65, 150);
    assert_true(about(trim.factor, RATE_TRIM_MOST));
    /* A still picture needs little; when it moves again the rate is not exceeded. */
    run(&trim, 0.1, 150);
    assert_true(about(trim.factor, 1));
    rate_trim_reset(&trim);
    assert_true(trim.factor == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_made_up_for),
        cmocka_unit_test(it_has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
