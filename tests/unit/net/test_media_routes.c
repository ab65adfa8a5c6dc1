#include "net/media_routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The tables never look inside a viewer. */
static struct media_viewer *fake(int *place)
{
    return (struct media_viewer *)(void *)place;
}

static struct address address_of(uint16_t port)
{
    struct address address;
    assert_int_equal(address_parse(&address, "192.0.2.1", port), OW_OK);
    return address;
}

static void viewers_are_found_by_all_three_keys_and_forgotten(void **state)
{
    (void)state;
    int a, b;
    struct media_routes *routes = NULL;
    uint8_t transaction[MEDIA_TRANSACTION_BYTES] = "transaction";
    struct address address = address_of(5000), other = address_of(5001);
    assert_int_equal(media_routes_create(&routes), OW_OK);
    assert_int_equal(media_routes_add_ufrag(routes, "aaaa", fake(&a)), OW_OK);
    assert_int_equal(media_routes_add_ufrag(routes, "bbbb", fake(&b)), OW_OK);
    media_routes_set_address(routes, &address, fake(&a));
    media_routes_add_transaction(routes, transaction, fake(&a));
    assert_ptr_equal(media_routes_by_ufrag(routes, "aaaa"), fake(&a));
    assert_ptr_equal(media_routes_by_ufrag(routes, "bbbb"), fake(&b));
    assert_null(media_routes_by_ufrag(routes, "aaa"));
    assert_ptr_equal(media_routes_by_address(routes, &address), fake(&a));
    assert_null(media_routes_by_address(routes, &other));
    assert_ptr_equal(media_routes_by_transaction(routes, transaction), fake(&a));
    media_routes_set_address(routes, &address, fake(&b));
    assert_ptr_equal(media_routes_by_address(routes, &address), fake(&b));
    media_routes_forget(routes, fake(&a));
    assert_null(media_routes_by_ufrag(routes, "aaaa"));
    assert_null(media_routes_by_transaction(routes, transaction));
    assert_ptr_equal(media_routes_by_address(routes, &address), fake(&b));
    media_routes_destroy(&routes);
    assert_null(routes);
}

static void a_viewer_that_moves_on_and_on_keeps_its_latest_addresses(void **state)
{
    (void)state;
    int viewer;
    struct media_routes *routes = NULL;
    assert_int_equal(media_routes_create(&routes), OW_OK);
    for (uint16_t port = 1; port <= 100; port++) {
        struct address address = address_of(port);
        media_routes_set_address(routes, &address, fake(&viewer));
    }
    int found = 0;
    for (uint16_t port = 1; port <= 100; port++) {
        struct address address = address_of(port);
        found += media_routes_by_address(routes, &address) != NULL;
    }
    assert_int_equal(found, MEDIA_ROUTES_PER_VIEWER);
    struct address last = address_of(100);
    assert_non_null(media_routes_by_address(routes, &last));
    media_routes_destroy(&routes);
}

static void thousands_come_and_go(void **state)
{
    (void)state;
    enum { VIEWERS = 5000 };
    static int viewers[VIEWERS];
    char ufrag[16];
    uint8_t transaction[MEDIA_TRANSACTION_BYTES] = {0};
    struct media_routes *routes = NULL;
    assert_int_equal(media_routes_create(&routes), OW_OK);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < VIEWERS; i++) {
            struct address address = address_of((uint16_t)(1000 + i));
            snprintf(ufrag, sizeof ufrag, "u%d", i);
            assert_int_equal(media_routes_add_ufrag(routes, ufrag, fake(&viewers[i])), OW_OK);
            media_routes_set_address(routes, &address, fake(&viewers[i]));
        }
        for (int i = 0; i < VIEWERS; i++) {
            struct address address = address_of((uint16_t)(1000 + i));
            snprintf(ufrag, sizeof ufrag, "u%d", i);
            assert_ptr_equal(media_routes_by_ufrag(routes, ufrag), fake(&viewers[i]));
            assert_ptr_equal(media_routes_by_address(routes, &address), fake(&viewers[i]));
        }
        for (int i = 0; i < VIEWERS; i++) {
            struct address address = address_of((uint16_t)(1000 + i));
            media_routes_add_transaction(routes, transaction, fake(&viewers[i]));
            media_routes_forget(routes, fake(&viewers[i]));
            assert_null(media_routes_by_address(routes, &address));
            assert_null(media_routes_by_transaction(routes, transaction));
        }
    }
    /* A new viewer at the place in memory of an old one does not get the old one's responses. */
    assert_int_equal(media_routes_add_ufrag(routes, "new", fake(&viewers[VIEWERS - 1])), OW_OK);
    assert_null(media_routes_by_transaction(routes, transaction));
    media_routes_destroy(&routes);
}

static void fragments_of_restarts_are_kept_and_belong_to_one_viewer(void **state)
{
    (void)state;
    int a, b;
    char ufrag[300];
    struct media_routes *routes = NULL;
    assert_int_equal(media_routes_create(&routes), OW_OK);
    strcpy(ufrag, "first");
    assert_int_equal(media_routes_add_ufrag(routes, ufrag, fake(&a)), OW_OK);
    strcpy(ufrag, "second");
    assert_int_equal(media_routes_add_ufrag(routes, ufrag, fake(&a)), OW_OK);
    assert_ptr_equal(media_routes_by_ufrag(routes, "first"), fake(&a));
    assert_ptr_equal(media_routes_by_ufrag(routes, "second"), fake(&a));
    assert_int_equal(media_routes_add_ufrag(routes, "second", fake(&b)), OW_EEXISTS);
    assert_ptr_equal(media_routes_by_ufrag(routes, "second"), fake(&a));
    memset(ufrag, 'u', sizeof ufrag);
    ufrag[sizeof ufrag - 1] = '\0';
    assert_int_equal(media_routes_add_ufrag(routes, ufrag, fake(&a)), OW_EINVAL);
    assert_null(media_routes_by_ufrag(routes, ufrag));
    media_routes_forget(routes, fake(&a));
    assert_null(media_routes_by_ufrag(routes, "first"));
    media_routes_destroy(&routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_come_and_go),
        cmocka_unit_test(fragments_of_restarts_are_kept_and_belong_to_one_viewer),
        cmocka_unit_test(viewers_are_found_by_all_three_keys_and_forgotten),
        cmocka_unit_test(a_viewer_that_moves_on_and_on_keeps_its_latest_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
