/* Servers that send on to others, and what one could send to hurt. */
#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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
        struct turn_world w;
        const char *domain;
        world_open(&w, i & 1);
        w.error = 300;
        w.error_for = TURN_ALLOCATE;
        w.alternate = world_address(cases[i / 2].ip, cases[i / 2].port);
        w.alternate_domain = cases[i / 2].domain;
        assert_null(turn_client_alternate(w.client, &domain));
        world_run(&w, SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_FAILED);
        const struct address *found = turn_client_alternate(w.client, &domain);
        assert_int_equal(found != NULL, cases[i / 2].followed);
        if (found) {
            assert_true(address_equal(found, &w.alternate));
            assert_int_equal(domain != NULL, w.alternate_domain != NULL);
            if (domain)
                assert_string_equal(domain, w.alternate_domain);
        }
        world_close(&w);
    }
}

/* A redirection that is signed, but by somebody who does not know the password. */
static void a_forged_redirection_is_not_followed(void **state)
{
    (void)state;
    struct turn_world w;
    const char *domain;
    world_open(&w, false);
    w.alternate = world_address("198.51.100.3", 3478);
    uint8_t data[TURN_MAX_MESSAGE];
    size_t size;
    assert_int_equal(turn_client_poll(w.client, data, &size), OW_OK);
    world_serve(&w, data, size); /* the challenge */
    assert_int_equal(turn_client_poll(w.client, data, &size), OW_OK);
    struct stun_message request;
    assert_int_equal(stun_parse_turn(&request, data, size), OW_OK);
    w.server_password = "guessed";
    world_reply(&w, &request, STUN_ERROR_TRY_ALTERNATE, false);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_null(turn_client_alternate(w.client, &domain));
    world_close(&w);
}

/* An allocation that lives is not carried to another server. */
static void a_redirected_refresh_is_a_failure(void **state)
{
    (void)state;
    struct turn_world w;
    const char *domain;
    world_open(&w, false);
    world_allocate(&w);
    w.error = 300;
    w.error_for = TURN_REFRESH;
    w.alternate = world_address("198.51.100.3", 3478);
    world_run(&w, w.now + 600 * (int64_t)SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_null(turn_client_alternate(w.client, &domain));
    world_close(&w);
}

/* What a server could send to hurt: none of it may crash, loop or grow. */
static void a_hostile_server(void **state)
{
    (void)state;
    struct turn_world w;
    uint8_t data[600];
    struct turn_datagram out;
    world_open(&w, true);
    const uint8_t *at_byte = (const uint8_t *)"HTTP/1.1 400 Bad Request\r\n\r\n";
    size_t size = 28;
    assert_int_equal(turn_client_receive(w.client, 0, &at_byte, &size, &out), OW_EPARSE);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_non_null(strstr(turn_client_failure(w.client), "does not speak TURN"));
    size = 1;
    assert_int_equal(turn_client_receive(w.client, 0, &at_byte, &size, &out), OW_ESTATE);
    world_close(&w);

    /* A new nonce for ever. */
    world_open(&w, false);
    for (int i = 0; i < 100 && turn_client_state(w.client) == TURN_ALLOCATING; i++) {
        uint8_t request[TURN_MAX_MESSAGE];
        struct stun_message m;
        if (turn_client_poll(w.client, request, &size) != OW_OK)
            break;
        assert_int_equal(stun_parse_turn(&m, request, size), OW_OK);
        w.nonce++;
        world_reply(&w, &m, i == 0 ? STUN_ERROR_UNAUTHORIZED : STUN_ERROR_STALE_NONCE, true);
    }
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    world_close(&w);

    /* A success without integrity, or with that of another password, does not count. */
    world_open(&w, false);
    for (int i = 0; i < 3; i++) {
        uint8_t request[TURN_MAX_MESSAGE];
        struct stun_message m;
        assert_int_equal(turn_client_poll(w.client, request, &size), OW_OK);
        assert_int_equal(stun_parse_turn(&m, request, size), OW_OK);
        w.open = i == 1;
        w.server_password = "other";
        world_reply(&w, &m, i == 0 ? STUN_ERROR_UNAUTHORIZED : 0, i == 0);
        assert_int_equal(turn_client_state(w.client), TURN_ALLOCATING);
        w.now = turn_client_deadline(w.client);
        turn_client_handle_timeout(w.client, w.now);
    }
    world_close(&w);

    /* An answer without a relay address. */
    world_open(&w, false);
    w.open = true;
    w.relay.port = 0;
    world_run(&w, SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    world_close(&w);

    /* A datagram that is too large for us is skipped, not the end of the stream. */
    world_open(&w, true);
    world_allocate(&w);
    static uint8_t huge[4 + 65532] = {0x40, 0x00, 0xff, 0xfc};
    world_give(&w, huge, sizeof huge);
    memset(data, 0, sizeof data);
    struct address peer = world_address("192.0.2.4", 4000);
    world_give_data(&w, &peer, "still here");
    assert_int_equal(w.datagrams, 1);
    assert_int_equal(turn_client_state(w.client), TURN_ALLOCATED);
    world_close(&w);
}

/* Arbitrary changes of what a server sends. */
static void mutated_answers(void **state)
{
    (void)state;
    struct random_source noise;
    random_seeded(&noise, 11);
    for (int round = 0; round < 3000; round++) {
        struct turn_world w;
        world_open(&w, round & 1);
        world_allocate(&w);
        struct address peer = world_address("192.0.2.4", 4000);
        uint8_t data[256];
        static const uint8_t id[STUN_TRANSACTION_BYTES] = {1};
        struct stun_writer writer;
        stun_begin_turn(&writer, data, sizeof data, TURN_DATA, STUN_INDICATION, id);
        stun_put_peer(&writer, &peer);
        stun_put_payload(&writer, (const uint8_t *)"payload", 7);
        for (int i = 0; i < 3; i++)
            data[random_u32(&noise) % writer.size] = (uint8_t)random_u32(&noise);
        world_give(&w, data, writer.size - random_u32(&noise) % 4);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_server_is_named),
        cmocka_unit_test(a_forged_redirection_is_not_followed),
        cmocka_unit_test(a_redirected_refresh_is_a_failure),
        cmocka_unit_test(a_hostile_server),
        cmocka_unit_test(mutated_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
