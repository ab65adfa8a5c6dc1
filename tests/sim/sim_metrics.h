/* What a flow of a simulation came to: samples, bins of 200 ms (RFC 8868 section 3), and the
 * figures that are made of them. Times are those of the simulation's clock. */
#ifndef OW_TESTS_SIM_METRICS_H
#define OW_TESTS_SIM_METRICS_H

#include "sim_network.h"

enum { SIM_BIN_US = 200000 };

/* Values with the time at which they were seen, in order of time. */
struct sim_samples {
    struct sim_sample {
        int64_t at_us, value_us;
    } * items;
    int count, capacity;
};

struct sim_bin {
    uint64_t sent_bytes;   /* put into the network, with IP and UDP headers */
    uint64_t passed_bytes; /* through the bottleneck */
    uint64_t shown_bytes;  /* of frames shown */
    int target_bps;        /* at the bin's end */
    int64_t queue_us;      /* most that a packet waited */
    int64_t latency_us;    /* most that a frame shown took */
    int frames;
};

struct sim_metrics {
    struct sim_samples queue;   /* per packet: wait at the bottleneck */
    struct sim_samples latency; /* per frame, when shown: since it was captured */
    struct sim_bin *bins;
    int bin_count;
    uint64_t frames_made, frames_shown, key_frames_made;
    int freezes;
    int64_t frozen_us, longest_gap_us;
    /* of the last 30 gaps between shown frames */
    int64_t gaps_us[30];
    int gap_count;
    int64_t shown_us; /* of the last frame, 0 = none yet */
    int64_t first_shown_us;
};

void sim_metrics_init(struct sim_metrics *metrics, int64_t duration_us);
void sim_metrics_clear(struct sim_metrics *metrics);

struct sim_bin *sim_metrics_bin(struct sim_metrics *metrics, int64_t at_us);
void sim_samples_add(struct sim_samples *samples, int64_t at_us, int64_t value_us);
/* A frame is shown that was captured at capture_us. Freezes as libwebrtc counts them: a gap of more
 * than 3 times the average and more than the average + 150 ms. */
void sim_metrics_shown(struct sim_metrics *metrics, int64_t now_us, int64_t capture_us,
                       size_t bytes);

/* The value below which the part `p` of the samples in [from, to) lies; 0 without samples. */
int64_t sim_percentile(const struct sim_samples *samples, int64_t from_us, int64_t to_us, double p);
/* Rates over [from, to), whole bins. */
double sim_sent_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us);
double sim_passed_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us);
double sim_shown_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us);
/* The largest median latency of any second in [from, to). */
int64_t sim_worst_second_us(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us);
/* Time from `from` until a bin of 200 ms, and with it the second that begins there, has a median
 * latency of `limit` or less; to - from when there is none. */
int64_t sim_settled_below_us(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us,
                             int64_t limit_us);
/* Time from `from` until the passed rate, taken over a second, reaches `bps`. */
int64_t sim_reached_us(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us,
                       double bps);
/* The lowest sent rate of any second in [from, to). */
double sim_least_sent_bps(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us);
/* Standard deviation of the sent rate's seconds divided by their mean. */
double sim_oscillation(const struct sim_metrics *metrics, int64_t from_us, int64_t to_us);
/* Jain's index of the rates, 1/count … 1. */
double sim_fairness(const double *rates, int count);

#endif
