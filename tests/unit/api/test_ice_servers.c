#include "api/ice_servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *member(const json_t *list, size_t index, const char *name)
{
    return json_string_value(json_object_get(json_array_get(list, index), name));
}

static void nothing_set_is_an_empty_list(void **state)
{
    (void)state;
    struct api_ice_servers none = {0};
    char links[ICE_SERVERS_LINKS_BYTES];
    json_t *list = ice_servers_json(&none, 1000);
    assert_true(json_is_array(list));
    assert_int_equal(json_array_size(list), 0);
    assert_int_equal(ice_servers_links(&none, 1000, links), OW_OK);
    assert_string_equal(links, "");
    json_decref(list);
}

static void a_name_and_password_are_passed_on(void **state)
{
    (void)state;
    struct api_ice_servers servers = {.stun_urls = "stun:a",
                                      .turn_urls = "turn:b, turns:c?transport=tcp",
                                      .turn_username = "me \"x\"",
                                      .turn_password = "p\\w"};
    char links[ICE_SERVERS_LINKS_BYTES];
    json_t *list = ice_servers_json(&servers, 1000);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(member(list, 1, "username"), "me \"x\"");
    assert_string_equal(member(list, 1, "credential"), "p\\w");
    assert_int_equal(json_array_size(json_object_get(json_array_get(list, 1), "urls")), 2);
    assert_null(member(list, 0, "username"));
    assert_int_equal(ice_servers_links(&servers, 1000, links), OW_OK);
    assert_string_equal(
        links, "Link: <stun:a>; rel=\"ice-server\"\r\n"
               "Link: <turn:b>; rel=\"ice-server\"; username=\"me \\\"x\\\"\"; "
               "credential=\"p\\\\w\"; credential-type=\"password\"\r\n"
               "Link: <turns:c?transport=tcp>; rel=\"ice-server\"; username=\"me \\\"x\\\"\"; "
               "credential=\"p\\\\w\"; credential-type=\"password\"\r\n");
    json_decref(list);
}

static void a_secret_makes_names_that_end_and_is_not_told(void **state)
{
    (void)state;
    struct api_ice_servers servers = {
        .turn_urls = "turn:b", .turn_secret = "north", .turn_username = "not used"};
    char links[ICE_SERVERS_LINKS_BYTES];
    json_t *list = ice_servers_json(&servers, 1000000);
    assert_int_equal(atoll(member(list, 0, "username")), 1000000 + ICE_SERVERS_LIFETIME_S);
    json_t *later = ice_servers_json(&servers, 1000001);
    assert_string_not_equal(member(list, 0, "credential"), member(later, 0, "credential"));
    char *text = json_dumps(list, 0);
    assert_null(strstr(text, "north"));
    assert_int_equal(ice_servers_links(&servers, 1000000, links), OW_OK);
    assert_non_null(strstr(links, member(list, 0, "credential")));
    assert_null(strstr(links, "north"));
    free(text);
    json_decref(list);
    json_decref(later);
}

/* A field holds no line of its own, and what does not fit is left out as a whole. */
static void fields_stay_fields(void **state)
{
    (void)state;
    struct api_ice_servers servers = {
        .turn_urls = "turn:b", .turn_username = "a\r\nX: y", .turn_password = "p"};
    char links[ICE_SERVERS_LINKS_BYTES];
    assert_int_equal(ice_servers_links(&servers, 0, links), OW_OK);
    assert_non_null(strstr(links, "username=\"aX: y\""));
    char many[ICE_SERVERS_LINKS_BYTES + 64] = "";
    for (size_t at = 0; at < ICE_SERVERS_LINKS_BYTES; at += 7)
        snprintf(many + at, sizeof many - at, "turn:b,");
    servers.turn_urls = many;
    assert_int_equal(ice_servers_links(&servers, 0, links), OW_ELIMIT);
    assert_string_equal(links, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_is_an_empty_list),
        cmocka_unit_test(a_name_and_password_are_passed_on),
        cmocka_unit_test(a_secret_makes_names_that_end_and_is_not_told),
        cmocka_unit_test(fields_stay_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
