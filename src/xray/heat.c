#include "xray/heat.h"

#include "xray/canvas.h"
#include "xray/scheme.h"

#include <math.h>
#include <string.h>

enum {
    WARMS_US = 1500000,  /* time constants: of a place where an object stays, */
    COOLS_US = 10000000, /* and of one that it has left */
    PAUSE_US = 2000000,  /* a longer time without a picture says nothing about where objects were */
    LEVELS = 256,
    HALF_WIDTH_MAX = (FRAME_MAX_SIDE + 1) / 2,
};

static const float cold = 1.0f / 512; /* less is nothing */

/* ---- warming and cooling ---- */

static void cool(struct heat *heat, float share)
{
    float *cell = heat->cells[0];
    float most = 0;
    for (int i = 0; i < HEAT_ROWS * HEAT_COLUMNS; i++) {
        float left = cell[i] * share;
        cell[i] = left < cold ? 0 : left;
        most = fmaxf(most, cell[i]);
    }
    heat->warm = most > 0;
}

/* How much of an object there is at each cell along one side: full in its middle, fading softly
 * towards its edges. Returns the first cell, and in *count how many. */
static int spread(float from, float to, int source, int cells, float *shares, int *count)
{
    float scale = (float)cells / (float)source;
    float centre = (from + to) / 2 * scale;
    float half = fmaxf((to - from) / 2 * scale * 1.15f, 1.2f); /* a little over the edges */
    int first = (int)fmaxf(ceilf(centre - half - 0.5f), 0);
    int last = (int)fminf(floorf(centre + half - 0.5f), (float)cells - 1);
    *count = last - first + 1;
    for (int i = first; i <= last; i++) {
        float u = ((float)i + 0.5f - centre) / half;
        float fade = 1 - u * u * u * u;
        shares[i - first] = fade > 0 ? fade * fade : 0;
    }
    return first;
}

static bool is_sound(const struct detection *item, float min_confidence)
{
    return item->confidence >= min_confidence && item->x1 < item->x2 && item->y1 < item->y2 &&
           fabsf(item->x1) < 1e6f && fabsf(item->x2) < 1e6f && fabsf(item->y1) < 1e6f &&
           fabsf(item->y2) < 1e6f;
}

static void warm(struct heat *heat, const struct detections *all, const struct detection *item,
                 float share)
{
    float across[HEAT_COLUMNS] = {0}, down[HEAT_ROWS] = {0};
    int columns, rows;
    int left = spread(item->x1, item->x2, all->source_width, HEAT_COLUMNS, across, &columns);
    int top = spread(item->y1, item->y2, all->source_height, HEAT_ROWS, down, &rows);
    if (columns <= 0 || rows <= 0)
        return;
    for (int y = 0; y < rows; y++) {
        float *cell = &heat->cells[top + y][left];
        float part = share * down[y];
        for (int x = 0; x < columns; x++)
            cell[x] += (1 - cell[x]) * part * across[x];
    }
    heat->warm = true;
}

/* Each cell by the mask's at its centre. */
static void warm_mask(struct heat *heat, const struct detections *all, const struct detection *item,
                      float share)
{
    const struct object_shape *shape = item->shape;
    float across = (float)all->source_width / HEAT_COLUMNS;
    float down = (float)all->source_height / HEAT_ROWS;
    for (int y = 0; y < HEAT_ROWS; y++) {
        float v = (((float)y + 0.5f) * down - item->y1) / (item->y2 - item->y1);
        for (int x = 0; x < HEAT_COLUMNS && v >= 0 && v < 1; x++) {
            float u = (((float)x + 0.5f) * across - item->x1) / (item->x2 - item->x1);
            if (!(u >= 0 && u < 1))
                continue;
            int row = (int)(v * (float)shape->mask_height);
            int column = (int)(u * (float)shape->mask_width);
            float inside = (float)shape->mask[row * shape->mask_width + column] / 255;
            heat->cells[y][x] += (1 - heat->cells[y][x]) * share * inside;
        }
    }
    heat->warm = true;
}

void heat_update(struct heat *heat, int64_t capture_us, const struct detections *detections,
                 float min_confidence, bool by_masks)
{
    int64_t passed_us = capture_us - heat->updated_us;
    bool begins = !heat->warm || passed_us > PAUSE_US;
    if (passed_us <= 0)
        return;
    if (heat->warm)
        cool(heat, expf(-(float)passed_us / COOLS_US));
    heat->updated_us = capture_us;
    if (!detections || detections->source_width < 1 || detections->source_height < 1)
        return;
    float share = 1 - expf(-(begins ? 1 : (float)passed_us / WARMS_US));
    for (int i = 0; i < detections->count; i++) {
        const struct detection *item = &detections->items[i];
        if (!is_sound(item, min_confidence))
            continue;
        if (by_masks && item->shape && item->shape->mask_width > 0)
            warm_mask(heat, detections, item, share);
        else
            warm(heat, detections, item, share);
    }
}

/* ---- drawing ---- */

/* What a cell's heat means in the terms of a frame. */
struct table {
    uint8_t alpha[LEVELS], value[FRAME_PLANES][LEVELS];
};

float heat_cover(float heat)
{
    return fminf(heat * 1.5f, 1);
}

