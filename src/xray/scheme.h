/* The colour of an object by the schemes. Internal to this room. */
#ifndef OW_XRAY_SCHEME_H
#define OW_XRAY_SCHEME_H

#include "xray/palette.h"

/* labels may be NULL. */
struct rgb scheme_color(const struct xray_style *style, const struct label_set *labels,
                        const struct detection *item);
/* The colours of the parts of a body whose object has this one. */
struct body_colors {
    struct rgb middle, left, right;
};
struct body_colors scheme_body(const struct xray_style *style, struct rgb object);
/* The colour of a zone by its number, off those of the objects. */
struct rgb scheme_zone(const struct xray_style *style, int index);
/* The colour of a confidence, where the scheme goes by that. */
struct rgb scheme_confidence(const struct xray_style *style, float confidence);
/* The colour of a place of the heat map, 0..1. */
struct rgb scheme_heat(const struct xray_style *style, float heat);

#endif
