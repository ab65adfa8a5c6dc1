#include "source/gate.h"

#include <stdlib.h>

enum { KEEP_ALIVE_US = 1000000 };
/* A grid point differs when it is off by more than coding noise; a picture differs when a handful
 * of its 3072 points do, or when all of it has shifted a little (dusk, exposure). */
enum { POINT_NOISE = 12, POINTS_ALIKE = 3, MEAN_SHIFT = 2 };

void fps_gate_init(struct fps_gate *gate, double fps)
{
    gate->interval_us = fps > 0 ? (int64_t)(1e6 / fps) : 0;
    gate->next_us = INT64_MIN;
}

bool fps_gate_pass(struct fps_gate *gate, int64_t time_us)
{
    if (gate->interval_us <= 0)
        return true;
    int64_t slack_us =
        gate->interval_us / 8; /* a frame a little early is that frame all the same */
    bool far = gate->next_us == INT64_MIN || time_us > gate->next_us + gate->interval_us ||
               time_us < gate->next_us - 2 * gate->interval_us;
    if (!far && time_us < gate->next_us - slack_us)
        return false;
    gate->next_us = (far ? time_us : gate->next_us) + gate->interval_us;
    return true;
}

static void sample_luma(struct luma_grid *grid, const struct frame *frame)
{
    for (int row = 0; row < SIMILAR_ROWS; row++) {
        ptrdiff_t y = (ptrdiff_t)(2 * row + 1) * frame->height / (2 * SIMILAR_ROWS);
        const uint8_t *line = frame->plane[0] + y * frame->stride[0];
        for (int column = 0; column < SIMILAR_COLUMNS; column++)
            grid->at[row][column] =
                line[(ptrdiff_t)(2 * column + 1) * frame->width / (2 * SIMILAR_COLUMNS)];
    }
}

static bool grids_alike(const struct luma_grid *a, const struct luma_grid *b)
{
    int differing = 0, shift = 0;
    for (int row = 0; row < SIMILAR_ROWS; row++) {
        for (int column = 0; column < SIMILAR_COLUMNS; column++) {
            int difference = a->at[row][column] - b->at[row][column];
            differing += abs(difference) > POINT_NOISE;
            shift += difference;
        }
    }
    return differing <= POINTS_ALIKE && abs(shift) <= MEAN_SHIFT * SIMILAR_ROWS * SIMILAR_COLUMNS;
}

bool similar_gate_pass(struct similar_gate *gate, const struct frame *frame)
{
    struct luma_grid grid;
    sample_luma(&grid, frame);
    if (gate->width == frame->width && gate->height == frame->height &&
        frame->capture_us - gate->passed_us < KEEP_ALIVE_US && grids_alike(&grid, &gate->grid))
        return false;
    gate->width = frame->width;
    gate->height = frame->height;
    gate->passed_us = frame->capture_us;
    gate->grid = grid;
    return true;
}
