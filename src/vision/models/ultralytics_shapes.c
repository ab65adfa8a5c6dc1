/* Ultralytics' segmentation and pose models: what stands behind the class scores.
 *
 * A mask is a sum of prototypes, small pictures of the whole input that the model gives beside the
 * boxes, weighted by the object's coefficients, and cut at its box (Bolya et al., "YOLACT:
 * Real-time Instance Segmentation", 2019, section 3; ultralytics/utils/ops.py, process_mask). Key
 * points are x, y in tensor pixels, and with three values a probability. */
#include "vision/models/ultralytics.h"

#include "core/error.h"
#include "vision/models/common.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOTYPES_MAX = 256, PROTOTYPE_SIDE_MAX = 2048 };

static bool has_task(const struct model_traits *traits, const char *task)
{
    return traits->task != NULL ? strcmp(traits->task, task) == 0 : traits->chosen;
}

/* ---- masks ---- */

static bool is_prototype_side(int64_t side)
{
    return side == -1 || (side >= 1 && side <= PROTOTYPE_SIDE_MAX); /* -1: not known before a run */
}

/* How many prototypes an output has; 0 when it is something else. */
static int count_prototypes(const struct model_traits *traits, int output)
{
    int rank;
    const int64_t *dims = output_dims(traits, output, &rank);
    bool fits = output_has_rank(traits, output, 4) && dims[1] >= 1 && dims[1] <= PROTOTYPES_MAX &&
                is_prototype_side(dims[2]) && is_prototype_side(dims[3]);
    return fits ? (int)dims[1] : 0;
}

static bool recognise_segment(const struct model_traits *traits, struct output_layout *layout,
                              struct picture_format *format)
{
    (void)format; /* the default */
    if (!has_task(traits, "segment"))
        return false;
    for (int p = 0; p < traits->io->output_count; p++) {
        int count = count_prototypes(traits, p);
        for (int i = 0; count > 0 && i < traits->io->output_count; i++) {
            if (!ultralytics_recognise_boxes(traits, i, count, layout))
                continue;
            layout->outputs[0] = i;
            layout->outputs[1] = p;
            layout->output_count = 2;
            return true;
        }
    }
    return false;
}

static bool prototypes_fit(const struct output_layout *layout, const struct tensor_view *view)
{
    return view->data != NULL && view->rank == 4 && view->dims[0] == 1 &&
           view->dims[1] == layout->extra && view->dims[2] >= 1 && view->dims[3] >= 1 &&
           view->dims[2] <= PROTOTYPE_SIDE_MAX && view->dims[3] <= PROTOTYPE_SIDE_MAX &&
           view->count == (size_t)(view->dims[1] * view->dims[2] * view->dims[3]);
}

static int decode_segment(const struct output_layout *layout, const struct tensor_view *outputs,
                          const struct model_thresholds *thresholds, struct candidate_list *out)
{
    if (!prototypes_fit(layout, &outputs[layout->outputs[1]]))
        return OW_EPARSE;
    return ultralytics_decode(layout, outputs, thresholds, out);
}

/* One axis of a box on the prototypes: where its cells lie, and which prototypes they need. */
struct span {
    float start, step; /* of the first cell's centre, in prototype cells with centres at 0, 1, … */
    int cells;
    int first, count; /* prototype cells that are read */
};

static struct span span_of(float from, float to, int input, int side)
{
    float scale = (float)side / (float)input;
    float low = fminf(fmaxf(from * scale, -(float)side), 2 * (float)side);
    float high = fminf(fmaxf(to * scale, low), 2 * (float)side);
    int cells = (int)ceilf(high - low);
    cells = cells < 1 ? 1 : cells > MASK_SIDE_MAX ? MASK_SIDE_MAX : cells;
    struct span span = {.step = (high - low) / (float)cells, .cells = cells};
    span.start = low + span.step / 2 - 0.5F;
    float last = span.start + span.step * (float)(cells - 1);
    int first = (int)floorf(fminf(fmaxf(span.start, 0), (float)(side - 1)));
    int end = (int)floorf(fminf(fmaxf(last, 0), (float)(side - 1))) + 1;
    span.first = first;
    span.count = (end < side ? end : side - 1) - first + 1;
    return span;
}

/* Between which two prototype cells of the span a cell lies, and how far; held at the edges. */
static int tap(const struct span *span, int cell, float *fraction)
{
    float at = span->start + span->step * (float)cell - (float)span->first;
    at = fminf(fmaxf(at, 0), (float)(span->count - 1));
    int index = (int)at;
    index = index > 0 && index == span->count - 1 ? index - 1 : index;
    *fraction = at - (float)index;
    return index;
}

