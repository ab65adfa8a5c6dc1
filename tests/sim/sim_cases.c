#include "sim_cases.h"

#include <stdio.h>
#include <string.h>

#define MBIT(x) ((int64_t)((x)*1e6))
#define DELAY_US ((int64_t)50000)

/* A path whose way back never is the bottleneck, and one flow. */
static void path(struct sim_scenario *out, int64_t bps, int64_t delay_us, int64_t duration_s)
{
    out->duration_us = duration_s * SIM_S;
    out->seed = 1;
    out->forward = sim_link_of(bps, delay_us);
    out->backward = sim_link_of(MBIT(10), delay_us);
    out->flow_count = 1;
}

static void add_step(struct sim_scenario *out, int64_t at_s, double megabits)
{
    sim_link_add_step(&out->forward, at_s * SIM_S, MBIT(megabits));
}

/* ---- RFC 8867 ---- */

static void variable_capacity(struct sim_scenario *out)
{
    path(out, MBIT(1), DELAY_US, 100);
    add_step(out, 40, 2.5);
    add_step(out, 60, 0.6);
    add_step(out, 80, 1);
}

static void variable_capacity_far(struct sim_scenario *out)
{
    variable_capacity(out);
    out->forward.steps[0].delay_us = out->backward.steps[0].delay_us = 2 * DELAY_US;
    for (int i = 1; i < out->forward.step_count; i++)
        out->forward.steps[i].delay_us = 2 * DELAY_US;
}

/* The jitter that RFC 8867 section 4 gives its paths. */
static void variable_capacity_jitter(struct sim_scenario *out)
{
    variable_capacity(out);
    out->forward.jitter_us = out->backward.jitter_us = 15000;
}

static void variable_capacity_two_flows(struct sim_scenario *out)
{
    path(out, MBIT(4), DELAY_US, 125);
    add_step(out, 25, 2);
    add_step(out, 50, 3.5);
    add_step(out, 75, 1);
    add_step(out, 100, 2);
    out->flow_count = 2;
}

static void congested_feedback(struct sim_scenario *out)
{
    path(out, MBIT(2), DELAY_US, 100);
    add_step(out, 20, 1);
    add_step(out, 40, 0.5);
    add_step(out, 60, 2);
    out->backward = sim_link_of(MBIT(2), DELAY_US);
    sim_link_add_step(&out->backward, 35 * SIM_S, MBIT(0.8));
    sim_link_add_step(&out->backward, 70 * SIM_S, MBIT(2));
    out->flow_count = 2;
    out->flows[1].reversed = true;
}

static void three_flows(struct sim_scenario *out)
{
    path(out, MBIT(3.5), DELAY_US, 120);
    out->flow_count = 3;
    out->flows[1].start_us = 20 * SIM_S;
    out->flows[2].start_us = 40 * SIM_S;
}

static void round_trip_fairness(struct sim_scenario *out)
{
    static const int64_t delays_us[] = {10000, 25000, 50000, 100000, 150000};
    path(out, MBIT(4), 0, 300);
    out->flow_count = 5;
    for (int i = 0; i < 5; i++) {
        out->flows[i].extra_us = delays_us[i];
        out->flows[i].start_us = i * 10 * SIM_S;
    }
}

static void long_tcp(struct sim_scenario *out)
{
    path(out, MBIT(2), DELAY_US, 120);
    out->flows[0].start_us = 5 * SIM_S;
    out->tcp_count = 1;
}

static void long_tcp_deep_queue(struct sim_scenario *out)
{
    long_tcp(out);
    out->forward.queue_us = SIM_S;
}

static void short_tcps(struct sim_scenario *out)
{
    path(out, MBIT(2), DELAY_US, 300);
    out->flow_count = 2;
    out->tcp_count = 10;
    for (int i = 0; i < out->tcp_count; i++)
        out->tcps[i] = (struct sim_tcp_settings){
            .min_bytes = 30000, .max_bytes = 50000, .pause_us = 10 * SIM_S};
}

static void pause_and_resume(struct sim_scenario *out)
{
    path(out, MBIT(3.5), DELAY_US, 120);
    out->flow_count = 3;
    out->flows[0].pause_from_us = 40 * SIM_S;
    out->flows[0].pause_until_us = 60 * SIM_S;
}

