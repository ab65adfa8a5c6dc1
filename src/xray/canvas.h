/* Blending of shapes into the planes of a frame. Everything is clipped at its edges; a chroma
 * sample, which stands for up to four pixels, takes the colour by the share of them that the shape
 * covers. Internal to this room. */
#ifndef OW_XRAY_CANVAS_H
#define OW_XRAY_CANVAS_H

#include "core/bounds.h"
#include "xray/palette.h"

struct rect {
    int x, y, width, height;
};

/* Coverage 0..255 per pixel, `width` bytes a row. */
struct mask {
    const uint8_t *coverage;
    int width, height;
};

/* `alpha` 0..255. Coordinates within +-CANVAS_FAR. */
enum { CANVAS_FAR = 1 << 20 };
void canvas_rect(struct frame *frame, struct rect rect, struct ink ink, int alpha);
void canvas_mask(struct frame *frame, int x, int y, const struct mask *mask, struct ink ink,
                 int alpha);

/* Two rows of coverage, 0..255, whose first pixel is this one of the picture; x, y and `count` are
 * even. They may reach one pixel over the picture's right and lower edge, where what would be drawn
 * counts too. */
enum { CELLS_MAX = 64 };
struct cells {
    const uint8_t *rows[2];
    int x, y, count;
};
void canvas_cells(struct frame *frame, const struct cells *cells, struct ink ink, int alpha);

/* Samples of one row of one plane, each with a value and an alpha of its own. */
void canvas_blend_row(uint8_t *restrict row, const uint8_t *restrict values,
                      const uint8_t *restrict alphas, int count);

/* How many pixels lie in both. */
int rect_common(struct rect a, struct rect b);

#endif
