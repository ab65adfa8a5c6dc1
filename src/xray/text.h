/* Text: a font, its glyphs rendered once per size, lines of UTF-8. Internal to this room. */
#ifndef OW_XRAY_TEXT_H
#define OW_XRAY_TEXT_H

#include "core/error.h"
#include "xray/canvas.h"

enum { TEXT_PIXELS_MIN = 6, TEXT_PIXELS_MAX = 200 };

struct text;

/* `font` NULL = the file named by OVERWATCH_FONT, else the installed default. Characters that the
 * font lacks are taken from DejaVu Sans where that is installed. OW_ENOTFOUND with `why`. */
int text_create(struct text **out, const char *font, struct reason *why);
void text_destroy(struct text **text);

/* Heights of capitals and of what hangs below the baseline, in pixels. */
struct text_heights {
    int capital, below;
};
struct text_heights text_heights(struct text *text, int pixels);

/* The width in pixels. Digits are all as wide as the widest, so that figures do not jump. */
int text_width(struct text *text, int pixels, const char *utf8);

/* Draws with the baseline at y; malformed UTF-8 shows as U+FFFD. Returns the x behind it. */
int text_draw(struct text *text, struct frame *frame, int x, int y, int pixels, const char *utf8,
              struct ink ink, int alpha);

#endif
