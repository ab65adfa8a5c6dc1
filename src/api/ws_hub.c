#include "api/ws_hub.h"

#include "api/frame_message.h"
#include "api/json_body.h"
#include "core/clock.h"
#include "core/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_VIEWS = 64,
    MAX_SNAPSHOTS = 64,
    STATUS_SLOT = HTTP_SOCKET_SLOTS - 1,
    SNAPSHOT_WAIT_US = 2 * 1000 * 1000,
    MODEL_WAIT_US = 1200 * 1000,
    SNAPSHOT_FPS = 10,
    STATUS_TICKS = 4,
};

/* Which slot of the socket holds which view's picture, and when its next one is due. */
struct client_view {
    char node_id[SUBSCRIPTION_ID_BYTES];
    int64_t due_us;
};

struct client {
    struct client *next;
    struct http_socket *socket;
    struct subscription subscription;
    struct client_view views[STATUS_SLOT];
    int view_count;
};

struct hub_view {
    struct view *view; /* own reference */
    double fps;        /* what it was last asked for */
};

struct snapshot {
    struct http_exchange *exchange;
    char node_id[SUBSCRIPTION_ID_BYTES];
    int64_t asked_us;
};

struct ws_hub {
    pthread_mutex_t lock;
    struct client *clients;
    struct hub_view views[MAX_VIEWS];
    int view_count;
    struct snapshot snapshots[MAX_SNAPSHOTS];
    int snapshot_count;
    int ticks;
    int client_count;
    uint64_t replaced;
    struct send_meter meter;
};

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
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* -- what views are asked for (all under the lock) -- */

static double wanted_fps(const struct ws_hub *hub, const char *node_id)
{
    double fps = 0;
    for (const struct client *i = hub->clients; i; i = i->next)
        if (subscription_wants(&i->subscription, node_id) && i->subscription.max_fps > fps)
            fps = i->subscription.max_fps;
    for (int i = 0; i < hub->snapshot_count; i++)
        if (strcmp(hub->snapshots[i].node_id, node_id) == 0 && fps < SNAPSHOT_FPS)
            fps = SNAPSHOT_FPS;
    return fps;
}

static void ask_views(struct ws_hub *hub)
{
    for (int i = 0; i < hub->view_count; i++) {
        struct hub_view *view = &hub->views[i];
        double fps = wanted_fps(hub, view_node_id(view->view));
        if (fps < view->fps || fps > view->fps) {
            view->fps = fps;
            view_set_jpeg_fps(view->view, fps);
        }
    }
}

void ws_hub_add_view(struct ws_hub *hub, struct view *view)
{
    pthread_mutex_lock(&hub->lock);
    if (hub->view_count < MAX_VIEWS)
        hub->views[hub->view_count++] = (struct hub_view){.view = view_ref(view)};
    else
        log_warn("View %s has no WebSocket pictures: there are %d views already.",
                 view_node_id(view), MAX_VIEWS);
    ask_views(hub);
    pthread_mutex_unlock(&hub->lock);
}

void ws_hub_remove_view(struct ws_hub *hub, struct view *view)
{
    struct view *gone = NULL;
    pthread_mutex_lock(&hub->lock);
    for (int i = 0; i < hub->view_count; i++)
        if (hub->views[i].view == view) {
            gone = view;
            hub->views[i] = hub->views[--hub->view_count];
            break;
        }
    pthread_mutex_unlock(&hub->lock);
    view_unref(&gone);
}

int ws_hub_views(struct ws_hub *hub, struct view **out, int max)
{
    pthread_mutex_lock(&hub->lock);
    int count = hub->view_count < max ? hub->view_count : max;
    for (int i = 0; i < count; i++)
        out[i] = view_ref(hub->views[i].view);
    pthread_mutex_unlock(&hub->lock);
    return count;
}

/* -- pictures -- */

