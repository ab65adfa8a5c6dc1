/* A part of the picture, or a line across it, and who goes in and out. Pure: time is an argument.
 *
 * An object is where the middle of its box's lower edge is: where it stands. Points are in 0..1 of
 * the picture's width and height. */
#ifndef OW_WORKFLOW_ZONE_H
#define OW_WORKFLOW_ZONE_H

#include "core/detections.h"

#include <stdbool.h>

enum { ZONE_MAX_POINTS = 64, ZONE_MAX_TRACKS = 256 };

enum zone_kind { ZONE_POLYGON, ZONE_RECTANGLE, ZONE_LINE };
extern const char *const zone_kind_names[]; /* "polygon", …; ends with NULL */

struct zone_point {
    double x, y;
};

struct zone_shape {
    enum zone_kind kind;
    bool in_pixels; /* of the source, where the points came so; else parts of the picture */
    int count;      /* polygon: at least 3; rectangle and line: 2 */
    struct zone_point points[ZONE_MAX_POINTS];
};

/* The i-th point in 0..1, of a source of this size. */
struct zone_point zone_point_at(const struct zone_shape *shape, int i, int width, int height);
/* All corners or ends of it so, and how many there are. */
int zone_outline(const struct zone_shape *shape, int width, int height,
                 struct zone_point out[ZONE_MAX_POINTS]);
/* Where an object stands, in 0..1. */
struct zone_point zone_anchor(const struct detections *seen, const struct detection *object);
bool zone_is_same(const struct zone_shape *a, const struct zone_shape *b);
/* Is a point inside? Always false for a line. On an edge it may be either. */
bool zone_contains(const struct zone_shape *shape, int width, int height, struct zone_point at);
/* On the way from `from` to `to` the line was crossed: 1 from its left to its right as seen from
 * its first point to its second, -1 the other way, 0 not at all. */
int zone_crossing(const struct zone_shape *shape, int width, int height, struct zone_point from,
                  struct zone_point to);

enum zone_event_kind {
    ZONE_ENTER,
    ZONE_LEAVE,
    ZONE_DWELL,
    ZONE_CROSS_IN,
    ZONE_CROSS_OUT,
    ZONE_EVENTS
};
const char *zone_event_name(enum zone_event_kind kind);

struct zone_event {
    enum zone_event_kind kind;
    uint32_t track_id;
    int class_id;
    int inside; /* objects inside after it */
};

struct zone_counts {
    int inside;
    uint64_t events[ZONE_EVENTS]; /* so far */
    int64_t happened_us;          /* when the last of them was; 0 = none yet */
};

/* Who is where. Zero-initialised is empty. */
struct zone_watch {
    struct zone_track {
        uint32_t id;
        bool inside, dwelled;
        struct zone_point at;
        int64_t since_us, seen_us; /* since when on this side; when last seen */
        int64_t told_us[ZONE_EVENTS];
    } tracks[ZONE_MAX_TRACKS];
    int count;
    struct zone_counts counts;
};

struct zone_times {
    int64_t dwell_us;    /* how long an object must be inside for a dwell event; 0 = none */
    int64_t cooldown_us; /* between two events of the same kind and object */
};

/* The objects of a newer result; those without a track id are not followed. Up to `max` events are
 * written; returns how many. An object that is not seen for two seconds has left. */
int zone_watch_update(struct zone_watch *watch, const struct zone_shape *shape,
                      const struct zone_times *times, const struct detections *seen, int64_t now_us,
                      struct zone_event *events, int max);

#endif
