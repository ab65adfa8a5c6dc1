/* A TURN client and a small server made of STUN messages, on a virtual clock. Every promise of RFC
 * 8656 that the client relies on is checked by the server: credentials, the order of requests,
 * permissions before data. */
#ifndef OW_TESTS_TURN_WORLD_H
#define OW_TESTS_TURN_WORLD_H

#include "rtc/stun.h"
#include "rtc/turn_client.h"

enum { SECOND = 1000000 };

struct turn_world {
    struct random_source random;
    struct turn_client *client;
    bool stream;
    int64_t now;
    /* what the server does */
    const char *server_password;
    bool silent, open; /* open: no credentials wanted */
    int error;         /* of the next authentic request; then 0 */
    enum stun_method error_for;
    struct address alternate; /* goes with a 300 */
    const char *alternate_domain;
    int nonce; /* the one that is valid */
    uint32_t lifetime_s;
    /* its state */
    bool allocated;
    struct address relay, permitted, bound; /* the last one of each */
    uint16_t channel;
    int64_t permitted_us, bound_us;
    int requests, allocates, refreshes, permissions, binds, challenges, stales;
    uint32_t last_lifetime;
    /* what peers got */
    int indications, channel_data;
    struct address last_peer;
    uint8_t last_data[TURN_MAX_PAYLOAD];
    size_t last_size, last_wire_size;
    /* what the client gave */
    int datagrams;
    struct turn_datagram last;
    uint8_t last_given[4096];
};

struct address world_address(const char *ip, int port);

/* A client that is about to allocate; `stream`: over TCP. */
void world_open(struct turn_world *w, bool stream);
void world_close(struct turn_world *w);

/* What the client sends, one output at a time: each is whole messages. */
void world_serve(struct turn_world *w, const uint8_t *data, size_t size);
/* Has the server answer what the client sends. */
void world_drain(struct turn_world *w);
/* From deadline to deadline. */
void world_run(struct turn_world *w, int64_t until);
void world_allocate(struct turn_world *w);

/* Bytes to the client; on a stream in pieces of an odd size. */
int world_give(struct turn_world *w, const uint8_t *data, size_t size);
void world_reply(struct turn_world *w, const struct stun_message *request, int error,
                 bool challenge);
void world_give_data(struct turn_world *w, const struct address *peer, const char *text);
/* From the client to a peer. */
int world_send_to(struct turn_world *w, const struct address *peer, const char *text);

#endif
