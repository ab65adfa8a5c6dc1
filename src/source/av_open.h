/* Opening an input with libavformat and its decoder, fast for live inputs. Internal. */
#ifndef OW_SOURCE_AV_OPEN_H
#define OW_SOURCE_AV_OPEN_H

#include "source/input.h"
#include "source/nal_join.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

/* Ends blocking calls of libavformat: when the source stops, or at the deadline. */
struct av_patience {
    struct source_run *run;
    int64_t deadline_us; /* INT64_MAX = none */
};

struct av_opened {
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream; /* belongs to format */
    bool live;        /* comes as it comes; else it is read ahead and played by its time stamps */
    bool seekable;    /* has an end and can be started again */
    bool untimed; /* its time stamps are made up: a rate that nobody has told, such as MJPEG's */
    /* Packets are pieces of pictures, to be joined with nal_join.h, and not flagged. NULL: they are
     * whole pictures. */
    const struct nal_codec *pieces;
};

/* OW_EINVAL for a URL that nothing here could open. */
int av_url_check(const char *url, struct reason *why);

/* `patience` must outlive what is opened. OW_ENOTFOUND, OW_EIO, OW_ETIMEOUT, OW_EUNSUPPORTED… */
int av_open(struct av_opened *out, struct av_patience *patience, struct reason *why);

void av_opened_close(struct av_opened *opened);

/* `why` = "what URL: FFmpeg's text"; the URL is redacted. Returns a code that fits. */
int av_reason(struct reason *why, const char *what, const char *url, int av_error);

#endif
