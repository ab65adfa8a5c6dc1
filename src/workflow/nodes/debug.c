/* debug: writes a message for what passes. */
#include "workflow/nodes/nodes.h"

#include <string.h>

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

static const struct setting settings[] = {
    {.name = "level",
     .label = "Level",
     .type = SETTING_CHOICE,
     .default_text = "info",
     .choices = levels,
     .help = "of the messages"},
    {.name = "everySeconds",
     .label = "Every",
     .type = SETTING_NUMBER,
     .default_number = 1,
     .min = 0.1,
     .max = 3600,
     .unit = "s",
     .help = "at most one message in this time"},
    {.name = "showData",
     .label = "With detections",
     .type = SETTING_BOOL,
     .default_number = 1,
     .help = "the detections themselves, not only their number"},
    {0},
};

static int configure(const json_t *data, struct sink_settings *out, struct reason *why)
{
    (void)why;
    const char *level = setting_text(data, settings, "level");
    *out = (struct sink_settings){.kind = SINK_MESSAGES,
                                  .level = levels[1],
                                  .max_fps = 1 / setting_number(data, settings, "everySeconds"),
                                  .with_data = setting_bool(data, settings, "showData")};
    for (size_t i = 0; levels[i]; i++)
        if (strcmp(levels[i], level) == 0)
            out->level = levels[i];
    return OW_OK;
}

const struct node_type node_debug = {
    .name = "debug",
    .label = "Debug",
    .help = "Writes a message for what passes",
    .role = NODE_SINK,
    .category = "Debug & Output",
    .input = "data-input",
    .settings = settings,
    .configure_sink = configure,
};
