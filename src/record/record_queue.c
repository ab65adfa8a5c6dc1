#include "record/record_queue.h"

#include <stdlib.h>
#include <string.h>

/* What an item alone keeps in memory. Masks are the most that can be said of an object. */
static size_t size_of(const struct record_item *item)
{
    const struct detections *seen = item->seen;
    size_t size = sizeof *item + item->unit->size + (item->zones ? strlen(item->zones) + 1 : 0);
    for (int i = 0; seen && i < seen->count; i++) {
        const struct object_shape *shape = seen->items[i].shape;
        size += sizeof seen->items[i];
        if (shape)
            size += (size_t)shape->mask_width * (size_t)shape->mask_height +
                    (size_t)shape->keypoint_count * sizeof shape->keypoints[0];
    }
    return size;
}

bool record_item_copy(struct record_item *out, const struct record_item *item)
{
    char *zones = item->zones ? strdup(item->zones) : NULL;
    if (item->zones && !zones)
        return false;
    *out = *item;
    out->next = NULL;
    out->zones = zones;
    (void)encoded_ref(item->unit);
    if (item->seen)
        (void)detections_ref(item->seen);
    if (item->places)
        (void)shared_text_ref(item->places);
    if (item->look)
        (void)shared_text_ref(item->look);
    return true;
}

void record_item_clear(struct record_item *item)
{
    encoded_unref(&item->unit);
    detections_unref(&item->seen);
    shared_text_unref(&item->places);
    shared_text_unref(&item->look);
    free(item->zones);
    item->zones = NULL;
}

void record_item_free(struct record_item **item)
{
    struct record_item *self = *item;
    *item = NULL;
    if (!self)
        return;
    record_item_clear(self);
    free(self);
}

void record_queue_append(struct record_queue *queue, struct record_item *item)
{
    item->next = NULL;
    if (queue->last)
        queue->last->next = item;
    else
        queue->first = item;
    queue->last = item;
    queue->bytes += size_of(item);
    queue->count++;
}

bool record_queue_put(struct record_queue *queue, const struct record_item *item, size_t max_bytes)
{
    bool follows = queue->lost == 0 || item->unit->key;
    bool fits = queue->bytes + size_of(item) <= max_bytes;
    struct record_item *copy = follows && fits ? malloc(sizeof *copy) : NULL;
    if (!copy || !record_item_copy(copy, item)) {
        free(copy);
        queue->lost++;
        return false;
    }
    copy->lost = queue->lost;
    queue->lost = 0;
    record_queue_append(queue, copy);
    return true;
}

struct record_item *record_queue_take(struct record_queue *queue)
{
    struct record_item *item = queue->first;
    if (!item)
        return NULL;
    queue->first = item->next;
    if (!queue->first)
        queue->last = NULL;
    item->next = NULL;
    queue->bytes -= size_of(item);
    queue->count--;
    return item;
}

static void drop_first(struct record_queue *queue)
{
    struct record_item *item = record_queue_take(queue);
    record_item_free(&item);
}

/* The last picture of the first group. */
static const struct record_item *group_end(const struct record_queue *queue)
{
    const struct record_item *item = queue->first;
    while (item->next && !item->next->unit->key)
        item = item->next;
    return item;
}

static void drop_group(struct record_queue *queue)
{
    do
        drop_first(queue);
    while (queue->first && !queue->first->unit->key);
}

void record_queue_trim(struct record_queue *queue, int64_t from_us, size_t max_bytes)
{
    if (queue->first && !queue->first->unit->key)
        drop_group(queue);
    while (queue->first &&
           (group_end(queue)->unit->capture_us < from_us || queue->bytes > max_bytes))
        drop_group(queue);
}

void record_queue_clear(struct record_queue *queue)
{
    while (queue->first)
        drop_first(queue);
    queue->lost = 0;
}
