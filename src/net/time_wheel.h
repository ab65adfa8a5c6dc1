/* Deadlines of many: a hierarchical time wheel (Varghese and Lauck 1987). Setting, moving and
 * removing a deadline cost the same however many there are, and a look at the wheel touches only
 * what is due. Slots are 256 µs wide; within a slot deadlines are exact.
 *
 * Entries are embedded in what waits and belong to the caller; one that is in the wheel must not
 * move or be freed. Not thread-safe. */
#ifndef OW_NET_TIME_WHEEL_H
#define OW_NET_TIME_WHEEL_H

#include <stdint.h>

enum {
    TIME_WHEEL_SHIFT = 8,      /* a tick is 2^8 µs */
    TIME_WHEEL_LEVEL_BITS = 6, /* 64 slots, one bit each in a mask */
    TIME_WHEEL_SLOTS = 1 << TIME_WHEEL_LEVEL_BITS,
    TIME_WHEEL_LEVELS = 6, /* 2^36 ticks: 203 days ahead; what is later is looked at then */
};

/* All zero = in no wheel. */
struct time_wheel_entry {
    struct time_wheel_entry *next, **link; /* link: what points at this entry, NULL = not in */
    int64_t due_us;
    uint8_t level, slot;
};

struct time_wheel {
    int64_t tick; /* everything before it is over */
    uint64_t used[TIME_WHEEL_LEVELS];
    struct time_wheel_entry *slots[TIME_WHEEL_LEVELS][TIME_WHEEL_SLOTS];
};

void time_wheel_init(struct time_wheel *wheel, int64_t now_us);
/* Puts the entry in, or moves it; INT64_MAX takes it out. A time gone by is due at once. */
void time_wheel_set(struct time_wheel *wheel, struct time_wheel_entry *entry, int64_t due_us);
void time_wheel_remove(struct time_wheel *wheel, struct time_wheel_entry *entry);
/* Takes out an entry that is due by now_us; NULL when none is. Those of one slot come in no order.
 */
struct time_wheel_entry *time_wheel_pop(struct time_wheel *wheel, int64_t now_us);
/* When to call time_wheel_pop() next: the first deadline, or earlier when that is more than a
 * slot's turn away. INT64_MAX = the wheel is empty. */
int64_t time_wheel_next(const struct time_wheel *wheel);

#endif