static struct client_view *find_client_view(struct client *client, const char *node_id)
{
    for (int i = 0; i < client->view_count; i++)
        if (strcmp(client->views[i].node_id, node_id) == 0)
            return &client->views[i];
    if (client->view_count == STATUS_SLOT)
        return NULL;
    struct client_view *view = &client->views[client->view_count++];
    snprintf(view->node_id, sizeof view->node_id, "%s", node_id);
    view->due_us = 0;
    return view;
}

/* Keeps the mean rate: a picture that comes a little early is taken, and the next one is due an
 * interval after this one was, not after it came. */
static bool is_due(struct client_view *view, double max_fps, int64_t now_us)
{
    int64_t interval_us = (int64_t)(1e6 / max_fps);
    if (now_us < view->due_us - interval_us / 4)
        return false;
    view->due_us += interval_us;
    if (view->due_us < now_us)
        view->due_us = now_us + interval_us / 2;
    return true;
}

static void send_picture(struct ws_hub *hub, struct client *client, int slot,
                         struct http_message *message, int64_t capture_us)
{
    if (!message)
        return;
    if (!http_socket_send_latest(client->socket, slot, message))
        hub->replaced++;
    int64_t now_us = clock_now_us();
    send_meter_add(&hub->meter, now_us, 1, (uint64_t)http_message_size(message),
                   now_us - capture_us);
}

/* The first picture of a view that nobody watched has no boxes yet, since its model was at rest: a
 * snapshot waits a while for one that has. */
static void answer_snapshots(struct ws_hub *hub, const char *node_id, const struct encoded *picture)
{
    int64_t now_us = clock_now_us();
    int kept = 0;
    for (int i = 0; i < hub->snapshot_count; i++) {
        struct snapshot *snapshot = &hub->snapshots[i];
        bool good = !picture->model_awaited || now_us - snapshot->asked_us >= MODEL_WAIT_US;
        if (good && strcmp(snapshot->node_id, node_id) == 0) {
            http_reply(snapshot->exchange, 200, "image/jpeg", picture->data, picture->size,
                       "Cache-Control: no-store\r\n");
            http_exchange_unref(&snapshot->exchange);
        } else {
            hub->snapshots[kept++] = *snapshot;
        }
    }
    bool changed = kept != hub->snapshot_count;
    hub->snapshot_count = kept;
    if (changed)
        ask_views(hub);
}

void ws_hub_picture(struct ws_hub *hub, struct view *view, const struct encoded *picture)
{
    const char *node_id = view_node_id(view);
    struct http_message *forms[2] = {NULL, NULL}; /* text, binary: each made once, when needed */
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&hub->lock);
    for (struct client *i = hub->clients; i; i = i->next) {
        if (!subscription_wants(&i->subscription, node_id))
            continue;
        struct client_view *slot = find_client_view(i, node_id);
        if (!slot || !is_due(slot, i->subscription.max_fps, now_us))
            continue;
        bool binary = i->subscription.binary;
        if (!forms[binary])
            forms[binary] = frame_message_create(view, picture, binary);
        send_picture(hub, i, (int)(slot - i->views), forms[binary], picture->capture_us);
    }
    answer_snapshots(hub, node_id, picture);
    pthread_mutex_unlock(&hub->lock);
    http_message_unref(&forms[0]);
    http_message_unref(&forms[1]);
}

static bool has_view(const struct ws_hub *hub, const char *node_id)
{
    for (int i = 0; i < hub->view_count; i++)
        if (strcmp(view_node_id(hub->views[i].view), node_id) == 0)
            return true;
    return false;
}

void ws_hub_snapshot(struct ws_hub *hub, const char *node_id, struct http_exchange *exchange)
{
    pthread_mutex_lock(&hub->lock);
    if (!has_view(hub, node_id)) {
        http_reply_error(exchange, 404, "There is no running view with this id.");
    } else if (hub->snapshot_count == MAX_SNAPSHOTS) {
        http_reply_error(exchange, 503, "Too many snapshots are waiting: try again in a moment.");
    } else {
        struct snapshot *snapshot = &hub->snapshots[hub->snapshot_count++];
        snapshot->exchange = http_exchange_ref(exchange);
        snapshot->asked_us = clock_now_us();
        snprintf(snapshot->node_id, sizeof snapshot->node_id, "%s", node_id);
        ask_views(hub);
    }
    pthread_mutex_unlock(&hub->lock);
}

