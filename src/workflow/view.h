/* A running view: takes the latest picture of its model or source, draws what the model sees,
 * encodes it as video, in one or a few renditions, and JPEG, each only while somebody watches. One
 * thread per view.
 *
 * Views are reference counted: whoever holds one may call it after its workflow has stopped; it
 * then does nothing. All functions may be called from any thread and do not wait for the view's
 * thread. */
#ifndef OW_WORKFLOW_VIEW_H
#define OW_WORKFLOW_VIEW_H

#include "core/encoded.h"
#include "core/rendition.h"
#include "source/source.h"
#include "workflow/recorder.h"

#include <jansson.h>

struct view;

/* What a view gives out; set once when the runtime is made. Called on the view's thread, except
 * opened, rates and closed, which are called on the thread that starts, changes or stops the
 * workflow. Any may be NULL. */
struct view_outputs {
    void *context;
    /* A view starts; the returned handle is given to video and closed. NULL = show no video. */
    void *(*opened)(void *context, struct view *view);
    /* A picture of a track (core/rendition.h); lent. */
    void (*video)(void *context, void *handle, int track, struct encoded *unit);
    void (*jpeg)(void *context, struct view *view, struct encoded *picture); /* lent */
    /* What is known of a picture, for whom no picture is made: view_set_records(); lent. */
    void (*record)(void *context, void *handle, struct metadata *record);
    /* Its rates or renditions are others now: view_read_info(). On the thread that changes it. */
    void (*rates)(void *context, void *handle, struct view *view);
    void (*closed)(void *context, void *handle, struct view *view);
};

struct view *view_ref(struct view *view);
void view_unref(struct view **view);

const char *view_node_id(const struct view *view);
const char *view_workflow_id(const struct view *view);

/* What a track is to be encoded at from now on; without viewers it is not encoded. The first viewer
 * after none gets a key frame. */
void view_set_plan(struct view *view, int track, const struct rendition_plan *plan);
void view_want_key_frame(struct view *view, int track);
/* A picture of this track encoded before `until_us` would only wait for the network: the newest one
 * is encoded then. A later call replaces an earlier one, another number of viewers ends it; no
 * hold lasts longer than a second. */
void view_hold(struct view *view, int track, int64_t until_us);
/* Records it from now on, or no more. OW_ESTATE: there is no folder for recordings. */
int view_record(struct view *view, bool on);
/* Records are made without pictures, some a second. */
void view_set_records(struct view *view, bool wanted);
/* JPEG is encoded at up to max_fps while > 0; 0 stops it. */
void view_set_jpeg_fps(struct view *view, double max_fps);

/* One encoding of the view (core/rendition.h). */
struct view_track_info {
    int viewers;       /* 0 = it is not encoded, and nothing else here is set */
    int target_bps;    /* what it is to take */
    int width, height; /* 0 before the first picture */
    double fps;        /* pictures given out over the last second */
    int bitrate_bps;   /* of what was given out over the last second */
    char encoder[64];  /* back end in use, "" before the first picture */
};

struct view_info {
    char node_id[128], workflow_id[128], workflow_name[128], label[128];
    bool prefers_webrtc; /* videoPreviewWebRTC; videoPreview prefers the WebSocket */
    bool predict;        /* boxes moved forward to the frame instead of the frame waiting */
    bool held;           /* by a filter that lets nothing pass: the picture stands */
    char source_id[128]; /* node id of the source at the head */
    char model_id[128];  /* node id of the model, "" = none */
    struct source_status source;
    char model_error[320];      /* why the model does not run, "" = it runs or there is none */
    char error[320];            /* why the view itself does not run (no encoder, …), "" = fine */
    int width, height;          /* of the best picture given out, 0 before the first */
    double fps;                 /* pictures given out over the last second */
    double model_fps, model_ms; /* inferences a second; duration of the last one */
    int detections;             /* drawn on the last picture */
    double processing_ms;       /* capture to encoded, of the last picture */
    const char *xray_mode, *color_scheme; /* static */
    char encoder[64];                     /* back end of the best rendition, "" before the first */
    int min_bps, start_bps, max_bps;
    int target_bps; /* of the best rendition */
    bool adaptive;  /* follows what the paths of the viewers take */
    /* What several viewers share (net/ladder.h); parts of max_bps and of the width, the best first.
     */
    int renditions;
    double rendition_rates[RENDITION_SHARED], rendition_widths[RENDITION_SHARED];
    struct view_track_info tracks[RENDITION_TRACKS];
    uint64_t frames, dropped;
    bool is_recorder; /* a recorder's: made to be recorded, and watched by the way */
    struct recorder_status recording;
    struct stage_times last_stages;
};
void view_read_info(struct view *view, struct view_info *out);

#endif
