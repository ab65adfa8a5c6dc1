/* dataPreview: shows detections as they pass, to whoever looks at it. */
#include "workflow/nodes/nodes.h"

static const struct setting settings[] = {
    {.name = "maxFps",
     .label = "Max rate",
     .type = SETTING_NUMBER,
     .default_number = 5,
     .min = 0.1,
     .max = 30,
     .unit = "per s",
     .help = "at most this many results a second"},
    {.name = "maxItems",
     .label = "Rows",
     .type = SETTING_INT,
     .default_number = 20,
     .min = 1,
     .max = 300,
     .help = "how many detections the page lists"},
    {0},
};

static int configure(const json_t *data, struct sink_settings *out, struct reason *why)
{
    (void)why;
    *out = (struct sink_settings){
        .level = "info", .max_fps = setting_number(data, settings, "maxFps"), .with_data = true};
    return OW_OK;
}

const struct node_type node_data_preview = {
    .name = "dataPreview",
    .label = "Data Preview",
    .help = "Lists the detections as they pass",
    .role = NODE_SINK,
    .category = "Debug & Output",
    .input = "data-input",
    .settings = settings,
    .configure_sink = configure,
};
