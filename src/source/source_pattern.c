/* The test pattern: a soft ground with shapes that wander over it, at an exact rate. */
#include "core/clock.h"
#include "core/perf.h"
#include "source/clock_code.h"
#include "source/convert.h"
#include "source/input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WIDTH = 960, DEFAULT_HEIGHT = 540, DEFAULT_FPS = 30, OBJECTS_MAX = 64 };

struct yuv {
    float y, u, v;
};

struct pattern {
    struct source_run *run;
    int width, height;
    double interval_us;
    int64_t start_us;
    uint64_t next;
    struct frame *ground;
};

/* A distance function in units of the shape's radius: below 0 is inside. */
typedef float shape_distance(float x, float y);

static float circle(float x, float y)
{
    return hypotf(x, y) - 1;
}

static float square(float x, float y)
{
    return fmaxf(fabsf(x), fabsf(y)) - 0.85f;
}

static float triangle(float x, float y)
{
    return fmaxf(fabsf(x) * 0.866f + y * -0.5f, y) - 0.5f;
}

static float diamond(float x, float y)
{
    return (fabsf(x) + fabsf(y) - 1) * 0.7071f;
}

static float ring(float x, float y)
{
    return fabsf(hypotf(x, y) - 0.75f) - 0.25f;
}

static float cross(float x, float y)
{
    float a = fmaxf(fabsf(x), fabsf(y)), b = fminf(fabsf(x), fabsf(y));
    return fmaxf(a - 0.95f, b - 0.3f);
}

static shape_distance *const shapes[] = {circle, square, triangle, diamond, ring, cross};

static const uint8_t palette[][3] = {
    {255, 138, 76},  {82, 196, 255},  {255, 209, 82},
    {126, 231, 135}, {255, 110, 160}, {178, 148, 255},
};

/* Studio-range YUV of an RGB colour; the coefficients of BT.601 and BT.709. */
static struct yuv yuv_from_rgb(float r, float g, float b, enum color_matrix matrix)
{
    float kr = matrix == COLOR_BT709 ? 0.2126f : 0.299f;
    float kb = matrix == COLOR_BT709 ? 0.0722f : 0.114f;
    float y = kr * r + (1 - kr - kb) * g + kb * b;
    return (struct yuv){16 + y * 219 / 255, 128 + (b - y) / (2 * (1 - kb)) * 224 / 255,
                        128 + (r - y) / (2 * (1 - kr)) * 224 / 255};
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5f);
}

/* The ground at a place in 0..1: night blue to teal, lighter towards the middle. */
static struct yuv ground_color(float x, float y, enum color_matrix matrix)
{
    float glow = expf(-3 * ((x - 0.5f) * (x - 0.5f) + (y - 0.45f) * (y - 0.45f)));
    return yuv_from_rgb(14 + 26 * glow, 20 + 34 * y + 44 * glow, 44 + 18 * y + 56 * glow, matrix);
}

static void paint_ground(struct frame *frame)
{
    float width = (float)frame->width, height = (float)frame->height;
    for (int row = 0; row < frame->height; row++)
        for (int column = 0; column < frame->width; column++)
            frame->plane[0][(ptrdiff_t)row * frame->stride[0] + column] =
                to_byte(ground_color((float)column / width, (float)row / height, frame->matrix).y);
    for (int row = 0; row < chroma_size(frame->height); row++) {
        for (int column = 0; column < chroma_size(frame->width); column++) {
            struct yuv color =
                ground_color(2 * (float)column / width, 2 * (float)row / height, frame->matrix);
            frame->plane[1][(ptrdiff_t)row * frame->stride[1] + column] = to_byte(color.u);
            frame->plane[2][(ptrdiff_t)row * frame->stride[2] + column] = to_byte(color.v);
        }
    }
}

struct object {
    float x, y, radius; /* luma pixels */
    float spin;         /* radians */
    shape_distance *shape;
    struct yuv color;
};

/* Back and forth between 0 and 1 with period 2, softly turned at the ends. */
static float sway(double phase)
{
    return (float)(0.5 - 0.5 * cos(phase * 3.14159265358979));
}

static struct object object_at(const struct pattern *pattern, int index, double seconds)
{
    const uint8_t *rgb = palette[(size_t)index % (sizeof palette / sizeof palette[0])];
    float side = (float)(pattern->width < pattern->height ? pattern->width : pattern->height);
    float radius = side * (0.06f + 0.012f * (float)(index % 4));
    double golden = index * 0.6180339887; /* spreads phases without two alike */
    return (struct object){
        .x = radius + ((float)pattern->width - 2 * radius) *
                          sway(seconds * (0.21 + 0.05 * (index % 5)) + 2 * golden),
        .y = radius + ((float)pattern->height - 2 * radius) *
                          sway(seconds * (0.29 + 0.04 * (index % 3)) + 3.7 * golden),
        .radius = radius,
        .spin = (float)fmod(seconds * (index % 2 ? 0.7 : -0.5) + index, 6.28318530717959),
        .shape = shapes[(size_t)index % (sizeof shapes / sizeof shapes[0])],
        .color = yuv_from_rgb(rgb[0], rgb[1], rgb[2], color_matrix_guess(pattern->height)),
    };
}

/* Blends an object into one plane; `step` is 1 for luma and 2 for chroma. The edge is smoothed over
 * one sample, and luma is lit from above. */
