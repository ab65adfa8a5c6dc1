/* What families share: reading shapes, looking at a probe, making candidates. Pure. */
#ifndef OW_VISION_MODELS_COMMON_H
#define OW_VISION_MODELS_COMMON_H

#include "vision/models/family.h"

enum { FAMILY_CLASSES_MAX = 10000 };

/* The mean and the standard deviation of ImageNet's pictures (torchvision.models), R, G, B. */
void format_set_imagenet(struct picture_format *format);

/* Dimensions of an output as the probe gave them, else as the file has them; its rank in *rank. */
const int64_t *output_dims(const struct model_traits *traits, int output, int *rank);

/* Is the output of numbers, and of this rank with one picture in front? */
bool output_has_rank(const struct model_traits *traits, int output, int wanted);

/* Does the output's name have this in it, whatever the case? */
bool output_is_named(const struct model_traits *traits, int output, const char *part);

/* Least and greatest of columns first..last of a view [1,rows,columns]; false where there is
 * nothing or a value that is no number. */
bool column_range(const struct tensor_view *view, int64_t first, int64_t last, float *low,
                  float *high);

/* The shape of a view against [1, rows, columns]; -1 fits anything. False also without values. */
bool view_is(const struct tensor_view *view, int64_t rows, int64_t columns);

/* Rows of a picture's grids of the given strides, sides rounded up. */
int64_t grid_cells(int width, int height, const int *strides, int count);

/* Of a probe's boxes, one a cell of the grids 8, 16, 32 (`repeats` times each grid), the share
 * whose first two values are the pixels of a place near the cell, and the share for which they are
 * small as offsets within a cell are. `columns` is the length of a row; 0: channels first. */
struct grid_look {
    float pixels, offsets;
};
struct grid_look grid_look_at(const struct model_traits *traits, const struct tensor_view *view,
                              bool channels_first, int repeats);

float sigmoid(float value);

/* Above the threshold, and a probability. */
bool is_confident(float score, const struct model_thresholds *thresholds);

/* The class of the greatest of `count` scores; a NaN is never it, unless all are. */
int best_class(const float *scores, int count);

struct detection box_from_centre(float cx, float cy, float w, float h);

/* Adds a candidate whose box is one, of this row of the output. OW_ENOMEM. */
int add_if_sound(struct candidate_list *out, struct detection *candidate, size_t row);

/* The same with a class and its confidence, if it is wanted and confident enough; of no row. */
int add_scored(struct candidate_list *out, const struct model_thresholds *thresholds,
               struct detection box, int class_id, float confidence);

#endif
