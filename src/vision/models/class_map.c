/* One map of the picture for each class, or of one class alone: semantic segmentation and the
 * cutting out of persons. Cells of a class that touch become one object: its box is drawn around
 * them, its confidence is their mean.
 *
 * Values are probabilities, what goes into a sigmoid or softmax, or the class itself, as an argmax
 * gives it: a run on a test picture tells which. */
#include "vision/models/class_cells.h"
#include "vision/models/family.h"

#include "core/bounds.h"
#include "core/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The variant: what the values are, and whether the map is [1,H,W,C], not [1,C,H,W]. */
enum { LAST = 4 /* flag, beside enum class_values */ };
enum {
    CLASSES_MAX = CLASS_MAP_CLASSES_MAX,
    SIDE_MAX = CLASS_MAP_SIDE_MAX,
    REGIONS_MAX = 4096, /* what begins when there are as many is left out */
    SPECK = 1000,       /* less than one in so many cells of the map is no object */
};

static bool read_map(const struct output_layout *layout, const struct tensor_view *view,
                     struct class_map *out)
{
    const bool last = layout->variant & LAST, ids = (layout->variant & ~LAST) == CLASS_IDS;
    const int first = view->rank == 3 ? 1 : 2; /* where the height is, unless classes are last */
    if (view->data == NULL || view->dims[0] != 1 || (view->rank != 4 && !(ids && view->rank == 3)))
        return false;
    int64_t maps = view->rank == 3 ? 1 : view->dims[last ? 3 : 1];
    int64_t height = view->dims[last ? 1 : first], width = view->dims[last ? 2 : first + 1];
    if (maps < 1 || maps > CLASSES_MAX || maps != (ids ? 1 : layout->class_count) || height < 1 ||
        height > SIDE_MAX || width < 1 || width > SIDE_MAX ||
        view->count != (size_t)(maps * height * width))
        return false;
    *out = (struct class_map){.data = view->data,
                              .classes = layout->class_count,
                              .width = (int)width,
                              .height = (int)height,
                              .class_step = last ? 1 : (size_t)(height * width),
                              .cell_step = last ? (size_t)maps : 1,
                              .values = (enum class_values)(layout->variant & ~LAST)};
    return true;
}

static bool any_outside_0_to_1(const struct tensor_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->data[i] < -0.001F || view->data[i] > 1.001F)
            return true;
    return false;
}

static bool all_are_ids(const struct tensor_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (!(view->data[i] >= 0 && view->data[i] < CLASSES_MAX) ||
            view->data[i] != truncf(view->data[i]))
            return false;
    return true;
}

/* What an argmax at the end of a model gives: one map of whole numbers. */
static bool recognise_ids(const struct model_traits *traits, const struct tensor_view *view,
                          struct output_layout *layout)
{
    struct class_map map;
    const enum tensor_type type = traits->io->outputs[0].type;
    bool whole = type != TENSOR_FLOAT32 && type != TENSOR_FLOAT16;
    layout->class_count = traits->names > 0 ? traits->names : CLASSES_MAX;
    layout->variant = CLASS_IDS;
    return (whole || view->rank == 3) && layout->class_count > 1 &&
           layout->class_count <= CLASSES_MAX && read_map(layout, view, &map) && all_are_ids(view);
}

