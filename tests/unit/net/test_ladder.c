#include "net/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SECOND = 1000000, TICK = 100000 };

static const struct ladder_settings two_megabits = {
    .min_bps = 100000, .start_bps = 2000000, .max_bps = 2000000, .adaptive = true};

/* A viewer with a steady target, reviewed every 100 ms; returns how often its rung changed. */
static int live(struct ladder *ladder, struct ladder_viewer *viewer, int64_t *now_us,
                int64_t duration_us, int target_bps)
{
    int changes = ladder_set_target(ladder, viewer, *now_us, target_bps);
    for (int64_t end_us = *now_us + duration_us; *now_us < end_us;) {
        *now_us += TICK;
        changes += ladder_review(ladder, viewer, *now_us);
    }
    return changes;
}

static struct rendition_plan plan_of(const struct ladder *ladder, int rung, int least_bps)
{
    struct rendition_plan plan;
    ladder_plan(ladder, rung, least_bps, &plan);
    return plan;
}

static void a_lone_viewer_drives_the_encoder(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer viewer = {0};
    int64_t now_us = SECOND;
    ladder_init(&ladder, &two_megabits);
    assert_false(ladder_is_lone(&ladder));
    assert_int_equal(plan_of(&ladder, 0, 0).viewers, 0);
    ladder_join(&ladder, &viewer, now_us);
    assert_true(ladder_is_lone(&ladder));
    static const int targets[] = {2000000, 1234567, 700000, 100000, 30000, 1999999};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        assert_int_equal(live(&ladder, &viewer, &now_us, 20 * SECOND, targets[i]), 0);
        struct rendition_plan plan = plan_of(&ladder, 0, targets[i]);
        assert_int_equal(viewer.rung, 0);
        assert_int_equal(plan.viewers, 1);
        assert_int_equal(plan.target_bps, targets[i]);
        assert_true(plan.width_part == 0 && plan.max_fps == 0);
    }
    ladder_leave(&ladder, &viewer);
    assert_int_equal(plan_of(&ladder, 0, 0).viewers, 0);
}

