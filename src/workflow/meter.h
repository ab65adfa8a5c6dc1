/* Counts events and tells their rate over about the last second. */
#ifndef OW_WORKFLOW_METER_H
#define OW_WORKFLOW_METER_H

#include <stdint.h>

struct meter {
    int64_t window_start_us;
    int events;
    double per_second;
};

static inline void meter_settle(struct meter *meter, int64_t now_us)
{
    int64_t elapsed_us = now_us - meter->window_start_us;
    if (elapsed_us < 1000000)
        return;
    /* The first window starts with the first event; a silence of two windows means no rate. */
    meter->per_second = meter->window_start_us != 0 && elapsed_us < 3000000
                            ? meter->events * 1e6 / (double)elapsed_us
                            : 0;
    meter->window_start_us = now_us;
    meter->events = 0;
}

static inline void meter_add(struct meter *meter, int64_t now_us, int events)
{
    meter_settle(meter, now_us);
    meter->events += events;
}

static inline void meter_count(struct meter *meter, int64_t now_us)
{
    meter_add(meter, now_us, 1);
}

static inline double meter_rate(struct meter *meter, int64_t now_us)
{
    meter_settle(meter, now_us);
    return meter->per_second;
}

#endif
