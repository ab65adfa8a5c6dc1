#include "vision/models/common.h"

#include "core/error.h"

#include <math.h>
#include <string.h>

/* Beyond this no coordinate of a tensor of at most FRAME_MAX_SIDE is meant. */
static const float absurd_coordinate = 100000.0F;

void format_set_imagenet(struct picture_format *format)
{
    static const float mean[3] = {0.485F, 0.456F, 0.406F};
    static const float std[3] = {0.229F, 0.224F, 0.225F};
    memcpy(format->mean, mean, sizeof mean);
    memcpy(format->std, std, sizeof std);
}

const int64_t *output_dims(const struct model_traits *traits, int output, int *rank)
{
    if (traits->probe != NULL) {
        *rank = traits->probe[output].rank;
        return traits->probe[output].dims;
    }
    *rank = traits->io->outputs[output].rank;
    return traits->io->outputs[output].dims;
}

bool output_has_rank(const struct model_traits *traits, int output, int wanted)
{
    int rank = 0;
    const int64_t *dims = output_dims(traits, output, &rank);
    return traits->io->outputs[output].type != TENSOR_OTHER && rank == wanted &&
           (dims[0] == 1 || dims[0] == -1);
}

bool output_is_named(const struct model_traits *traits, int output, const char *part)
{
    return strcasestr(traits->io->outputs[output].name, part) != NULL;
}

bool column_range(const struct tensor_view *view, int64_t first, int64_t last, float *low,
                  float *high)
{
    const int64_t columns = view->dims[2];
    if (view->data == NULL || view->rank != 3 || view->count == 0 || first < 0 || last >= columns)
        return false;
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t row = 0; row < view->dims[1]; row++)
        for (int64_t c = first; c <= last; c++) {
            float value = view->data[row * columns + c];
            if (!isfinite(value))
                return false;
            *low = fminf(*low, value);
            *high = fmaxf(*high, value);
        }
    return first <= last;
}

bool view_is(const struct tensor_view *view, int64_t rows, int64_t columns)
{
    return view->data != NULL && view->rank == 3 && view->dims[0] == 1 && view->dims[1] >= 0 &&
           view->dims[2] >= 0 && (rows < 0 || view->dims[1] == rows) &&
           (columns < 0 || view->dims[2] == columns) &&
           view->count == (size_t)view->dims[1] * (size_t)view->dims[2];
}

int64_t grid_cells(int width, int height, const int *strides, int count)
{
    int64_t cells = 0;
    for (int i = 0; i < count; i++)
        cells += (int64_t)((width + strides[i] - 1) / strides[i]) *
                 ((height + strides[i] - 1) / strides[i]);
    return cells;
}

struct grid_look grid_look_at(const struct model_traits *traits, const struct tensor_view *view,
                              bool channels_first, int repeats)
{
    struct grid_look look = {0};
    static const int strides[] = {8, 16, 32};
    const int64_t count = view->dims[channels_first ? 2 : 1];
    const int64_t across = channels_first ? 1 : view->dims[2];
    const int64_t down = channels_first ? count : 1;
    if (!view_is(view, -1, -1) || view->dims[channels_first ? 1 : 2] < 2 ||
        count != repeats * grid_cells(traits->input_width, traits->input_height, strides, 3))
        return look;
    int64_t at = 0;
    for (int level = 0; level < 3; level++) {
        const int stride = strides[level];
        const int width = (traits->input_width + stride - 1) / stride;
        const int64_t cells = grid_cells(traits->input_width, traits->input_height, &stride, 1);
        for (int64_t k = 0; k < repeats * cells; k++, at++) {
            float x = view->data[at * across];
            float y = view->data[at * across + down];
            float cell_x = (float)(((int)(k % cells % width) + 0.5) * stride);
            float cell_y = (float)(((int)(k % cells / width) + 0.5) * stride);
            float near = 4.0F * (float)stride;
            look.pixels += fabsf(x - cell_x) < near && fabsf(y - cell_y) < near ? 1.0F : 0.0F;
            look.offsets += fabsf(x) < 8.0F && fabsf(y) < 8.0F ? 1.0F : 0.0F;
        }
    }
    look.pixels /= (float)count;
    look.offsets /= (float)count;
    return look;
}

float sigmoid(float value)
{
    return 1.0F / (1.0F + expf(-value));
}

bool is_confident(float score, const struct model_thresholds *thresholds)
{
    return score >= thresholds->confidence && score > 0.0F && score <= 1.001F;
}

int best_class(const float *scores, int count)
{
    int best = 0;
    for (int c = 1; c < count; c++)
        if (scores[c] > scores[best] || isnan(scores[best]))
            best = c;
    return best;
}

struct detection box_from_centre(float cx, float cy, float w, float h)
{
    return (struct detection){
        .x1 = cx - w / 2, .y1 = cy - h / 2, .x2 = cx + w / 2, .y2 = cy + h / 2};
}

static bool is_box(const struct detection *box)
{
    /* Written so that a NaN fails. */
    return fabsf(box->x1) < absurd_coordinate && fabsf(box->y1) < absurd_coordinate &&
           fabsf(box->x2) < absurd_coordinate && fabsf(box->y2) < absurd_coordinate &&
           box->x2 > box->x1 && box->y2 > box->y1;
}

int add_if_sound(struct candidate_list *out, struct detection *candidate, size_t row)
{
    if (!is_box(candidate))
        return OW_OK;
    candidate->confidence = fminf(candidate->confidence, 1.0F);
    candidate->track_id = (uint32_t)row;
    return candidate_list_add(out, candidate);
}

int add_scored(struct candidate_list *out, const struct model_thresholds *thresholds,
               struct detection box, int class_id, float confidence)
{
    if (!is_confident(confidence, thresholds) || !class_wanted(thresholds, class_id))
        return OW_OK;
    box.class_id = class_id;
    box.confidence = confidence;
    return add_if_sound(out, &box, 0);
}
