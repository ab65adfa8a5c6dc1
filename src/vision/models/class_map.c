/* One map of the picture for each class, or of one class alone: semantic segmentation and the
 * cutting out of persons. Cells of a class that touch become one object: its box is drawn around
 * them, its confidence is their mean.
 *
 * A single map tells how likely a cell is inside. Of several, a cell belongs to the class of the
 * highest value. Values are probabilities or what goes into a sigmoid or softmax: a run on a test
 * picture tells which. */
#include "vision/models/family.h"

#include "core/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum variant { PROBABILITIES = 0, LOGITS = 1, LAST = 2 /* flag: [1,H,W,C], not [1,C,H,W] */ };
enum {
    CLASSES_MAX = 256,
    SIDE_MAX = 2048,
    REGIONS_MAX = 4096, /* what begins when there are as many is left out */
    SPECK = 1000,       /* less than one in so many cells of the map is no object */
};

struct map {
    const float *data;
    int classes, width, height;
    size_t class_step, cell_step; /* from a class to the next, from a cell to the one beside it */
    bool logits;
};

static bool read_map(const struct output_layout *layout, const struct tensor_view *view,
                     struct map *out)
{
    bool last = layout->variant & LAST;
    if (view->data == NULL || view->rank != 4 || view->dims[0] != 1)
        return false;
    int64_t classes = view->dims[last ? 3 : 1];
    int64_t height = view->dims[last ? 1 : 2], width = view->dims[last ? 2 : 3];
    if (classes < 1 || classes > CLASSES_MAX || classes != layout->class_count || height < 1 ||
        height > SIDE_MAX || width < 1 || width > SIDE_MAX ||
        view->count != (size_t)(classes * height * width))
        return false;
    *out = (struct map){.data = view->data,
                        .classes = (int)classes,
                        .width = (int)width,
                        .height = (int)height,
                        .class_step = last ? 1 : (size_t)(height * width),
                        .cell_step = last ? (size_t)classes : 1,
                        .logits = layout->variant & LOGITS};
    return true;
}

static bool any_outside_0_to_1(const struct tensor_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->data[i] < -0.001F || view->data[i] > 1.001F)
            return true;
    return false;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    (void)format; /* the default */
    const struct tensor_view *view = traits->probe;
    bool said = traits->task != NULL ? strcmp(traits->task, "segment") == 0 : traits->chosen;
    if (traits->io->output_count != 1 || !said || view == NULL)
        return false; /* without a run the values are not known */
    layout->output_count = 1;
    for (int last = 0; last <= LAST; last += LAST) {
        struct map map;
        int64_t classes = view->rank == 4 ? view->dims[last ? 3 : 1] : 0;
        bool named = traits->names == 0 || traits->names == classes;
        layout->class_count = (int)(classes < CLASSES_MAX + 1 ? classes : 0);
        layout->variant = last;
        if (named && read_map(layout, view, &map)) {
            layout->variant |= any_outside_0_to_1(view) ? LOGITS : PROBABILITIES;
            layout->suppressed = true;
            return true;
        }
    }
    return false;
}

static float sigmoid(float value)
{
    return 1.0F / (1.0F + expf(-value));
}

/* How likely a cell is of its class, by the value of the class and the best of the others. */
static float certainty(const struct map *map, float value, float other)
{
    if (map->classes == 1)
        return map->logits ? sigmoid(value) : value;
    return map->logits ? sigmoid(value - other) : 0.5F + (value - other) / 2;
}

/* Cells of one line: the highest value, the class it is of, -1 where it is no number, and the value
 * after it. */
struct line {
    float best[SIDE_MAX], second[SIDE_MAX];
    int16_t winner[SIDE_MAX];
};

/* Cells [from, to) of a line. */
static void read_line(const struct map *map, int y, int from, int to, struct line *line)
{
    const float *row = map->data + (size_t)y * (size_t)map->width * map->cell_step;
    for (int x = from; x < to; x++) {
        line->best[x] = line->second[x] = -INFINITY;
        line->winner[x] = -1;
    }
    for (int c = 0; c < map->classes; c++) {
        const float *at = row + (size_t)c * map->class_step + (size_t)from * map->cell_step;
        for (int x = from; x < to; x++, at += map->cell_step) {
            bool better = *at > line->best[x];
            float loser = better ? line->best[x] : *at;
            line->second[x] = loser > line->second[x] ? loser : line->second[x];
            line->best[x] = better ? *at : line->best[x];
            line->winner[x] = better ? (int16_t)c : line->winner[x];
        }
    }
}

/* Does a cell belong to an object? Of several classes the first is what is none of the others, by
 * custom (Pascal VOC). */
