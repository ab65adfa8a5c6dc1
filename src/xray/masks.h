/* Masks of the objects of a scene. Internal to this room. */
#ifndef OW_XRAY_MASKS_H
#define OW_XRAY_MASKS_H

#include "xray/layer.h"
#include "xray/scene.h"

/* Fills them with their colour, `fill` 0..1, and draws their contours. Objects without a mask are
 * left out. `layers`: two to work with. */
void masks_draw(const struct scene *scene, struct layer layers[2], float fill, bool contours);

#endif
