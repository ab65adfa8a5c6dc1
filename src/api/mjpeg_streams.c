/* Views as Motion JPEG over HTTP, for whatever shows nothing else: an <img>, a dashboard, a
 * recorder of cameras. Each picture takes the place of one that has not gone out yet. */
#include "api/ws_hub_internal.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUNDARY "frame"
#define BOUNDARY_LINE "--" BOUNDARY "\r\n"

enum { DEFAULT_FPS = 15 };

double mjpeg_wanted_fps(const struct ws_hub *hub, const char *node_id)
{
    double fps = 0;
    for (int i = 0; i < hub->mjpeg_count; i++)
        if (strcmp(hub->mjpegs[i].node_id, node_id) == 0 && hub->mjpegs[i].max_fps > fps)
            fps = hub->mjpegs[i].max_fps;
    return fps;
}

/* The boundary behind a picture goes with it, so that it is shown now and not when the next comes.
 */
static struct http_message *make_part(const struct encoded *picture)
{
    static const char end[] = "\r\n" BOUNDARY_LINE;
    char head[128];
    int head_size =
        snprintf(head, sizeof head, "Content-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n",
                 picture->size);
    char *tail = malloc(picture->size + sizeof end);
    if (!tail)
        return NULL;
    memcpy(tail, picture->data, picture->size);
    memcpy(tail + picture->size, end, sizeof end - 1);
    struct http_message *part =
        http_message_create(true, head, (size_t)head_size, tail, picture->size + sizeof end - 1);
    free(tail);
    return part;
}

void mjpeg_send(struct ws_hub *hub, const char *node_id, const struct encoded *picture)
{
    struct http_message *part = NULL;
    int64_t now_us = clock_now_us();
    for (int i = 0; i < hub->mjpeg_count; i++) {
        struct mjpeg *viewer = &hub->mjpegs[i];
        if (strcmp(viewer->node_id, node_id) != 0 ||
            !client_slot_is_due(&viewer->slot, viewer->max_fps, now_us))
            continue;
        if (!part)
            part = make_part(picture);
        if (part)
            (void)http_stream_latest(viewer->exchange, part);
    }
    http_message_unref(&part);
}

static void forget(struct ws_hub *hub, int at)
{
    http_exchange_unref(&hub->mjpegs[at].exchange);
    hub->mjpegs[at] = hub->mjpegs[--hub->mjpeg_count];
}

void mjpeg_sweep(struct ws_hub *hub)
{
    for (int i = hub->mjpeg_count - 1; i >= 0; i--)
        if (!http_exchange_is_open(hub->mjpegs[i].exchange))
            forget(hub, i);
}

void mjpeg_end(struct ws_hub *hub, const char *node_id)
{
    for (int i = hub->mjpeg_count - 1; i >= 0; i--)
        if (strcmp(hub->mjpegs[i].node_id, node_id) == 0) {
            http_stream_end(hub->mjpegs[i].exchange);
            forget(hub, i);
        }
}

void ws_hub_mjpeg(struct ws_hub *hub, const char *node_id, double max_fps,
                  struct http_exchange *exchange)
{
    pthread_mutex_lock(&hub->lock);
    if (!ws_hub_has_view(hub, node_id)) {
        http_reply_error(exchange, 404, "There is no running view with this id.");
    } else if (hub->mjpeg_count == WS_HUB_MAX_MJPEG) {
        http_reply_error(exchange, 503, "Too many watch as Motion JPEG already.");
    } else {
        struct mjpeg *viewer = &hub->mjpegs[hub->mjpeg_count++];
        *viewer = (struct mjpeg){.exchange = http_exchange_ref(exchange),
                                 .max_fps = max_fps > 0 ? max_fps : DEFAULT_FPS};
        snprintf(viewer->node_id, sizeof viewer->node_id, "%s", node_id);
        http_reply_stream(exchange, "multipart/x-mixed-replace; boundary=" BOUNDARY, BOUNDARY_LINE,
                          sizeof BOUNDARY_LINE - 1, "Cache-Control: no-store\r\n");
        ws_hub_ask_views(hub);
    }
    pthread_mutex_unlock(&hub->lock);
}
