#include "xray/scene.h"

#include "xray/scheme.h"

#include <math.h>

static float scale_coordinate(float value, int from, int to)
{
    return from > 0 ? value * (float)to / (float)from : value;
}

static float held(float value, int to)
{
    return fminf(fmaxf(value, 0), (float)to);
}

/* The part of an object's box that is in the picture. False when there is none, or the numbers are
 * no box. */
static bool place_box(const struct scene *scene, const struct detection *item,
                      struct scene_object *out)
{
    const struct detections *all = scene->detections;
    const struct frame *frame = scene->frame;
    if (!(item->x1 < item->x2) || !(item->y1 < item->y2)) /* also: not a number */
        return false;
    out->bounds =
        (struct bounds){.x1 = scale_coordinate(item->x1, all->source_width, frame->width),
                        .x2 = scale_coordinate(item->x2, all->source_width, frame->width),
                        .y1 = scale_coordinate(item->y1, all->source_height, frame->height),
                        .y2 = scale_coordinate(item->y2, all->source_height, frame->height)};
    float x1 = held(out->bounds.x1, frame->width), x2 = held(out->bounds.x2, frame->width);
    float y1 = held(out->bounds.y1, frame->height), y2 = held(out->bounds.y2, frame->height);
    if (!(x1 < x2) || !(y1 < y2))
        return false;
    int left = clamp_int((int)lroundf(x1), 0, frame->width - 1);
    int top = clamp_int((int)lroundf(y1), 0, frame->height - 1);
    int right = clamp_int((int)lroundf(x2), left + 1, frame->width);
    int bottom = clamp_int((int)lroundf(y2), top + 1, frame->height);
    out->box = (struct rect){left, top, right - left, bottom - top};
    return true;
}

void scene_read(struct scene *scene, struct frame *frame, const struct detections *detections,
                const struct xray_style *style)
{
    scene->frame = frame;
    scene->style = style;
    scene->detections = detections;
    scene->thickness = clamp_int(style->line_thickness, 1, 16);
    scene->radius = scene->thickness + 2;
    scene->taken_count = 0;
    scene->count = 0;
    for (int i = 0; detections && i < detections->count && scene->count < SCENE_MAX; i++) {
        const struct detection *item = &detections->items[i];
        struct scene_object *object = &scene->objects[scene->count];
        if (!(item->confidence >= style->min_confidence) || !place_box(scene, item, object))
            continue;
        object->item = item;
        object->boxed = object->tinted = style->show_boxes;
        object->color = scheme_color(style, detections->labels, item);
        scene->count++;
    }
}

void scene_take(struct scene *scene, struct rect rect)
{
    if (scene->taken_count < SCENE_TAKEN_MAX)
        scene->taken[scene->taken_count++] = rect;
}
