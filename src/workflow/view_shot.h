/* One picture on its way through a view: scaled and drawn on in each of the sizes that are asked
 * for, each once and only when asked for, so that the best is encoded before the next is drawn.
 * Scaled first, then drawn: type stays crisp. Internal to the view; on its thread. */
#ifndef OW_WORKFLOW_VIEW_SHOT_H
#define OW_WORKFLOW_VIEW_SHOT_H

#include "workflow/view_state.h"

/* A picture of one width, and what was put on it. */
struct drawn {
    struct frame *frame; /* own reference */
    int width;           /* that was asked for */
    int detections;
    bool has_model, model_awaited;
    int64_t infer_start_us, infer_end_us, drawn_us;
};

struct view_shot {
    struct view *view;
    int width, height; /* in full: the view's */
    /* either a picture (own references), */
    struct frame *frame;
    struct detections *detections; /* may be NULL */
    bool again;                    /* it was shown before: no inference is behind it this time */
    /* or a card that says why there is none */
    const struct source_status *dark;
    bool full_range;
    enum color_matrix matrix;
    int64_t card_us;

    struct drawn drawn[VIEW_SIZES];
    int count;
};

/* What is to be drawn on a picture, what passes the filters: an owned reference, or NULL. *held:
 * they let the picture itself not pass. */
struct detections *view_shot_detections(struct view *view, const struct picture *picture,
                                        bool *held);
/* With these detections, which may be NULL; takes references of its own. */
void view_shot_picture(struct view_shot *shot, struct view *view, struct frame *frame,
                       struct detections *detections);
/* The status is lent until the end. */
void view_shot_card(struct view_shot *shot, struct view *view, const struct source_status *status);
/* The picture `width` wide, or NULL when it cannot be made; lent until the end. */
const struct drawn *view_shot_at(struct view_shot *shot, int width);
/* Tells of an encoding of it what was drawn on it and when, and what is known of it. Its capture
 * time is set before. */
void view_shot_describe(const struct view_shot *shot, const struct drawn *drawn,
                        struct encoded *unit);
/* Where the objects stand in such a picture, for its encoder. */
void view_shot_focus(const struct view_shot *shot, const struct frame *frame,
                     struct video_focus *out);
/* What is known of it, without a picture being made; an owned reference. OW_ENOMEM. */
int view_shot_record(const struct view_shot *shot, struct metadata **out);
void view_shot_end(struct view_shot *shot);

#endif
