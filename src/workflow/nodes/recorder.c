/* recorder: a view that is kept: around events, as long as something is seen, or always. */
#include "workflow/nodes/view_settings.h"

static const struct setting settings[] = {
    {.name = "trigger",
     .label = "Record",
     .type = SETTING_CHOICE,
     .default_text = "events",
     .choices = record_when_names,
     .help = "events of a zone in front, or that something begins to pass; as long as detections "
             "pass; always; or only by hand"},
    {.name = "preSeconds",
     .label = "Before",
     .type = SETTING_NUMBER,
     .default_number = 5,
     .max = 120,
     .step = 1,
     .unit = "s",
     .help = "how much of the time before an event is kept"},
    {.name = "postSeconds",
     .label = "After",
     .type = SETTING_NUMBER,
     .default_number = 10,
     .max = 3600,
     .step = 1,
     .unit = "s",
     .help = "how long it goes on after the last event"},
    {.name = "maxSeconds",
     .label = "Longest file",
     .type = SETTING_NUMBER,
     .default_number = 600,
     .min = 10,
     .max = 3600,
     .step = 10,
     .unit = "s",
     .help = "then another file goes on"},
    {.name = "bitrate",
     .label = "Bitrate",
     .type = SETTING_INT,
     .default_number = 2000,
     .min = 100,
     .max = 50000,
     .unit = "kbps",
     .help = "of the recording, whatever the networks of viewers take"},
    VIEW_SETTING_ROWS,
    {0},
};

static int64_t microseconds(const json_t *data, const char *name)
{
    return (int64_t)(setting_number(data, settings, name) * 1e6);
}

static int configure(const json_t *data, struct view_settings *out, struct reason *why)
{
    (void)why;
    view_settings_configure(data, settings, out);
    /* Who watches it follows their network up to that. */
    out->adaptive = true;
    out->start_bps = out->max_bps = 1000 * setting_int(data, settings, "bitrate");
    out->min_bps = 100000;
    return OW_OK;
}

static void configure_recorder(const json_t *data, struct record_rules *out)
{
    *out = (struct record_rules){
        .when = (enum record_when)setting_choice(data, settings, "trigger"),
        .before_us = microseconds(data, "preSeconds"),
        .after_us = microseconds(data, "postSeconds"),
        .max_us = microseconds(data, "maxSeconds"),
    };
}

const struct node_type node_recorder = {
    .name = "recorder",
    .label = "Recorder",
    .help = "Keeps the X-RAY picture as MP4, with what the model sees beside it",
    .role = NODE_VIEW,
    .category = "Debug & Output",
    .input = "video-input",
    .settings = settings,
    .configure_view = configure,
    .configure_recorder = configure_recorder,
};
