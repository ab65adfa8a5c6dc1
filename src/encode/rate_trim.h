/* Rate controls with a small buffer stay below their rate: libx264 with three frames' worth makes
 * 78 to 88 % of it (pedestrians at 960x540, 200 kbit/s to 2 Mbit/s), since what is never to be
 * exceeded is hardly ever met. A larger average rate beside the same limit would let it make up for
 * lost bits, and overshoot by a third just after a fall, when the path is full. So the encoder is
 * told a little more than is wanted, by what it was measured to leave. Internal to this room. */
#ifndef OW_ENCODE_RATE_TRIM_H
#define OW_ENCODE_RATE_TRIM_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialised, then rate_trim_reset(). */
struct rate_trim {
    double made, wanted, told; /* bits, the older the less they count */
    double factor;             /* 1 .. RATE_TRIM_MOST */
};

#define RATE_TRIM_MOST 1.25

void rate_trim_reset(struct rate_trim *trim);
/* A picture of `bytes` came out while `wanted_bps` at `fps` was aimed at. True when the factor has
 * changed enough to tell the encoder. */
bool rate_trim_add(struct rate_trim *trim, size_t bytes, double wanted_bps, double fps);

#endif
