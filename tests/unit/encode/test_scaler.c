#include "encode/scaler.h"
#include "pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct frame *scaled(struct scaler *scaler, const struct frame *frame, int width)
{
    struct frame *out = NULL;
    assert_int_equal(scaler_scale(scaler, frame, width, &out), OW_OK);
    assert_ptr_not_equal(out, frame);
    return out;
}

static void sizes_are_even_and_keep_the_aspect(void **state)
{
    (void)state;
    static const struct {
        int width, height, wanted, to_width, to_height;
    } cases[] = {
        {768, 576, 960, 960, 720}, {1920, 1080, 960, 960, 540}, {1920, 1080, 0, 1920, 1080},
        {641, 361, 0, 642, 362},   {641, 361, 320, 320, 180},   {960, 540, 241, 242, 136},
        {8000, 2, 100, 100, 2},    {2, 8000, 4, 4, 8192},       {1, 1, 0, 2, 2},
        {1920, 1080, 1, 2, 2},     {640, 480, 64, 64, 48},
    };
    struct scaler *scaler = NULL;
    assert_int_equal(scaler_create(&scaler), OW_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame *frame = NULL;
        assert_int_equal(frame_create(&frame, cases[i].width, cases[i].height), OW_OK);
        picture_paint(frame, 3);
        picture_fill(frame, 90, 60, 200);
        frame->full_range = i % 2;
        frame->matrix = COLOR_BT709;
        struct frame *out = scaled(scaler, frame, cases[i].wanted);
        assert_int_equal(out->width, cases[i].to_width);
        assert_int_equal(out->height, cases[i].to_height);
        assert_int_equal(out->full_range, frame->full_range);
        assert_int_equal(out->matrix, COLOR_BT709);
        assert_int_equal(out->sequence, 3);
        assert_int_equal(out->capture_us, frame->capture_us);
        assert_int_equal(out->stages.at_us[STAGE_CAPTURE], frame->capture_us);
        /* An even ground stays what it was, in all planes and to the last pixel. */
        static const uint8_t value[] = {90, 60, 200};
        for (int p = 0; p < FRAME_PLANES; p++) {
            int w = p ? chroma_size(out->width) : out->width;
            int h = p ? chroma_size(out->height) : out->height;
            assert_true(abs(out->plane[p][0] - value[p]) <= 2);
            assert_true(abs(out->plane[p][(h - 1) * out->stride[p] + w - 1] - value[p]) <= 2);
        }
        frame_unref(&out);
        frame_unref(&frame);
    }
    scaler_destroy(&scaler);
    scaler_destroy(&scaler);
}

static void the_right_size_is_a_copy(void **state)
{
    (void)state;
    struct scaler *scaler = NULL;
    struct frame *frame = NULL;
    assert_int_equal(scaler_create(&scaler), OW_OK);
    assert_int_equal(frame_create(&frame, 320, 180), OW_OK);
    picture_paint(frame, 1);
    struct frame *out = scaled(scaler, frame, 320);
    assert_true(picture_psnr(frame->plane[0], frame->stride[0], out->plane[0], out->stride[0], 320,
                             180) > 100);
    out->plane[0][0] ^= 255;
    assert_int_not_equal(out->plane[0][0], frame->plane[0][0]);
    frame_unref(&out);
    assert_int_equal(scaler_scale(scaler, frame, -2, &out), OW_EINVAL);
    assert_int_equal(scaler_scale(scaler, frame, FRAME_MAX_SIDE + 2, &out), OW_EINVAL);
    assert_null(out);
    frame_unref(&frame);
    scaler_destroy(&scaler);
}

/* Down and up again is much like before, for near and far sizes. */
static void the_picture_survives(void **state)
{
    (void)state;
    static const int widths[] = {480, 160};
    struct scaler *scaler = NULL;
    struct frame *frame = NULL;
    assert_int_equal(scaler_create(&scaler), OW_OK);
    assert_int_equal(frame_create(&frame, 640, 360), OW_OK);
    picture_paint(frame, 40);
    for (int i = 0; i < 2; i++) {
        struct frame *small = scaled(scaler, frame, widths[i]);
        struct frame *back = scaled(scaler, small, 640);
        assert_true(picture_psnr(frame->plane[0], frame->stride[0], back->plane[0], back->stride[0],
                                 640, 360) > 25);
        frame_unref(&back);
        frame_unref(&small);
    }
    frame_unref(&frame);
    scaler_destroy(&scaler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_even_and_keep_the_aspect),
        cmocka_unit_test(the_right_size_is_a_copy),
        cmocka_unit_test(the_picture_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
