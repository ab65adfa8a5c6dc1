/* Engines: the libraries that encode. A back end (encoder_backends.h) is a row that names its
 * engine; video_encoder.c checks what comes in, keeps the stamps and calls the engine. Internal to
 * this room. */
#ifndef OW_ENCODE_ENCODER_ENGINE_H
#define OW_ENCODE_ENCODER_ENGINE_H

#include "encode/encoder_backends.h"

enum {
    ENCODER_BITRATE_MIN = 16000,
    ENCODER_BITRATE_MAX = 200000000,
};

/* One picture that came out: which of the frames that went in (0 = the first; -1 = the engine lost
 * count, it is the last one), and the packet in the form that is sent. */
struct engine_output {
    int64_t index;
    struct encoded *unit;
};

struct encoder_engine {
    /* Opens backend->name for these settings (even size, rates in range). The state is the
     * engine's own. OW_EUNSUPPORTED when the machine, the library or the size does not allow it. */
    int (*open)(void **state, const struct encoder_backend *backend,
                const struct video_settings *settings, struct reason *why);
    /* One frame in; OW_EAGAIN when nothing came out. Only size, data and key of the unit are set.
     * The focus is NULL or has regions, each with an area that lies in the picture. */
    int (*encode)(void *state, const struct frame *frame, int64_t index, bool key,
                  const struct video_focus *focus, struct engine_output *out);
    /* A new bitrate and frame rate for the running encoder; NULL when it has to be opened anew. */
    int (*set_rate)(void *state, int bitrate_bps, double fps);
    void (*close)(void **state);
};

extern const struct encoder_engine encoder_engine_av;  /* libavcodec */
extern const struct encoder_engine encoder_engine_vpx; /* libvpx */

#endif
