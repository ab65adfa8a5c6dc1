#include "xray/masks.h"

#include "core/simd.h"

#include <math.h>

enum { SEAM_ALPHA = 150 };

/* Which two cells of a row of a mask lie beside a column of the picture, and how far from the first
 * to the second it is, of 256. */
struct columns {
    int first, count;
    int cell[FRAME_MAX_SIDE + 2], share[FRAME_MAX_SIDE + 2];
};

/* Where a pixel lies among `cells` stretched from `from` to `to`: cell centres are whole numbers.
 */
static float place_of(int pixel, float from, float to, int cells)
{
    float at = ((float)pixel + 0.5f - from) / (to - from) * (float)cells - 0.5f;
    return at > 0 ? fminf(at, (float)(cells - 1)) : 0; /* a NaN is 0 */
}

/* An area reaches over the picture's edge at most by what stands for the last pixel there. */
static int end_of(int end, int edge, int area_end)
{
    return end < edge ? end : area_end;
}

static void place_columns(struct columns *columns, const struct layer *layer,
                          const struct scene_object *object, int frame_width)
{
    int end =
        end_of(object->box.x + object->box.width, frame_width, layer->area.x + layer->area.width);
    columns->first = object->box.x - layer->area.x;
    columns->count = end - object->box.x;
    for (int i = 0; i < columns->count; i++) {
        float at = place_of(object->box.x + i, object->bounds.x1, object->bounds.x2,
                            object->item->shape->mask_width);
        columns->cell[i] = (int)at;
        columns->share[i] = (int)(256 * (at - floorf(at)));
    }
}

/* Between its cells a mask's edge is as soft as they are large, and where the model is not sure it
 * is soft anyway: in the picture it is a line, so much steeper, times 256. */
static int edge_gain(float pixels_per_cell)
{
    return (int)(256 * fminf(fmaxf(pixels_per_cell / 1.5f, 5), 32));
}

/* Cells of a row of a mask, times 256, and how much more the next one has. */
struct line {
    int cell[MASK_SIDE_MAX], rise[MASK_SIDE_MAX];
};

/* Between two rows, `share` of 256 from the first to the second. */
SIMD_CLONES static void read_row(struct line *restrict line, const uint8_t *restrict a,
                                 const uint8_t *restrict b, int width, int share)
{
    for (int i = 0; i < width; i++)
        line->cell[i] = a[i] * 256 + (b[i] - a[i]) * share;
    for (int i = 0; i + 1 < width; i++)
        line->rise[i] = line->cell[i + 1] - line->cell[i];
    line->rise[width - 1] = 0;
}

SIMD_CLONES static void sample_row(const struct columns *columns, const struct line *line, int gain,
                                   uint8_t *restrict to)
{
    enum { HALF = 255 * 128 };
    for (int i = 0; i < columns->count; i++) {
        int cell = columns->cell[i];
        int value = line->cell[cell] + (line->rise[cell] * columns->share[i] >> 8);
        value = ((value - HALF) * gain >> 16) + 128;
        value = value > 0 ? value : 0;
        to[i] = (uint8_t)(value < 255 ? value : 255);
    }
}

static bool cover(struct layer *layer, const struct scene *scene, const struct scene_object *object)
{
    const struct object_shape *shape = object->item->shape;
    const struct frame *frame = scene->frame;
    struct columns columns;
    struct line line;
    if (!layer_open(layer, frame, object->box))
        return false;
    int gain = edge_gain((object->bounds.x2 - object->bounds.x1) / (float)shape->mask_width);
    place_columns(&columns, layer, object, frame->width);
    int end = end_of(object->box.y + object->box.height, frame->height,
                     layer->area.y + layer->area.height);
    for (int y = object->box.y; y < end; y++) {
        float at = place_of(y, object->bounds.y1, object->bounds.y2, shape->mask_height);
        const uint8_t *row = shape->mask + (ptrdiff_t)at * shape->mask_width;
        const uint8_t *next = (int)at + 1 < shape->mask_height ? row + shape->mask_width : row;
        read_row(&line, row, next, shape->mask_width, (int)(256 * (at - floorf(at))));
        sample_row(&columns, &line, gain,
                   layer->coverage + (ptrdiff_t)(y - layer->area.y) * layer->area.width +
                       columns.first);
    }
    return true;
}

void masks_draw(const struct scene *scene, struct layer layers[2], float fill, bool contours)
{
    int alpha = fill > 0 ? (int)lroundf(255 * fminf(fill, 1)) : 0;
    /* The first are the surest: they come last, on top. */
    for (int i = scene->count - 1; i >= 0; i--) {
        const struct scene_object *object = &scene->objects[i];
        if (!scene_has_mask(object) || !cover(&layers[0], scene, object))
            continue;
        struct ink ink = palette_ink(object->color, scene->frame);
        if (alpha > 0)
            layer_blend(&layers[0], LAYER_ALL, scene->frame, ink, alpha);
        if (contours && layer_outline(&layers[1], &layers[0], scene->frame, scene->thickness))
            layer_blend(&layers[1], LAYER_ALL, scene->frame, ink, 255);
        /* Objects of one colour that overlap would be one. */
        else if (alpha == 255 && layer_outline(&layers[1], &layers[0], scene->frame, 1))
            layer_blend(&layers[1], LAYER_ALL, scene->frame,
                        palette_ink(palette_seam, scene->frame), SEAM_ALPHA);
    }
}
