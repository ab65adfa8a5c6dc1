/* Tiny ONNX files for tests, written by hand after onnx.proto3: a picture input of any type and
 * shape, and outputs that are constants. For layouts of which no real model can be had by a
 * package.
 */
#ifndef OW_TEST_ONNX_FILE_H
#define OW_TEST_ONNX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_HALF = 10
};

struct onnx_value {
    const char *name;
    int type;
    int rank;
    int64_t dims[5];  /* -1 = left open */
    const void *data; /* of an output: its values; NULL = the first input itself */
};

struct onnx_metadata {
    const char *key, *value;
};

struct onnx_file {
    struct onnx_value inputs[2]; /* up to the first without a name */
    struct onnx_value outputs[8];
    struct onnx_metadata metadata[6];
    bool alone; /* what gives the input itself fails to run with a batch other than 1 */
};

/* Writes it to `path`. */
void onnx_file_write(const char *path, const struct onnx_file *file);

#endif
