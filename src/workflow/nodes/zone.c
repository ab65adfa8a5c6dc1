/* zone: a part of the picture, or a line across it, and who goes in and out. */
#include "workflow/nodes/nodes.h"

#include <math.h>

#include <string.h>

static const char *const filter_types[] = {"inside", "outside", "all", NULL};

static const struct setting settings[] = {
    {.name = "zoneType",
     .label = "Shape",
     .type = SETTING_CHOICE,
     .default_text = "polygon",
     .choices = zone_kind_names,
     .help = "an area, or a line that is crossed"},
    {.name = "polygon",
     .label = "Points",
     .type = SETTING_LIST,
     .help = "[[x, y], …] in 0..1 of the picture, or in its pixels; a rectangle has two corners, a "
             "line two ends"},
    {.name = "filterType",
     .label = "Lets pass",
     .type = SETTING_CHOICE,
     .default_text = "inside",
     .choices = filter_types,
     .help = "objects that stand inside, outside, or all of them"},
    {.name = "classes",
     .label = "Classes",
     .type = SETTING_LIST,
     .help = "ids or names of the classes that count; empty = all"},
    {.name = "minDwellTime",
     .label = "Dwell time",
     .type = SETTING_NUMBER,
     .max = 86400,
     .step = 1,
     .unit = "s",
     .help = "an object that stays so long is told; 0 = none is"},
    {.name = "cooldown",
     .label = "Cooldown",
     .type = SETTING_NUMBER,
     .default_number = 5,
     .max = 86400,
     .step = 1,
     .unit = "s",
     .help = "between two events of the same kind and object"},
    {0},
};

static bool read_point(const json_t *json, struct zone_point *out)
{
    const json_t *x = json_is_object(json) ? json_object_get(json, "x") : json_array_get(json, 0);
    const json_t *y = json_is_object(json) ? json_object_get(json, "y") : json_array_get(json, 1);
    if (!json_is_number(x) || !json_is_number(y))
        return false;
    *out = (struct zone_point){json_number_value(x), json_number_value(y)};
    return out->x >= 0 && out->x <= FRAME_MAX_SIDE && out->y >= 0 && out->y <= FRAME_MAX_SIDE;
}

/* A rectangle may be told by all its corners, as the system before did. */
static void keep_two_corners(struct zone_shape *shape)
{
    struct zone_point low = shape->points[0], high = low;
    for (int i = 1; i < shape->count; i++) {
        low.x = fmin(low.x, shape->points[i].x);
        low.y = fmin(low.y, shape->points[i].y);
        high.x = fmax(high.x, shape->points[i].x);
        high.y = fmax(high.y, shape->points[i].y);
    }
    shape->points[0] = low;
    shape->points[1] = high;
    shape->count = 2;
}

/* No points yet: nothing is inside, which is no mistake while a zone is being drawn. */
static int read_points(const json_t *list, struct zone_shape *shape, struct reason *why)
{
    size_t count = json_array_size(list);
    size_t least = shape->kind == ZONE_POLYGON ? 3 : 2;
    size_t most = shape->kind == ZONE_POLYGON     ? (size_t)ZONE_MAX_POINTS
                  : shape->kind == ZONE_RECTANGLE ? 4
                                                  : 2;
    if (count == 0)
        return OW_OK;
    if (count < least || count > most)
        return reason_set(why, OW_EINVAL, "polygon has %zu points, but must have %zu%s", count,
                          least,
                          shape->kind == ZONE_POLYGON     ? " or more (up to 64)"
                          : shape->kind == ZONE_RECTANGLE ? ", or all four corners"
                                                          : "");
    for (size_t i = 0; i < count; i++) {
        struct zone_point *point = &shape->points[i];
        if (!read_point(json_array_get(list, i), point))
            return reason_set(why, OW_EINVAL, "polygon must be a list of points like [0.5, 0.25]");
        shape->in_pixels |= point->x > 1 || point->y > 1;
    }
    shape->count = (int)count;
    if (shape->kind == ZONE_RECTANGLE)
        keep_two_corners(shape);
    return OW_OK;
}

static int configure(const json_t *data, struct filter_settings *out, struct reason *why)
{
    const char *type = setting_text(data, settings, "zoneType");
    const char *passes = setting_text(data, settings, "filterType");
    struct filter_settings s = {
        .kind = FILTER_ZONE,
        .classes = json_object_get(data, "classes"),
        .shape.kind = strcmp(type, "line") == 0        ? ZONE_LINE
                      : strcmp(type, "rectangle") == 0 ? ZONE_RECTANGLE
                                                       : ZONE_POLYGON,
        .passes = strcmp(passes, "inside") == 0    ? ZONE_PASS_INSIDE
                  : strcmp(passes, "outside") == 0 ? ZONE_PASS_OUTSIDE
                                                   : ZONE_PASS_ALL,
        .times = {.dwell_us = (int64_t)(setting_number(data, settings, "minDwellTime") * 1e6),
                  .cooldown_us = (int64_t)(setting_number(data, settings, "cooldown") * 1e6)},
    };
    int rc = read_points(json_object_get(data, "polygon"), &s.shape, why);
    if (rc == OW_OK)
        *out = s;
    return rc;
}

const struct node_type node_zone = {
    .name = "zone",
    .label = "Zone",
    .help = "An area or a line: what passes, who enters, leaves, stays or crosses",
    .role = NODE_FILTER,
    .category = "Filters & Zones",
    .input = "detections-input",
    .output = "filtered-output",
    .settings = settings,
    .configure_filter = configure,
};
