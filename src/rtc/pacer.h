/* Decides when each packet of the queued frames leaves. A token bucket: what fits into the burst, a
 * usual frame, leaves at once; what is larger, a key frame, is spread at the pacing rate. No frame
 * begins to leave before the end of a hold.
 *
 * Encoded frames are never dropped one by one: when a path is too slow for what the encoder makes,
 * everything up to the next key frame goes, and a key frame is to be asked for. An encoder that
 * minds pacer_free_us() does not let it come to that. */
#ifndef OW_RTC_PACER_H
#define OW_RTC_PACER_H

#include "rtc/rtp_payload.h"

enum {
    PACER_FRAMES = 32,
    PACER_MIN_BURST_BYTES = 3000,
    /* The burst is two frames' time at the pacing rate, for frames vary in size; but not less than
     * what libwebrtc may release at once (pacing_controller.h), and less than a short queue. */
    PACER_MIN_BURST_US = 40000,
    PACER_MAX_BURST_US = 100000,
    /* Headers and protection of a packet, for the estimate of the time that the queue needs. */
    PACER_PACKET_BYTES = 48,
    /* A frame that would wait longer is dropped … */
    PACER_WAIT_US = 150000,
    PACER_CATCH_UP_US = 500000, /* … until the queue was empty after a key frame */
    /* … but for those that were being encoded while the hold began: a key frame costs more. */
    PACER_LATE_FRAMES = 2,
    PACER_LATE_US = 1000000,
};

struct pacer {
    struct pacer_entry {
        struct rtp_frame *frame; /* own reference */
        int next;                /* payload to send next */
    } entries[PACER_FRAMES];
    int first, count;
    size_t queued_bytes; /* not sent yet, with PACER_PACKET_BYTES for each packet */
    double bytes_per_us, burst_bytes;
    double burst_part; /* of the usual burst, 0..1 */
    double tokens;     /* bytes that may leave now; below 0 after the packet that used them up */
    int64_t refilled_us;
    int64_t hold_until_us;
    int64_t last_capture_us, frame_interval_us;
    bool awaiting_key, catching_up;
};

struct pacer_packet {
    struct rtp_frame *frame; /* lent until pacer_advance() */
    uint16_t index;
    bool last; /* of its frame: carries the marker */
};

void pacer_init(struct pacer *pacer, int64_t now_us, int pacing_bps);
/* Drops all that is queued; nothing leaves before the next key frame. Returns the frames dropped.
 */
int pacer_clear(struct pacer *pacer);
void pacer_set_rate(struct pacer *pacer, int64_t now_us, int pacing_bps);
/* Bursts of this part of the usual size, for a path that drops what comes at once. */
void pacer_set_burst_part(struct pacer *pacer, double part);
/* No frame begins to leave before; a time that has passed = at once. */
void pacer_set_hold(struct pacer *pacer, int64_t until_us);

/* Queues a frame (own reference). Returns how many frames went, this one included, because the path
 * is too slow or no key frame came yet; then `pacer->awaiting_key` tells that one is needed. Frames
 * that a newer key frame makes useless count too. */
int pacer_push(struct pacer *pacer, int64_t now_us, struct rtp_frame *frame);

/* May a packet of any kind leave now? */
bool pacer_may_send(struct pacer *pacer, int64_t now_us);
/* From when on it may. */
int64_t pacer_ready_us(const struct pacer *pacer);
/* The next payload in order, whether or not tokens are left; false when there is none, or a hold
 * keeps it. */
bool pacer_peek(const struct pacer *pacer, int64_t now_us, struct pacer_packet *out);
/* When the next payload may leave by tokens and hold; INT64_MAX = there is none. */
int64_t pacer_next_us(const struct pacer *pacer);
/* Is a key frame queued or leaving? */
bool pacer_has_key(const struct pacer *pacer);
/* Steps over the payload that pacer_peek() gave. */
void pacer_advance(struct pacer *pacer);
/* Accounts for a datagram that left, of whatever kind. */
void pacer_charge(struct pacer *pacer, size_t bytes);
/* From when on a frame that is queued then would not wait. */
int64_t pacer_free_us(const struct pacer *pacer);

#endif
