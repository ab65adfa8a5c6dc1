#include "core/frame.h"

#include "core/error.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 32, POOL_SLOTS = 8 };

/* Pixel buffers of frames that are gone, kept for the next ones: fresh memory costs a page fault
 * every 4 KiB, and the allocator would hoard what it is given back in each thread's arena. */
static struct pool {
    pthread_mutex_t lock;
    int count;
    struct {
        size_t bytes;
        void *pixels;
    } slots[POOL_SLOTS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *pool_take(size_t bytes)
{
    void *pixels = NULL;
    pthread_mutex_lock(&pool.lock);
    for (int i = pool.count - 1; i >= 0 && !pixels; i--) {
        if (pool.slots[i].bytes != bytes)
            continue;
        pixels = pool.slots[i].pixels;
        pool.slots[i] = pool.slots[--pool.count];
    }
    pthread_mutex_unlock(&pool.lock);
    return pixels ? pixels : aligned_alloc(ALIGNMENT, bytes);
}

/* The oldest buffer makes room, so that sizes no longer in use fade out. */
static void pool_give(void *pixels, size_t bytes)
{
    void *oldest = NULL;
    pthread_mutex_lock(&pool.lock);
    if (pool.count == POOL_SLOTS) {
        oldest = pool.slots[0].pixels;
        memmove(pool.slots, pool.slots + 1, sizeof pool.slots - sizeof pool.slots[0]);
        pool.count--;
    }
    pool.slots[pool.count].bytes = bytes;
    pool.slots[pool.count++].pixels = pixels;
    pthread_mutex_unlock(&pool.lock);
    free(oldest);
}

static size_t align_up(size_t value)
{
    return (value + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static size_t pixel_bytes(const struct frame *frame)
{
    return (size_t)frame->stride[0] * (size_t)frame->height +
           2 * (size_t)frame->stride[1] * (size_t)chroma_size(frame->height);
}

static void release_owned(struct frame *frame)
{
    pool_give(frame->opaque, pixel_bytes(frame));
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
    uint8_t *pixels = frame ? pool_take(luma_bytes + 2 * chroma_bytes) : NULL;
    if (!frame || !pixels) {
        free(frame);
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

void frame_paste(struct frame *to, const struct frame *from)
{
    assert(to->width == from->width && to->height == from->height);
    copy_plane(to->plane[0], to->stride[0], from->plane[0], from->stride[0], from->width,
               from->height);
    for (int i = 1; i < FRAME_PLANES; i++)
        copy_plane(to->plane[i], to->stride[i], from->plane[i], from->stride[i],
                   chroma_size(from->width), chroma_size(from->height));
}

void frame_copy_stamps(struct frame *to, const struct frame *from)
{
    to->full_range = from->full_range;
    to->matrix = from->matrix;
    to->sequence = from->sequence;
    to->capture_us = from->capture_us;
    to->stages = from->stages;
}

int frame_copy(struct frame **out, const struct frame *from)
{
    struct frame *copy = NULL;
    int rc = frame_create(&copy, from->width, from->height);
    if (rc < 0)
        return rc;
    frame_paste(copy, from);
    frame_copy_stamps(copy, from);
    *out = copy;
    return OW_OK;
}

void frame_window(struct frame *out, const struct frame *frame, int x, int y, int width, int height)
{
    assert(x >= 0 && y >= 0 && x % 2 == 0 && y % 2 == 0 && width > 0 && height > 0);
    assert(x + width <= frame->width && y + height <= frame->height);
    *out = (struct frame){
        .width = width,
        .height = height,
        .full_range = frame->full_range,
        .matrix = frame->matrix,
        .capture_us = frame->capture_us,
    };
    for (int i = 0; i < FRAME_PLANES; i++) {
        int down = i ? 2 : 1;
        out->stride[i] = frame->stride[i];
        out->plane[i] = frame->plane[i] + (ptrdiff_t)(y / down) * frame->stride[i] + x / down;
    }
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
