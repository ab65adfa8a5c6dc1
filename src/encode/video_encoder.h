/* Video for live viewing: one frame in, that frame out. Back ends are rows of one table over
 * libavcodec, hardware first, each tried by really encoding a frame when first asked for. */
#ifndef OW_ENCODE_VIDEO_ENCODER_H
#define OW_ENCODE_VIDEO_ENCODER_H

#include "core/encoded.h"
#include "core/error.h"
#include "core/frame.h"

struct video_encoder;

struct video_settings {
    enum video_codec codec;
    int width, height; /* even sizes are encoded as they are; odd ones are cut by one pixel */
    double fps;        /* expected frame rate, for the rate control */
    int bitrate_bps;
    double
        buffer_frames; /* the rate control's bucket, in pictures; 0 = as is best for live viewing */
    bool full_range;
    enum color_matrix matrix;
    const char *backend; /* FFmpeg's name of one back end ("libx264"); NULL, or of another
                            codec = the best there is */
};

enum { VIDEO_REGIONS_MAX = 64, VIDEO_FOCUS_MAX = 12 };

/* A rectangle in pixels of the picture; the pixels at right and bottom are not in it any more. */
struct video_region {
    int left, top, right, bottom;
};

/* What matters in a picture: it is encoded finer there, at the expense of the rest. Regions may
 * overlap, be empty and lie outside. */
struct video_focus {
    double steps; /* finer by so many steps of H.264's quantiser, of which six are twice as fine;
                     up to VIDEO_FOCUS_MAX, 0 = not at all */
    int count;    /* up to VIDEO_REGIONS_MAX; some back ends take the first few only */
    struct video_region regions[VIDEO_REGIONS_MAX];
};

/* Tries every back end once by encoding a frame, logs for each codec which were passed over and
 * why, and the one taken. Called at start; video_encoder_open() calls it when nobody did.
 * Thread-safe. */
void encoder_probe_backends(void);
/* The chosen back end of a codec for people ("libx264 (software)"), or "none". */
const char *encoder_backend_label(enum video_codec codec);
const char *video_codec_name(enum video_codec codec); /* "H.264", "VP8" */

int video_encoder_open(struct video_encoder **out, const struct video_settings *settings,
                       struct reason *why);

/* Encodes one frame (size as opened, or OW_EINVAL). `key` makes it an IDR; the first one always is.
 * `focus` may be NULL; back ends that know no regions leave it aside. The access unit is Annex B,
 * constrained baseline, SPS and PPS before every IDR; stamps are taken from the frame and
 * STAGE_ENCODED added. */
int video_encoder_encode(struct video_encoder *encoder, const struct frame *frame, bool key,
                         const struct video_focus *focus, struct encoded **out);

/* Takes effect with the next frame, without a key frame. */
int video_encoder_set_rate(struct video_encoder *encoder, int bitrate_bps, double fps);

const char *video_encoder_name(const struct video_encoder *encoder);

void video_encoder_close(struct video_encoder **encoder);

#endif
