/* Inside the ICE agent: its data, and what its files give each other. Not for other rooms.
 *
 * One component, and one local end per transport, so a candidate pair is a remote address with its
 * transport:
 *   ice.c          life, credentials and restart, state, output
 *   ice_pairs.c    candidates and the table of pairs
 *   ice_checks.c   which check goes when; what its answer means; consent; selection
 *   ice_receive.c  requests and responses from the wire */
#ifndef OW_RTC_ICE_AGENT_H
#define OW_RTC_ICE_AGENT_H

#include "rtc/ice.h"
#include "rtc/stun.h"

enum {
    ICE_MAX_PAIRS = 96,
    ICE_MAX_SIGNALLED = 72, /* of these from candidates; the rest is for learned addresses */
    ICE_MAX_DIRECT = 40,    /* of these, not through the relay */
    ICE_MAX_RESPONSES = 16, /* waiting for poll; one call adds at most one */
    ICE_RESPONSE_BYTES = 160,
    ICE_MAX_TRANSMISSIONS = 7, /* RFC 8489 section 6.2.1, Rc */
    ICE_DOUBT_TRANSMISSIONS = 2,
};

#define ICE_PACE_US ((int64_t)50000)       /* RFC 8445 section 14.2, Ta */
#define ICE_RTO_US ((int64_t)500000)       /* RFC 8445 section 14.3, minimum */
#define ICE_CONNECT_US ((int64_t)30000000) /* no usable pair by then: failed */
#define ICE_CONSENT_US ((int64_t)5000000)  /* RFC 7675 section 5.1, ×0.8..1.2 */
#define ICE_CONSENT_EXPIRY_US ((int64_t)30000000)
/* Longer than the longest pause between two consent checks (6 s), so that one answer that takes a
 * second is no alarm. */
#define ICE_SILENCE_US ((int64_t)7000000)
/* A peer that moved without nominating: when it is heard on another pair that works and for this
 * long no more on the selected one, the selected one is asked, twice. No answer within the doubt
 * (or three round trips) is silence. Asking makes it safe: a pair that merely had nothing to say
 * answers and stays. */
#define ICE_DOUBT_AFTER_US ((int64_t)1000000)
#define ICE_DOUBT_US ((int64_t)1500000)
/* A nominated pair of lower priority takes over only after this pause in the selected one's
 * nominations: peers that nominate every check (RFC 5245 "aggressive") would make it flap. */
#define ICE_NOMINATION_HOLD_US ((int64_t)1000000)

/* After a restart: how long checks of the generation before are answered once a new pair carries
 * the media. */
#define ICE_OLD_GENERATION_US ((int64_t)10000000)

#define ICE_NEVER_US (INT64_MIN / 2) /* far enough back, yet differences do not overflow */

enum ice_pair_state { ICE_PAIR_WAITING, ICE_PAIR_IN_PROGRESS, ICE_PAIR_SUCCEEDED, ICE_PAIR_FAILED };

struct ice_pair {
    struct address remote;
    uint32_t remote_priority;
    enum ice_pair_state state;
    bool old;       /* of the generation before the last restart */
    bool signalled; /* from a candidate, not learned from a check */
    bool validated; /* authenticated bytes came from there */
    bool nominated; /* by the controlling side, and our own check has succeeded */
    bool nominate_on_success;
    bool answered;     /* no check is waiting for its response */
    bool send_pending; /* for poll: send the check of `transaction` now */
    uint8_t transaction[STUN_TRANSACTION_BYTES];
    enum stun_role sent_role;
    bool sent_use_candidate;
    int transmissions;
    int64_t sent_us;       /* last transmission; ICE_NEVER_US before the first */
    int64_t retransmit_us; /* IN_PROGRESS only */
    int64_t heard_us;      /* last authenticated message */
    int64_t doubted_us;    /* asked whether it still works; counts until it is heard again */
    int64_t consent_us;    /* last authenticated response (lite: request) */
    int64_t nominated_us;  /* last nomination */
    int64_t round_trip_us;
};

struct ice_response {
    struct address to;
    size_t size;
    uint8_t data[ICE_RESPONSE_BYTES];
};

/* Of one generation (RFC 8445 section 9). */
struct ice_credentials {
    char ufrag[ICE_UFRAG_CHARS + 1], pwd[ICE_PWD_CHARS + 1];
    char remote_pwd[SDP_PWD_BYTES];
    size_t remote_pwd_size;
    char username[SDP_UFRAG_BYTES + ICE_UFRAG_CHARS + 2]; /* "remote:local", of our requests */
};

struct ice_agent {
    enum ice_state state;
    enum stun_role role;
    uint64_t tie_breaker;
    bool lite, relay;
    struct random_source *random;
    struct ice_credentials current, old; /* old.ufrag "" = there is none */
    int64_t now_us;                      /* the time of the last call */
    int64_t pace_us, consent_check_us;
    int64_t patience_us; /* without a usable pair by then: failed */
    int64_t old_end_us;  /* the old generation is forgotten; INT64_MAX = not yet */
    int pair_count;
    int selected; /* index, -1 = none */
    struct ice_pair pairs[ICE_MAX_PAIRS];
    int response_head, response_count;
    struct ice_response responses[ICE_MAX_RESPONSES];
};

/* ice.c */
bool ice_is_over(const struct ice_agent *agent); /* failed or closed: nothing is sent any more */
const struct ice_credentials *ice_credentials_of(const struct ice_agent *agent,
                                                 const struct ice_pair *pair);

/* ice_pairs.c */
bool ice_is_usable_remote(const struct address *address);
struct ice_pair *ice_find_pair(struct ice_agent *agent, const struct address *remote, bool old);
/* Makes a pair of the present generation, at the cost of the least useful one when the table is
 * full of learned ones. NULL when there is no room. */
struct ice_pair *ice_add_pair(struct ice_agent *agent, const struct address *remote,
                              uint32_t priority, bool signalled);
/* Moves the last pair into its place: pointers to pairs are void after it. */
void ice_remove_pair(struct ice_agent *agent, int index);
uint64_t ice_pair_priority(const struct ice_agent *agent, const struct ice_pair *pair);
/* The PRIORITY attribute of our checks (RFC 8445 section 7.1.1). */
uint32_t ice_check_priority(const struct ice_pair *pair);

/* ice_checks.c */
/* Starts checks that are due, gives up on silent ones, expires consent, updates the state. */
void ice_run(struct ice_agent *agent);
/* Pairs were taken away: another one, or patience for the peer to come back, takes their place. */
void ice_lost_pairs(struct ice_agent *agent);
int64_t ice_next_run(const struct ice_agent *agent);
void ice_trigger_check(struct ice_agent *agent, struct ice_pair *pair);
void ice_nominate(struct ice_agent *agent, struct ice_pair *pair);
void ice_check_succeeded(struct ice_agent *agent, struct ice_pair *pair);
void ice_switch_role(struct ice_agent *agent);

#endif
