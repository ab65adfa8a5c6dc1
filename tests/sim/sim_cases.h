/* The cases that tests and bench share: RFC 8867 sections 5.1 to 5.8, steps of capacity, loss,
 * and what a viewer's network may do besides. */
#ifndef OW_TESTS_SIM_CASES_H
#define OW_TESTS_SIM_CASES_H

#include "sim_scenario.h"

#define SIM_S ((int64_t)1000000)

/* Fills *out; false when there is no case of this name, which is lent. Besides the listed ones
 * there is "grid-DELAY-LOSS" (ms one way, percent). */
bool sim_case(const char *name, struct sim_scenario *out);
/* The name of case number `index`, NULL behind the last. */
const char *sim_case_name(int index);

/* RFC 8868: one flow over 2 Mbit/s with a one-way delay and random loss. */
void sim_case_grid(struct sim_scenario *out, int64_t delay_us, double loss);

#endif
