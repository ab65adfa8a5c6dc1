#include "source/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_plays_at_speed(void **state)
{
    (void)state;
    struct timeline timeline = {.speed = 2, .interval_us = 20000};
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(timeline_due(&timeline, 7000000 + i * 40000, 500), 500 + i * 20000);
}

static void test_loop_follows_on(void **state)
{
    (void)state;
    struct timeline timeline = {.speed = 1, .interval_us = 40000};
    assert_int_equal(timeline_due(&timeline, 0, 100), 100);
    assert_int_equal(timeline_due(&timeline, 40000, 100), 40100);
    assert_int_equal(timeline_due(&timeline, 0, 40200), 80100); /* the first again */
    assert_int_equal(timeline_due(&timeline, 40000, 40200), 120100);
    assert_int_equal(timeline_due(&timeline, 90000000, 120200), 160100); /* a cut */
}

static void test_far_behind_starts_anew(void **state)
{
    (void)state;
    struct timeline timeline = {.speed = 1, .interval_us = 40000};
    timeline_due(&timeline, 0, 0);
    assert_int_equal(timeline_due(&timeline, 40000, 300000), 40000); /* a little: it catches up */
    assert_int_equal(timeline_due(&timeline, 80000, 3000000), 3000000);
    assert_int_equal(timeline_due(&timeline, 120000, 3000000), 3040000);
}

static void test_lateness(void **state)
{
    (void)state;
    struct lateness lateness = {0};
    /* A backlog at the opening comes faster than it was made: nothing of it counts as late. */
    for (int64_t i = 0; i < 30; i++)
        assert_int_equal(lateness_of(&lateness, i * 33333, 5000000 + i * 1000), 0);
    int64_t base_us = 5000000 + 29 * 1000 - 29 * 33333;
    for (int64_t i = 30; i < 60; i++)
        assert_in_range(lateness_of(&lateness, i * 33333, base_us + i * 33333), 0, 20);
    assert_in_range(lateness_of(&lateness, 60 * 33333, base_us + 60 * 33333 + 250000), 249000,
                    250000);
    assert_int_equal(lateness_of(&lateness, 10, 9000000), 0); /* the sender started again */
}

static void test_lateness_follows_a_slow_clock(void **state)
{
    (void)state;
    struct lateness lateness = {0};
    int64_t late_us = 0;
    for (int64_t i = 0; i < 100000; i++) /* an hour, 100 parts in a million slow */
        late_us = lateness_of(&lateness, i * 33333, i * 33336);
    assert_in_range(late_us, 0, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plays_at_speed),
        cmocka_unit_test(test_loop_follows_on),
        cmocka_unit_test(test_far_behind_starts_anew),
        cmocka_unit_test(test_lateness),
        cmocka_unit_test(test_lateness_follows_a_slow_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
