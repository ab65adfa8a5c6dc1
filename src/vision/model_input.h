/* A model's picture input: its size, order and type, and the memory that is handed to the session.
 */
#ifndef OW_VISION_MODEL_INPUT_H
#define OW_VISION_MODEL_INPUT_H

#include "vision/session.h"

#include <stdbool.h>

struct model_input {
    enum tensor_type type;
    bool channels_last; /* [1,H,W,3] */
    int width, height;
    int64_t dims[4];
    float *planes; /* 3 x height x width, what the letterbox writes */
    void *packed;  /* the same in the input's order and type; NULL where that is the planes' own */
};

/* What the first input wants. `sizes` (height, width) are taken for sides that the file leaves
 * open. OW_EUNSUPPORTED without `why`: the input is no picture, or there are others beside it;
 * with: its size or batch is not possible. */
int model_input_inspect(struct model_input *out, const struct ort_session_info *io,
                        const int sizes[2], struct reason *why);

/* The memory; to be freed by model_input_free(). OW_ENOMEM. */
int model_input_allocate(struct model_input *input);

/* Runs the session on what the planes hold, outputs as of ort_session_run(). */
int model_input_run(struct model_input *input, struct ort_session *session,
                    struct tensor_view outputs[SESSION_MAX_TENSORS], struct reason *why);

/* Fills the planes with a picture that has edges, colours and even ground, values in 0..1. */
void model_input_draw_test(struct model_input *input);

void model_input_free(struct model_input *input);

#endif
