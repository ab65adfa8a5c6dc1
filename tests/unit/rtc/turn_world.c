#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char username[] = "1800000000:overwatch", password[] = "geheim", realm[] = "example";

struct address world_address(const char *ip, int port)
{
    struct address address;
    assert_int_equal(address_parse(&address, ip, (uint16_t)port), OW_OK);
    return address;
}

void world_open(struct turn_world *w, bool stream)
{
    *w = (struct turn_world){
        .stream = stream, .server_password = password, .nonce = 1, .lifetime_s = 600};
    w->relay = world_address("198.51.100.9", 55000);
    random_seeded(&w->random, 5);
    struct turn_settings settings = {
        .username = username, .password = password, .stream = stream, .random = &w->random};
    assert_int_equal(turn_client_create(&w->client, &settings, 0), OW_OK);
    assert_int_equal(turn_client_state(w->client), TURN_ALLOCATING);
}

/* Bytes to the client; on a stream in pieces of an odd size. */
int world_give(struct turn_world *w, const uint8_t *data, size_t size)
{
    int err = OW_EAGAIN;
    size_t piece = w->stream ? 7 : size;
    for (size_t at_byte = 0; at_byte < size; at_byte += piece) {
        size_t rest = size - at_byte < piece ? size - at_byte : piece;
        uint8_t *copy = malloc(rest);
        memcpy(copy, data + at_byte, rest);
        const uint8_t *next = copy;
        while ((err = turn_client_receive(w->client, w->now, &next, &rest, &w->last)) == OW_OK) {
            w->datagrams++;
            assert_true(w->last.size <= sizeof w->last_given);
            memcpy(w->last_given, w->last.data, w->last.size);
        }
        free(copy);
    }
    return err;
}

static void nonce_text(const struct turn_world *w, char text[16])
{
    snprintf(text, 16, "nonce-%d", w->nonce);
}

void world_reply(struct turn_world *w, const struct stun_message *request, int error,
                 bool challenge)
{
    uint8_t data[512], key[STUN_KEY_BYTES];
    struct stun_writer writer;
    stun_begin_turn(&writer, data, sizeof data, request->method, error ? STUN_ERROR : STUN_SUCCESS,
                    request->transaction);
    if (error)
        stun_put_error(&writer, error);
    if (error == STUN_ERROR_TRY_ALTERNATE && w->alternate.family != ADDRESS_NONE)
        stun_put_alternate(&writer, &w->alternate, w->alternate_domain);
    if (challenge) {
        char nonce[16];
        nonce_text(w, nonce);
        stun_put_realm(&writer, realm);
        stun_put_nonce(&writer, (const uint8_t *)nonce, strlen(nonce));
    }
    if (!error && request->method == TURN_ALLOCATE) {
        struct address mapped = world_address("203.0.113.77", 1234);
        stun_put_relayed(&writer, &w->relay);
        stun_put_xor_mapped(&writer, &mapped);
    }
    if (!error && (request->method == TURN_ALLOCATE || request->method == TURN_REFRESH))
        stun_put_lifetime(&writer, w->lifetime_s);
    if (!challenge && !w->open) {
        assert_int_equal(stun_long_term_key(key, username, realm, w->server_password), OW_OK);
        assert_int_equal(stun_finish_key(&writer, key), OW_OK);
    }
    world_give(w, data, writer.size);
}

/* False when it was refused. */
static bool authenticate(struct turn_world *w, const struct stun_message *request)
{
    char nonce[16];
    uint8_t key[STUN_KEY_BYTES];
    nonce_text(w, nonce);
    if (w->open)
        return true;
    if (!request->integrity_offset) {
        w->challenges++;
        world_reply(w, request, STUN_ERROR_UNAUTHORIZED, true);
        return false;
    }
    assert_int_equal(request->username_size, strlen(username));
    assert_memory_equal(request->username, username, strlen(username));
    assert_memory_equal(request->realm, realm, strlen(realm));
    if (request->nonce_size != strlen(nonce) ||
        memcmp(request->nonce, nonce, request->nonce_size) != 0) {
        w->stales++;
        world_reply(w, request, STUN_ERROR_STALE_NONCE, true);
        return false;
    }
    assert_int_equal(stun_long_term_key(key, username, realm, w->server_password), OW_OK);
    if (stun_verify(request, key, sizeof key)) {
        world_reply(w, request, STUN_ERROR_UNAUTHORIZED, true);
        return false;
    }
    return true;
}

