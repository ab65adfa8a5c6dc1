/* Colours of what is drawn. They are defined in sRGB and converted to the matrix and range of the
 * frame drawn on. Internal to this room. */
#ifndef OW_XRAY_PALETTE_H
#define OW_XRAY_PALETTE_H

#include "xray/xray.h"

enum { PALETTE_COLORS = 24 };

/* A colour in the terms of a frame's planes. */
struct ink {
    uint8_t plane[FRAME_PLANES];
};

/* Nearly black: what sets lines and plates off from any ground. */
extern const struct rgb palette_seam;

/* One colour per class, always the same; they repeat after PALETTE_COLORS classes. Any id. */
struct rgb palette_class(int class_id);

/* Red at 0 over yellow to green at 1; what is outside or not a number is clamped. */
struct rgb palette_confidence(float confidence);

/* Violet at 0 over red and yellow to nearly white at 1, like a thermal camera's; clamped as above.
 */
struct rgb palette_thermal(float value);
/* Blue over cyan to magenta and nearly white. */
struct rgb palette_glow(float value);

/* Bright ones, by class; any id. */
struct rgb palette_neon(int class_id);

/* Light ones that stand for parts of the picture, by number; any number. */
struct rgb palette_zone(int index);

/* The colour that a class of this name has in every model: people coral, cars blue, animals green.
 * False when there is none. */
bool palette_known(const char *class_name, struct rgb *out);

/* `share` 0..1 of the way to another colour. */
struct rgb palette_mix(struct rgb from, struct rgb to, float share);

/* Contrast ratio 1..21 (WCAG 2.1, "contrast ratio" and "relative luminance"). */
double palette_contrast(struct rgb a, struct rgb b);

/* Black or white, whichever reads better on this ground; the contrast is 4.5 at least. */
struct rgb palette_text_on(struct rgb ground);

/* ITU-R BT.601 or BT.709, 8 bits. */
struct ink palette_ink(struct rgb color, const struct frame *frame);

#endif
