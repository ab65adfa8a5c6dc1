/* NanoDet (RangiLyu/nanodet) as it is exported: for each cell class probabilities and, for the four
 * sides of the box, a distribution over distances (Li et al., "Generalized Focal Loss", 2020,
 * section 3.2): distance = stride * sum(bin * softmax(bin)).
 *
 * NanoDet: two outputs a grid, [1,N,C] and [1,N,4*bins], strides 8, 16, 32; cells are counted from
 * their centres. NanoDet-Plus: one output [1,N,C+4*bins], strides 8 to 64; cells are counted from
 * their corners, pictures are stretched. Pictures are BGR, less a mean. */
#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>

enum variant { OUTPUT_A_GRID, PLUS };
enum { BINS_MIN = 5, BINS_MAX = 33, LEVELS = 3, LEVELS_PLUS = 4 };

static const int strides[LEVELS_PLUS] = {8, 16, 32, 64};

static bool is_probability(const struct tensor_view *view, int64_t first, int64_t last)
{
    float low = 0;
    float high = 0;
    return column_range(view, first, last, &low, &high) && low >= 0.0F && high <= 1.0F;
}

static bool bins_fit(int64_t columns)
{
    return columns % 4 == 0 && columns / 4 >= BINS_MIN && columns / 4 <= BINS_MAX;
}

/* The two outputs of one grid: class scores are probabilities, distances are not. */
static bool find_level(const struct model_traits *traits, int level, struct output_layout *layout)
{
    const int64_t cells = grid_cells(traits->input_width, traits->input_height, &strides[level], 1);
    int scores = -1;
    int sides = -1;
    for (int i = 0; i < traits->io->output_count; i++) {
        const struct tensor_view *view = &traits->probe[i];
        if (!view_is(view, cells, -1))
            continue;
        if (is_probability(view, 0, view->dims[2] - 1))
            scores = i;
        else if (bins_fit(view->dims[2]))
            sides = i;
    }
    if (scores < 0 || sides < 0)
        return false;
    int64_t classes = traits->probe[scores].dims[2];
    if (classes < 1 || classes > FAMILY_CLASSES_MAX ||
        (level > 0 && (layout->class_count != classes ||
                       traits->probe[layout->outputs[1]].dims[2] != traits->probe[sides].dims[2])))
        return false;
    layout->outputs[level * 2] = scores;
    layout->outputs[level * 2 + 1] = sides;
    layout->class_count = (int)classes;
    return true;
}

static bool recognise_levels(const struct model_traits *traits, struct output_layout *layout)
{
    if (traits->io->output_count != 2 * LEVELS)
        return false;
    for (int level = 0; level < LEVELS; level++)
        if (!find_level(traits, level, layout))
            return false;
    layout->variant = OUTPUT_A_GRID;
    layout->level_count = LEVELS;
    layout->output_count = 2 * LEVELS;
    return traits->names == 0 || traits->names == layout->class_count;
}

/* Class scores are the columns up to the first that is no probability. */
static bool recognise_plus(const struct model_traits *traits, struct output_layout *layout)
{
    const struct tensor_view *view = &traits->probe[0];
    if (traits->io->output_count != 1 ||
        !view_is(view, grid_cells(traits->input_width, traits->input_height, strides, LEVELS_PLUS),
                 -1))
        return false;
    int64_t classes = traits->names;
    if (classes == 0)
        while (classes < view->dims[2] && is_probability(view, classes, classes))
            classes++;
    if (classes < 1 || classes > FAMILY_CLASSES_MAX || !bins_fit(view->dims[2] - classes) ||
        !is_probability(view, 0, classes - 1) || is_probability(view, classes, view->dims[2] - 1))
        return false;
    layout->variant = PLUS;
    layout->level_count = LEVELS_PLUS;
    layout->output_count = 1;
    layout->class_count = (int)classes;
    return true;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    /* config/legacy_v0.x_configs, img_norm_cfg: as of 0..255, B, G, R */
    static const float mean[3] = {103.53F, 116.28F, 123.675F};
    static const float std[3] = {57.375F, 57.12F, 58.395F};
    if (traits->probe == NULL ||
        (!recognise_levels(traits, layout) && !recognise_plus(traits, layout)))
        return false;
    format->bgr = true;
    format->placement = layout->variant == PLUS ? PLACEMENT_STRETCH : PLACEMENT_CENTRE;
    for (int c = 0; c < 3; c++) {
        format->mean[c] = mean[c] / 255.0F;
        format->std[c] = std[c] / 255.0F;
    }
    return true;
}