static void paint_plane(struct frame *frame, int plane, int step, const struct object *object)
{
    int width = plane ? chroma_size(frame->width) : frame->width;
    int height = plane ? chroma_size(frame->height) : frame->height;
    float x = object->x / (float)step, y = object->y / (float)step;
    float radius = object->radius / (float)step, reach = radius * 1.3f + 1;
    int left = (int)fmaxf(x - reach, 0), right = (int)fminf(x + reach + 1, (float)width);
    int top = (int)fmaxf(y - reach, 0), bottom = (int)fminf(y + reach + 1, (float)height);
    float turn_x = cosf(object->spin) / radius, turn_y = sinf(object->spin) / radius;
    float base = plane == 0 ? object->color.y : plane == 1 ? object->color.u : object->color.v;
    for (int row = top; row < bottom; row++) {
        uint8_t *line = frame->plane[plane] + (ptrdiff_t)row * frame->stride[plane];
        float dy = (float)row - y, light = plane ? 0 : -14 * dy / radius;
        for (int column = left; column < right; column++) {
            float dx = (float)column - x;
            float distance =
                object->shape(dx * turn_x + dy * turn_y, dy * turn_x - dx * turn_y) * radius;
            if (distance >= 0.5f)
                continue;
            float cover = distance <= -0.5f ? 1 : 0.5f - distance;
            line[column] =
                to_byte((float)line[column] + cover * (base + light - (float)line[column]));
        }
    }
}

static void paint_objects(const struct pattern *pattern, struct frame *frame, double seconds)
{
    for (int i = 0; i < pattern->run->settings.moving_objects; i++) {
        struct object object = object_at(pattern, i, seconds);
        for (int plane = 0; plane < FRAME_PLANES; plane++)
            paint_plane(frame, plane, plane ? 2 : 1, &object);
    }
}

static bool pattern_matches(const char *url)
{
    return strncmp(url, "test:", 5) == 0;
}

static int pattern_check(const struct source_settings *settings, struct reason *why)
{
    if (settings->moving_objects < 0 || settings->moving_objects > OBJECTS_MAX)
        return reason_set(why, OW_EINVAL, "the test pattern has 0 to %d moving objects",
                          OBJECTS_MAX);
    return OW_OK;
}

static void pattern_close(void **state)
{
    struct pattern *pattern = *state;
    *state = NULL;
    if (pattern)
        frame_unref(&pattern->ground);
    free(pattern);
}

static int percent_of(int side, int percent)
{
    int scaled = side * percent / 100;
    return scaled < 1 ? 1 : scaled;
}

static int pattern_open(struct source_run *run, void **state, struct reason *why)
{
    const struct source_settings *settings = &run->settings;
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern)
        return reason_set(why, OW_ENOMEM, "no memory for the test pattern");
    pattern->run = run;
    pattern->width =
        percent_of(settings->width ? settings->width : DEFAULT_WIDTH, settings->resolution_scale);
    pattern->height = percent_of(settings->height ? settings->height : DEFAULT_HEIGHT,
                                 settings->resolution_scale);
    pattern->interval_us = 1e6 / (settings->fps > 0 ? settings->fps : DEFAULT_FPS);
    if (frame_create(&pattern->ground, pattern->width, pattern->height) < 0) {
        free(pattern);
        return reason_set(why, OW_ENOMEM, "no memory for the test pattern");
    }
    pattern->ground->matrix = color_matrix_guess(pattern->height);
    paint_ground(pattern->ground);
    pattern->start_us = clock_now_us();
    snprintf(run->codec, sizeof run->codec, "test pattern");
    *state = pattern;
    return OW_OK;
}

static int64_t due_us(const struct pattern *pattern)
{
    return pattern->start_us + (int64_t)((double)pattern->next * pattern->interval_us);
}

static int pattern_read(void *state, struct frame **out, struct reason *why)
{
    struct pattern *pattern = state;
    int64_t begin_us = clock_now_us();
    int64_t late_us = begin_us - due_us(pattern);
    if ((double)late_us > pattern->interval_us) /* frames that were missed are not made up for */
        pattern->next += (uint64_t)((double)late_us / pattern->interval_us);

    struct frame *frame = NULL;
    int rc = frame_copy(&frame, pattern->ground);
    if (rc < 0)
        return reason_set(why, rc, "no memory for a frame of the test pattern");
    paint_objects(pattern, frame, (double)pattern->next * pattern->interval_us / 1e6);
    int64_t paint_us = clock_now_us() - begin_us;
    if (!source_run_wait_until(pattern->run, due_us(pattern))) {
        frame_unref(&frame);
        return OW_EAGAIN;
    }
    pattern->next++;
    frame->capture_us = frame->stages.at_us[STAGE_CAPTURE] = clock_now_us();
    if (pattern->run->settings.clock)
        clock_code_draw(frame, clock_wall_us());
    frame->stages.at_us[STAGE_DECODED] = clock_now_us();
    perf_add(PERF_DECODE, paint_us + frame->stages.at_us[STAGE_DECODED] - frame->capture_us);
    *out = frame;
    return OW_OK;
}

const struct source_input source_input_pattern = {
    .name = "test pattern",
    .matches = pattern_matches,
    .check = pattern_check,
    .open = pattern_open,
    .read = pattern_read,
    .close = pattern_close,
};
