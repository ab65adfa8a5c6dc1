/* A TCP-like flow that competes for the bottleneck: CUBIC (RFC 9438) with slow start, loss found by
 * three later acknowledgements, a retransmission timeout. It carries no data. One long transfer, or
 * transfers of random size with pauses between them. */
#ifndef OW_TESTS_SIM_TCP_H
#define OW_TESTS_SIM_TCP_H

#include "sim_network.h"

enum { SIM_TCP_WINDOW = 8192, SIM_TCP_SEGMENT_BYTES = 1500 };

struct sim_tcp_settings {
    int64_t start_us, stop_us; /* stop 0 = never */
    /* short transfers: uniform sizes, exponential pauses; min_bytes 0 = one endless transfer */
    int64_t min_bytes, max_bytes;
    int64_t pause_us; /* mean */
};

struct sim_tcp {
    struct sim_clock *clock;
    struct sim_tcp_settings settings;
    struct random_source random;
    struct sim_port out, back;
    bool active;
    int64_t left; /* segments still to send for the first time */
    /* of the segments [oldest, next) some are on their way; a ring */
    int64_t next, oldest;
    enum { SIM_TCP_GONE, SIM_TCP_FLYING } segments[SIM_TCP_WINDOW];
    int64_t sent_us[SIM_TCP_WINDOW];
    int flying;
    double window, threshold; /* segments */
    double largest;           /* the window before the last loss */
    int64_t reduced_us, smooth_us, heard_us, recovery_below;
    uint64_t passed_bytes;
    uint64_t *bins; /* bytes through the bottleneck, bins of 200 ms */
    int bin_count;
    int transfers; /* done */
};

void sim_tcp_init(struct sim_tcp *tcp, struct sim_clock *clock, struct sim_link *forward,
                  struct sim_link *backward, const struct sim_tcp_settings *settings,
                  int64_t duration_us, uint64_t seed);
void sim_tcp_clear(struct sim_tcp *tcp);
double sim_tcp_bps(const struct sim_tcp *tcp, int64_t from_us, int64_t to_us);

#endif
