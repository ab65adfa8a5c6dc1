/* Which of two a viewer is shown: video, or vectors, the records of pictures alone
 * (core/metadata.h), where its path does not carry even the lowest video. A page draws them as a
 * schematic.
 *
 * Down when less than three quarters of the lowest video arrived for four seconds, or less than
 * half of it for two, although more was to be sent; and something did arrive: an outage is none of
 * its business. Such a path shows video that is seconds old. Up after a probe: padding at less than
 * the lowest video takes, then at a quarter more than that, the second only when the first came
 * through without a queue. So a path that is still narrow is tried at the cost of one small burst
 * each TIER_PROBE_PAUSE_US; one whose return was a mistake, twice as late each time.
 *
 * Pure: time is an argument. */
#ifndef OW_RTC_TIER_H
#define OW_RTC_TIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TIER_LOWEST_MIN_BPS = 20000,  /* of the lowest video: less is none, … */
    TIER_LOWEST_MAX_BPS = 100000, /* … more is not the path's fault */
    TIER_STEP_US = 100000,
    TIER_STEPS = 40, /* that are looked at */
    TIER_PADDING_BYTES = 255,
    TIER_PROBE_PAUSE_US = 4000000,
    TIER_PROBE_MAX_PAUSE_US = 32000000,
};

/* What the session knows at a moment. */
struct tier_input {
    int lowest_bps;         /* of the lowest video, headers included */
    bool possible;          /* the viewer draws vectors, and there is something to draw */
    bool choked;            /* pictures wait or get lost because the path is full */
    int64_t queue_us;       /* how long the newest packet waited on the path */
    uint64_t arrived_bytes; /* of video and padding, since the beginning */
};

struct tier {
    bool vector; /* vectors are shown */
    int lowest_bps;
    bool narrow; /* vectors would be shown if that were possible */

    /* the last steps */
    int64_t step_us; /* when the step under way began; INT64_MIN = none has */
    uint64_t arrived[TIER_STEPS];
    uint64_t choked; /* a bit for each, the newest lowest */
    uint64_t moving; /* choked, and yet something arrived */
    int steps;       /* how many are known */
    bool choked_now;

    /* the way back */
    int64_t changed_us; /* since when this tier is shown */
    int64_t pause_us;   /* before a probe */
    int64_t probe_us;   /* when to probe next, or when the stage under way began */
    int stage;          /* of the probe; 0 = none is under way */
    int packets;        /* of the stage that have left */
    size_t bytes;       /* that they had */
    uint64_t arrived_before;
};

void tier_init(struct tier *tier, int64_t now_us);
/* To be called whenever something happened, and at tier_deadline(). True when the tier changed. */
bool tier_update(struct tier *tier, int64_t now_us, const struct tier_input *input);
/* Is a packet of padding to leave now? */
bool tier_wants_padding(const struct tier *tier, int64_t now_us);
void tier_padding_sent(struct tier *tier, size_t bytes);
/* When to call next; INT64_MAX = when something happens. */
int64_t tier_deadline(const struct tier *tier);

#endif
