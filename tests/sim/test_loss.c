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
        cmocka_unit_test(nothing_is_repaired_without_loss),
        cmocka_unit_test(two_runs_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
