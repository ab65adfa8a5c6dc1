/* Probing: short bursts above the present rate that show whether the path takes more (libwebrtc,
 * probe_controller.cc and probe_bitrate_estimator.cc), and whether the sender fills what it has
 * (alr_detector.cc).
 *
 * A cluster costs latency where there is no room, so: the larger ones only after the smaller ones
 * got through, and none without a reason. A token bucket lets the first packets through unshaped:
 * the arrival rate is that of the rest. */
#ifndef OW_RTC_CC_PROBE_H
#define OW_RTC_CC_PROBE_H

#include "rtc/cc_feedback.h"

/* A burst of packets that tells whether the path takes more: send `bytes` or more, in `packets` or
 * more, at `bps`; real packets first, then padding. */
struct cc_probe {
    uint16_t id; /* never 0 */
    int bps, packets;
    size_t bytes;
};

struct cc_prober {
    struct cc_probe probe; /* the cluster that is wanted, under way or being waited for */
    enum { CC_PROBE_NONE, CC_PROBE_WANTED, CC_PROBE_SENT } phase;
    uint16_t last_id;
    int64_t asked_us, first_send_us, last_send_us, first_arrival_us, last_arrival_us;
    int64_t mark_send_us, mark_arrival_us; /* of the packet after the unshaped ones */
    uint32_t sent_bytes, received_bytes, marked_bytes, first_bytes, last_bytes;
    uint16_t sent, received;
    bool started;  /* the cluster at the start was asked for */
    bool returned; /* the path, after an outage: what it takes now is to be found out */
    bool last_failed;
    int64_t ended_us;  /* the last one */
    int64_t pause_us;  /* until the next attempt of the same kind; doubles with each that fails */
    double raised_bps; /* what the last cluster that got through showed … */
    int64_t raised_us; /* … and when; INT64_MIN = it was right, or wrong */
    bool misled;       /* it was wrong: a deep token bucket, or a gap between others' bursts */
    double before_drop_bps; /* what was lost at once and may come back; 0 = nothing */
    int64_t dropped_us;
    /* application-limited: what could have been sent and was not */
    double unused_bytes;
    int64_t unused_us;
    int64_t limited_since_us; /* INT64_MAX = not limited */
};

void cc_prober_init(struct cc_prober *prober, int64_t now_us);
/* Every packet that leaves. */
void cc_prober_sent(struct cc_prober *prober, const struct cc_packet *packet, double target_bps);
/* Every packet that is reported on. */
void cc_prober_result(struct cc_prober *prober, const struct cc_result *result);
bool cc_prober_is_limited(const struct cc_prober *prober);

/* What the others know when it is decided whether to probe. */
struct cc_prober_input {
    double target_bps, max_bps, start_bps;
    bool calm;        /* no queue, no overuse, no loss that limits */
    double train_bps; /* what the bottleneck seems to let through; 0 = not known */
    double share;     /* ours of what the bottleneck passes when full; 1 = alone */
    bool beyond_link; /* the rate has passed what the path was known to take */
};
/* After each feedback: the rate that a finished cluster showed, else 0; may want another one. */
double cc_prober_update(struct cc_prober *prober, int64_t now_us, const struct cc_prober_input *in);
/* The rate fell. */
void cc_prober_dropped(struct cc_prober *prober, int64_t now_us, double before_bps,
                       double after_bps);
/* The path is back after an outage for which the rate was lowered. */
void cc_prober_returned(struct cc_prober *prober);
bool cc_prober_take(struct cc_prober *prober, int64_t now_us, struct cc_probe *out);

#endif
