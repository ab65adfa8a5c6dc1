/* Zones on the picture: tint and outline below the objects, and a tag with name and counts above
 * them. Internal to this room. */
#ifndef OW_XRAY_ZONES_H
#define OW_XRAY_ZONES_H

#include "xray/layer.h"
#include "xray/scene.h"
#include "xray/text.h"

/* Outlines and tints, brighter for a moment after something happened. */
void zones_draw(const struct scene *scene, const struct zone_states *zones, struct layer *layer);
/* The tags, each beside its zone, off each other where there is room; the scene's labels keep off
 * them. */
void zones_tag(struct scene *scene, const struct zone_states *zones, struct text *text);

#endif
