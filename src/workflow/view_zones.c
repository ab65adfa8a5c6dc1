#include "workflow/view_zones.h"

#include "core/text_cut.h"
#include "workflow/detections_json.h"

_Static_assert((int)VIEW_MAX_FILTERS <= (int)VIEW_MAX_ZONES, "each filter may be a zone");
_Static_assert((int)ZONE_MAX_POINTS <= (int)ZONE_STATE_POINTS_MAX, "all points are drawn");

static void describe(const struct filter_zone *from, int width, int height, struct zone_state *out)
{
    text_cut(out->name, sizeof out->name, from->name);
    out->line = from->shape.kind == ZONE_LINE;
    out->inside = from->counts.inside;
    out->in = from->counts.events[ZONE_CROSS_IN];
    out->out = from->counts.events[ZONE_CROSS_OUT];
    out->happened_us = from->counts.happened_us;
    struct zone_point points[ZONE_MAX_POINTS];
    out->count = zone_outline(&from->shape, width, height, points);
    for (int i = 0; i < out->count; i++)
        out->points[i] = (struct zone_state_point){(float)points[i].x, (float)points[i].y};
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

static json_t *describe_counts(const struct filter_zone *zone, int64_t capture_us)
{
    json_t *object = zone_describe(zone);
    int64_t age_us = zone_news_age_us(zone->counts.happened_us, capture_us);
    if (object && age_us >= 0)
        json_object_set_new(object, "happened_ms", json_integer(age_us / 1000));
    return object;
}

char *view_zones_tell(const struct view_inputs *inputs, int64_t capture_us)
{
    json_t *list = json_array();
    for (int i = 0; i < inputs->zone_count; i++) {
        struct filter_zone zone;
        if (filter_read_zone(inputs->zones[i], &zone))
            json_array_append_new(list, describe_counts(&zone, capture_us));
    }
    char *text = json_array_size(list) > 0 ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return text;
}

void view_zones_tell_places(const struct view_inputs *inputs, int width, int height,
                            struct shared_text **places)
{
    json_t *list = json_array();
    for (int i = 0; i < inputs->zone_count; i++) {
        struct filter_zone zone;
        if (filter_read_zone(inputs->zones[i], &zone))
            json_array_append_new(list, zone_describe_place(&zone, width, height));
    }
    struct shared_text *now = zone_places_text(list);
    json_decref(list);
    (void)shared_text_follow(places, now, ZONE_NO_PLACES);
    shared_text_unref(&now);
}
