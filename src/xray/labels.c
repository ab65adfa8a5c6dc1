#include "xray/labels.h"

#include "core/text_cut.h"
#include "xray/plate.h"
#include "xray/shapes.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LABEL_BYTES = 96,
    NAME_BYTES_MAX = 64, /* a longer class name is cut */
    OUTLINE_ALPHA = 90,  /* of the dark line around */
    TRACK_ALPHA = 190,   /* the track id stands back behind the name */
    CAREFUL_MAX = 100,   /* with more objects fewer places are tried: nobody could read them */
    ROWS_AWAY = 2,
    PLACES_MAX = 8 + 2 * ROWS_AWAY,
};

struct tab {
    struct rect rect, box; /* the object's */
    struct rgb color;
    int round; /* which of its corners are */
    char label[LABEL_BYTES], track[16];
};

/* What is the same for all labels of a frame. */
struct layout {
    const struct scene *scene;
    struct text *text;
    struct label_memory *memory;
    struct text_heights heights;
    int pixels, pad_x, pad_y, gap;
    int count;
    struct tab tabs[SCENE_MAX];
};

/* "person 0.87" and "#12", as the style asks for. False when there is nothing to say. */
static bool write_label(const struct scene *scene, const struct detection *item, struct tab *tab)
{
    const struct xray_style *style = scene->style;
    char scratch[16], confidence[16] = "";
    const char *name = label_set_name(scene->detections->labels, item->class_id, scratch);
    int length = style->show_labels ? (int)text_fitting(name, NAME_BYTES_MAX) : 0;
    if (style->show_confidence) {
        unsigned percent = (unsigned)lroundf(100 * fminf(fmaxf(item->confidence, 0), 1));
        snprintf(confidence, sizeof confidence, "%u.%02u", percent / 100, percent % 100);
    }
    snprintf(tab->label, sizeof tab->label, "%.*s%s%s", length, name,
             style->show_labels && *confidence ? " " : "", confidence);
    tab->track[0] = '\0';
    if (style->show_track_ids && item->track_id)
        snprintf(tab->track, sizeof tab->track, "#%u", (unsigned)item->track_id);
    return tab->label[0] || tab->track[0];
}

static void measure(const struct layout *layout, struct tab *tab)
{
    int width = tab->label[0] ? text_width(layout->text, layout->pixels, tab->label) : 0;
    if (tab->track[0])
        width += (width ? layout->gap : 0) + text_width(layout->text, layout->pixels, tab->track);
    tab->rect =
        (struct rect){0, 0, width + 2 * layout->pad_x, layout->heights.capital + 2 * layout->pad_y};
}

/* ---- where ---- */

/* `far`: how many steps from the object, where it is less clear whose label it is. */
struct place {
    int x, y, round, far;
};

/* How much of other labels and of plates one would cover. */
static int labels_covered(const struct layout *layout, struct rect rect)
{
    int sum = 0;
    for (int i = 0; i < layout->count; i++)
        sum += rect_common(layout->tabs[i].rect, rect);
    for (int i = 0; i < layout->scene->taken_count; i++)
        sum += rect_common(layout->scene->taken[i], rect);
    return sum;
}

/* What is lost with a label at this place: other labels above all, then other objects, and the
 * object itself where it would hardly be seen behind it. In pixels. */
static int cost(const struct layout *layout, const struct scene_object *object, struct rect rect,
                int far)
{
    const struct scene *scene = layout->scene;
    int sum = far * rect.width * rect.height / 8 + 12 * labels_covered(layout, rect);
    if (scene->count > CAREFUL_MAX)
        return sum;
    for (int i = 0; i < scene->count; i++) {
        int covered = rect_common(scene->objects[i].box, rect);
        bool own = &scene->objects[i] == object;
        if (!own || 3 * covered > object->box.width * object->box.height)
            sum += covered;
    }
    return sum;
}

/* The places for a label, the best first: above the box, inside at its top, below it; then the same
 * at its right end, beside it, and in rows above and below. */
static int list_places(const struct layout *layout, struct rect box, struct rect label,
                       struct place places[PLACES_MAX])
{
    const int all = SHAPE_ROUND;
    int thickness = layout->scene->thickness, count = 0;
    int above = box.y - label.height + thickness, bottom = box.y + box.height;
    int inside = above < 0 ? box.y : box.y + thickness;
    const int ends[] = {box.x, box.x + box.width - label.width};
    for (int i = 0; i < 2; i++) {
        places[count++] = (struct place){ends[i], above, SHAPE_ROUND_TOP, 0};
        places[count++] = (struct place){ends[i], inside, all, 0};
        places[count++] = (struct place){ends[i], bottom - thickness, SHAPE_ROUND_BOTTOM, 0};
        if (layout->scene->count > CAREFUL_MAX)
            return count;
    }
    places[count++] = (struct place){box.x + box.width + 2, box.y, all, 0};
    places[count++] = (struct place){box.x - label.width - 2, box.y, all, 0};
    for (int row = 1; row <= ROWS_AWAY; row++) {
        places[count++] = (struct place){box.x, above - row * (label.height + 2), all, row};
        places[count++] = (struct place){box.x, bottom + row * (label.height + 2), all, row};
    }
    return count;
}

/* Where it would stand, in the picture from left to right. False when not from top to bottom. */
static bool stand(const struct layout *layout, const struct place *place, struct rect *rect)
{
    const struct frame *frame = layout->scene->frame;
    int most_x = frame->width > rect->width ? frame->width - rect->width : 0;
    rect->x = clamp_int(place->x, 0, most_x);
    rect->y = place->y;
    return rect->y >= 0 && rect->y + rect->height <= frame->height;
}

