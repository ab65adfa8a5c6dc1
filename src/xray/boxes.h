/* The mode "boxes": a box and a label for every object. Internal to this room. */
#ifndef OW_XRAY_BOXES_H
#define OW_XRAY_BOXES_H

#include "xray/text.h"
#include "xray/xray.h"

/* As xray_draw(). */
int boxes_draw(struct text *text, struct frame *frame, const struct detections *detections,
               const struct xray_style *style);

#endif
