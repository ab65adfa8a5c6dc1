/* The zones of a picture: parts of it that are watched, or lines across it, and what was counted
 * there. As they are drawn and told; workflow/zone.h finds it out. */
#ifndef OW_CORE_ZONE_STATE_H
#define OW_CORE_ZONE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum { ZONE_STATES_MAX = 8, ZONE_STATE_POINTS_MAX = 64, ZONE_STATE_NAME_BYTES = 64 };

struct zone_state {
    char name[ZONE_STATE_NAME_BYTES]; /* UTF-8; "" = none */
    bool line;                        /* else an area */
    int count; /* of points: 3 or more, of a line 2; with fewer it is not drawn */
    struct zone_state_point {
        float x, y; /* 0..1 of the picture */
    } points[ZONE_STATE_POINTS_MAX];
    int inside;       /* of an area */
    uint64_t in, out; /* crossings of a line: to its right, seen from its first point, and back */
    /* when somebody entered, left or crossed last (CLOCK_MONOTONIC); 0 = never */
    int64_t happened_us;
};

enum { ZONE_NEWS_US = 2550000 }; /* what happened earlier is told no more */

/* How long before a picture something happened there, 0 when it did later; -1: not of late. The
 * picture may be older than what the model saw last. */
static inline int64_t zone_news_age_us(int64_t happened_us, int64_t capture_us)
{
    int64_t age_us = capture_us > happened_us ? capture_us - happened_us : 0;
    return happened_us != 0 && age_us <= ZONE_NEWS_US ? age_us : -1;
}

/* A zone's place in the list decides its colour. */
struct zone_states {
    int count;
    struct zone_state items[ZONE_STATES_MAX];
};

#endif
