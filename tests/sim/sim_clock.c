#include "sim_clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

void *sim_alloc(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        fprintf(stderr, "sim: out of memory\n");
        exit(1);
    }
    return memory;
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void sim_at(struct sim_clock *clock, int64_t at_us, void (*run)(void *context, void *argument),
            void *context, void *argument)
{
    if (clock->count == clock->capacity) {
        clock->capacity = clock->capacity == 0 ? 256 : clock->capacity * 2;
        clock->heap = realloc(clock->heap, (size_t)clock->capacity * sizeof(clock->heap[0]));
        if (clock->heap == NULL)
            exit(1);
    }
    struct sim_event event = {.at_us = at_us < clock->now_us ? clock->now_us : at_us,
                              .order = clock->next_order++,
                              .run = run,
                              .context = context,
                              .argument = argument};
    int at = clock->count++;
    for (; at > 0 && is_before(&event, &clock->heap[(at - 1) / 2]); at = (at - 1) / 2)
        clock->heap[at] = clock->heap[(at - 1) / 2];
    clock->heap[at] = event;
}

static struct sim_event take_first(struct sim_clock *clock)
{
    struct sim_event first = clock->heap[0], last = clock->heap[--clock->count];
    int at = 0;
    for (int child = 1; child < clock->count; child = 2 * at + 1) {
        if (child + 1 < clock->count && is_before(&clock->heap[child + 1], &clock->heap[child]))
            child++;
        if (!is_before(&clock->heap[child], &last))
            break;
        clock->heap[at] = clock->heap[child];
        at = child;
    }
    clock->heap[at] = last;
    return first;
}

void sim_run_until(struct sim_clock *clock, int64_t until_us)
{
    while (clock->count > 0 && clock->heap[0].at_us <= until_us) {
        struct sim_event event = take_first(clock);
        clock->now_us = event.at_us;
        event.run(event.context, event.argument);
    }
    clock->now_us = until_us;
}

void sim_clock_clear(struct sim_clock *clock, void (*drop)(const struct sim_event *event))
{
    for (int i = 0; drop != NULL && i < clock->count; i++)
        drop(&clock->heap[i]);
    free(clock->heap);
    *clock = (struct sim_clock){0};
}
