/* A TURN client (RFC 8656; RFC 5766 is the same for what is used here): one allocation on a relay
 * for all viewers. Sans-IO: the caller owns the socket or the (TLS) connection to the server and
 * the clock. At most one UDP relay address, of the family that the server chooses (or of IPv6 when
 * asked for).
 *
 * Contract: call one mutating function, then drain turn_client_poll() until OW_EAGAIN, then arm a
 * timer for turn_client_deadline(). Nothing that the server sends can do more harm than to deny
 * service: what comes from peers is for ICE to authenticate. */
#ifndef OW_RTC_TURN_CLIENT_H
#define OW_RTC_TURN_CLIENT_H

#include "core/address.h"
#include "core/error.h"
#include "core/random.h"

#include <stdbool.h>

struct turn_client;

enum {
    TURN_MAX_PAYLOAD = 1500, /* of one datagram to a peer */
    TURN_MAX_MESSAGE = 2048, /* bytes of one output */
    TURN_MAX_PEERS = 512,    /* addresses, and likewise IPs, in use at the same time */
    TURN_MAX_USERNAME = 512, /* bytes, RFC 8489 section 14.3 */
    TURN_MAX_PASSWORD = 512,
};

enum turn_state {
    TURN_ALLOCATING, /* asking; nothing can be sent to peers */
    TURN_ALLOCATED,
    TURN_FAILED, /* turn_client_failure() says why; a new client on a new connection may try again
                  */
    TURN_CLOSED,
};

struct turn_settings {
    const char *username, *password; /* copied; of the long-term credential (RFC 8489 section 9.2).
                                        A time-limited one must outlive the allocation: the server
                                        refuses another user name later. */
    bool stream;                     /* TCP or TLS to the server, not UDP */
    bool ipv6;                       /* ask for an IPv6 relay address; else IPv4 */
    struct random_source *random;    /* lent for the client's life */
};

/* OW_EINVAL for credentials that are empty or too long. The first request is there to be polled. */
int turn_client_create(struct turn_client **out, const struct turn_settings *settings,
                       int64_t now_us);

enum turn_state turn_client_state(const struct turn_client *client);
const char *turn_client_failure(const struct turn_client *client); /* a sentence; "" = none */
/* The relay address, transport ADDRESS_UDP (what peers are told); NULL unless allocated. */
const struct address *turn_client_relayed(const struct turn_client *client);
/* Where a server that failed with "300 Try Alternate" sends to (RFC 8489 section 10); NULL when it
 * did not, or named no address that can be. `*domain` is the name that the other server's
 * certificate must have, NULL = the one that was asked for first. Following it, and how often, is
 * the caller's. */
const struct address *turn_client_alternate(const struct turn_client *client, const char **domain);
/* Where the server saw us; NULL unless allocated or when it did not say. */
const struct address *turn_client_mapped(const struct turn_client *client);

/* What a peer sent to the relay address. */
struct turn_datagram {
    struct address peer; /* transport ADDRESS_RELAY */
    const uint8_t *data; /* lent until the next call or the end of the caller's bytes */
    size_t size;
};

/* Bytes from the server: exactly one datagram, or any stretch of the stream. Moves *data and *size
 * past what was read; call until it is not OW_OK:
 *   OW_OK      *out is a peer's datagram
 *   OW_EAGAIN  all bytes were taken; the state may have changed
 *   OW_EPARSE  only on streams: not TURN. The client has failed, close the connection.
 *   OW_ESTATE  failed or closed */
int turn_client_receive(struct turn_client *client, int64_t now_us, const uint8_t **data,
                        size_t *size, struct turn_datagram *out);

/* Queues a datagram for a peer (its transport does not matter). The permission for the peer's IP is
 * asked for by the first one and leaves before it; a channel is bound once the peer was heard.
 * OW_ESTATE when not allocated, OW_EINVAL for an address of the other family or one that cannot be,
 * OW_ELIMIT too large, the queue or the table of peers is full, OW_EAUTH the server forbids the
 * peer. */
int turn_client_send(struct turn_client *client, int64_t now_us, const struct address *peer,
                     const uint8_t *data, size_t size);

/* Asks for the permission alone, so that a peer which checks first is heard: for the IP that the
 * browser's request came from, because a browser that hides its candidates is found in no other
 * way. Errors as above. */
int turn_client_permit(struct turn_client *client, int64_t now_us, const struct address *peer);

/* OW_OK with the next bytes for the server: one datagram, or what is to be appended to the stream.
 * `data` holds TURN_MAX_MESSAGE bytes. OW_EAGAIN when there are none. */
int turn_client_poll(struct turn_client *client, uint8_t *data, size_t *size);

void turn_client_handle_timeout(struct turn_client *client, int64_t now_us);
int64_t turn_client_deadline(const struct turn_client *client); /* INT64_MAX = none */

/* Gives the allocation back: a refresh with lifetime 0 is there to be polled, once. */
void turn_client_close(struct turn_client *client, int64_t now_us);
void turn_client_destroy(struct turn_client **client);

#endif
