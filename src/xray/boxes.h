/* Outlines and tints of the objects of a scene. Internal to this room. */
#ifndef OW_XRAY_BOXES_H
#define OW_XRAY_BOXES_H

#include "xray/scene.h"

/* `tint` 0..1: how strong the inside is coloured. */
void boxes_draw(const struct scene *scene, float tint);

#endif
