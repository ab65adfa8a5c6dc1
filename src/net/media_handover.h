/* Datagrams from one network thread to another: a bounded ring with one writer and one reader, no
 * lock. What does not fit is dropped, as on any network. */
#ifndef OW_NET_MEDIA_HANDOVER_H
#define OW_NET_MEDIA_HANDOVER_H

#include "core/address.h"
#include "core/error.h"
#include "rtc/session.h"

#include <stdatomic.h>

enum { MEDIA_HANDOVER_SLOTS = 256 };

enum media_handover_kind {
    MEDIA_HANDOVER_IN,    /* came from `peer`, for a viewer of the reading thread */
    MEDIA_HANDOVER_RELAY, /* is to leave for `peer` through the relay */
};

struct media_handover_slot {
    enum media_handover_kind kind;
    struct address peer;
    size_t size;
    uint8_t data[RTC_MAX_DATAGRAM];
};

struct media_handover;

int media_handover_create(struct media_handover **out);
/* False when it is full or the datagram too large. Writing thread. */
bool media_handover_put(struct media_handover *handover, enum media_handover_kind kind,
                        const struct address *peer, const uint8_t *data, size_t size);
/* The oldest datagram, lent until media_handover_next(); NULL = empty. Reading thread. */
struct media_handover_slot *media_handover_peek(struct media_handover *handover);
void media_handover_next(struct media_handover *handover);
void media_handover_destroy(struct media_handover **handover);

#endif
