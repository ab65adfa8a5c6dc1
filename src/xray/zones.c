#include "xray/zones.h"

#include "xray/plate.h"
#include "xray/scheme.h"
#include "xray/shapes.h"

#include <math.h>
#include <stdio.h>

enum {
    FLASH_US = 900000, /* how long a zone is brighter after something happened */
    OUTLINE_ALPHA = 130,
    LINE_ALPHA = 235,
    TINT_ALPHA = 26,
    FLASH_TINT_ALPHA = 70, /* in addition */
    TAG_ALPHA = 190,
    CORNERS_MAX = ZONE_STATE_POINTS_MAX,
};

/* A zone in pixels of the picture. */
struct figure {
    const struct zone_state *zone;
    struct rgb color;
    float flash; /* 1 when something just happened, falling to 0 */
    int count;
    float x[CORNERS_MAX], y[CORNERS_MAX];
    struct bounds bounds;
    float step; /* the height of type, which arrows and distances go by */
};

static float flash_of(const struct scene *scene, const struct zone_state *zone)
{
    if (zone->happened_us == 0)
        return 0;
    int64_t since_us = scene->frame->capture_us - zone->happened_us;
    /* The picture may be older than what the model saw last. */
    return since_us <= 0 ? 1 : fmaxf(1 - (float)since_us / FLASH_US, 0);
}

/* False for a zone that is none (yet), or none that can be drawn. */
static bool read_figure(struct figure *figure, const struct scene *scene,
                        const struct zone_states *zones, int index)
{
    const struct zone_state *zone = &zones->items[index];
    const struct frame *frame = scene->frame;
    struct bounds *b = &figure->bounds;
    figure->zone = zone;
    figure->color = scheme_zone(scene->style, index);
    figure->flash = flash_of(scene, zone);
    figure->count = zone->count < CORNERS_MAX ? zone->count : CORNERS_MAX;
    figure->step = (float)plate_pixels(scene->style->font_size, frame);
    if (figure->count < (zone->line ? 2 : 3))
        return false;
    for (int i = 0; i < figure->count; i++) {
        float x = zone->points[i].x * (float)frame->width;
        float y = zone->points[i].y * (float)frame->height;
        if (!(fabsf(x) < CANVAS_FAR && fabsf(y) < CANVAS_FAR))
            return false;
        figure->x[i] = x;
        figure->y[i] = y;
        *b = i == 0 ? (struct bounds){x, y, x, y}
                    : (struct bounds){fminf(b->x1, x), fminf(b->y1, y), fmaxf(b->x2, x),
                                      fmaxf(b->y2, y)};
    }
    return true;
}

/* ---- outlines and tints ---- */

static bool open_layer(struct layer *layer, const struct scene *scene, const struct figure *figure)
{
    const struct frame *frame = scene->frame;
    float around = (float)scene->thickness + 3 + (figure->zone->line ? 2 * figure->step : 0);
    float x1 = fmaxf(figure->bounds.x1 - around, 0), y1 = fmaxf(figure->bounds.y1 - around, 0);
    float x2 = fminf(figure->bounds.x2 + around, (float)frame->width);
    float y2 = fminf(figure->bounds.y2 + around, (float)frame->height);
    if (!(x1 + 1 <= x2) || !(y1 + 1 <= y2))
        return false;
    return layer_open(layer, frame,
                      (struct rect){(int)x1, (int)y1, (int)x2 - (int)x1, (int)y2 - (int)y1});
}

static void blend_lines(const struct layer *layer, const struct scene *scene,
                        const struct figure *figure)
{
    layer_blend(layer, LAYER_SEAMED, scene->frame, palette_ink(palette_seam, scene->frame),
                OUTLINE_ALPHA);
    layer_blend(layer, LAYER_LINES, scene->frame, palette_ink(figure->color, scene->frame),
                LINE_ALPHA);
}

static void draw_area(struct layer *layer, const struct scene *scene, const struct figure *figure)
{
    float radius = (float)scene->thickness * (0.5f + 0.5f * figure->flash);
    int tint = TINT_ALPHA + (int)(FLASH_TINT_ALPHA * figure->flash);
    layer_polygon(layer, figure->x, figure->y, figure->count);
    layer_blend(layer, LAYER_ALL, scene->frame, palette_ink(figure->color, scene->frame), tint);
    layer_clear(layer);
    for (int i = 0, before = figure->count - 1; i < figure->count; before = i++)
        layer_line(layer, figure->x[before], figure->y[before], figure->x[i], figure->y[i], radius);
    blend_lines(layer, scene, figure);
}

