/* One sender and its viewer: the product's session (ICE, DTLS, SRTP, pacer, rate control, repair;
 * nothing of it is replaced) fed by the encoder model on one side, a browser's ICE, DTLS, SRTP and
 * the receiver model on the other, two ports of the network between them.
 *
 * Deterministic: OpenSSL draws its own keys, so DTLS datagrams count with a fixed size, and nothing
 * is lost before the connection is up. */
#ifndef OW_TESTS_SIM_FLOW_H
#define OW_TESTS_SIM_FLOW_H

#include "sim_encoder.h"
#include "sim_metrics.h"
#include "sim_receiver.h"

enum { SIM_TIERS = 32 };

struct dtls_identity;
struct sim_flow;

struct sim_flow_settings {
    int64_t start_us, stop_us;             /* stop 0 = never */
    int64_t pause_from_us, pause_until_us; /* no frames are made */
    int64_t extra_us;                      /* one-way delay that only this flow has */
    bool reversed;                         /* media goes the way back */
    int min_bps, start_bps, max_bps;       /* 0 = 100 kbit/s, 500 kbit/s, 8 Mbit/s */
    double fps;                            /* 0 = 30 */
    int limit_bps;                         /* what the content needs; 0 = any */
    enum sim_feedback feedback;
    bool no_flexfec;        /* the browser does not offer it */
    int64_t feedback_us;    /* 0 = 100 ms; below 0 = by libwebrtc's rule */
    int64_t nack_repeat_us; /* 0 = 100 ms */
    bool vectors;           /* the page draws vectors; the data channel itself is not simulated */
    int64_t move_us;        /* the viewer goes on from another address; 0 = never */
};

/* What happened to a flow; lent until sim_flow_destroy(). */
struct sim_flow_result {
    struct sim_metrics metrics;
    bool connected, closed;
    int64_t connected_us;
    uint64_t sent_packets, dropped_packets, lost_packets; /* of the media direction */
    uint64_t nacks_sent, plis_sent, recovered;            /* by RTX */
    struct sim_tier_change {
        int64_t at_us;
        bool vector;
    } tiers[SIM_TIERS]; /* the first changes */
    int tier_count;
    uint64_t repairs, restored, malformed_repairs; /* FlexFEC packets, and what they brought back */
};

/* The links are lent. `seed` is the flow's own. */
struct sim_flow *sim_flow_create(struct sim_clock *clock, struct dtls_identity *identity,
                                 struct sim_link *forward, struct sim_link *backward,
                                 const struct sim_flow_settings *settings, int64_t duration_us,
                                 uint64_t seed);
/* Takes what is counted elsewhere together. */
struct sim_flow_result *sim_flow_result(struct sim_flow *flow);
/* To be called after the clock was cleared. */
void sim_flow_destroy(struct sim_flow **flow);

#endif
