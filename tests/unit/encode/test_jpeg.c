#include "encode/jpeg.h"
#include "pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <turbojpeg.h>

#include <cmocka.h>

static struct jpeg_encoder *encoder;

static int setup(void **state)
{
    (void)state;
    return jpeg_encoder_create(&encoder);
}

static int teardown(void **state)
{
    (void)state;
    jpeg_encoder_destroy(&encoder);
    return 0;
}

/* The colour of the middle pixel as a browser shows it. */
static void middle_rgb(const struct encoded *picture, uint8_t rgb[3])
{
    tjhandle turbo = tjInitDecompress();
    size_t bytes = (size_t)picture->width * (size_t)picture->height * 3;
    uint8_t *pixels = malloc(bytes);
    assert_int_equal(tjDecompress2(turbo, picture->data, (unsigned long)picture->size, pixels,
                                   picture->width, 0, picture->height, TJPF_RGB, 0),
                     0);
    size_t middle =
        ((size_t)(picture->height / 2) * (size_t)picture->width + (size_t)(picture->width / 2)) * 3;
    memcpy(rgb, pixels + middle, 3);
    free(pixels);
    tjDestroy(turbo);
}

static void both_ranges_show_black_and_white_right(void **state)
{
    (void)state;
    static const struct {
        bool full;
        uint8_t y, shown;
    } cases[] = {{false, 16, 0},   {false, 235, 255}, {false, 126, 128}, {true, 0, 0},
                 {true, 255, 255}, {true, 16, 16},    {false, 0, 0},     {false, 255, 255}};
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, 64, 48), OW_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct encoded *picture = NULL;
        uint8_t rgb[3];
        frame->full_range = cases[i].full;
        picture_fill(frame, cases[i].y, 128, 128);
        assert_int_equal(jpeg_encode(encoder, frame, 90, &picture), OW_OK);
        middle_rgb(picture, rgb);
        for (int c = 0; c < 3; c++)
            assert_true(abs(rgb[c] - cases[i].shown) <= 2);
        assert_int_equal(frame->plane[0][0], cases[i].y); /* the frame itself is left alone */
        encoded_unref(&picture);
    }
    frame_unref(&frame);
}

static void colors_are_expanded_too(void **state)
{
    (void)state;
    struct frame *frame = NULL;
    struct encoded *picture = NULL;
    uint8_t rgb[3];
    assert_int_equal(frame_create(&frame, 64, 48), OW_OK);
    picture_fill(frame, 81, 90, 240); /* pure red in BT.601, limited range */
    assert_int_equal(jpeg_encode(encoder, frame, 95, &picture), OW_OK);
    middle_rgb(picture, rgb);
    assert_true(rgb[0] >= 250 && rgb[1] <= 5 && rgb[2] <= 5);
    encoded_unref(&picture);
    frame_unref(&frame);
}

static void sizes_change_and_stamps_stay(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {17, 9}, {640, 360}, {33, 2}, {641, 361}, {16, 16}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct frame *frame = NULL;
        struct encoded *picture = NULL;
        assert_int_equal(frame_create(&frame, sizes[s][0], sizes[s][1]), OW_OK);
        picture_paint(frame, 7);
        assert_int_equal(jpeg_encode(encoder, frame, 50, &picture), OW_OK);
        assert_true(picture->key);
        assert_int_equal(picture->width, sizes[s][0]);
        assert_int_equal(picture->height, sizes[s][1]);
        assert_int_equal(picture->sequence, 7);
        assert_int_equal(picture->capture_us, frame->capture_us);
        assert_true(picture->stages.at_us[STAGE_ENCODED] > 0);
        assert_int_equal(picture->data[0], 0xff);
        assert_int_equal(picture->data[1], 0xd8);
        encoded_unref(&picture);
        frame_unref(&frame);
    }
}

static void quality_buys_size(void **state)
{
    (void)state;
    struct frame *frame = NULL;
    size_t last = 0;
    assert_int_equal(frame_create(&frame, 320, 240), OW_OK);
    picture_paint(frame, 3);
    static const int qualities[] = {1, 20, 50, 80, 100, 20};
    for (int i = 0; i < 5; i++) {
        struct encoded *picture = NULL;
        assert_int_equal(jpeg_encode(encoder, frame, qualities[i], &picture), OW_OK);
        assert_true(picture->size > last);
        last = picture->size;
        encoded_unref(&picture);
    }
    struct encoded *none = NULL;
    assert_int_equal(jpeg_encode(encoder, frame, 0, &none), OW_EINVAL);
    assert_int_equal(jpeg_encode(encoder, frame, 101, &none), OW_EINVAL);
    assert_null(none);
    frame_unref(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ranges_show_black_and_white_right),
        cmocka_unit_test(colors_are_expanded_too),
        cmocka_unit_test(sizes_change_and_stamps_stay),
        cmocka_unit_test(quality_buys_size),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