static bool is_inside(const struct map *map, int winner, float value)
{
    if (map->classes > 1)
        return winner > 0;
    return winner == 0 && value >= (map->logits ? 0 : 0.5F);
}

/* Cells of one class that touch, as far as they have been read. */
struct region {
    int x1, y1, x2, y2; /* cells; x2 and y2 are one more than the last */
    int cells, class_id;
    int joined;    /* to which other region; itself: to none */
    uint32_t seed; /* one of its cells: y * width + x */
    float sum;
};

struct regions {
    int count;
    int16_t above[SIDE_MAX]; /* of each cell of the line before, -1 = none */
    struct region items[REGIONS_MAX];
};

static int root_of(struct regions *all, int index)
{
    while (all->items[index].joined != index)
        index = all->items[index].joined = all->items[all->items[index].joined].joined;
    return index;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int join(struct regions *all, int one, int other)
{
    int a = root_of(all, one), b = root_of(all, other);
    if (a == b)
        return a;
    struct region *to = &all->items[a], *from = &all->items[b];
    to->x1 = smaller(to->x1, from->x1);
    to->y1 = smaller(to->y1, from->y1);
    to->x2 = larger(to->x2, from->x2);
    to->y2 = larger(to->y2, from->y2);
    to->cells += from->cells;
    to->sum += from->sum;
    from->joined = a;
    return a;
}

static int begin(struct regions *all, int class_id, int x, int y, int width)
{
    if (all->count == REGIONS_MAX)
        return -1;
    all->items[all->count] = (struct region){.x1 = x,
                                             .y1 = y,
                                             .x2 = x + 1,
                                             .y2 = y + 1,
                                             .class_id = class_id,
                                             .joined = all->count,
                                             .seed = (uint32_t)(y * width + x)};
    return all->count++;
}

static bool is_of(const struct regions *all, int index, int class_id)
{
    return index >= 0 && all->items[index].class_id == class_id;
}

/* The region of a cell, given those to its left and above. */
static int place_cell(struct regions *all, int class_id, int left, int x, int y, int width)
{
    int above = all->above[x];
    bool to_left = is_of(all, left, class_id), to_above = is_of(all, above, class_id);
    if (to_left && to_above)
        return join(all, left, above);
    if (to_left || to_above)
        return root_of(all, to_left ? left : above);
    return begin(all, class_id, x, y, width);
}

static void read_regions(const struct map *map, struct regions *all)
{
    struct line line;
    memset(all->above, -1, sizeof all->above);
    for (int y = 0; y < map->height; y++) {
        int left = -1;
        read_line(map, y, 0, map->width, &line);
        for (int x = 0; x < map->width; x++) {
            int class_id = line.winner[x], index = -1;
            if (is_inside(map, class_id, line.best[x]))
                index = place_cell(all, class_id, left, x, y, map->width);
            all->above[x] = (int16_t)index;
            left = index;
            if (index < 0)
                continue;
            struct region *region = &all->items[index];
            region->x1 = smaller(region->x1, x);
            region->x2 = larger(region->x2, x + 1);
            region->y2 = y + 1; /* lines come in order */
            region->cells++;
            region->sum += fminf(certainty(map, line.best[x], line.second[x]), 1);
        }
    }
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    struct map map;
    if (!read_map(layout, outputs, &map))
        return OW_EPARSE;
    struct regions *all = calloc(1, sizeof *all);
    if (all == NULL)
        return OW_ENOMEM;
    read_regions(&map, all);
    float across = (float)layout->input_width / (float)map.width;
    float down = (float)layout->input_height / (float)map.height;
    int result = OW_OK;
    for (int i = 0; i < all->count && result == OW_OK; i++) {
        const struct region *r = &all->items[i];
        float confidence = r->sum / (float)larger(r->cells, 1);
        if (r->joined != i || r->cells <= map.width * map.height / SPECK ||
            confidence < thresholds->confidence || !class_wanted(thresholds, r->class_id))
            continue;
        const struct detection found = {.class_id = r->class_id,
                                        .confidence = confidence,
                                        .x1 = (float)r->x1 * across,
                                        .y1 = (float)r->y1 * down,
                                        .x2 = (float)r->x2 * across,
                                        .y2 = (float)r->y2 * down,
                                        .track_id = r->seed};
        result = candidate_list_add(out, &found);
    }
    free(all);
    return result;
}

/* Which cells of the map one of the mask stands for: [*from, *to). */
static void cells_of(int index, int count, int first, int length, int *from, int *to)
{
    *from = first + (int)((int64_t)index * length / count);
    *to = first + (int)((int64_t)(index + 1) * length / count);
}

/* How likely each of the cells [from, to) of a line is of a class, 0..255. */
static void read_shares(const struct map *map, int y, int class_id, int from, int to,
                        float shares[SIDE_MAX])
{
    struct line line;
    const float *at = map->data + (size_t)y * (size_t)map->width * map->cell_step +
                      (size_t)from * map->cell_step + (size_t)class_id * map->class_step;
    read_line(map, y, from, to, &line);
    for (int x = from; x < to; x++, at += map->cell_step) {
        float other = line.winner[x] == class_id ? line.second[x] : line.best[x];
        float share = 255 * certainty(map, *at, other);
        shares[x] = share > 0 ? fminf(share, 255) : 0; /* a NaN is nothing */
    }
}

static void make_mask(const struct map *map, int class_id, struct region r,
                      struct object_shape *shape)
{
    float shares[SIDE_MAX], sums[MASK_SIDE_MAX];
    for (int row = 0; row < shape->mask_height; row++) {
        int from, to, begin, end;
        memset(sums, 0, sizeof sums);
        cells_of(row, shape->mask_height, r.y1, r.y2 - r.y1, &from, &to);
        for (int y = from; y < to; y++) {
            read_shares(map, y, class_id, r.x1, r.x2, shares);
            for (int col = 0; col < shape->mask_width; col++) {
                cells_of(col, shape->mask_width, r.x1, r.x2 - r.x1, &begin, &end);
                float sum = 0;
                for (int x = begin; x < end; x++)
                    sum += shares[x];
                sums[col] += sum / (float)(end - begin);
            }
        }
        for (int col = 0; col < shape->mask_width; col++)
            shape->mask[row * shape->mask_width + col] =
                (uint8_t)lroundf(sums[col] / (float)(to - from));
    }
}

/* Leaves of the mask what touches the cell, which stands for the seed of a region, and what is not
 * inside anyway; all when the cell is not inside itself, where many cells stand for one. */
static int keep_touching(struct object_shape *shape, int x, int y)
{
    int width = shape->mask_width, cells = width * shape->mask_height, waiting = 0;
    if (shape->mask[y * width + x] < MASK_INSIDE)
        return OW_OK;
    int *stack = malloc((size_t)cells * (sizeof *stack + 1));
    if (stack == NULL)
        return OW_ENOMEM;
    bool *reached = memset(stack + cells, 0, (size_t)cells);
    reached[stack[waiting++] = y * width + x] = true;
    while (waiting > 0) {
        int at = stack[--waiting], column = at % width;
        const int beside[] = {column > 0 ? at - 1 : at, column + 1 < width ? at + 1 : at,
                              at >= width ? at - width : at, at + width < cells ? at + width : at};
        for (int k = 0; k < 4; k++) {
            if (reached[beside[k]] || shape->mask[beside[k]] < MASK_INSIDE)
                continue;
            reached[beside[k]] = true;
            stack[waiting++] = beside[k];
        }
    }
    for (int i = 0; i < cells; i++)
        if (!reached[i] && shape->mask[i] >= MASK_INSIDE)
            shape->mask[i] = 0;
    free(stack);
    return OW_OK;
}

static int shape(const struct output_layout *layout, const struct tensor_view *outputs,
                 const struct detection *candidate, size_t *cells_left, struct object_shape **out)
{
    struct map map;
    if (!read_map(layout, outputs, &map))
        return OW_EPARSE;
    float across = (float)map.width / (float)layout->input_width;
    float down = (float)map.height / (float)layout->input_height;
    struct region r = {.x1 = (int)lroundf(candidate->x1 * across),
                       .y1 = (int)lroundf(candidate->y1 * down),
                       .x2 = (int)lroundf(candidate->x2 * across),
                       .y2 = (int)lroundf(candidate->y2 * down)};
    int width = smaller(r.x2 - r.x1, MASK_SIDE_MAX), height = smaller(r.y2 - r.y1, MASK_SIDE_MAX);
    size_t cells = (size_t)width * (size_t)height;
    if (cells > *cells_left)
        return OW_OK;
    int result = object_shape_create(out, width, height, 0);
    if (result != OW_OK)
        return result;
    *cells_left -= cells;
    make_mask(&map, candidate->class_id, r, *out);
    int x = (int)candidate->track_id % map.width - r.x1;
    int y = (int)candidate->track_id / map.width - r.y1;
    return keep_touching(*out, x * width / (r.x2 - r.x1), y * height / (r.y2 - r.y1));
}

const struct model_family class_map_family = {
    .name = "class-map",
    .task = "segment",
    .recognise = recognise,
    .decode = decode,
    .shape = shape,
};
