/* Dark plates with bright words, which tell of the picture as a whole: captions, tags of zones, the
 * legend. Internal to this room. */
#ifndef OW_XRAY_PLATE_H
#define OW_XRAY_PLATE_H

#include "xray/text.h"

/* How large type is on a plate. */
struct plate_type {
    int pixels, capital; /* of the font; the height of its capitals */
    int pad, gap;        /* around words, between them */
    int height;          /* of a plate with one line */
};

/* The pixels of a font size of struct xray_style: 15 of 540 lines at 0.6, so that type keeps its
 * share of the picture at every size. */
int plate_pixels(float font_size, const struct frame *frame);
struct plate_type plate_type(struct text *text, float font_size, const struct frame *frame);

/* `alpha` 0..255. */
void plate_ground(struct frame *frame, const struct plate_type *type, struct rect rect, int alpha);
/* Words whose line begins at the height y of a plate. Returns the x behind them. */
int plate_words(struct frame *frame, struct text *text, const struct plate_type *type, int x, int y,
                const char *words, struct rgb color);
/* A plate with a few words in the lower left corner. */
void plate_caption(struct frame *frame, struct text *text, const char *words);

extern const struct rgb plate_bright, plate_soft;

#endif
