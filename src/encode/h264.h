/* H.264 for live viewing: one frame in, that frame out. Back ends are rows of one table over
 * libavcodec, hardware first, each tried by really encoding a frame when first asked for. */
#ifndef OW_ENCODE_H264_H
#define OW_ENCODE_H264_H

#include "core/encoded.h"
#include "core/error.h"
#include "core/frame.h"

struct h264_encoder;

struct h264_settings {
    int width, height; /* even sizes are encoded as they are; odd ones are cut by one pixel */
    double fps;        /* expected frame rate, for the rate control */
    int bitrate_bps;
    bool full_range;
    enum color_matrix matrix;
    const char *backend; /* FFmpeg's name of one back end ("libx264"); NULL = the best there is */
};

/* Tries every back end once by encoding a frame, logs which were passed over and why, and the one
 * taken. Called at start; h264_encoder_open() calls it when nobody did. Thread-safe. */
void h264_probe_backends(void);
/* The chosen back end for people ("libx264 (software)"), or "none". */
const char *h264_backend_label(void);

int h264_encoder_open(struct h264_encoder **out, const struct h264_settings *settings,
                      struct reason *why);

/* Encodes one frame (size as opened, or OW_EINVAL). `key` makes it an IDR; the first one always is.
 * The access unit is Annex B, constrained baseline, SPS and PPS before every IDR; stamps are taken
 * from the frame and STAGE_ENCODED added. */
int h264_encoder_encode(struct h264_encoder *encoder, const struct frame *frame, bool key,
                        struct encoded **out);

/* Takes effect with the next frame, without a key frame. */
int h264_encoder_set_rate(struct h264_encoder *encoder, int bitrate_bps, double fps);

const char *h264_encoder_name(const struct h264_encoder *encoder);

void h264_encoder_close(struct h264_encoder **encoder);

#endif
