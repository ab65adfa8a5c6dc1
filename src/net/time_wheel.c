#include "net/time_wheel.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The level of an entry is the highest group of six bits in which its tick differs from the
 * wheel's. So all entries of a level lie before those of the next one, and before the wheel's tick
 * enters a slot of a higher level, that slot's entries are dealt out to the lower levels. */

void time_wheel_init(struct time_wheel *wheel, int64_t now_us)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = now_us >> TIME_WHEEL_SHIFT;
}

static int level_of(uint64_t difference)
{
    if (difference == 0)
        return 0;
    int level = (63 - __builtin_clzll(difference)) / TIME_WHEEL_LEVEL_BITS;
    return level;
}

static void insert(struct time_wheel *wheel, struct time_wheel_entry *entry)
{
    int64_t tick = entry->due_us >> TIME_WHEEL_SHIFT;
    if (tick < wheel->tick)
        tick = wheel->tick;
    int level = level_of((uint64_t)(tick ^ wheel->tick));
    int slot;
    if (level >= TIME_WHEEL_LEVELS) { /* too far: looked at again when the last slot's turn comes */
        level = TIME_WHEEL_LEVELS - 1;
        slot = TIME_WHEEL_SLOTS - 1;
    } else {
        slot = (int)(tick >> (level * TIME_WHEEL_LEVEL_BITS)) & (TIME_WHEEL_SLOTS - 1);
    }
    struct time_wheel_entry **head = &wheel->slots[level][slot];
    entry->level = (uint8_t)level;
    entry->slot = (uint8_t)slot;
    entry->next = *head;
    entry->link = head;
    if (entry->next)
        entry->next->link = &entry->next;
    *head = entry;
    wheel->used[level] |= (uint64_t)1 << slot;
}

void time_wheel_remove(struct time_wheel *wheel, struct time_wheel_entry *entry)
{
    if (!entry->link)
        return;
    *entry->link = entry->next;
    if (entry->next)
        entry->next->link = entry->link;
    entry->link = NULL;
    entry->next = NULL;
    if (!wheel->slots[entry->level][entry->slot])
        wheel->used[entry->level] &= ~((uint64_t)1 << entry->slot);
}

void time_wheel_set(struct time_wheel *wheel, struct time_wheel_entry *entry, int64_t due_us)
{
    if (entry->link && entry->due_us == due_us)
        return;
    time_wheel_remove(wheel, entry);
    if (due_us == INT64_MAX)
        return;
    entry->due_us = due_us;
    insert(wheel, entry);
}

/* The first slot that has entries and the tick at which it begins; false = none. */
static bool first_slot(const struct time_wheel *wheel, int *level, int *slot, int64_t *start)
{
    for (*level = 0; *level < TIME_WHEEL_LEVELS; (*level)++)
        if (wheel->used[*level])
            break;
    if (*level == TIME_WHEEL_LEVELS)
        return false;
    *slot = __builtin_ctzll(wheel->used[*level]);
    int shift = *level * TIME_WHEEL_LEVEL_BITS;
    int64_t group = wheel->tick >> (shift + TIME_WHEEL_LEVEL_BITS);
    *start = (group << (shift + TIME_WHEEL_LEVEL_BITS)) + ((int64_t)*slot << shift);
    return true;
}

static void deal_out(struct time_wheel *wheel, int level, int slot)
{
    struct time_wheel_entry *entry = wheel->slots[level][slot];
    wheel->slots[level][slot] = NULL;
    wheel->used[level] &= ~((uint64_t)1 << slot);
    while (entry) {
        struct time_wheel_entry *next = entry->next;
        insert(wheel, entry);
        entry = next;
    }
}

static struct time_wheel_entry *take_due(struct time_wheel *wheel, int slot, int64_t now_us)
{
    for (struct time_wheel_entry *i = wheel->slots[0][slot]; i; i = i->next)
        if (i->due_us <= now_us) {
            time_wheel_remove(wheel, i);
            return i;
        }
    return NULL;
}

struct time_wheel_entry *time_wheel_pop(struct time_wheel *wheel, int64_t now_us)
{
    int64_t now_tick = now_us >> TIME_WHEEL_SHIFT;
    int level, slot;
    int64_t start;
    while (first_slot(wheel, &level, &slot, &start) && start <= now_tick) {
        if (start > wheel->tick)
            wheel->tick = start;
        if (level == 0)
            return take_due(wheel, slot, now_us);
        deal_out(wheel, level, slot);
    }
    if (now_tick > wheel->tick)
        wheel->tick = now_tick;
    return NULL;
}

int64_t time_wheel_next(const struct time_wheel *wheel)
{
    int level, slot;
    int64_t start;
    if (!first_slot(wheel, &level, &slot, &start))
        return INT64_MAX;
    if (level > 0)
        return start << TIME_WHEEL_SHIFT;
    int64_t first_us = INT64_MAX;
    for (const struct time_wheel_entry *i = wheel->slots[0][slot]; i; i = i->next)
        first_us = i->due_us < first_us ? i->due_us : first_us;
    return first_us;
}
