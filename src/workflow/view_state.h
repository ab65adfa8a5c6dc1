/* The inside of a view, shared by view.c (what others call) and view_thread.c (what it does). */
#ifndef OW_WORKFLOW_VIEW_STATE_H
#define OW_WORKFLOW_VIEW_STATE_H

#include "core/mailbox.h"
#include "encode/jpeg.h"
#include "encode/scaler.h"
#include "encode/video_encoder.h"
#include "workflow/meter.h"
#include "workflow/picture.h"
#include "workflow/rate_gate.h"
#include "workflow/view_run.h"
#include "xray/xray.h"

#include <pthread.h>
#include <stdatomic.h>

struct view {
    atomic_int refs;
    struct view_parts parts; /* texts point into `info` */
    void *output;            /* the handle of outputs.opened */
    struct mailbox *inbox;   /* of struct picture */
    pthread_t thread;

    /* commands from other threads */
    atomic_int h264_viewers, target_bps;
    atomic_bool key_frame_wanted;
    _Atomic double jpeg_fps;

    /* the thread's own */
    struct xray *xray;
    struct scaler *scaler;
    struct jpeg_encoder *jpeg;
    struct video_encoder *h264;
    struct video_settings h264_settings; /* of the open encoder */
    int64_t h264_retry_us;               /* when to try again after the encoder failed */
    struct picture *last;                /* the latest picture, for viewers who join a still */
    int64_t last_us, card_us;            /* when it came; when a card was shown */
    struct rate_gate gate, jpeg_gate;

    pthread_mutex_t lock; /* guards what follows */
    struct view_info info;
    struct source *source;    /* lent */
    struct model_node *model; /* lent */
    struct meter meter;
};

/* The view's thread. */
void *view_thread(void *view);

#endif
