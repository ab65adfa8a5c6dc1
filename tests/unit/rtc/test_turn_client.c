/* An allocation: credentials, refusals, how it is kept and given back. */
#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void allocates_after_a_challenge(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct turn_world w;
        world_open(&w, stream);
        assert_null(turn_client_relayed(w.client));
        struct address peer = world_address("192.0.2.4", 4000);
        assert_int_equal(world_send_to(&w, &peer, "too early"), OW_ESTATE);
        world_allocate(&w);
        assert_int_equal(w.challenges, 1);
        assert_int_equal(w.allocates, 1);
        assert_true(address_equal(turn_client_relayed(w.client), &w.relay));
        struct address mapped = world_address("203.0.113.77", 1234);
        assert_true(address_equal(turn_client_mapped(w.client), &mapped));
        world_close(&w);
    }
}

static void a_server_that_wants_no_credentials(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    w.open = true;
    world_allocate(&w);
    assert_int_equal(w.challenges, 0);
    world_close(&w);
}

static void wrong_password_is_said_at_once(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    w.server_password = "other";
    world_run(&w, SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    assert_non_null(strstr(turn_client_failure(w.client), "password"));
    assert_int_equal(w.requests, 2);
    assert_true(turn_client_deadline(w.client) == INT64_MAX);
    world_close(&w);
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
        struct turn_world w;
        world_open(&w, false);
        w.error = cases[i].code;
        w.error_for = TURN_ALLOCATE;
        world_run(&w, SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_FAILED);
        assert_non_null(strstr(turn_client_failure(w.client), cases[i].word));
        world_close(&w);
    }
}

static void silence_ends_in_failure(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct turn_world w;
        world_open(&w, stream);
        w.silent = true;
        world_run(&w, 30 * SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_ALLOCATING);
        world_run(&w, 60 * SECOND);
        assert_int_equal(turn_client_state(w.client), TURN_FAILED);
        assert_non_null(strstr(turn_client_failure(w.client), "does not answer"));
        assert_int_equal(w.requests, stream ? 1 : 7);
        world_close(&w);
    }
}

static void stays_allocated_for_hours(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    for (int i = 1; i <= 120; i++) {
        if (i % 7 == 0)
            w.nonce++; /* the server renews it now and then */
        world_run(&w, i * (int64_t)60 * SECOND);
    }
    assert_int_equal(turn_client_state(w.client), TURN_ALLOCATED);
    assert_in_range(w.refreshes, 12, 16); /* two hours, 600 s each, a minute early */
    assert_true(w.stales >= 5);
    assert_int_equal(w.last_lifetime, 1); /* it asked for none */

    w.error = 437;
    w.error_for = TURN_REFRESH;
    world_run(&w, w.now + 600 * (int64_t)SECOND);
    assert_int_equal(turn_client_state(w.client), TURN_FAILED);
    world_close(&w);
}

static void closing_gives_the_allocation_back(void **state)
{
    (void)state;
    struct turn_world w;
    world_open(&w, false);
    world_allocate(&w);
    turn_client_close(w.client, w.now);
    assert_int_equal(turn_client_state(w.client), TURN_CLOSED);
    w.silent = false;
    world_drain(&w);
    assert_false(w.allocated);
    assert_int_equal(w.last_lifetime, 0);
    assert_true(turn_client_deadline(w.client) == INT64_MAX);
    world_close(&w);
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
        cmocka_unit_test(silence_ends_in_failure),
        cmocka_unit_test(stays_allocated_for_hours),
        cmocka_unit_test(closing_gives_the_allocation_back),
        cmocka_unit_test(credentials_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
