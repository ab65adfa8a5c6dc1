/* Colours of what is drawn. They are defined in sRGB and converted to the matrix and range of the
 * frame drawn on. Internal to this room. */
#ifndef OW_XRAY_PALETTE_H
#define OW_XRAY_PALETTE_H

#include "core/frame.h"

enum { PALETTE_COLORS = 24 };

struct rgb {
    uint8_t r, g, b;
};

/* A colour in the terms of a frame's planes. */
struct ink {
    uint8_t plane[FRAME_PLANES];
};

/* One colour per class, always the same; they repeat after PALETTE_COLORS classes. Any id. */
struct rgb palette_class(int class_id);

/* Red at 0 over yellow to green at 1; what is outside or not a number is clamped. */
struct rgb palette_confidence(float confidence);

/* Contrast ratio 1..21 (WCAG 2.1, "contrast ratio" and "relative luminance"). */
double palette_contrast(struct rgb a, struct rgb b);

/* Near-black or white, whichever reads better on this ground. */
struct rgb palette_text_on(struct rgb ground);

/* ITU-R BT.601 or BT.709, 8 bits. */
struct ink palette_ink(struct rgb color, const struct frame *frame);

#endif
