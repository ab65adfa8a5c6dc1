#include "workflow/view_zones.h"

#include "core/text_cut.h"
#include "workflow/detections_json.h"

_Static_assert((int)VIEW_MAX_FILTERS <= (int)VIEW_MAX_ZONES, "each filter may be a zone");
_Static_assert((int)ZONE_MAX_POINTS <= (int)ZONE_STATE_POINTS_MAX, "all points are drawn");

static struct zone_state_point point_at(const struct zone_shape *shape, int i, int width,
                                        int height)
{
    struct zone_point point = zone_point_at(shape, i, width, height);
    return (struct zone_state_point){(float)point.x, (float)point.y};
}

/* A rectangle is known by two of its corners. */
static void add_corners(struct zone_state *zone)
{
    struct zone_state_point a = zone->points[0], b = zone->points[1];
    zone->points[1] = (struct zone_state_point){b.x, a.y};
    zone->points[2] = b;
    zone->points[3] = (struct zone_state_point){a.x, b.y};
    zone->count = 4;
}

static void describe(const struct filter_zone *from, int width, int height, struct zone_state *out)
{
    text_cut(out->name, sizeof out->name, from->name);
    out->line = from->shape.kind == ZONE_LINE;
    out->inside = from->counts.inside;
    out->in = from->counts.events[ZONE_CROSS_IN];
    out->out = from->counts.events[ZONE_CROSS_OUT];
    out->happened_us = from->counts.happened_us;
    out->count = from->shape.count;
    for (int i = 0; i < out->count; i++)
        out->points[i] = point_at(&from->shape, i, width, height);
    if (from->shape.kind == ZONE_RECTANGLE && out->count == 2)
        add_corners(out);
}

void view_zones_read(const struct view_inputs *inputs, int width, int height,
                     struct zone_states *out)
{
    out->count = 0;
    for (int i = 0; i < inputs->zone_count; i++) {
        struct filter_zone zone;
        if (filter_read_zone(inputs->zones[i], &zone))
            describe(&zone, width, height, &out->items[out->count++]);
    }
}

char *view_zones_tell(const struct view_inputs *inputs)
{
    json_t *list = json_array();
    for (int i = 0; i < inputs->zone_count; i++) {
        struct filter_zone zone;
        if (filter_read_zone(inputs->zones[i], &zone))
            json_array_append_new(list, zone_describe(&zone));
    }
    char *text = json_array_size(list) > 0 ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return text;
}
