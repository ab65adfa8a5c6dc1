#include "source_probe.h"

#include "source/clock_code.h"

static void test_exact_rate_and_clock(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "unused");
    probe_start(&probe, (struct source_settings){
                            .url = "test:", .fps = 100, .moving_objects = 6, .clock = true});
    assert_true(probe_wait_frames(&probe, 1, 5));
    int64_t begin_us = clock_now_us();
    assert_true(probe_wait_frames(&probe, 151, 10));
    int64_t took_us = clock_now_us() - begin_us;
    assert_in_range(took_us, 1400000, 2500000); /* 150 frames at 100 a second, on a busy machine */

    struct frame *frame = probe_last(&probe);
    int64_t read, wall_us = clock_wall_us() & ((INT64_C(1) << 48) - 1);
    assert_int_equal(frame->width, 960);
    assert_int_equal(frame->height, 540);
    assert_int_equal(clock_code_read(frame, &read), OW_OK);
    assert_in_range(wall_us - read, 0, 1000000);
    assert_int_equal(frame->stages.at_us[STAGE_CAPTURE], frame->capture_us);
    assert_true(frame->stages.at_us[STAGE_DECODED] >= frame->capture_us);
    assert_true(frame->sequence >= 150);
    frame_unref(&frame);

    struct source_status status;
    source_status(probe.source, &status);
    assert_int_equal(status.state, SOURCE_PLAYING);
    assert_int_equal(status.width, 960);
    assert_true(status.frames >= 151);
    assert_true(status.fps > 50 && status.fps < 110);
    probe_finish(&probe);
}

static void test_any_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {7, 5}, {131, 33}, {641, 479}, {16, 2000}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct source_probe probe;
        probe_init(&probe, "unused");
        probe_start(&probe, (struct source_settings){.url = "test:",
                                                     .fps = 500,
                                                     .moving_objects = 64,
                                                     .clock = true,
                                                     .width = sizes[i][0],
                                                     .height = sizes[i][1]});
        assert_true(probe_wait_frames(&probe, 3, 10));
        struct frame *frame = probe_last(&probe);
        assert_int_equal(frame->width, sizes[i][0]);
        assert_int_equal(frame->height, sizes[i][1]);
        frame_unref(&frame);
        probe_finish(&probe);
    }
}

static void test_objects_move(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "unused");
    probe_start(&probe, (struct source_settings){.url = "test:",
                                                 .fps = 50,
                                                 .moving_objects = 3,
                                                 .width = 320,
                                                 .height = 180,
                                                 .resolution_scale = 50});
    assert_true(probe_wait_frames(&probe, 1, 5));
    struct frame *first = probe_last(&probe);
    assert_true(probe_wait_frames(&probe, 25, 5));
    struct frame *later = probe_last(&probe);
    assert_int_equal(first->width, 160);
    assert_int_equal(first->height, 90);
    int differing = 0;
    for (int y = 0; y < 90; y++)
        for (int x = 0; x < 160; x++)
            differing += abs(first->plane[0][y * first->stride[0] + x] -
                             later->plane[0][y * later->stride[0] + x]) > 40;
    assert_in_range(differing, 50, 160 * 90 / 2); /* they move; the ground does not */
    frame_unref(&first);
    frame_unref(&later);
    probe_finish(&probe);
}

static void test_still_pattern_is_skipped(void **state)
{
    (void)state;
    struct source_probe probe;
    probe_init(&probe, "unused");
    probe_start(&probe, (struct source_settings){.url = "test:", .fps = 100, .skip_similar = true});
    assert_true(probe_wait_frames(&probe, 3, 10)); /* one a second as a sign of life */
    struct source_status status;
    source_status(probe.source, &status);
    assert_int_equal(status.state, SOURCE_PLAYING);
    assert_true(status.frames < 10);
    probe_finish(&probe);
}

static void test_bad_settings(void **state)
{
    (void)state;
    static const struct source_settings cases[] = {
        {.url = NULL},
        {.url = ""},
        {.url = "foo://host/x"},
        {.url = "concat://a"},
        {.url = "v4l2:"},
        {.url = "pipe:"},
        {.url = "pipe:-", .pixel_format = "yuv420p"},
        {.url = "pipe:-", .pixel_format = "no such", .width = 8, .height = 8},
        {.url = "test:", .fps = -1},
        {.url = "test:", .moving_objects = -1},
        {.url = "test:", .moving_objects = 1000},
        {.url = "test:", .width = 100000, .height = 8},
        {.url = "test:", .resolution_scale = 101},
        {.url = "test:", .playback_speed = -1},
        {.url = "test:", .fps = 0.0 / 0.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct source *source = NULL;
        struct reason why = {{0}};
        assert_int_equal(source_start(&source, &cases[i], probe_on_frame, NULL, &why), OW_EINVAL);
        assert_null(source);
        assert_true(why.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_rate_and_clock),
        cmocka_unit_test(test_any_size),
        cmocka_unit_test(test_objects_move),
        cmocka_unit_test(test_still_pattern_is_skipped),
        cmocka_unit_test(test_bad_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
