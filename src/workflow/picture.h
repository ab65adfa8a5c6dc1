/* What travels between the nodes of a running workflow: a frame and, behind a model in sync mode,
 * what the model saw in that very frame. */
#ifndef OW_WORKFLOW_PICTURE_H
#define OW_WORKFLOW_PICTURE_H

#include "core/detections.h"
#include "core/error.h"
#include "core/frame.h"

struct picture {
    struct frame *frame;           /* owned reference */
    struct detections *detections; /* owned reference, may be NULL */
};

/* Takes references of its own. OW_ENOMEM. */
int picture_create(struct picture **out, struct frame *frame, struct detections *detections);
/* For mailboxes: `picture` is a struct picture *; NULL is allowed. */
void picture_drop(void *picture);

#endif
