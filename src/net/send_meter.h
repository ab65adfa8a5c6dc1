/* What a transport sends: totals, and means over the last whole second. Not locked: its owner is.
 */
#ifndef OW_NET_SEND_METER_H
#define OW_NET_SEND_METER_H

#include <stdint.h>

enum { SEND_METER_WINDOW_US = 1000 * 1000 };

struct send_figures {
    uint64_t frames, bytes; /* since the start; a frame counts once per viewer */
    double fps, kilobytes_per_s;
    double latency_ms, latency_max_ms; /* capture to handed to the socket; 0 = no frames */
};

struct send_window {
    int64_t start_us; /* 0 = none */
    uint64_t frames, bytes;
    int64_t latency_us, latency_max_us; /* sum and greatest over the frames */
};

struct send_meter {
    uint64_t frames, bytes;
    struct send_window current, last;
};

/* A picture sent to `viewers` viewers, `bytes` in all, latency_us after it was captured. */
void send_meter_add(struct send_meter *meter, int64_t now_us, int viewers, uint64_t bytes,
                    int64_t latency_us);
/* Means of the last whole second; zero when nothing was sent in it. */
void send_meter_read(struct send_meter *meter, int64_t now_us, struct send_figures *out);
/* Adds what another meter sent: means are weighted by frames. */
void send_figures_add(struct send_figures *sum, const struct send_figures *other);

#endif
