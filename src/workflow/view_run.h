/* How the runtime makes, feeds and stops views; everybody else uses view.h. */
#ifndef OW_WORKFLOW_VIEW_RUN_H
#define OW_WORKFLOW_VIEW_RUN_H

#include "workflow/model_node.h"
#include "workflow/view.h"

struct view_parts {
    const char *node_id, *workflow_id, *workflow_name; /* copied */
    const char *label, *source_id, *model_id;          /* copied */
    struct view_settings settings;
    bool xray; /* draw what the model sees */
    struct xray_style style;
    double xray_max_fps;
    struct view_outputs outputs;
    const char *h264_backend; /* lent for good */
    struct model_node *model; /* lent until view_stop(); NULL = none */
};

int view_start(struct view **out, const struct view_parts *parts, struct reason *why);
/* The source to ask for its state; lent until view_stop(). */
void view_attach_source(struct view *view, struct source *source);

/* Does this view take its frames from the source, at once (predict, no model, model not ready)? */
bool view_takes_frames(struct view *view);
bool view_is_watched(const struct view *view);

/* Hands over the latest picture; detections may be NULL. Never blocks. */
void view_offer(struct view *view, struct frame *frame, struct detections *detections);

/* Stops the thread; the caller's reference stays. */
void view_stop(struct view *view);

#endif
