/* Congestion control: what a viewer's path takes. Fed with what was sent and what came back, asked
 * for a target. Loss-based today, after the older form of libwebrtc's send side
 * (modules/congestion_controller/goog_cc, mid-2025): below 2 % loss up by 8 % a second, above 10 %
 * down by half the loss; every sent packet is already on record for a delay-based estimate. */
#ifndef OW_RTC_CC_H
#define OW_RTC_CC_H

#include "rtc/rate_meter.h"
#include "rtc/rtcp.h"

enum { CC_RECORDS = 2048 };

struct cc_settings {
    int min_bps, start_bps, max_bps;
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

/* `sequence` is the transport-wide number; `bytes` those of the datagram. */
void cc_on_packet_sent(struct cc *cc, uint16_t sequence, size_t bytes, int64_t send_us);
/* A TRANSPORT_FEEDBACK. OW_EPARSE when malformed (then without effect). */
int cc_on_transport_feedback(struct cc *cc, int64_t now_us, const struct rtcp_packet *feedback);
/* loss 0..1 since the last report; round_trip_us 0 = not known. */
void cc_on_receiver_report(struct cc *cc, int64_t now_us, double loss, int64_t round_trip_us);
void cc_on_remb(struct cc *cc, int64_t now_us, uint64_t bps);

/* Within the limits at all times. */
int cc_target_bps(const struct cc *cc, int64_t now_us);
/* The loss of the last report or feedback period, 0..1. */
double cc_loss(const struct cc *cc);

#endif
