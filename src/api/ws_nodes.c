/* What nodes tell: the state of all each second, detections, events. */
#include "api/ws_hub_internal.h"
#include "core/clock.h"
#include "workflow/detections_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- status ---- */

static json_t *describe_views(struct ws_hub *hub)
{
    struct view *views[WS_HUB_MAX_VIEWS];
    int count = ws_hub_views(hub, views, WS_HUB_MAX_VIEWS);
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        json_array_append_new(list, view_describe(views[i]));
        view_unref(&views[i]);
    }
    return list;
}

static json_t *describe_workflows(struct runtime *runtime, const json_t *ids)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        json_t *status = runtime_workflow_status(runtime, id);
        if (status) /* it may have stopped meanwhile */
            json_array_append_new(list, status);
    }
    return list;
}

static json_t *describe_status(struct ws_hub *hub, struct runtime *runtime)
{
    json_t *status = runtime_status(runtime);
    json_object_set_new(status, "type", json_string("status_update"));
    json_object_set_new(status, "server_us", json_integer((json_int_t)clock_now_us()));
    json_object_set_new(status, "views", describe_views(hub));
    json_object_set_new(status, "workflows",
                        describe_workflows(runtime, json_object_get(status, "workflow_ids")));
    return status;
}

/* Whom to ask for the status, NULL when nobody wants it. */
static struct runtime *wanted_of(struct ws_hub *hub)
{
    bool wanted = false;
    pthread_mutex_lock(&hub->lock);
    for (const struct client *i = hub->clients; i; i = i->next)
        wanted |= (i->subscription.topics & TOPIC_STATUS) != 0;
    struct runtime *runtime = wanted ? hub->runtime : NULL;
    pthread_mutex_unlock(&hub->lock);
    return runtime;
}

void ws_hub_send_status(struct ws_hub *hub)
{
    struct runtime *runtime = wanted_of(hub);
    struct http_message *message = runtime ? ws_hub_text(describe_status(hub, runtime)) : NULL;
    if (!message)
        return;
    pthread_mutex_lock(&hub->lock);
    for (struct client *i = hub->clients; i; i = i->next)
        if (i->subscription.topics & TOPIC_STATUS)
            http_socket_send_latest(i->socket, WS_HUB_STATUS_SLOT, message);
    pthread_mutex_unlock(&hub->lock);
    http_message_unref(&message);
}

/* ---- detections ---- */

json_t *ws_hub_describe_detections(const char *workflow_id, const char *node_id,
                                   const struct detections *found, json_t *zones)
{
    return json_pack("{s:s, s:s, s:s, s:f, s:I, s:I, s:i, s:i, s:i, s:o, s:O*}", "type",
                     "detection_data", "workflow_id", workflow_id, "node_id", node_id, "timestamp",
                     (double)clock_wall_us() / 1e6, "sequence", (json_int_t)found->frame_sequence,
                     "capture_us", (json_int_t)found->capture_us, "width", found->source_width,
                     "height", found->source_height, "count", found->count, "detections",
                     detections_describe(found), "zones", zones);
}

/* An object as a line with its end; takes its reference. NULL = no memory. */
static char *make_line(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *line = NULL;
    if (text && asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    json_decref(json);
    return line;
}

static char *make_places_line(const char *workflow_id, const char *node_id,
                              const struct shared_text *places)
{
    json_t *json = json_pack("{s:s, s:s, s:s}", "type", "zones", "workflow_id", workflow_id,
                             "node_id", node_id);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *line = NULL;
    int size = text ? (int)strlen(text) - 1 : 0; /* the list goes in front of the brace */
    if (text && asprintf(&line, "%.*s,\"zones\":%s}\n", size, text, places->text) < 0)
        line = NULL;
    free(text);
    json_decref(json);
    return line;
}

/* To those who listen over HTTP and whose next line is due. Under the lock. */
static void send_lines(struct ws_hub *hub, const char *workflow_id, const char *node_id,
                       const struct detections *found, json_t *zones, const json_t *places)
{
    struct shared_text *text =
        places ? zone_places_text(places) : shared_text_create(ZONE_NO_PLACES);
    char *line = make_line(ws_hub_describe_detections(workflow_id, node_id, found, zones));
    char *places_line = text ? make_places_line(workflow_id, node_id, text) : NULL;
    if (line && places_line)
        http_viewers_send_line(hub, line, places_line, text);
    free(line);
    free(places_line);
    shared_text_unref(&text);
}

bool ws_hub_wants_detections(struct ws_hub *hub, const char *workflow_id, const char *node_id)
{
    bool wanted = false;
    pthread_mutex_lock(&hub->lock);
    for (const struct client *i = hub->clients; i && !wanted; i = i->next)
        wanted = subscription_wants(&i->subscription, TOPIC_DETECTIONS, workflow_id, node_id);
    wanted = wanted || http_viewers_fps(hub, TOPIC_DETECTIONS, node_id) > 0;
    pthread_mutex_unlock(&hub->lock);
    return wanted;
}

/* A client that is behind gets the latest of each node, as with pictures. */
void ws_hub_detections(struct ws_hub *hub, const char *workflow_id, const char *node_id,
                       const struct detections *found, json_t *zones, const json_t *places)
{
    struct http_message *message = NULL; /* made once, when needed */
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&hub->lock);
    for (struct client *i = hub->clients; i; i = i->next) {
        if (!subscription_wants(&i->subscription, TOPIC_DETECTIONS, workflow_id, node_id))
            continue;
        struct client_slot *slot = client_find_slot(i, TOPIC_DETECTIONS, node_id);
        if (!slot || !client_slot_is_due(slot, i->subscription.max_data_fps, now_us))
            continue;
        if (!message)
            message = ws_hub_text(ws_hub_describe_detections(workflow_id, node_id, found, zones));
        if (message)
            http_socket_send_latest(i->socket, (int)(slot - i->slots), message);
    }
    if (http_viewers_are_due(hub, TOPIC_DETECTIONS, node_id, now_us))
        send_lines(hub, workflow_id, node_id, found, zones, places);
    pthread_mutex_unlock(&hub->lock);
    http_message_unref(&message);
}

/* ---- events ---- */

void ws_hub_event(struct ws_hub *hub, const char *topic_name, const json_t *event)
{
    unsigned topic = subscription_topic(topic_name);
    const char *workflow_id = json_string_value(json_object_get(event, "workflow_id"));
    const char *node_id = json_string_value(json_object_get(event, "node_id"));
    json_t *copy = topic && workflow_id && node_id ? json_copy((json_t *)event) : NULL;
    if (!copy)
        return;
    json_object_set_new(copy, "type", json_string(topic_name));
    json_object_set_new(copy, "timestamp", json_real((double)clock_wall_us() / 1e6));
    struct http_message *message = ws_hub_text(copy);
    pthread_mutex_lock(&hub->lock);
    hub->state_changed |= topic == TOPIC_ERRORS;
    for (struct client *i = hub->clients; i && message; i = i->next)
        if (subscription_wants(&i->subscription, topic, workflow_id, node_id))
            (void)http_socket_offer(i->socket, message);
    pthread_mutex_unlock(&hub->lock);
    http_message_unref(&message);
}
