/* Video or vectors (rtc/tier.h), decided by whole sessions on a path that becomes narrow and wide
 * again: vectors within seconds where the lowest video does not pass, video by itself once it does,
 * and never vectors where it passes, or nothing does. */
#include "sim_bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { NARROW_S = 20, WIDE_S = 50, END_S = 75 };

#define KBIT(x) ((int64_t)(x)*1000)

static struct sim_run *run_fall(int64_t before_bps, int64_t narrow_bps, int64_t queue_us)
{
    struct sim_scenario scenario = {.duration_us = END_S * SIM_S,
                                    .seed = sim_seed(),
                                    .forward = sim_link_of(before_bps, 20000),
                                    .backward = sim_link_of(KBIT(10000), 20000),
                                    .flow_count = 1};
    scenario.forward.queue_us = queue_us;
    sim_link_add_step(&scenario.forward, NARROW_S * SIM_S, narrow_bps);
    sim_link_add_step(&scenario.forward, WIDE_S * SIM_S, KBIT(2000));
    scenario.flows[0].vectors = true;
    scenario.flows[0].max_bps = 2000000;
    scenario.flows[0].feedback_us = -1; /* as often as libwebrtc sends it */
    return sim_run_scenario(&scenario);
}

/* Down once, up once; in between what is sent leaves the path to records; afterwards all is well.
 */
static int count_outside(const char *name, const struct sim_run *run, double down_s)
{
    const struct sim_flow_result *result = run->results[0];
    int outside = !sim_in_bounds(name, "changes", result->tier_count, 2, 2);
    double down = (double)result->tiers[0].at_us / 1e6 - NARROW_S;
    double up = (double)result->tiers[1].at_us / 1e6 - WIDE_S;
    double kbps = sim_sent_bps(&result->metrics, (NARROW_S + 6) * SIM_S, WIDE_S * SIM_S) / 1e3;
    double after_kbps = sim_shown_bps(&result->metrics, (END_S - 12) * SIM_S, END_S * SIM_S) / 1e3;
    outside += !sim_in_bounds(name, "vectors after s", down, 1, down_s);
    outside += !sim_in_bounds(name, "video after s", up, 0, 6);
    outside += !sim_in_bounds(name, "kbit/s meanwhile", kbps, 0.5, 20);
    outside += !sim_in_bounds(name, "kbit/s afterwards", after_kbps, 1200, 2000);
    return outside;
}

static void narrow_paths_show_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t before_bps, narrow_bps, queue_us;
        double down_s;
    } cases[] = {
        {"2000 to 24 kbit/s", KBIT(2000), KBIT(24), 300000, 3},
        {"500 to 30 kbit/s", KBIT(500), KBIT(30), 1000000, 3},
        {"a deep queue", KBIT(2000), KBIT(24), 2000000, 3},
        {"12 kbit/s", KBIT(2000), KBIT(12), 500000, 3},
        {"60 kbit/s", KBIT(2000), KBIT(60), 1000000, 5},
    };
    int outside = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sim_run *run = run_fall(cases[i].before_bps, cases[i].narrow_bps, cases[i].queue_us);
        outside += count_outside(cases[i].name, run, cases[i].down_s);
        sim_run_destroy(&run);
    }
    assert_int_equal(outside, 0);
}

/* What carries the lowest video, if barely, shows it; and an outage is none of this. */
static void other_paths_show_video(void **state)
{
    (void)state;
    static const int64_t narrow_bps[] = {KBIT(120), KBIT(300), 0};
    for (size_t i = 0; i < sizeof(narrow_bps) / sizeof(narrow_bps[0]); i++) {
        struct sim_run *run = run_fall(KBIT(2000), narrow_bps[i], 300000);
        assert_int_equal(run->results[0]->tier_count, 0);
        assert_true(run->results[0]->metrics.frames_shown > 20 * 30);
        sim_run_destroy(&run);
    }
}

/* A page that does not say that it draws vectors is sent video whatever the path. */
static void nobody_is_made_to(void **state)
{
    (void)state;
    struct sim_scenario scenario = {.duration_us = 20 * SIM_S,
                                    .seed = sim_seed(),
                                    .forward = sim_link_of(KBIT(30), 20000),
                                    .backward = sim_link_of(KBIT(10000), 20000),
                                    .flow_count = 1};
    struct sim_run *run = sim_run_scenario(&scenario);
    assert_int_equal(run->results[0]->tier_count, 0);
    sim_run_destroy(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(narrow_paths_show_vectors),
        cmocka_unit_test(other_paths_show_video),
        cmocka_unit_test(nobody_is_made_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
