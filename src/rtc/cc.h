/* Congestion control: what a viewer's path takes, and when. Google congestion control as libwebrtc
 * runs it on the sending side (modules/congestion_controller/goog_cc, mid-2025) from transport-wide
 * feedback, REMB and receiver reports for peers without it; and what a sender can do better that
 * owns its encoder: it knows how long the path's queue is and lets it run empty.
 *
 * Where it departs from libwebrtc:
 * - A frame leaves as a burst, so a group is timed by the packet of it that waited least, and what
 *   the sender's own bursts explain of a wait does not count (cc_groups).
 * - Beside the trend it looks at the queue itself: one that shoots up or stands for 100 ms is
 *   overuse at once, and a hold of at most 450 ms lets it run empty (cc_queue).
 * - The rate after a decrease is taken from what arrived while the queue was never empty, not from
 *   the last second, and is refined during the hold (cc_acknowledged, cc_aimd).
 * - The spacing of a frame's packets says what the bottleneck passes (cc_train): whether a probe is
 *   worthwhile, and how much of a full path is ours. Who shares one grows by the same part of its
 *   capacity, gives way the more the larger his part is, and does not probe (cc_aimd).
 * - A queue that is never calm is a TCP transfer's: only loss is given way to (cc_aimd).
 * - Beyond the known capacity the rate grows by up to 50 % a second while there is no queue; at the
 *   start the second cluster (6x) leaves when the first (3x) got through (cc_probe).
 * - Loss without a queue is taken for random up to 15 %, not 5 % (cc_loss).
 * - Missing feedback holds new frames, one is let through now and then; when it is back, a probe
 *   shows what the path takes (here).
 *
 * Plain functions of (what was sent, what came back, time). One per viewer: keep it small. */
#ifndef OW_RTC_CC_H
#define OW_RTC_CC_H

#include "rtc/cc_aimd.h"
#include "rtc/cc_feedback.h"
#include "rtc/cc_groups.h"
#include "rtc/cc_loss.h"
#include "rtc/cc_probe.h"
#include "rtc/cc_queue.h"
#include "rtc/cc_train.h"
#include "rtc/cc_trend.h"
#include "rtc/rate_meter.h"
#include "rtc/rtcp.h"

struct cc_settings {
    int min_bps, start_bps, max_bps;
};

/* A peer that sends no transport-wide feedback. */
struct cc_reports {
    double bps;
    int64_t updated_us, decreased_us;
};

struct cc {
    struct cc_settings settings;
    double estimate_bps; /* by delay and loss, before a REMB */
    struct cc_aimd aimd;
    struct cc_loss loss;
    struct cc_trend trend;
    struct cc_train train;
    struct cc_queue queue;
    struct cc_prober prober;
    struct cc_reports reports;
    struct rate_meter sent;
    uint64_t remb_bps; /* UINT64_MAX = none came */
    int64_t round_trip_us;
    int64_t reported_round_trip_us; /* when a receiver report last told the round trip */
    int64_t feedback_round_trip_us; /* by the newest packet of each feedback, mean; 0 = not known */
    uint64_t arrived_bytes;         /* of all packets that were reported to have arrived */
    double acknowledged_bps;        /* 0 = not known */
    double busy_bps;
    int64_t busy_us; /* when the path was last full */
    double share; /* of what the bottleneck passed when it was last full: ours; 1 = alone on it */
    double packet_bytes; /* mean */
    double own_us;       /* how far the sender's bursts are ahead of the target's rate */
    int64_t own_updated_us;
    double last_loss;
    uint32_t loss_packets, loss_lost; /* since the last period's end */
    int64_t loss_period_us;
    int64_t feedback_us;          /* when transport feedback came last; INT64_MIN = never */
    int64_t feedback_interval_us; /* mean */
    int64_t waiting_us;           /* since when packets are on their way unheard of */
    int64_t stall_us;             /* when the hold of a stalled path is to be looked at next */
    int64_t stall_hold_until_us;
    int stalls;        /* holds in a row without feedback */
    int64_t path_us;   /* since when it is the present path; INT64_MIN = ever */
    int64_t outage_us; /* what was sent before fell into an outage; INT64_MIN = none */
    int64_t backed_off_us;
    bool backed_off; /* for want of feedback, which has not come since */
    bool overuse;
    bool just_lost; /* packets, by the last feedback */
    struct cc_groups groups;
    struct cc_feedback feedback;
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
