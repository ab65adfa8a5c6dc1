/* Video or vectors, by what a path lets arrive: the bounds, the steps of a probe, and what is none
 * of its business. Whole sessions on a simulated path are in tests/sim. */
#include "rtc/tier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TICK_US = 20000, LOWEST_BPS = 100000, SECOND_US = 1000000 };

/* A path that lets so much arrive of the video, and of padding what there is of it. */
struct path {
    struct tier tier;
    struct tier_input in;
    int64_t now_us;
    int padding;
    int64_t changed_us;
};

static void set_up(struct path *path)
{
    *path = (struct path){.in = {.lowest_bps = LOWEST_BPS, .possible = true}, .now_us = SECOND_US};
    tier_init(&path->tier, path->now_us);
}

static void run(struct path *path, double seconds, int arriving_bps, bool choked)
{
    int64_t end_us = path->now_us + (int64_t)(seconds * SECOND_US);
    for (; path->now_us < end_us; path->now_us += TICK_US) {
        path->in.choked = choked;
        path->in.arrived_bytes += (uint64_t)((int64_t)arriving_bps * TICK_US / 8 / SECOND_US);
        while (tier_wants_padding(&path->tier, path->now_us)) {
            tier_padding_sent(&path->tier, 300);
            path->padding++;
            if (!choked)
                path->in.arrived_bytes += 300;
        }
        if (tier_update(&path->tier, path->now_us, &path->in))
            path->changed_us = path->now_us;
    }
}

static void goes_down_where_the_lowest_video_does_not_pass(void **state)
{
    (void)state;
    struct path path;
    set_up(&path);
    run(&path, 1.9, 30000, true);
    assert_false(path.tier.vector);
    run(&path, 0.5, 30000, true);
    assert_true(path.tier.vector);
    set_up(&path);
    run(&path, 3.5, 60000, true); /* it may be that the path has only just become narrower */
    assert_false(path.tier.vector);
    run(&path, 1, 60000, true);
    assert_true(path.tier.vector);
}

static void stays_where_it_passes_or_nothing_does(void **state)
{
    (void)state;
    struct path path;
    set_up(&path);
    run(&path, 20, 90000, true);
    run(&path, 20, 10000, false); /* a still picture needs no more */
    run(&path, 20, 0, true);      /* an outage */
    assert_false(path.tier.vector || path.tier.narrow);
}

static void says_what_it_would_show(void **state)
{
    (void)state;
    struct path path;
    set_up(&path);
    path.in.possible = false;
    run(&path, 5, 30000, true);
    assert_true(path.tier.narrow && !path.tier.vector);
    run(&path, 3, 30000, false);
    assert_false(path.tier.narrow);
}

static void goes_up_after_a_probe_that_gets_through(void **state)
{
    (void)state;
    struct path path;
    set_up(&path);
    run(&path, 3, 30000, true);
    assert_true(path.tier.vector);
    int64_t down_us = path.changed_us;
    run(&path, 12, 0, false);
    assert_false(path.tier.vector);
    assert_in_range(path.changed_us - down_us, TIER_PROBE_PAUSE_US,
                    TIER_PROBE_PAUSE_US + 2 * SECOND_US);
    assert_int_equal(path.padding, 40);
}

/* A queue ends the first stage at once, and so does what does not arrive: the second is never sent.
 */
static void a_probe_into_a_narrow_path_is_small(void **state)
{
    (void)state;
    struct path path;
    set_up(&path);
    run(&path, 3, 30000, true);
    run(&path, 30, 0, true);
    assert_true(path.tier.vector);
    assert_in_range(path.padding, 8, 7 * 8);
    set_up(&path);
    run(&path, 3, 30000, true);
    path.in.queue_us = 200000;
    run(&path, 30, 1000, true);
    assert_true(path.tier.vector);
    assert_in_range(path.padding, 1, 7 * 8);
}

static void a_mistaken_return_is_tried_later(void **state)
{
    (void)state;
    struct path path;
    int64_t waited_us[3];
    set_up(&path);
    for (int i = 0; i < 3; i++) {
        while (!path.tier.vector)
            run(&path, 0.1, 30000, true);
        int64_t down_us = path.now_us;
        while (path.tier.vector)
            run(&path, 0.1, 0, false);
        waited_us[i] = path.now_us - down_us;
    }
    assert_true(waited_us[1] > waited_us[0] + 3 * SECOND_US);
    assert_true(waited_us[2] > waited_us[1] + 6 * SECOND_US);
    run(&path, 30, 90000, false); /* all is forgotten */
    while (!path.tier.vector)
        run(&path, 0.1, 30000, true);
    int64_t down_us = path.now_us;
    while (path.tier.vector)
        run(&path, 0.1, 0, false);
    assert_true(path.now_us - down_us < waited_us[0] + SECOND_US);
}

/* The page closes its channel, or another model is chosen: there is nothing to draw any more. */
static void goes_up_when_there_is_nothing_to_draw(void **state)
{
    (void)state;
    struct path path;
    set_up(&path);
    run(&path, 3, 30000, true);
    assert_true(path.tier.vector);
    path.in.possible = false;
    run(&path, 0.1, 0, false);
    assert_false(path.tier.vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_down_where_the_lowest_video_does_not_pass),
        cmocka_unit_test(stays_where_it_passes_or_nothing_does),
        cmocka_unit_test(says_what_it_would_show),
        cmocka_unit_test(goes_up_after_a_probe_that_gets_through),
        cmocka_unit_test(a_probe_into_a_narrow_path_is_small),
        cmocka_unit_test(a_mistaken_return_is_tried_later),
        cmocka_unit_test(goes_up_when_there_is_nothing_to_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
