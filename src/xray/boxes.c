#include "xray/boxes.h"
#include "xray/shapes.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    BOXES_MAX = 512, /* a model gives 300; more could not be told apart */
    LABEL_BYTES = 96,
    NAME_BYTES_MAX = 64, /* a longer class name is cut */
    OUTLINE_ALPHA = 130, /* of the dark line that sets a box off from a ground of its colour */
    TAB_OUTLINE_ALPHA = 90,
    TRACK_ALPHA = 190, /* the track id stands back behind the name */
    PIXELS_MIN = 9,
    PIXELS_MAX = 96,
};

static const struct rgb outline_color = {0x06, 0x08, 0x0b};

struct tab {
    struct rect rect;
    struct rgb color;
    int round; /* which of its corners are */
    char label[LABEL_BYTES], track[16];
};

/* What is the same for all objects of a frame. */
struct drawing {
    struct text *text;
    struct frame *frame;
    const struct detections *detections;
    const struct xray_style *style;
    struct text_heights heights;
    int pixels, pad_x, pad_y, gap;
    int thickness, radius;
    int count;
    struct rect boxes[BOXES_MAX];
    const struct detection *items[BOXES_MAX];
};

static int clamp_int(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

/* 15 pixels of 540 lines at 0.6: the label keeps its share of the picture at every size. */
static int font_pixels(const struct xray_style *style, const struct frame *frame)
{
    float pixels = style->font_size * 25 * (float)frame->height / 540;
    if (!(pixels > PIXELS_MIN))
        return PIXELS_MIN;
    return pixels < PIXELS_MAX ? (int)lroundf(pixels) : PIXELS_MAX;
}

static float scale_coordinate(float value, int from, int to)
{
    float scaled = from > 0 ? value * (float)to / (float)from : value;
    return fminf(fmaxf(scaled, 0), (float)to);
}

/* The part of an object's box that is in the picture. False when there is none, or the numbers are
 * no box. */
static bool place_box(const struct drawing *drawing, const struct detection *item, struct rect *out)
{
    const struct detections *all = drawing->detections;
    const struct frame *frame = drawing->frame;
    if (!(item->x1 < item->x2) || !(item->y1 < item->y2)) /* also: not a number */
        return false;
    float x1 = scale_coordinate(item->x1, all->source_width, frame->width);
    float x2 = scale_coordinate(item->x2, all->source_width, frame->width);
    float y1 = scale_coordinate(item->y1, all->source_height, frame->height);
    float y2 = scale_coordinate(item->y2, all->source_height, frame->height);
    if (!(x1 < x2) || !(y1 < y2))
        return false;
    int left = clamp_int((int)lroundf(x1), 0, frame->width - 1);
    int top = clamp_int((int)lroundf(y1), 0, frame->height - 1);
    int right = clamp_int((int)lroundf(x2), left + 1, frame->width);
    int bottom = clamp_int((int)lroundf(y2), top + 1, frame->height);
    *out = (struct rect){left, top, right - left, bottom - top};
    return true;
}

static struct rgb color_of(const struct xray_style *style, const struct detection *item)
{
    return style->scheme == XRAY_SCHEME_CONFIDENCE ? palette_confidence(item->confidence)
                                                   : palette_class(item->class_id);
}

static void draw_box(const struct drawing *drawing, int index)
{
    struct frame *frame = drawing->frame;
    struct rect box = drawing->boxes[index];
    struct rect around = {box.x - 1, box.y - 1, box.width + 2, box.height + 2};
    int thickness = drawing->thickness;
    shape_ring(frame, around, drawing->radius + 1, thickness + 2, palette_ink(outline_color, frame),
               OUTLINE_ALPHA);
    shape_ring(frame, box, drawing->radius, thickness,
               palette_ink(color_of(drawing->style, drawing->items[index]), frame), 255);
}

/* "person 0.87" and "#12", as the style asks for. False when there is nothing to say. */
static bool write_label(const struct drawing *drawing, const struct detection *item,
                        struct tab *tab)
{
    const struct xray_style *style = drawing->style;
    char scratch[16], confidence[16] = "";
    const char *name = label_set_name(drawing->detections->labels, item->class_id, scratch);
    size_t length = strnlen(name, NAME_BYTES_MAX);
    while (length == NAME_BYTES_MAX && length && ((unsigned char)name[length] & 0xc0) == 0x80)
        length--; /* not in the middle of a character */
    if (style->show_confidence) {
        unsigned percent = (unsigned)lroundf(100 * fminf(fmaxf(item->confidence, 0), 1));
        snprintf(confidence, sizeof confidence, "%u.%02u", percent / 100, percent % 100);
    }
    snprintf(tab->label, sizeof tab->label, "%.*s%s%s", style->show_labels ? (int)length : 0, name,
             style->show_labels && *confidence ? " " : "", confidence);
    tab->track[0] = '\0';
    if (style->show_track_ids && item->track_id)
        snprintf(tab->track, sizeof tab->track, "#%u", (unsigned)item->track_id);
    return tab->label[0] || tab->track[0];
}

/* How many pixels of other labels one at this place would cover. */
static int cost(const struct tab *tabs, int count, struct rect rect)
{
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += rect_common(tabs[i].rect, rect);
    return sum;
}

/* Above the box, or inside at its top, or below it: the first place in the picture that covers the
 * least of other labels. */
static void place_tab(const struct drawing *drawing, const struct tab *tabs, int count,
                      struct rect box, struct tab *tab)
{
    const struct frame *frame = drawing->frame;
    struct rect rect = tab->rect;
    rect.x = clamp_int(box.x, 0, frame->width > rect.width ? frame->width - rect.width : 0);
    int above = box.y - rect.height + drawing->thickness;
    const struct {
        int y, round;
    } places[] = {
        {above, SHAPE_ROUND_TOP},
        {above < 0 ? box.y : box.y + drawing->thickness, SHAPE_ROUND_TOP | SHAPE_ROUND_BOTTOM},
        {box.y + box.height - drawing->thickness, SHAPE_ROUND_BOTTOM},
    };
    int chosen = -1, least = INT_MAX;
    for (int i = 0; i < 3 && least > 0; i++) {
        rect.y = places[i].y;
        if (rect.y < 0 || rect.y + rect.height > frame->height)
            continue;
        int covered = cost(tabs, count, rect);
        if (covered < least) {
            chosen = i;
            least = covered;
        }
    }
    int most = frame->height > rect.height ? frame->height - rect.height : 0;
    rect.y = chosen < 0 ? clamp_int(box.y, 0, most) : places[chosen].y;
    tab->round = chosen < 0 ? 0 : places[chosen].round;
    tab->rect = rect;
}

static void draw_tab(const struct drawing *drawing, const struct tab *tab)
{
    struct frame *frame = drawing->frame;
    struct rect rect = tab->rect;
    struct ink ink = palette_ink(palette_text_on(tab->color), frame);
    shape_fill(frame, (struct rect){rect.x - 1, rect.y - 1, rect.width + 2, rect.height + 2},
               drawing->radius + 1, tab->round, palette_ink(outline_color, frame),
               TAB_OUTLINE_ALPHA);
    shape_fill(frame, rect, drawing->radius, tab->round, palette_ink(tab->color, frame), 255);
    int baseline = rect.y + drawing->pad_y + drawing->heights.capital;
    int x = text_draw(drawing->text, frame, rect.x + drawing->pad_x, baseline, drawing->pixels,
                      tab->label, ink, 255);
    if (tab->track[0])
        text_draw(drawing->text, frame, tab->label[0] ? x + drawing->gap : x, baseline,
                  drawing->pixels, tab->track, ink, TRACK_ALPHA);
}

static void measure_tab(const struct drawing *drawing, struct tab *tab)
{
    int width = tab->label[0] ? text_width(drawing->text, drawing->pixels, tab->label) : 0;
    if (tab->track[0])
        width +=
            (width ? drawing->gap : 0) + text_width(drawing->text, drawing->pixels, tab->track);
    tab->rect = (struct rect){0, 0, width + 2 * drawing->pad_x,
                              drawing->heights.capital + 2 * drawing->pad_y};
}

static void draw_tabs(const struct drawing *drawing)
{
    struct tab tabs[BOXES_MAX];
    int count = 0;
    for (int i = 0; i < drawing->count; i++) {
        struct tab *tab = &tabs[count];
        if (!write_label(drawing, drawing->items[i], tab))
            continue;
        tab->color = color_of(drawing->style, drawing->items[i]);
        measure_tab(drawing, tab);
        place_tab(drawing, tabs, count, drawing->boxes[i], tab);
        count++;
    }
    /* The first are the surest: they come last, on top. */
    while (count-- > 0)
        draw_tab(drawing, &tabs[count]);
}

static void prepare(struct drawing *drawing)
{
    int pixels = font_pixels(drawing->style, drawing->frame);
    drawing->pixels = pixels;
    drawing->heights = text_heights(drawing->text, pixels);
    drawing->pad_x = (pixels * 2 + 2) / 5;
    /* Room for what hangs below the baseline, and as much above the capitals. */
    drawing->pad_y = drawing->heights.below + (pixels + 8) / 16;
    drawing->gap = (pixels + 1) / 3;
    drawing->thickness = clamp_int(drawing->style->line_thickness, 1, 16);
    drawing->radius = drawing->thickness + 2;
    drawing->count = 0;
}

int boxes_draw(struct text *text, struct frame *frame, const struct detections *detections,
               const struct xray_style *style)
{
    struct drawing drawing = {
        .text = text, .frame = frame, .detections = detections, .style = style};
    prepare(&drawing);
    for (int i = 0; i < detections->count && drawing.count < BOXES_MAX; i++) {
        const struct detection *item = &detections->items[i];
        if (!(item->confidence >= style->min_confidence) ||
            !place_box(&drawing, item, &drawing.boxes[drawing.count]))
            continue;
        drawing.items[drawing.count++] = item;
    }
    for (int i = drawing.count - 1; style->show_boxes && i >= 0; i--)
        draw_box(&drawing, i);
    draw_tabs(&drawing);
    return drawing.count;
}
