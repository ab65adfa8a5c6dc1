#include "vision/model_input.h"

#include <stdlib.h>

enum { SIDE_MIN = 32, SIDE_MAX = 4096, ALIGNMENT = 64 };

static bool is_size_input(const struct tensor_info *tensor)
{
    return tensor->type == TENSOR_INT64 && tensor->rank == 2 &&
           (tensor->dims[0] == 1 || tensor->dims[0] == -1) &&
           (tensor->dims[1] == 2 || tensor->dims[1] == -1);
}

static bool is_picture(const struct ort_session_info *io)
{
    const struct tensor_info *input = &io->inputs[0];
    bool alone = io->input_count == 1 || (io->input_count == 2 && is_size_input(&io->inputs[1]));
    return alone && io->output_count >= 1 && input->type != TENSOR_OTHER && input->rank == 4 &&
           (input->dims[1] == 3 || input->dims[3] == 3 || input->dims[1] == -1);
}

int model_input_inspect(struct model_input *out, const struct ort_session_info *io,
                        const int sizes[2], struct reason *why)
{
    if (!is_picture(io))
        return OW_EUNSUPPORTED;
    const struct tensor_info *tensor = &io->inputs[0];
    bool channels_last = tensor->dims[1] != 3 && tensor->dims[3] == 3;
    int sides[2];
    if (tensor->dims[0] > 1)
        return reason_set(why, OW_EUNSUPPORTED,
                          "the model takes %lld pictures at once: export it with batch 1",
                          (long long)tensor->dims[0]);
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

int model_input_allocate(struct model_input *input)
{
    size_t values = (size_t)input->width * (size_t)input->height * 3;
    input->planes = allocate(values * sizeof *input->planes);
    if (input->planes == NULL)
        return OW_ENOMEM;
    if (!input->channels_last && input->type == TENSOR_FLOAT32)
        return OW_OK;
    input->packed = allocate(values * tensor_type_bytes(input->type));
    return input->packed != NULL ? OW_OK : OW_ENOMEM;
}

int model_input_run(struct model_input *input, struct ort_session *session,
                    struct tensor_view outputs[SESSION_MAX_TENSORS], struct reason *why)
{
    if (input->packed != NULL)
        tensor_from_planes(input->type, input->channels_last, input->planes,
                           (size_t)input->width * (size_t)input->height, input->packed);
    return ort_session_run(session, input->packed != NULL ? input->packed : input->planes,
                           input->dims, input->height, input->width, outputs, why);
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
}
