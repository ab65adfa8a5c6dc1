#include "api/mqtt_out.h"

#include "api/ws_hub.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mqtt_out_topic(const struct mqtt_out *out, const char *workflow_id, const char *node_id,
                    const char *what, char topic[MQTT_TOPIC_BYTES])
{
    const char *const parts[] = {workflow_id, node_id, what};
    size_t at = (size_t)snprintf(topic, MQTT_TOPIC_BYTES, "%.100s", out->prefix);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (at + 1 < MQTT_TOPIC_BYTES)
            topic[at++] = '/';
        for (const char *c = parts[i]; *c && at + 1 < MQTT_TOPIC_BYTES; c++)
            topic[at++] = strchr("/+#", *c) ? '_' : *c;
    }
    topic[at] = '\0';
}

/* Takes the reference of the object. */
static void publish(const struct mqtt_out *out, const char *topic, json_t *payload, bool retain)
{
    char *text = payload ? json_dumps(payload, JSON_COMPACT) : NULL;
    if (text)
        (void)mqtt_client_publish(out->client, topic, text, strlen(text), retain);
    free(text);
    json_decref(payload);
}

void mqtt_out_detections(const struct mqtt_out *out, const struct sink_settings *sink,
                         const char *workflow_id, const char *node_id,
                         const struct detections *detections, json_t *zones)
{
    char topic[MQTT_TOPIC_BYTES];
    if (sink->topic[0])
        snprintf(topic, sizeof topic, "%s", sink->topic);
    else
        mqtt_out_topic(out, workflow_id, node_id, "detections", topic);
    publish(out, topic, ws_hub_describe_detections(workflow_id, node_id, detections, zones),
            sink->retain);
}

void mqtt_out_event(const struct mqtt_out *out, const char *name, const json_t *event)
{
    const char *workflow_id = json_string_value(json_object_get(event, "workflow_id"));
    const char *node_id = json_string_value(json_object_get(event, "node_id"));
    bool is_zone = strcmp(name, "zone_event") == 0, is_error = strcmp(name, "node_error") == 0;
    char topic[MQTT_TOPIC_BYTES];
    if (!workflow_id || !node_id || (!is_zone && !is_error))
        return;
    json_t *payload = json_copy((json_t *)event);
    if (payload)
        json_object_set_new(payload, "timestamp", json_real((double)clock_wall_us() / 1e6));
    mqtt_out_topic(out, workflow_id, node_id, is_zone ? "event" : "error", topic);
    publish(out, topic, payload, is_error);
}
