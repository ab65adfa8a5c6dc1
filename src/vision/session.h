/* An ONNX file opened in ONNX Runtime: what it takes and gives, its metadata, and running it. One
 * float32 image input; every output that is not float32 is described but cannot be read. */
#ifndef OW_VISION_SESSION_H
#define OW_VISION_SESSION_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ort_session;

enum { TENSOR_MAX_RANK = 8, SESSION_MAX_TENSORS = 16, TENSOR_NAME_BYTES = 96 };

struct tensor_info {
    char name[TENSOR_NAME_BYTES];
    bool is_float32;
    int rank; /* -1: not a tensor, or of more than TENSOR_MAX_RANK dimensions */
    int64_t dims[TENSOR_MAX_RANK]; /* -1: not fixed */
};

struct ort_session_info {
    int input_count, output_count; /* at most SESSION_MAX_TENSORS each */
    struct tensor_info inputs[SESSION_MAX_TENSORS];
    struct tensor_info outputs[SESSION_MAX_TENSORS];
};

/* The values of an output, lent until the next run. */
struct tensor_view {
    const float *data; /* NULL: not float32, or empty */
    int rank;
    int64_t dims[TENSOR_MAX_RANK];
    size_t count; /* of values: the product of dims */
};

/* `threads` >= 1. OW_ENOTFOUND for a missing file or library, OW_EPARSE for a broken file,
 * OW_EUNSUPPORTED when it has more than SESSION_MAX_TENSORS inputs or outputs. */
int ort_session_open(struct ort_session **out, const char *path, int threads, struct reason *why);
const struct ort_session_info *ort_session_info(const struct ort_session *session);

/* A copy of a metadata entry, to be freed by the caller; NULL when there is none. */
char *ort_session_metadata(const struct ort_session *session, const char *key);

/* Runs the model on `input` (row-major, 1 x 3 x height x width) and lends all outputs. One thread
 * at a time. OW_EIO when the runtime fails. */
int ort_session_run(struct ort_session *session, float *input, int height, int width,
                    struct tensor_view outputs[SESSION_MAX_TENSORS], struct reason *why);

void ort_session_close(struct ort_session **session);

/* "images [1,3,416,416]" for one, "a [1,2], b [3]" for several; returns `text`. */
const char *ort_session_describe(const struct tensor_info *tensors, int count, char *text,
                                 size_t size);

#endif
