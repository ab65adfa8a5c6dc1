#include "workflow/zone.h"

#include <string.h>

static const int64_t GONE_US = 2000000, NEVER_US = INT64_MIN / 2;

const char *const zone_kind_names[] = {
    [ZONE_POLYGON] = "polygon", [ZONE_RECTANGLE] = "rectangle", [ZONE_LINE] = "line", NULL};

const char *zone_event_name(enum zone_event_kind kind)
{
    static const char *const names[ZONE_EVENTS] = {[ZONE_ENTER] = "enter",
                                                   [ZONE_LEAVE] = "leave",
                                                   [ZONE_DWELL] = "dwell",
                                                   [ZONE_CROSS_IN] = "cross_in",
                                                   [ZONE_CROSS_OUT] = "cross_out"};
    return names[kind];
}

/* ---- geometry ---- */

bool zone_is_same(const struct zone_shape *a, const struct zone_shape *b)
{
    if (a->kind != b->kind || a->in_pixels != b->in_pixels || a->count != b->count)
        return false;
    for (int i = 0; i < a->count; i++)
        if (a->points[i].x != b->points[i].x || a->points[i].y != b->points[i].y)
            return false;
    return true;
}

struct zone_point zone_anchor(const struct detections *seen, const struct detection *object)
{
    double width = seen->source_width > 0 ? seen->source_width : 1;
    double height = seen->source_height > 0 ? seen->source_height : 1;
    return (struct zone_point){((double)object->x1 + (double)object->x2) / 2 / width,
                               (double)object->y2 / height};
}

struct zone_point zone_point_at(const struct zone_shape *shape, int i, int width, int height)
{
    struct zone_point point = shape->points[i];
    if (shape->in_pixels && width > 0 && height > 0) {
        point.x /= width;
        point.y /= height;
    }
    return point;
}

int zone_outline(const struct zone_shape *shape, int width, int height,
                 struct zone_point out[ZONE_MAX_POINTS])
{
    for (int i = 0; i < shape->count; i++)
        out[i] = zone_point_at(shape, i, width, height);
    if (shape->kind != ZONE_RECTANGLE || shape->count != 2)
        return shape->count;
    const struct zone_point a = out[0], b = out[1]; /* it is known by two of its corners */
    out[1] = (struct zone_point){b.x, a.y};
    out[2] = b;
    out[3] = (struct zone_point){a.x, b.y};
    return 4;
}

/* Even-odd rule: a ray to the right crosses the outline an odd number of times. */
static bool polygon_contains(const struct zone_shape *shape, int width, int height,
                             struct zone_point at)
{
    bool inside = false;
    for (int i = 0, before = shape->count - 1; i < shape->count; before = i++) {
        struct zone_point a = zone_point_at(shape, i, width, height);
        struct zone_point b = zone_point_at(shape, before, width, height);
        if ((a.y > at.y) != (b.y > at.y) && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x)
            inside = !inside;
    }
    return inside;
}

static bool is_between(double value, double a, double b)
{
    return a < b ? value >= a && value <= b : value >= b && value <= a;
}

bool zone_contains(const struct zone_shape *shape, int width, int height, struct zone_point at)
{
    if (shape->kind == ZONE_POLYGON)
        return polygon_contains(shape, width, height, at);
    if (shape->kind == ZONE_LINE || shape->count < 2)
        return false;
    struct zone_point a = zone_point_at(shape, 0, width, height),
                      b = zone_point_at(shape, 1, width, height);
    return is_between(at.x, a.x, b.x) && is_between(at.y, a.y, b.y);
}

/* Above 0: `at` is on the right of the way from a to b (the y axis points down). */
static double side(struct zone_point a, struct zone_point b, struct zone_point at)
{
    return (b.x - a.x) * (at.y - a.y) - (b.y - a.y) * (at.x - a.x);
}

int zone_crossing(const struct zone_shape *shape, int width, int height, struct zone_point from,
                  struct zone_point to)
{
    if (shape->kind != ZONE_LINE || shape->count < 2)
        return 0;
    struct zone_point a = zone_point_at(shape, 0, width, height),
                      b = zone_point_at(shape, 1, width, height);
    double before = side(a, b, from), after = side(a, b, to);
    bool changes = (before <= 0 && after > 0) || (before > 0 && after <= 0);
    /* The ends of the line lie on both sides of the way: it was crossed between them. The way is
     * looked at in one direction always, so that back counts as there did, through an end too. */
    bool in = after > 0;
    struct zone_point left = in ? from : to, right = in ? to : from;
    bool between = (side(left, right, a) <= 0) != (side(left, right, b) <= 0);
    if (!changes || !between)
        return 0;
    return in ? 1 : -1;
}

