/* Labels of the objects of a scene, laid out so that they stay in the picture and, where there is
 * room, off each other. Internal to this room. */
#ifndef OW_XRAY_LABELS_H
#define OW_XRAY_LABELS_H

#include "xray/scene.h"
#include "xray/text.h"

/* Where labels were put of late, by the number of the object: one that jumps to a better place with
 * each picture is hard to read. Zero-initialised. */
enum { LABEL_SLOTS = 256 };
struct label_memory {
    struct {
        uint32_t track_id;
        int place;
    } slots[LABEL_SLOTS];
};

void labels_draw(const struct scene *scene, struct text *text, struct label_memory *memory);

#endif
