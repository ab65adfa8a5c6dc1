/* videoPreview "X-RAY View": JPEG over the WebSocket. */
#include "workflow/nodes/view_settings.h"

static const struct setting settings[] = {
    VIEW_SETTING_ROWS,
    {0},
};

static int configure(const json_t *data, struct view_settings *out, struct reason *why)
{
    (void)why;
    view_settings_configure(data, settings, out);
    /* Such a view can be watched over WebRTC too, at the balanced preset. */
    out->adaptive = true;
    out->min_bps = 100000;
    out->start_bps = out->max_bps = 500000;
    return OW_OK;
}

const struct node_type node_video_preview = {
    .name = "videoPreview",
    .label = "X-RAY View",
    .help = "Shows the picture in the browser as JPEG over a WebSocket",
    .role = NODE_VIEW,
    .category = "Debug & Output",
    .input = "video-input",
    .settings = settings,
    .configure_view = configure,
};
