#include "workflow/batch_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SECOND_US = 1000000 };

/* A machine on which n pictures take fixed + n * each. */
struct machine {
    int64_t fixed_us, each_us, now_us;
    int runs[17]; /* by size */
};

/* Runs it with so many always waiting; the size of the last run. */
static int work(struct batch_plan *plan, struct machine *machine, int waiting, int runs)
{
    int size = 0;
    for (int i = 0; i < runs; i++) {
        size = batch_plan_choose(plan, waiting, machine->now_us);
        assert_in_range(size, 1, waiting);
        int64_t took_us = machine->fixed_us + size * machine->each_us;
        machine->now_us += took_us;
        machine->runs[size]++;
        batch_plan_record(plan, size, took_us, machine->now_us);
    }
    return size;
}

static void together_where_it_is_cheap(void **state)
{
    (void)state;
    struct batch_plan plan;
    struct machine gpu = {.fixed_us = 4000, .each_us = 100, .now_us = 5};
    batch_plan_init(&plan, 1, 16);
    assert_int_equal(work(&plan, &gpu, 16, 100), 16);
    assert_int_equal(work(&plan, &gpu, 9, 1), 8); /* what there is, in few sizes */
    assert_int_equal(work(&plan, &gpu, 3, 1), 2);
}

static void one_by_one_where_it_is_not(void **state)
{
    (void)state;
    struct batch_plan plan;
    struct machine cpu = {.fixed_us = 200, .each_us = 20000, .now_us = 5};
    batch_plan_init(&plan, 1, 16);
    assert_int_equal(work(&plan, &cpu, 16, 1000), 1);
    /* 20 s: tried once; and nothing larger, which promises no more. */
    assert_int_equal(cpu.runs[2], BATCH_SAMPLES);
    assert_int_equal(cpu.runs[4] + cpu.runs[8] + cpu.runs[16], 0);
}

/* The rate would rise by a fifth, but all would be older. */
static void latency_goes_before_the_rate(void **state)
{
    (void)state;
    struct batch_plan plan;
    struct machine machine = {.fixed_us = 3000, .each_us = 6000, .now_us = 5};
    batch_plan_init(&plan, 1, 16);
    assert_int_equal(work(&plan, &machine, 2, 100), 1);
}

static void one_alone_is_never_tried_upon(void **state)
{
    (void)state;
    struct batch_plan plan;
    struct machine gpu = {.fixed_us = 4000, .each_us = 100, .now_us = 5};
    batch_plan_init(&plan, 1, 16);
    work(&plan, &gpu, 1, 100);
    assert_int_equal(gpu.runs[1], 100);
}

/* As when a GPU that was busy with something else is free again, and the other way. */
static void what_was_measured_grows_old(void **state)
{
    (void)state;
    struct batch_plan plan;
    struct machine machine = {.fixed_us = 200, .each_us = 10000, .now_us = 5};
    batch_plan_init(&plan, 1, 16);
    assert_int_equal(work(&plan, &machine, 8, 100), 1);
    machine.each_us = 100;
    machine.fixed_us = 10000;
    assert_int_equal(work(&plan, &machine, 8, 1), 1);
    while (machine.now_us < 64 * (int64_t)SECOND_US)
        work(&plan, &machine, 8, 1);
    assert_int_equal(work(&plan, &machine, 8, 100), 8);
    machine.each_us = 10000;
    while (machine.now_us < 200 * (int64_t)SECOND_US)
        work(&plan, &machine, 8, 1);
    assert_int_equal(work(&plan, &machine, 8, 100), 1);
}

static void limits_of_the_model_hold(void **state)
{
    (void)state;
    struct batch_plan plan;
    struct machine gpu = {.fixed_us = 4000, .each_us = 100, .now_us = 5};
    batch_plan_init(&plan, 1, 1);
    assert_int_equal(work(&plan, &gpu, 16, 50), 1);
    batch_plan_init(&plan, 6, 6); /* a fixed batch costs the same, however many there are */
    assert_int_equal(batch_plan_choose(&plan, 16, 5), 6);
    assert_int_equal(batch_plan_choose(&plan, 3, 5), 3);
    batch_plan_init(&plan, 1, 16);
    assert_int_equal(work(&plan, &gpu, 16, 100), 16);
    batch_plan_fail(&plan, 16);
    assert_int_equal(work(&plan, &gpu, 16, 100), 8);
    batch_plan_fail(&plan, 2);
    assert_int_equal(work(&plan, &gpu, 16, 100), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together_where_it_is_cheap),
        cmocka_unit_test(one_by_one_where_it_is_not),
        cmocka_unit_test(latency_goes_before_the_rate),
        cmocka_unit_test(one_alone_is_never_tried_upon),
        cmocka_unit_test(what_was_measured_grows_old),
        cmocka_unit_test(limits_of_the_model_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
