/* Data to and from peers: permissions, channels, and their bounds. */
#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void data_goes_both_ways(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct turn_world w;
        world_open(&w, stream);
        world_allocate(&w);
        struct address peer = world_address("192.0.2.4", 4000);
        assert_int_equal(world_send_to(&w, &peer, "hello"), OW_OK);
        assert_int_equal(w.permissions, 1);
        assert_int_equal(w.indications, 1);
        assert_memory_equal(w.last_data, "hello", 5);
        assert_int_equal(w.last_size, 5);
        assert_true(address_equal(&w.last_peer, &peer));

        world_give_data(&w, &peer, "answer");
        assert_int_equal(w.datagrams, 1);
        assert_int_equal(w.last.size, 6);
        assert_memory_equal(w.last_given, "answer", 6);
        assert_int_equal(w.last.peer.transport, ADDRESS_RELAY);
        assert_int_equal(w.last.peer.port, 4000);
        world_close(&w);
    }
}

static void much_data_goes_through_a_channel(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct turn_world w;
        world_open(&w, stream);
        world_allocate(&w);
        struct address peer = world_address("192.0.2.4", 4000),
                       other = world_address("192.0.2.4", 4001);
        for (int i = 0; i < 40; i++)
            assert_int_equal(world_send_to(&w, &peer, "12345"), OW_OK);
        assert_int_equal(world_send_to(&w, &other, "x"), OW_OK);
        assert_int_equal(w.permissions, 1); /* one IP */
        assert_int_equal(w.binds, 1);
        assert_in_range(w.channel_data, 25, 36);
        assert_int_equal(w.channel_data + w.indications, 41);

        uint8_t framed[12] = {
            (uint8_t)(w.channel >> 8), (uint8_t)w.channel, 0, 5, 'w', 'o', 'r', 'l', 'd'};
        world_give(&w, framed, stream ? 12 : 9);
        assert_int_equal(w.datagrams, 1);
        assert_memory_equal(w.last_given, "world", 5);
        assert_int_equal(w.last.size, 5);
        assert_true(w.last.peer.port == 4000 && w.last.peer.transport == ADDRESS_RELAY);
        framed[1]++; /* a channel that nobody bound */
        world_give(&w, framed, stream ? 12 : 9);
        framed[1]--;
        framed[3] = 12; /* longer than the datagram */
        if (!stream)
            world_give(&w, framed, 9);
        assert_int_equal(w.datagrams, 1);
        world_close(&w);
    }
}

/* The server asserts on data without a fresh permission or channel. */
static void grants_are_kept_while_used_and_then_let_go(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    struct address peer = world_address("192.0.2.4", 4000);
    for (int second = 0; second < 3600; second++) {
        world_run(&w, second * (int64_t)SECOND);
        if (second == 1000)
            w.nonce++;
        assert_int_equal(world_send_to(&w, &peer, "frame"), OW_OK);
        w.permitted_us = w.bound_us > w.permitted_us ? w.bound_us : w.permitted_us;
    }
    assert_in_range(w.binds, 14, 17);
    assert_in_range(w.indications, 8, 20); /* the channel lasted */
    int binds = w.binds, permissions = w.permissions;
    world_run(&w, 5400 * (int64_t)SECOND);
    assert_in_range(w.binds - binds, 0, 1);
    assert_in_range(w.permissions - permissions, 0, 1);
    assert_int_equal(world_send_to(&w, &peer, "again"), OW_OK);
    assert_int_equal(w.permissions, permissions + 1);
    world_close(&w);
}

static void a_forbidden_peer(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    struct address peer = world_address("192.0.2.4", 4000),
                   other = world_address("192.0.2.5", 4000);
    w.error = 403;
    w.error_for = TURN_CREATE_PERMISSION;
    assert_int_equal(turn_client_permit(w.client, w.now, &peer), OW_OK);
    world_drain(&w);
    assert_int_equal(world_send_to(&w, &peer, "x"), OW_EAUTH);
    assert_int_equal(w.indications, 0);
    assert_int_equal(world_send_to(&w, &other, "x"), OW_OK);
    world_run(&w, 90 * SECOND); /* the answer may be another one later */
    assert_int_equal(world_send_to(&w, &peer, "x"), OW_OK);
    assert_int_equal(turn_client_state(w.client), TURN_ALLOCATED);
    world_close(&w);
}

