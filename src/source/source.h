/* A running video source: opens an input, delivers decoded frames, reopens what fails.
 *
 * One thread per source reads and decodes. Files play at their own rate (or `fps`), live inputs as
 * they come. A source that fails or ends is reopened with pauses that grow from 0.5 s to 10 s;
 * source_status() says what is going on. Nothing here waits for a consumer: `on_frame` must be
 * quick (put the frame into mailboxes). */
#ifndef OW_SOURCE_SOURCE_H
#define OW_SOURCE_SOURCE_H

#include "core/error.h"
#include "core/frame.h"

struct source_settings {
    /* A path or URL: rtsp:// rtmp:// http(s):// file path, v4l2:/dev/video0, "pipe:/path" (named
     * pipe) or "pipe:-" (stdin) carrying Y4M or raw video, "test:" (the test pattern). */
    const char *url;
    double fps;               /* 0 = the input's own rate; else at most this many frames a second */
    bool loop;                /* files: start again at the end */
    double playback_speed;    /* files: 1 = real time */
    int resolution_scale;     /* percent of the input's size: 25, 50, 75, 100 */
    bool skip_similar;        /* drop frames that hardly differ from the last one delivered */
    int width, height;        /* raw pipes and the test pattern; 0 = 960x540 for the pattern */
    const char *pixel_format; /* raw pipes: FFmpeg's name, e.g. "yuv420p"; NULL = Y4M header */
    int moving_objects;       /* test pattern */
    bool clock;               /* test pattern: draw the machine-readable clock (clock_code.h) */
};

enum source_state { SOURCE_OPENING, SOURCE_PLAYING, SOURCE_NO_SIGNAL, SOURCE_ENDED };

struct source_status {
    enum source_state state;
    int64_t since_us;   /* clock_now_us() of the last change of state */
    char text[200];     /* why there is no signal; never holds credentials */
    int width, height;  /* 0 before the first frame */
    double fps;         /* measured over the last second or so */
    uint64_t frames;    /* delivered */
    uint64_t reopened;  /* times the input was opened again */
    char codec[32];     /* "h264", "mpeg4", "rawvideo", … */
    double duration_s;  /* of a recording; 0 = live, or not known */
    double nominal_fps; /* as the input states it; 0 = not known */
};

struct source;

/* Starts the thread. `on_frame` runs on it; the frame is lent for the call (frame_ref() to keep).
 * A url that cannot be understood is OW_EINVAL with `why`; one that cannot be opened now is not an
 * error: the source keeps trying. `settings` is copied. */
int source_start(struct source **out, const struct source_settings *settings,
                 void (*on_frame)(void *context, struct frame *frame), void *context,
                 struct reason *why);

void source_status(struct source *source, struct source_status *out);

/* Stops and joins the thread, even one that hangs in a read, within 2 s; sets *source to NULL. */
void source_stop(struct source **source);

#endif
