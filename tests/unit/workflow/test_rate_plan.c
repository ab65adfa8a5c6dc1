#include "workflow/rate_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND = 1000000, PICTURE = 33333 };

static const struct rate_plan_input footage = {.width = 960, .height = 540, .fps = 30};

struct run {
    struct rate_plan plan;
    struct rate_plan_input input;
    struct rate_plan_output now;
    int64_t now_us;
    int sizes; /* how often the size changed, without the first */
};

static void begin(struct run *run, const struct rate_plan_input *input, int target_bps)
{
    *run = (struct run){.input = *input, .now_us = SECOND};
    run->input.target_bps = target_bps;
    rate_plan_update(&run->plan, run->now_us, &run->input, &run->now);
}

static void step(struct run *run, int target_bps)
{
    int before = run->now.width;
    run->now_us += PICTURE;
    run->input.target_bps = target_bps;
    rate_plan_update(&run->plan, run->now_us, &run->input, &run->now);
    run->sizes += run->now.width != before;
}

static void last(struct run *run, double seconds, int target_bps)
{
    for (int64_t end_us = run->now_us + (int64_t)(seconds * SECOND); run->now_us < end_us;)
        step(run, target_bps);
}

static void a_rate_has_a_size_and_a_picture_rate(void **state)
{
    (void)state;
    static const struct {
        int bps, width_min, width_max;
        double fps_min, fps_max;
    } cases[] = {
        {2000000, 960, 960, 30, 30}, {500000, 960, 960, 30, 30}, {350000, 480, 720, 30, 30},
        {200000, 480, 480, 15, 30},  {100000, 320, 480, 10, 15}, {60000, 240, 480, 5, 15},
        {30000, 200, 360, 3, 10},    {15000, 160, 240, 1, 3},    {5000, 100, 240, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run;
        begin(&run, &footage, cases[i].bps);
        assert_in_range(run.now.width, cases[i].width_min, cases[i].width_max);
        assert_true(run.now.fps >= cases[i].fps_min && run.now.fps <= cases[i].fps_max);
    }
}

static void less_rate_is_never_more_picture(void **state)
{
    (void)state;
    static const struct rate_plan_input inputs[] = {
        {.width = 3840, .height = 2160, .fps = 30}, {.width = 1920, .height = 1080, .fps = 25},
        {.width = 1280, .height = 720, .fps = 60},  {.width = 720, .height = 1280, .fps = 30},
        {.width = 321, .height = 181, .fps = 12.5}, {.width = 64, .height = 4096, .fps = 5},
        {.width = 4096, .height = 16, .fps = 1},    {.width = 960, .height = 540, .fps = 0.3},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct rate_plan_output before = {inputs[i].width, inputs[i].fps};
        for (int bps = 50000000; bps > 1000; bps -= bps / 50) {
            struct run run;
            begin(&run, &inputs[i], bps);
            assert_in_range(run.now.width, 16, before.width);
            assert_true(run.now.width == inputs[i].width || run.now.width % 2 == 0);
            assert_true(run.now.fps <= before.fps);
            assert_true(run.now.fps >= (inputs[i].fps < 1 ? inputs[i].fps : 1));
            before = run.now;
        }
        assert_true(before.fps <= 1); /* one a second, and no less */
    }
}

static void motion_stays_even(void **state)
{
    (void)state;
    for (int bps = 1000000; bps > 1000; bps -= bps / 20) {
        struct run run;
        struct rate_plan_input input = footage;
        input.fps = 25;
        begin(&run, &input, bps);
        double every = input.fps / run.now.fps;
        assert_true(every > 0.999 && every - (int)(every + 0.001) < 0.002);
    }
}

static void a_fall_takes_effect_with_the_next_picture(void **state)
{
    (void)state;
    struct run run;
    begin(&run, &footage, 2000000);
    last(&run, 10, 2000000);
    assert_int_equal(run.now.width, 960);
    step(&run, 200000);
    assert_int_equal(run.now.width, 480);
    assert_int_equal(run.sizes, 1);
    step(&run, 20000);
    assert_true(run.now.width <= 240 && run.now.fps <= 5);
}

static void a_moment_a_little_below_changes_nothing(void **state)
{
    (void)state;
    struct run run;
    begin(&run, &footage, 500000);
    for (int i = 0; i < 20; i++) {
        last(&run, 0.4, 380000);
        last(&run, 0.4, 500000);
    }
    assert_int_equal(run.sizes, 0);
    last(&run, 0.7, 380000);
    assert_int_equal(run.sizes, 1);
    assert_in_range(run.now.width, 480, 720);
}

static void a_better_size_is_taken_with_patience(void **state)
{
    (void)state;
    struct run run;
    begin(&run, &footage, 350000);
    int small = run.now.width;
    assert_true(small < 960);
    last(&run, 30, 415000); /* more, but not enough more */
    assert_int_equal(run.now.width, small);
    last(&run, 1.5, 600000);
    assert_int_equal(run.now.width, small);
    last(&run, 1.5, 600000);
    assert_int_equal(run.now.width, 960);
    assert_int_equal(run.sizes, 1);
}

static void a_limit_that_is_just_enough_is_not_out_of_reach(void **state)
{
    (void)state;
    struct run run;
    begin(&run, &footage, 500000); /* the preset "balanced" at 960x540 */
    last(&run, 2, 250000);
    assert_true(run.now.width < 960);
    last(&run, 7, 440000);
    assert_true(run.now.width < 960);
    last(&run, 2, 440000);
    assert_int_equal(run.now.width, 960);
    /* and a rate that jumps afterwards is not kept waiting by what was before */
    last(&run, 5, 250000);
    last(&run, 5, 430000);
    last(&run, 1.2, 1500000);
    assert_int_equal(run.now.width, 960);
}

static void a_recovery_costs_one_key_frame_and_is_quick(void **state)
{
    (void)state;
    struct run run;
    begin(&run, &footage, 100000);
    assert_true(run.now.width <= 480);
    last(&run, 0.9, 2000000);
    assert_int_equal(run.sizes, 0);
    last(&run, 0.3, 2000000);
    assert_int_equal(run.sizes, 1);
    assert_int_equal(run.now.width, 960);
    assert_true(run.now.fps > 29);
}

static void a_wavering_rate_costs_few_key_frames(void **state)
{
    (void)state;
    struct run run;
    begin(&run, &footage, 500000);
    srand(7);
    int bps = 500000;
    for (int i = 0; i < 60 * 30; i++) { /* a minute; a new rate every 200 ms */
        if (i % 6 == 0)
            bps = 250000 + rand() % 350000;
        step(&run, bps);
    }
    assert_in_range(run.sizes, 1, 12);
}

static void limits_hold(void **state)
{
    (void)state;
    struct run run;
    struct rate_plan_input input = footage;
    input.width_part = 0.5;
    begin(&run, &input, 5000000);
    assert_int_equal(run.now.width, 480);
    input.width_part = 0.66;
    input.max_fps = 10;
    begin(&run, &input, 5000000);
    assert_in_range(run.now.width, 632, 634);
    assert_true(run.now.fps == 10);
    /* another limit is taken at once */
    run.input.width_part = 0;
    step(&run, 5000000);
    assert_int_equal(run.now.width, 960);
    /* without steps, whatever the rate */
    input = footage;
    input.fixed = true;
    begin(&run, &input, 20000);
    last(&run, 5, 20000);
    assert_int_equal(run.now.width, 960);
    assert_true(run.now.fps == 30);
}

static void a_wavering_picture_rate_is_no_reason_to_resize(void **state)
{
    (void)state;
    struct run run;
    begin(&run, &footage, 430000); /* just good for the full size at 30 fps */
    for (int i = 0; i < 30; i++) {
        run.input.fps = i % 2 ? 30 : 22;
        last(&run, 1, 430000);
    }
    assert_in_range(run.sizes, 0, 2);
    run.input.fps = 60;
    begin(&run, &run.input, 430000);
    assert_true(run.now.fps <= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_has_a_size_and_a_picture_rate),
        cmocka_unit_test(less_rate_is_never_more_picture),
        cmocka_unit_test(motion_stays_even),
        cmocka_unit_test(a_fall_takes_effect_with_the_next_picture),
        cmocka_unit_test(a_moment_a_little_below_changes_nothing),
        cmocka_unit_test(a_better_size_is_taken_with_patience),
        cmocka_unit_test(a_limit_that_is_just_enough_is_not_out_of_reach),
        cmocka_unit_test(a_recovery_costs_one_key_frame_and_is_quick),
        cmocka_unit_test(a_wavering_rate_costs_few_key_frames),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_wavering_picture_rate_is_no_reason_to_resize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
