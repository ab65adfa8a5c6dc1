/* MoveNet (tfhub.dev/google/movenet): 17 key points of people, as COCO orders them.
 *
 * multipose: [1,6,56], for each of six people 17 x (y, x, score), then ymin, xmin, ymax, xmax,
 * score; single pose (lightning, thunder): [1,1,17,3], y, x, score. Places are shares of the
 * input's height and width. Files as published take whole numbers 0..255, which their input's type
 * says. */
#include "vision/models/family.h"

#include "core/error.h"

#include <math.h>
#include <string.h>

enum { PEOPLE = 6, KEYPOINTS = 17, POINT_VALUES = 3, ROW = KEYPOINTS * POINT_VALUES + 5 };
enum variant { MULTIPOSE, SINGLE_POSE };

/* Of a single pose there is no box: it is drawn around the points that are this sure, with a margin
 * for what lies beyond them, above all the head. */
static const float seen_score = 0.2F;
static const float margin = 0.1F;

static bool has_shape(const int64_t *dims, int rank, enum variant variant)
{
    static const int64_t multipose[] = {1, PEOPLE, ROW}, single[] = {1, 1, KEYPOINTS, POINT_VALUES};
    return variant == MULTIPOSE ? rank == 3 && memcmp(dims, multipose, sizeof multipose) == 0
                                : rank == 4 && memcmp(dims, single, sizeof single) == 0;
}

static bool recognise(const struct model_traits *traits, struct output_layout *layout,
                      struct picture_format *format)
{
    (void)format; /* by the input's type */
    const struct tensor_info *output = &traits->io->outputs[0];
    if (traits->io->output_count != 1 || output->type == TENSOR_OTHER ||
        (traits->task != NULL && strcmp(traits->task, "pose") != 0))
        return false;
    const struct tensor_view *run = traits->probe; /* some files leave the sides open */
    const int64_t *dims = run != NULL ? run->dims : output->dims;
    int rank = run != NULL ? run->rank : output->rank;
    layout->variant = has_shape(dims, rank, MULTIPOSE) ? MULTIPOSE : SINGLE_POSE;
    layout->output_count = 1;
    layout->class_count = traits->names > 0 ? traits->names : 1;
    layout->suppressed = true;
    return has_shape(dims, rank, (enum variant)layout->variant);
}

static const float *points_of(const struct tensor_view *view, size_t row)
{
    return view->data + row * ROW;
}

/* The box and score of a single pose; false where no two points are seen. */
static bool surround(const float *points, struct detection *out)
{
    float x1 = INFINITY, y1 = INFINITY, x2 = -INFINITY, y2 = -INFINITY, sum = 0;
    int seen = 0;
    for (int k = 0; k < KEYPOINTS; k++) {
        const float *point = points + (size_t)k * POINT_VALUES;
        if (!(point[2] >= seen_score))
            continue;
        y1 = fminf(y1, point[0]);
        x1 = fminf(x1, point[1]);
        y2 = fmaxf(y2, point[0]);
        x2 = fmaxf(x2, point[1]);
        sum += fminf(point[2], 1);
        seen++;
    }
    if (seen < 2)
        return false;
    float across = margin * (x2 - x1), down = margin * (y2 - y1);
    *out = (struct detection){.confidence = sum / (float)seen,
                              .x1 = x1 - across,
                              .y1 = y1 - down,
                              .x2 = x2 + across,
                              .y2 = y2 + down};
    return true;
}

static bool read_box(const float *points, struct detection *out)
{
    const float *box = points + (size_t)KEYPOINTS * POINT_VALUES;
    *out = (struct detection){
        .confidence = fminf(box[4], 1), .x1 = box[1], .y1 = box[0], .x2 = box[3], .y2 = box[2]};
    return !isnan(box[4]);
}

/* Written so that a NaN fails; a share of a picture is not far from 0..1. */
static bool is_box(const struct detection *box)
{
    static const float far = 10;
    return fabsf(box->x1) < far && fabsf(box->y1) < far && fabsf(box->x2) < far &&
           fabsf(box->y2) < far && box->x2 > box->x1 && box->y2 > box->y1;
}

static int decode(const struct output_layout *layout, const struct tensor_view *outputs,
                  const struct model_thresholds *thresholds, struct candidate_list *out)
{
    const struct tensor_view *view = outputs;
    bool single = layout->variant == SINGLE_POSE;
    if (!has_shape(view->dims, view->rank, (enum variant)layout->variant))
        return OW_EPARSE;
    if (view->data == NULL || !class_wanted(thresholds, 0))
        return OW_OK;
    float width = (float)layout->input_width, height = (float)layout->input_height;
    for (size_t row = 0; row < (single ? 1 : PEOPLE); row++) {
        struct detection found;
        const float *points = points_of(view, row);
        if (!(single ? surround(points, &found) : read_box(points, &found)) || !is_box(&found) ||
            !(found.confidence > 0 && found.confidence >= thresholds->confidence))
            continue;
        found.x1 *= width;
        found.x2 *= width;
        found.y1 *= height;
        found.y2 *= height;
        found.track_id = (uint32_t)row;
        int result = candidate_list_add(out, &found);
        if (result != OW_OK)
            return result;
    }
    return OW_OK;
}

static int shape(const struct output_layout *layout, const struct tensor_view *outputs,
                 const struct detection *candidate, size_t *cells_left, struct object_shape **out)
{
    (void)cells_left; /* no mask */
    int result = object_shape_create(out, 0, 0, KEYPOINTS);
    if (result != OW_OK)
        return result;
    const float *point = points_of(outputs, candidate->track_id);
    for (int k = 0; k < KEYPOINTS; k++, point += POINT_VALUES)
        (*out)->keypoints[k] = keypoint_in_box(candidate, point[1] * (float)layout->input_width,
                                               point[0] * (float)layout->input_height, point[2]);
    return OW_OK;
}

const struct model_family movenet_family = {
    .name = "movenet",
    .task = "pose",
    .recognise = recognise,
    .decode = decode,
    .shape = shape,
};
