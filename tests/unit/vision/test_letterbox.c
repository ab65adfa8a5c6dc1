#include "core/error.h"
#include "core/random.h"
#include "vision/letterbox.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PLACEMENTS = PLACEMENT_CROP + 1 };

static void geometry_is_ultralytics(void **state)
{
    (void)state;
    static const struct {
        int source[2], tensor[2], place[4]; /* left, top, width, height */
    } cases[] = {
        {{768, 576}, {416, 416}, {0, 52, 416, 312}},
        {{1920, 1080}, {640, 640}, {0, 140, 640, 360}},
        {{576, 768}, {416, 416}, {52, 0, 312, 416}},
        {{100, 100}, {416, 416}, {0, 0, 416, 416}},
        {{640, 427}, {640, 640}, {0, 106, 640, 427}},
        {{960, 540}, {416, 256}, {0, 11, 416, 234}},
        {{8192, 1}, {416, 416}, {0, 207, 416, 1}},
        {{333, 777}, {416, 416}, {119, 0, 178, 416}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct letterbox_geometry g;
        assert_int_equal(letterbox_geometry_set(&g, PLACEMENT_CENTRE, cases[i].source[0],
                                                cases[i].source[1], cases[i].tensor[0],
                                                cases[i].tensor[1]),
                         OW_OK);
        const int place[4] = {g.left, g.top, g.width, g.height};
        assert_memory_equal(place, cases[i].place, sizeof place);
    }
    struct letterbox_geometry untouched;
    assert_int_equal(letterbox_geometry_set(&untouched, PLACEMENT_CENTRE, 0, 5, 416, 416),
                     OW_EINVAL);
    assert_int_equal(
        letterbox_geometry_set(&untouched, PLACEMENT_CENTRE, 5, FRAME_MAX_SIDE + 1, 416, 416),
        OW_EINVAL);
}

static void mapping_back_is_the_inverse(void **state)
{
    (void)state;
    enum { WIDTH = 416, HEIGHT = 640 };
    struct random_source random;
    random_seeded(&random, 41);
    for (int i = 0; i < 4000; i++) {
        int width = 1 + (int)(random_u32(&random) % 4000);
        int height = 1 + (int)(random_u32(&random) % 4000);
        enum picture_placement placement = (enum picture_placement)(i % PLACEMENTS);
        struct letterbox_geometry g;
        assert_int_equal(letterbox_geometry_set(&g, placement, width, height, WIDTH, HEIGHT),
                         OW_OK);
        bool fills_x = g.left <= 0 && g.left + g.width >= WIDTH;
        bool fills_y = g.top <= 0 && g.top + g.height >= HEIGHT;
        bool within =
            g.left >= 0 && g.left + g.width <= WIDTH && g.top >= 0 && g.top + g.height <= HEIGHT;
        assert_true(placement == PLACEMENT_CROP ? fills_x && fills_y : within);
        assert_true(fills_x || fills_y);
        assert_true(placement != PLACEMENT_STRETCH || (fills_x && fills_y));
        assert_true(placement == PLACEMENT_STRETCH || g.gain_x == g.gain_y);
        float x = (float)(random_unit(&random) * width);
        float y = (float)(random_unit(&random) * height);
        float back_x = x * g.gain_x + (float)g.left;
        float back_y = y * g.gain_y + (float)g.top;
        letterbox_to_source(&g, &back_x, &back_y);
        assert_true(fabsf(back_x - x) < 0.001F * (float)width + 0.001F);
        assert_true(fabsf(back_y - y) < 0.001F * (float)height + 0.001F);
    }
}

/* What of the picture is left out is as much on both sides. */
static void a_crop_is_in_the_middle(void **state)
{
    (void)state;
    struct letterbox_geometry g;
    assert_int_equal(letterbox_geometry_set(&g, PLACEMENT_CROP, 960, 540, 224, 224), OW_OK);
    const int place[4] = {g.left, g.top, g.width, g.height};
    assert_memory_equal(place, ((const int[]){-87, 0, 398, 224}), sizeof place);
    assert_int_equal(letterbox_geometry_set(&g, PLACEMENT_CROP, 540, 960, 224, 224), OW_OK);
    assert_int_equal(g.top, -87);
}

/* A frame of random pixels whose planes end exactly at their last pixel, so that reading past them
 * is seen by the sanitizer; strides are wider than the rows by `slack`. */
static void random_frame(struct frame *frame, int width, int height, int slack, uint64_t seed)
{
    struct random_source random;
    random_seeded(&random, seed);
    memset(frame, 0, sizeof *frame);
    frame->width = width;
    frame->height = height;
    for (int p = 0; p < FRAME_PLANES; p++) {
        int w = p == 0 ? width : chroma_size(width);
        int h = p == 0 ? height : chroma_size(height);
        frame->stride[p] = w + slack;
        size_t size = (size_t)(frame->stride[p] * (h - 1) + w);
        frame->plane[p] = malloc(size);
        assert_non_null(frame->plane[p]);
        random.fill(&random, frame->plane[p], size);
    }
}

static void free_frame(struct frame *frame)
{
    for (int p = 0; p < FRAME_PLANES; p++)
        free(frame->plane[p]);
}

static double slow_sample(const struct frame *frame, int p, double u, double v)
{
    int w = p == 0 ? frame->width : chroma_size(frame->width);
    int h = p == 0 ? frame->height : chroma_size(frame->height);
    double x = fmin(fmax(u * w - 0.5, 0), w - 1);
    double y = fmin(fmax(v * h - 0.5, 0), h - 1);
    int x0 = (int)floor(x);
    int y0 = (int)floor(y);
    int x1 = x0 + 1 < w ? x0 + 1 : x0;
    int y1 = y0 + 1 < h ? y0 + 1 : y0;
    const uint8_t *plane = frame->plane[p];
    int s = frame->stride[p];
    double upper = plane[y0 * s + x0] * (1 - (x - x0)) + plane[y0 * s + x1] * (x - x0);
    double lower = plane[y1 * s + x0] * (1 - (x - x0)) + plane[y1 * s + x1] * (x - x0);
    return upper * (1 - (y - y0)) + lower * (y - y0);
}

/* With the rounded coefficients that the recommendations print, not with their formulas. */
static void slow_rgb(const struct frame *frame, double u, double v, double rgb[3])
{
    double y = slow_sample(frame, 0, u, v);
    double cb = slow_sample(frame, 1, u, v) - 128;
    double cr = slow_sample(frame, 2, u, v) - 128;
    static const double table[2][4] = {{1.402, -0.344136, -0.714136, 1.772},
                                       {1.5748, -0.187324, -0.468124, 1.8556}};
    const double *k = table[frame->matrix == COLOR_BT709];
    double chroma = frame->full_range ? 1 / 255.0 : 1 / 224.0;
    double luma = frame->full_range ? y / 255 : (y - 16) / 219;
    rgb[0] = fmin(fmax(luma + k[0] * cr * chroma, 0), 1);
    rgb[1] = fmin(fmax(luma + (k[1] * cb + k[2] * cr) * chroma, 0), 1);
    rgb[2] = fmin(fmax(luma + k[3] * cb * chroma, 0), 1);
}

static void compare_with_slow(const struct frame *frame, const struct letterbox_geometry *g,
                              const float *tensor)
{
    size_t plane = (size_t)g->tensor_width * (size_t)g->tensor_height;
    for (int y = 0; y < g->tensor_height; y++) {
        for (int x = 0; x < g->tensor_width; x++) {
            bool inside =
                x >= g->left && x < g->left + g->width && y >= g->top && y < g->top + g->height;
            double rgb[3] = {114 / 255.0, 114 / 255.0, 114 / 255.0};
            if (inside)
                slow_rgb(frame, (x - g->left + 0.5) / g->width, (y - g->top + 0.5) / g->height,
                         rgb);
            for (size_t c = 0; c < 3; c++) {
                size_t at = c * plane + (size_t)y * (size_t)g->tensor_width + (size_t)x;
                if (!(fabs((double)tensor[at] - rgb[c]) < 4e-4))
                    fail_msg("%dx%d at %d,%d channel %zu: %f instead of %f", frame->width,
                             frame->height, x, y, c, (double)tensor[at], rgb[c]);
            }
        }
    }
}

static void pixels_equal_a_slow_reference(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 0},   {2, 2, 5},    {33, 17, 3},  {16, 90, 0},
                                   {64, 64, 0}, {201, 99, 7}, {320, 181, 0}};
    enum { WIDTH = 64, HEIGHT = 96, SIZES = sizeof sizes / sizeof sizes[0] };
    float *tensor = malloc(sizeof *tensor * 3 * WIDTH * HEIGHT);
    assert_non_null(tensor);
    for (size_t i = 0; i < 4 * SIZES * PLACEMENTS; i++) {
        const int *size = sizes[i / 4 % SIZES];
        struct picture_format format = picture_format_default;
        struct letterbox *letterbox = NULL;
        struct letterbox_geometry geometry;
        struct frame frame;
        format.placement = (enum picture_placement)(i / 4 / SIZES);
        assert_int_equal(letterbox_create(&letterbox, &format, WIDTH, HEIGHT), OW_OK);
        random_frame(&frame, size[0], size[1], size[2], i);
        frame.full_range = (i & 1) != 0;
        frame.matrix = (i & 2) != 0 ? COLOR_BT709 : COLOR_BT601;
        assert_int_equal(letterbox_apply(letterbox, &frame, tensor, &geometry), OW_OK);
        compare_with_slow(&frame, &geometry, tensor);
        free_frame(&frame);
        letterbox_destroy(&letterbox);
        assert_null(letterbox);
    }
    free(tensor);
}

