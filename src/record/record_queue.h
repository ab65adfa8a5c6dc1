/* Encoded pictures in order, with what the model saw in them: the way to the thread that writes
 * them, and the ring of the last seconds. Pure: no lock, no clock.
 *
 * Pictures depend on those before them up to a key frame, so they leave in groups: a queue that is
 * full takes nothing until a key frame fits, a ring loses its oldest group. */
#ifndef OW_RECORD_RECORD_QUEUE_H
#define OW_RECORD_RECORD_QUEUE_H

#include "core/detections.h"
#include "core/encoded.h"
#include "core/shared_text.h"

struct record_item {
    struct record_item *next;
    struct encoded *unit;       /* own reference */
    struct detections *seen;    /* own reference, NULL = none */
    char *zones;                /* own: what zones counted, JSON; NULL = none */
    struct shared_text *places; /* own reference: where zones are, JSON; NULL = not known */
    struct shared_text *look;   /* the same: how it is to be drawn */
    bool predicted;             /* the boxes were moved forward to this picture */
    unsigned lost;              /* pictures that are missing in front of this one */
};

/* Zero-initialised is empty. */
struct record_queue {
    struct record_item *first, *last;
    size_t bytes; /* of all its items */
    int count;
    unsigned lost; /* pictures since the last one that was taken */
};

/* Takes references and a copy of its own of what the item has. Without room (`max_bytes` in all) or
 * memory, and behind a picture that was lost, false: it counts as lost. */
bool record_queue_put(struct record_queue *queue, const struct record_item *item, size_t max_bytes);
/* The oldest, the caller's; NULL = empty. */
struct record_item *record_queue_take(struct record_queue *queue);
/* Appends one that was taken from another. */
void record_queue_append(struct record_queue *queue, struct record_item *item);
/* Loses the oldest groups that are all from before `from_us` (of capture), and as many more as it
 * takes to have `max_bytes` at most. What is left begins with a key frame. */
void record_queue_trim(struct record_queue *queue, int64_t from_us, size_t max_bytes);
void record_queue_clear(struct record_queue *queue);

/* References and a copy of what another has; false without memory. */
bool record_item_copy(struct record_item *out, const struct record_item *item);
void record_item_clear(struct record_item *item);
void record_item_free(struct record_item **item);

#endif
