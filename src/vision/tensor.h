/* Tensors as sessions take and give them: element types, and their values as floats and back. Pure.
 */
#ifndef OW_VISION_TENSOR_H
#define OW_VISION_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TENSOR_MAX_RANK = 8, TENSOR_NAME_BYTES = 96 };

enum tensor_type {
    TENSOR_OTHER, /* of no use here: texts, sequences, … */
    TENSOR_FLOAT32,
    TENSOR_FLOAT16,
    TENSOR_UINT8,
    TENSOR_INT8,
    TENSOR_INT32,
    TENSOR_INT64,
};

struct tensor_info {
    char name[TENSOR_NAME_BYTES];
    enum tensor_type type;
    int rank; /* -1: not a tensor, or of more than TENSOR_MAX_RANK dimensions */
    int64_t dims[TENSOR_MAX_RANK]; /* -1: not fixed */
};

/* The values of an output, lent until the next run. */
struct tensor_view {
    const float *data; /* whatever type the output is of; NULL: of no use, or empty */
    int rank;
    int64_t dims[TENSOR_MAX_RANK];
    size_t count; /* of values: the product of dims */
};

/* One picture's part of an output of `count` pictures: as if it had been alone. False, and `out`
 * left alone, where the first dimension is another; what is of no use stays that. */
bool tensor_view_of_picture(const struct tensor_view *all, int count, int index,
                            struct tensor_view *out);

/* "float32"; "other" for what is of no use. */
const char *tensor_type_name(enum tensor_type type);

/* Bytes of one value; 0 for TENSOR_OTHER. */
size_t tensor_type_bytes(enum tensor_type type);

/* `count` values of a type as floats; whole numbers beyond 2^24 lose their last digits. Nothing is
 * written for TENSOR_OTHER. */
void tensor_to_floats(enum tensor_type type, const void *values, size_t count, float *out);

/* A picture of three planes of `cells` floats as a tensor of another type, plane after plane or,
 * with `interleaved`, cell after cell. Whole numbers are rounded to the nearest (halves to even)
 * and held in the type's range. `out` has room for 3 * cells values. */
void tensor_from_planes(enum tensor_type type, bool interleaved, const float *planes, size_t cells,
                        void *out);

#endif
