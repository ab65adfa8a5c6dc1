#include "sim_bounds.h"
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    double low = argc > 1 ? atof(argv[1]) : 0.03;
    double q = argc > 2 ? atof(argv[2]) : 0.3;
    double high = argc > 3 ? atof(argv[3]) : 2;
    struct sim_scenario s = {.duration_us = 80 * SIM_S, .seed = argc > 4 ? (uint64_t)atoi(argv[4]) : 1, .flow_count = 1};
    s.forward = sim_link_of((int64_t)(high * 1e6), 20000);
    s.forward.queue_us = (int64_t)(q * 1e6);
    s.backward = sim_link_of(10000000, 20000);
    sim_link_add_step(&s.forward, 20 * SIM_S, (int64_t)(low * 1e6));
    sim_link_add_step(&s.forward, 50 * SIM_S, 2000000);
    s.flows[0].vectors = true;
    s.flows[0].max_bps = 2000000;
    s.flows[0].feedback_us = -1;
    struct sim_run *run = sim_run_scenario(&s);
    struct sim_flow_result *r = run->results[0];
    for (int i = 0; i < r->tier_count; i++)
        printf("%6.2f %s\n", (double)r->tiers[i].at_us / 1e6, r->tiers[i].vector ? "vector" : "video");
    for (int t = 16; t < 80; t++) {
        struct sim_metrics *m = &r->metrics;
        int frames = 0; int64_t lat = 0, queue = 0;
        for (int b = t * 5; b < t * 5 + 5; b++) { frames += m->bins[b].frames; if (m->bins[b].latency_us > lat) lat = m->bins[b].latency_us; if (m->bins[b].queue_us > queue) queue = m->bins[b].queue_us; }
        printf("%d: sent %.0f passed %.0f frames %d lat %.0f queue %.0f target %d\n", t, sim_sent_bps(m, t * SIM_S, (t + 1) * SIM_S) / 1e3, sim_passed_bps(m, t * SIM_S, (t + 1) * SIM_S) / 1e3, frames, (double)lat / 1e3, (double)queue / 1e3, m->bins[t * 5 + 4].target_bps);
    }
}
