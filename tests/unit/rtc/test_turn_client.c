/* The client against a small TURN server made of STUN messages, on a virtual clock. Every promise
 * of RFC 8656 that the client relies on is checked by the server: credentials, the order of
 * requests, permissions before data. */
#include "rtc/stun.h"
#include "rtc/turn_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000, WIRE_BYTES = 64 * 1024 };

static const char username[] = "1800000000:overwatch", password[] = "geheim", realm[] = "example";

struct world {
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

static struct address at(const char *ip, int port)
{
    struct address address;
    assert_int_equal(address_parse(&address, ip, (uint16_t)port), OW_OK);
    return address;
}

static void open_world(struct world *w, bool stream)
{
    *w = (struct world){
        .stream = stream, .server_password = password, .nonce = 1, .lifetime_s = 600};
    w->relay = at("198.51.100.9", 55000);
    random_seeded(&w->random, 5);
    struct turn_settings settings = {
        .username = username, .password = password, .stream = stream, .random = &w->random};
    assert_int_equal(turn_client_create(&w->client, &settings, 0), OW_OK);
    assert_int_equal(turn_client_state(w->client), TURN_ALLOCATING);
}

/* ---- the server ---- */

/* Bytes to the client; on a stream in pieces of an odd size. */
static int give(struct world *w, const uint8_t *data, size_t size)
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

static void nonce_text(const struct world *w, char text[16])
{
    snprintf(text, 16, "nonce-%d", w->nonce);
}

static void reply(struct world *w, const struct stun_message *request, int error, bool challenge)
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
        struct address mapped = at("203.0.113.77", 1234);
        stun_put_relayed(&writer, &w->relay);
        stun_put_xor_mapped(&writer, &mapped);
    }
    if (!error && (request->method == TURN_ALLOCATE || request->method == TURN_REFRESH))
        stun_put_lifetime(&writer, w->lifetime_s);
    if (!challenge && !w->open) {
        assert_int_equal(stun_long_term_key(key, username, realm, w->server_password), OW_OK);
        assert_int_equal(stun_finish_key(&writer, key), OW_OK);
    }
    give(w, data, writer.size);
}

/* False when it was refused. */
static bool authenticate(struct world *w, const struct stun_message *request)
{
    char nonce[16];
    uint8_t key[STUN_KEY_BYTES];
    nonce_text(w, nonce);
    if (w->open)
        return true;
    if (!request->integrity_offset) {
        w->challenges++;
        reply(w, request, STUN_ERROR_UNAUTHORIZED, true);
        return false;
    }
    assert_int_equal(request->username_size, strlen(username));
    assert_memory_equal(request->username, username, strlen(username));
    assert_memory_equal(request->realm, realm, strlen(realm));
    if (request->nonce_size != strlen(nonce) ||
        memcmp(request->nonce, nonce, request->nonce_size) != 0) {
        w->stales++;
        reply(w, request, STUN_ERROR_STALE_NONCE, true);
        return false;
    }
    assert_int_equal(stun_long_term_key(key, username, realm, w->server_password), OW_OK);
    if (stun_verify(request, key, sizeof key)) {
        reply(w, request, STUN_ERROR_UNAUTHORIZED, true);
        return false;
    }
    return true;
}

