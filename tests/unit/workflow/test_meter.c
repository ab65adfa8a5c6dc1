#include "workflow/meter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t now_us;

/* Events this far apart, for so many seconds. */
static void run(struct meter *meter, int64_t apart_us, double seconds)
{
    int64_t end_us = now_us + (int64_t)(seconds * 1e6);
    while (now_us + apart_us <= end_us)
        meter_count(meter, now_us += apart_us);
}

static void assert_rate(struct meter *meter, double expected)
{
    double rate = meter_rate(meter, now_us);
    if (fabs(rate - expected) > 0.02 * expected)
        fail_msg("%.3f a second instead of %.3f", rate, expected);
}

static void any_rate_is_told(void **state)
{
    (void)state;
    static const double rates[] = {240, 60, 29.97, 5, 1.5, 1, 0.5, 0.25, 0.1, 0.05};
    for (int i = 0; i < 10; i++) {
        struct meter meter = {0};
        now_us = 1000000;
        run(&meter, (int64_t)(1e6 / rates[i]), 3 + 3 / rates[i]);
        assert_rate(&meter, rates[i]);
        now_us += (int64_t)(0.9e6 / rates[i]); /* just before the next one */
        assert_rate(&meter, rates[i]);
    }
}

static void what_stops_has_no_rate(void **state)
{
    (void)state;
    struct meter meter = {0};
    now_us = 1000000;
    assert_true(meter_rate(&meter, now_us) <= 0);
    run(&meter, 33333, 5);
    double last = meter_rate(&meter, now_us);
    for (int i = 0; i < 40; i++) {
        double rate = meter_rate(&meter, now_us += 100000);
        assert_true(rate <= last);
        last = rate;
    }
    assert_true(last <= 0);
    run(&meter, 33333, 2.5); /* the pause does not count */
    assert_rate(&meter, 30);
}

static void a_rate_may_change(void **state)
{
    (void)state;
    struct meter meter = {0};
    now_us = 1000000;
    run(&meter, 33333, 3);
    run(&meter, 5000000, 20);
    assert_rate(&meter, 0.2);
    run(&meter, 33333, 3);
    assert_rate(&meter, 30);
}

static void lots_are_summed(void **state)
{
    (void)state;
    struct meter meter = {0};
    now_us = 1000000;
    for (int i = 0; i < 100; i++)
        meter_add(&meter, now_us += 40000, i % 25 == 0 ? 25000 : 1000);
    assert_true(fabs(meter_rate(&meter, now_us) - 49000) < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_rate_is_told),
        cmocka_unit_test(what_stops_has_no_rate),
        cmocka_unit_test(a_rate_may_change),
        cmocka_unit_test(lots_are_summed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