static bool recognise_maps(const struct model_traits *traits, const struct tensor_view *view,
                           struct output_layout *layout)
{
    for (int last = 0; last <= LAST; last += LAST) {
        struct class_map map;
        int64_t classes = view->rank == 4 ? view->dims[last ? 3 : 1] : 0;
        bool named = traits->names == 0 || traits->names == classes;
        layout->class_count = (int)(classes < CLASSES_MAX + 1 ? classes : 0);
        layout->variant = last;
        if (named && read_map(layout, view, &map)) {
            layout->variant |= any_outside_0_to_1(view) ? CLASS_LOGITS : CLASS_PROBABILITIES;
            return true;
        }
    }
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
    layout->suppressed = true;
    return recognise_ids(traits, view, layout) || recognise_maps(traits, view, layout);
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

static int join(struct regions *all, int one, int other)
{
    int a = root_of(all, one), b = root_of(all, other);
    if (a == b)
        return a;
    struct region *to = &all->items[a], *from = &all->items[b];
    to->x1 = min_int(to->x1, from->x1);
    to->y1 = min_int(to->y1, from->y1);
    to->x2 = max_int(to->x2, from->x2);
    to->y2 = max_int(to->y2, from->y2);
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

/* The region of cells [from, to) of a line, which are of one class, by those above. */
static int place_run(struct regions *all, int class_id, int from, int to, int y, int width)
{
    int index = -1, last = -1;
    for (int x = from; x < to; x++) {
        int above = all->above[x];
        if (above == last || !is_of(all, above, class_id))
            continue;
        index = index < 0 ? root_of(all, above) : join(all, index, above);
        last = above;
    }
    return index >= 0 ? index : begin(all, class_id, from, y, width);
}

static void count_run(struct region *region, const struct class_line *line, int from, int to, int y)
{
    float sum = 0;
    for (int x = from; x < to; x++)
        sum += line->certainty[x];
    region->x1 = min_int(region->x1, from);
    region->x2 = max_int(region->x2, to);
    region->y2 = y + 1; /* lines come in order */
    region->cells += to - from;
    region->sum += sum;
}

static void read_regions(const struct class_map *map, struct regions *all)
{
    struct class_line line;
    memset(all->above, -1, sizeof all->above);
    for (int y = 0; y < map->height; y++) {
        class_line_read(map, y, &line);
        for (int from = 0, to; from < map->width; from = to) {
            int class_id = line.winner[from], index = -1;
            for (to = from + 1; to < map->width && line.winner[to] == class_id;)
                to++;
            if (class_id >= 0)
                index = place_run(all, class_id, from, to, y, map->width);
            for (int x = from; x < to; x++)
                all->above[x] = (int16_t)index;
            if (index >= 0)
                count_run(&all->items[index], &line, from, to, y);
        }
    }
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    struct class_map map;
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
        float confidence = r->sum / (float)max_int(r->cells, 1);
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

/* Where the cells of a mask begin that stand for `length` cells of the map: [edges[i], edges[i +
 * 1]) for the i-th of `count`. */
static void make_edges(int first, int length, int count, int edges[MASK_SIDE_MAX + 1])
{
    for (int i = 0; i <= count; i++)
        edges[i] = first + (int)((int64_t)i * length / count);
}

/* Adds to each cell of a line of the mask the mean of the cells of the map that it stands for. */
static void add_line(const float *shares, const int edges[MASK_SIDE_MAX + 1], int count,
                     float *sums)
{
    const float *first = shares + edges[0];
    if (edges[count] - edges[0] == count)
        for (int col = 0; col < count; col++)
            sums[col] += first[col];
    else
        for (int col = 0; col < count; col++) {
            float sum = 0;
            for (int x = edges[col]; x < edges[col + 1]; x++)
                sum += shares[x];
            sums[col] += sum / (float)(edges[col + 1] - edges[col]);
        }
}

static void make_mask(const struct class_map *map, int class_id, struct region r,
                      struct object_shape *shape)
{
    float shares[SIDE_MAX], sums[MASK_SIDE_MAX];
    int columns[MASK_SIDE_MAX + 1] = {0}, rows[MASK_SIDE_MAX + 1] = {0};
    make_edges(r.x1, r.x2 - r.x1, shape->mask_width, columns);
    make_edges(r.y1, r.y2 - r.y1, shape->mask_height, rows);
    for (int row = 0; row < shape->mask_height; row++) {
        memset(sums, 0, sizeof sums);
        for (int y = rows[row]; y < rows[row + 1]; y++) {
            class_line_shares(map, y, class_id, r.x1, r.x2, shares);
            add_line(shares, columns, shape->mask_width, sums);
        }
        uint8_t *mask = shape->mask + (size_t)row * (size_t)shape->mask_width;
        float scale = 255.0F / (float)(rows[row + 1] - rows[row]);
        for (int col = 0; col < shape->mask_width; col++)
            mask[col] = (uint8_t)(int)(sums[col] * scale + 0.5F);
    }
}

/* A search for what touches a cell, line of cells by line of cells. */
struct search {
    const struct object_shape *shape;
    bool *reached;
    int *waiting; /* cells to look at, one where a line begins to overlap one of the row beside it:
                     two rows have no more such places than columns */
    int count;
};

static bool is_open(const struct search *search, int at)
{
    return search->shape->mask[at] >= MASK_INSIDE && !search->reached[at];
}

/* The lines that touch cells [from, to), of the row above or below. */
static void enter(struct search *search, int from, int to)
{
    for (int at = from; at < to; at++)
        if (is_open(search, at) && (at == from || !is_open(search, at - 1)))
            search->waiting[search->count++] = at;
}

static void reach(struct search *search, int at)
{
    int width = search->shape->mask_width, cells = width * search->shape->mask_height;
    int row = at / width * width, from = at, to = at + 1;
    while (from > row && is_open(search, from - 1))
        from--;
    while (to < row + width && is_open(search, to))
        to++;
    memset(search->reached + from, true, (size_t)(to - from) * sizeof *search->reached);
    if (row > 0)
        enter(search, from - width, to - width);
    if (row + width < cells)
        enter(search, from + width, to + width);
}

/* Leaves of the mask what touches the cell, which stands for the seed of a region, and what is not
 * inside anyway; all when the cell is not inside itself, where many cells stand for one. */
static int keep_touching(struct object_shape *shape, int x, int y)
{
    int cells = shape->mask_width * shape->mask_height, start = y * shape->mask_width + x;
    struct search search = {.shape = shape};
    if (shape->mask[start] < MASK_INSIDE)
        return OW_OK;
    search.waiting = malloc((size_t)cells * (sizeof *search.waiting + sizeof *search.reached));
    if (search.waiting == NULL)
        return OW_ENOMEM;
    search.reached = memset(search.waiting + cells, 0, (size_t)cells * sizeof *search.reached);
    search.waiting[search.count++] = start;
    while (search.count > 0) {
        int at = search.waiting[--search.count];
        if (!search.reached[at])
            reach(&search, at);
    }
    for (int i = 0; i < cells; i++)
        shape->mask[i] = search.reached[i] || shape->mask[i] < MASK_INSIDE ? shape->mask[i] : 0;
    free(search.waiting);
    return OW_OK;
}

static int shape(const struct output_layout *layout, const struct tensor_view *outputs,
                 const struct detection *candidate, size_t *cells_left, struct object_shape **out)
{
    struct class_map map;
    if (!read_map(layout, outputs, &map))
        return OW_EPARSE;
    float across = (float)map.width / (float)layout->input_width;
    float down = (float)map.height / (float)layout->input_height;
    struct region r = {.x1 = (int)lroundf(candidate->x1 * across),
                       .y1 = (int)lroundf(candidate->y1 * down),
                       .x2 = (int)lroundf(candidate->x2 * across),
                       .y2 = (int)lroundf(candidate->y2 * down)};
    int width = min_int(r.x2 - r.x1, MASK_SIDE_MAX), height = min_int(r.y2 - r.y1, MASK_SIDE_MAX);
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