static void serve_request(struct turn_world *w, const struct stun_message *request)
{
    w->requests++;
    if (w->silent || !authenticate(w, request))
        return;
    if (w->error && w->error_for == request->method) {
        int error = w->error;
        w->error = 0;
        world_reply(w, request, error, false);
        return;
    }
    switch (request->method) {
    case TURN_ALLOCATE:
        assert_false(w->allocated);
        w->allocated = true;
        w->allocates++;
        break;
    case TURN_REFRESH:
        assert_true(w->allocated);
        w->last_lifetime = request->has_lifetime ? request->lifetime_s : 1;
        w->allocated = w->last_lifetime != 0;
        w->refreshes++;
        break;
    case TURN_CREATE_PERMISSION:
        assert_true(w->allocated && request->peer.family != ADDRESS_NONE);
        w->permitted = request->peer;
        w->permitted_us = w->now;
        w->permissions++;
        break;
    case TURN_CHANNEL_BIND:
        assert_true(w->allocated && request->peer.port != 0);
        assert_in_range(request->channel, 0x4000, 0x4fff);
        w->bound = request->peer;
        w->channel = request->channel;
        w->bound_us = w->now;
        w->binds++;
        break;
    default:
        fail();
    }
    world_reply(w, request, 0, false);
}

static void serve_data(struct turn_world *w, const struct address *peer, const uint8_t *data,
                       size_t size, size_t wire_size)
{
    assert_true(address_same_ip(peer, &w->permitted));
    assert_true(w->now - w->permitted_us < 300 * (int64_t)SECOND);
    w->last_peer = *peer;
    memcpy(w->last_data, data, size);
    w->last_size = size;
    w->last_wire_size = wire_size;
}

/* What the client sends, one output at a time: each is whole messages. */
void world_serve(struct turn_world *w, const uint8_t *data, size_t size)
{
    if ((data[0] & 0xc0) == 0x40) {
        size_t length = (size_t)data[2] << 8 | data[3];
        assert_int_equal(data[0] << 8 | data[1], w->channel);
        assert_int_equal(size, w->stream ? 4 + ((length + 3) & ~(size_t)3) : 4 + length);
        assert_true(w->now - w->bound_us < 600 * (int64_t)SECOND);
        w->channel_data++;
        serve_data(w, &w->bound, data + 4, length, size);
        return;
    }
    struct stun_message m;
    assert_int_equal(stun_parse_turn(&m, data, size), OW_OK);
    if (m.class == STUN_REQUEST) {
        serve_request(w, &m);
        return;
    }
    assert_int_equal(m.class, STUN_INDICATION);
    assert_int_equal(m.method, TURN_SEND);
    w->indications++;
    serve_data(w, &m.peer, m.payload, m.payload_size, size);
}

void world_drain(struct turn_world *w)
{
    uint8_t data[TURN_MAX_MESSAGE];
    size_t size;
    while (turn_client_poll(w->client, data, &size) == OW_OK)
        world_serve(w, data, size);
}

/* From deadline to deadline. */
void world_run(struct turn_world *w, int64_t until)
{
    world_drain(w);
    while (turn_client_deadline(w->client) <= until) {
        if (turn_client_deadline(w->client) > w->now)
            w->now = turn_client_deadline(w->client);
        turn_client_handle_timeout(w->client, w->now);
        assert_true(turn_client_deadline(w->client) > w->now);
        world_drain(w);
    }
    w->now = until;
}

void world_allocate(struct turn_world *w)
{
    world_run(w, w->now);
    assert_int_equal(turn_client_state(w->client), TURN_ALLOCATED);
}

int world_send_to(struct turn_world *w, const struct address *peer, const char *text)
{
    int err =
        turn_client_send(w->client, w->now, peer, (const uint8_t *)text, text ? strlen(text) : 0);
    world_drain(w);
    return err;
}

void world_give_data(struct turn_world *w, const struct address *peer, const char *text)
{
    static const uint8_t id[STUN_TRANSACTION_BYTES] = {1};
    uint8_t data[512];
    struct stun_writer writer;
    stun_begin_turn(&writer, data, sizeof data, TURN_DATA, STUN_INDICATION, id);
    stun_put_peer(&writer, peer);
    stun_put_payload(&writer, (const uint8_t *)text, strlen(text));
    world_give(w, data, writer.size);
}

void world_close(struct turn_world *w)
{
    turn_client_destroy(&w->client);
    assert_null(w->client);
}
