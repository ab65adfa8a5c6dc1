/* Inside the TURN client: what the server was asked to let through. A permission is for an IP and
 * has port 0; a channel is for an address. Bounded: the ones that were not used for longest make
 * room. */
#ifndef OW_RTC_TURN_GRANTS_H
#define OW_RTC_TURN_GRANTS_H

#include "rtc/stun.h"
#include "rtc/turn_client.h"

enum {
    TURN_MAX_GRANTS = 2 * TURN_MAX_PEERS,
    TURN_GRANT_BUCKETS = 1024,
    TURN_FIRST_CHANNEL = 0x4000, /* RFC 8656 section 12: 0x4000 to 0x4fff */
    TURN_CHANNELS = 0x1000,
};

/* A request that waits for its answer. */
struct turn_transaction {
    bool waiting, send_pending; /* for the answer; for poll */
    uint8_t id[STUN_TRANSACTION_BYTES];
    int transmissions, renewals; /* renewals: with another nonce, since the first */
    int64_t due_us;              /* next transmission, or giving up */
};

enum turn_grant_state { TURN_GRANT_NONE, TURN_GRANT_GIVEN, TURN_GRANT_REFUSED };

struct turn_grant {
    struct address peer; /* transport ADDRESS_RELAY; family ADDRESS_NONE = a free place */
    uint16_t channel;    /* 0 = a permission, or a channel that was not asked for yet */
    enum turn_grant_state state;
    struct turn_transaction ask;
    int sent;           /* indications, before there is a channel */
    int64_t used_us;    /* by a send or by something heard */
    int64_t refresh_us; /* GIVEN: ask again; REFUSED: forgotten */
    int next;           /* in the bucket; -1 = last */
};

struct turn_grants {
    struct turn_grant rows[TURN_MAX_GRANTS];
    int bucket[TURN_GRANT_BUCKETS]; /* index + 1 */
    int16_t by_channel[TURN_CHANNELS];
    int count; /* rows from here on were never used */
    int next_channel;
};

void turn_grants_init(struct turn_grants *grants);
/* With port 0: the permission for the IP. NULL = none. */
struct turn_grant *turn_grants_find(struct turn_grants *grants, const struct address *peer);
struct turn_grant *turn_grants_by_channel(struct turn_grants *grants, uint16_t channel);
/* NULL when all places are in use. */
struct turn_grant *turn_grants_add(struct turn_grants *grants, const struct address *peer,
                                   int64_t now_us);
/* Gives a channel number to an address that has none; false when there is none left. */
bool turn_grants_number(struct turn_grants *grants, struct turn_grant *grant);
void turn_grants_remove(struct turn_grants *grants, struct turn_grant *grant);

#endif