/* The way in across a line, of length 1: to its right, y points down. False for a line that is a
 * point. */
static bool way_in(const struct figure *figure, float *x, float *y)
{
    float dx = figure->x[1] - figure->x[0], dy = figure->y[1] - figure->y[0];
    float length = hypotf(dx, dy);
    *x = length > 0.5f ? -dy / length : 0;
    *y = length > 0.5f ? dx / length : 0;
    return length > 0.5f;
}

static void add_arrow(struct layer *layer, const struct figure *figure, float radius)
{
    float nx, ny, shaft = 1.3f * figure->step, head = 0.5f * figure->step;
    if (!way_in(figure, &nx, &ny))
        return;
    float x = (figure->x[0] + figure->x[1]) / 2, y = (figure->y[0] + figure->y[1]) / 2;
    float tip_x = x + nx * shaft, tip_y = y + ny * shaft;
    layer_line(layer, x, y, tip_x, tip_y, radius);
    for (int side = -1; side <= 1; side += 2)
        layer_line(layer, tip_x, tip_y, tip_x - head * (nx + (float)side * ny),
                   tip_y - head * (ny - (float)side * nx), radius);
}

static void draw_line(struct layer *layer, const struct scene *scene, const struct figure *figure)
{
    float radius = (float)scene->thickness * (0.75f + 0.75f * figure->flash);
    layer_line(layer, figure->x[0], figure->y[0], figure->x[1], figure->y[1], radius);
    for (int i = 0; i < 2; i++)
        layer_line(layer, figure->x[i], figure->y[i], figure->x[i], figure->y[i],
                   2 * (float)scene->thickness);
    add_arrow(layer, figure, radius);
    blend_lines(layer, scene, figure);
}

void zones_draw(const struct scene *scene, const struct zone_states *zones, struct layer *layer)
{
    for (int i = 0; i < zones->count; i++) {
        struct figure figure;
        if (!read_figure(&figure, scene, zones, i) || !open_layer(layer, scene, &figure))
            continue;
        if (figure.zone->line)
            draw_line(layer, scene, &figure);
        else
            draw_area(layer, scene, &figure);
    }
}

/* ---- tags ---- */

struct tag {
    struct plate_type type;
    char counts[64];
    struct rect rect;
};

static void write_tag(struct tag *tag, const struct figure *figure, struct text *text,
                      const struct scene *scene)
{
    const struct zone_state *zone = figure->zone;
    tag->type = plate_type(text, scene->style->font_size, scene->frame);
    if (zone->line)
        snprintf(tag->counts, sizeof tag->counts, "in %llu  out %llu", (unsigned long long)zone->in,
                 (unsigned long long)zone->out);
    else
        snprintf(tag->counts, sizeof tag->counts, "%d", zone->inside);
    const struct plate_type *type = &tag->type;
    int width = type->capital + type->gap + text_width(text, type->pixels, tag->counts);
    if (zone->name[0])
        width += text_width(text, type->pixels, zone->name) + type->gap;
    tag->rect = (struct rect){0, 0, width + 2 * (type->pad + type->gap / 2), type->height};
}

static int held(float from, int most)
{
    return (int)floorf(fmaxf(fminf(from, (float)most), 0));
}

/* Moves the tag to a middle of its own, into the picture; returns how much is lost there: what it
 * covers of others, and where it is pushed over what it is to stand beside. In pixels. */
static int try_at(struct tag *tag, const struct scene *scene, float x, float y)
{
    const struct frame *frame = scene->frame;
    float top = floorf(y - (float)tag->rect.height / 2);
    tag->rect.x = held(x - (float)tag->rect.width / 2, frame->width - tag->rect.width);
    tag->rect.y = held(top, frame->height - tag->rect.height);
    int lost =
        (int)fminf(fabsf(top - (float)tag->rect.y), (float)tag->rect.height) * tag->rect.width;
    for (int i = 0; i < scene->taken_count; i++)
        lost += rect_common(scene->taken[i], tag->rect);
    return lost;
}

