#include "sim_bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

bool sim_in_bounds(const char *scenario, const char *what, double value, double low, double high)
{
    bool inside = value >= low && value <= high;
    printf("%s %-16s %-17s %9.3f  (%g to %g)\n", inside ? "  " : "! ", scenario, what, value, low,
           high);
    return inside;
}

int sim_bounds_check(const struct sim_run *run, const struct sim_bounds *bounds)
{
    int outside = 0;
    for (int i = 0; i < run->scenario.flow_count; i++) {
        outside += !sim_in_bounds(bounds->name, "connected", run->results[i]->connected, 1, 1);
        outside += !sim_in_bounds(bounds->name, "closed", run->results[i]->closed, 0, 0);
    }
    for (const struct sim_bound *bound = bounds->bounds; bound->to_s > 0; bound++) {
        double value =
            sim_figure(run, bound->figure, bound->flow, bound->from_s, bound->to_s, bound->limit);
        outside += !sim_in_bounds(bounds->name, sim_figure_name(bound->figure), value, bound->low,
                                  bound->high);
    }
    return outside;
}

uint64_t sim_seed(void)
{
    const char *text = getenv("SIM_SEED");
    uint64_t seed = text == NULL ? 0 : strtoull(text, NULL, 10);
    return seed == 0 ? 1 : seed;
}

void sim_bounds_test(void **state)
{
    const struct sim_bounds *bounds = *state;
    struct sim_scenario scenario;
    assert_true(sim_case(bounds->name, &scenario));
    scenario.seed = sim_seed();
    struct sim_run *run = sim_run_scenario(&scenario);
    int outside = sim_bounds_check(run, bounds);
    sim_run_destroy(&run);
    assert_int_equal(outside, 0);
}

int sim_bounds_main(const struct sim_bounds *table, int count)
{
    struct CMUnitTest *tests = sim_alloc((size_t)count * sizeof(tests[0]));
    for (int i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = table[i].name,
                                       .test_func = sim_bounds_test,
                                       .initial_state = (void *)(uintptr_t)&table[i]};
    int failed = _cmocka_run_group_tests("sim", tests, (size_t)count, NULL, NULL);
    free(tests);
    return failed;
}
