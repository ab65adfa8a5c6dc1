#include "xray/trails.h"

#include <math.h>
#include <string.h>

enum { BANDS = 5, BAND_US = TRAIL_US / BANDS, ALPHA = 220 };

static const float far = 4; /* pictures: an object further away has no trail */

/* ---- keeping ---- */

static struct trail *find(struct trails *trails, uint32_t id)
{
    for (int i = 0; i < trails->count; i++)
        if (trails->items[i].id == id)
            return &trails->items[i];
    if (trails->count == TRAILS_MAX)
        return NULL;
    struct trail *trail = &trails->items[trails->count++];
    *trail = (struct trail){.id = id};
    return trail;
}

static void forget_old(struct trails *trails, int64_t now_us)
{
    int kept = 0;
    for (int i = 0; i < trails->count; i++) {
        struct trail *trail = &trails->items[i];
        int old = 0;
        while (old < trail->count && now_us - trail->points[old].at_us > TRAIL_US)
            old++;
        trail->count -= old;
        memmove(trail->points, trail->points + old, (size_t)trail->count * sizeof *trail->points);
        if (trail->count > 0)
            trails->items[kept++] = *trail;
    }
    trails->count = kept;
}

/* The last point moves with the object until it is a step from the one before. */
static void add(struct trail *trail, struct trail_point point)
{
    int count = trail->count;
    if (count >= 2 &&
        trail->points[count - 1].at_us - trail->points[count - 2].at_us < TRAIL_STEP_US)
        count--;
    if (count == TRAIL_POINTS) {
        memmove(trail->points, trail->points + 1, (TRAIL_POINTS - 1) * sizeof *trail->points);
        count--;
    }
    trail->points[count] = point;
    trail->count = count + 1;
}

void trails_update(struct trails *trails, int64_t capture_us, const struct detections *detections,
                   float min_confidence)
{
    if (capture_us <= trails->updated_us)
        return;
    trails->updated_us = capture_us;
    forget_old(trails, capture_us);
    if (!detections || detections->source_width < 1 || detections->source_height < 1)
        return;
    for (int i = 0; i < detections->count; i++) {
        const struct detection *item = &detections->items[i];
        struct trail_point point = {
            .x = (item->x1 + item->x2) / 2 / (float)detections->source_width,
            .y = item->y2 / (float)detections->source_height,
            .at_us = capture_us,
        };
        if (item->track_id == 0 || !(item->confidence >= min_confidence) ||
            !(fabsf(point.x) < far && fabsf(point.y) < far))
            continue;
        struct trail *trail = find(trails, item->track_id);
        if (trail)
            add(trail, point);
    }
}

/* ---- drawing ---- */

/* A part of a trail in pixels, and what it covers of the picture. */
struct part {
    int count;
    float x[TRAIL_POINTS], y[TRAIL_POINTS];
    float x1, y1, x2, y2;
};

static void append(struct part *part, const struct trail_point *point, const struct frame *frame)
{
    float x = point->x * (float)frame->width, y = point->y * (float)frame->height;
    bool first = part->count == 0;
    part->x[part->count] = x;
    part->y[part->count++] = y;
    part->x1 = first ? x : fminf(part->x1, x);
    part->x2 = first ? x : fmaxf(part->x2, x);
    part->y1 = first ? y : fminf(part->y1, y);
    part->y2 = first ? y : fmaxf(part->y2, y);
}

/* The lines whose newer ends are of one age. */
static struct part cut(const struct trail *trail, int band, int64_t now_us,
                       const struct frame *frame)
{
    struct part part = {.count = 0};
    for (int i = 1; i < trail->count; i++) {
        if ((now_us - trail->points[i].at_us) / BAND_US != band)
            continue;
        if (part.count == 0)
            append(&part, &trail->points[i - 1], frame);
        append(&part, &trail->points[i], frame);
    }
    return part;
}

/* False when nothing of it is in the picture. */
static bool area_of(const struct part *part, float around, const struct frame *frame,
                    struct rect *out)
{
    float x1 = fmaxf(part->x1 - around, 0), x2 = fminf(part->x2 + around, (float)frame->width);
    float y1 = fmaxf(part->y1 - around, 0), y2 = fminf(part->y2 + around, (float)frame->height);
    if (part->count < 2 || !(x1 + 1 <= x2) || !(y1 + 1 <= y2))
        return false;
    *out = (struct rect){(int)x1, (int)y1, (int)x2 - (int)x1, (int)y2 - (int)y1};
    return true;
}

static void draw_trail(const struct trail *trail, int64_t now_us, const struct scene *scene,
                       struct layer *layer)
{
    for (int band = BANDS - 1; band >= 0; band--) {
        int left = BANDS - band; /* of BANDS */
        float radius = fmaxf((float)scene->thickness * 0.9f * (float)left / BANDS, 0.6f);
        struct part part = cut(trail, band, now_us, scene->frame);
        struct rect area;
        if (!area_of(&part, radius + 3, scene->frame, &area) ||
            !layer_open(layer, scene->frame, area))
            continue;
        for (int i = 1; i < part.count; i++)
            layer_line(layer, part.x[i - 1], part.y[i - 1], part.x[i], part.y[i], radius);
        layer_blend(layer, LAYER_LINES, scene->frame, palette_ink(trail->color, scene->frame),
                    ALPHA * left / BANDS);
    }
}

void trails_draw(struct trails *trails, const struct scene *scene, struct layer *layer)
{
    for (int i = 0; i < scene->count; i++)
        for (int k = 0; k < trails->count; k++)
            if (trails->items[k].id == scene->objects[i].item->track_id) {
                trails->items[k].color = scene->objects[i].color;
                trails->items[k].colored = true;
            }
    for (int k = 0; k < trails->count; k++)
        if (trails->items[k].colored)
            draw_trail(&trails->items[k], trails->updated_us, scene, layer);
}