static void make_table(struct table *table, const struct frame *frame,
                       const struct xray_style *style)
{
    float most = 255 * fminf(fmaxf(style->heatmap_intensity, 0), 1);
    for (int i = 0; i < LEVELS; i++) {
        float heat = (float)i / (LEVELS - 1);
        struct ink ink = palette_ink(scheme_heat(style, heat), frame);
        table->alpha[i] = (uint8_t)(most * heat_cover(heat));
        for (int p = 0; p < FRAME_PLANES; p++)
            table->value[p][i] = ink.plane[p];
    }
}

/* The heat along one line of the picture, one cell more on each side, 0..255 * 256; false when it
 * is cold all along. *first and *last: the cells that are warm. */
static bool read_line(const struct heat *heat, float y, int line[HEAT_COLUMNS + 2], int *first,
                      int *last)
{
    int above = (int)floorf(y);
    float share = y - (float)above;
    const float *a = heat->cells[above < 0 ? 0 : above];
    const float *b = heat->cells[above + 1 < HEAT_ROWS ? above + 1 : HEAT_ROWS - 1];
    *first = HEAT_COLUMNS;
    *last = -1;
    for (int i = 0; i < HEAT_COLUMNS; i++) {
        line[i + 1] = (int)(255 * 256 * (a[i] + (b[i] - a[i]) * share));
        if (line[i + 1] == 0)
            continue;
        *first = *first < i ? *first : i;
        *last = i;
    }
    line[0] = line[1];
    line[HEAT_COLUMNS + 1] = line[HEAT_COLUMNS];
    return *last >= 0;
}

/* Samples of a line of the picture, each for a pair of pixels. */
struct strip {
    int begin, end;
    uint8_t level[HALF_WIDTH_MAX], alpha[HALF_WIDTH_MAX], value[HALF_WIDTH_MAX];
    uint8_t wide_alpha[2 * HALF_WIDTH_MAX], wide_value[2 * HALF_WIDTH_MAX];
};

/* The heat changes slowly: one value serves two by two pixels. */
static void read_strip(struct strip *strip, const int line[HEAT_COLUMNS + 2], int first, int last,
                       int half_width)
{
    int step = (HEAT_COLUMNS << 16) / half_width;
    /* What is warm fades out over the cells beside it. */
    int begin = (int)((int64_t)(first - 1) * half_width / HEAT_COLUMNS) - 1;
    int end = (int)((int64_t)(last + 2) * half_width / HEAT_COLUMNS) + 2;
    strip->begin = begin < 0 ? 0 : begin;
    strip->end = end < half_width ? end : half_width;
    for (int x = strip->begin; x < strip->end; x++) {
        int at = x * step + step / 2 + (1 << 15); /* + 1/2: line[0] is one before */
        int cell = at >> 16, share = (at >> 8) & 255;
        int value = line[cell] + (int)(((int64_t)(line[cell + 1] - line[cell]) * share) >> 8);
        strip->level[x] = (uint8_t)(value >> 8);
    }
}

static void look_up(struct strip *strip, const uint8_t table[LEVELS], uint8_t *out)
{
    for (int x = strip->begin; x < strip->end; x++)
        out[x] = table[strip->level[x]];
}

static void widen(const struct strip *strip, const uint8_t *from, uint8_t *to)
{
    for (int x = strip->begin; x < strip->end; x++)
        to[2 * x] = to[2 * x + 1] = from[x];
}

static void draw_strip(struct strip *strip, const struct table *table, struct frame *frame, int row)
{
    int begin = strip->begin, count = strip->end - strip->begin;
    look_up(strip, table->alpha, strip->alpha);
    for (int p = 1; p < FRAME_PLANES; p++) {
        look_up(strip, table->value[p], strip->value);
        canvas_blend_row(frame->plane[p] + (ptrdiff_t)row * frame->stride[p] + begin,
                         strip->value + begin, strip->alpha + begin, count);
    }
    look_up(strip, table->value[0], strip->value);
    widen(strip, strip->alpha, strip->wide_alpha);
    widen(strip, strip->value, strip->wide_value);
    int end = 2 * strip->end < frame->width ? 2 * strip->end : frame->width;
    for (int y = 2 * row; y < 2 * row + 2 && y < frame->height; y++)
        canvas_blend_row(frame->plane[0] + (ptrdiff_t)y * frame->stride[0] + 2 * begin,
                         strip->wide_value + 2 * begin, strip->wide_alpha + 2 * begin,
                         end - 2 * begin);
}

void heat_draw(const struct heat *heat, struct frame *frame, const struct xray_style *style)
{
    struct table table;
    struct strip strip;
    int line[HEAT_COLUMNS + 2], first, last;
    int half_width = chroma_size(frame->width), half_height = chroma_size(frame->height);
    if (!heat->warm)
        return;
    make_table(&table, frame, style);
    for (int row = 0; row < half_height; row++) {
        float y = ((float)row + 0.5f) * HEAT_ROWS / (float)half_height - 0.5f;
        if (!read_line(heat, y, line, &first, &last))
            continue;
        read_strip(&strip, line, first, last, half_width);
        draw_strip(&strip, &table, frame, row);
    }
}
