/* Counts events and tells their rate: over about the last second, or from one to the next where
 * they are further apart than that. */
#ifndef OW_WORKFLOW_METER_H
#define OW_WORKFLOW_METER_H

#include <stdint.h>

/* Zero-initialised. What is counted may come in lots, like bits. */
struct meter {
    int64_t since_us, last_us; /* of the event that the window begins with, and of the last one */
    int events, count;         /* in the window, without the one that it begins with; in lots */
    int last;                  /* the last lot */
    int64_t apart_us;          /* of lots in the window before, 0 = there was none */
    double per_second;         /* in that window */
};

enum {
    METER_WINDOW_US = 1000000,
    METER_SILENCE_US = 3000000,  /* no event for longer than this is no rate, */
    METER_SLOWEST_US = 60000000, /* but the first two may be so far apart */
};

static inline int64_t meter_patience_us(const struct meter *meter)
{
    return meter->apart_us > 0 ? METER_SILENCE_US + 2 * meter->apart_us : METER_SLOWEST_US;
}

static inline void meter_add(struct meter *meter, int64_t now_us, int events)
{
    int64_t elapsed_us = now_us - meter->since_us;
    if (meter->since_us == 0 || now_us - meter->last_us > meter_patience_us(meter)) {
        *meter = (struct meter){.since_us = now_us};
    } else {
        meter->events += events;
        meter->count++;
        if (elapsed_us >= METER_WINDOW_US) {
            meter->per_second = meter->events * 1e6 / (double)elapsed_us;
            meter->apart_us = elapsed_us / meter->count;
            meter->since_us = now_us;
            meter->events = meter->count = 0;
        }
    }
    meter->last_us = now_us;
    meter->last = events;
}

static inline void meter_count(struct meter *meter, int64_t now_us)
{
    meter_add(meter, now_us, 1);
}

static inline double meter_rate(const struct meter *meter, int64_t now_us)
{
    if (now_us - meter->last_us > meter_patience_us(meter))
        return 0;
    /* It cannot be more than if the next one came now. */
    int64_t elapsed_us = now_us - meter->since_us;
    double most = elapsed_us < METER_WINDOW_US
                      ? meter->per_second
                      : (meter->events + meter->last) * 1e6 / (double)elapsed_us;
    return most < meter->per_second ? most : meter->per_second;
}

#endif
