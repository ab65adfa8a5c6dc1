/* videoPreviewWebRTC "X-RAY View (WebRTC)": H.264 over WebRTC. */
#include "workflow/nodes/view_settings.h"

#include <string.h>

static const struct {
    const char *name;
    int min_bps, start_bps, max_bps;
} presets[] = {
    {"low", 100000, 200000, 200000},
    {"balanced", 100000, 500000, 500000},
    {"high", 100000, 2000000, 2000000},
};

static const char *const preset_names[] = {"low", "balanced", "high", "custom", NULL};

static const struct setting settings[] = {
    {.name = "bitratePreset",
     .label = "Bitrate",
     .type = SETTING_CHOICE,
     .default_text = "balanced",
     .choices = preset_names,
     .help = "low 200 kbps, balanced 500 kbps, high 2 Mbps, or custom"},
    {.name = "minBitrate",
     .label = "Min bitrate",
     .type = SETTING_INT,
     .default_number = 100,
     .min = 30,
     .max = 50000,
     .unit = "kbps",
     .group = "Custom bitrate",
     .help = "custom preset: never below this"},
    {.name = "startBitrate",
     .label = "Start bitrate",
     .type = SETTING_INT,
     .default_number = 500,
     .min = 30,
     .max = 50000,
     .unit = "kbps",
     .group = "Custom bitrate",
     .help = "custom preset: what a viewer starts with"},
    {.name = "maxBitrate",
     .label = "Max bitrate",
     .type = SETTING_INT,
     .default_number = 2000,
     .min = 30,
     .max = 50000,
     .unit = "kbps",
     .group = "Custom bitrate",
     .help = "custom preset: never above this"},
    {.name = "adaptive",
     .label = "Adaptive",
     .type = SETTING_BOOL,
     .default_number = 1,
     .help = "follow what the viewers' networks carry"},
    {.name = "renditions",
     .label = "Renditions",
     .type = SETTING_INT,
     .default_number = RENDITION_SHARED,
     .min = 1,
     .max = RENDITION_SHARED,
     .group = "Several viewers",
     .help = "in how many qualities several viewers share the picture; each is encoded only while "
             "somebody's network calls for it"},
    {.name = "renditionRates",
     .label = "Rendition rates",
     .type = SETTING_TEXT,
     .default_text = "100,40,16",
     .unit = "%",
     .group = "Several viewers",
     .help = "their rates in percent of the max bitrate, the best first"},
    {.name = "renditionWidths",
     .label = "Rendition widths",
     .type = SETTING_TEXT,
     .default_text = "100,66,50",
     .unit = "%",
     .group = "Several viewers",
     .help = "their widths in percent of the picture's, at most: a low rate takes less"},
    VIEW_SETTING_ROWS,
    {0},
};

static int parse_parts(const json_t *data, const char *name, double parts[RENDITION_SHARED],
                       struct reason *why)
{
    return view_settings_parse_parts(name, setting_text(data, settings, name), parts, why);
}

static int configure(const json_t *data, struct view_settings *out, struct reason *why)
{
    view_settings_configure(data, settings, out);
    out->prefers_webrtc = true;
    out->adaptive = setting_bool(data, settings, "adaptive");
    out->renditions = setting_int(data, settings, "renditions");
    int rc = parse_parts(data, "renditionRates", out->rendition_rates, why);
    if (rc == OW_OK)
        rc = parse_parts(data, "renditionWidths", out->rendition_widths, why);
    if (rc < 0)
        return rc;
    const char *preset = setting_text(data, settings, "bitratePreset");
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (strcmp(presets[i].name, preset) == 0) {
            out->min_bps = presets[i].min_bps;
            out->start_bps = presets[i].start_bps;
            out->max_bps = presets[i].max_bps;
            return OW_OK;
        }
    }
    out->min_bps = 1000 * setting_int(data, settings, "minBitrate");
    out->start_bps = 1000 * setting_int(data, settings, "startBitrate");
    out->max_bps = 1000 * setting_int(data, settings, "maxBitrate");
    if (out->min_bps > out->start_bps || out->start_bps > out->max_bps)
        return reason_set(why, OW_EINVAL,
                          "minBitrate, startBitrate and maxBitrate must rise in this order");
    return OW_OK;
}

const struct node_type node_video_preview_webrtc = {
    .name = "videoPreviewWebRTC",
    .label = "X-RAY View (WebRTC)",
    .icon = "🎥",
    .help = "Shows the picture in the browser as H.264 over WebRTC, with the least delay",
    .role = NODE_VIEW,
    .category = "Debug & Output",
    .input = "video-input",
    .settings = settings,
    .configure_view = configure,
};