static void serve_request(struct world *w, const struct stun_message *request)
{
    w->requests++;
    if (w->silent || !authenticate(w, request))
        return;
    if (w->error && w->error_for == request->method) {
        int error = w->error;
        w->error = 0;
        reply(w, request, error, false);
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
    reply(w, request, 0, false);
}

static void serve_data(struct world *w, const struct address *peer, const uint8_t *data,
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
static void serve(struct world *w, const uint8_t *data, size_t size)
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

static void drain(struct world *w)
{
    uint8_t data[TURN_MAX_MESSAGE];
    size_t size;
    while (turn_client_poll(w->client, data, &size) == OW_OK)
        serve(w, data, size);
}

/* From deadline to deadline. */
static void run(struct world *w, int64_t until)
{
    drain(w);
    while (turn_client_deadline(w->client) <= until) {
        if (turn_client_deadline(w->client) > w->now)
            w->now = turn_client_deadline(w->client);
        turn_client_handle_timeout(w->client, w->now);
        assert_true(turn_client_deadline(w->client) > w->now);
        drain(w);
    }
    w->now = until;
}

static void allocate(struct world *w)
{
    run(w, w->now);
    assert_int_equal(turn_client_state(w->client), TURN_ALLOCATED);
}

static int send_to(struct world *w, const struct address *peer, const char *text)
{
    int err =
        turn_client_send(w->client, w->now, peer, (const uint8_t *)text, text ? strlen(text) : 0);
    drain(w);
    return err;
}

static void give_data_indication(struct world *w, const struct address *peer, const char *text)
{
    static const uint8_t id[STUN_TRANSACTION_BYTES] = {1};
    uint8_t data[512];
    struct stun_writer writer;
    stun_begin_turn(&writer, data, sizeof data, TURN_DATA, STUN_INDICATION, id);
    stun_put_peer(&writer, peer);
    stun_put_payload(&writer, (const uint8_t *)text, strlen(text));
    give(w, data, writer.size);
}

static void close_world(struct world *w)
{
    turn_client_destroy(&w->client);
    assert_null(w->client);
}

/* ---- tests ---- */

static void allocates_after_a_challenge(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct world w;
        open_world(&w, stream);
        assert_null(turn_client_relayed(w.client));
        struct address peer = at("192.0.2.4", 4000);
        assert_int_equal(send_to(&w, &peer, "too early"), OW_ESTATE);
        allocate(&w);
        assert_int_equal(w.challenges, 1);
        assert_int_equal(w.allocates, 1);
        assert_true(address_equal(turn_client_relayed(w.client), &w.relay));
        struct address mapped = at("203.0.113.77", 1234);
        assert_true(address_equal(turn_client_mapped(w.client), &mapped));
        close_world(&w);
    }
}

static void a_server_that_wants_no_credentials(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    w.open = true;
    allocate(&w);
    assert_int_equal(w.challenges, 0);
    close_world(&w);
}

static void wrong_password_is_said_at_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    w.server_password = "other";
    run(&w, SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_non_null(strstr(turn_client_failure(w.client), "password"));
    assert_int_equal(w.requests, 2);
    assert_true(turn_client_deadline(w.client) == INT64_MAX);
    close_world(&w);
}

static void refusals_have_sentences(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *word;
    } cases[] = {
        {300, "another server"}, {437, "connection"},    {440, "IP version"}, {441, "name"},
        {486, "allocations"},    {508, "relay address"}, {500, "500"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        open_world(&w, false);
        w.error = cases[i].code;
        w.error_for = TURN_ALLOCATE;
        run(&w, SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_FAILED);
        assert_non_null(strstr(turn_client_failure(w.client), cases[i].word));
        close_world(&w);
    }
}

static void another_server_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        int port;
        const char *domain;
        bool followed;
    } cases[] = {
        {"198.51.100.3", 3479, NULL, true},
        {"198.51.100.3", 5349, "b.relays.example", true},
        {"2001:db8::3", 3478, NULL, true},
        {"198.51.100.3", 0, NULL, false},
        {"0.0.0.0", 3478, NULL, false},
        {"224.0.0.1", 3478, NULL, false},
        {"::", 3478, NULL, false},
        {"ff02::1", 3478, NULL, false},
        {"198.51.100.3", 5349, "*.relays.example", false},
        {"198.51.100.3", 5349, "198.51.100.3", false},
        {"198.51.100.3", 5349, "b relays", false},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        const char *domain;
        open_world(&w, i & 1);
        w.error = 300;
        w.error_for = TURN_ALLOCATE;
        w.alternate = at(cases[i / 2].ip, cases[i / 2].port);
        w.alternate_domain = cases[i / 2].domain;
        assert_null(turn_client_alternate(w.client, &domain));
        run(&w, SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_FAILED);
        const struct address *found = turn_client_alternate(w.client, &domain);
        assert_int_equal(found != NULL, cases[i / 2].followed);
        if (found) {
            assert_true(address_equal(found, &w.alternate));
            assert_int_equal(domain != NULL, w.alternate_domain != NULL);
            if (domain)
                assert_string_equal(domain, w.alternate_domain);
        }
        close_world(&w);
    }
}

