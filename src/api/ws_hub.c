#include "api/ws_hub_internal.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_TICKS = 4 };

int ws_hub_create(struct ws_hub **out)
{
    struct ws_hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return OW_ENOMEM;
    pthread_mutex_init(&hub->lock, NULL);
    *out = hub;
    return OW_OK;
}

void ws_hub_destroy(struct ws_hub **hub)
{
    struct ws_hub *self = *hub;
    if (!self)
        return;
    *hub = NULL;
    for (int i = 0; i < self->view_count; i++)
        view_unref(&self->views[i].view);
    for (int i = 0; i < self->snapshot_count; i++)
        http_exchange_unref(&self->snapshots[i].exchange);
    for (int i = 0; i < self->viewer_count; i++) {
        http_exchange_unref(&self->viewers[i].exchange);
        shared_text_unref(&self->viewers[i].places);
    }
    pthread_mutex_destroy(&self->lock);
    free(self);
}

struct client_slot *client_find_slot(struct client *client, unsigned topic, const char *node_id)
{
    for (int i = 0; i < client->slot_count; i++)
        if (client->slots[i].topic == topic && strcmp(client->slots[i].node_id, node_id) == 0)
            return &client->slots[i];
    if (client->slot_count == WS_HUB_STATUS_SLOT)
        return NULL;
    struct client_slot *slot = &client->slots[client->slot_count++];
    *slot = (struct client_slot){.topic = topic};
    snprintf(slot->node_id, sizeof slot->node_id, "%s", node_id);
    return slot;
}

/* One that comes a little early is taken, and the next one is due an interval after this one was,
 * not after it came. */
bool client_slot_is_due(struct client_slot *slot, double max_fps, int64_t now_us)
{
    int64_t interval_us = (int64_t)(1e6 / max_fps);
    if (now_us < slot->due_us - interval_us / 4)
        return false;
    slot->due_us += interval_us;
    if (slot->due_us < now_us)
        slot->due_us = now_us + interval_us / 2;
    return true;
}

struct http_message *ws_hub_text(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    struct http_message *message =
        text ? http_message_create(false, text, strlen(text), NULL, 0) : NULL;
    free(text);
    return message;
}

/* -- clients -- */

void ws_hub_opened(struct ws_hub *hub, struct http_socket *socket)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return; /* its messages will find no client and be ignored */
    client->socket = socket;
    http_socket_set_user(socket, client);
    pthread_mutex_lock(&hub->lock);
    client->next = hub->clients;
    hub->clients = client;
    hub->client_count++;
    pthread_mutex_unlock(&hub->lock);
}

void ws_hub_closed(struct ws_hub *hub, struct http_socket *socket)
{
    struct client *client = http_socket_user(socket);
    if (!client)
        return;
    pthread_mutex_lock(&hub->lock);
    struct client **link = &hub->clients;
    while (*link && *link != client)
        link = &(*link)->next;
    if (*link)
        *link = client->next;
    hub->client_count--;
    ws_hub_ask_views(hub);
    pthread_mutex_unlock(&hub->lock);
    free(client);
}

static void send_json(struct http_socket *socket, json_t *json)
{
    struct http_message *message = ws_hub_text(json);
    if (message)
        http_socket_send(socket, message);
    http_message_unref(&message);
}

static void send_error(struct http_socket *socket, const char *detail)
{
    send_json(socket, json_pack("{s:s, s:s}", "type", "error", "detail", detail));
}

static void handle_ping(struct ws_hub *hub, struct client *client, const json_t *message)
{
    (void)hub;
    json_t *echo = json_object_get(message, "t");
    json_t *pong = json_pack("{s:s, s:I, s:I}", "type", "pong", "server_us",
                             (json_int_t)clock_now_us(), "wall_us", (json_int_t)clock_wall_us());
    if (json_is_number(echo))
        json_object_set(pong, "t", echo);
    send_json(client->socket, pong);
}

