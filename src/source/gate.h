/* Two reasons not to hand a frame on: there are more than wanted, or it is like the last one. */
#ifndef OW_SOURCE_GATE_H
#define OW_SOURCE_GATE_H

#include "core/frame.h"

#include <stdbool.h>
#include <stdint.h>

/* Lets at most `fps` frames a second pass, evenly, whatever the input's jitter. Zero-initialised
 * but for interval_us. */
struct fps_gate {
    int64_t interval_us; /* 0 = all pass */
    int64_t next_us;
};

void fps_gate_init(struct fps_gate *gate, double fps);
/* `time_us` on any steady scale; a step backwards or far ahead starts afresh. */
bool fps_gate_pass(struct fps_gate *gate, int64_t time_us);

enum { SIMILAR_COLUMNS = 64, SIMILAR_ROWS = 48 };

struct luma_grid {
    uint8_t at[SIMILAR_ROWS][SIMILAR_COLUMNS];
};

/* Remembers a coarse grid of the last frame that passed. Zero-initialised. */
struct similar_gate {
    int width, height; /* of the frame remembered; 0 = none */
    int64_t passed_us;
    struct luma_grid grid;
};

/* False for a frame that hardly differs from the last one that passed. One frame a second passes
 * in any case, so that what follows sees a living source. */
bool similar_gate_pass(struct similar_gate *gate, const struct frame *frame);

#endif
