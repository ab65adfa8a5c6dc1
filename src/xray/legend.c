#include "xray/legend.h"

#include "core/text_cut.h"
#include "xray/heat.h"
#include "xray/plate.h"
#include "xray/scheme.h"
#include "xray/shapes.h"

#include <stdio.h>
#include <string.h>

enum {
    FORGET_US = 3000000, /* a class that has gone stays so long, with a count of 0 */
    STAY_US = 2000000,   /* and the legend in its corner */
    CLEARLY_BETTER = 50, /* percent of an object hidden less */
    GROUND_ALPHA = 190,
    SCALES_MAX = 2,
    SCALE_TYPE_WIDTHS = 5, /* how long a scale is, of the height of type */
};

/* ---- which classes ---- */

static void forget_gone(struct legend_memory *memory, int64_t now_us)
{
    int kept = 0;
    for (int i = 0; i < memory->count; i++)
        if (now_us - memory->classes[i].seen_us <= FORGET_US)
            memory->classes[kept++] = memory->classes[i];
    memory->count = kept;
}

/* Finds the class, or makes room for it by its id; NULL when there is none. */
static struct legend_class *find_class(struct legend_memory *memory, int id)
{
    int at = 0;
    while (at < memory->count && memory->classes[at].id < id)
        at++;
    if (at < memory->count && memory->classes[at].id == id)
        return &memory->classes[at];
    if (memory->count == LEGEND_ROWS_MAX)
        return NULL;
    memmove(&memory->classes[at + 1], &memory->classes[at],
            (size_t)(memory->count - at) * sizeof memory->classes[0]);
    memory->count++;
    memory->classes[at].id = id;
    return &memory->classes[at];
}

static void see_classes(struct legend_memory *memory, const struct scene *scene)
{
    forget_gone(memory, scene->frame->capture_us);
    for (int i = 0; i < scene->count; i++) {
        const struct scene_object *object = &scene->objects[i];
        struct legend_class *seen = find_class(memory, object->item->class_id);
        if (!seen)
            continue;
        char scratch[16];
        const char *name = label_set_name(scene->detections->labels, seen->id, scratch);
        seen->seen_us = scene->frame->capture_us;
        seen->color = object->color;
        text_cut(seen->name, sizeof seen->name, name);
    }
}

/* ---- what stands in it ---- */

struct row {
    const char *name;
    bool swatch;
    struct rgb color;
    char count[16];
};

struct scale {
    const char *name, *least, *most;
    struct rgb (*color)(const struct xray_style *style, float value);
    bool fades; /* out to nothing at its lower end */
};

struct content {
    struct plate_type type;
    int row_count, scale_count;
    int swatch_width, name_width, count_width, line; /* line: from one row to the next */
    struct row rows[LEGEND_ROWS_MAX + 1];
    struct scale scales[SCALES_MAX];
    struct rect rect;
};

static bool goes_by_confidence(const struct xray_style *style)
{
    return style->scheme == XRAY_SCHEME_CONFIDENCE || style->scheme == XRAY_SCHEME_THERMAL;
}

static void add_row(struct content *content, const char *name, bool swatch, struct rgb color,
                    int count)
{
    struct row *row = &content->rows[content->row_count++];
    *row = (struct row){.name = name, .swatch = swatch, .color = color};
    snprintf(row->count, sizeof row->count, "%d", count);
}

static void list_classes(struct content *content, const struct scene *scene,
                         const struct legend_memory *memory)
{
    bool swatches =
        !goes_by_confidence(scene->style) && scene->style->scheme != XRAY_SCHEME_MONOCHROME;
    int others = scene->count;
    for (int i = 0; i < memory->count; i++) {
        const struct legend_class *class = &memory->classes[i];
        int count = 0;
        for (int k = 0; k < scene->count; k++)
            count += scene->objects[k].item->class_id == class->id;
        others -= count;
        add_row(content, class->name, swatches, class->color, count);
    }
    if (others > 0)
        add_row(content, "others", swatches, plate_soft, others);
}

static void list_scales(struct content *content, const struct scene *scene,
                        const struct parts *parts)
{
    if (parts->objects && goes_by_confidence(scene->style))
        content->scales[content->scale_count++] =
            (struct scale){"confidence", "0", "1", scheme_confidence, false};
    if (parts->heat)
        content->scales[content->scale_count++] =
            (struct scale){"presence", "less", "more", scheme_heat, true};
}

static void measure(struct content *content, struct text *text)
{
    const struct plate_type *type = &content->type;
    int scale_width = 0;
    for (int i = 0; i < content->row_count; i++) {
        const struct row *row = &content->rows[i];
        if (row->swatch)
            content->swatch_width = type->capital + type->gap;
        content->name_width =
            max_int(content->name_width, text_width(text, type->pixels, row->name));
        content->count_width =
            max_int(content->count_width, text_width(text, type->pixels, row->count));
    }
    for (int i = 0; i < content->scale_count; i++) {
        const struct scale *scale = &content->scales[i];
        int ends = text_width(text, type->pixels, scale->least) +
                   text_width(text, type->pixels, scale->most) + 2 * type->gap;
        scale_width = max_int(scale_width, max_int(ends + SCALE_TYPE_WIDTHS * type->pixels,
                                                   text_width(text, type->pixels, scale->name)));
    }
    int rows_width = content->row_count > 0 ? content->swatch_width + content->name_width +
                                                  3 * type->gap + content->count_width
                                            : 0;
    int lines = content->row_count + 2 * content->scale_count;
    content->line = type->capital + type->pad + type->pad / 2;
    content->rect.width = max_int(rows_width, scale_width) + 2 * (type->pad + type->gap / 2);
    content->rect.height =
        type->height + (lines - 1) * content->line + (type->gap & ~1); /* a little more around */
}

