/* Lets through at most a given number of pictures a second, evenly, without clock or memory. */
#ifndef OW_WORKFLOW_RATE_GATE_H
#define OW_WORKFLOW_RATE_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate_gate {
    int64_t due_us; /* 0 = nothing has passed yet */
};

/* May a picture that is there at now_us pass at up to max_fps? A quarter of an interval of jitter
 * is forgiven, so that a source at just that rate loses nothing. */
static inline bool rate_gate_pass(struct rate_gate *gate, int64_t now_us, double max_fps)
{
    if (max_fps <= 0)
        return false;
    int64_t interval_us = (int64_t)(1e6 / max_fps);
    if (gate->due_us != 0 && now_us < gate->due_us - interval_us / 4)
        return false;
    int64_t next_us = gate->due_us + interval_us;
    gate->due_us = next_us > now_us ? next_us : now_us + interval_us;
    return true;
}

#endif