/* Places for a tag, the best first. */
struct spots {
    int count;
    float x[2 * CORNERS_MAX], y[2 * CORNERS_MAX];
};

static void add_spot(struct spots *spots, float x, float y)
{
    spots->x[spots->count] = x;
    spots->y[spots->count++] = y;
}

/* Beside a line's middle, on the side that the arrow does not point to; then the other; then at its
 * ends. */
static void list_line(struct spots *spots, const struct figure *figure, const struct tag *tag)
{
    float nx, ny, half_width = (float)tag->rect.width / 2,
                  half_height = (float)tag->rect.height / 2;
    float x = (figure->x[0] + figure->x[1]) / 2, y = (figure->y[0] + figure->y[1]) / 2;
    way_in(figure, &nx, &ny);
    float away = fabsf(nx) * half_width + fabsf(ny) * half_height + 0.5f * figure->step;
    add_spot(spots, x - nx * away, y - ny * away);
    add_spot(spots, x + nx * (away + figure->step), y + ny * (away + figure->step));
    for (int i = 0; i < 2; i++)
        add_spot(spots, figure->x[i] - nx * away, figure->y[i] - ny * away);
}

/* At an area's highest corners: above, and within. */
static void list_area(struct spots *spots, const struct figure *figure, const struct tag *tag)
{
    bool used[CORNERS_MAX] = {false};
    float half_width = (float)tag->rect.width / 2, half_height = (float)tag->rect.height / 2;
    float apart = half_height + fmaxf(figure->step / 4, 2);
    const struct bounds *b = &figure->bounds;
    for (int i = 0; i < figure->count; i++) {
        int best = -1;
        for (int k = 0; k < figure->count; k++)
            if (!used[k] && (best < 0 || figure->y[k] < figure->y[best]))
                best = k;
        used[best] = true;
        /* Within the zone's width, so that a rectangle's tag begins where its side does. */
        float x = fmaxf(fminf(figure->x[best], b->x2 - half_width), b->x1 + half_width);
        add_spot(spots, x, figure->y[best] - apart);
        add_spot(spots, x, figure->y[best] + apart);
    }
}

static void place_tag(struct tag *tag, const struct figure *figure, const struct scene *scene)
{
    struct spots spots = {.count = 0};
    int best = 0, least = INT32_MAX;
    if (figure->zone->line)
        list_line(&spots, figure, tag);
    else
        list_area(&spots, figure, tag);
    for (int i = 0; i < spots.count && least > 0; i++) {
        int cost = try_at(tag, scene, spots.x[i], spots.y[i]);
        if (cost >= least)
            continue;
        least = cost;
        best = i;
    }
    try_at(tag, scene, spots.x[best], spots.y[best]);
}

static void draw_tag(const struct tag *tag, const struct figure *figure, struct frame *frame,
                     struct text *text)
{
    const struct plate_type *type = &tag->type;
    struct ink ink = palette_ink(figure->color, frame);
    struct rect rect = tag->rect;
    int x = rect.x + type->pad + type->gap / 2, swatch = type->capital;
    plate_ground(frame, type, rect, TAG_ALPHA);
    if (figure->flash > 0)
        shape_ring(frame, rect, type->pixels / 3, type->pixels / 8 + 1, SHAPE_ROUND, ink,
                   (int)(255 * figure->flash));
    shape_fill(frame, (struct rect){x, rect.y + type->pad, swatch, swatch}, swatch / 3, SHAPE_ROUND,
               ink, 255);
    x += swatch + type->gap;
    if (figure->zone->name[0])
        x = plate_words(frame, text, type, x, rect.y, figure->zone->name, plate_soft) + type->gap;
    plate_words(frame, text, type, x, rect.y, tag->counts, plate_bright);
}

void zones_tag(struct scene *scene, const struct zone_states *zones, struct text *text)
{
    for (int i = 0; i < zones->count; i++) {
        struct figure figure;
        struct tag tag;
        if (!read_figure(&figure, scene, zones, i))
            continue;
        write_tag(&tag, &figure, text, scene);
        place_tag(&tag, &figure, scene);
        draw_tag(&tag, &figure, scene->frame, text);
        scene_take(scene, tag.rect);
    }
}
