/* The WebSocket hub: clients, what they subscribed to, the JPEG pictures that views give out, what
 * nodes tell. What is asked for over plain HTTP is served from the same. */
#ifndef OW_API_WS_HUB_H
#define OW_API_WS_HUB_H

#include "core/detections.h"
#include "net/http_server.h"
#include "net/send_meter.h"
#include "workflow/runtime.h"
#include "workflow/view.h"

struct ws_hub;

int ws_hub_create(struct ws_hub **out);
void ws_hub_destroy(struct ws_hub **hub);

/* Views come and go; pictures are lent. Any thread. */
void ws_hub_add_view(struct ws_hub *hub, struct view *view);
void ws_hub_remove_view(struct ws_hub *hub, struct view *view);
void ws_hub_picture(struct ws_hub *hub, struct view *view, const struct encoded *picture);
/* New references of at most `max` running views; returns how many. */
int ws_hub_views(struct ws_hub *hub, struct view **out, int max);

/* Whom to ask for the state of the nodes; lent until set to NULL. */
void ws_hub_set_runtime(struct ws_hub *hub, struct runtime *runtime);

/* What nodes tell; any thread. Is anybody subscribed to the detections of this node? */
bool ws_hub_wants_detections(struct ws_hub *hub, const char *workflow_id, const char *node_id);
/* `zones` it came through and their `places`, as runtime_outputs.detections has them. */
void ws_hub_detections(struct ws_hub *hub, const char *workflow_id, const char *node_id,
                       const struct detections *found, json_t *zones, const json_t *places);
/* `topic`: "debug_message", "node_error", "zone_event". `event` has workflow_id and node_id; it is
 * lent. A client that is far behind misses it. */
void ws_hub_event(struct ws_hub *hub, const char *topic, const json_t *event);

/* Sends the state of all nodes now, since workflows have started, stopped or changed. Any thread.
 */
void ws_hub_send_status(struct ws_hub *hub);

/* Answers with the next picture of a view, or 404, or 504 after two seconds. */
void ws_hub_snapshot(struct ws_hub *hub, const char *node_id, struct http_exchange *exchange);

/* Answers with the pictures of a view as they come, at most max_fps a second, until view or viewer
 * goes; 404, 503. */
void ws_hub_mjpeg(struct ws_hub *hub, const char *node_id, double max_fps,
                  struct http_exchange *exchange);
/* The same with the detections of a node, which must give some: a line of JSON for each result. */
void ws_hub_lines(struct ws_hub *hub, const char *node_id, double max_fps,
                  struct http_exchange *exchange);

/* Of the HTTP server's service thread. */
void ws_hub_opened(struct ws_hub *hub, struct http_socket *socket);
void ws_hub_message(struct ws_hub *hub, struct http_socket *socket, const char *text, size_t size);
void ws_hub_closed(struct ws_hub *hub, struct http_socket *socket);
/* Every 250 ms: late snapshots, viewers gone; status_update each second, or now when an error came
 * or went. */
void ws_hub_tick(struct ws_hub *hub);
/* Tells all clients that the server stops. */
void ws_hub_goodbye(struct ws_hub *hub);

struct ws_hub_stats {
    int clients, viewers; /* viewers: the clients that have subscribed to pictures */
    uint64_t replaced;    /* by a newer picture before they were sent */
    struct send_figures figures;
};
void ws_hub_read_stats(struct ws_hub *hub, struct ws_hub_stats *out);

/* detection_data as JSON, a new reference; NULL = no memory. */
json_t *ws_hub_describe_detections(const char *workflow_id, const char *node_id,
                                   const struct detections *found, json_t *zones);

/* A running view as JSON: /api/views and status_update. A new reference, NULL = no memory. */
json_t *view_describe(struct view *view);

#endif
