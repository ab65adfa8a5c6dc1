#include "source/gate.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int passed(double fps, int64_t step_us, int64_t jitter_us, int count)
{
    struct fps_gate gate;
    int result = 0;
    fps_gate_init(&gate, fps);
    for (int i = 0; i < count; i++)
        result += fps_gate_pass(&gate, 1000000 + i * step_us + (i % 2 ? jitter_us : -jitter_us));
    return result;
}

static void test_fps_cap(void **state)
{
    (void)state;
    assert_int_equal(passed(0, 33333, 0, 300), 300);
    assert_int_equal(passed(30, 33333, 2000, 300), 300);
    assert_int_equal(passed(60, 33333, 0, 300), 300);
    assert_in_range(passed(15, 33333, 2000, 300), 149, 151);
    assert_in_range(passed(10, 33333, 0, 300), 99, 101);
    assert_in_range(passed(20, 33333, 0, 300), 195, 201); /* not a divisor */
    assert_in_range(passed(1, 33333, 0, 300), 10, 11);
}

static void test_fps_cap_goes_on_after_jumps(void **state)
{
    (void)state;
    struct fps_gate gate;
    fps_gate_init(&gate, 10);
    assert_true(fps_gate_pass(&gate, 1000000000));
    assert_true(fps_gate_pass(&gate, 0)); /* the clock of a loop starts again */
    assert_false(fps_gate_pass(&gate, 50000));
    assert_true(fps_gate_pass(&gate, 5000000)); /* after a silence no burst is owed */
    assert_false(fps_gate_pass(&gate, 5030000));
    assert_false(fps_gate_pass(&gate, 5060000));
}

static void test_similar(void **state)
{
    (void)state;
    struct similar_gate gate = {0};
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, 161, 97), OW_OK);
    memset(frame->plane[0], 100, (size_t)frame->stride[0] * 97);
    frame->capture_us = 1000000;
    assert_true(similar_gate_pass(&gate, frame));
    frame->capture_us += 33000;
    assert_false(similar_gate_pass(&gate, frame));
    for (int i = 0; i < frame->stride[0] * 97; i++) /* coding noise */
        frame->plane[0][i] = (uint8_t)(100 + i * 7 % 9 - 4);
    assert_false(similar_gate_pass(&gate, frame));
    for (int row = 40; row < 60; row++) /* something came in */
        memset(frame->plane[0] + row * frame->stride[0] + 60, 200, 20);
    assert_true(similar_gate_pass(&gate, frame));
    assert_false(similar_gate_pass(&gate, frame));
    frame->capture_us += 1000000; /* a sign of life */
    assert_true(similar_gate_pass(&gate, frame));
    memset(frame->plane[0], 100, (size_t)frame->stride[0] * 97);
    assert_true(similar_gate_pass(&gate, frame));
    memset(frame->plane[0], 104, (size_t)frame->stride[0] * 97); /* the light changes */
    assert_true(similar_gate_pass(&gate, frame));
    frame_unref(&frame);
    assert_int_equal(frame_create(&frame, 1, 1), OW_OK);
    frame->plane[0][0] = 104;
    frame->capture_us = gate.passed_us;
    assert_true(similar_gate_pass(&gate, frame)); /* another size is another picture */
    frame_unref(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fps_cap),
        cmocka_unit_test(test_fps_cap_goes_on_after_jumps),
        cmocka_unit_test(test_similar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
