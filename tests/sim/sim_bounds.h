/* Bounds on a scenario's figures as a table, and the cmocka test that goes through it: every figure
 * is printed, and all that are out of bounds are told before the test fails. */
#ifndef OW_TESTS_SIM_BOUNDS_H
#define OW_TESTS_SIM_BOUNDS_H

#include "sim_cases.h"
#include "sim_figures.h"

struct sim_bound {
    enum sim_figure figure;
    int flow;
    double from_s, to_s;
    double low, high; /* both ends allowed */
    double limit;     /* of the figures that have one */
};

#define SIM_BOUND(figure, flow, from_s, to_s, low, high)                                           \
    {                                                                                              \
        figure, flow, from_s, to_s, low, high, 0                                                   \
    }
#define SIM_BOUND_AT(limit, figure, flow, from_s, to_s, low, high)                                 \
    {                                                                                              \
        figure, flow, from_s, to_s, low, high, limit                                               \
    }

enum { SIM_MAX_BOUNDS = 16 };

struct sim_bounds {
    const char *name;                        /* of the case */
    struct sim_bound bounds[SIM_MAX_BOUNDS]; /* ends with one whose to_s is 0 */
};

/* Prints a figure; returns false when it is out of bounds. */
bool sim_in_bounds(const char *scenario, const char *what, double value, double low, double high);
/* How many of the run's figures are out of bounds; a flow that did not connect or was closed counts
 * as well. */
int sim_bounds_check(const struct sim_run *run, const struct sim_bounds *bounds);
/* The seed of the tests: the environment's SIM_SEED, or 1. Bounds are meant to hold for any. */
uint64_t sim_seed(void);
/* A cmocka test whose state is a `struct sim_bounds`. */
void sim_bounds_test(void **state);
/* Runs a table as a group of such tests; returns how many failed. */
int sim_bounds_main(const struct sim_bounds *table, int count);

#endif