static void each_of_several_gets_what_its_path_takes(void **state)
{
    (void)state;
    static const struct {
        int target_bps, rung;
    } cases[] = {{2000000, 0}, {1850000, 0}, {1600000, 1}, {800000, 1},
                 {750000, 2},  {320000, 2},  {290000, 3},  {30000, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ladder ladder;
        struct ladder_viewer other = {0}, viewer = {0};
        int64_t now_us = SECOND;
        ladder_init(&ladder, &two_megabits);
        ladder_join(&ladder, &other, now_us);
        ladder_join(&ladder, &viewer, now_us);
        assert_false(ladder_is_lone(&ladder));
        assert_int_equal(viewer.rung, 0);
        /* down at once, and then nothing more */
        assert_int_equal(ladder_set_target(&ladder, &viewer, now_us, cases[i].target_bps),
                         cases[i].rung != 0);
        assert_int_equal(viewer.rung, cases[i].rung);
        assert_int_equal(live(&ladder, &viewer, &now_us, 60 * SECOND, cases[i].target_bps), 0);
        /* the other one is not touched */
        assert_false(ladder_review(&ladder, &other, now_us));
        assert_int_equal(plan_of(&ladder, 0, 2000000).target_bps, 2000000);
        assert_int_equal(plan_of(&ladder, 0, 2000000).viewers, 1 + (cases[i].rung == 0));
    }
}

static void shared_rungs_have_their_rate_and_survival_follows_the_slowest(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer viewers[4] = {{0}};
    static const int targets[] = {2000000, 900000, 400000, 60000};
    ladder_init(&ladder, &two_megabits);
    for (int i = 0; i < 4; i++)
        ladder_join(&ladder, &viewers[i], SECOND);
    for (int i = 0; i < 4; i++) {
        ladder_set_target(&ladder, &viewers[i], SECOND, targets[i]);
        assert_int_equal(viewers[i].rung, i);
    }
    struct rendition_plan first = plan_of(&ladder, 0, 2000000);
    struct rendition_plan second = plan_of(&ladder, 1, 900000);
    struct rendition_plan third = plan_of(&ladder, 2, 400000);
    struct rendition_plan last = plan_of(&ladder, LADDER_SURVIVAL, 60000);
    assert_int_equal(first.target_bps, 2000000);
    assert_int_equal(second.target_bps, 800000);
    assert_int_equal(third.target_bps, 320000);
    assert_int_equal(last.target_bps, 60000);
    assert_true(first.width_part == 0);
    assert_true(second.width_part > 0.6 && second.width_part < 0.7);
    assert_true(third.width_part > 0.45 && third.width_part < 0.55);
    assert_true(last.width_part > 0 && last.width_part <= third.width_part);
    /* never more than the lowest shared one, and never more than the slowest takes */
    assert_int_equal(plan_of(&ladder, LADDER_SURVIVAL, 340000).target_bps, 320000);
    assert_int_equal(plan_of(&ladder, 1, 770000).target_bps, 770000);
}

static void a_better_rung_is_taken_with_patience(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer other = {0}, viewer = {0};
    int64_t now_us = SECOND;
    ladder_init(&ladder, &two_megabits);
    ladder_join(&ladder, &other, now_us);
    ladder_join(&ladder, &viewer, now_us);
    ladder_set_target(&ladder, &viewer, now_us, 400000);
    assert_int_equal(viewer.rung, 2);
    assert_int_equal(live(&ladder, &viewer, &now_us, 30 * SECOND, 870000), 0);
    assert_int_equal(live(&ladder, &viewer, &now_us, SECOND, 890000), 0);
    /* a moment below starts the wait anew */
    assert_int_equal(live(&ladder, &viewer, &now_us, TICK, 700000), 0);
    assert_int_equal(live(&ladder, &viewer, &now_us, SECOND, 890000), 0);
    assert_int_equal(live(&ladder, &viewer, &now_us, SECOND, 890000), 1);
    assert_int_equal(viewer.rung, 1);
    /* the best one is at the limit of the rate control, and is reached all the same */
    assert_int_equal(live(&ladder, &viewer, &now_us, 2 * SECOND, 2000000), 1);
    assert_int_equal(viewer.rung, 0);
    /* from the bottom to the top in one change */
    ladder_set_target(&ladder, &viewer, now_us, 50000);
    assert_int_equal(viewer.rung, LADDER_SURVIVAL);
    assert_int_equal(live(&ladder, &viewer, &now_us, 4 * SECOND, 2000000), 1);
    assert_int_equal(viewer.rung, 0);
}

/* Headers and repair take their part of what a path takes, so no target is ever max_bps. */
static void headers_keep_nobody_from_the_best_rung(void **state)
{
    (void)state;
    static const int limits[] = {200000, 500000, 2000000, 10000000};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct ladder_settings settings = {
            .start_bps = limits[i], .max_bps = limits[i], .adaptive = true};
        struct ladder ladder;
        struct ladder_viewer other = {0}, viewer = {0};
        int64_t now_us = SECOND;
        int most = (int)(0.91 * limits[i]);
        ladder_init(&ladder, &settings);
        ladder_join(&ladder, &other, now_us);
        ladder_join(&ladder, &viewer, now_us);
        assert_int_equal(live(&ladder, &viewer, &now_us, 10 * SECOND, most), 0);
        assert_int_equal(viewer.rung, 0);
        assert_int_equal(plan_of(&ladder, 0, most).target_bps, most);
        assert_int_equal(live(&ladder, &viewer, &now_us, SECOND, limits[i] / 2), 1);
        assert_int_equal(live(&ladder, &viewer, &now_us, 4 * SECOND, most), 1);
        assert_int_equal(viewer.rung, 0);
    }
}

static void failed_climbs_become_rare(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer other = {0}, viewer = {0};
    int64_t now_us = SECOND;
    ladder_init(&ladder, &two_megabits);
    ladder_join(&ladder, &other, now_us);
    ladder_join(&ladder, &viewer, now_us);
    ladder_set_target(&ladder, &viewer, now_us, 400000);
    /* a path that looks like a megabit from below and like half of one from above */
    int changes = 0;
    for (int64_t end_us = now_us + 120 * (int64_t)SECOND; now_us < end_us;)
        changes += live(&ladder, &viewer, &now_us, TICK, viewer.rung == 2 ? 1000000 : 500000);
    assert_in_range(changes, 6, 20); /* without the growing patience: 150 */
    /* after a long good time it is quick again */
    live(&ladder, &viewer, &now_us, 60 * SECOND, 1000000);
    assert_int_equal(viewer.rung, 1);
    assert_int_equal(live(&ladder, &viewer, &now_us, TICK, 500000), 1);
    assert_int_equal(live(&ladder, &viewer, &now_us, 2 * SECOND, 1000000), 1);
}