/* ---- where ---- */

enum corner { TOP_RIGHT, TOP_LEFT, BOTTOM_RIGHT, BOTTOM_LEFT, CORNERS };

static struct rect at_corner(const struct content *content, const struct frame *frame, int corner)
{
    struct rect rect = content->rect;
    int margin = content->type.pixels / 2;
    bool left = corner == TOP_LEFT || corner == BOTTOM_LEFT;
    bool top = corner == TOP_RIGHT || corner == TOP_LEFT;
    rect.x = left ? margin : frame->width - margin - rect.width;
    rect.y = top ? margin : frame->height - margin - rect.height;
    return rect;
}

/* How many objects and plates it hides there, in percent. */
static int hidden(const struct scene *scene, struct rect rect)
{
    int sum = 0;
    for (int i = 0; i < scene->count; i++) {
        struct rect box = scene->objects[i].box;
        sum += (int)(100 * (int64_t)rect_common(box, rect) / ((int64_t)box.width * box.height));
    }
    for (int i = 0; i < scene->taken_count; i++)
        sum += rect_common(scene->taken[i], rect) > 0 ? 200 : 0;
    return sum;
}

static void place(struct content *content, const struct scene *scene, struct legend_memory *memory)
{
    const struct frame *frame = scene->frame;
    int costs[CORNERS], best = TOP_RIGHT;
    for (int i = 0; i < CORNERS; i++) {
        costs[i] = hidden(scene, at_corner(content, frame, i));
        if (costs[i] < costs[best])
            best = i;
    }
    if (!memory->placed || (frame->capture_us - memory->moved_us > STAY_US &&
                            costs[memory->corner] > costs[best] + CLEARLY_BETTER)) {
        memory->placed = true;
        memory->corner = best;
        memory->moved_us = frame->capture_us;
    }
    content->rect = at_corner(content, frame, memory->corner);
}

/* ---- drawing ---- */

static void draw_row(const struct content *content, const struct row *row, struct frame *frame,
                     struct text *text, int left, int right, int y)
{
    const struct plate_type *type = &content->type;
    bool none = strcmp(row->count, "0") == 0;
    if (row->swatch)
        shape_fill(frame, (struct rect){left, y + type->pad, type->capital, type->capital},
                   type->capital / 3, SHAPE_ROUND, palette_ink(row->color, frame),
                   none ? 100 : 255);
    plate_words(frame, text, type, left + content->swatch_width, y, row->name,
                none ? plate_soft : plate_bright);
    plate_words(frame, text, type, right - text_width(text, type->pixels, row->count), y,
                row->count, none ? plate_soft : plate_bright);
}

static void draw_scale(const struct content *content, const struct scale *scale,
                       const struct scene *scene, struct text *text, int left, int right, int y)
{
    const struct plate_type *type = &content->type;
    struct frame *frame = scene->frame;
    plate_words(frame, text, type, left, y, scale->name, plate_soft);
    y += content->line;
    /* From an even x on, so that each step has chroma samples of its own. */
    int after = plate_words(frame, text, type, left, y, scale->least, plate_bright) + type->gap;
    int from = (after + 1) & ~1;
    int to = right - text_width(text, type->pixels, scale->most);
    plate_words(frame, text, type, to, y, scale->most, plate_bright);
    to -= type->gap;
    for (int x = from; x < to; x += 2) {
        float value = ((float)(x - from) + 1) / (float)(to - from);
        canvas_rect(frame, (struct rect){x, y + type->pad, x + 2 < to ? 2 : to - x, type->capital},
                    palette_ink(scale->color(scene->style, value), frame),
                    scale->fades ? (int)(255 * heat_cover(value)) : 255);
    }
}

static void draw(const struct content *content, const struct scene *scene, struct text *text)
{
    const struct plate_type *type = &content->type;
    struct rect rect = content->rect;
    int left = rect.x + type->pad + type->gap / 2, right = rect.x + rect.width - (left - rect.x);
    int y = rect.y + (type->gap & ~1) / 2;
    plate_ground(scene->frame, type, rect, GROUND_ALPHA);
    for (int i = 0; i < content->row_count; i++, y += content->line)
        draw_row(content, &content->rows[i], scene->frame, text, left, right, y);
    for (int i = 0; i < content->scale_count; i++, y += 2 * content->line)
        draw_scale(content, &content->scales[i], scene, text, left, right, y);
}

bool legend_shows(const struct legend_memory *memory, const struct parts *parts,
                  const struct xray_style *style)
{
    return parts->heat || (parts->objects && (memory->count > 0 || goes_by_confidence(style)));
}

void legend_draw(struct scene *scene, const struct parts *parts, struct text *text,
                 struct legend_memory *memory)
{
    const struct frame *frame = scene->frame;
    struct content content = {.type = plate_type(text, scene->style->font_size, frame)};
    if (parts->objects) {
        see_classes(memory, scene);
        list_classes(&content, scene, memory);
    }
    list_scales(&content, scene, parts);
    if (content.row_count + content.scale_count == 0)
        return;
    measure(&content, text);
    if (2 * content.rect.width > frame->width || 4 * content.rect.height > 3 * frame->height)
        return;
    place(&content, scene, memory);
    draw(&content, scene, text);
    scene_take(scene, content.rect);
}
