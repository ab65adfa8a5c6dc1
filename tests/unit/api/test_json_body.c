#include "api/frame_message.h"
#include "api/json_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *text, size_t size)
{
    json_t *json = NULL;
    struct reason why = {""};
    int rc = json_body_parse(&json, text, size, false, &why);
    assert_true((rc == OW_OK) == (json != NULL));
    assert_true((rc == OW_OK) == (why.text[0] == '\0'));
    json_decref(json);
    return rc;
}

static void only_clean_objects_pass(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "null",
                                      "[]",
                                      "\"x\"",
                                      "{",
                                      "{\"a\":1}x",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\xff}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(bad[i], strlen(bad[i])), OW_EPARSE);
    assert_int_equal(parse("{\"a\":1}\0", 8), OW_EPARSE);
    assert_int_equal(parse("{\"a\":1}", 7), OW_OK);
    char *deep = malloc(200000);
    memset(deep, '[', 200000);
    memcpy(deep, "{\"a\":", 5);
    assert_int_equal(parse(deep, 200000), OW_EPARSE);
    free(deep);
}

static void texts_have_limits(void **state)
{
    (void)state;
    struct reason why;
    const char *text = "unset";
    json_t *json = json_pack("{s:s, s:s, s:i}", "plain", "abc", "lines", "a\r\nb", "number", 1);
    assert_int_equal(json_body_text(&text, json, "none", 10, false, &why), OW_OK);
    assert_null(text);
    assert_int_equal(json_body_text(&text, json, "plain", 3, false, &why), OW_OK);
    assert_string_equal(text, "abc");
    assert_int_equal(json_body_text(&text, json, "plain", 2, false, &why), OW_EPARSE);
    assert_int_equal(json_body_text(&text, json, "lines", 10, false, &why), OW_EPARSE);
    assert_int_equal(json_body_text(&text, json, "lines", 10, true, &why), OW_OK);
    assert_int_equal(json_body_text(&text, json, "number", 10, true, &why), OW_EPARSE);
    json_decref(json);
}

static int subscribe(const char *text, struct subscription *out)
{
    struct reason why;
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    int rc = json_body_subscription(out, json, &why);
    json_decref(json);
    return rc;
}

static void subscriptions_are_read(void **state)
{
    (void)state;
    struct subscription read = {0};
    assert_int_equal(subscribe("{\"topics\":[\"xray_frame\",\"new\"],\"binary\":true,\"filters\":"
                               "{\"node_id\":\"v\",\"max_fps\":12.5}}",
                               &read),
                     OW_OK);
    assert_int_equal(read.topics, TOPIC_FRAMES);
    assert_true(read.binary);
    assert_false(read.records);
    assert_true(read.max_fps > 12.4 && read.max_fps < 12.6);
    assert_true(subscription_wants(&read, TOPIC_FRAMES, "any", "v"));
    assert_false(subscription_wants(&read, TOPIC_FRAMES, "any", "w"));
    assert_int_equal(subscribe("{\"topics\":[\"*\"],\"records\":true}", &read), OW_OK);
    assert_true(read.records && !read.binary);
    assert_true(subscription_wants(&read, TOPIC_FRAMES, "any", "any"));
    assert_int_equal(
        subscribe("{\"topics\":[\"xray_frame\"],\"filters\":{\"node_ids\":[\"a\",\"b\"]}}", &read),
        OW_OK);
    assert_int_equal(read.node_count, 2);
    assert_int_equal(subscribe("{\"topics\":[\"status_update\"]}", &read), OW_OK);
    assert_false(subscription_wants(&read, TOPIC_FRAMES, "any", "v"));
    static const char *const bad[] = {
        "{}",
        "{\"topics\":\"x\"}",
        "{\"topics\":[],\"filters\":[]}",
        "{\"topics\":[],\"filters\":{\"node_id\":5}}",
        "{\"topics\":[],\"filters\":{\"node_ids\":\"a\"}}",
        "{\"topics\":[],\"filters\":{\"max_fps\":0}}",
        "{\"topics\":[],\"filters\":{\"max_fps\":-1}}",
        "{\"topics\":[],\"filters\":{\"max_fps\":1e9}}",
        "{\"topics\":[],\"filters\":{\"node_ids\":[1]}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(subscribe(bad[i], &read), OW_EPARSE);
    json_t *nodes = json_array(), *message;
    for (int i = 0; i <= SUBSCRIPTION_MAX_NODES; i++)
        json_array_append_new(nodes, json_sprintf("%d", i));
    message = json_pack("{s:[], s:{s:o}}", "topics", "filters", "node_ids", nodes);
    struct reason why;
    assert_int_equal(json_body_subscription(&read, message, &why), OW_EPARSE);
    json_array_remove(nodes, 0);
    assert_int_equal(json_body_subscription(&read, message, &why), OW_OK);
    json_decref(message);
}

static void topics_and_workflows_are_told_apart(void **state)
{
    (void)state;
    struct subscription read = {0};
    assert_int_equal(subscribe("{\"topics\":[\"detection_data\",\"zone_event\"],\"filters\":"
                               "{\"workflow_id\":\"a\",\"max_fps\":2}}",
                               &read),
                     OW_OK);
    assert_int_equal(read.topics, TOPIC_DETECTIONS | TOPIC_ZONES);
    assert_true(read.max_data_fps > 1.9 && read.max_data_fps < 2.1);
    assert_true(subscription_wants(&read, TOPIC_ZONES, "a", "n"));
    assert_false(subscription_wants(&read, TOPIC_ZONES, "b", "n"));
    assert_false(subscription_wants(&read, TOPIC_DEBUG, "a", "n"));
    assert_int_equal(subscription_topic("debug_message"), TOPIC_DEBUG);
    assert_int_equal(subscription_topic("nonsense"), 0);
    assert_int_equal(subscribe("{\"topics\":[\"*\"]}", &read), OW_OK);
    assert_true(read.max_data_fps > 9.9 && read.max_data_fps < 10.1);
    assert_true(subscription_wants(&read, TOPIC_ERRORS, "b", "n"));
    assert_int_equal(subscribe("{\"topics\":[],\"filters\":{\"workflow_id\":5}}", &read),
                     OW_EPARSE);
}

/* RFC 4648, section 10. */
static void base64_matches_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *coded;
    } cases[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char coded[16] = "";
        size_t size = strlen(cases[i].plain);
        base64_write(coded, (const uint8_t *)cases[i].plain, size);
        assert_int_equal(base64_size(size), strlen(cases[i].coded));
        assert_string_equal(coded, cases[i].coded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_clean_objects_pass),
        cmocka_unit_test(texts_have_limits),
        cmocka_unit_test(subscriptions_are_read),
        cmocka_unit_test(topics_and_workflows_are_told_apart),
        cmocka_unit_test(base64_matches_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