/* A redirection that is signed, but by somebody who does not know the password. */
static void a_forged_redirection_is_not_followed(void **state)
{
    (void)state;
    struct world w;
    const char *domain;
    open_world(&w, false);
    w.alternate = at("198.51.100.3", 3478);
    uint8_t data[TURN_MAX_MESSAGE];
    size_t size;
    assert_int_equal(turn_client_poll(w.client, data, &size), OW_OK);
    serve(&w, data, size); /* the challenge */
    assert_int_equal(turn_client_poll(w.client, data, &size), OW_OK);
    struct stun_message request;
    assert_int_equal(stun_parse_turn(&request, data, size), OW_OK);
    w.server_password = "guessed";
    reply(&w, &request, STUN_ERROR_TRY_ALTERNATE, false);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_null(turn_client_alternate(w.client, &domain));
    close_world(&w);
}

/* An allocation that lives is not carried to another server. */
static void a_redirected_refresh_is_a_failure(void **state)
{
    (void)state;
    struct world w;
    const char *domain;
    open_world(&w, false);
    allocate(&w);
    w.error = 300;
    w.error_for = TURN_REFRESH;
    w.alternate = at("198.51.100.3", 3478);
    run(&w, w.now + 600 * (int64_t)SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_null(turn_client_alternate(w.client, &domain));
    close_world(&w);
}

static void silence_ends_in_failure(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct world w;
        open_world(&w, stream);
        w.silent = true;
        run(&w, 30 * SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_ALLOCATING);
        run(&w, 60 * SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_FAILED);
        assert_non_null(strstr(turn_client_failure(w.client), "does not answer"));
        assert_int_equal(w.requests, stream ? 1 : 7);
        close_world(&w);
    }
}

static void stays_allocated_for_hours(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    for (int i = 1; i <= 120; i++) {
        if (i % 7 == 0)
            w.nonce++; /* the server renews it now and then */
        run(&w, i * (int64_t)60 * SECOND);
    }
    assert_int_equal(turn_client_state(w.client), TURN_ALLOCATED);
    assert_in_range(w.refreshes, 12, 16); /* two hours, 600 s each, a minute early */
    assert_true(w.stales >= 5);
    assert_int_equal(w.last_lifetime, 1); /* it asked for none */

    w.error = 437;
    w.error_for = TURN_REFRESH;
    run(&w, w.now + 600 * (int64_t)SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    close_world(&w);
}

static void data_goes_both_ways(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct world w;
        open_world(&w, stream);
        allocate(&w);
        struct address peer = at("192.0.2.4", 4000);
        assert_int_equal(send_to(&w, &peer, "hello"), OW_OK);
        assert_int_equal(w.permissions, 1);
        assert_int_equal(w.indications, 1);
        assert_memory_equal(w.last_data, "hello", 5);
        assert_int_equal(w.last_size, 5);
        assert_true(address_equal(&w.last_peer, &peer));

        give_data_indication(&w, &peer, "answer");
        assert_int_equal(w.datagrams, 1);
        assert_int_equal(w.last.size, 6);
        assert_memory_equal(w.last_given, "answer", 6);
        assert_int_equal(w.last.peer.transport, ADDRESS_RELAY);
        assert_int_equal(w.last.peer.port, 4000);
        close_world(&w);
    }
}

