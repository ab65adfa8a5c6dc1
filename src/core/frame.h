/* One picture on its way: reference counted, 8-bit 4:2:0 planar (I420).
 *
 * Stages share a frame read-only; a stage that draws takes its own copy with frame_copy(). All
 * functions may be called from any thread; the reference count is atomic, the pixels are not
 * guarded: whoever made the frame fills it before handing it on. */
#ifndef OW_CORE_FRAME_H
#define OW_CORE_FRAME_H

#include "core/stages.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_PLANES = 3, FRAME_MAX_SIDE = 8192 };

enum color_matrix { COLOR_BT601, COLOR_BT709 };

struct frame {
    atomic_int refs;
    int width, height;            /* luma pixels, 1..FRAME_MAX_SIDE, odd sizes allowed */
    uint8_t *plane[FRAME_PLANES]; /* Y, U, V; chroma is (width+1)/2 x (height+1)/2 */
    int stride[FRAME_PLANES];     /* bytes from one row to the next, >= the row's width */
    bool full_range;              /* luma 0..255 instead of 16..235 */
    enum color_matrix matrix;
    uint64_t sequence;  /* counts up by one per frame of a source */
    int64_t capture_us; /* when the frame was there to be read (CLOCK_MONOTONIC) */
    struct stage_times stages;
    void (*release)(struct frame *); /* frees pixels and struct when the last reference goes */
    void *opaque;                    /* for release */
};

/* A new frame with its own 32-byte aligned planes, strides padded to 32, one reference. Pixels are
 * not initialised. OW_EINVAL for a size out of range, OW_ENOMEM. */
int frame_create(struct frame **out, int width, int height);

/* A frame with the same pixels and stamps, owned alone by the caller. */
int frame_copy(struct frame **out, const struct frame *from);

/* A part of a frame as a frame of its own, to draw on or copy into: the planes are those of
 * `frame`, lent as long as that lives, and it has its capture time. It is not counted: no
 * references to it. x and y are even; the part lies within. */
void frame_window(struct frame *out, const struct frame *frame, int x, int y, int width,
                  int height);
/* Copies the pixels of a frame of the same size. */
void frame_paste(struct frame *to, const struct frame *from);
/* Stamps, range and matrix, but no pixels. */
void frame_copy_stamps(struct frame *to, const struct frame *from);

struct frame *frame_ref(struct frame *frame);

/* Drops the caller's reference and sets *frame to NULL; NULL is allowed. */
void frame_unref(struct frame **frame);

static inline int chroma_size(int luma_size)
{
    return (luma_size + 1) / 2;
}

#endif
