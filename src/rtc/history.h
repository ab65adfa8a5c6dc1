/* Packets sent lately, kept so that a NACK can be answered by RTX (RFC 4588). Holds references to
 * the shared frames, no copies; bounded by time, bytes and count. */
#ifndef OW_RTC_HISTORY_H
#define OW_RTC_HISTORY_H

#include "rtc/rtp_payload.h"

enum {
    HISTORY_PACKETS = 1024, /* a power of two: sequence numbers index the ring */
    HISTORY_BYTES = 2 * 1024 * 1024,
    HISTORY_US = 1000000,
};

struct history_packet {
    struct rtp_frame *frame; /* own reference; NULL = empty */
    int64_t sent_us, resent_us;
    uint16_t sequence, index; /* which payload of the frame */
};

/* Zero-initialised is empty. */
struct history {
    struct history_packet packets[HISTORY_PACKETS];
    uint16_t oldest, next; /* sequence numbers: [oldest, next) may be held */
    size_t bytes;
    bool used;
};

/* Remembers payload `index` of `frame` under `sequence`; takes its own reference. Sequence numbers
 * are meant to count up by one; after a jump the history starts anew. */
void history_add(struct history *history, int64_t now_us, uint16_t sequence,
                 struct rtp_frame *frame, uint16_t index);

/* The packet of a NACKed sequence number if it may be resent now: it is held, younger than a second
 * and was not resent within the last round trip (it is marked as resent). NULL otherwise. Lent
 * until the next call. */
const struct history_packet *history_resend(struct history *history, int64_t now_us,
                                            uint16_t sequence, int64_t round_trip_us);

/* The packet if it is still held, whatever its age. */
const struct history_packet *history_find(struct history *history, uint16_t sequence);

/* Forgets what is older than a second. */
void history_expire(struct history *history, int64_t now_us);
void history_clear(struct history *history);

#endif
