/* mqtt: sends what passes to the MQTT broker that the program was started with. */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <string.h>

static const struct setting settings[] = {
    {.name = "topic",
     .label = "Topic",
     .type = SETTING_TEXT,
     .help = "empty = PREFIX/workflow/node/detections"},
    {.name = "maxFps",
     .label = "Max rate",
     .type = SETTING_NUMBER,
     .default_number = 5,
     .min = 0.01,
     .max = 60,
     .unit = "per s",
     .help = "at most this many messages a second"},
    {.name = "onlyWhenDetections",
     .label = "Only with detections",
     .type = SETTING_BOOL,
     .help = "no message for results without any; the first one without is sent"},
    {.name = "retain",
     .label = "Retain",
     .type = SETTING_BOOL,
     .help = "the broker keeps the last message for whoever comes later"},
    {0},
};

static int configure(const json_t *data, struct sink_settings *out, struct reason *why)
{
    const char *topic = setting_text(data, settings, "topic");
    *out = (struct sink_settings){.kind = SINK_MQTT,
                                  .level = "info",
                                  .max_fps = setting_number(data, settings, "maxFps"),
                                  .only_with_detections =
                                      setting_bool(data, settings, "onlyWhenDetections"),
                                  .retain = setting_bool(data, settings, "retain")};
    if (snprintf(out->topic, sizeof out->topic, "%s", topic) >= (int)sizeof out->topic)
        return reason_set(why, OW_EINVAL, "topic is longer than %d bytes",
                          (int)sizeof out->topic - 1);
    if (strpbrk(topic, "+#"))
        return reason_set(why, OW_EINVAL,
                          "topic must not hold + or #, which stand for many topics");
    return OW_OK;
}

const struct node_type node_mqtt = {
    .name = "mqtt",
    .label = "MQTT",
    .help = "Sends what passes to an MQTT broker (--mqtt)",
    .role = NODE_SINK,
    .category = "Debug & Output",
    .input = "data-input",
    .settings = settings,
    .configure_sink = configure,
};