static void much_data_goes_through_a_channel(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct world w;
        open_world(&w, stream);
        allocate(&w);
        struct address peer = at("192.0.2.4", 4000), other = at("192.0.2.4", 4001);
        for (int i = 0; i < 40; i++)
            assert_int_equal(send_to(&w, &peer, "12345"), OW_OK);
        assert_int_equal(send_to(&w, &other, "x"), OW_OK);
        assert_int_equal(w.permissions, 1); /* one IP */
        assert_int_equal(w.binds, 1);
        assert_in_range(w.channel_data, 25, 36);
        assert_int_equal(w.channel_data + w.indications, 41);

        uint8_t framed[12] = {
            (uint8_t)(w.channel >> 8), (uint8_t)w.channel, 0, 5, 'w', 'o', 'r', 'l', 'd'};
        give(&w, framed, stream ? 12 : 9);
        assert_int_equal(w.datagrams, 1);
        assert_memory_equal(w.last_given, "world", 5);
        assert_int_equal(w.last.size, 5);
        assert_true(w.last.peer.port == 4000 && w.last.peer.transport == ADDRESS_RELAY);
        framed[1]++; /* a channel that nobody bound */
        give(&w, framed, stream ? 12 : 9);
        framed[1]--;
        framed[3] = 12; /* longer than the datagram */
        if (!stream)
            give(&w, framed, 9);
        assert_int_equal(w.datagrams, 1);
        close_world(&w);
    }
}

/* The server asserts on data without a fresh permission or channel. */
static void grants_are_kept_while_used_and_then_let_go(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    struct address peer = at("192.0.2.4", 4000);
    for (int second = 0; second < 3600; second++) {
        run(&w, second * (int64_t)SECOND);
        if (second == 1000)
            w.nonce++;
        assert_int_equal(send_to(&w, &peer, "frame"), OW_OK);
        w.permitted_us = w.bound_us > w.permitted_us ? w.bound_us : w.permitted_us;
    }
    assert_in_range(w.binds, 14, 17);
    assert_in_range(w.indications, 8, 20); /* the channel lasted */
    int binds = w.binds, permissions = w.permissions;
    run(&w, 5400 * (int64_t)SECOND);
    assert_in_range(w.binds - binds, 0, 1);
    assert_in_range(w.permissions - permissions, 0, 1);
    assert_int_equal(send_to(&w, &peer, "again"), OW_OK);
    assert_int_equal(w.permissions, permissions + 1);
    close_world(&w);
}

static void a_forbidden_peer(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    struct address peer = at("192.0.2.4", 4000), other = at("192.0.2.5", 4000);
    w.error = 403;
    w.error_for = TURN_CREATE_PERMISSION;
    assert_int_equal(turn_client_permit(w.client, w.now, &peer), OW_OK);
    drain(&w);
    assert_int_equal(send_to(&w, &peer, "x"), OW_EAUTH);
    assert_int_equal(w.indications, 0);
    assert_int_equal(send_to(&w, &other, "x"), OW_OK);
    run(&w, 90 * SECOND); /* the answer may be another one later */
    assert_int_equal(send_to(&w, &peer, "x"), OW_OK);
    assert_int_equal(turn_client_state(w.client), TURN_ALLOCATED);
    close_world(&w);
}

static void a_refused_channel_leaves_indications(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    struct address peer = at("192.0.2.4", 4000);
    w.error = 400;
    w.error_for = TURN_CHANNEL_BIND;
    for (int i = 0; i < 30; i++)
        assert_int_equal(send_to(&w, &peer, "x"), OW_OK);
    assert_int_equal(w.indications, 30);
    run(&w, 90 * SECOND);
    for (int i = 0; i < 30; i++)
        assert_int_equal(send_to(&w, &peer, "x"), OW_OK);
    assert_int_equal(w.binds, 1);
    assert_true(w.channel_data > 25);
    close_world(&w);
}

