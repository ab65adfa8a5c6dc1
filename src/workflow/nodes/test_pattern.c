/* testPattern: a moving picture with a machine-readable clock, for trying and measuring. */
#include "workflow/nodes/nodes.h"

static const struct setting settings[] = {
    {.name = "width",
     .label = "Width",
     .type = SETTING_INT,
     .default_number = 960,
     .min = 16,
     .max = FRAME_MAX_SIDE,
     .unit = "px",
     .help = "picture width"},
    {.name = "height",
     .label = "Height",
     .type = SETTING_INT,
     .default_number = 540,
     .min = 16,
     .max = FRAME_MAX_SIDE,
     .unit = "px",
     .help = "picture height"},
    {.name = "fps",
     .label = "Rate",
     .type = SETTING_NUMBER,
     .default_number = 30,
     .min = 0.1,
     .max = 240,
     .unit = "fps",
     .help = "frames a second"},
    {.name = "objects",
     .label = "Moving objects",
     .type = SETTING_INT,
     .default_number = 4,
     .min = 0,
     .max = 100,
     .help = "how many shapes move about"},
    {.name = "clock",
     .label = "Clock",
     .type = SETTING_BOOL,
     .default_number = 1,
     .help = "draw the machine-readable clock in the top left corner"},
    {0},
};

static int configure(const json_t *data, struct source_settings *out, char *url, struct reason *why)
{
    (void)url;
    (void)why;
    *out = (struct source_settings){
        .url = "test:",
        .fps = setting_number(data, settings, "fps"),
        .playback_speed = 1,
        .resolution_scale = 100,
        .width = setting_int(data, settings, "width"),
        .height = setting_int(data, settings, "height"),
        .moving_objects = setting_int(data, settings, "objects"),
        .clock = setting_bool(data, settings, "clock"),
    };
    return OW_OK;
}

const struct node_type node_test_pattern = {
    .name = "testPattern",
    .label = "Test Pattern",
    .help = "A moving picture with a machine-readable clock",
    .role = NODE_SOURCE,
    .category = "Sources",
    .output = "video-output",
    .settings = settings,
    .configure_source = configure,
};
