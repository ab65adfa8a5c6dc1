/* Renditions: one view is encoded in one or a few qualities ("rungs", 0 = the best), per codec that
 * its viewers can read. A track is one codec at one rung. What the network side (src/net) wants of
 * each track travels to the encoding side (src/workflow) as a plan. */
#ifndef OW_CORE_RENDITION_H
#define OW_CORE_RENDITION_H

#include <stdbool.h>
#include <stdint.h>

enum video_codec { VIDEO_H264, VIDEO_VP8, VIDEO_CODECS };

enum {
    RENDITION_RUNGS = 4,
    RENDITION_SHARED = 3, /* of them of fixed rates; the last follows the slowest viewers */
    RENDITION_TRACKS = VIDEO_CODECS * RENDITION_RUNGS,
};

static inline int rendition_track(enum video_codec codec, int rung)
{
    return (int)codec * RENDITION_RUNGS + rung;
}

static inline enum video_codec rendition_codec(int track)
{
    return (enum video_codec)(track / RENDITION_RUNGS);
}

static inline int rendition_rung(int track)
{
    return track % RENDITION_RUNGS;
}

struct rendition_plan {
    int viewers;       /* 0 = nobody: the track is not encoded */
    int target_bps;    /* what the encoder is to make */
    double width_part; /* at most this part of the view's width; 0 = all of it */
    double max_fps;    /* at most this many pictures a second; 0 = as many as the view */
};

#endif
