#include "core/detections.h"

#include "core/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int label_set_create(struct label_set **out, const char *const *names, int count)
{
    if (count < 0)
        return OW_EINVAL;
    struct label_set *labels = calloc(1, sizeof *labels);
    if (!labels)
        return OW_ENOMEM;
    atomic_init(&labels->refs, 1);
    labels->names = calloc((size_t)count + 1, sizeof *labels->names);
    if (!labels->names)
        goto fail;
    for (int i = 0; i < count; i++) {
        labels->names[i] = strdup(names[i]);
        if (!labels->names[i])
            goto fail;
        labels->count++;
    }
    *out = labels;
    return OW_OK;
fail:
    label_set_unref(&labels);
    return OW_ENOMEM;
}

struct label_set *label_set_ref(struct label_set *labels)
{
    if (labels)
        atomic_fetch_add_explicit(&labels->refs, 1, memory_order_relaxed);
    return labels;
}

void label_set_unref(struct label_set **labels)
{
    struct label_set *l = *labels;
    *labels = NULL;
    if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < l->count; i++)
        free(l->names[i]);
    free(l->names);
    free(l);
}

const char *label_set_name(const struct label_set *labels, int class_id, char scratch[16])
{
    if (labels && class_id >= 0 && class_id < labels->count)
        return labels->names[class_id];
    snprintf(scratch, 16, "class %d", class_id);
    return scratch;
}

int detections_create(struct detections **out, int count, struct label_set *labels)
{
    if (count < 0)
        return OW_EINVAL;
    struct detections *d = calloc(1, sizeof *d + (size_t)count * sizeof d->items[0]);
    if (!d)
        return OW_ENOMEM;
    atomic_init(&d->refs, 1);
    d->labels = label_set_ref(labels);
    d->count = count;
    *out = d;
    return OW_OK;
}

int detections_create_like(struct detections **out, const struct detections *from, int count)
{
    struct detections *made = NULL;
    int rc = detections_create(&made, count, from->labels);
    if (rc < 0)
        return rc;
    made->source_width = from->source_width;
    made->source_height = from->source_height;
    made->frame_sequence = from->frame_sequence;
    made->capture_us = from->capture_us;
    made->infer_start_us = from->infer_start_us;
    made->infer_end_us = from->infer_end_us;
    made->seen_us = from->seen_us;
    made->count = 0;
    *out = made;
    return OW_OK;
}

void detections_append(struct detections *detections, const struct detection *item)
{
    struct detection *copy = &detections->items[detections->count++];
    *copy = *item;
    object_shape_ref(copy->shape);
}

struct keypoint keypoint_in_box(const struct detection *item, float x, float y, float score)
{
    static const float far = 10;
    float across = (x - item->x1) / (item->x2 - item->x1);
    float down = (y - item->y1) / (item->y2 - item->y1);
    /* Written so that a NaN fails. */
    if (!(fabsf(across) <= far && fabsf(down) <= far && score > 0))
        return (struct keypoint){0, 0, 0};
    return (struct keypoint){across, down, fminf(score, 1)};
}

void detections_clear(struct detections *detections)
{
    for (int i = 0; i < detections->count; i++)
        object_shape_unref(&detections->items[i].shape);
    detections->count = 0;
}

struct detections *detections_ref(struct detections *detections)
{
    if (detections)
        atomic_fetch_add_explicit(&detections->refs, 1, memory_order_relaxed);
    return detections;
}

void detections_unref(struct detections **detections)
{
    struct detections *d = *detections;
    *detections = NULL;
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
        return;
    detections_clear(d);
    label_set_unref(&d->labels);
    free(d);
}
