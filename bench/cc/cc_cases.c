/* Runs the simulation's cases and says what came of them.
 *
 *   cc_cases [NAME…]           a table of figures, a row for each flow
 *   cc_cases --trace NAME…     bins of 200 ms, for looking closely
 *   cc_cases --json [NAME…]    a line of JSON for each case: figures and time series (run.mjs)
 *   cc_cases --list            the names
 *
 * The environment's SIM_SEED is the seed, or 1. */
#include "sim_bounds.h"

#include <stdio.h>
#include <string.h>

/* From when on figures count: the first seconds are the connection's and the start's. */
enum { WARM_UP_S = 2, MAX_TOLD_STEPS = 8 };

static const struct column {
    enum sim_figure figure;
    const char *head, *json;
    int width, decimals;
    double scale;
} COLUMNS[] = {
    {SIM_UTILISATION, "util%", "utilisation", 6, 1, 100},
    {SIM_SENT_KBPS, "kbit/s", "sent_kbps", 7, 0, 1},
    {SIM_GOODPUT_KBPS, "good", "goodput_kbps", 6, 0, 1},
    {SIM_QUEUE_P50_MS, "q50", "queue_p50_ms", 5, 0, 1},
    {SIM_QUEUE_P95_MS, "q95", "queue_p95_ms", 5, 0, 1},
    {SIM_LATENCY_P50_MS, "lat50", "latency_p50_ms", 6, 0, 1},
    {SIM_LATENCY_P95_MS, "lat95", "latency_p95_ms", 6, 0, 1},
    {SIM_WORST_SECOND_MS, "worst", "worst_second_ms", 6, 0, 1},
    {SIM_LOSS, "loss%", "loss", 6, 2, 100},
    {SIM_SHOWN, "shown%", "shown", 7, 1, 100},
    {SIM_FREEZES, "freeze", "freezes", 7, 0, 1},
    {SIM_GAP_MS, "gap", "longest_gap_ms", 6, 0, 1},
    {SIM_KEY_FRAMES, "keys", "key_frames", 5, 0, 1},
    {SIM_OSCILLATION, "osc%", "oscillation", 5, 0, 100},
};

enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]) };

static double seconds(int64_t us)
{
    return (double)us / 1e6;
}

static double figure_of(const struct sim_run *run, enum sim_figure figure, int flow)
{
    double from_s = seconds(run->results[flow]->connected_us) + WARM_UP_S;
    return sim_figure(run, figure, flow, from_s, seconds(run->scenario.duration_us), 0);
}

static void print_head(void)
{
    printf("%-20s #", "case");
    for (int i = 0; i < COLUMN_COUNT; i++)
        printf(" %*s", COLUMNS[i].width, COLUMNS[i].head);
    printf("\n");
}

static void print_rows(const struct sim_run *run)
{
    for (int flow = 0; flow < run->scenario.flow_count; flow++) {
        printf("%-20s %d", run->scenario.name, flow);
        for (int i = 0; i < COLUMN_COUNT; i++)
            printf(" %*.*f", COLUMNS[i].width, COLUMNS[i].decimals,
                   COLUMNS[i].scale * figure_of(run, COLUMNS[i].figure, flow));
        printf("\n");
    }
}

static double bin_kbps(uint64_t bytes)
{
    return (double)bytes * 8e3 / SIM_BIN_US;
}

static void print_trace(const struct sim_run *run)
{
    for (int flow = 0; flow < run->scenario.flow_count; flow++) {
        const struct sim_metrics *metrics = &run->results[flow]->metrics;
        printf("%s, flow %d\n    t  capacity   target     sent   passed    shown  queue latency "
               "frames\n",
               run->scenario.name, flow);
        for (int at = 0; at + 1 < metrics->bin_count; at++) {
            const struct sim_bin *bin = &metrics->bins[at];
            int64_t bps = sim_link_step(&run->scenario.forward, (int64_t)at * SIM_BIN_US)->bps;
            printf("%5.1f %9.0f %8.0f %8.0f %8.0f %8.0f %6.0f %7.0f %6d\n",
                   seconds((int64_t)at * SIM_BIN_US), (double)bps / 1e3, bin->target_bps / 1e3,
                   bin_kbps(bin->sent_bytes), bin_kbps(bin->passed_bytes),
                   bin_kbps(bin->shown_bytes), (double)bin->queue_us / 1e3,
                   (double)bin->latency_us / 1e3, bin->frames);
        }
    }
}

/* ---- JSON ---- */

enum series { TARGET_KBPS, SENT_KBPS, PASSED_KBPS, SHOWN_KBPS, QUEUE_MS, LATENCY_MS, SERIES };

static double bin_value(const struct sim_bin *bin, enum series series)
{
    switch (series) {
    case TARGET_KBPS:
        return bin->target_bps / 1e3;
    case SENT_KBPS:
        return bin_kbps(bin->sent_bytes);
    case PASSED_KBPS:
        return bin_kbps(bin->passed_bytes);
    case SHOWN_KBPS:
        return bin_kbps(bin->shown_bytes);
    case QUEUE_MS:
        return (double)bin->queue_us / 1e3;
    default:
        return (double)bin->latency_us / 1e3;
    }
}

