/* Repair: 5 % random loss at a round trip of 50 ms is neither seen nor felt, and loss in bursts is
 * seen rarely. */
#include "sim_bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUND_TRIP_MS = 50, SEEDS = 3 };

static struct sim_run *run_with(const char *name, uint64_t seed, double loss)
{
    struct sim_scenario scenario;
    assert_true(sim_case(name, &scenario));
    scenario.seed = seed;
    scenario.forward.loss = loss;
    return sim_run_scenario(&scenario);
}

static double latency_ms(const struct sim_run *run, double p)
{
    const struct sim_samples *samples = &run->results[0]->metrics.latency;
    return (double)sim_percentile(samples, 10 * SIM_S, 70 * SIM_S, p) / 1e3;
}

/* Against the same run without loss. */
static void random_loss_is_not_felt(void **state)
{
    (void)state;
    int outside = 0;
    for (uint64_t seed = sim_seed(); seed < sim_seed() + SEEDS; seed++) {
        struct sim_run *clean = run_with("loss-5", seed, 0),
                       *lossy = run_with("loss-5", seed, 0.05);
        double added = latency_ms(lossy, 0.95) - latency_ms(clean, 0.95);
        double rate = sim_figure(lossy, SIM_SENT_KBPS, 0, 10, 70, 0);
        double goodput = sim_figure(lossy, SIM_GOODPUT_KBPS, 0, 10, 70, 0);
        outside += !sim_in_bounds("5 % loss", "added p95 ms", added, 20, ROUND_TRIP_MS + 20);
        outside += !sim_in_bounds("5 % loss", "freezes", lossy->results[0]->metrics.freezes, 0, 0);
        outside += !sim_in_bounds("5 % loss", "sent kbit/s", rate, 1850, 2100);
        outside += !sim_in_bounds("5 % loss", "goodput kbit/s", goodput, 1200, 1900);
        outside += !sim_in_bounds("5 % loss", "shown", sim_figure(lossy, SIM_SHOWN, 0, 0, 70, 0),
                                  0.995, 1);
        outside +=
            !sim_in_bounds("5 % loss", "RTX", (double)lossy->results[0]->recovered, 700, 4000);
        sim_run_destroy(&clean);
        sim_run_destroy(&lossy);
    }
    assert_int_equal(outside, 0);
}

/* 150 ms one way: a question takes too long, so repair packets come unasked. */
static struct sim_run *run_far(uint64_t seed, double loss, bool flexfec)
{
    struct sim_scenario scenario;
    sim_case_grid(&scenario, 150000, loss);
    scenario.seed = seed;
    scenario.flows[0].no_flexfec = !flexfec;
    return sim_run_scenario(&scenario);
}

static int check_far(uint64_t seed, double loss)
{
    struct sim_run *run = run_far(seed, loss, true), *without = run_far(seed, loss, false);
    const struct sim_flow_result *result = run->results[0];
    double p95 = sim_figure(run, SIM_LATENCY_P95_MS, 0, 10, 40, 0);
    double p95_without = sim_figure(without, SIM_LATENCY_P95_MS, 0, 10, 40, 0);
    double goodput = sim_figure(run, SIM_GOODPUT_KBPS, 0, 10, 40, 0);
    int outside = 0;
    outside += !sim_in_bounds("far", "freezes", result->metrics.freezes, 0, 12);
    outside +=
        !sim_in_bounds("far", "freezes without", without->results[0]->metrics.freezes, 25, 120);
    outside += !sim_in_bounds("far", "p95 ms", p95, 160, 320);
    outside += !sim_in_bounds("far", "p95 ms without", p95_without, 400, 900);
    outside += !sim_in_bounds("far", "repair packets", (double)result->repairs, 1000, 3500);
    outside += !sim_in_bounds("far", "restored", (double)result->restored, 30, 300);
    outside += !sim_in_bounds("far", "malformed", (double)result->malformed_repairs, 0, 0);
    outside += !sim_in_bounds("far", "goodput kbit/s", goodput, 850, 1500);
    outside +=
        !sim_in_bounds("far", "repair packets without", (double)without->results[0]->repairs, 0, 0);
    sim_run_destroy(&run);
    sim_run_destroy(&without);
    return outside;
}

static void loss_far_away_is_restored_unasked(void **state)
{
    (void)state;
    int outside = 0;
    for (uint64_t seed = sim_seed(); seed < sim_seed() + SEEDS; seed++)
        outside += check_far(seed, 0.01) + check_far(seed, 0.03);
    assert_int_equal(outside, 0);
}

/* A near viewer is repaired by RTX, a far one without loss needs nothing. */
static void nobody_else_gets_repair_packets(void **state)
{
    (void)state;
    struct sim_run *near = run_with("loss-5", 1, 0.05), *clean = run_far(1, 0, true);
    int outside = 0;
    outside += !sim_in_bounds("near", "repair packets", (double)near->results[0]->repairs, 0, 0);
    outside += !sim_in_bounds("clean", "repair packets", (double)clean->results[0]->repairs, 0, 0);
    sim_run_destroy(&near);
    sim_run_destroy(&clean);
    assert_int_equal(outside, 0);
}

static void nothing_is_repaired_without_loss(void **state)
{
    (void)state;
    struct sim_run *run = run_with("loss-5", 1, 0);
    const struct sim_flow_result *result = run->results[0];
    int outside = 0;
    /* Probing may send old packets again instead of padding. */
    outside += !sim_in_bounds("no loss", "RTX", (double)result->recovered, 0, 30);
    outside += !sim_in_bounds("no loss", "NACKs", (double)result->nacks_sent, 0, 0);
    outside +=
        !sim_in_bounds("no loss", "key frames", (double)result->metrics.key_frames_made, 1, 1);
    outside += !sim_in_bounds("no loss", "latency p95 ms", latency_ms(run, 0.95), 28, 50);
    sim_run_destroy(&run);
    assert_int_equal(outside, 0);
}

static void two_runs_are_the_same(void **state)
{
    (void)state;
    struct sim_run *first = run_with("loss-5", 7, 0.05), *second = run_with("loss-5", 7, 0.05);
    const struct sim_metrics *a = &first->results[0]->metrics, *b = &second->results[0]->metrics;
    assert_int_equal(first->results[0]->sent_packets, second->results[0]->sent_packets);
    assert_int_equal(a->latency.count, b->latency.count);
    for (int i = 0; i < a->latency.count; i++) {
        assert_int_equal(a->latency.items[i].at_us, b->latency.items[i].at_us);
        assert_int_equal(a->latency.items[i].value_us, b->latency.items[i].value_us);
    }
    sim_run_destroy(&first);
    sim_run_destroy(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_loss_is_not_felt),
        cmocka_unit_test(loss_far_away_is_restored_unasked),
        cmocka_unit_test(nobody_else_gets_repair_packets),
        cmocka_unit_test(nothing_is_repaired_without_loss),
        cmocka_unit_test(two_runs_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
