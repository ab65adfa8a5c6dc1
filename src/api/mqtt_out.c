#include "api/mqtt_out.h"

#include "api/ws_hub.h"
#include "core/clock.h"
#include "core/text_cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_BYTES = 100, NAME_BYTES = 16 /* of what a topic is about, its slash among them */ };

/* As much of an id as fits; returns how much. */
static size_t put_id(char *out, const char *id, size_t room)
{
    size_t size = text_fitting(id, room);
    for (size_t i = 0; i < size; i++) {
        bool plain = (unsigned char)id[i] >= 0x20 && id[i] != 0x7f && !strchr("/+#", id[i]);
        out[i] = plain ? id[i] : '_';
    }
    return size;
}

void mqtt_out_topic(const struct mqtt_out *out, const char *workflow_id, const char *node_id,
                    const char *what, char topic[MQTT_TOPIC_BYTES])
{
    size_t at = text_fitting(out->prefix, PREFIX_BYTES);
    size_t room = MQTT_TOPIC_BYTES - at - 2 - NAME_BYTES; /* of both ids, behind a slash each */
    size_t node = strlen(node_id) < room / 2 ? strlen(node_id) : room / 2;
    memcpy(topic, out->prefix, at);
    topic[at++] = '/';
    size_t used = put_id(topic + at, workflow_id, room - node);
    at += used;
    topic[at++] = '/';
    at += put_id(topic + at, node_id, room - used);
    snprintf(topic + at, MQTT_TOPIC_BYTES - at, "/%s", what);
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
