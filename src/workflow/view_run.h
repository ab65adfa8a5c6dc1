/* How the runtime makes, feeds and stops views; everybody else uses view.h. */
#ifndef OW_WORKFLOW_VIEW_RUN_H
#define OW_WORKFLOW_VIEW_RUN_H

#include "core/zone_state.h"
#include "workflow/filter.h"
#include "workflow/model_node.h"
#include "workflow/source_hub.h"
#include "workflow/view.h"

enum { VIEW_MAX_FILTERS = 8, VIEW_MAX_ZONES = ZONE_STATES_MAX };

/* How it shows; can be changed while it runs. */
struct view_look {
    struct view_settings settings;
    bool xray; /* draw what the model sees; false also where the layout wants the original */
    struct xray_style style;
    double xray_max_fps;
};

/* What it shows; can be changed while it runs. All is lent until it is changed or the view stops.
 */
struct view_inputs {
    const char *label, *source_id, *model_id; /* copied */
    struct source_tap *source; /* whose state is shown; NULL = it counts as playing */
    struct model_node *model;  /* NULL = none */
    struct filter *filters[VIEW_MAX_FILTERS]; /* behind the model, in order */
    int filter_count;
    struct filter *zones[VIEW_MAX_ZONES]; /* that are shown: those of its filters first */
    int zone_count;
};

struct view_parts {
    const char *node_id, *workflow_id, *workflow_name; /* copied */
    struct view_look look;
    struct view_outputs outputs;
    const char *h264_backend;         /* lent for good */
    struct record_folder *recordings; /* lent for good; NULL = nothing can be recorded */
    bool is_recorder;
};

int view_start(struct view **out, const struct view_parts *parts, struct reason *why);
void view_connect(struct view *view, const struct view_inputs *inputs);
/* When it is recorded without being asked to. */
void view_set_record_rules(struct view *view, const struct record_rules *rules);
/* Something happened, or so many objects came to it: recorder_event(), recorder_result(). */
void view_record_event(struct view *view, int64_t capture_us, const char *type,
                       const json_t *object);
void view_record_result(struct view *view, const char *node_id, int64_t capture_us, int count);
/* The source is about to go: no more questions to it. */
void view_forget_source(struct view *view, const struct source_tap *source);
/* Other looks and rates, from the picture on that is shown next, which is at once. Viewers stay. */
void view_restyle(struct view *view, const struct view_look *look);

/* Does this view take its frames from the source, at once (predict, no model, model not ready)? */
bool view_takes_frames(struct view *view);
bool view_is_watched(const struct view *view);
/* Does it draw what the model sees? */
bool view_draws(const struct view *view);

/* Hands over the latest picture; detections may be NULL. Never blocks. */
void view_offer(struct view *view, struct frame *frame, struct detections *detections);
/* Of a view that waits for what the model sees: a filter lets nothing pass, or does again. */
void view_set_held(struct view *view, bool held);
/* The model has seen something new: a picture that stands is drawn again. */
void view_refresh(struct view *view);

/* Stops the thread; the caller's reference stays. */
void view_stop(struct view *view);

#endif
