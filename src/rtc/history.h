/* Packets sent lately, kept so that a NACK can be answered by RTX (RFC 4588). Holds references to
 * the shared frames, no copies; bounded by time, bytes and count, and no larger than what one
 * viewer's rate needs: there are thousands of them. */
#ifndef OW_RTC_HISTORY_H
#define OW_RTC_HISTORY_H

#include "rtc/rtp_payload.h"

enum {
    HISTORY_FIRST_PACKETS = 64,
    HISTORY_PACKETS = 1024, /* at most; powers of two: sequence numbers index the ring */
    HISTORY_BYTES = 2 * 1024 * 1024,
    HISTORY_US = 1000000, /* unless history_set_age() says otherwise */
    HISTORY_MAX_RESENDS = 8,
};

struct history_packet {
    struct rtp_frame *frame; /* own reference */
    int64_t sent_us;
    uint32_t timestamp;    /* RTP's */
    uint32_t resent_after; /* µs after sent_us, the last time */
    uint16_t index;        /* which payload of the frame */
    uint8_t resends;
    uint8_t copies_out; /* on their way, nothing heard of them yet */
    bool arrived;       /* one of them is known to have arrived */
    bool stamped;       /* it carried its capture time */
};

/* Zero-initialised is empty. */
struct history {
    struct history_packet *packets; /* ring of `capacity` */
    uint32_t capacity;
    uint16_t oldest, next; /* sequence numbers: [oldest, next) are held */
    size_t bytes;
    int64_t age_us; /* 0 = HISTORY_US */
    bool used;
};

/* Remembers payload `index` of `frame`, sent under `sequence` and `timestamp`, and whether with its
 * capture time; takes its own reference. Sequence numbers are meant to count up by one; after a
 * jump the history starts anew. Without memory it stays as large as it is. */
void history_add(struct history *history, int64_t now_us, uint16_t sequence, uint32_t timestamp,
                 struct rtp_frame *frame, uint16_t index, bool stamped);

/* The packet of a NACKed sequence number if it may be resent now: it is held, young enough, was not
 * resent within `pause_us` nor too often (it is marked as resent). NULL otherwise. Lent until the
 * next call. */
const struct history_packet *history_resend(struct history *history, int64_t now_us,
                                            uint16_t sequence, int64_t pause_us);

/* A copy of it left. */
void history_copy_left(struct history *history, uint16_t sequence);
/* A copy arrived or was lost. The packet if it is to be resent because all its copies were lost (it
 * is marked as resent), else NULL. */
const struct history_packet *history_copy_fate(struct history *history, int64_t now_us,
                                               uint16_t sequence, bool received);

/* The packet if it is still held, whatever its age. */
const struct history_packet *history_find(const struct history *history, uint16_t sequence);

/* From now on packets are kept for so long. */
void history_set_age(struct history *history, int64_t age_us);
/* Forgets what is older. */
void history_expire(struct history *history, int64_t now_us);
/* Forgets all; the memory goes, too. */
void history_clear(struct history *history);

#endif
