/* The inside of the hub, shared by ws_hub.c (clients and what they say), ws_pictures.c (pictures of
 * views) and ws_nodes.c (what nodes tell). */
#ifndef OW_API_WS_HUB_INTERNAL_H
#define OW_API_WS_HUB_INTERNAL_H

#include "api/json_body.h"
#include "api/ws_hub.h"
#include "core/shared_text.h"

#include <pthread.h>

enum {
    WS_HUB_MAX_VIEWS = 64,
    WS_HUB_MAX_SNAPSHOTS = 64,
    WS_HUB_MAX_HTTP_VIEWERS = 64,
    WS_HUB_STATUS_SLOT = HTTP_SOCKET_SLOTS - 1,
};

/* Which slot of the socket holds the latest of which topic and node, and when its next is due. */
struct client_slot {
    unsigned topic;
    char node_id[SUBSCRIPTION_ID_BYTES];
    int64_t due_us;
};

struct client {
    struct client *next;
    struct http_socket *socket;
    struct subscription subscription;
    struct client_slot slots[WS_HUB_STATUS_SLOT];
    int slot_count;
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

/* Somebody who listens over plain HTTP, to one topic of one node. */
struct http_viewer {
    struct http_exchange *exchange;
    unsigned topic; /* TOPIC_FRAMES or TOPIC_DETECTIONS */
    char node_id[SUBSCRIPTION_ID_BYTES];
    double max_fps;
    struct client_slot slot;
    bool due;                   /* is to be sent what is being made */
    struct shared_text *places; /* of zones, that were sent last; NULL = none yet */
    bool places_last;           /* they stood in the last message */
};

struct ws_hub {
    pthread_mutex_t lock; /* guards all that follows */
    struct client *clients;
    struct hub_view views[WS_HUB_MAX_VIEWS];
    int view_count;
    struct snapshot snapshots[WS_HUB_MAX_SNAPSHOTS];
    int snapshot_count;
    struct http_viewer viewers[WS_HUB_MAX_HTTP_VIEWERS];
    int viewer_count;
    struct runtime *runtime; /* lent; NULL before the server runs */
    int ticks;
    bool state_changed; /* of a node: status_update does not wait for its second */
    int client_count;
    uint64_t replaced;
    struct send_meter meter;
};

/* The client's slot of this topic and node, a new one if there is none; NULL = no slot left. */
struct client_slot *client_find_slot(struct client *client, unsigned topic, const char *node_id);
/* Is its next one due, at most max_fps times a second? Keeps the mean rate. */
bool client_slot_is_due(struct client_slot *slot, double max_fps, int64_t now_us);

/* A text message of the object, whose reference is taken; NULL = no memory. */
struct http_message *ws_hub_text(json_t *json);

/* ws_pictures.c; under the lock: tells the views how many pictures are wanted. */
void ws_hub_ask_views(struct ws_hub *hub);
void ws_hub_expire(struct ws_hub *hub);

/* http_viewers.c; under the lock */
/* How many a second the keenest listener wants, 0 = there is none. */
double http_viewers_fps(const struct ws_hub *hub, unsigned topic, const char *node_id);
/* Is anybody's next one due? Those are sent to by http_viewers_send(). */
bool http_viewers_are_due(struct ws_hub *hub, unsigned topic, const char *node_id, int64_t now_us);
void http_viewers_send(struct ws_hub *hub, struct http_message *message); /* NULL = nothing */
/* A line (without its end), to those who do not know the places of zones yet behind `places_line`,
 * which tells them. */
void http_viewers_send_line(struct ws_hub *hub, const char *line, const char *places_line,
                            struct shared_text *places);
struct http_message *http_viewers_picture(const struct encoded *picture);
/* Forgets those who have gone. */
void http_viewers_sweep(struct ws_hub *hub);
/* The node has ended. */
void http_viewers_end(struct ws_hub *hub, unsigned topic, const char *node_id);
/* Not under the lock: ends those who listen to nodes that run no more. */
void ws_hub_end_listeners(struct ws_hub *hub);
/* Does such a view run? */
bool ws_hub_has_view(const struct ws_hub *hub, const char *node_id);

#endif
