/* The H.264 back ends: one table, hardware first. Adding a back end is adding a row. Internal to
 * this room. */
#ifndef OW_ENCODE_H264_BACKENDS_H
#define OW_ENCODE_H264_BACKENDS_H

#include "encode/h264.h"

#include <libavutil/hwcontext.h>
#include <libavutil/pixfmt.h>

enum h264_rate_change {
    H264_RATE_RECONFIGURE, /* FFmpeg's wrapper looks at bit_rate and rc_* before every frame */
    H264_RATE_REOPEN,      /* the wrapper sets the rate at opening only: open anew, a key frame */
};

struct h264_backend {
    const char *name;  /* FFmpeg's */
    const char *label; /* for people */
    bool software;
    enum AVPixelFormat pixels;  /* of the pictures in memory: YUV420P or NV12 */
    enum AVHWDeviceType device; /* NONE, or the device that pictures are uploaded to */
    enum AVPixelFormat device_pixels;
    enum h264_rate_change rate_change;
    double buffer_frames; /* the rate control's buffer, in frames of average size */
    const char *options;  /* "key=value:key=value" for the codec's private options */
};

/* Ends in a row without a name. */
extern const struct h264_backend h264_backends[];

/* NULL when there is no such row. */
const struct h264_backend *h264_backend_find(const char *name);

/* The best back end that probing found, NULL when none works. Probes when nobody did. */
const struct h264_backend *h264_backend_best(void);

/* The first software back end that probing found, for sizes that the best one refuses. */
const struct h264_backend *h264_backend_fallback(void);

/* Opens this back end and no other; settings->backend is not looked at. */
int h264_encoder_open_backend(struct h264_encoder **out, const struct h264_settings *settings,
                              const struct h264_backend *backend, struct reason *why);

#endif
