/* Decides when each packet of the queued frames leaves. A token bucket: frames that fit into the
 * burst leave at once, what is larger is spread at 2.5 times the target. When a path is too slow
 * for what the encoder makes, everything up to the next key frame goes (encoded frames are never
 * dropped one by one) and a key frame is to be asked for. */
#ifndef OW_RTC_PACER_H
#define OW_RTC_PACER_H

#include "rtc/rtp_payload.h"

enum {
    PACER_FRAMES = 32,
    PACER_MIN_BURST_BYTES = 15000,
    PACER_BURST_US = 40000, /* at the target's rate; what libwebrtc may release at once */
    PACER_RATE_PERCENT = 250,
    PACER_CATCH_UP_US = 300000, /* wait allowed until the queue was empty after a key frame */
};

struct pacer {
    struct pacer_entry {
        struct rtp_frame *frame; /* own reference */
        int next;                /* payload to send next */
    } entries[PACER_FRAMES];
    int first, count;
    size_t queued_bytes; /* payload bytes not sent yet */
    int target_bps;
    double tokens; /* bytes that may leave now; below 0 after the packet that used them up */
    int64_t refilled_us;
    int64_t last_capture_us, frame_interval_us;
    bool awaiting_key, catching_up;
};

struct pacer_packet {
    struct rtp_frame *frame; /* lent until pacer_advance() */
    uint16_t index;
    bool last; /* of its frame: carries the marker */
};

void pacer_init(struct pacer *pacer, int64_t now_us, int target_bps);
void pacer_clear(struct pacer *pacer);
void pacer_set_target(struct pacer *pacer, int64_t now_us, int target_bps);

/* Queues a frame (own reference). Returns how many frames went, this one included, because the path
 * is too slow or no key frame came yet; then `pacer->awaiting_key` tells that one is needed. Frames
 * that a newer key frame makes useless count too. */
int pacer_push(struct pacer *pacer, int64_t now_us, struct rtp_frame *frame);

/* May a packet leave now? */
bool pacer_may_send(struct pacer *pacer, int64_t now_us);
/* From when on a packet may leave. */
int64_t pacer_ready_us(const struct pacer *pacer);
/* The next payload in order, whether or not it may leave; false when there is none. */
bool pacer_peek(const struct pacer *pacer, struct pacer_packet *out);
/* Steps over the payload that pacer_peek() gave. */
void pacer_advance(struct pacer *pacer);
/* Accounts for a datagram that left, of whatever kind. */
void pacer_charge(struct pacer *pacer, size_t bytes);

#endif
