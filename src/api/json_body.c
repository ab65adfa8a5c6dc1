#include "api/json_body.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_FPS = 30, DEFAULT_DATA_FPS = 10, MAX_FPS = 120 };

int json_body_parse(json_t **out, const char *text, size_t size, bool may_be_empty,
                    struct reason *why)
{
    if (size == 0 && may_be_empty) {
        *out = json_object();
        return *out ? OW_OK : OW_ENOMEM;
    }
    if (memchr(text, '\0', size))
        return reason_set(why, OW_EPARSE, "The body holds a NUL byte.");
    json_error_t error;
    json_t *parsed = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!parsed)
        return reason_set(why, OW_EPARSE, "The body is not valid JSON (line %d): %.120s.",
                          error.line, error.text);
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        return reason_set(why, OW_EPARSE, "The body must be a JSON object.");
    }
    *out = parsed;
    return OW_OK;
}

static bool is_clean(const char *text, bool lines)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool line = c == '\r' || c == '\n' || c == '\t';
        if (c == 0x7f || (c < 0x20 && !(lines && line)))
            return false;
    }
    return true;
}

int json_body_text(const char **out, const json_t *object, const char *name, size_t max, bool lines,
                   struct reason *why)
{
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value)) {
        *out = NULL;
        return OW_OK;
    }
    if (!json_is_string(value))
        return reason_set(why, OW_EPARSE, "\"%s\" must be a text.", name);
    if (json_string_length(value) > max)
        return reason_set(why, OW_EPARSE, "\"%s\" is longer than %zu bytes.", name, max);
    if (!is_clean(json_string_value(value), lines))
        return reason_set(why, OW_EPARSE, "\"%s\" holds control characters.", name);
    *out = json_string_value(value);
    return OW_OK;
}

bool json_body_is_utf8(const char *text)
{
    json_t *json = json_string(text);
    json_decref(json);
    return json != NULL;
}

static int add_node(struct subscription *out, const json_t *value, struct reason *why)
{
    const char *id = json_string_value(value);
    if (!id || json_string_length(value) >= SUBSCRIPTION_ID_BYTES)
        return reason_set(why, OW_EPARSE, "A node id must be a text of at most %d bytes.",
                          SUBSCRIPTION_ID_BYTES - 1);
    if (out->node_count == SUBSCRIPTION_MAX_NODES)
        return reason_set(why, OW_EPARSE, "At most %d nodes can be subscribed to by name.",
                          SUBSCRIPTION_MAX_NODES);
    snprintf(out->nodes[out->node_count++], SUBSCRIPTION_ID_BYTES, "%s", id);
    return OW_OK;
}

static int read_nodes(struct subscription *out, const json_t *filters, struct reason *why)
{
    const json_t *one = json_object_get(filters, "node_id");
    const json_t *many = json_object_get(filters, "node_ids");
    int rc = OW_OK;
    if (json_is_array(one)) {
        many = one;
        one = NULL;
    }
    if (one && !json_is_null(one))
        rc = add_node(out, one, why);
    if (many && !json_is_null(many) && !json_is_array(many))
        return reason_set(why, OW_EPARSE, "\"node_ids\" must be a list.");
    for (size_t i = 0; rc == OW_OK && i < json_array_size(many); i++)
        rc = add_node(out, json_array_get(many, i), why);
    return rc;
}

static const struct {
    const char *name;
    unsigned bits;
} topics_known[] = {
    {"xray_frame", TOPIC_FRAMES},
    {"status_update", TOPIC_STATUS},
    {"detection_data", TOPIC_DETECTIONS},
    {"debug_message", TOPIC_DEBUG},
    {"node_error", TOPIC_ERRORS},
    {"zone_event", TOPIC_ZONES},
    {"*",
     TOPIC_FRAMES | TOPIC_STATUS | TOPIC_DETECTIONS | TOPIC_DEBUG | TOPIC_ERRORS | TOPIC_ZONES},
};

unsigned subscription_topic(const char *name)
{
    for (size_t i = 0; i < sizeof topics_known / sizeof topics_known[0]; i++)
        if (strcmp(name, topics_known[i].name) == 0)
            return topics_known[i].bits;
    return 0;
}

static int read_topics(struct subscription *out, const json_t *topics, struct reason *why)
{
    if (!json_is_array(topics))
        return reason_set(why, OW_EPARSE, "\"topics\" must be a list, like [\"xray_frame\"].");
    for (size_t i = 0; i < json_array_size(topics); i++) {
        const char *topic = json_string_value(json_array_get(topics, i));
        if (topic)
            out->topics |= subscription_topic(topic);
    }
    return OW_OK;
}

static int read_workflow(struct subscription *out, const json_t *filters, struct reason *why)
{
    const char *id = NULL;
    int rc = json_body_text(&id, filters, "workflow_id", SUBSCRIPTION_ID_BYTES - 1, false, why);
    if (rc == OW_OK && id)
        snprintf(out->workflow_id, sizeof out->workflow_id, "%s", id);
    return rc;
}

int json_body_subscription(struct subscription *out, const json_t *message, struct reason *why)
{
    struct subscription read = {.max_fps = DEFAULT_FPS, .max_data_fps = DEFAULT_DATA_FPS};
    int rc = read_topics(&read, json_object_get(message, "topics"), why);
    if (rc != OW_OK)
        return rc;
    const json_t *filters = json_object_get(message, "filters");
    if (filters && !json_is_null(filters) && !json_is_object(filters))
        return reason_set(why, OW_EPARSE, "\"filters\" must be an object.");
    rc = read_nodes(&read, filters, why);
    if (rc == OW_OK)
        rc = read_workflow(&read, filters, why);
    if (rc != OW_OK)
        return rc;
    const json_t *fps = json_object_get(filters, "max_fps");
    if (json_is_number(fps))
        read.max_fps = read.max_data_fps = json_number_value(fps);
    if (!(read.max_fps > 0) || read.max_fps > MAX_FPS)
        return reason_set(why, OW_EPARSE, "\"max_fps\" must be more than 0 and at most %d.",
                          MAX_FPS);
    read.binary = json_is_true(json_object_get(message, "binary")) ||
                  json_is_true(json_object_get(filters, "binary"));
    read.records = json_is_true(json_object_get(message, "records"));
    *out = read;
    return OW_OK;
}

bool subscription_wants(const struct subscription *subscription, unsigned topic,
                        const char *workflow_id, const char *node_id)
{
    if (!(subscription->topics & topic))
        return false;
    if (subscription->workflow_id[0] && strcmp(subscription->workflow_id, workflow_id) != 0)
        return false;
    for (int i = 0; i < subscription->node_count; i++)
        if (strcmp(subscription->nodes[i], node_id) == 0)
            return true;
    return subscription->node_count == 0;
}