static void a_refused_channel_leaves_indications(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    struct address peer = world_address("192.0.2.4", 4000);
    w.error = 400;
    w.error_for = TURN_CHANNEL_BIND;
    for (int i = 0; i < 30; i++)
        assert_int_equal(world_send_to(&w, &peer, "x"), OW_OK);
    assert_int_equal(w.indications, 30);
    world_run(&w, 90 * SECOND);
    for (int i = 0; i < 30; i++)
        assert_int_equal(world_send_to(&w, &peer, "x"), OW_OK);
    assert_int_equal(w.binds, 1);
    assert_true(w.channel_data > 25);
    world_close(&w);
}

static void addresses_that_cannot_be(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    struct address bad[] = {world_address("192.0.2.4", 0), world_address("2001:db8::1", 4),
                            world_address("224.0.0.1", 4), world_address("0.1.2.3", 4)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(world_send_to(&w, &bad[i], "x"), OW_EINVAL);
        assert_int_equal(turn_client_permit(w.client, w.now, &bad[i]), OW_EINVAL);
    }
    static const uint8_t large[TURN_MAX_PAYLOAD + 1];
    struct address peer = world_address("192.0.2.4", 4000);
    assert_int_equal(turn_client_send(w.client, 0, &peer, large, sizeof large), OW_ELIMIT);
    assert_int_equal(turn_client_send(w.client, 0, &peer, large, sizeof large - 1), OW_OK);
    world_drain(&w);
    assert_int_equal(w.last_size, TURN_MAX_PAYLOAD);
    assert_int_equal(world_send_to(&w, &peer, NULL), OW_OK); /* an empty datagram is one */
    assert_int_equal(w.last_size, 0);
    world_close(&w);
}

/* More peers than there is room for: the newest are refused, later the idle ones make room. */
static void the_table_of_peers_is_bounded(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    struct address peer = world_address("10.0.0.1", 4000);
    int refused = 0;
    for (int i = 0; i < 3 * TURN_MAX_PEERS; i++) {
        peer.ip[2] = (uint8_t)(i >> 8);
        peer.ip[3] = (uint8_t)i;
        refused += world_send_to(&w, &peer, "x") == OW_ELIMIT;
    }
    assert_in_range(refused, TURN_MAX_PEERS, 2 * TURN_MAX_PEERS + 1);
    assert_int_equal(world_send_to(&w, &peer, "x"), OW_ELIMIT);
    world_run(&w, 50 * SECOND);
    for (int i = 0; i < TURN_MAX_PEERS; i++) {
        peer.ip[1] = 1;
        peer.ip[2] = (uint8_t)(i >> 8);
        peer.ip[3] = (uint8_t)i;
        assert_int_equal(world_send_to(&w, &peer, "x"), OW_OK);
    }
    world_close(&w);
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    struct address peer = world_address("192.0.2.4", 4000);
    int taken = 0;
    while (turn_client_send(w.client, w.now, &peer, (const uint8_t *)"x", 1) == OW_OK)
        taken++;
    assert_in_range(taken, 32, 4096);
    world_drain(&w);
    assert_int_equal(w.indications, taken);
    assert_int_equal(world_send_to(&w, &peer, "x"), OW_OK);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_goes_both_ways),
        cmocka_unit_test(much_data_goes_through_a_channel),
        cmocka_unit_test(grants_are_kept_while_used_and_then_let_go),
        cmocka_unit_test(a_forbidden_peer),
        cmocka_unit_test(a_refused_channel_leaves_indications),
        cmocka_unit_test(addresses_that_cannot_be),
        cmocka_unit_test(the_table_of_peers_is_bounded),
        cmocka_unit_test(the_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
