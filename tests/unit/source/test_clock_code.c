#include "source/clock_code.h"

#include "core/error.h"
#include "core/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const int64_t mask = (INT64_C(1) << 48) - 1;

static struct frame *gray_frame(int width, int height)
{
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, width, height), OW_OK);
    for (int i = 0; i < FRAME_PLANES; i++)
        memset(frame->plane[i], 90,
               (size_t)frame->stride[i] * (size_t)(i ? chroma_size(height) : height));
    return frame;
}

static void test_round_trip(void **state)
{
    (void)state;
    static const int sizes[][2] = {{960, 540}, {1920, 1080}, {128, 32},
                                   {131, 33},  {641, 479},   {8192, 4320}};
    static const int64_t times[] = {0, 1, INT64_C(1700000000123456), INT64_C(0xffffffffffff),
                                    INT64_C(0x7fffffffffffffff)};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct frame *frame = gray_frame(sizes[s][0], sizes[s][1]);
        for (size_t t = 0; t < sizeof times / sizeof times[0]; t++) {
            int64_t read = -1;
            clock_code_draw(frame, times[t]);
            assert_int_equal(clock_code_read(frame, &read), OW_OK);
            assert_int_equal(read, times[t] & mask);
        }
        frame_unref(&frame);
    }
}

static void test_survives_noise_and_dimming(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 7);
    for (int round = 0; round < 50; round++) {
        struct frame *frame = gray_frame(960, 540);
        int64_t time = (int64_t)(random_u64(&random) >> 1), read = -1;
        clock_code_draw(frame, time);
        for (int i = 0; i < frame->stride[0] * frame->height; i++) {
            int value = 40 + frame->plane[0][i] * 3 / 5 + (int)(random_u32(&random) % 61) - 30;
            frame->plane[0][i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
        assert_int_equal(clock_code_read(frame, &read), OW_OK);
        assert_int_equal(read, time & mask);
        frame_unref(&frame);
    }
}

static void test_layout_is_the_documented_one(void **state)
{
    (void)state;
    struct frame *frame = gray_frame(960, 540);
    clock_code_draw(frame, INT64_C(0x800000000001));
    assert_int_equal(clock_code_side(540), 12);
    assert_int_equal(clock_code_side(100), 8);
    assert_int_equal(clock_code_side(1080), 24);
    assert_int_equal(clock_code_side(599), 12); /* 13 rounded down to even */
    assert_int_equal(frame->plane[0][0], 235);  /* bit 63 = the time's highest */
    assert_int_equal(frame->plane[0][12], 16);
    /* bit 16, the time's lowest, is square 47: row 2, column 15 */
    assert_int_equal(frame->plane[0][2 * 12 * frame->stride[0] + 15 * 12], 235);
    assert_int_equal(frame->plane[0][192], 90); /* outside nothing is touched */
    assert_int_equal(frame->plane[0][48 * frame->stride[0]], 90);
    assert_int_equal(frame->plane[1][0], 128);
    assert_int_equal(frame->plane[2][23 * frame->stride[2] + 95], 128);
    assert_int_equal(frame->plane[1][96], 90);
    assert_int_equal(frame->plane[2][24 * frame->stride[2]], 90);
    frame_unref(&frame);
}

static void test_refuses_what_is_no_code(void **state)
{
    (void)state;
    static const int small[][2] = {{127, 32}, {128, 31}, {1, 1}, {8, 4000}};
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        struct frame *frame = gray_frame(small[i][0], small[i][1]);
        int64_t read = -1;
        clock_code_draw(frame, 12345);
        assert_int_equal(frame->plane[0][0], 90);
        assert_int_equal(clock_code_read(frame, &read), OW_EPARSE);
        assert_int_equal(read, -1);
        frame_unref(&frame);
    }
    struct frame *frame = gray_frame(960, 540);
    int64_t read = -1;
    for (int level = 0; level < 256; level += 15) { /* plain pictures carry no time */
        memset(frame->plane[0], level, (size_t)frame->stride[0] * 540);
        assert_int_equal(clock_code_read(frame, &read), OW_EPARSE);
    }
    for (int bit = 0; bit < 64; bit++) { /* each single wrong square is found out */
        clock_code_draw(frame, INT64_C(0x123456789abc));
        uint8_t *square =
            frame->plane[0] + bit / 16 * 12 * frame->stride[0] + (ptrdiff_t)(bit % 16) * 12;
        uint8_t inverse = square[0] == 235 ? 16 : 235;
        for (int row = 0; row < 12; row++)
            memset(square + (ptrdiff_t)row * frame->stride[0], inverse, 12);
        assert_int_equal(clock_code_read(frame, &read), OW_EPARSE);
    }
    assert_int_equal(read, -1);
    frame_unref(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_survives_noise_and_dimming),
        cmocka_unit_test(test_layout_is_the_documented_one),
        cmocka_unit_test(test_refuses_what_is_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
