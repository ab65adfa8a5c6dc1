/* Topics of ids from outside; what is published is shown by tests/integ/mqtt. */
#include "api/mqtt_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void topics_are_made_of_ids(void **state)
{
    (void)state;
    const struct mqtt_out out = {.prefix = "site/a"};
    char topic[MQTT_TOPIC_BYTES];
    mqtt_out_topic(&out, "w", "n", "event", topic);
    assert_string_equal(topic, "site/a/w/n/event");
    mqtt_out_topic(&out, "a/b", "c+#", "event", topic);
    assert_string_equal(topic, "site/a/a_b/c__/event");
    assert_true(mqtt_topic_is_valid(topic));
    /* What no topic may hold. */
    mqtt_out_topic(&out, "a\tb", "c\x7f\xc3\xa4", "event", topic);
    assert_string_equal(topic, "site/a/a_b/c_\xc3\xa4/event");
    assert_true(mqtt_topic_is_valid(topic));
}

/* Long ids are cut, between characters; what it is about is not. */
static void long_ids_leave_room_for_what_it_is(void **state)
{
    (void)state;
    const struct mqtt_out out = {.prefix = "overwatch"};
    char id[2 * MQTT_TOPIC_BYTES + 8], detections[MQTT_TOPIC_BYTES], error[MQTT_TOPIC_BYTES];
    for (size_t shift = 0; shift < 4; shift++) {
        size_t at = shift;
        memset(id, 'x', at);
        for (; at + 2 < 2 * MQTT_TOPIC_BYTES; at += 3)
            memcpy(id + at, "\xe2\x82\xac", 3);
        id[at] = '\0';
        mqtt_out_topic(&out, id, id, "detections", detections);
        mqtt_out_topic(&out, id, id, "error", error);
        assert_true(mqtt_topic_is_valid(detections) && mqtt_topic_is_valid(error));
        assert_string_equal(strrchr(detections, '/'), "/detections");
        assert_string_equal(strrchr(error, '/'), "/error");
        assert_string_not_equal(detections, error);
    }
}

/* Of every length, so that each part has the end of the topic in it once. */
static void what_does_not_fit_is_cut_off(void **state)
{
    (void)state;
    struct {
        char topic[MQTT_TOPIC_BYTES], behind[8];
    } place;
    char id[MQTT_TOPIC_BYTES + 64], prefix[MQTT_TOPIC_BYTES];
    memset(prefix, 'p', sizeof prefix - 1);
    prefix[sizeof prefix - 1] = '\0';
    const struct mqtt_out out = {.prefix = prefix};
    for (size_t size = 0; size < sizeof id; size++) {
        memset(id, 'x', size);
        id[size] = '\0';
        memset(&place, 'b', sizeof place);
        mqtt_out_topic(&out, id, "node", "detections", place.topic);
        assert_true(strnlen(place.topic, sizeof place.topic) < sizeof place.topic);
        assert_memory_equal(place.behind, "bbbbbbbb", 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_made_of_ids),
        cmocka_unit_test(long_ids_leave_room_for_what_it_is),
        cmocka_unit_test(what_does_not_fit_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
