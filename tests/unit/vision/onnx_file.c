#include "onnx_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
    uint8_t *data;
    size_t size;
};

static void put(struct bytes *out, const void *data, size_t size)
{
    out->data = realloc(out->data, out->size + size + 1);
    assert_non_null(out->data);
    if (size > 0)
        memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_varint(struct bytes *out, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        put(out, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void put_int(struct bytes *out, uint64_t field, int64_t value)
{
    put_varint(out, field << 3);
    put_varint(out, (uint64_t)value);
}

static void put_bytes(struct bytes *out, uint64_t field, const void *data, size_t size)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, size);
    put(out, data, size);
}

static void put_text(struct bytes *out, uint64_t field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

/* Takes `message`. */
static void put_message(struct bytes *out, uint64_t field, struct bytes message)
{
    put_bytes(out, field, message.data, message.size);
    free(message.data);
}

static struct bytes value_info(const struct onnx_value *value)
{
    struct bytes shape = {0};
    struct bytes tensor = {0};
    struct bytes type = {0};
    struct bytes info = {0};
    for (int i = 0; i < value->rank; i++) {
        struct bytes dim = {0};
        if (value->dims[i] >= 0)
            put_int(&dim, 1, value->dims[i]);
        else
            put_text(&dim, 2, "open");
        put_message(&shape, 1, dim);
    }
    put_int(&tensor, 1, value->type);
    put_message(&tensor, 2, shape);
    put_message(&type, 1, tensor);
    put_text(&info, 1, value->name);
    put_message(&info, 2, type);
    return info;
}

static size_t type_bytes(int type)
{
    return type == ONNX_INT64                        ? 8
           : type == ONNX_HALF                       ? 2
           : type == ONNX_UINT8 || type == ONNX_INT8 ? 1
                                                     : 4;
}

static struct bytes constant(const struct onnx_value *value, const char *name)
{
    struct bytes tensor = {0};
    size_t size = type_bytes(value->type);
    for (int i = 0; i < value->rank; i++) {
        put_int(&tensor, 1, value->dims[i]);
        size *= (size_t)value->dims[i];
    }
    put_int(&tensor, 2, value->type);
    put_text(&tensor, 8, name);
    put_bytes(&tensor, 9, value->data, size);
    return tensor;
}

static void put_attribute(struct bytes *node, const char *name, int64_t value)
{
    struct bytes attribute = {0};
    put_text(&attribute, 1, name);
    put_int(&attribute, 3, value);
    put_int(&attribute, 20, 2); /* an int */
    put_message(node, 5, attribute);
}

/* Reverses the first 1 of the channels, which changes nothing, and wants such a length for each
 * picture, but is given one. */
static void put_alone(struct bytes *graph, const char *input, const char *output)
{
    static const int64_t lengths[] = {1};
    const struct onnx_value value = {.type = ONNX_INT64, .rank = 1, .dims = {1}, .data = lengths};
    struct bytes node = {0};
    put_text(&node, 1, input);
    put_text(&node, 1, "lengths");
    put_text(&node, 2, output);
    put_text(&node, 4, "ReverseSequence");
    put_attribute(&node, "batch_axis", 0);
    put_attribute(&node, "time_axis", 1);
    put_message(graph, 1, node);
    put_message(graph, 5, constant(&value, "lengths"));
}

static struct bytes graph(const struct onnx_file *file)
{
    struct bytes graph = {0};
    for (int i = 0; i < 8 && file->outputs[i].name != NULL; i++) {
        const struct onnx_value *output = &file->outputs[i];
        if (file->alone && output->data == NULL) {
            put_alone(&graph, file->inputs[0].name, output->name);
            continue;
        }
        struct bytes node = {0};
        char name[24];
        snprintf(name, sizeof name, "constant%d", i);
        put_text(&node, 1, output->data != NULL ? name : file->inputs[0].name);
        put_text(&node, 2, output->name);
        put_text(&node, 4, "Identity");
        put_message(&graph, 1, node);
        if (output->data != NULL)
            put_message(&graph, 5, constant(output, name));
    }
    put_text(&graph, 2, "g");
    for (int i = 0; i < 2 && file->inputs[i].name != NULL; i++)
        put_message(&graph, 11, value_info(&file->inputs[i]));
    for (int i = 0; i < 8 && file->outputs[i].name != NULL; i++)
        put_message(&graph, 12, value_info(&file->outputs[i]));
    return graph;
}

void onnx_file_write(const char *path, const struct onnx_file *file)
{
    struct bytes model = {0};
    struct bytes opset = {0};
    put_int(&model, 1, 9); /* ir_version */
    put_message(&model, 7, graph(file));
    put_text(&opset, 1, "");
    put_int(&opset, 2, 18);
    put_message(&model, 8, opset);
    for (int i = 0; i < 6 && file->metadata[i].key != NULL; i++) {
        struct bytes entry = {0};
        put_text(&entry, 1, file->metadata[i].key);
        put_text(&entry, 2, file->metadata[i].value);
        put_message(&model, 14, entry);
    }
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(model.data, 1, model.size, out), model.size);
    fclose(out);
    free(model.data);
}
