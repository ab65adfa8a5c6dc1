/* A model's picture input: its size, order and type, how many pictures a run takes, and the memory
 * that is handed to the session.
 */
#ifndef OW_VISION_MODEL_INPUT_H
#define OW_VISION_MODEL_INPUT_H

#include "vision/session.h"

#include <stdbool.h>

struct model_input {
    enum tensor_type type;
    bool channels_last; /* [N,H,W,3] */
    int width, height;
    /* How many pictures a run takes: exactly `batch_fixed`, or where that is 0 (the file leaves it
     * open) 1 to SESSION_MAX_PICTURES. */
    int batch_fixed;
    int64_t dims[4]; /* of one picture */
    int room;        /* pictures that there is memory for */
    float *planes;   /* of each picture 3 x height x width, what the letterbox writes */
    void *packed; /* the same in the input's order and type; NULL where that is the planes' own */
};

/* What the first input wants. `sizes` (height, width) are taken for sides that the file leaves
 * open. OW_EUNSUPPORTED without `why`: the input is no picture, or there are others beside it;
 * with: its size or batch is not possible. */
int model_input_inspect(struct model_input *out, const struct ort_session_info *io,
                        const int sizes[2], struct reason *why);

/* Pictures that one run takes at most. */
int model_input_batch_most(const struct model_input *input);

/* Memory for `count` pictures, a fixed batch at least; to be freed by model_input_free(). Where
 * `room` grows, what the planes held is lost. OW_ENOMEM. */
int model_input_reserve(struct model_input *input, int count);

/* The planes of a picture below `room`. */
float *model_input_planes(const struct model_input *input, int index);

/* Runs the session on the first `count` pictures, of which there is room: outputs as of
 * ort_session_run(), of *pictures pictures, which is `count` or the fixed batch. */
int model_input_run(struct model_input *input, struct ort_session *session, int count,
                    struct tensor_view outputs[SESSION_MAX_TENSORS], int *pictures,
                    struct reason *why);

/* Fills the first picture's planes with one that has edges, colours and even ground, values in
 * 0..1. */
void model_input_draw_test(struct model_input *input);

void model_input_free(struct model_input *input);

#endif
