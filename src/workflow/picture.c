#include "workflow/picture.h"

#include <stdlib.h>

int picture_create(struct picture **out, struct frame *frame, struct detections *detections)
{
    struct picture *p = malloc(sizeof *p);
    if (!p)
        return OW_ENOMEM;
    *p = (struct picture){.frame = frame_ref(frame), .detections = detections_ref(detections)};
    *out = p;
    return OW_OK;
}

void picture_drop(void *picture)
{
    struct picture *p = picture;
    if (!p)
        return;
    frame_unref(&p->frame);
    detections_unref(&p->detections);
    free(p);
}
