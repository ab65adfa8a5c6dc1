/* videoInput: a video file, or any URL that the source room can open. */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const scales[] = {"25", "50", "75", "100", NULL};

static const struct setting settings[] = {
    {.name = "videoPath",
     .label = "Video",
     .type = SETTING_TEXT,
     .required = true,
     .help = "a file in the media folder, a path, or a URL"},
    {.name = "fps",
     .label = "Max fps",
     .type = SETTING_NUMBER,
     .min = 0,
     .max = 240,
     .unit = "fps",
     .help = "at most this many frames a second; 0 = the video's own rate"},
    {.name = "loop",
     .label = "Loop",
     .type = SETTING_BOOL,
     .default_number = 1,
     .help = "start again at the end"},
    {.name = "playbackSpeed",
     .label = "Speed",
     .type = SETTING_NUMBER,
     .default_number = 1,
     .min = 0.05,
     .max = 16,
     .unit = "×",
     .help = "1 = real time"},
    {.name = "skipSimilar",
     .label = "Skip similar frames",
     .type = SETTING_BOOL,
     .help = "leave out frames that hardly differ from the one before"},
    {.name = "resolutionScale",
     .label = "Resolution",
     .type = SETTING_CHOICE,
     .default_text = "100",
     .choices = scales,
     .unit = "%",
     .help = "size of the decoded picture"},
    {0},
};

static int configure(const json_t *data, struct source_settings *out, char *url, struct reason *why)
{
    const char *path = setting_text(data, settings, "videoPath");
    int length = snprintf(url, NODE_PATH_BYTES, "%s", path);
    if (length >= NODE_PATH_BYTES)
        return reason_set(why, OW_EINVAL, "videoPath is too long");
    *out = (struct source_settings){
        .url = url,
        .fps = setting_number(data, settings, "fps"),
        .loop = setting_bool(data, settings, "loop"),
        .playback_speed = setting_number(data, settings, "playbackSpeed"),
        .skip_similar = setting_bool(data, settings, "skipSimilar"),
        .resolution_scale = atoi(scales[setting_choice(data, settings, "resolutionScale")]),
    };
    return OW_OK;
}

const struct node_type node_video_input = {
    .name = "videoInput",
    .label = "Video File",
    .help = "Plays a video file, in a loop if wanted",
    .role = NODE_SOURCE,
    .category = "Sources",
    .output = "video-output",
    .settings = settings,
    .configure_source = configure,
};
