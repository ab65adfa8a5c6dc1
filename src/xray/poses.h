/* Key points of the objects of a scene and what joins them. Internal to this room. */
#ifndef OW_XRAY_POSES_H
#define OW_XRAY_POSES_H

#include "xray/layer.h"
#include "xray/scene.h"

/* With `bones` where it is known which points are joined: the 17 of COCO's people. Their left and
 * right sides have colours of their own. */
void poses_draw(const struct scene *scene, struct layer *layer, bool bones);

#endif
