/* The inside of a view, shared by view.c (what others call), view_thread.c (what it does),
 * view_shot.c (a picture, drawn in the sizes wanted) and view_track.c (its encodings). */
#ifndef OW_WORKFLOW_VIEW_STATE_H
#define OW_WORKFLOW_VIEW_STATE_H

#include "core/mailbox.h"
#include "core/shared_text.h"
#include "encode/jpeg.h"
#include "encode/scaler.h"
#include "encode/video_encoder.h"
#include "workflow/meter.h"
#include "workflow/picture.h"
#include "workflow/rate_gate.h"
#include "workflow/rate_plan.h"
#include "workflow/view_run.h"
#include "xray/xray.h"

#include <pthread.h>
#include <stdatomic.h>

/* Recordings have an encoding of their own, behind those of the viewers (core/rendition.h): at the
 * view's best rate and size whatever anybody's network takes, never held, with regular key frames.
 * It costs one more encoding while there is something to record; sharing one would make either the
 * recording as bad as the worst path, or a lone viewer as late as a shared rendition is. */
enum { VIEW_RECORD_TRACK = RENDITION_TRACKS, VIEW_TRACKS };

enum { VIEW_SIZES = VIEW_TRACKS + 1 }; /* of one picture: of each track, and of JPEG */

/* One encoding of the view. */
struct view_track {
    /* guarded by the view's orders_lock */
    struct rendition_plan ordered;
    int64_t hold_until_us; /* nothing is encoded before */

    /* the thread's own */
    bool awake; /* it had viewers when last looked at */
    struct rate_plan rate_plan;
    struct rate_plan_output now; /* how it is encoded */
    struct rate_gate gate;
    bool due; /* a picture is to be encoded as soon as no hold is in the way */
    struct video_encoder *encoder;
    struct video_settings settings; /* of the open encoder */
    int64_t retry_us;               /* when to try again after the encoder failed */
    int64_t given_us;               /* capture time of the last picture given out */
    int64_t key_us;                 /* the same of the last key frame */

    /* guarded by the view's lock */
    struct view_track_info info;
    struct meter pictures, bits;
};

/* A scaler remembers the sizes it was used for: one for each size. */
struct view_size {
    struct scaler *scaler; /* NULL = not used yet */
    int width;
    int64_t used_us;
};

struct view {
    atomic_int refs;
    struct view_parts parts; /* its look is the thread's own */
    void *output;            /* the handle of outputs.opened */
    struct mailbox *inbox;   /* of struct picture */
    pthread_t thread;

    /* commands from other threads; one bit per track */
    atomic_uint running, keys_wanted;
    _Atomic double jpeg_fps;
    atomic_bool records; /* are wanted without pictures */
    atomic_bool at_once; /* shows every frame, and does not wait for what the model sees in it */
    atomic_bool draws;   /* what the model sees */
    atomic_bool stale;   /* what the model sees has changed since the last picture was drawn */
    atomic_bool held;    /* by a filter: the picture stands */
    pthread_mutex_t orders_lock; /* held for moments only */
    struct view_look ordered;    /* other looks, if */
    bool has_order;

    pthread_rwlock_t wiring; /* guards `inputs`; held for moments only */
    struct view_inputs inputs;

    struct view_track tracks[VIEW_TRACKS];
    struct recorder *recorder; /* NULL = nothing is kept here */

    /* the thread's own */
    struct xray *xray;
    struct view_size sizes[VIEW_SIZES];
    struct jpeg_encoder *jpeg;
    struct picture *last;     /* the latest picture, for viewers who join a still */
    int64_t last_us, card_us; /* when it came; when a card was shown */
    struct meter arrivals;    /* of pictures that may be shown */
    struct rate_gate gate, jpeg_gate, record_gate;
    struct shared_text *zone_places, *drawn_look; /* that the recorder was told last; NULL = none */

    pthread_mutex_t lock; /* guards what follows */
    struct view_info info;
    struct meter meter;
};

/* The view's thread. */
void *view_thread(void *view);
/* For the page and, when new, the log. "" = all is well. */
void view_set_error(struct view *view, const char *text);
/* What the source says of itself; a view without one counts as playing. */
struct source_status view_read_source(struct view *view);

static inline unsigned view_track_bit(int track)
{
    return 1u << track;
}

#endif
