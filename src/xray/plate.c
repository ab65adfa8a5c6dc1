#include "xray/plate.h"

#include "xray/shapes.h"

#include <math.h>

enum { PIXELS_MIN = 9, PIXELS_MAX = 96, CAPTION_ALPHA = 150 };

const struct rgb plate_bright = {0xe8, 0xec, 0xf1}, plate_soft = {0xa7, 0xb1, 0xbe};
static const struct rgb ground = {0x0b, 0x0e, 0x12};

int plate_pixels(float font_size, const struct frame *frame)
{
    float pixels = font_size * 25 * (float)frame->height / 540;
    if (!(pixels > PIXELS_MIN))
        return PIXELS_MIN;
    return pixels < PIXELS_MAX ? (int)lroundf(pixels) : PIXELS_MAX;
}

struct plate_type plate_type(struct text *text, float font_size, const struct frame *frame)
{
    int pixels = plate_pixels(font_size, frame);
    struct text_heights heights = text_heights(text, pixels);
    int pad = heights.below + (pixels + 8) / 16;
    return (struct plate_type){.pixels = pixels,
                               .capital = heights.capital,
                               .pad = pad,
                               .gap = (pixels + 1) / 3,
                               .height = heights.capital + 2 * pad};
}

void plate_ground(struct frame *frame, const struct plate_type *type, struct rect rect, int alpha)
{
    shape_fill(frame, rect, type->pixels / 3, SHAPE_ROUND, palette_ink(ground, frame), alpha);
}

int plate_words(struct frame *frame, struct text *text, const struct plate_type *type, int x, int y,
                const char *words, struct rgb color)
{
    return text_draw(text, frame, x, y + type->pad + type->capital, type->pixels, words,
                     palette_ink(color, frame), 255);
}

void plate_caption(struct frame *frame, struct text *text, const char *words)
{
    const struct plate_type type = plate_type(text, 0.8f, frame);
    int margin = type.pixels / 2, inset = type.pad + type.pixels / 6;
    struct rect rect = {margin, frame->height - margin - type.height,
                        text_width(text, type.pixels, words) + 2 * inset, type.height};
    plate_ground(frame, &type, rect, CAPTION_ALPHA);
    plate_words(frame, text, &type, rect.x + inset, rect.y, words, plate_bright);
}
