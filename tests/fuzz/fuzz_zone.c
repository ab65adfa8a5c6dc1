/* A zone of any points and objects that come, go and jump through it: counts and events agree.
 *
 *   kind, number of points, 4 bytes a point; then steps: time that passes (10 ms), number of
 * objects, and for each its track and where it stands (2 bytes each) */
#include "fuzz.h"
#include "fuzz_input.h"

#include "core/error.h"
#include "workflow/zone.h"

#include <stdlib.h>

enum { MAX_EVENTS = 8, MAX_OBJECTS = 16, SIDE = 1000 };

static void read_shape(struct input *input, struct zone_shape *out)
{
    out->kind = take(input) % 3;
    out->count = (int)(take(input) % (ZONE_MAX_POINTS + 1));
    out->in_pixels = out->count % 2 == 1;
    double scale = out->in_pixels ? SIDE / 65535.0 : 1 / 65535.0;
    if (out->kind != ZONE_POLYGON && out->count > 2)
        out->count = 2;
    for (int i = 0; i < out->count; i++)
        out->points[i] = (struct zone_point){take16(input) * scale, take16(input) * scale};
}

/* Where it stands is the middle of the box's lower edge. */
static struct detections *read_objects(struct input *input)
{
    struct detections *seen = NULL;
    if (detections_create(&seen, (int)(take(input) % MAX_OBJECTS), NULL) != OW_OK)
        abort();
    seen->source_width = seen->source_height = SIDE;
    for (int i = 0; i < seen->count; i++) {
        uint32_t track = take16(input);
        float x = (float)take16(input) - 32768, y = (float)take16(input) - 32768;
        seen->items[i] = (struct detection){
            .confidence = 1, .x1 = x - 10, .x2 = x + 10, .y1 = y - 10, .y2 = y, .track_id = track};
    }
    return seen;
}

static void check_watch(const struct zone_watch *watch, const struct zone_shape *shape)
{
    int inside = 0;
    if (watch->count < 0 || watch->count > ZONE_MAX_TRACKS)
        abort();
    for (int i = 0; i < watch->count; i++) {
        const struct zone_track *track = &watch->tracks[i];
        inside += track->inside;
        if (track->id == 0 || track->inside != zone_contains(shape, SIDE, SIDE, track->at))
            abort();
        for (int k = 0; k < i; k++)
            if (watch->tracks[k].id == track->id)
                abort();
    }
    if (watch->counts.inside != inside)
        abort();
}

/* There and back again crosses a line both ways or not at all. */
static void check_crossing(const struct zone_shape *shape, const struct detections *seen)
{
    for (int i = 1; i < seen->count; i++) {
        struct zone_point a = zone_anchor(seen, &seen->items[i - 1]);
        struct zone_point b = zone_anchor(seen, &seen->items[i]);
        int there = zone_crossing(shape, SIDE, SIDE, a, b);
        int back = zone_crossing(shape, SIDE, SIDE, b, a);
        if (there < -1 || there > 1 || (shape->kind != ZONE_LINE && there != 0) ||
            there + back != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct zone_shape shape = {0};
    struct zone_watch watch = {0};
    struct zone_event events[MAX_EVENTS];
    uint64_t told = 0, counted = 0;
    int64_t now_us = 1;
    read_shape(&input, &shape);
    const struct zone_times times = {.dwell_us = take(&input) * 20000,
                                     .cooldown_us = take(&input) * 20000};
    while (input.size > 0) {
        now_us += take(&input) * 10000;
        struct detections *seen = read_objects(&input);
        int count = zone_watch_update(&watch, &shape, &times, seen, now_us, events, MAX_EVENTS);
        if (count < 0 || count > MAX_EVENTS)
            abort();
        for (int i = 0; i < count; i++)
            if (events[i].kind >= ZONE_EVENTS || events[i].inside != watch.counts.inside)
                abort();
        told += (uint64_t)count;
        check_watch(&watch, &shape);
        check_crossing(&shape, seen);
        detections_unref(&seen);
    }
    for (int i = 0; i < ZONE_EVENTS; i++)
        counted += watch.counts.events[i];
    if (counted < told)
        abort();
    return 0;
}