/* The expected value of a distribution given by logits. */
static float expected(const float *logits, int bins)
{
    float top = logits[0];
    for (int i = 1; i < bins; i++)
        top = fmaxf(top, logits[i]);
    float sum = 0;
    float weighted = 0;
    for (int i = 0; i < bins; i++) {
        float weight = expf(logits[i] - top);
        sum += weight;
        weighted += weight * (float)i;
    }
    return weighted / sum;
}

/* One grid: rows of scores and of sides, each `step` values after the one before. */
struct level {
    const float *scores, *sides;
    size_t scores_step, sides_step;
    int columns, rows, stride, bins;
    float centre; /* of a cell, in strides */
};

static int decode_level(const struct output_layout *layout, const struct level *level,
                        const struct model_thresholds *thresholds, struct candidate_list *out)
{
    for (int cell = 0; cell < level->rows * level->columns; cell++) {
        const float *scores = level->scores + (size_t)cell * level->scores_step;
        const float *sides = level->sides + (size_t)cell * level->sides_step;
        int best = best_class(scores, layout->class_count);
        if (!is_confident(scores[best], thresholds) || !class_wanted(thresholds, best))
            continue;
        const float unit = (float)level->stride;
        const int line = cell / level->columns;
        float x = ((float)(cell % level->columns) + level->centre) * unit;
        float y = ((float)line + level->centre) * unit;
        const int bins = level->bins;
        struct detection box = {
            .x1 = x - expected(sides, bins) * unit,
            .y1 = y - expected(sides + bins, bins) * unit,
            .x2 = x + expected(sides + (ptrdiff_t)2 * bins, bins) * unit,
            .y2 = y + expected(sides + (ptrdiff_t)3 * bins, bins) * unit,
        };
        int result = add_scored(out, thresholds, box, best, scores[best]);
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const bool plus = layout->variant == PLUS;
    const int classes = layout->class_count;
    int64_t start = 0; /* the first row of the grid, where all are in one output */
    for (int k = 0; k < layout->level_count; k++) {
        const int stride = strides[k];
        const int64_t cells = grid_cells(layout->input_width, layout->input_height, &stride, 1);
        const struct tensor_view *scores = &outputs[layout->outputs[plus ? 0 : k * 2]];
        const struct tensor_view *sides = &outputs[layout->outputs[plus ? 0 : k * 2 + 1]];
        const int64_t rows =
            plus ? grid_cells(layout->input_width, layout->input_height, strides, LEVELS_PLUS)
                 : cells;
        const int64_t bins = (sides->dims[2] - (plus ? classes : 0)) / 4;
        if (!view_is(scores, rows, plus ? -1 : classes) || !view_is(sides, rows, -1) ||
            bins < BINS_MIN || bins > BINS_MAX || sides->dims[2] != (plus ? classes : 0) + 4 * bins)
            return OW_EPARSE;
        const struct level level = {
            .scores = scores->data + start * scores->dims[2],
            .sides = sides->data + start * sides->dims[2] + (plus ? classes : 0),
            .scores_step = (size_t)scores->dims[2],
            .sides_step = (size_t)sides->dims[2],
            .columns = (layout->input_width + stride - 1) / stride,
            .rows = (layout->input_height + stride - 1) / stride,
            .stride = stride,
            .bins = (int)bins,
            .centre = plus ? 0.0F : 0.5F,
        };
        start += plus ? cells : 0;
        int result = decode_level(layout, &level, thresholds, out);
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

const struct model_family nanodet_family = {
    .name = "nanodet",
    .task = "detect",
    .recognise = recognise,
    .decode = decode,
};
