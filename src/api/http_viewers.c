/* Who listens over plain HTTP, without a WebSocket: views as Motion JPEG, for whatever shows
 * nothing else (an <img>, a dashboard, a recorder of cameras), and detections as lines of JSON, for
 * scripts. What has not gone out yet is replaced by what is newer. */
#include "api/ws_hub_internal.h"
#include "core/clock.h"
#include "workflow/detections_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUNDARY "frame"
#define BOUNDARY_LINE "--" BOUNDARY "\r\n"

static bool listens(const struct http_viewer *viewer, unsigned topic, const char *node_id)
{
    return viewer->topic == topic && strcmp(viewer->node_id, node_id) == 0;
}

double http_viewers_fps(const struct ws_hub *hub, unsigned topic, const char *node_id)
{
    double fps = 0;
    for (int i = 0; i < hub->viewer_count; i++)
        if (listens(&hub->viewers[i], topic, node_id) && hub->viewers[i].max_fps > fps)
            fps = hub->viewers[i].max_fps;
    return fps;
}

bool http_viewers_are_due(struct ws_hub *hub, unsigned topic, const char *node_id, int64_t now_us)
{
    bool any = false;
    for (int i = 0; i < hub->viewer_count; i++) {
        struct http_viewer *viewer = &hub->viewers[i];
        viewer->due = listens(viewer, topic, node_id) &&
                      client_slot_is_due(&viewer->slot, viewer->max_fps, now_us);
        any |= viewer->due;
    }
    return any;
}

void http_viewers_send(struct ws_hub *hub, struct http_message *message)
{
    for (int i = 0; message && i < hub->viewer_count; i++)
        if (hub->viewers[i].due)
            (void)http_stream_latest(hub->viewers[i].exchange, message);
}

/* A message that still waits is about to be replaced, and would take them with it. */
static bool knows_places(const struct http_viewer *viewer, const struct shared_text *places)
{
    bool lost = viewer->places_last && http_stream_waits(viewer->exchange);
    return !lost && shared_text_is(viewer->places, places, ZONE_NO_PLACES);
}

void http_viewers_send_line(struct ws_hub *hub, const char *line, const char *places_line,
                            struct shared_text *places)
{
    size_t size = strlen(line), places_size = strlen(places_line);
    struct http_message *messages[2] = {NULL, NULL}; /* made once, when needed */
    for (int i = 0; i < hub->viewer_count; i++) {
        struct http_viewer *viewer = &hub->viewers[i];
        if (!viewer->due)
            continue;
        bool tells = !knows_places(viewer, places);
        struct http_message **message = &messages[tells];
        if (!*message)
            *message = http_message_create(false, places_line, tells ? places_size : 0, line, size);
        if (!*message || !http_stream_latest(viewer->exchange, *message))
            continue;
        viewer->places_last = tells;
        shared_text_unref(&viewer->places);
        viewer->places = shared_text_ref(places);
    }
    http_message_unref(&messages[0]);
    http_message_unref(&messages[1]);
}

/* The boundary behind a picture goes with it, so that it is shown now and not when the next comes.
 */
struct http_message *http_viewers_picture(const struct encoded *picture)
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

/* ---- coming and going ---- */

static void forget(struct ws_hub *hub, int at)
{
    http_exchange_unref(&hub->viewers[at].exchange);
    shared_text_unref(&hub->viewers[at].places);
    hub->viewers[at] = hub->viewers[--hub->viewer_count];
}

void http_viewers_sweep(struct ws_hub *hub)
{
    for (int i = hub->viewer_count - 1; i >= 0; i--)
        if (!http_exchange_is_open(hub->viewers[i].exchange))
            forget(hub, i);
}

void http_viewers_end(struct ws_hub *hub, unsigned topic, const char *node_id)
{
    for (int i = hub->viewer_count - 1; i >= 0; i--)
        if (listens(&hub->viewers[i], topic, node_id)) {
            http_stream_end(hub->viewers[i].exchange);
            forget(hub, i);
        }
}

/* The runtime is asked without the lock, as it tells the hub things under its own. */
void ws_hub_end_listeners(struct ws_hub *hub)
{
    char ids[WS_HUB_MAX_HTTP_VIEWERS][SUBSCRIPTION_ID_BYTES];
    int count = 0;
    pthread_mutex_lock(&hub->lock);
    struct runtime *runtime = hub->runtime;
    for (int i = 0; i < hub->viewer_count; i++)
        if (hub->viewers[i].topic == TOPIC_DETECTIONS)
            memcpy(ids[count++], hub->viewers[i].node_id, sizeof ids[0]);
    pthread_mutex_unlock(&hub->lock);
    for (int i = 0; runtime && i < count; i++) {
        if (runtime_gives_detections(runtime, ids[i]))
            continue;
        pthread_mutex_lock(&hub->lock);
        http_viewers_end(hub, TOPIC_DETECTIONS, ids[i]);
        pthread_mutex_unlock(&hub->lock);
    }
}

/* Under the lock. False: there is no room, and it was said. */
static bool add(struct ws_hub *hub, unsigned topic, const char *node_id, double max_fps,
                struct http_exchange *exchange)
{
    if (hub->viewer_count == WS_HUB_MAX_HTTP_VIEWERS) {
        http_reply_error(exchange, 503, "Too many listen over HTTP already.");
        return false;
    }
    struct http_viewer *viewer = &hub->viewers[hub->viewer_count++];
    *viewer = (struct http_viewer){
        .exchange = http_exchange_ref(exchange), .topic = topic, .max_fps = max_fps};
    snprintf(viewer->node_id, sizeof viewer->node_id, "%s", node_id);
    return true;
}

void ws_hub_mjpeg(struct ws_hub *hub, const char *node_id, double max_fps,
                  struct http_exchange *exchange)
{
    pthread_mutex_lock(&hub->lock);
    if (!ws_hub_has_view(hub, node_id)) {
        http_reply_error(exchange, 404, "There is no running view with this id.");
    } else if (add(hub, TOPIC_FRAMES, node_id, max_fps, exchange)) {
        http_reply_stream(exchange, "multipart/x-mixed-replace; boundary=" BOUNDARY, BOUNDARY_LINE,
                          sizeof BOUNDARY_LINE - 1, "Cache-Control: no-store\r\n");
        ws_hub_ask_views(hub);
    }
    pthread_mutex_unlock(&hub->lock);
}

void ws_hub_lines(struct ws_hub *hub, const char *node_id, double max_fps,
                  struct http_exchange *exchange)
{
    pthread_mutex_lock(&hub->lock);
    if (add(hub, TOPIC_DETECTIONS, node_id, max_fps, exchange))
        http_reply_stream(exchange, "application/x-ndjson", NULL, 0, "Cache-Control: no-store\r\n");
    pthread_mutex_unlock(&hub->lock);
}