/* The weighted sum of prototypes where the spans lie, `across->count` values a row. */
static void sum_prototypes(const struct tensor_view *view, const float *coefficients, size_t step,
                           const struct span *across, const struct span *down, float *restrict sum)
{
    size_t width = (size_t)view->dims[3], plane = (size_t)view->dims[2] * width;
    memset(sum, 0, (size_t)across->count * (size_t)down->count * sizeof *sum);
    for (int64_t p = 0; p < view->dims[1]; p++) {
        float weight = coefficients[(size_t)p * step];
        for (int y = 0; y < down->count; y++) {
            const float *restrict row =
                view->data + (size_t)p * plane + (size_t)(down->first + y) * width + across->first;
            float *restrict to = sum + (size_t)y * (size_t)across->count;
            for (int x = 0; x < across->count; x++)
                to[x] += weight * row[x];
        }
    }
}

/* The sigmoid of a sum as 0..255; what is no number is outside. */
static uint8_t mask_value(float logit)
{
    return isnan(logit) ? 0 : (uint8_t)lroundf(255.0F / (1.0F + expf(-logit)));
}

static void sample(const float *sum, const struct span *across, const struct span *down,
                   struct object_shape *shape)
{
    int next_row = down->count > 1 ? across->count : 0, next = across->count > 1 ? 1 : 0;
    for (int y = 0; y < down->cells; y++) {
        float below;
        const float *row = sum + (ptrdiff_t)tap(down, y, &below) * across->count;
        for (int x = 0; x < across->cells; x++) {
            float beside;
            const float *at = row + tap(across, x, &beside);
            float upper = at[0] + beside * (at[next] - at[0]);
            float lower = at[next_row] + beside * (at[next_row + next] - at[next_row]);
            shape->mask[y * across->cells + x] = mask_value(upper + below * (lower - upper));
        }
    }
}

static int segment_shape(const struct output_layout *layout, const struct tensor_view *outputs,
                         const struct detection *candidate, size_t *cells_left,
                         struct object_shape **out)
{
    const struct tensor_view *view = &outputs[layout->outputs[1]];
    size_t step;
    const float *coefficients =
        ultralytics_extra(layout, &outputs[layout->outputs[0]], candidate->track_id, &step);
    struct span across =
        span_of(candidate->x1, candidate->x2, layout->input_width, (int)view->dims[3]);
    struct span down =
        span_of(candidate->y1, candidate->y2, layout->input_height, (int)view->dims[2]);
    size_t cells = (size_t)across.cells * (size_t)down.cells;
    if (cells > *cells_left)
        return OW_OK;
    float *sum = malloc((size_t)across.count * (size_t)down.count * sizeof *sum);
    int result = sum != NULL ? object_shape_create(out, across.cells, down.cells, 0) : OW_ENOMEM;
    if (result == OW_OK) {
        *cells_left -= cells;
        sum_prototypes(view, coefficients, step, &across, &down, sum);
        sample(sum, &across, &down, *out);
    }
    free(sum);
    return result;
}

const struct model_family ultralytics_segment_family = {
    .name = "ultralytics-segment",
    .task = "segment",
    .recognise = recognise_segment,
    .decode = decode_segment,
    .shape = segment_shape,
};

/* ---- poses ---- */

/* How many values stand behind the scores: what the metadata says, else three for each point of
 * COCO's people. */
static bool set_keypoints(const struct model_traits *traits, struct output_layout *layout)
{
    bool said = traits->keypoints > 0;
    layout->keypoints = said ? traits->keypoints : 17;
    layout->keypoint_values = said ? traits->keypoint_values : 3;
    return layout->keypoints <= KEYPOINTS_MAX &&
           (layout->keypoint_values == 2 || layout->keypoint_values == 3);
}

static bool recognise_pose(const struct model_traits *traits, struct output_layout *layout,
                           struct picture_format *format)
{
    (void)format; /* the default */
    if (!has_task(traits, "pose") || !set_keypoints(traits, layout))
        return false;
    int extra = layout->keypoints * layout->keypoint_values;
    for (int i = 0; i < traits->io->output_count; i++) {
        layout->outputs[0] = i;
        layout->output_count = 1;
        if (ultralytics_recognise_boxes(traits, i, extra, layout))
            return true;
    }
    return false;
}

static int pose_shape(const struct output_layout *layout, const struct tensor_view *outputs,
                      const struct detection *candidate, size_t *cells_left,
                      struct object_shape **out)
{
    (void)cells_left; /* no mask */
    size_t step;
    const float *value =
        ultralytics_extra(layout, &outputs[layout->outputs[0]], candidate->track_id, &step);
    int result = object_shape_create(out, 0, 0, layout->keypoints);
    if (result != OW_OK)
        return result;
    for (int k = 0; k < layout->keypoints; k++) {
        float score = layout->keypoint_values == 3 ? value[2 * step] : 1.0F;
        (*out)->keypoints[k] = keypoint_in_box(candidate, value[0], value[step], score);
        value += (size_t)layout->keypoint_values * step;
    }
    return OW_OK;
}

const struct model_family ultralytics_pose_family = {
    .name = "ultralytics-pose",
    .task = "pose",
    .recognise = recognise_pose,
    .decode = ultralytics_decode,
    .shape = pose_shape,
};