/* The place that the object's label had, -1 = none is known. */
static int remembered(const struct layout *layout, uint32_t track_id, int count)
{
    int slot = (int)(track_id % LABEL_SLOTS);
    bool known = track_id && layout->memory->slots[slot].track_id == track_id;
    int place = known ? layout->memory->slots[slot].place : -1;
    return place < count ? place : -1;
}

static void remember(const struct layout *layout, uint32_t track_id, int place)
{
    int slot = (int)(track_id % LABEL_SLOTS);
    layout->memory->slots[slot].track_id = track_id;
    layout->memory->slots[slot].place = place;
}

/* The first place in the picture that costs least; the one it had, unless another is clearly
 * better. */
static void place(const struct layout *layout, const struct scene_object *object, struct tab *tab)
{
    const struct frame *frame = layout->scene->frame;
    struct place places[PLACES_MAX];
    int count = list_places(layout, object->box, tab->rect, places);
    int before = remembered(layout, object->item->track_id, count), chosen = -1, least = INT_MAX;
    int most_y = frame->height > tab->rect.height ? frame->height - tab->rect.height : 0;
    struct rect rect = tab->rect;
    if (before >= 0 && stand(layout, &places[before], &rect) && labels_covered(layout, rect) == 0) {
        least = cost(layout, object, rect, places[before].far) - rect.width * rect.height / 4;
        chosen = before;
    }
    for (int i = 0; i < count && least > 0; i++) {
        int lost =
            stand(layout, &places[i], &rect) ? cost(layout, object, rect, places[i].far) : INT_MAX;
        if (lost >= least)
            continue;
        least = lost;
        chosen = i;
    }
    const struct place nowhere = {object->box.x, clamp_int(object->box.y, 0, most_y), 0, 0};
    const struct place *best = chosen >= 0 ? &places[chosen] : &nowhere;
    stand(layout, best, &tab->rect);
    tab->round = best->round;
    if (chosen >= 0)
        remember(layout, object->item->track_id, chosen);
}

/* ---- drawing ---- */

static void draw(const struct layout *layout, const struct tab *tab)
{
    struct frame *frame = layout->scene->frame;
    struct rect rect = tab->rect;
    int radius = layout->scene->radius;
    struct ink ink = palette_ink(palette_text_on(tab->color), frame);
    /* Under the label's edge, too, where that is soft. */
    shape_ring(frame, (struct rect){rect.x - 1, rect.y - 1, rect.width + 2, rect.height + 2},
               radius + 1, 2, tab->round, palette_ink(palette_seam, frame), OUTLINE_ALPHA);
    shape_fill(frame, rect, radius, tab->round, palette_ink(tab->color, frame), 255);
    int baseline = rect.y + layout->pad_y + layout->heights.capital;
    int x = text_draw(layout->text, frame, rect.x + layout->pad_x, baseline, layout->pixels,
                      tab->label, ink, 255);
    if (tab->track[0])
        text_draw(layout->text, frame, tab->label[0] ? x + layout->gap : x, baseline,
                  layout->pixels, tab->track, ink, TRACK_ALPHA);
}

/* From a label in a row away to its box, where one is above the other. */
static void draw_leader(const struct layout *layout, const struct tab *tab)
{
    const struct scene *scene = layout->scene;
    struct rect box = tab->box, rect = tab->rect;
    int left = max_int(box.x, rect.x), width = max_int(scene->thickness / 2, 1);
    int right = min_int(box.x + box.width, rect.x + rect.width);
    int from = min_int(box.y + box.height, rect.y + rect.height), to = max_int(box.y, rect.y);
    if (to - from <= scene->thickness + 2 || right - left < width)
        return;
    int x = left + min_int(layout->pad_x, (right - left - width) / 2);
    canvas_rect(scene->frame, (struct rect){x - 1, from, width + 2, to - from},
                palette_ink(palette_seam, scene->frame), OUTLINE_ALPHA);
    canvas_rect(scene->frame, (struct rect){x, from, width, to - from},
                palette_ink(tab->color, scene->frame), 255);
}

static void prepare(struct layout *layout, const struct scene *scene, struct text *text,
                    struct label_memory *memory)
{
    int pixels = plate_pixels(scene->style->font_size, scene->frame);
    layout->scene = scene;
    layout->text = text;
    layout->memory = memory;
    layout->pixels = pixels;
    layout->heights = text_heights(text, pixels);
    layout->pad_x = (pixels * 2 + 2) / 5;
    /* Room for what hangs below the baseline, and as much above the capitals. */
    layout->pad_y = layout->heights.below + (pixels + 8) / 16;
    layout->gap = (pixels + 1) / 3;
    layout->count = 0;
}

void labels_draw(const struct scene *scene, struct text *text, struct label_memory *memory)
{
    struct layout layout;
    prepare(&layout, scene, text, memory);
    for (int i = 0; i < scene->count; i++) {
        const struct scene_object *object = &scene->objects[i];
        struct tab *tab = &layout.tabs[layout.count];
        if (!write_label(scene, object->item, tab))
            continue;
        tab->color = object->color;
        tab->box = object->box;
        measure(&layout, tab);
        place(&layout, object, tab);
        layout.count++;
    }
    for (int i = 0; i < layout.count; i++)
        draw_leader(&layout, &layout.tabs[i]);
    while (layout.count-- > 0) /* the surest last, on top */
        draw(&layout, &layout.tabs[layout.count]);
}
