/* The grid of RFC 8868: one-way delays of 0 to 300 ms, random loss of 0 to 20 %, over 2 Mbit/s; and
 * loss in bursts. The rate must not fall for loss that is not ours; it must not fill the queue. */
#include "sim_bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DELAYS = 4, LOSSES = 5 };

static const int DELAYS_MS[DELAYS] = {0, 50, 150, 300};

/* What must be reached at a loss, from the eighth second on; with the fifteenth and less where the
 * round trip is longer than half a second: a repair then takes longer than a freeze, and what is on
 * its way at the end was not shown. */
static const struct row {
    double loss;
    double utilisation, far_utilisation; /* at least */
    double shown, far_shown;             /* part of the frames, at least */
} ROWS[LOSSES] = {
    {0.00, 0.88, 0.82, 0.99, 0.97}, {0.01, 0.74, 0.74, 0.98, 0.96}, {0.05, 0.68, 0.60, 0.97, 0.94},
    {0.10, 0.50, 0.40, 0.95, 0.90}, {0.20, 0.05, 0.20, 0.85, 0.70},
};

struct cell {
    int delay_ms;
    const struct row *row;
};

static void a_cell_of_the_grid(void **state)
{
    const struct cell *cell = *state;
    struct sim_scenario scenario;
    char name[32];
    sim_case_grid(&scenario, cell->delay_ms * (int64_t)1000, cell->row->loss);
    snprintf(name, sizeof(name), "%d ms %g %%", cell->delay_ms, cell->row->loss * 100);
    scenario.name = name;
    scenario.seed = sim_seed();
    const struct row *row = cell->row;
    bool far = cell->delay_ms > 250;
    double from_s = far ? 15 : 8, base_ms = cell->delay_ms + 3;
    struct sim_run *run = sim_run_scenario(&scenario);
    double loss = row->loss, delay_ms = cell->delay_ms;
    const struct sim_bounds bounds = {
        name,
        {
            SIM_BOUND(SIM_UTILISATION, 0, from_s, 40, far ? row->far_utilisation : row->utilisation,
                      1.002),
            SIM_BOUND(SIM_QUEUE_P95_MS, 0, from_s, 40, 1, 60),
            SIM_BOUND(SIM_LATENCY_P50_MS, 0, from_s, 40, base_ms + 1,
                      base_ms + 60 + (loss > 0 ? 2 * delay_ms + 40 : 0)),
            SIM_BOUND(SIM_LOSS, 0, 0, 40, loss * 0.8, loss * 1.2 + 0.01),
            SIM_BOUND(SIM_SHOWN, 0, 0, 40, far ? row->far_shown : row->shown, 1),
        }};
    int outside = sim_bounds_check(run, &bounds);
    sim_run_destroy(&run);
    assert_int_equal(outside, 0);
}

int main(void)
{
    static struct cell cells[DELAYS * LOSSES];
    static char names[DELAYS * LOSSES][32];
    struct CMUnitTest tests[DELAYS * LOSSES];
    for (int i = 0; i < DELAYS * LOSSES; i++) {
        cells[i] = (struct cell){DELAYS_MS[i / LOSSES], &ROWS[i % LOSSES]};
        snprintf(names[i], sizeof(names[i]), "%d ms, %g %%", cells[i].delay_ms,
                 cells[i].row->loss * 100);
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = a_cell_of_the_grid, .initial_state = &cells[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
