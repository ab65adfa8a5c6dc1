#include "workflow/meter.h"
#include "workflow/rate_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* How many of ten seconds' pictures pass. */
static int passed(double source_fps, double max_fps)
{
    struct rate_gate gate = {0};
    int count = 0;
    for (int i = 0; i < (int)(10 * source_fps); i++)
        count += rate_gate_pass(&gate, 1000000 + (int64_t)(i * 1e6 / source_fps), max_fps);
    return count;
}

static void a_source_within_the_limit_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(passed(29, 30), 290);
    assert_int_equal(passed(30, 30), 300);
    assert_int_equal(passed(5, 60), 50);
}

static void a_faster_source_is_held_to_the_limit(void **state)
{
    (void)state;
    assert_in_range(passed(60, 30), 295, 301);
    assert_in_range(passed(30, 10), 98, 101);
    assert_in_range(passed(100, 30), 250, 301);
    assert_int_equal(passed(30, 0), 0);
}

static void jitter_at_the_limit_is_forgiven(void **state)
{
    (void)state;
    struct rate_gate gate = {0};
    static const int jitter_us[] = {0, 5000, -5000, 3000, -6000, 0, 7000, -7000};
    for (int i = 0; i < 80; i++)
        assert_true(rate_gate_pass(&gate, 1000000 + i * 33333 + jitter_us[i % 8], 30));
}

static void a_meter_tells_the_rate_of_the_last_second(void **state)
{
    (void)state;
    struct meter meter = {0};
    int64_t now_us = 5000000;
    for (int i = 0; i < 90; i++, now_us += 33333)
        meter_count(&meter, now_us);
    double rate = meter_rate(&meter, now_us);
    assert_true(rate > 29 && rate < 31);
    assert_true(meter_rate(&meter, now_us + 5000000) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_within_the_limit_loses_nothing),
        cmocka_unit_test(a_faster_source_is_held_to_the_limit),
        cmocka_unit_test(jitter_at_the_limit_is_forgiven),
        cmocka_unit_test(a_meter_tells_the_rate_of_the_last_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
