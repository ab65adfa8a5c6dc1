/* What a hostile TURN server may send. The input is a flag for stream or datagrams and records:
 *   flags, length, bytes
 * flags: 1 = the transaction id is set to that of the request that came last; 2 = one second passes
 * before; 4 = a datagram is sent to a peer before; 8 = to one of many peers. Whatever comes, memory
 * and outputs stay within bounds and the time goes on. */
#include "fuzz.h"

#include "rtc/stun.h"
#include "rtc/turn_client.h"

#include <stdlib.h>
#include <string.h>

enum { TRANSACTION_AT = 8 };

struct world {
    struct random_source random;
    struct turn_client *client;
    int64_t now;
    uint8_t transaction[STUN_TRANSACTION_BYTES];
};

static void drain(struct world *w)
{
    uint8_t data[TURN_MAX_MESSAGE];
    size_t size;
    for (int i = 0; turn_client_poll(w->client, data, &size) == OW_OK; i++) {
        if (size > sizeof data || i > 4 * TURN_MAX_PEERS)
            abort();
        if (size >= STUN_HEADER_BYTES && (data[0] & 0xc0) == 0)
            memcpy(w->transaction, data + TRANSACTION_AT, sizeof w->transaction);
    }
}

static void pass_time(struct world *w)
{
    w->now += 1000000;
    turn_client_handle_timeout(w->client, w->now);
    if (turn_client_deadline(w->client) <= w->now)
        abort();
}

static void send_something(struct world *w, uint8_t flags)
{
    struct address peer = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 1}, .port = 4000};
    if (flags & 8)
        peer.ip[3] = flags >> 4;
    for (int i = 0; i < 12; i++)
        (void)turn_client_send(w->client, w->now, &peer, (const uint8_t *)"frame", 5);
}

static void give(struct world *w, const uint8_t *data, size_t size)
{
    struct turn_datagram out;
    const uint8_t *next = data;
    size_t rest = size;
    int err;
    while ((err = turn_client_receive(w->client, w->now, &next, &rest, &out)) == OW_OK)
        if (out.size > 4096 || out.peer.port == 0 || out.peer.transport != ADDRESS_RELAY)
            abort();
    if (err == OW_EAGAIN && rest != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct world w = {.now = 0};
    random_seeded(&w.random, 1);
    struct turn_settings settings = {
        .username = "name", .password = "word", .stream = data[0] & 1, .random = &w.random};
    if (turn_client_create(&w.client, &settings, 0))
        return 0;
    drain(&w);
    for (size_t at = 1; size - at >= 2;) {
        uint8_t flags = data[at], record[256];
        size_t length = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
        memcpy(record, data + at + 2, length);
        at += 2 + length;
        if ((flags & 1) && length >= STUN_HEADER_BYTES)
            memcpy(record + TRANSACTION_AT, w.transaction, sizeof w.transaction);
        if (flags & 2)
            pass_time(&w);
        if (flags & 4)
            send_something(&w, flags);
        drain(&w);
        give(&w, record, length);
        drain(&w);
    }
    turn_client_close(w.client, w.now);
    drain(&w);
    turn_client_destroy(&w.client);
    return 0;
}