static void print_series(const struct sim_metrics *metrics)
{
    static const char *const names[SERIES] = {"target_kbps", "sent_kbps_series", "passed_kbps",
                                              "shown_kbps",  "queue_ms",         "latency_ms"};
    for (enum series series = 0; series < SERIES; series++) {
        printf(",\"%s\":[", names[series]);
        for (int at = 0; at + 1 < metrics->bin_count; at++)
            printf("%s%.0f", at == 0 ? "" : ",", bin_value(&metrics->bins[at], series));
        printf("]");
    }
}

static void print_flow(const struct sim_run *run, int flow)
{
    const struct sim_flow_settings *settings = &run->scenario.flows[flow];
    printf("{\"start_s\":%g,\"reversed\":%s", seconds(settings->start_us),
           settings->reversed ? "true" : "false");
    for (int i = 0; i < COLUMN_COUNT; i++)
        printf(",\"%s\":%.6g", COLUMNS[i].json, figure_of(run, COLUMNS[i].figure, flow));
    print_series(&run->results[flow]->metrics);
    printf("}");
}

/* How long one flow took after each step: down until a second's median latency is within 60 ms of
 * the one-way delay, up until 80 % of the capacity is used. */
static void print_steps(const struct sim_run *run)
{
    const struct sim_link_settings *link = &run->scenario.forward;
    const char *separator = "";
    if (run->scenario.flow_count > 1 || link->step_count > MAX_TOLD_STEPS)
        return;
    for (int i = 1; i < link->step_count; i++) {
        const struct sim_step *step = &link->steps[i];
        if (step->bps == 0)
            continue;
        double from_s = seconds(step->at_us), bps = (double)step->bps;
        double to_s = seconds(i + 1 < link->step_count ? step[1].at_us : run->scenario.duration_us);
        bool down = step->bps < step[-1].bps;
        double limit = down ? (double)step->delay_us / 1e3 + 60 : 0.8 * bps / 1e3;
        double ms = sim_figure(run, down ? SIM_SETTLED_MS : SIM_REACHED_MS, 0, from_s, to_s, limit);
        printf("%s{\"at_s\":%g,\"from_kbps\":%.0f,\"to_kbps\":%.0f,\"settled_ms\":%.0f,"
               "\"never\":%s}",
               separator, from_s, (double)step[-1].bps / 1e3, bps / 1e3, ms,
               ms >= (to_s - from_s) * 1e3 ? "true" : "false");
        separator = ",";
    }
}

static void print_capacity(const struct sim_link_settings *link)
{
    for (int i = 0; i < link->step_count; i++)
        printf("%s[%g,%.0f]", i == 0 ? "" : ",", seconds(link->steps[i].at_us),
               (double)link->steps[i].bps / 1e3);
}

static void print_json(const struct sim_run *run)
{
    const struct sim_scenario *scenario = &run->scenario;
    double duration_s = seconds(scenario->duration_us), last_start_s = 0;
    printf("{\"name\":\"%s\",\"title\":\"%s\",\"duration_s\":%g,\"bin_s\":%g,\"capacity\":[",
           scenario->name, scenario->title, duration_s, seconds(SIM_BIN_US));
    print_capacity(&scenario->forward);
    printf("],\"back_capacity\":[");
    print_capacity(&scenario->backward);
    printf("],\"steps\":[");
    print_steps(run);
    printf("],\"tcp_kbps\":[");
    for (double at = 0; at + 0.2 <= duration_s && scenario->tcp_count > 0; at += 0.2)
        printf("%s%.0f", at == 0 ? "" : ",",
               sim_figure(run, SIM_TCP_KBPS, 0, at + 1e-6, at + 0.2 + 1e-6, 0));
    for (int i = 0; i < scenario->flow_count; i++)
        last_start_s = seconds(scenario->flows[i].start_us) > last_start_s
                           ? seconds(scenario->flows[i].start_us)
                           : last_start_s;
    printf("],\"fairness\":%.4g,\"flows\":[",
           sim_figure(run, SIM_FAIRNESS, 0, last_start_s + WARM_UP_S, duration_s, 0));
    for (int flow = 0; flow < scenario->flow_count; flow++) {
        printf("%s", flow == 0 ? "" : ",");
        print_flow(run, flow);
    }
    printf("]}\n");
}

static int run_case(const char *name, void (*print)(const struct sim_run *run))
{
    struct sim_scenario scenario;
    if (!sim_case(name, &scenario)) {
        fprintf(stderr, "cc_cases: there is no case \"%s\"; --list names them\n", name);
        return 1;
    }
    scenario.seed = sim_seed();
    struct sim_run *run = sim_run_scenario(&scenario);
    print(run);
    fflush(stdout);
    sim_run_destroy(&run);
    return 0;
}

int main(int argc, char **argv)
{
    bool option = argc > 1 && argv[1][0] == '-';
    bool trace = option && strcmp(argv[1], "--trace") == 0;
    bool json = option && strcmp(argv[1], "--json") == 0;
    const char *name;
    if (option && !trace && !json) {
        for (int i = 0; (name = sim_case_name(i)) != NULL; i++)
            printf("%s\n", name);
        return strcmp(argv[1], "--list") == 0 ? 0 : 1;
    }
    void (*print)(const struct sim_run *run) = trace ? print_trace : json ? print_json : print_rows;
    int failed = 0, first = option ? 2 : 1;
    if (!option)
        print_head();
    for (int i = first; i < argc; i++)
        failed |= run_case(argv[i], print);
    for (int i = 0; argc <= first && (name = sim_case_name(i)) != NULL; i++)
        failed |= run_case(name, print);
    return failed;
}
