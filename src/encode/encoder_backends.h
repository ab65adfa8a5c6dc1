/* The back ends of all codecs: one table, hardware first. Adding a back end is adding a row.
 * Internal to this room. */
#ifndef OW_ENCODE_ENCODER_BACKENDS_H
#define OW_ENCODE_ENCODER_BACKENDS_H

#include "encode/video_encoder.h"

#include <libavutil/hwcontext.h>
#include <libavutil/pixfmt.h>

enum encoder_rate_change {
    ENCODER_RATE_RECONFIGURE, /* the running encoder takes a new rate */
    ENCODER_RATE_REOPEN,      /* it is given at opening only: open anew, a key frame */
};

struct encoder_engine;

struct encoder_backend {
    const char *name; /* FFmpeg's */
    enum video_codec codec;
    const struct encoder_engine *engine;
    const char *label; /* for people */
    bool software;
    enum AVPixelFormat pixels;  /* of the pictures in memory: YUV420P or NV12 */
    enum AVHWDeviceType device; /* NONE, or the device that pictures are uploaded to */
    enum AVPixelFormat device_pixels;
    enum encoder_rate_change rate_change;
    double buffer_frames; /* the rate control's buffer, in frames of average size */
    bool regions;         /* takes those of struct video_focus */
    const char *options;  /* "key=value:key=value" for the private options of libavcodec's codec */
};

/* Ends in a row without a name. */
extern const struct encoder_backend encoder_backends[];

/* NULL when there is no such row. */
const struct encoder_backend *encoder_backend_find(const char *name);

/* The best back end for a codec that probing found, NULL when none works. Probes when nobody did.
 */
const struct encoder_backend *encoder_backend_best(enum video_codec codec);

/* The first software back end that probing found, for sizes that the best one refuses. */
const struct encoder_backend *encoder_backend_fallback(enum video_codec codec);

/* Opens this back end and no other; settings->backend is not looked at. */
int video_encoder_open_backend(struct video_encoder **out, const struct video_settings *settings,
                               const struct encoder_backend *backend, struct reason *why);

#endif
