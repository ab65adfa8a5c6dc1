/* Classifiers: one output [1,C], the probability of each class or a logit. The best is shown as a
 * label of what was looked at, the middle of the picture. A vector of numbers may be anything else,
 * such as features: it is taken for classes when the metadata says so, when there are as many
 * names, or when there are 1000 (ImageNet). */
#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>
#include <string.h>

enum variant { LOGITS, PROBABILITIES };
enum { IMAGENET_CLASSES = 1000 };

/* [1,C], [1,C,1,1]; the number of classes, 0 = another shape. */
static int64_t classes_of(const struct tensor_view *view)
{
    if (view->data == NULL || view->rank < 2 || view->rank > 4 || view->dims[0] != 1)
        return 0;
    return view->dims[1] > 0 && view->count == (size_t)view->dims[1] &&
                   view->dims[1] <= FAMILY_CLASSES_MAX
               ? view->dims[1]
               : 0;
}

static bool are_probabilities(const struct tensor_view *view)
{
    float sum = 0;
    for (size_t i = 0; i < view->count; i++) {
        if (!(view->data[i] >= 0.0F))
            return false;
        sum += view->data[i];
    }
    return fabsf(sum - 1.0F) < 0.01F;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    if (traits->probe == NULL || (!traits->chosen && traits->io->output_count != 1))
        return false;
    const bool told = traits->task != NULL && strcmp(traits->task, "classify") == 0;
    const int64_t classes = classes_of(&traits->probe[0]);
    if (classes < 2 || (traits->names > 0 && traits->names != classes) ||
        (traits->task != NULL && !told && !traits->chosen) ||
        (!told && !traits->chosen && traits->names != classes && classes != IMAGENET_CLASSES))
        return false;
    layout->output_count = 1;
    layout->class_count = (int)classes;
    layout->suppressed = true;
    layout->variant = are_probabilities(&traits->probe[0]) ? PROBABILITIES : LOGITS;
    format->placement = PLACEMENT_CROP;
    if (!told) {
        format_set_imagenet(format);
        layout->assumed = "pictures are given with ImageNet's mean and deviation; set `mean` and "
                          "`std` in its .json file for others";
    }
    return true;
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const struct tensor_view *view = &outputs[layout->outputs[0]];
    if (classes_of(view) != layout->class_count)
        return OW_EPARSE;
    int best = best_class(view->data, layout->class_count);
    float score = view->data[best];
    if (layout->variant == LOGITS) {
        float sum = 0;
        for (int c = 0; c < layout->class_count; c++)
            sum += expf(view->data[c] - view->data[best]);
        score = 1.0F / sum;
    }
    const struct detection whole = {.x2 = (float)layout->input_width,
                                    .y2 = (float)layout->input_height};
    return add_scored(out, thresholds, whole, best, score);
}

const struct model_family classify_family = {
    .name = "classify",
    .task = "classify",
    .recognise = recognise,
    .decode = decode,
};
