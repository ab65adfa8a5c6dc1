#include "xray/boxes.h"

#include "xray/shapes.h"

#include <math.h>

enum { OUTLINE_ALPHA = 130 }; /* of the dark line that sets a box off from a ground of its colour */

static struct rect grown(struct rect rect, int by)
{
    return (struct rect){rect.x - by, rect.y - by, rect.width + 2 * by, rect.height + 2 * by};
}

static void ring(const struct scene *scene, struct rect box, int by, struct ink ink, int alpha)
{
    shape_ring(scene->frame, grown(box, by), scene->radius + by, scene->thickness + 2 * by,
               SHAPE_ROUND, ink, alpha);
}

/* Two soft rings instead of the dark one. */
static void draw_glow(const struct scene *scene, struct rect box, struct ink ink)
{
    ring(scene, box, 2 + scene->thickness / 2, ink, 45);
    ring(scene, box, 1, ink, 110);
}

static void draw_box(const struct scene *scene, const struct scene_object *object, int tint)
{
    struct frame *frame = scene->frame;
    struct ink ink = palette_ink(object->color, frame);
    if (tint > 0 && object->tinted)
        shape_fill(frame, object->box, scene->radius, SHAPE_ROUND, ink, tint);
    if (scene->style->scheme == XRAY_SCHEME_NEON)
        draw_glow(scene, object->box, ink);
    else
        ring(scene, object->box, 1, palette_ink(palette_seam, frame), OUTLINE_ALPHA);
    ring(scene, object->box, 0, ink, 255);
}

void boxes_draw(const struct scene *scene, float tint)
{
    int alpha = tint > 0 ? (int)lroundf(255 * fminf(tint, 1)) : 0;
    /* The first are the surest: they come last, on top. */
    for (int i = scene->count - 1; i >= 0; i--)
        if (scene->objects[i].boxed)
            draw_box(scene, &scene->objects[i], alpha);
}
