/* A frame whose planes have odd strides and guard bytes between rows and around, so that a write
 * outside the picture is seen. */
#ifndef TEST_XRAY_GUARDED_H
#define TEST_XRAY_GUARDED_H

#include "core/error.h"
#include "core/frame.h"

#include <stdlib.h>
#include <string.h>

enum { GUARD = 0xa5, GUARD_ROWS = 3, GROUND_Y = 90, GROUND_U = 110, GROUND_V = 140 };

struct guarded {
    struct frame frame;
    uint8_t *memory[FRAME_PLANES];
    size_t size[FRAME_PLANES];
};

static inline int guarded_width(const struct frame *frame, int plane)
{
    return plane ? chroma_size(frame->width) : frame->width;
}

static inline int guarded_height(const struct frame *frame, int plane)
{
    return plane ? chroma_size(frame->height) : frame->height;
}

static inline void guarded_open(struct guarded *g, int width, int height)
{
    static const uint8_t ground[] = {GROUND_Y, GROUND_U, GROUND_V};
    memset(g, 0, sizeof *g);
    g->frame.width = width;
    g->frame.height = height;
    g->frame.matrix = COLOR_BT709;
    atomic_init(&g->frame.refs, 1);
    for (int p = 0; p < FRAME_PLANES; p++) {
        int stride = (guarded_width(&g->frame, p) + 5) | 1;
        int rows = guarded_height(&g->frame, p);
        g->size[p] = (size_t)stride * (size_t)(rows + 2 * GUARD_ROWS);
        g->memory[p] = malloc(g->size[p]);
        memset(g->memory[p], GUARD, g->size[p]);
        g->frame.stride[p] = stride;
        g->frame.plane[p] = g->memory[p] + (ptrdiff_t)stride * GUARD_ROWS;
        for (int y = 0; y < rows; y++)
            memset(g->frame.plane[p] + (ptrdiff_t)y * stride, ground[p],
                   (size_t)guarded_width(&g->frame, p));
    }
}

/* True when no byte outside the picture was written. */
static inline bool guarded_intact(const struct guarded *g)
{
    for (int p = 0; p < FRAME_PLANES; p++) {
        int stride = g->frame.stride[p];
        for (size_t i = 0; i < g->size[p]; i++) {
            int y = (int)(i / (size_t)stride) - GUARD_ROWS, x = (int)(i % (size_t)stride);
            bool inside =
                y >= 0 && y < guarded_height(&g->frame, p) && x < guarded_width(&g->frame, p);
            if (!inside && g->memory[p][i] != GUARD)
                return false;
        }
    }
    return true;
}

/* How many luma pixels of the area [x0,x1) x [y0,y1) are no longer ground. */
static inline int guarded_changed(const struct guarded *g, int x0, int y0, int x1, int y1)
{
    int changed = 0;
    for (int y = y0 < 0 ? 0 : y0; y < y1 && y < g->frame.height; y++)
        for (int x = x0 < 0 ? 0 : x0; x < x1 && x < g->frame.width; x++)
            changed += g->frame.plane[0][y * g->frame.stride[0] + x] != GROUND_Y;
    return changed;
}

static inline int guarded_changed_all(const struct guarded *g)
{
    return guarded_changed(g, 0, 0, g->frame.width, g->frame.height);
}

static inline void guarded_close(struct guarded *g)
{
    for (int p = 0; p < FRAME_PLANES; p++)
        free(g->memory[p]);
}

#endif