static void addresses_that_cannot_be(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    struct address bad[] = {at("192.0.2.4", 0), at("2001:db8::1", 4), at("224.0.0.1", 4),
                            at("0.1.2.3", 4)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(send_to(&w, &bad[i], "x"), OW_EINVAL);
        assert_int_equal(turn_client_permit(w.client, w.now, &bad[i]), OW_EINVAL);
    }
    static const uint8_t large[TURN_MAX_PAYLOAD + 1];
    struct address peer = at("192.0.2.4", 4000);
    assert_int_equal(turn_client_send(w.client, 0, &peer, large, sizeof large), OW_ELIMIT);
    assert_int_equal(turn_client_send(w.client, 0, &peer, large, sizeof large - 1), OW_OK);
    drain(&w);
    assert_int_equal(w.last_size, TURN_MAX_PAYLOAD);
    assert_int_equal(send_to(&w, &peer, NULL), OW_OK); /* an empty datagram is one */
    assert_int_equal(w.last_size, 0);
    close_world(&w);
}

/* More peers than there is room for: the newest are refused, later the idle ones make room. */
static void the_table_of_peers_is_bounded(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    struct address peer = at("10.0.0.1", 4000);
    int refused = 0;
    for (int i = 0; i < 3 * TURN_MAX_PEERS; i++) {
        peer.ip[2] = (uint8_t)(i >> 8);
        peer.ip[3] = (uint8_t)i;
        refused += send_to(&w, &peer, "x") == OW_ELIMIT;
    }
    assert_in_range(refused, TURN_MAX_PEERS, 2 * TURN_MAX_PEERS + 1);
    assert_int_equal(send_to(&w, &peer, "x"), OW_ELIMIT);
    run(&w, 50 * SECOND);
    for (int i = 0; i < TURN_MAX_PEERS; i++) {
        peer.ip[1] = 1;
        peer.ip[2] = (uint8_t)(i >> 8);
        peer.ip[3] = (uint8_t)i;
        assert_int_equal(send_to(&w, &peer, "x"), OW_OK);
    }
    close_world(&w);
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    struct address peer = at("192.0.2.4", 4000);
    int taken = 0;
    while (turn_client_send(w.client, w.now, &peer, (const uint8_t *)"x", 1) == OW_OK)
        taken++;
    assert_in_range(taken, 32, 4096);
    drain(&w);
    assert_int_equal(w.indications, taken);
    assert_int_equal(send_to(&w, &peer, "x"), OW_OK);
    close_world(&w);
}

static void closing_gives_the_allocation_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    allocate(&w);
    turn_client_close(w.client, w.now);
    assert_int_equal(turn_client_state(w.client), TURN_CLOSED);
    w.silent = false;
    drain(&w);
    assert_false(w.allocated);
    assert_int_equal(w.last_lifetime, 0);
    assert_true(turn_client_deadline(w.client) == INT64_MAX);
    close_world(&w);
}

