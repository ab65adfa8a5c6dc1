#include "core/frame.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 32 };

static size_t align_up(size_t value)
{
    return (value + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static void release_owned(struct frame *frame)
{
    free(frame->opaque);
    free(frame);
}

int frame_create(struct frame **out, int width, int height)
{
    if (width < 1 || height < 1 || width > FRAME_MAX_SIDE || height > FRAME_MAX_SIDE)
        return OW_EINVAL;
    size_t luma_stride = align_up((size_t)width);
    size_t chroma_stride = align_up((size_t)chroma_size(width));
    size_t luma_bytes = luma_stride * (size_t)height;
    size_t chroma_bytes = chroma_stride * (size_t)chroma_size(height);

    struct frame *frame = calloc(1, sizeof *frame);
    uint8_t *pixels = aligned_alloc(ALIGNMENT, luma_bytes + 2 * chroma_bytes);
    if (!frame || !pixels) {
        free(frame);
        free(pixels);
        return OW_ENOMEM;
    }
    atomic_init(&frame->refs, 1);
    frame->width = width;
    frame->height = height;
    frame->plane[0] = pixels;
    frame->plane[1] = pixels + luma_bytes;
    frame->plane[2] = pixels + luma_bytes + chroma_bytes;
    frame->stride[0] = (int)luma_stride;
    frame->stride[1] = frame->stride[2] = (int)chroma_stride;
    frame->opaque = pixels;
    frame->release = release_owned;
    *out = frame;
    return OW_OK;
}

static void copy_plane(uint8_t *to, int to_stride, const uint8_t *from, int from_stride, int width,
                       int height)
{
    for (int row = 0; row < height; row++)
        memcpy(to + (ptrdiff_t)row * to_stride, from + (ptrdiff_t)row * from_stride, (size_t)width);
}

int frame_copy(struct frame **out, const struct frame *from)
{
    struct frame *copy = NULL;
    int rc = frame_create(&copy, from->width, from->height);
    if (rc < 0)
        return rc;
    copy_plane(copy->plane[0], copy->stride[0], from->plane[0], from->stride[0], from->width,
               from->height);
    for (int i = 1; i < FRAME_PLANES; i++)
        copy_plane(copy->plane[i], copy->stride[i], from->plane[i], from->stride[i],
                   chroma_size(from->width), chroma_size(from->height));
    copy->full_range = from->full_range;
    copy->matrix = from->matrix;
    copy->sequence = from->sequence;
    copy->capture_us = from->capture_us;
    copy->stages = from->stages;
    *out = copy;
    return OW_OK;
}

struct frame *frame_ref(struct frame *frame)
{
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void frame_unref(struct frame **frame)
{
    struct frame *f = *frame;
    *frame = NULL;
    if (f && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
        f->release(f);
}