static void who_is_left_alone_switches_once(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer other = {0}, viewer = {0};
    int64_t now_us = SECOND;
    ladder_init(&ladder, &two_megabits);
    ladder_join(&ladder, &viewer, now_us);
    live(&ladder, &viewer, &now_us, 5 * SECOND, 600000);
    assert_int_equal(viewer.rung, 0);
    ladder_join(&ladder, &other, now_us);
    /* until it has moved, the rung does not outrun its path */
    assert_int_equal(plan_of(&ladder, 0, 600000).target_bps, 600000);
    assert_true(ladder_review(&ladder, &viewer, now_us));
    assert_int_equal(viewer.rung, 2);
    assert_int_equal(plan_of(&ladder, 2, 600000).target_bps, 320000);
    /* the other's page is loaded anew, again and again: nothing changes for this one */
    for (int i = 0; i < 20; i++) {
        ladder_leave(&ladder, &other);
        assert_int_equal(live(&ladder, &viewer, &now_us, SECOND, 600000), 0);
        assert_true(ladder_is_lone(&ladder));
        assert_int_equal(plan_of(&ladder, 2, 600000).target_bps, 600000); /* it follows */
        ladder_join(&ladder, &other, now_us);
        assert_int_equal(live(&ladder, &viewer, &now_us, SECOND, 600000), 0);
        assert_int_equal(plan_of(&ladder, 2, 600000).target_bps, 320000);
    }
    ladder_leave(&ladder, &other);
    assert_int_equal(live(&ladder, &viewer, &now_us, 10 * SECOND, 600000), 1);
    assert_int_equal(viewer.rung, 0);
    assert_int_equal(plan_of(&ladder, 0, 600000).target_bps, 600000);
    assert_true(plan_of(&ladder, 0, 600000).width_part == 0);
}

