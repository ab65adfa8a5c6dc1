#include "record/record_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { S = 1000000 };

static struct record_plan plan_of(enum record_when when)
{
    return (struct record_plan){
        .rules = {.when = when, .before_us = 5 * S, .after_us = 10 * S, .max_us = 60 * S}};
}

static void by_hand_nothing_else_counts(void **state)
{
    (void)state;
    struct record_plan plan = plan_of(RECORD_BY_HAND);
    assert_false(record_plan_needs_pictures(&plan));
    assert_false(record_plan_wants(&plan, 100 * S));
    plan.by_hand = true;
    assert_true(record_plan_needs_pictures(&plan));
    assert_true(record_plan_wants(&plan, 100 * S));
    assert_int_equal(record_plan_ring_from(&plan, 100 * S), 100 * S); /* nothing from before */
}

static void an_event_lasts_and_the_next_one_longer(void **state)
{
    (void)state;
    struct record_plan plan = plan_of(RECORD_EVENTS);
    assert_true(record_plan_needs_pictures(&plan)); /* for the ring */
    assert_false(record_plan_wants(&plan, 100 * S));
    assert_int_equal(record_plan_ring_from(&plan, 100 * S), 95 * S);
    record_plan_event(&plan, 100 * S);
    assert_true(record_plan_wants(&plan, 100 * S));
    assert_true(record_plan_wants(&plan, 110 * S - 1));
    assert_false(record_plan_wants(&plan, 110 * S));
    record_plan_event(&plan, 109 * S);
    assert_true(record_plan_wants(&plan, 119 * S - 1));
    record_plan_event(&plan, 101 * S); /* told late: it takes nothing back */
    assert_true(record_plan_wants(&plan, 119 * S - 1));
    assert_false(record_plan_wants(&plan, 119 * S));
}

static void a_file_has_an_end(void **state)
{
    (void)state;
    struct record_plan plan = plan_of(RECORD_ALWAYS);
    assert_true(record_plan_wants(&plan, 0));
    assert_false(record_plan_is_full(&plan, 1000 * S)); /* none is open */
    plan.open = true;
    plan.begun_us = 100 * S;
    assert_false(record_plan_is_full(&plan, 160 * S - 1));
    assert_true(record_plan_is_full(&plan, 160 * S));
    plan.rules.max_us = 0;
    assert_false(record_plan_is_full(&plan, 1000000LL * S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand_nothing_else_counts),
        cmocka_unit_test(an_event_lasts_and_the_next_one_longer),
        cmocka_unit_test(a_file_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
