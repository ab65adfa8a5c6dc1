/* Inside the TURN client: its data, and what its files give each other.
 *
 *   turn_client.c    life, sending, output
 *   turn_requests.c  requests, their answers and their time
 *   turn_grants.c    the table of permissions and channels
 *   turn_stream.c    messages out of a stream */
#ifndef OW_RTC_TURN_INTERNAL_H
#define OW_RTC_TURN_INTERNAL_H

#include "rtc/turn_grants.h"
#include "rtc/turn_stream.h"

enum {
    TURN_QUEUE = 128,
    TURN_CHANNEL_HEADER_BYTES = 4,
    /* A Send indication: header, an IPv6 peer, the payload's header and padding. */
    TURN_QUEUED_BYTES = TURN_MAX_PAYLOAD + STUN_HEADER_BYTES + 24 + 4 + 4,
};

struct turn_queued {
    size_t size;
    uint8_t data[TURN_QUEUED_BYTES];
};

struct turn_client {
    enum turn_state state;
    char failure[200];
    bool stream, ipv6;
    struct random_source *random;
    char username[TURN_MAX_USERNAME + 1], password[TURN_MAX_PASSWORD + 1];

    bool has_key; /* the server has challenged: requests carry credentials */
    uint8_t key[STUN_KEY_BYTES];
    char realm[STUN_MAX_REALM + 1];
    uint8_t nonce[STUN_MAX_NONCE];
    size_t nonce_size;

    struct turn_transaction allocation; /* Allocate, then Refresh */
    struct address relayed, mapped;
    struct address alternate; /* of a redirection; family ADDRESS_NONE = none */
    char alternate_domain[STUN_MAX_DOMAIN + 1];
    int64_t refresh_us; /* of the allocation */
    int64_t next_us;    /* nothing is due before; it may be early */
    bool asks_pending;  /* a grant may have a request to send */

    struct turn_grants grants;
    struct turn_stream_reader reader;
    int queue_head, queue_count;
    struct turn_queued queue[TURN_QUEUE];
};

/* turn_requests.c */
void turn_request_start(struct turn_client *client, struct turn_transaction *transaction,
                        int64_t now_us);
void turn_request_grant(struct turn_client *client, struct turn_grant *grant, int64_t now_us);
/* The next request that is to be sent. OW_EAGAIN when there is none. */
int turn_request_poll(struct turn_client *client, uint8_t *data, size_t *size);
/* A success or error response. What answers nothing is dropped. */
void turn_request_answered(struct turn_client *client, int64_t now_us,
                           const struct stun_message *message);
/* Repeats, refreshes and gives up what is due; sets next_us. */
void turn_request_run(struct turn_client *client, int64_t now_us);

#endif
