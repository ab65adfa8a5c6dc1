/* A mailbox between two threads that keeps the latest item and counts what it replaced. It is the
 * only thing that stands between stages: there is no queue of frames anywhere. */
#ifndef OW_CORE_MAILBOX_H
#define OW_CORE_MAILBOX_H

#include <stdint.h>

struct mailbox;

/* `drop` releases an item that is replaced, or left when the mailbox is destroyed. */
int mailbox_create(struct mailbox **out, void (*drop)(void *item));

/* Gives the item to the mailbox, dropping one that nobody took. Never blocks for long; after
 * mailbox_close() the item is dropped at once. Any thread. */
void mailbox_put(struct mailbox *mailbox, void *item);

/* Waits for an item until deadline_us (clock_now_us() base; 0 = do not wait, INT64_MAX = forever).
 * Returns OW_OK with the item, OW_EAGAIN when time ran out or mailbox_wake() was called,
 * OW_ECLOSED. */
int mailbox_take(struct mailbox *mailbox, int64_t deadline_us, void **item);

/* Makes a waiting mailbox_take() return OW_EAGAIN, so that its thread looks at its commands. */
void mailbox_wake(struct mailbox *mailbox);

/* Every later or waiting take returns OW_ECLOSED. */
void mailbox_close(struct mailbox *mailbox);

uint64_t mailbox_dropped(struct mailbox *mailbox);

void mailbox_destroy(struct mailbox **mailbox);

#endif
