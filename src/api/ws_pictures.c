/* Pictures of views, for subscribers and for snapshots over HTTP. */
#include "api/frame_message.h"
#include "api/ws_hub_internal.h"
#include "core/clock.h"
#include "core/log.h"

#include <stdio.h>
#include <string.h>

enum {
    SNAPSHOT_WAIT_US = 2 * 1000 * 1000,
    MODEL_WAIT_US = 1200 * 1000,
    SNAPSHOT_FPS = 10,
};

/* -- what views are asked for (all under the lock) -- */

static double wanted_fps(const struct ws_hub *hub, const struct view *view)
{
    const char *node_id = view_node_id(view), *workflow_id = view_workflow_id(view);
    double fps = 0;
    for (const struct client *i = hub->clients; i; i = i->next)
        if (subscription_wants(&i->subscription, TOPIC_FRAMES, workflow_id, node_id) &&
            i->subscription.max_fps > fps)
            fps = i->subscription.max_fps;
    for (int i = 0; i < hub->snapshot_count; i++)
        if (strcmp(hub->snapshots[i].node_id, node_id) == 0 && fps < SNAPSHOT_FPS)
            fps = SNAPSHOT_FPS;
    double http_fps = http_viewers_fps(hub, TOPIC_FRAMES, node_id);
    return fps > http_fps ? fps : http_fps;
}

void ws_hub_ask_views(struct ws_hub *hub)
{
    for (int i = 0; i < hub->view_count; i++) {
        struct hub_view *view = &hub->views[i];
        double fps = wanted_fps(hub, view->view);
        if (fps < view->fps || fps > view->fps) {
            view->fps = fps;
            view_set_jpeg_fps(view->view, fps);
        }
    }
}

void ws_hub_add_view(struct ws_hub *hub, struct view *view)
{
    pthread_mutex_lock(&hub->lock);
    if (hub->view_count < WS_HUB_MAX_VIEWS)
        hub->views[hub->view_count++] = (struct hub_view){.view = view_ref(view)};
    else
        log_warn("View %s has no WebSocket pictures: there are %d views already.",
                 view_node_id(view), WS_HUB_MAX_VIEWS);
    ws_hub_ask_views(hub);
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
            http_viewers_end(hub, TOPIC_FRAMES, view_node_id(gone));
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
        ws_hub_ask_views(hub);
}

void ws_hub_picture(struct ws_hub *hub, struct view *view, const struct encoded *picture)
{
    const char *node_id = view_node_id(view);
    struct http_message *forms[4] = {NULL}; /* each made once, when needed */
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&hub->lock);
    for (struct client *i = hub->clients; i; i = i->next) {
        if (!subscription_wants(&i->subscription, TOPIC_FRAMES, view_workflow_id(view), node_id))
            continue;
        struct client_slot *slot = client_find_slot(i, TOPIC_FRAMES, node_id);
        if (!slot || !client_slot_is_due(slot, i->subscription.max_fps, now_us))
            continue;
        bool binary = i->subscription.binary, records = i->subscription.records;
        struct http_message **form = &forms[2 * binary + records];
        if (!*form)
            *form = frame_message_create(view, picture, binary, records);
        send_picture(hub, i, (int)(slot - i->slots), *form, picture->capture_us);
    }
    if (http_viewers_are_due(hub, TOPIC_FRAMES, node_id, now_us)) {
        struct http_message *part = http_viewers_picture(picture);
        http_viewers_send(hub, part);
        http_message_unref(&part);
    }
    answer_snapshots(hub, node_id, picture);
    pthread_mutex_unlock(&hub->lock);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        http_message_unref(&forms[i]);
}

bool ws_hub_has_view(const struct ws_hub *hub, const char *node_id)
{
    for (int i = 0; i < hub->view_count; i++)
        if (strcmp(view_node_id(hub->views[i].view), node_id) == 0)
            return true;
    return false;
}

void ws_hub_snapshot(struct ws_hub *hub, const char *node_id, struct http_exchange *exchange)
{
    pthread_mutex_lock(&hub->lock);
    if (!ws_hub_has_view(hub, node_id)) {
        http_reply_error(exchange, 404, "There is no running view with this id.");
    } else if (hub->snapshot_count == WS_HUB_MAX_SNAPSHOTS) {
        http_reply_error(exchange, 503, "Too many snapshots are waiting: try again in a moment.");
    } else {
        struct snapshot *snapshot = &hub->snapshots[hub->snapshot_count++];
        snapshot->exchange = http_exchange_ref(exchange);
        snapshot->asked_us = clock_now_us();
        snprintf(snapshot->node_id, sizeof snapshot->node_id, "%s", node_id);
        ws_hub_ask_views(hub);
    }
    pthread_mutex_unlock(&hub->lock);
}

void ws_hub_expire(struct ws_hub *hub)
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
    http_viewers_sweep(hub);
    ws_hub_ask_views(hub);
    pthread_mutex_unlock(&hub->lock);
}
