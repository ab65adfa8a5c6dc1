/* This machine's address behind a NAT, asked of a STUN server from the media port (RFC 8489 section
 * 6, the server-reflexive candidate of RFC 8445 section 5.1.1.2). Asked again often enough to keep
 * the NAT's mapping, which also tells when it changed. Sans-IO. */
#ifndef OW_RTC_STUN_QUERY_H
#define OW_RTC_STUN_QUERY_H

#include "core/address.h"
#include "core/error.h"
#include "core/random.h"
#include "rtc/stun.h"

enum stun_query_state {
    STUN_QUERY_ASKING, /* no answer yet */
    STUN_QUERY_KNOWN,
    STUN_QUERY_FAILED, /* not answered; asked again after a while */
};

enum { STUN_QUERY_BYTES = 64 }; /* no request is larger */

/* Owned by the caller; its fields are for stun_query.c alone. */
struct stun_query {
    struct address server;
    struct random_source *random; /* lent */
    enum stun_query_state state;
    struct address mapped;
    bool waiting, send_pending; /* for an answer; for poll */
    uint8_t transaction[STUN_TRANSACTION_BYTES];
    int transmissions;
    int64_t due_us; /* of the next transmission, or of giving up */
};

/* Call stun_query_handle_timeout() at the deadline, which is at once. */
void stun_query_init(struct stun_query *query, const struct address *server,
                     struct random_source *random, int64_t now_us);

/* OW_OK with the next request for the server in `data`, which holds STUN_QUERY_BYTES; OW_EAGAIN. */
int stun_query_poll(struct stun_query *query, uint8_t *data, size_t *size);

/* A datagram of the media port that may be an answer. OW_OK: it was, ask stun_query_mapped();
 * OW_ENOTFOUND: it is none to a request of this query, hence for ICE; OW_EPARSE: it says nothing of
 * use. */
int stun_query_receive(struct stun_query *query, int64_t now_us, const struct address *from,
                       const uint8_t *data, size_t size);

void stun_query_handle_timeout(struct stun_query *query, int64_t now_us);
int64_t stun_query_deadline(const struct stun_query *query);

enum stun_query_state stun_query_state(const struct stun_query *query);
/* The address that the server saw; kept while the server does not answer. NULL before there was
 * one. Compare with the one before to notice a change. */
const struct address *stun_query_mapped(const struct stun_query *query);

#endif
