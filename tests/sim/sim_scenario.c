#include "sim_scenario.h"

#include "rtc/dtls_srtp.h"

#include <stdio.h>
#include <stdlib.h>

struct sim_link_settings sim_link_of(int64_t bps, int64_t delay_us)
{
    return (struct sim_link_settings){
        .steps = {{0, bps, delay_us}}, .step_count = 1, .queue_us = 300000};
}

void sim_link_add_step(struct sim_link_settings *link, int64_t at_us, int64_t bps)
{
    int64_t delay_us = link->steps[link->step_count - 1].delay_us;
    link->steps[link->step_count++] = (struct sim_step){at_us, bps, delay_us};
}

/* One for the whole program: making it starts the SRTP library. */
static struct dtls_identity *server_identity(void)
{
    static struct dtls_identity *identity;
    struct reason why = {""};
    if (identity == NULL &&
        dtls_identity_create(&identity, (int64_t)1700000000 * 1000000, &why) != OW_OK) {
        fprintf(stderr, "sim: %s\n", why.text);
        exit(1);
    }
    return identity;
}

struct sim_run *sim_run_scenario(const struct sim_scenario *scenario)
{
    struct sim_run *run = sim_alloc(sizeof(*run));
    uint64_t seed = scenario->seed * 1000;
    int64_t duration_us = scenario->duration_us;
    run->scenario = *scenario;
    sim_link_init(&run->forward, &run->clock, &scenario->forward, seed + 1);
    sim_link_init(&run->backward, &run->clock, &scenario->backward, seed + 2);
    for (int i = 0; i < scenario->flow_count; i++)
        run->flows[i] =
            sim_flow_create(&run->clock, server_identity(), &run->forward, &run->backward,
                            &scenario->flows[i], duration_us, seed + 10 + (uint64_t)i * 10);
    for (int i = 0; i < scenario->tcp_count; i++)
        sim_tcp_init(&run->tcps[i], &run->clock, &run->forward, &run->backward, &scenario->tcps[i],
                     duration_us, seed + 500 + (uint64_t)i);
    sim_run_until(&run->clock, duration_us);
    for (int i = 0; i < scenario->flow_count; i++)
        run->results[i] = sim_flow_result(run->flows[i]);
    return run;
}

void sim_run_destroy(struct sim_run **run)
{
    sim_clock_clear(&(*run)->clock, sim_network_drop);
    sim_link_clear(&(*run)->forward);
    sim_link_clear(&(*run)->backward);
    for (int i = 0; i < (*run)->scenario.flow_count; i++)
        sim_flow_destroy(&(*run)->flows[i]);
    for (int i = 0; i < (*run)->scenario.tcp_count; i++)
        sim_tcp_clear(&(*run)->tcps[i]);
    free(*run);
    *run = NULL;
}

double sim_utilisation(const struct sim_run *run, int64_t from_us, int64_t to_us)
{
    double rate = 0, seconds = (double)(to_us - from_us) / 1e6;
    for (int i = 0; i < run->scenario.flow_count; i++)
        if (!run->scenario.flows[i].reversed)
            rate += sim_passed_bps(&run->results[i]->metrics, from_us, to_us);
    for (int i = 0; i < run->scenario.tcp_count; i++)
        rate += sim_tcp_bps(&run->tcps[i], from_us, to_us);
    double capacity = sim_link_capacity_bytes(&run->scenario.forward, from_us, to_us);
    return capacity == 0 ? 0 : rate * seconds / 8 / capacity;
}

double sim_flow_fairness(const struct sim_run *run, int64_t from_us, int64_t to_us)
{
    double rates[SIM_MAX_FLOWS];
    for (int i = 0; i < run->scenario.flow_count; i++)
        rates[i] = sim_passed_bps(&run->results[i]->metrics, from_us, to_us);
    return sim_fairness(rates, run->scenario.flow_count);
}

double sim_least_fairness(const struct sim_run *run, int64_t from_us, int64_t to_us,
                          int64_t window_us)
{
    double least = 1;
    for (int64_t at = from_us; at + window_us <= to_us; at += SIM_BIN_US) {
        double index = sim_flow_fairness(run, at, at + window_us);
        least = index < least ? index : least;
    }
    return least;
}
