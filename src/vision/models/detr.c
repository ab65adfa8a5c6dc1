/* DETR and what came of it (Carion et al., 2020; RT-DETR, Zhao et al., 2023): a few hundred boxes,
 * cx, cy, w, h in 0..1 of a picture that was stretched, each with class scores. No suppression.
 *
 * Two outputs, boxes [1,Q,4] and logits [1,Q,C], as Hugging Face (`pred_boxes`, `logits`) and
 * RF-DETR
 * (`dets`, `labels`) have them: DETR's own have one class more, "nothing", and a softmax; later
 * ones a sigmoid for each class. Or one output [1,Q,4+C] with probabilities, as Ultralytics has it.
 */
#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>

enum variant { SIGMOIDS, SOFTMAX, ONE_OUTPUT };
enum { QUERIES_MAX = 1000, COCO_WITH_NOTHING = 92 };

/* Do the first four columns look like parts of the picture? Boxes may reach out of it a little, and
 * all have a size: sigmoids are never 0. */
static bool boxes_are_parts(const struct tensor_view *view)
{
    float low = 0;
    float high = 0;
    return view->dims[1] >= 1 && view->dims[1] <= QUERIES_MAX && view->dims[2] >= 4 &&
           column_range(view, 0, 3, &low, &high) && low > -1.0F && high < 2.0F &&
           column_range(view, 2, 3, &low, &high) && low > 0.0F;
}

static bool are_logits(const struct model_traits *traits, int output)
{
    return output_has_rank(traits, output, 3) &&
           (output_is_named(traits, output, "logits") || output_is_named(traits, output, "labels"));
}

static bool recognise_two(const struct model_traits *traits, struct output_layout *layout,
                          struct picture_format *format)
{
    int boxes = -1;
    int logits = -1;
    for (int i = 0; i < traits->io->output_count; i++) {
        if (are_logits(traits, i))
            logits = i;
        else if (view_is(&traits->probe[i], -1, 4))
            boxes = i;
    }
    if (boxes < 0 || logits < 0 || !boxes_are_parts(&traits->probe[boxes]) ||
        !view_is(&traits->probe[logits], traits->probe[boxes].dims[1], -1))
        return false;
    const int64_t columns = traits->probe[logits].dims[2];
    bool softmax = traits->names > 0 ? columns == traits->names + 1 : columns == COCO_WITH_NOTHING;
    int64_t classes = columns - (softmax ? 1 : 0);
    if (classes < 1 || classes > FAMILY_CLASSES_MAX ||
        (traits->names > 0 && traits->names != classes))
        return false;
    bool imagenet = softmax || output_is_named(traits, logits, "labels");
    if (imagenet)
        format_set_imagenet(format);
    *layout = (struct output_layout){
        .outputs = {boxes, logits},
        .output_count = 2,
        .variant = softmax ? SOFTMAX : SIGMOIDS,
        .class_count = (int)classes,
        .assumed = imagenet ? "pictures are given with ImageNet's mean and deviation, as DETR has "
                              "it; set `mean` and `std` in its .json file for others"
                            : "pictures are given as 0..1, as RT-DETR has it; set `mean` and `std` "
                              "in its .json file for others",
    };
    return true;
}

static bool recognise_one(const struct model_traits *traits, struct output_layout *layout)
{
    const struct tensor_view *view = &traits->probe[0];
    float low = 0;
    float high = 0;
    if (traits->io->output_count != 1 || traits->names == 0 ||
        !view_is(view, -1, 4 + traits->names) || !boxes_are_parts(view) ||
        !column_range(view, 4, view->dims[2] - 1, &low, &high) || low < 0.0F || high > 1.0F)
        return false;
    layout->output_count = 1;
    layout->variant = ONE_OUTPUT;
    layout->class_count = traits->names;
    return true;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    if (traits->probe == NULL ||
        (!recognise_two(traits, layout, format) && !recognise_one(traits, layout)))
        return false;
    layout->suppressed = true;
    format->placement = PLACEMENT_STRETCH;
    return true;
}

/* The probability of the best class: among all and "nothing", or for itself. */
static float probability(const float *scores, int best, int classes, enum variant variant)
{
    if (variant == ONE_OUTPUT)
        return scores[best];
    if (variant == SIGMOIDS)
        return sigmoid(scores[best]);
    float sum = expf(scores[classes] - scores[best]);
    for (int c = 0; c < classes; c++)
        sum += expf(scores[c] - scores[best]);
    return 1.0F / sum;
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const bool one = layout->variant == ONE_OUTPUT;
    const int classes = layout->class_count;
    const struct tensor_view *boxes = &outputs[layout->outputs[0]];
    const struct tensor_view *scores = one ? boxes : &outputs[layout->outputs[1]];
    const int64_t columns = classes + (one ? 4 : 0) + (layout->variant == SOFTMAX ? 1 : 0);
    if (!view_is(boxes, -1, one ? columns : 4) || !view_is(scores, boxes->dims[1], columns))
        return OW_EPARSE;
    for (int64_t i = 0; i < boxes->dims[1]; i++) {
        const float *box = boxes->data + i * boxes->dims[2];
        const float *row = scores->data + i * columns + (one ? 4 : 0);
        int best = best_class(row, classes);
        float width = (float)layout->input_width;
        float height = (float)layout->input_height;
        int result = add_scored(
            out, thresholds,
            box_from_centre(box[0] * width, box[1] * height, box[2] * width, box[3] * height), best,
            probability(row, best, classes, (enum variant)layout->variant));
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

const struct model_family detr_family = {
    .name = "detr",
    .task = "detect",
    .recognise = recognise,
    .decode = decode,
};
