/* camera: a network camera by URL, or a local one by its number. */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <string.h>

static const char *const qualities[] = {"low", "medium", "high", NULL};

static const struct setting settings[] = {
    {.name = "url",
     .label = "Address",
     .type = SETTING_TEXT,
     .help = "rtsp://, rtmp:// or http:// address, v4l2:/dev/video0, or pipe:/path"},
    {.name = "cameraId",
     .label = "Camera",
     .type = SETTING_TEXT,
     .help = "number of a local camera, used when there is no address"},
    {.name = "fps",
     .label = "Max fps",
     .type = SETTING_NUMBER,
     .min = 0,
     .max = 240,
     .unit = "fps",
     .help = "at most this many frames a second; 0 = the camera's own rate"},
    {.name = "streamQuality",
     .label = "Quality",
     .type = SETTING_CHOICE,
     .default_text = "high",
     .choices = qualities,
     .help = "size of the decoded picture: low 25 %, medium 50 %, high 100 %"},
    {.name = "pixelFormat",
     .label = "Raw format",
     .type = SETTING_TEXT,
     .group = "Raw video from a pipe",
     .help =
         "of headerless video from a pipe, by FFmpeg's name (yuv420p, nv12, bgr24); empty = the "
         "pipe carries Y4M"},
    {.name = "width",
     .label = "Raw width",
     .type = SETTING_INT,
     .max = FRAME_MAX_SIDE,
     .unit = "px",
     .group = "Raw video from a pipe",
     .help = "of headerless video from a pipe"},
    {.name = "height",
     .label = "Raw height",
     .type = SETTING_INT,
     .max = FRAME_MAX_SIDE,
     .unit = "px",
     .group = "Raw video from a pipe",
     .help = "of headerless video from a pipe"},
    {0},
};

static int scale_of(const char *quality)
{
    if (strcmp(quality, "low") == 0)
        return 25;
    return strcmp(quality, "medium") == 0 ? 50 : 100;
}

static int configure(const json_t *data, struct source_settings *out, char *url, struct reason *why)
{
    const char *address = setting_text(data, settings, "url");
    const char *id = setting_text(data, settings, "cameraId");
    bool is_number = id[0] && strlen(id) < 4 && strspn(id, "0123456789") == strlen(id);
    int length;
    if (address[0])
        length = snprintf(url, NODE_PATH_BYTES, "%s", address);
    else if (is_number)
        length = snprintf(url, NODE_PATH_BYTES, "v4l2:/dev/video%s", id);
    else
        return reason_set(why, OW_EINVAL,
                          "url is empty: give the camera's address, or the number "
                          "of a local camera as cameraId");
    if (length >= NODE_PATH_BYTES)
        return reason_set(why, OW_EINVAL, "url is too long");
    const char *pixel_format = setting_text(data, settings, "pixelFormat");
    int width = setting_int(data, settings, "width"),
        height = setting_int(data, settings, "height");
    if (pixel_format[0] && (width == 0 || height == 0))
        return reason_set(why, OW_EINVAL, "%s is 0: raw video needs its width and height",
                          width == 0 ? "width" : "height");
    *out = (struct source_settings){
        .url = url,
        .pixel_format = pixel_format[0] ? pixel_format : NULL,
        .width = width,
        .height = height,
        .fps = setting_number(data, settings, "fps"),
        .playback_speed = 1,
        .resolution_scale = scale_of(setting_text(data, settings, "streamQuality")),
    };
    return OW_OK;
}

const struct node_type node_camera = {
    .name = "camera",
    .label = "Camera",
    .help = "A network camera or a webcam",
    .role = NODE_SOURCE,
    .category = "Cameras",
    .output = "video-output",
    .settings = settings,
    .configure_source = configure,
};
