#include "core/object_shape.h"

#include "core/error.h"

#include <stdbool.h>
#include <stdlib.h>

int object_shape_create(struct object_shape **out, int mask_width, int mask_height,
                        int keypoint_count)
{
    if (mask_width < 0 || mask_width > MASK_SIDE_MAX || mask_height < 0 ||
        mask_height > MASK_SIDE_MAX || (mask_width == 0) != (mask_height == 0) ||
        keypoint_count < 0 || keypoint_count > KEYPOINTS_MAX)
        return OW_EINVAL;
    size_t keypoint_bytes = (size_t)keypoint_count * sizeof(struct keypoint);
    size_t cells = (size_t)mask_width * (size_t)mask_height;
    struct object_shape *shape = calloc(1, sizeof *shape + keypoint_bytes + cells);
    if (!shape)
        return OW_ENOMEM;
    atomic_init(&shape->refs, 1);
    shape->mask_width = mask_width;
    shape->mask_height = mask_height;
    shape->keypoint_count = keypoint_count;
    shape->keypoints = (struct keypoint *)(shape + 1);
    shape->mask = (uint8_t *)shape->keypoints + keypoint_bytes;
    *out = shape;
    return OW_OK;
}

struct object_shape *object_shape_ref(struct object_shape *shape)
{
    if (shape)
        atomic_fetch_add_explicit(&shape->refs, 1, memory_order_relaxed);
    return shape;
}

void object_shape_unref(struct object_shape **shape)
{
    struct object_shape *s = *shape;
    *shape = NULL;
    if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
        free(s);
}

size_t object_shape_runs(const struct object_shape *shape, uint32_t *runs, size_t room)
{
    size_t count = 0;
    uint32_t length = 0;
    bool inside = false;
    for (int x = 0; x < shape->mask_width; x++) {
        for (int y = 0; y < shape->mask_height; y++) {
            bool cell = shape->mask[y * shape->mask_width + x] >= MASK_INSIDE;
            if (cell != inside) {
                if (count < room)
                    runs[count] = length;
                count++;
                inside = cell;
                length = 0;
            }
            length++;
        }
    }
    if (length > 0 && count++ < room)
        runs[count - 1] = length;
    return count;
}
