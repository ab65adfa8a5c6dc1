/* A scenario: two links, the flows and the competitors on them, and how long it lasts. Running one
 * twice with the same seed gives the same result to the last byte. */
#ifndef OW_TESTS_SIM_SCENARIO_H
#define OW_TESTS_SIM_SCENARIO_H

#include "sim_flow.h"
#include "sim_tcp.h"

enum { SIM_MAX_FLOWS = 5, SIM_MAX_TCPS = 10 };

struct sim_scenario {
    const char *name, *title; /* for the report */
    int64_t duration_us;
    uint64_t seed;
    struct sim_link_settings forward, backward;
    struct sim_flow_settings flows[SIM_MAX_FLOWS];
    int flow_count;
    struct sim_tcp_settings tcps[SIM_MAX_TCPS];
    int tcp_count;
};

struct sim_run {
    struct sim_scenario scenario;
    struct sim_clock clock;
    struct sim_link forward, backward;
    struct sim_flow *flows[SIM_MAX_FLOWS];
    struct sim_tcp tcps[SIM_MAX_TCPS];
    struct sim_flow_result *results[SIM_MAX_FLOWS];
};

/* Runs it to its end. Ends the program when memory or OpenSSL fail. */
struct sim_run *sim_run_scenario(const struct sim_scenario *scenario);
void sim_run_destroy(struct sim_run **run);

/* Bytes of all forward flows and competitors through the bottleneck by what it could have carried.
 */
double sim_utilisation(const struct sim_run *run, int64_t from_us, int64_t to_us);
/* Jain's index of the media flows' rates through the bottleneck. */
double sim_flow_fairness(const struct sim_run *run, int64_t from_us, int64_t to_us);
/* The least index of any window of `window_us` in [from, to). */
double sim_least_fairness(const struct sim_run *run, int64_t from_us, int64_t to_us,
                          int64_t window_us);

/* Links with one capacity, one delay and 300 ms of queue. */
struct sim_link_settings sim_link_of(int64_t bps, int64_t delay_us);
/* Adds a step in which the capacity changes and the delay stays. */
void sim_link_add_step(struct sim_link_settings *link, int64_t at_us, int64_t bps);

#endif
