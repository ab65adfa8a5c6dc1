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
        cmocka_unit_test(what_does_not_fit_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
