/* A legend: the classes in sight with their colours and counts, or where colours go by confidence
 * or heat, the scale of these. Internal to this room. */
#ifndef OW_XRAY_LEGEND_H
#define OW_XRAY_LEGEND_H

#include "xray/parts.h"
#include "xray/scene.h"
#include "xray/text.h"

enum { LEGEND_ROWS_MAX = 8 };

/* What a legend keeps from picture to picture, so that it neither grows and shrinks nor jumps with
 * each. Zero-initialised. */
struct legend_memory {
    bool placed;
    int corner;
    int64_t moved_us;
    int count; /* of classes seen of late, by id */
    struct legend_class {
        int id;
        int64_t seen_us;
        struct rgb color;
        char name[XRAY_CLASS_BYTES];
    } classes[LEGEND_ROWS_MAX];
};

/* Is there something to say, by what is known before the scene is read? */
bool legend_shows(const struct legend_memory *memory, const struct parts *parts,
                  const struct xray_style *style);
/* In the corner where it covers least of the objects, which it does not leave at once for a better
 * one; the scene's labels keep off it. A picture too small for it has none. */
void legend_draw(struct scene *scene, const struct parts *parts, struct text *text,
                 struct legend_memory *memory);

#endif
