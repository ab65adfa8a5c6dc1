/* Pictures for the tests of this room. */
#ifndef TEST_ENCODE_PICTURES_H
#define TEST_ENCODE_PICTURES_H

#include "core/error.h"
#include "core/frame.h"

#include <math.h>
#include <string.h>

/* Shapes that move with `index` on a soft ground, with some texture. */
static inline void picture_paint(struct frame *frame, int index)
{
    for (int y = 0; y < frame->height; y++) {
        for (int x = 0; x < frame->width; x++) {
            int ground = 60 + (x + 2 * y) * 80 / (frame->width + 2 * frame->height);
            int texture = ((x * 7 + y * 13 + (x * y >> 3)) & 15) - 8;
            int dx = x - (index * 5) % frame->width, dy = y - frame->height / 2;
            int disc = dx * dx + dy * dy < frame->height * frame->height / 16 ? 70 : 0;
            frame->plane[0][y * frame->stride[0] + x] = (uint8_t)(ground + texture + disc);
        }
    }
    for (int y = 0; y < chroma_size(frame->height); y++) {
        for (int x = 0; x < chroma_size(frame->width); x++) {
            frame->plane[1][y * frame->stride[1] + x] = (uint8_t)(100 + (x / 8) % 40);
            frame->plane[2][y * frame->stride[2] + x] = (uint8_t)(120 + (y / 8) % 30);
        }
    }
    frame->sequence = (uint64_t)index;
    frame->capture_us = 1000000 + index * 33333;
    frame->stages.at_us[STAGE_CAPTURE] = frame->capture_us;
}

static inline void picture_fill(struct frame *frame, uint8_t y, uint8_t u, uint8_t v)
{
    const uint8_t value[FRAME_PLANES] = {y, u, v};
    for (int i = 0; i < FRAME_PLANES; i++)
        memset(frame->plane[i], value[i],
               (size_t)frame->stride[i] * (size_t)(i ? chroma_size(frame->height) : frame->height));
}

static inline double picture_psnr(const uint8_t *a, int a_stride, const uint8_t *b, int b_stride,
                                  int width, int height)
{
    double sum = 0;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double d = a[y * a_stride + x] - b[y * b_stride + x];
            sum += d * d;
        }
    }
    return 10 * log10(255.0 * 255.0 / (sum / (width * height) + 1e-9));
}

#endif
