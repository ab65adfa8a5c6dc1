#include "xray/panels.h"

#include "xray/canvas.h"

enum {
    GRID_LINES = 16, /* across */
    GRID_ALPHA = 255,
    GRID_MIN = 12, /* pixels between lines; a picture too small for them has none */
    PANEL_MIN = 16,
};

void panels_ground(struct frame *frame)
{
    static const struct rgb ground = {0x0f, 0x13, 0x19}, line = {0x1a, 0x20, 0x29};
    struct ink ink = palette_ink(line, frame);
    canvas_rect(frame, (struct rect){0, 0, frame->width, frame->height}, palette_ink(ground, frame),
                255);
    int step = (frame->width > frame->height ? frame->width : frame->height) / GRID_LINES;
    if (step < GRID_MIN)
        return;
    for (int x = step; x < frame->width; x += step)
        canvas_rect(frame, (struct rect){x, 0, 1, frame->height}, ink, GRID_ALPHA);
    for (int y = step; y < frame->height; y += step)
        canvas_rect(frame, (struct rect){0, y, frame->width, 1}, ink, GRID_ALPHA);
}

/* Each sample of the upper left quarter becomes the mean of four; in place, as what is written lies
 * before what is read. */
static void halve(uint8_t *plane, int stride, int width, int height)
{
    for (int y = 0; y < height; y++) {
        const uint8_t *a = plane + (ptrdiff_t)(2 * y) * stride, *b = a + stride;
        uint8_t *to = plane + (ptrdiff_t)y * stride;
        for (int x = 0; x < width; x++)
            to[x] = (uint8_t)((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) >> 2);
    }
}

bool panels_split(struct frame *frame, struct frame panels[PANELS])
{
    int width = frame->width / 4 * 2, height = frame->height / 4 * 2;
    if (width < PANEL_MIN || height < PANEL_MIN)
        return false;
    for (int p = 0; p < FRAME_PLANES; p++)
        halve(frame->plane[p], frame->stride[p], p ? width / 2 : width, p ? height / 2 : height);
    for (int i = 0; i < PANELS; i++) {
        frame_window(&panels[i], frame, i % 2 * width, i / 2 * height, width, height);
        if (i > 0)
            frame_paste(&panels[i], &panels[0]);
    }
    struct ink ink = palette_ink(palette_seam, frame);
    canvas_rect(frame, (struct rect){2 * width, 0, frame->width - 2 * width, frame->height}, ink,
                255);
    canvas_rect(frame, (struct rect){0, 2 * height, frame->width, frame->height - 2 * height}, ink,
                255);
    return true;
}
