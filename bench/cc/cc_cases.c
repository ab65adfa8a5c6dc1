/* Runs simulation cases and prints what came of each as JSON lines: figures, then the time series.
 * `cc_cases` alone names the cases; `cc_cases NAME…` runs them; bench/cc/run.mjs makes the report.
 * `cc_cases --table [NAME…]` prints figures for people, `--trace NAME` the bins of 200 ms. */
#include "sim_cases.h"

#include <stdio.h>
#include <string.h>

static void print_bins(const struct sim_run *run)
{
    printf("   t  capacity   target     sent   passed    shown  queue  latency frames\n");
    for (int i = 0; i < run->scenario.flow_count; i++) {
        const struct sim_metrics *metrics = &run->results[i]->metrics;
        for (int at = 0; at + 1 < metrics->bin_count; at++) {
            const struct sim_bin *bin = &metrics->bins[at];
            const struct sim_step *step =
                sim_link_step(&run->scenario.forward, (int64_t)at * SIM_BIN_US);
            double scale = 8e3 / SIM_BIN_US;
            printf("%5.1f %8.0f %8d %8.0f %8.0f %8.0f %6.0f %8.0f %4d\n", at * 0.2,
                   (double)step->bps / 1e3, bin->target_bps / 1000, (double)bin->sent_bytes * scale,
                   (double)bin->passed_bytes * scale, (double)bin->shown_bytes * scale,
                   (double)bin->queue_us / 1e3, (double)bin->latency_us / 1e3, bin->frames);
        }
    }
}

static void print_row(const struct sim_run *run)
{
    int64_t end_us = run->scenario.duration_us;
    for (int i = 0; i < run->scenario.flow_count; i++) {
        const struct sim_flow_result *result = run->results[i];
        const struct sim_metrics *metrics = &result->metrics;
        int64_t from_us = result->connected_us + 2000000;
        printf("%-20s %d %5.1f %7.0f %5.0f %5.0f %6.0f %6.0f %6.0f %6.2f %4d %5.1f %5.1f\n",
               run->scenario.name, i, 100 * sim_utilisation(run, from_us, end_us),
               sim_sent_bps(metrics, from_us, end_us) / 1e3,
               (double)sim_percentile(&metrics->queue, from_us, end_us, 0.5) / 1e3,
               (double)sim_percentile(&metrics->queue, from_us, end_us, 0.95) / 1e3,
               (double)sim_percentile(&metrics->latency, from_us, end_us, 0.5) / 1e3,
               (double)sim_percentile(&metrics->latency, from_us, end_us, 0.95) / 1e3,
               (double)sim_worst_second_us(metrics, from_us, end_us) / 1e3,
               100.0 * (double)(result->dropped_packets + result->lost_packets) /
                   (double)result->sent_packets,
               metrics->freezes,
               100.0 * (double)metrics->frames_shown / (double)metrics->frames_made,
               100.0 * sim_oscillation(metrics, from_us, end_us));
    }
}

int main(int argc, char **argv)
{
    bool trace = argc > 1 && strcmp(argv[1], "--trace") == 0;
    struct sim_scenario scenario;
    if (!trace)
        printf("%-20s %s %5s %7s %5s %5s %6s %6s %6s %6s %4s %5s %5s\n", "case", "#", "util",
               "kbit/s", "q50", "q95", "lat50", "lat95", "worst", "loss%", "frz", "shown", "osc");
    for (int i = 0; argc > 1 ? i < argc - 1 : sim_case_name(i) != NULL; i++) {
        const char *name = argc > 1 ? argv[i + 1] : sim_case_name(i);
        if (!sim_case(name, &scenario))
            continue;
        struct sim_run *run = sim_run_scenario(&scenario);
        if (trace)
            print_bins(run);
        else
            print_row(run);
        fflush(stdout);
        sim_run_destroy(&run);
    }
    return 0;
}
