/* A browser's video receiver as libwebrtc's: transport-wide feedback, negative acknowledgements (at
 * once, then per interval on a tick of 20 ms, ten times), recovery by RTX and FlexFEC, key frame
 * requests
 * (every 200 ms before the first frame, then after 3 s without one), receiver reports each second,
 * REMB for peers without transport-wide feedback. Plain RTP and RTCP in, plain RTCP out.
 *
 * Not modelled: the wait that libwebrtc adds before the first NACK once it has seen reordering. */
#ifndef OW_TESTS_SIM_RECEIVER_H
#define OW_TESTS_SIM_RECEIVER_H

#include "sim_clock.h"
#include "sim_flexfec.h"
#include "sim_frames.h"
#include "sim_twcc.h"

enum sim_feedback { SIM_TRANSPORT_CC, SIM_REMB, SIM_REPORTS_ONLY };

enum {
    SIM_MAX_NACKS = 1000,
    SIM_EXTENSION_TRANSPORT_CC = 3,
    SIM_EXTENSION_SEND_TIME = 2,
    SIM_REMB_SLOTS = 10, /* of 100 ms */
};

struct sim_receiver_settings {
    uint32_t ssrc, rtx_ssrc, flexfec_ssrc; /* flexfec_ssrc 0 = not negotiated */
    enum sim_feedback feedback;
    /* 0 = 5 % of the received rate, within 50 to 250 ms (libwebrtc's rule); default there 100 ms */
    int64_t feedback_us;
    int64_t nack_repeat_us; /* the round trip that the receiver knows; libwebrtc assumes 100 ms */
    void (*send)(void *context, const uint8_t *rtcp, size_t size);
    void (*shown)(void *context, const struct sim_shown *frame);
    void *context;
};

struct sim_nack {
    int64_t number, sent_us; /* sent_us 0 = not yet */
    int times;
};

struct sim_receiver {
    struct sim_clock *clock;
    struct sim_receiver_settings settings;
    struct sim_twcc twcc;
    struct sim_frames frames;
    struct sim_flexfec fec;
    struct sim_nack nacks[SIM_MAX_NACKS];
    int nack_count;
    int64_t newest; /* unwrapped number of the newest video packet, 0 = none came */
    int64_t shown_us, asked_us;
    bool showed;
    /* reports */
    int64_t first, received, reported_expected, reported_received;
    int64_t transit_90k, report_arrived_us;
    double jitter_90k;
    uint32_t last_report;
    /* receive side estimate */
    struct {
        size_t slots[SIM_REMB_SLOTS];
        int64_t slot, least_delay_us, delay_us, sent_us, decreased_us;
        double bps, sent_bps;
    } remb;
    uint64_t received_bytes, feedback_bytes; /* feedback_bytes: since the last feedback */
    uint64_t nacks_sent, plis_sent, recovered;
};

void sim_receiver_init(struct sim_receiver *receiver, struct sim_clock *clock,
                       const struct sim_receiver_settings *settings);
/* A decrypted RTP or RTCP packet. */
void sim_receiver_rtp(struct sim_receiver *receiver, const uint8_t *data, size_t size);
void sim_receiver_rtcp(struct sim_receiver *receiver, const uint8_t *data, size_t size);

#endif
