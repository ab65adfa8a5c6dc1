/* Labels of the objects of a scene, laid out so that they stay in the picture and, where there is
 * room, off each other. Internal to this room. */
#ifndef OW_XRAY_LABELS_H
#define OW_XRAY_LABELS_H

#include "xray/scene.h"
#include "xray/text.h"

void labels_draw(const struct scene *scene, struct text *text);
/* A few words on a dark ground in the lower left corner. */
void labels_caption(struct frame *frame, struct text *text, const char *words);

#endif
