#include "sim_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND_US = 1000000, SECOND_BINS = SECOND_US / SIM_BIN_US };

void sim_metrics_init(struct sim_metrics *metrics, int64_t duration_us)
{
    *metrics = (struct sim_metrics){.bin_count = (int)(duration_us / SIM_BIN_US) + 1};
    metrics->bins = sim_alloc((size_t)metrics->bin_count * sizeof(metrics->bins[0]));
}

void sim_metrics_clear(struct sim_metrics *metrics)
{
    free(metrics->queue.items);
    free(metrics->latency.items);
    free(metrics->bins);
    *metrics = (struct sim_metrics){0};
}

struct sim_bin *sim_metrics_bin(struct sim_metrics *metrics, int64_t at_us)
{
    int64_t at = at_us / SIM_BIN_US;
    return &metrics->bins[at < metrics->bin_count ? at : metrics->bin_count - 1];
}

void sim_samples_add(struct sim_samples *samples, int64_t at_us, int64_t value_us)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity == 0 ? 1024 : samples->capacity * 2;
        samples->items =
            realloc(samples->items, (size_t)samples->capacity * sizeof(samples->items[0]));
        if (samples->items == NULL)
            exit(1);
    }
    samples->items[samples->count++] = (struct sim_sample){at_us, value_us};
}

static void note_gap(struct sim_metrics *metrics, int64_t gap_us)
{
    int kept = (int)(sizeof(metrics->gaps_us) / sizeof(metrics->gaps_us[0]));
    int count = metrics->gap_count < kept ? metrics->gap_count : kept;
    int64_t sum_us = 0;
    for (int i = 0; i < count; i++)
        sum_us += metrics->gaps_us[i];
    int64_t average_us = count > 0 ? sum_us / count : gap_us;
    if (gap_us > 3 * average_us && gap_us > average_us + 150000) {
        metrics->freezes++;
        metrics->frozen_us += gap_us;
    }
    if (gap_us > metrics->longest_gap_us)
        metrics->longest_gap_us = gap_us;
    metrics->gaps_us[metrics->gap_count++ % kept] = gap_us;
}

void sim_metrics_shown(struct sim_metrics *metrics, int64_t now_us, int64_t capture_us,
                       size_t bytes)
{
    struct sim_bin *bin = sim_metrics_bin(metrics, now_us);
    int64_t latency_us = now_us - capture_us;
    sim_samples_add(&metrics->latency, now_us, latency_us);
    bin->shown_bytes += bytes;
    bin->frames++;
    if (latency_us > bin->latency_us)
        bin->latency_us = latency_us;
    if (metrics->frames_shown++ == 0)
        metrics->first_shown_us = now_us;
    else
        note_gap(metrics, now_us - metrics->shown_us);
    metrics->shown_us = now_us;
}

/* ---- figures ---- */

static int compare_values(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* Index of the first sample at or after a time. */
static int first_from(const struct sim_samples *samples, int64_t from_us)
{
    int low = 0, high = samples->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (samples->items[middle].at_us < from_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t sim_percentile(const struct sim_samples *samples, int64_t from_us, int64_t to_us, double p)
{
    int begin = first_from(samples, from_us), end = first_from(samples, to_us);
    if (end <= begin)
        return 0;
    int64_t *values = sim_alloc((size_t)(end - begin) * sizeof(values[0]));
    for (int i = begin; i < end; i++)
        values[i - begin] = samples->items[i].value_us;
    qsort(values, (size_t)(end - begin), sizeof(values[0]), compare_values);
    int64_t value = values[(int)(p * (end - begin - 1) + 0.5)];
    free(values);
    return value;
}

enum rate_kind { SENT, PASSED, SHOWN };

static double rate_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us,
                       enum rate_kind kind)
{
    int begin = (int)(from_us / SIM_BIN_US), end = (int)(to_us / SIM_BIN_US);
    uint64_t bytes = 0;
    end = end > metrics->bin_count ? metrics->bin_count : end;
    for (int i = begin; i < end; i++)
        bytes += kind == SENT     ? metrics->bins[i].sent_bytes
                 : kind == PASSED ? metrics->bins[i].passed_bytes
                                  : metrics->bins[i].shown_bytes;
    return end > begin ? (double)bytes * 8e6 / ((double)(end - begin) * SIM_BIN_US) : 0;
}

double sim_sent_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us)
{
    return rate_bps(metrics, from_us, to_us, SENT);
}

double sim_passed_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us)
{
    return rate_bps(metrics, from_us, to_us, PASSED);
}

double sim_shown_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us)
{
    return rate_bps(metrics, from_us, to_us, SHOWN);
}

int64_t sim_worst_second_us(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us)
{
    int64_t worst_us = 0;
    for (int64_t at = from_us; at + SECOND_US <= to_us; at += SIM_BIN_US) {
        int64_t median_us = sim_percentile(&metrics->latency, at, at + SECOND_US, 0.5);
        worst_us = median_us > worst_us ? median_us : worst_us;
    }
    return worst_us;
}

/* Without a frame in it a time is as bad as can be. */
static int64_t median_us(const struct sim_samples *samples, int64_t from_us, int64_t to_us)
{
    if (first_from(samples, from_us) == first_from(samples, to_us))
        return INT64_MAX;
    return sim_percentile(samples, from_us, to_us, 0.5);
}

int64_t sim_settled_below_us(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us,
                             int64_t limit_us)
{
    for (int64_t at = from_us; at + SECOND_US <= to_us; at += SIM_BIN_US)
        if (median_us(&metrics->latency, at, at + SIM_BIN_US) <= limit_us &&
            median_us(&metrics->latency, at, at + SECOND_US) <= limit_us)
            return at - from_us;
    return to_us - from_us;
}

int64_t sim_reached_us(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us,
                       double bps)
{
    for (int64_t at = from_us + SECOND_US; at <= to_us; at += SIM_BIN_US)
        if (sim_passed_bps(metrics, at - SECOND_US, at) >= bps)
            return at - from_us;
    return to_us - from_us;
}

double sim_least_sent_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us)
{
    double least = INFINITY;
    for (int64_t at = from_us; at + SECOND_US <= to_us; at += SIM_BIN_US)
        least = fmin(least, sim_sent_bps(metrics, at, at + SECOND_US));
    return least;
}

double sim_oscillation(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us)
{
    double sum = 0, squares = 0;
    int count = 0;
    for (int64_t at = from_us; at + SECOND_US <= to_us; at += SECOND_US, count++) {
        double rate = sim_sent_bps(metrics, at, at + SECOND_US);
        sum += rate;
        squares += rate * rate;
    }
    double mean = sum / count, variance = squares / count - mean * mean;
    return count == 0 || mean == 0 ? 0 : sqrt(fmax(variance, 0)) / mean;
}

double sim_fairness(const double *rates, int count)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        sum += rates[i];
        squares += rates[i] * rates[i];
    }
    return squares == 0 ? 1 : sum * sum / (count * squares);
}
