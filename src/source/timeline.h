/* When a frame with a time stamp is to be shown, and whether it has come late. Pure. Internal. */
#ifndef OW_SOURCE_TIMELINE_H
#define OW_SOURCE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

/* Plays media time on the clock. Zero-initialised but for speed and interval_us. */
struct timeline {
    double speed;
    int64_t interval_us; /* of two frames on the clock, where a jump has to be bridged */
    bool started;
    int64_t media_origin_us, clock_origin_us;
    int64_t last_media_us, last_due_us;
};

/* The clock time at which the frame with `media_us` is due. A jump of the time stamps (the loop's
 * start, a cut) follows on after one interval; a player that fell far behind starts anew from now
 * instead of hurrying. */
int64_t timeline_due(struct timeline *timeline, int64_t media_us, int64_t now_us);

/* How late live frames come, compared with the least that was seen. Zero-initialised. */
struct lateness {
    bool started;
    int64_t base_us; /* least difference of clock and media time */
    int64_t last_media_us;
};

/* Microseconds that this frame is later than the best of its kind; >= 0. A jump of the time stamps
 * starts anew. The base gives way slowly, since the sender's clock is not ours. */
int64_t lateness_of(struct lateness *lateness, int64_t media_us, int64_t now_us);

#endif
