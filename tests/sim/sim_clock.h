/* The virtual clock of a simulation: events in order of time, and of insertion when they fall on
 * the same microsecond, so that a run is repeated exactly. */
#ifndef OW_TESTS_SIM_CLOCK_H
#define OW_TESTS_SIM_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct sim_event {
    int64_t at_us;
    uint64_t order;
    void (*run)(void *context, void *argument);
    void *context, *argument;
};

struct sim_clock {
    int64_t now_us;
    uint64_t next_order;
    struct sim_event *heap;
    int count, capacity;
};

/* Runs `run` at `at_us`, or at once after the present event when that has passed. Whoever is still
 * referred to when sim_clock_clear() is called must not be used by `run` any more: pending events
 * are dropped without being run. */
void sim_at(struct sim_clock *clock, int64_t at_us, void (*run)(void *context, void *argument),
            void *context, void *argument);
void sim_run_until(struct sim_clock *clock, int64_t until_us);
/* Drops what is pending; `drop` (may be NULL) is called for each. */
void sim_clock_clear(struct sim_clock *clock, void (*drop)(const struct sim_event *event));

/* Memory of a given size, zeroed; ends the program when there is none. */
void *sim_alloc(size_t size);

#endif
