/* A connection to an MQTT broker (MQTT 3.1.1 by libmosquitto), for what is published and never
 * read.
 *
 * Nothing waits for the broker: what comes while there is no connection, or while too much has not
 * gone out yet, is dropped and counted. It is connected again by itself, after 1 to 30 s. */
#ifndef OW_NET_MQTT_CLIENT_H
#define OW_NET_MQTT_CLIENT_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_client;

enum { MQTT_TOPIC_BYTES = 256 };

struct mqtt_settings {
    const char *url;                 /* mqtt://host[:1883], mqtts://host[:8883] (TLS) */
    const char *username, *password; /* NULL = none */
    const char *ca_file;             /* PEM, of mqtts; NULL = the system's */
    const char *status_topic;        /* "online" while connected, "offline" else; retained */
};

/* Returns at once; all texts are copied. OW_EINVAL: the address is none; OW_EIO: the file of
 * authorities cannot be read. */
int mqtt_client_start(struct mqtt_client **out, const struct mqtt_settings *settings,
                      struct reason *why);
/* Says goodbye; within 1.5 s, even when the name of the broker is being looked for. */
void mqtt_client_stop(struct mqtt_client **client);

/* Any thread, never blocks; at most once (QoS 0). False: dropped. */
bool mqtt_client_publish(struct mqtt_client *client, const char *topic, const void *payload,
                         size_t size, bool retain);

struct mqtt_stats {
    bool connected;
    uint64_t published, dropped;
};
void mqtt_client_read_stats(struct mqtt_client *client, struct mqtt_stats *out);

/* May this be published to? UTF-8 without wildcards (MQTT 3.1.1, 4.7), of a size that fits. */
bool mqtt_topic_is_valid(const char *topic);

#endif
