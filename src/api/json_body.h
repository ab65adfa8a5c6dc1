/* JSON bodies from outside: parsed strictly, read with limits. */
#ifndef OW_API_JSON_BODY_H
#define OW_API_JSON_BODY_H

#include "core/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Parses an object; NULs, duplicate keys and anything behind it are refused. An empty body is
 * refused too, unless `may_be_empty` makes it {}. OW_EPARSE with a sentence. *out is the caller's.
 */
int json_body_parse(json_t **out, const char *text, size_t size, bool may_be_empty,
                    struct reason *why);

/* An optional text without control characters, at most `max` bytes; *out is lent and NULL when
 * absent. With `lines`, line ends and tabs are fine. OW_EPARSE. */
int json_body_text(const char **out, const json_t *object, const char *name, size_t max, bool lines,
                   struct reason *why);

/* May this text, from a name or an address, stand in an answer? */
bool json_body_is_utf8(const char *text);

/* What a client asks for in /api/ws. */
enum {
    TOPIC_FRAMES = 1,
    TOPIC_STATUS = 2,
    TOPIC_DETECTIONS = 4,
    TOPIC_DEBUG = 8,
    TOPIC_ERRORS = 16,
    TOPIC_ZONES = 32,
    SUBSCRIPTION_MAX_NODES = 64,
    SUBSCRIPTION_ID_BYTES = 128,
};

struct subscription {
    unsigned topics;
    bool binary;
    bool records;                            /* with each picture what is known of it */
    double max_fps;                          /* of pictures, of each view */
    double max_data_fps;                     /* of detections, of each node */
    char workflow_id[SUBSCRIPTION_ID_BYTES]; /* "" = of all workflows */
    int node_count;                          /* 0 = all nodes */
    char nodes[SUBSCRIPTION_MAX_NODES][SUBSCRIPTION_ID_BYTES];
};

/* Reads a subscribe message: topics, filters {workflow_id, node_id | node_ids, max_fps}, binary,
 * records. Unknown topics are ignored, as many exist that others serve. OW_EPARSE. */
int json_body_subscription(struct subscription *out, const json_t *message, struct reason *why);

/* Is this topic of this node of this workflow subscribed to? */
bool subscription_wants(const struct subscription *subscription, unsigned topic,
                        const char *workflow_id, const char *node_id);
/* The bit of a topic's name, 0 = there is none of this name. */
unsigned subscription_topic(const char *name);

#endif