static void handle_subscribe(struct ws_hub *hub, struct client *client, const json_t *message)
{
    struct subscription subscription;
    struct reason why;
    if (json_body_subscription(&subscription, message, &why) != OW_OK) {
        send_error(client->socket, why.text);
        return;
    }
    json_t *reply = json_pack("{s:s, s:O, s:b, s:b, s:f}", "type", "subscribed", "topics",
                              json_object_get(message, "topics"), "binary", subscription.binary,
                              "records", subscription.records, "max_fps", subscription.max_fps);
    json_t *filters = json_object_get(message, "filters");
    if (json_is_object(filters))
        json_object_set(reply, "filters", filters);
    send_json(client->socket, reply); /* before the first picture */
    pthread_mutex_lock(&hub->lock);
    client->subscription = subscription;
    client->slot_count = 0;
    ws_hub_ask_views(hub);
    pthread_mutex_unlock(&hub->lock);
}

static void handle_unsubscribe(struct ws_hub *hub, struct client *client, const json_t *message)
{
    struct subscription gone = {0};
    struct reason why;
    bool all = !json_object_get(message, "topics");
    if (!all && json_body_subscription(&gone, message, &why) != OW_OK) {
        send_error(client->socket, why.text);
        return;
    }
    pthread_mutex_lock(&hub->lock);
    client->subscription.topics &= all ? 0 : ~gone.topics;
    ws_hub_ask_views(hub);
    pthread_mutex_unlock(&hub->lock);
    send_json(client->socket, json_pack("{s:s}", "type", "unsubscribed"));
}

void ws_hub_message(struct ws_hub *hub, struct http_socket *socket, const char *text, size_t size)
{
    static const struct {
        const char *type;
        void (*handle)(struct ws_hub *hub, struct client *client, const json_t *message);
    } handlers[] = {{"ping", handle_ping},
                    {"subscribe", handle_subscribe},
                    {"unsubscribe", handle_unsubscribe}};
    struct client *client = http_socket_user(socket);
    json_t *message = NULL;
    struct reason why;
    if (!client)
        return;
    if (json_body_parse(&message, text, size, false, &why) != OW_OK) {
        send_error(socket, why.text);
        return;
    }
    const char *type = json_string_value(json_object_get(message, "type"));
    bool known = false;
    for (size_t i = 0; type && i < sizeof handlers / sizeof handlers[0]; i++)
        if (strcmp(type, handlers[i].type) == 0) {
            handlers[i].handle(hub, client, message);
            known = true;
        }
    if (!known)
        send_error(socket, "\"type\" must be ping, subscribe or unsubscribe.");
    json_decref(message);
}

void ws_hub_set_runtime(struct ws_hub *hub, struct runtime *runtime)
{
    pthread_mutex_lock(&hub->lock);
    hub->runtime = runtime;
    pthread_mutex_unlock(&hub->lock);
}

void ws_hub_tick(struct ws_hub *hub)
{
    ws_hub_expire(hub);
    ws_hub_end_listeners(hub);
    pthread_mutex_lock(&hub->lock);
    bool due = ++hub->ticks % STATUS_TICKS == 0 || hub->state_changed;
    hub->state_changed = false;
    pthread_mutex_unlock(&hub->lock);
    if (due)
        ws_hub_send_status(hub);
}

void ws_hub_goodbye(struct ws_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    for (struct client *i = hub->clients; i; i = i->next)
        send_json(i->socket, json_pack("{s:s}", "type", "server_stopping"));
    pthread_mutex_unlock(&hub->lock);
}

void ws_hub_read_stats(struct ws_hub *hub, struct ws_hub_stats *out)
{
    pthread_mutex_lock(&hub->lock);
    *out = (struct ws_hub_stats){.clients = hub->client_count, .replaced = hub->replaced};
    for (const struct client *i = hub->clients; i; i = i->next)
        out->viewers += (i->subscription.topics & TOPIC_FRAMES) != 0;
    send_meter_read(&hub->meter, clock_now_us(), &out->figures);
    pthread_mutex_unlock(&hub->lock);
}
