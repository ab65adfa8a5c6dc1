/* Those who share a model take turns, in the order in which they asked, so that none starves. Who
 * waits holds no frame: its latest one is taken when its turn comes. Several that wait may be run
 * together, where the model takes more than one picture and that was measured to help
 * (batch_plan.h). */
#ifndef OW_WORKFLOW_MODEL_TURNS_H
#define OW_WORKFLOW_MODEL_TURNS_H

#include "vision/model.h"

#include <stdint.h>

struct model_turns;

/* What a user wants, and gets. */
struct model_turn {
    /* The frame to look at, lent until model_turns_take() returns. Asked when the turn has come,
     * perhaps on another user's thread, while the one who asked waits. */
    const struct frame *(*latest)(void *context);
    void *context;
    const struct model_thresholds *thresholds;
    /* the result */
    struct detections *found; /* the caller's */
    struct model_timing timing;
    int64_t start_us; /* when the frame was taken */
};

/* `model` is lent for the life of the turns. OW_ENOMEM. */
int model_turns_create(struct model_turns **out, struct model *model);
void model_turns_destroy(struct model_turns **turns); /* when nobody waits */

/* Waits for the turn and runs the model. Errors as model_run(). Any thread. */
int model_turns_take(struct model_turns *turns, struct model_turn *turn, struct reason *why);

/* How many wait now, without those who are being run. */
int model_turns_waiting(struct model_turns *turns);
#endif