/* What a server could send to hurt: none of it may crash, loop or grow. */
static void a_hostile_server(void **state)
{
    (void)state;
    struct world w;
    uint8_t data[600];
    struct turn_datagram out;
    open_world(&w, true);
    const uint8_t *at_byte = (const uint8_t *)"HTTP/1.1 400 Bad Request\r\n\r\n";
    size_t size = 28;
    assert_int_equal(turn_client_receive(w.client, 0, &at_byte, &size, &out), OW_EPARSE);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_non_null(strstr(turn_client_failure(w.client), "does not speak TURN"));
    size = 1;
    assert_int_equal(turn_client_receive(w.client, 0, &at_byte, &size, &out), OW_ESTATE);
    close_world(&w);

    /* A new nonce for ever. */
    open_world(&w, false);
    for (int i = 0; i < 100 && turn_client_state(w.client) == TURN_ALLOCATING; i++) {
        uint8_t request[TURN_MAX_MESSAGE];
        struct stun_message m;
        if (turn_client_poll(w.client, request, &size) != OW_OK)
            break;
        assert_int_equal(stun_parse_turn(&m, request, size), OW_OK);
        w.nonce++;
        reply(&w, &m, i == 0 ? STUN_ERROR_UNAUTHORIZED : STUN_ERROR_STALE_NONCE, true);
    }
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    close_world(&w);

    /* A success without integrity, or with that of another password, does not count. */
    open_world(&w, false);
    for (int i = 0; i < 3; i++) {
        uint8_t request[TURN_MAX_MESSAGE];
        struct stun_message m;
        assert_int_equal(turn_client_poll(w.client, request, &size), OW_OK);
        assert_int_equal(stun_parse_turn(&m, request, size), OW_OK);
        w.open = i == 1;
        w.server_password = "other";
        reply(&w, &m, i == 0 ? STUN_ERROR_UNAUTHORIZED : 0, i == 0);
        assert_int_equal(turn_client_state(w.client), TURN_ALLOCATING);
        w.now = turn_client_deadline(w.client);
        turn_client_handle_timeout(w.client, w.now);
    }
    close_world(&w);

    /* An answer without a relay address. */
    open_world(&w, false);
    w.open = true;
    w.relay.port = 0;
    run(&w, SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    close_world(&w);

    /* A datagram that is too large for us is skipped, not the end of the stream. */
    open_world(&w, true);
    allocate(&w);
    static uint8_t huge[4 + 65532] = {0x40, 0x00, 0xff, 0xfc};
    give(&w, huge, sizeof huge);
    memset(data, 0, sizeof data);
    struct address peer = at("192.0.2.4", 4000);
    give_data_indication(&w, &peer, "still here");
    assert_int_equal(w.datagrams, 1);
    assert_int_equal(turn_client_state(w.client), TURN_ALLOCATED);
    close_world(&w);
}

/* Arbitrary changes of what a server sends. */
static void mutated_answers(void **state)
{
    (void)state;
    struct random_source noise;
    random_seeded(&noise, 11);
    for (int round = 0; round < 3000; round++) {
        struct world w;
        open_world(&w, round & 1);
        allocate(&w);
        struct address peer = at("192.0.2.4", 4000);
        uint8_t data[256];
        static const uint8_t id[STUN_TRANSACTION_BYTES] = {1};
        struct stun_writer writer;
        stun_begin_turn(&writer, data, sizeof data, TURN_DATA, STUN_INDICATION, id);
        stun_put_peer(&writer, &peer);
        stun_put_payload(&writer, (const uint8_t *)"payload", 7);
        for (int i = 0; i < 3; i++)
            data[random_u32(&noise) % writer.size] = (uint8_t)random_u32(&noise);
        give(&w, data, writer.size - random_u32(&noise) % 4);
        close_world(&w);
    }
}

static void credentials_that_cannot_be(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 1);
    struct turn_client *client = NULL;
    static char long_text[1024];
    memset(long_text, 'x', sizeof long_text - 1);
    const struct turn_settings bad[] = {
        {.username = "", .password = "p", .random = &random},
        {.username = "u", .password = "", .random = &random},
        {.username = long_text, .password = "p", .random = &random},
        {.username = "u", .password = long_text, .random = &random}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(turn_client_create(&client, &bad[i], 0), OW_EINVAL);
    assert_null(client);
    turn_client_destroy(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocates_after_a_challenge),
        cmocka_unit_test(a_server_that_wants_no_credentials),
        cmocka_unit_test(wrong_password_is_said_at_once),
        cmocka_unit_test(refusals_have_sentences),
        cmocka_unit_test(another_server_is_named),
        cmocka_unit_test(a_forged_redirection_is_not_followed),
        cmocka_unit_test(a_redirected_refresh_is_a_failure),
        cmocka_unit_test(silence_ends_in_failure),
        cmocka_unit_test(stays_allocated_for_hours),
        cmocka_unit_test(data_goes_both_ways),
        cmocka_unit_test(much_data_goes_through_a_channel),
        cmocka_unit_test(grants_are_kept_while_used_and_then_let_go),
        cmocka_unit_test(a_forbidden_peer),
        cmocka_unit_test(a_refused_channel_leaves_indications),
        cmocka_unit_test(addresses_that_cannot_be),
        cmocka_unit_test(the_table_of_peers_is_bounded),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(closing_gives_the_allocation_back),
        cmocka_unit_test(a_hostile_server),
        cmocka_unit_test(mutated_answers),
        cmocka_unit_test(credentials_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
