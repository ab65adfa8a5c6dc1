#include "vision/tensor.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} types[] = {
    [TENSOR_OTHER] = {"other", 0},     [TENSOR_FLOAT32] = {"float32", 4},
    [TENSOR_FLOAT16] = {"float16", 2}, [TENSOR_UINT8] = {"uint8", 1},
    [TENSOR_INT8] = {"int8", 1},       [TENSOR_INT32] = {"int32", 4},
    [TENSOR_INT64] = {"int64", 8},
};

const char *tensor_type_name(enum tensor_type type)
{
    return types[type].name;
}

size_t tensor_type_bytes(enum tensor_type type)
{
    return types[type].bytes;
}

bool tensor_view_of_picture(const struct tensor_view *all, int count, int index,
                            struct tensor_view *out)
{
    if (count > 1 && all->data != NULL && (all->rank < 1 || all->dims[0] != count))
        return false;
    struct tensor_view view = *all;
    if (count > 1 && all->data != NULL) {
        view.dims[0] = 1;
        view.count = all->count / (size_t)count;
        view.data = all->data + view.count * (size_t)index;
    }
    *out = view;
    return true;
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* IEEE 754 binary16 to binary32: the exponent is moved by 127 - 15, by a multiplication that makes
 * subnormal numbers normal, too. */
static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t rest = (uint32_t)(half & 0x7fff) << 13;
    if ((half & 0x7c00) == 0x7c00)
        return float_of_bits(sign | 0x7f800000 | rest);
    return float_of_bits(sign | bits_of_float(float_of_bits(rest) * 0x1p112F));
}

/* Binary32 to binary16, rounded to the nearest, halves to even. */
static uint16_t float_to_half(float value)
{
    uint32_t bits = bits_of_float(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    float size = float_of_bits(bits & 0x7fffffff);
    if (!(size < 65520.0F)) /* NaN, too */
        return isnan(value) ? (uint16_t)(sign | 0x7e00) : (uint16_t)(sign | 0x7c00);
    if (size < 0x1p-14F) /* subnormal: adding a half rounds at the last place of binary16 */
        return (uint16_t)(sign | (bits_of_float(size + 0.5F) - bits_of_float(0.5F)));
    uint32_t kept = bits_of_float(size);
    kept += 0xfff + (kept >> 13 & 1);
    return (uint16_t)(sign | (kept - (112U << 23)) >> 13);
}

#define AS_FLOATS(type)                                                                            \
    do {                                                                                           \
        const type *from = values;                                                                 \
        for (size_t i = 0; i < count; i++)                                                         \
            out[i] = (float)from[i];                                                               \
    } while (0)

void tensor_to_floats(enum tensor_type type, const void *values, size_t count, float *out)
{
    const uint16_t *halves = values;
    switch (type) {
    case TENSOR_FLOAT32:
        memcpy(out, values, count * sizeof *out);
        break;
    case TENSOR_FLOAT16:
        for (size_t i = 0; i < count; i++)
            out[i] = half_to_float(halves[i]);
        break;
    case TENSOR_UINT8:
        AS_FLOATS(uint8_t);
        break;
    case TENSOR_INT8:
        AS_FLOATS(int8_t);
        break;
    case TENSOR_INT32:
        AS_FLOATS(int32_t);
        break;
    case TENSOR_INT64:
        AS_FLOATS(int64_t);
        break;
    case TENSOR_OTHER:
        break;
    }
}

/* fminf and fmaxf drop a NaN: it becomes the lower limit. */
static float rounded(float value, float low, float high)
{
    return rintf(fminf(fmaxf(value, low), high));
}

static void write_value(enum tensor_type type, float value, void *out, size_t at)
{
    switch (type) {
    case TENSOR_FLOAT32:
        ((float *)out)[at] = value;
        break;
    case TENSOR_FLOAT16:
        ((uint16_t *)out)[at] = float_to_half(value);
        break;
    case TENSOR_UINT8:
        ((uint8_t *)out)[at] = (uint8_t)rounded(value, 0, 255);
        break;
    case TENSOR_INT8:
        ((int8_t *)out)[at] = (int8_t)rounded(value, -128, 127);
        break;
    case TENSOR_INT32:
        ((int32_t *)out)[at] = (int32_t)rounded(value, -0x1p24F, 0x1p24F);
        break;
    case TENSOR_INT64:
        ((int64_t *)out)[at] = (int64_t)rounded(value, -0x1p24F, 0x1p24F);
        break;
    case TENSOR_OTHER:
        break;
    }
}

/* Forced in, so that each call below becomes a loop over one type. */
static inline __attribute__((always_inline)) void
write_all(enum tensor_type type, bool interleaved, const float *planes, size_t cells, void *out)
{
    if (interleaved)
        for (size_t i = 0; i < cells; i++)
            for (size_t c = 0; c < 3; c++)
                write_value(type, planes[c * cells + i], out, i * 3 + c);
    else
        for (size_t i = 0; i < 3 * cells; i++)
            write_value(type, planes[i], out, i);
}

void tensor_from_planes(enum tensor_type type, bool interleaved, const float *planes, size_t cells,
                        void *out)
{
    switch (type) {
    case TENSOR_FLOAT32:
        write_all(TENSOR_FLOAT32, interleaved, planes, cells, out);
        break;
    case TENSOR_FLOAT16:
        write_all(TENSOR_FLOAT16, interleaved, planes, cells, out);
        break;
    case TENSOR_UINT8:
        write_all(TENSOR_UINT8, interleaved, planes, cells, out);
        break;
    case TENSOR_INT8:
        write_all(TENSOR_INT8, interleaved, planes, cells, out);
        break;
    case TENSOR_INT32:
        write_all(TENSOR_INT32, interleaved, planes, cells, out);
        break;
    case TENSOR_INT64:
        write_all(TENSOR_INT64, interleaved, planes, cells, out);
        break;
    case TENSOR_OTHER:
        break;
    }
}
