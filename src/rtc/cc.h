/* Congestion control: what a viewer's path takes, and when. Google congestion control as libwebrtc
 * runs it on the sending side (modules/congestion_controller/goog_cc, mid-2025) from transport-wide
 * feedback, REMB and receiver reports for peers without it; and what a sender can do better that
 * owns its encoder: it knows how long the path's queue is and lets it run empty.
 *
 * Plain functions of (what was sent, what came back, time). One per viewer: keep it small. */
#ifndef OW_RTC_CC_H
#define OW_RTC_CC_H

#include "rtc/rate_meter.h"
#include "rtc/rtcp.h"

enum { CC_RECORDS = 2048 };

struct cc_settings {
    int min_bps, start_bps, max_bps;
};

/* A datagram that leaves. */
struct cc_packet {
    int64_t send_us;
    uint16_t sequence; /* transport-wide */
    uint16_t bytes;    /* of the datagram, without IP and UDP headers */
    uint16_t probe;    /* cc_probe.id of the cluster that it belongs to, 0 = none */
    bool padding;      /* sent for the probe's sake only */
    uint32_t frame;    /* counts video frames; packets of one frame may leave back to back */
};

/* A burst of packets that tells whether the path takes more: send `bytes` or more, in `packets` or
 * more, at `bps`; real packets first, then padding. */
struct cc_probe {
    uint16_t id; /* never 0 */
    int bps, packets;
    size_t bytes;
};

/* A packet on its way: ring by transport-wide sequence number. */
struct cc_record {
    int64_t send_us;
    uint16_t sequence;
    uint16_t bytes;
    enum { CC_EMPTY, CC_IN_FLIGHT, CC_LOST, CC_RECEIVED } fate;
};

struct cc {
    struct cc_settings settings;
    double estimate_bps;
    uint64_t remb_bps; /* UINT64_MAX = none came */
    int64_t round_trip_us;
    int64_t last_loss_us, last_decrease_us, last_report_us;
    int64_t period_start_us; /* of the transport feedback summed up below */
    uint32_t period_packets, period_lost;
    uint64_t period_bytes;    /* received */
    int64_t acknowledged_bps; /* 0 = not known */
    double loss;
    struct rate_meter sent;
    struct cc_record records[CC_RECORDS];
};

/* Limits are put in order: 1 <= min <= start <= max. */
void cc_init(struct cc *cc, const struct cc_settings *settings, int64_t now_us);
/* New limits for a running estimate, for example another preset. */
void cc_set_limits(struct cc *cc, int64_t now_us, const struct cc_settings *settings);

void cc_on_packet_sent(struct cc *cc, const struct cc_packet *packet);
/* A TRANSPORT_FEEDBACK. OW_EPARSE when malformed (then without effect). */
int cc_on_transport_feedback(struct cc *cc, int64_t now_us, const struct rtcp_packet *feedback);
/* loss 0..1 since the last report; round_trip_us 0 = not known. */
void cc_on_receiver_report(struct cc *cc, int64_t now_us, double loss, int64_t round_trip_us);
void cc_on_remb(struct cc *cc, int64_t now_us, uint64_t bps);
/* The path changed (another selected pair, a network change): what was learned of it is void. */
void cc_on_path_change(struct cc *cc, int64_t now_us);

/* To be called when cc_deadline() is reached: missing feedback, the end of a hold. */
void cc_on_timeout(struct cc *cc, int64_t now_us);
int64_t cc_deadline(const struct cc *cc); /* INT64_MAX = none */

/* Everything that may leave: media, headers, repair, padding. Within the limits at all times. */
int cc_target_bps(const struct cc *cc, int64_t now_us);
/* How fast the pacer lets packets go that are more than one frame's burst. */
int cc_pacing_bps(const struct cc *cc, int64_t now_us);
/* Until when no new frame should leave, because the path's queue is to run empty first; a time that
 * has passed = now. Repair of frames already sent goes on. */
int64_t cc_hold_until_us(const struct cc *cc);
/* The cluster to send now, once each; false = none is wanted. */
bool cc_take_probe(struct cc *cc, int64_t now_us, struct cc_probe *out);

/* For the page and the log. The loss of the last report or feedback period, 0..1. */
double cc_loss(const struct cc *cc);
int64_t cc_queue_delay_us(const struct cc *cc); /* one way, above the least seen; 0 = not known */
int64_t cc_round_trip_us(const struct cc *cc);  /* 0 = not known */
const char *cc_state_name(const struct cc *cc); /* "increase", "hold", "decrease", … */

#endif