static void expire_snapshots(struct ws_hub *hub)
{
    int64_t now_us = clock_now_us();
    int kept = 0;
    pthread_mutex_lock(&hub->lock);
    for (int i = 0; i < hub->snapshot_count; i++) {
        struct snapshot *snapshot = &hub->snapshots[i];
        if (now_us - snapshot->asked_us >= SNAPSHOT_WAIT_US) {
            http_reply_error(snapshot->exchange, 504,
                             "The view gave no picture within 2 s: look at its source.");
            http_exchange_unref(&snapshot->exchange);
        } else {
            hub->snapshots[kept++] = *snapshot;
        }
    }
    hub->snapshot_count = kept;
    ask_views(hub);
    pthread_mutex_unlock(&hub->lock);
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
    ask_views(hub);
    pthread_mutex_unlock(&hub->lock);
    free(client);
}

static void send_json(struct http_socket *socket, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    struct http_message *message =
        text ? http_message_create(false, text, strlen(text), NULL, 0) : NULL;
    free(text);
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
    json_t *reply = json_pack("{s:s, s:O, s:b, s:f}", "type", "subscribed", "topics",
                              json_object_get(message, "topics"), "binary", subscription.binary,
                              "max_fps", subscription.max_fps);
    json_t *filters = json_object_get(message, "filters");
    if (json_is_object(filters))
        json_object_set(reply, "filters", filters);
    send_json(client->socket, reply); /* before the first picture */
    pthread_mutex_lock(&hub->lock);
    client->subscription = subscription;
    client->view_count = 0;
    ask_views(hub);
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
    ask_views(hub);
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

/* -- status -- */

static json_t *describe_status(struct ws_hub *hub)
{
    struct view *views[MAX_VIEWS];
    int count = ws_hub_views(hub, views, MAX_VIEWS);
    json_t *list = json_array(), *ids = json_array();
    for (int i = 0; i < count; i++) {
        bool seen = false;
        for (int k = 0; k < i; k++)
            seen |= views[k] && strcmp(view_workflow_id(views[k]), view_workflow_id(views[i])) == 0;
        if (!seen)
            json_array_append_new(ids, json_string(view_workflow_id(views[i])));
        json_array_append_new(list, view_describe(views[i]));
    }
    for (int i = 0; i < count; i++)
        view_unref(&views[i]);
    return json_pack("{s:s, s:I, s:i, s:o, s:o}", "type", "status_update", "server_us",
                     (json_int_t)clock_now_us(), "running_workflows", (int)json_array_size(ids),
                     "workflow_ids", ids, "views", list);
}

static bool anyone_wants_status(struct ws_hub *hub)
{
    bool wanted = false;
    pthread_mutex_lock(&hub->lock);
    for (const struct client *i = hub->clients; i; i = i->next)
        wanted |= (i->subscription.topics & TOPIC_STATUS) != 0;
    pthread_mutex_unlock(&hub->lock);
    return wanted;
}

static void send_status(struct ws_hub *hub)
{
    if (!anyone_wants_status(hub))
        return;
    json_t *status = describe_status(hub);
    char *text = status ? json_dumps(status, JSON_COMPACT) : NULL;
    json_decref(status);
    struct http_message *message =
        text ? http_message_create(false, text, strlen(text), NULL, 0) : NULL;
    free(text);
    if (!message)
        return;
    pthread_mutex_lock(&hub->lock);
    for (struct client *i = hub->clients; i; i = i->next)
        if (i->subscription.topics & TOPIC_STATUS)
            http_socket_send_latest(i->socket, STATUS_SLOT, message);
    pthread_mutex_unlock(&hub->lock);
    http_message_unref(&message);
}

void ws_hub_tick(struct ws_hub *hub)
{
    expire_snapshots(hub);
    if (++hub->ticks % STATUS_TICKS == 0)
        send_status(hub);
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
