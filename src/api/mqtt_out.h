/* What goes to the MQTT broker: results that reach an mqtt node, events of zones, errors of nodes.
 */
#ifndef OW_API_MQTT_OUT_H
#define OW_API_MQTT_OUT_H

#include "core/detections.h"
#include "net/mqtt_client.h"
#include "workflow/node_types.h"

struct mqtt_out {
    struct mqtt_client *client; /* lent; NULL = there is no broker */
    const char *prefix;         /* of topics; lent */
};

/* PREFIX/workflow/node/what, which is a word; of the ids what no topic may hold is replaced, and
 * what does not fit is cut off. */
void mqtt_out_topic(const struct mqtt_out *out, const char *workflow_id, const char *node_id,
                    const char *what, char topic[MQTT_TOPIC_BYTES]);

void mqtt_out_detections(const struct mqtt_out *out, const struct sink_settings *sink,
                         const char *workflow_id, const char *node_id,
                         const struct detections *detections, json_t *zones);
/* "zone_event" and "node_error"; others are passed over. */
void mqtt_out_event(const struct mqtt_out *out, const char *name, const json_t *event);

#endif
