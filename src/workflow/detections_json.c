#include "workflow/detections_json.h"

#include "workflow/onvif_names.h"

#include <stdlib.h>

enum { PLACE_DIGITS = 6 }; /* a thousandth of a pixel */

/* The form of COCO's masks; NULL where out of memory. */
static json_t *describe_mask(const struct object_shape *shape)
{
    size_t count = object_shape_runs(shape, NULL, 0);
    uint32_t *runs = malloc((count + 1) * sizeof *runs);
    json_t *list = runs ? json_array() : NULL;
    if (list)
        object_shape_runs(shape, runs, count);
    for (size_t i = 0; list && i < count; i++)
        json_array_append_new(list, json_integer(runs[i]));
    free(runs);
    return list ? json_pack("{s:[i, i], s:o}", "size", shape->mask_height, shape->mask_width,
                            "counts", list)
                : NULL;
}

/* Key points as x, y and score, in pixels of the source as the box is. */
static json_t *describe_keypoints(const struct detection *one)
{
    json_t *list = json_array();
    for (int i = 0; i < one->shape->keypoint_count; i++) {
        const struct keypoint *point = &one->shape->keypoints[i];
        json_array_append_new(list, json_pack("[f, f, f]",
                                              (double)(one->x1 + point->x * (one->x2 - one->x1)),
                                              (double)(one->y1 + point->y * (one->y2 - one->y1)),
                                              (double)point->score));
    }
    return list;
}

static json_t *describe_detection(const struct detections *found, const struct detection *one)
{
    char scratch[16];
    const char *name = label_set_name(found->labels, one->class_id, scratch);
    const struct onvif_name *onvif = onvif_name_find(name);
    json_t *out = json_pack("{s:i, s:s, s:f, s:[f, f, f, f]}", "class_id", one->class_id,
                            "class_name", name, "confidence", (double)one->confidence, "bbox",
                            (double)one->x1, (double)one->y1, (double)one->x2, (double)one->y2);
    if (out && onvif)
        json_object_set_new(out, "onvif_type", json_string(onvif->type));
    if (out && onvif && onvif->vehicle)
        json_object_set_new(out, "onvif_vehicle_type", json_string(onvif->vehicle));
    if (out && one->track_id)
        json_object_set_new(out, "track_id", json_integer(one->track_id));
    if (out && one->shape && one->shape->mask_width > 0)
        json_object_set_new(out, "mask", describe_mask(one->shape));
    if (out && one->shape && one->shape->keypoint_count > 0)
        json_object_set_new(out, "keypoints", describe_keypoints(one));
    return out;
}

json_t *detections_describe(const struct detections *found)
{
    json_t *list = json_array();
    for (int i = 0; i < found->count; i++)
        json_array_append_new(list, describe_detection(found, &found->items[i]));
    return list;
}

json_t *zone_describe(const struct filter_zone *zone)
{
    const struct zone_counts *counts = &zone->counts;
    if (zone->shape.kind != ZONE_LINE)
        return json_pack("{s:s, s:s, s:i}", "node_id", zone->id, "name", zone->name, "inside",
                         counts->inside);
    return json_pack("{s:s, s:s, s:I, s:I}", "node_id", zone->id, "name", zone->name, "crossed_in",
                     (json_int_t)counts->events[ZONE_CROSS_IN], "crossed_out",
                     (json_int_t)counts->events[ZONE_CROSS_OUT]);
}

json_t *zone_describe_place(const struct filter_zone *zone, int width, int height)
{
    struct zone_point points[ZONE_MAX_POINTS];
    int count = zone_outline(&zone->shape, width, height, points);
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_pack("[f, f]", points[i].x, points[i].y));
    return json_pack("{s:s, s:s, s:s, s:o}", "node_id", zone->id, "name", zone->name, "zone_type",
                     zone_kind_names[zone->shape.kind], "points", list);
}

struct shared_text *zone_places_text(const json_t *list)
{
    char *text = list ? json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(PLACE_DIGITS)) : NULL;
    struct shared_text *shared = text ? shared_text_create(text) : NULL;
    free(text);
    return shared;
}
