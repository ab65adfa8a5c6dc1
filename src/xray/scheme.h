/* The colour of an object by the schemes. Internal to this room. */
#ifndef OW_XRAY_SCHEME_H
#define OW_XRAY_SCHEME_H

#include "xray/palette.h"

/* labels may be NULL. */
struct rgb scheme_color(const struct xray_style *style, const struct label_set *labels,
                        const struct detection *item);
/* The colour of a place of the heat map, 0..1. */
struct rgb scheme_heat(const struct xray_style *style, float heat);

#endif
