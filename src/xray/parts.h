/* What each mode draws of the objects of a scene. Internal to this room. */
#ifndef OW_XRAY_PARTS_H
#define OW_XRAY_PARTS_H

#include "xray/xray.h"

struct parts {
    bool ground;   /* instead of the picture */
    bool heat;     /* the heat map */
    bool objects;  /* with their labels */
    bool boxes;    /* of all; else of those that have nothing of what the mode is of */
    bool masks;    /* the mode is of these */
    bool contours; /* of masks */
    float fill;    /* of masks, 0..1 */
    bool points, bones;
};

/* XRAY_QUAD is several. */
struct parts parts_of(const struct xray_style *style, enum xray_mode mode);

#endif
