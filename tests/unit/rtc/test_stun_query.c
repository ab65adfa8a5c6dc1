#include "rtc/stun_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

struct world {
    struct random_source random;
    struct stun_query query;
    struct address server, mapped;
    int64_t now;
    int requests;
    uint8_t request[STUN_QUERY_BYTES];
    size_t request_size;
};

static struct address at(const char *ip, int port)
{
    struct address address;
    assert_int_equal(address_parse(&address, ip, (uint16_t)port), OW_OK);
    return address;
}

static void open_world(struct world *w)
{
    *w = (struct world){.server = at("198.51.100.1", 3478), .mapped = at("203.0.113.5", 40000)};
    random_seeded(&w->random, 3);
    stun_query_init(&w->query, &w->server, &w->random, 0);
}

/* To the next deadline; keeps the request that leaves there. */
static void step(struct world *w)
{
    w->now = stun_query_deadline(&w->query);
    stun_query_handle_timeout(&w->query, w->now);
    assert_true(stun_query_deadline(&w->query) > w->now);
    while (stun_query_poll(&w->query, w->request, &w->request_size) == OW_OK)
        w->requests++;
}

static int answer(struct world *w, const struct address *from, enum stun_class class)
{
    struct stun_message request;
    assert_int_equal(stun_parse(&request, w->request, w->request_size), OW_OK);
    assert_int_equal(request.class, STUN_REQUEST);
    assert_true(request.has_fingerprint);
    uint8_t data[128];
    struct stun_writer writer;
    stun_begin(&writer, data, sizeof data, class, request.transaction);
    if (class == STUN_SUCCESS && w->mapped.family != ADDRESS_NONE)
        stun_put_xor_mapped(&writer, &w->mapped);
    if (class == STUN_ERROR)
        stun_put_error(&writer, 500);
    assert_int_equal(stun_finish(&writer, NULL), OW_OK);
    return stun_query_receive(&w->query, w->now, from, data, writer.size);
}

static void learns_and_notices_a_change(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_null(stun_query_mapped(&w.query));
    step(&w);
    assert_int_equal(w.now, 0);
    assert_int_equal(answer(&w, &w.server, STUN_SUCCESS), OW_OK);
    assert_int_equal(stun_query_state(&w.query), STUN_QUERY_KNOWN);
    assert_true(address_equal(stun_query_mapped(&w.query), &w.mapped));
    assert_int_equal(answer(&w, &w.server, STUN_SUCCESS), OW_ENOTFOUND); /* once is enough */
    step(&w);
    assert_true(w.now > 15 * SECOND && w.now < 30 * SECOND);
    w.mapped = at("2001:db8::7", 1);
    assert_int_equal(answer(&w, &w.server, STUN_SUCCESS), OW_OK);
    assert_true(address_equal(stun_query_mapped(&w.query), &w.mapped));
    assert_int_equal(w.requests, 2);
}

static void repeats_gives_up_and_asks_again(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    uint8_t first[STUN_TRANSACTION_BYTES] = {0};
    for (int i = 0; i < 7; i++) {
        assert_int_equal(stun_query_state(&w.query), STUN_QUERY_ASKING);
        step(&w);
        if (i == 0)
            memcpy(first, w.request + 8, sizeof first);
        assert_memory_equal(w.request + 8, first, sizeof first);
    }
    assert_int_equal(w.requests, 7);
    step(&w);
    assert_int_equal(w.requests, 7);
    assert_int_equal(stun_query_state(&w.query), STUN_QUERY_FAILED);
    assert_int_equal(answer(&w, &w.server, STUN_SUCCESS), OW_ENOTFOUND); /* too late */
    step(&w);
    assert_int_equal(w.requests, 8);
    assert_memory_not_equal(w.request + 8, first, sizeof first);
    assert_int_equal(answer(&w, &w.server, STUN_SUCCESS), OW_OK);
    assert_int_equal(stun_query_state(&w.query), STUN_QUERY_KNOWN);
}

static void what_is_no_answer(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    step(&w);
    struct address other = at("198.51.100.1", 3479);
    assert_int_equal(answer(&w, &other, STUN_SUCCESS), OW_ENOTFOUND);
    assert_int_equal(answer(&w, &w.server, STUN_INDICATION), OW_ENOTFOUND);
    assert_int_equal(stun_query_receive(&w.query, w.now, &w.server, w.request, w.request_size),
                     OW_ENOTFOUND);
    w.request[9] ^= 1; /* of another transaction, and its checksum with it */
    assert_int_equal(stun_query_receive(&w.query, w.now, &w.server, w.request, w.request_size),
                     OW_ENOTFOUND);
    w.request[9] ^= 1;
    w.mapped.family = ADDRESS_NONE;
    assert_int_equal(answer(&w, &w.server, STUN_SUCCESS), OW_EPARSE);
    assert_int_equal(stun_query_state(&w.query), STUN_QUERY_FAILED);
    step(&w);
    assert_int_equal(answer(&w, &w.server, STUN_ERROR), OW_EPARSE);
    assert_null(stun_query_mapped(&w.query));
}

/* While the server is away, the last address stays the best guess. */
static void keeps_the_address_while_nobody_answers(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    step(&w);
    assert_int_equal(answer(&w, &w.server, STUN_SUCCESS), OW_OK);
    while (stun_query_state(&w.query) != STUN_QUERY_FAILED)
        step(&w);
    assert_true(w.now > 60 * SECOND && w.now < 120 * SECOND);
    assert_true(address_equal(stun_query_mapped(&w.query), &w.mapped));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_and_notices_a_change),
        cmocka_unit_test(repeats_gives_up_and_asks_again),
        cmocka_unit_test(what_is_no_answer),
        cmocka_unit_test(keeps_the_address_while_nobody_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
