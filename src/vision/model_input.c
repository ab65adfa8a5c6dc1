#include "vision/model_input.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE_MIN = 32, SIDE_MAX = 4096, ALIGNMENT = 64 };

static bool is_size_input(const struct tensor_info *tensor, int64_t batch)
{
    return tensor->type == TENSOR_INT64 && tensor->rank == 2 &&
           (tensor->dims[0] == batch || tensor->dims[0] == -1) &&
           (tensor->dims[1] == 2 || tensor->dims[1] == -1);
}

static bool is_picture(const struct ort_session_info *io)
{
    const struct tensor_info *input = &io->inputs[0];
    bool alone = io->input_count == 1 ||
                 (io->input_count == 2 && (is_size_input(&io->inputs[1], input->dims[0]) ||
                                           is_size_input(&io->inputs[1], 1)));
    return alone && io->output_count >= 1 && input->type != TENSOR_OTHER && input->rank == 4 &&
           (input->dims[1] == 3 || input->dims[3] == 3 || input->dims[1] == -1);
}

/* Is this the first side of everything that the model takes and gives? A side left open will be. */
static bool is_batch_of_all(const struct ort_session_info *io, int64_t batch)
{
    for (int i = 0; i < io->input_count; i++)
        if (io->inputs[i].dims[0] != batch && io->inputs[i].dims[0] != -1)
            return false;
    for (int i = 0; i < io->output_count; i++)
        if (io->outputs[i].rank < 1 ||
            (io->outputs[i].dims[0] != batch && io->outputs[i].dims[0] != -1))
            return false;
    return true;
}

static int read_batch(int *out, const struct ort_session_info *io, struct reason *why)
{
    const int64_t batch = io->inputs[0].dims[0];
    *out = batch == -1 && is_batch_of_all(io, -1) ? 0 : 1;
    if (batch <= 1)
        return OW_OK;
    if (batch > SESSION_MAX_PICTURES)
        return reason_set(why, OW_EUNSUPPORTED,
                          "the model takes %lld pictures at once, at most %d are possible: export "
                          "it with batch 1 or an open one",
                          (long long)batch, SESSION_MAX_PICTURES);
    if (!is_batch_of_all(io, batch))
        return reason_set(why, OW_EUNSUPPORTED,
                          "the model takes %lld pictures at once and gives no result for each: "
                          "export it with batch 1",
                          (long long)batch);
    *out = (int)batch;
    return OW_OK;
}

int model_input_inspect(struct model_input *out, const struct ort_session_info *io,
                        const int sizes[2], struct reason *why)
{
    if (!is_picture(io))
        return OW_EUNSUPPORTED;
    const struct tensor_info *tensor = &io->inputs[0];
    bool channels_last = tensor->dims[1] != 3 && tensor->dims[3] == 3;
    int sides[2];
    int batch_fixed = 1;
    int result = read_batch(&batch_fixed, io, why);
    if (result != OW_OK)
        return result;
    for (int k = 0; k < 2; k++) {
        int64_t fixed = tensor->dims[k + (channels_last ? 1 : 2)];
        int64_t side = fixed > 0 ? fixed : sizes[k];
        if (side < SIDE_MIN || side > SIDE_MAX)
            return reason_set(why, OW_EUNSUPPORTED,
                              "the model wants pictures of side %lld; supported are %d to %d",
                              (long long)side, SIDE_MIN, SIDE_MAX);
        sides[k] = (int)side;
    }
    *out = (struct model_input){
        .type = tensor->type,
        .batch_fixed = batch_fixed,
        .channels_last = channels_last,
        .height = sides[0],
        .width = sides[1],
        .dims = {1, channels_last ? sides[0] : 3, channels_last ? sides[1] : sides[0],
                 channels_last ? 3 : sides[1]},
    };
    return OW_OK;
}

static void *allocate(size_t bytes)
{
    return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

int model_input_batch_most(const struct model_input *input)
{
    return input->batch_fixed > 0 ? input->batch_fixed : SESSION_MAX_PICTURES;
}

static size_t values_of_picture(const struct model_input *input)
{
    return (size_t)input->width * (size_t)input->height * 3;
}

int model_input_reserve(struct model_input *input, int count)
{
    if (count < input->batch_fixed)
        count = input->batch_fixed;
    if (count <= input->room)
        return OW_OK;
    size_t values = values_of_picture(input) * (size_t)count;
    model_input_free(input);
    input->planes = allocate(values * sizeof *input->planes);
    if (input->planes == NULL)
        return OW_ENOMEM;
    /* A fixed batch may be run with fewer pictures; the others are black. */
    memset(input->planes, 0, values * sizeof *input->planes);
    if (input->channels_last || input->type != TENSOR_FLOAT32) {
        input->packed = allocate(values * tensor_type_bytes(input->type));
        if (input->packed == NULL)
            return OW_ENOMEM;
        memset(input->packed, 0, values * tensor_type_bytes(input->type));
    }
    input->room = count;
    return OW_OK;
}

float *model_input_planes(const struct model_input *input, int index)
{
    return input->planes + values_of_picture(input) * (size_t)index;
}

int model_input_run(struct model_input *input, struct ort_session *session, int count,
                    struct tensor_view outputs[SESSION_MAX_TENSORS], int *pictures,
                    struct reason *why)
{
    const size_t values = values_of_picture(input);
    int64_t dims[4];
    for (int i = 0; i < count && input->packed != NULL; i++)
        tensor_from_planes(
            input->type, input->channels_last, model_input_planes(input, i), values / 3,
            (char *)input->packed + (size_t)i * values * tensor_type_bytes(input->type));
    memcpy(dims, input->dims, sizeof dims);
    *pictures = input->batch_fixed > 0 ? input->batch_fixed : count;
    dims[0] = *pictures;
    return ort_session_run(session, input->packed != NULL ? input->packed : input->planes, dims,
                           input->height, input->width, outputs, why);
}

void model_input_draw_test(struct model_input *input)
{
    float *at = input->planes;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < input->height; y++)
            for (int x = 0; x < input->width; x++) {
                bool ground = (x / 48 + y / 48) % 3 == 0;
                *at++ = ground ? 0.45F : (float)((x * 3 + y * 2 + c * 85) % 256) / 255.0F;
            }
}

void model_input_free(struct model_input *input)
{
    free(input->planes);
    free(input->packed);
    input->planes = NULL;
    input->packed = NULL;
    input->room = 0;
}