/* ---- one viewer's network ---- */

/* Nearly no delay but the queue's, as between two network namespaces (bench/netlab). */
static void steps_down_and_up(struct sim_scenario *out)
{
    path(out, MBIT(2), 2000, 90);
    out->flows[0].start_bps = 2000000;
    add_step(out, 30, 1);
    add_step(out, 50, 0.4);
    add_step(out, 70, 2);
}

static void slow_start(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 30);
}

/* So slow that a frame takes its whole interval to pass. */
static void slow_path(struct sim_scenario *out)
{
    path(out, MBIT(0.4), 2000, 60);
}

static void fast_start(struct sim_scenario *out)
{
    path(out, MBIT(1), 25000, 30);
    out->flows[0].start_bps = 4000000;
}

static void outage(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 40);
    add_step(out, 20, 0);
    add_step(out, 22, 2);
}

static void long_outage(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 50);
    add_step(out, 20, 0);
    add_step(out, 32, 2);
}

/* From Wi-Fi to a mobile network: another address, less capacity, more delay. */
static void path_change(struct sim_scenario *out)
{
    path(out, MBIT(4), 15000, 50);
    out->forward.steps[out->forward.step_count++] = (struct sim_step){20 * SIM_S, MBIT(1.2), 45000};
    out->backward.steps[out->backward.step_count++] =
        (struct sim_step){20 * SIM_S, MBIT(10), 45000};
    out->flows[0].move_us = 20 * SIM_S;
}

static void random_loss(struct sim_scenario *out)
{
    path(out, MBIT(4), 25000, 70);
    out->forward.loss = 0.05;
    out->flows[0].max_bps = 2000000;
    out->flows[0].start_bps = 1000000;
}

static void burst_loss(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 60);
    out->forward.bursts = (struct sim_bursts){.enter = 0.005, .leave = 0.3, .loss = 0.7};
}

static void reordering(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 40);
    out->forward.reorder = 0.02;
    out->forward.reorder_us = 12000;
}

static void duplicates(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 40);
    out->forward.duplicate = 0.05;
    out->backward.duplicate = 0.05;
}

static void jitter(struct sim_scenario *out)
{
    path(out, MBIT(2), DELAY_US, 60);
    out->forward.jitter_us = out->backward.jitter_us = 30000;
}

/* A step down that is told late, or not at all by some of the feedback. */
static void slow_feedback(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 60);
    add_step(out, 30, 1);
    out->flows[0].feedback_us = 250000;
}

static void lossy_feedback(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 60);
    add_step(out, 30, 1);
    out->backward.loss = 0.2;
}

static void short_queue(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 60);
    add_step(out, 30, 1);
    out->forward.queue_us = 70000;
}

static void deep_queue(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 60);
    add_step(out, 30, 1);
    out->forward.queue_us = 2 * SIM_S;
}

/* A queue so short that too high a rate shows as loss and hardly as delay. */
static void policer(struct sim_scenario *out)
{
    path(out, MBIT(4), 25000, 60);
    add_step(out, 30, 2);
    out->forward.queue_bytes = 5000;
}

/* After RFC 8869: a cell whose capacity wanders between 0.6 and 4 Mbit/s, at most a third at a
 * time, every half second. */
static void mobile(struct sim_scenario *out)
{
    struct random_source random;
    double megabits = 2;
    path(out, MBIT(megabits), 40000, 60);
    random_seeded(&random, 8869);
    out->forward.queue_us = SIM_S;
    for (int i = 1; i < 120; i++) {
        megabits *= 0.75 + random_unit(&random) * 0.58;
        megabits = megabits < 0.6 ? 0.6 : megabits > 4 ? 4 : megabits;
        sim_link_add_step(&out->forward, i * SIM_S / 2, MBIT(megabits));
    }
}

static void application_limited(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 40);
    out->flows[0].limit_bps = 400000;
}

static void remb(struct sim_scenario *out)
{
    path(out, MBIT(2), 25000, 60);
    add_step(out, 30, 0.8);
    out->flows[0].feedback = SIM_REMB;
}

