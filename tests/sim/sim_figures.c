#include "sim_figures.h"

const char *sim_figure_name(enum sim_figure figure)
{
    static const char *const names[] = {
        "utilisation",    "sent kbit/s",     "passed kbit/s",    "goodput kbit/s",
        "least kbit/s",   "queue p50 ms",    "queue p95 ms",     "latency p50 ms",
        "latency p95 ms", "worst second ms", "settled after ms", "reached after ms",
        "fairness",       "least fairness",  "oscillation",      "shown",
        "loss",           "freezes",         "longest gap ms",   "key frames",
        "first frame ms", "TCP kbit/s"};
    return names[figure];
}

static double tcp_kbps(const struct sim_run *run, int64_t from_us, int64_t to_us)
{
    double sum = 0;
    for (int i = 0; i < run->scenario.tcp_count; i++)
        sum += sim_tcp_bps(&run->tcps[i], from_us, to_us);
    return sum / 1e3;
}

/* Figures of a flow in a window of time. */
static double windowed(const struct sim_metrics *metrics, enum sim_figure figure, int64_t from_us,
                       int64_t to_us, double limit)
{
    switch (figure) {
    case SIM_SENT_KBPS:
        return sim_sent_bps(metrics, from_us, to_us) / 1e3;
    case SIM_PASSED_KBPS:
        return sim_passed_bps(metrics, from_us, to_us) / 1e3;
    case SIM_GOODPUT_KBPS:
        return sim_shown_bps(metrics, from_us, to_us) / 1e3;
    case SIM_LEAST_KBPS:
        return sim_least_sent_bps(metrics, from_us, to_us) / 1e3;
    case SIM_QUEUE_P50_MS:
        return (double)sim_percentile(&metrics->queue, from_us, to_us, 0.5) / 1e3;
    case SIM_QUEUE_P95_MS:
        return (double)sim_percentile(&metrics->queue, from_us, to_us, 0.95) / 1e3;
    case SIM_LATENCY_P50_MS:
        return (double)sim_percentile(&metrics->latency, from_us, to_us, 0.5) / 1e3;
    case SIM_LATENCY_P95_MS:
        return (double)sim_percentile(&metrics->latency, from_us, to_us, 0.95) / 1e3;
    case SIM_WORST_SECOND_MS:
        return (double)sim_worst_second_us(metrics, from_us, to_us) / 1e3;
    case SIM_SETTLED_MS:
        return (double)sim_settled_below_us(metrics, from_us, to_us, (int64_t)(limit * 1e3)) / 1e3;
    case SIM_REACHED_MS:
        return (double)sim_reached_us(metrics, from_us, to_us, limit * 1e3) / 1e3;
    default:
        return sim_oscillation(metrics, from_us, to_us);
    }
}

double sim_figure(const struct sim_run *run, enum sim_figure figure, int flow, double from_s,
                  double to_s, double limit)
{
    const struct sim_flow_result *result = run->results[flow];
    const struct sim_metrics *metrics = &result->metrics;
    int64_t from_us = (int64_t)(from_s * 1e6), to_us = (int64_t)(to_s * 1e6);
    switch (figure) {
    case SIM_UTILISATION:
        return sim_utilisation(run, from_us, to_us);
    case SIM_FAIRNESS:
        return sim_flow_fairness(run, from_us, to_us);
    case SIM_LEAST_FAIRNESS:
        return sim_least_fairness(run, from_us, to_us, (int64_t)(limit * 1e6));
    case SIM_SHOWN:
        return (double)metrics->frames_shown / (double)metrics->frames_made;
    case SIM_LOSS:
        return (double)(result->dropped_packets + result->lost_packets) /
               (double)result->sent_packets;
    case SIM_FREEZES:
        return metrics->freezes;
    case SIM_GAP_MS:
        return (double)metrics->longest_gap_us / 1e3;
    case SIM_KEY_FRAMES:
        return (double)metrics->key_frames_made;
    case SIM_FIRST_MS:
        return (double)(metrics->first_shown_us - result->connected_us) / 1e3;
    case SIM_TCP_KBPS:
        return tcp_kbps(run, from_us, to_us);
    default:
        return windowed(metrics, figure, from_us, to_us, limit);
    }
}