static void pointless_rungs_are_left_out(void **state)
{
    (void)state;
    static const struct {
        struct ladder_settings settings;
        int rates[RENDITION_SHARED];
    } cases[] = {
        {{.max_bps = 500000, .adaptive = true}, {500000, 200000, 0}},
        {{.max_bps = 200000, .adaptive = true}, {200000, 0, 0}},
        {{.max_bps = 50000, .adaptive = true}, {50000, 0, 0}},
        {{.max_bps = 5000000, .adaptive = true, .rung_count = 2}, {5000000, 2000000, 0}},
        {{.max_bps = 5000000, .adaptive = true, .rung_count = 1}, {5000000, 0, 0}},
        {{.max_bps = 1000000, .adaptive = true, .rungs = {{1, 1}, {0.9, 1}, {0.5, 1}}},
         {1000000, 0, 500000}},
        {{.max_bps = 1000000, .adaptive = true, .rungs = {{0.8, 1}, {0.3, 1}, {0.2, 1}}},
         {800000, 300000, 200000}},
        {{.max_bps = 1000000, .adaptive = true, .rung_count = 99, .rungs = {{7, 1}, {-1, 1}}},
         {1000000, 400000, 160000}},
        {{.max_bps = 5000000}, {5000000, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ladder ladder;
        ladder_init(&ladder, &cases[i].settings);
        for (int rung = 0; rung < RENDITION_SHARED; rung++)
            assert_int_equal(ladder.rates_bps[rung], cases[i].rates[rung]);
    }
    /* with one rendition, the others get the one that follows them */
    struct ladder ladder;
    struct ladder_viewer other = {0}, viewer = {0};
    struct ladder_settings one = two_megabits;
    one.rung_count = 1;
    ladder_init(&ladder, &one);
    ladder_join(&ladder, &other, SECOND);
    ladder_join(&ladder, &viewer, SECOND);
    assert_true(ladder_set_target(&ladder, &viewer, SECOND, 1500000));
    assert_int_equal(viewer.rung, LADDER_SURVIVAL);
    assert_int_equal(plan_of(&ladder, LADDER_SURVIVAL, 1500000).target_bps, 1500000);
    assert_true(plan_of(&ladder, LADDER_SURVIVAL, 1500000).width_part == 0);
}

static void a_viewer_starts_on_the_rung_of_the_start_rate(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer viewers[2] = {{0}};
    struct ladder_settings settings = two_megabits;
    settings.start_bps = 500000;
    ladder_init(&ladder, &settings);
    ladder_join(&ladder, &viewers[0], SECOND);
    ladder_join(&ladder, &viewers[1], SECOND);
    assert_int_equal(viewers[0].rung, 0);
    assert_int_equal(viewers[1].rung, 2);
    assert_int_equal(viewers[1].target_bps, 500000);
}

static void without_adaption_nothing_moves(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer viewers[2] = {{0}};
    struct ladder_settings fixed = two_megabits;
    int64_t now_us = SECOND;
    fixed.adaptive = false;
    ladder_init(&ladder, &fixed);
    ladder_join(&ladder, &viewers[0], now_us);
    assert_false(ladder_is_lone(&ladder));
    ladder_join(&ladder, &viewers[1], now_us);
    assert_int_equal(live(&ladder, &viewers[1], &now_us, 20 * SECOND, 30000), 0);
    assert_int_equal(viewers[1].rung, 0);
    assert_int_equal(plan_of(&ladder, 0, 30000).target_bps, 2000000);
    assert_int_equal(plan_of(&ladder, 0, 30000).viewers, 2);
}

static void other_settings_are_followed(void **state)
{
    (void)state;
    struct ladder ladder;
    struct ladder_viewer fast = {0}, slow = {0};
    int64_t now_us = SECOND;
    ladder_init(&ladder, &two_megabits);
    ladder_join(&ladder, &fast, now_us);
    ladder_join(&ladder, &slow, now_us);
    live(&ladder, &fast, &now_us, 5 * SECOND, 2000000);
    live(&ladder, &slow, &now_us, 5 * SECOND, 900000);
    assert_int_equal(fast.rung, 0);
    assert_int_equal(slow.rung, 1);
    assert_int_equal(plan_of(&ladder, 1, 900000).target_bps, 800000);

    struct ladder_settings half = two_megabits;
    half.start_bps = half.max_bps = 1000000;
    ladder_configure(&ladder, &half);
    assert_int_equal(plan_of(&ladder, 0, 1000000).target_bps, 1000000);
    assert_int_equal(plan_of(&ladder, 1, 900000).target_bps, 400000);
    assert_int_equal(ladder.viewers[0] + ladder.viewers[1], 2); /* nobody was lost */

    half.rung_count = 1; /* the one below is no more */
    ladder_configure(&ladder, &half);
    assert_true(ladder_review(&ladder, &slow, now_us));
    assert_int_equal(slow.rung, LADDER_SURVIVAL);
    assert_false(ladder_review(&ladder, &fast, now_us));

    half.adaptive = false;
    ladder_configure(&ladder, &half);
    assert_true(ladder_review(&ladder, &slow, now_us));
    assert_int_equal(slow.rung, 0);
    assert_int_equal(plan_of(&ladder, 0, 100000).target_bps, 1000000);
}

static void limits_leave_a_fixed_rate_room(void **state)
{
    (void)state;
    struct ladder_settings settings = two_megabits;
    struct ladder_limits limits = ladder_limits(&settings);
    assert_int_equal(limits.min_bps, 100000);
    assert_int_equal(limits.max_bps, 2000000);
    settings.adaptive = false;
    limits = ladder_limits(&settings);
    assert_int_equal(limits.min_bps, limits.max_bps);
    assert_true(limits.start_bps > 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_viewer_drives_the_encoder),
        cmocka_unit_test(each_of_several_gets_what_its_path_takes),
        cmocka_unit_test(shared_rungs_have_their_rate_and_survival_follows_the_slowest),
        cmocka_unit_test(a_better_rung_is_taken_with_patience),
        cmocka_unit_test(headers_keep_nobody_from_the_best_rung),
        cmocka_unit_test(failed_climbs_become_rare),
        cmocka_unit_test(who_is_left_alone_switches_once),
        cmocka_unit_test(pointless_rungs_are_left_out),
        cmocka_unit_test(a_viewer_starts_on_the_rung_of_the_start_rate),
        cmocka_unit_test(without_adaption_nothing_moves),
        cmocka_unit_test(other_settings_are_followed),
        cmocka_unit_test(limits_leave_a_fixed_rate_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