/* ---- who is where ---- */

/* What one update writes into. */
struct telling {
    struct zone_watch *watch;
    const struct zone_times *times;
    int64_t now_us;
    struct zone_event *events;
    int max, count;
};

static void tell(struct telling *telling, struct zone_track *track, enum zone_event_kind kind,
                 int class_id)
{
    if (telling->now_us - track->told_us[kind] < telling->times->cooldown_us)
        return;
    track->told_us[kind] = telling->now_us;
    telling->watch->counts.events[kind]++;
    telling->watch->counts.happened_us = telling->now_us;
    if (telling->count < telling->max)
        telling->events[telling->count++] =
            (struct zone_event){.kind = kind, .track_id = track->id, .class_id = class_id};
}

static struct zone_track *find_track(struct zone_watch *watch, uint32_t id)
{
    for (int i = 0; i < watch->count; i++)
        if (watch->tracks[i].id == id)
            return &watch->tracks[i];
    return NULL;
}

static struct zone_track *add_track(struct zone_watch *watch, uint32_t id, struct zone_point at,
                                    int64_t now_us)
{
    if (watch->count == ZONE_MAX_TRACKS)
        return NULL;
    struct zone_track *track = &watch->tracks[watch->count++];
    *track = (struct zone_track){.id = id, .at = at, .since_us = now_us};
    for (int i = 0; i < ZONE_EVENTS; i++)
        track->told_us[i] = NEVER_US;
    return track;
}

static void follow(struct telling *telling, const struct zone_shape *shape,
                   const struct detections *seen, const struct detection *object)
{
    struct zone_point at = zone_anchor(seen, object);
    struct zone_track *track = find_track(telling->watch, object->track_id);
    if (!track)
        track = add_track(telling->watch, object->track_id, at, telling->now_us);
    if (!track)
        return;
    int width = seen->source_width, height = seen->source_height;
    int crossing = zone_crossing(shape, width, height, track->at, at);
    bool inside = zone_contains(shape, width, height, at);
    track->at = at;
    track->seen_us = telling->now_us;
    if (crossing != 0)
        tell(telling, track, crossing > 0 ? ZONE_CROSS_IN : ZONE_CROSS_OUT, object->class_id);
    if (inside != track->inside) {
        track->inside = inside;
        track->dwelled = false;
        track->since_us = telling->now_us;
        tell(telling, track, inside ? ZONE_ENTER : ZONE_LEAVE, object->class_id);
    }
    bool stayed = telling->now_us - track->since_us >= telling->times->dwell_us;
    if (inside && !track->dwelled && telling->times->dwell_us > 0 && stayed) {
        track->dwelled = true;
        tell(telling, track, ZONE_DWELL, object->class_id);
    }
}

static void forget_gone(struct telling *telling)
{
    struct zone_watch *watch = telling->watch;
    for (int i = 0; i < watch->count; i++) {
        struct zone_track *track = &watch->tracks[i];
        if (telling->now_us - track->seen_us <= GONE_US)
            continue;
        if (track->inside)
            tell(telling, track, ZONE_LEAVE, -1);
        watch->tracks[i--] = watch->tracks[--watch->count];
    }
}

int zone_watch_update(struct zone_watch *watch, const struct zone_shape *shape,
                      const struct zone_times *times, const struct detections *seen, int64_t now_us,
                      struct zone_event *events, int max)
{
    struct telling telling = {
        .watch = watch, .times = times, .now_us = now_us, .events = events, .max = max};
    for (int i = 0; i < seen->count; i++)
        if (seen->items[i].track_id != 0)
            follow(&telling, shape, seen, &seen->items[i]);
    forget_gone(&telling);
    watch->counts.inside = 0;
    for (int i = 0; i < watch->count; i++)
        watch->counts.inside += watch->tracks[i].inside;
    for (int i = 0; i < telling.count; i++)
        events[i].inside = watch->counts.inside;
    return telling.count;
}