/* A letterbox that is given frames of another size, as when sources share a model. */
static void a_new_size_leaves_nothing_of_the_one_before(void **state)
{
    (void)state;
    static const int sizes[][2] = {{64, 20}, {20, 64}, {50, 50}, {64, 20}};
    static float tensor[3 * 48 * 48];
    struct letterbox *letterbox = NULL;
    assert_int_equal(letterbox_create(&letterbox, &picture_format_default, 48, 48), OW_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct frame frame;
        struct letterbox_geometry geometry;
        random_frame(&frame, sizes[i][0], sizes[i][1], 0, i);
        assert_int_equal(letterbox_apply(letterbox, &frame, tensor, &geometry), OW_OK);
        compare_with_slow(&frame, &geometry, tensor);
        free_frame(&frame);
    }
    letterbox_destroy(&letterbox);
}

static void tensor_sizes_are_checked(void **state)
{
    (void)state;
    struct letterbox *letterbox = NULL;
    assert_int_equal(letterbox_create(&letterbox, &picture_format_default, 0, 416), OW_EINVAL);
    assert_int_equal(letterbox_create(&letterbox, &picture_format_default, 416, FRAME_MAX_SIDE + 1),
                     OW_EINVAL);
    assert_null(letterbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry_is_ultralytics),
        cmocka_unit_test(mapping_back_is_the_inverse),
        cmocka_unit_test(a_crop_is_in_the_middle),
        cmocka_unit_test(pixels_equal_a_slow_reference),
        cmocka_unit_test(a_new_size_leaves_nothing_of_the_one_before),
        cmocka_unit_test(tensor_sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