static void reports_only(struct sim_scenario *out)
{
    remb(out);
    out->flows[0].feedback = SIM_REPORTS_ONLY;
}

void sim_case_grid(struct sim_scenario *out, int64_t delay_us, double loss)
{
    *out = (struct sim_scenario){.name = "grid", .title = "RFC 8868 grid"};
    path(out, MBIT(2), delay_us, 40);
    out->forward.loss = loss;
}

static const struct {
    const char *name, *title;
    void (*fill)(struct sim_scenario *out);
} CASES[] = {
    {"8867-5.1", "Variable capacity, one flow", variable_capacity},
    {"8867-5.1-far", "Variable capacity, one flow, 100 ms one way", variable_capacity_far},
    {"8867-5.1-jitter", "Variable capacity, one flow, 30 ms of jitter", variable_capacity_jitter},
    {"8867-5.2", "Variable capacity, two flows", variable_capacity_two_flows},
    {"8867-5.3", "Congested feedback: one flow each way", congested_feedback},
    {"8867-5.4", "Three flows that start one after another", three_flows},
    {"8867-5.5", "Five flows of different round trips", round_trip_fairness},
    {"8867-5.6", "Against one long TCP transfer", long_tcp},
    {"8867-5.6-deep", "Against one long TCP transfer, queue 1 s", long_tcp_deep_queue},
    {"8867-5.7", "Two flows against ten short TCP transfers", short_tcps},
    {"8867-5.8", "Three flows, one pauses", pause_and_resume},
    {"steps", "2, 1, 0.4, 2 Mbit/s", steps_down_and_up},
    {"start-slow", "Start at 0.5 into 2 Mbit/s", slow_start},
    {"slow-path", "0.4 Mbit/s, steady", slow_path},
    {"start-fast", "Start at 4 into 1 Mbit/s", fast_start},
    {"outage", "Two seconds without a network", outage},
    {"outage-long", "Twelve seconds without a network", long_outage},
    {"path-change", "Wi-Fi to mobile: 4 to 1.2 Mbit/s, 15 to 45 ms", path_change},
    {"loss-5", "5 % random loss, 50 ms round trip", random_loss},
    {"loss-bursts", "Bursty loss (Gilbert-Elliott)", burst_loss},
    {"reordering", "2 % of packets 12 ms late", reordering},
    {"duplicates", "5 % of packets twice", duplicates},
    {"jitter", "Up to 30 ms of jitter each way", jitter},
    {"feedback-slow", "Feedback each 250 ms, 2 to 1 Mbit/s", slow_feedback},
    {"feedback-lossy", "20 % of feedback lost, 2 to 1 Mbit/s", lossy_feedback},
    {"queue-short", "Queue of 70 ms, 2 to 1 Mbit/s", short_queue},
    {"policer", "A queue of 5 kB, 4 to 2 Mbit/s", policer},
    {"queue-deep", "Queue of 2 s, 2 to 1 Mbit/s", deep_queue},
    {"mobile", "A wandering capacity, 0.6 to 4 Mbit/s", mobile},
    {"application-limited", "Content that needs 0.4 of 2 Mbit/s", application_limited},
    {"remb", "A viewer that sends REMB only, 2 to 0.8 Mbit/s", remb},
    {"reports-only", "A viewer that only reports loss, 2 to 0.8 Mbit/s", reports_only},
};

enum { CASE_COUNT = sizeof(CASES) / sizeof(CASES[0]) };

bool sim_case(const char *name, struct sim_scenario *out)
{
    int delay_ms, percent;
    if (sscanf(name, "grid-%d-%d", &delay_ms, &percent) == 2) {
        sim_case_grid(out, (int64_t)delay_ms * 1000, percent / 100.0);
        out->name = name;
        return true;
    }
    for (int i = 0; i < CASE_COUNT; i++) {
        if (strcmp(CASES[i].name, name) != 0)
            continue;
        *out = (struct sim_scenario){.name = CASES[i].name, .title = CASES[i].title};
        CASES[i].fill(out);
        return true;
    }
    return false;
}

const char *sim_case_name(int index)
{
    return index < CASE_COUNT ? CASES[index].name : NULL;
}
