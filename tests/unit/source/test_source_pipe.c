#include "source_probe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

enum { WIDTH = 64, HEIGHT = 48, FRAME_BYTES = WIDTH * HEIGHT * 3 / 2 };

static void pipe_init(struct source_probe *probe)
{
    probe_init(probe, "video");
    assert_int_equal(mkfifo(probe->path, 0600), 0);
}

static void write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t wrote = write(fd, at, size);
        assert_true(wrote > 0);
        at += wrote;
        size -= (size_t)wrote;
    }
}

static void write_text(int fd, const char *text)
{
    write_all(fd, text, strlen(text));
}

static void write_pixels(int fd, size_t bytes, int value)
{
    uint8_t *pixels = malloc(bytes);
    assert_non_null(pixels);
    memset(pixels, value, bytes);
    write_all(fd, pixels, bytes);
    free(pixels);
}

static void write_frame(int fd, size_t bytes, int value)
{
    write_text(fd, "FRAME\n");
    write_pixels(fd, bytes, value);
}

/* Opens as a writer does, waiting for the reader. */
static int writer_open(const struct source_probe *probe)
{
    int fd = open(probe->path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void test_every_frame_one_by_one(void **state)
{
    (void)state;
    struct source_probe probe;
    pipe_init(&probe);
    char url[128];
    snprintf(url, sizeof url, "pipe:%s", probe.path);
    probe_start(&probe, (struct source_settings){.url = url});
    int fd = writer_open(&probe);
    write_text(fd, "YUV4MPEG2 W64 H48 F30:1 C420jpeg XCOLORRANGE=FULL\n");
    for (int i = 1; i <= 20; i++) {
        int64_t before_us = clock_now_us();
        write_frame(fd, FRAME_BYTES, 10 * i);
        assert_true(probe_wait_frames(&probe, i, 5));
        struct frame *frame = probe_last(&probe);
        assert_int_equal(frame->width, WIDTH);
        assert_int_equal(frame->height, HEIGHT);
        assert_true(frame->full_range);
        assert_int_equal(frame->sequence, i - 1);
        assert_int_equal(frame->plane[0][0], 10 * i);
        assert_int_equal(frame->plane[2][23 * frame->stride[2] + 31], 10 * i);
        assert_in_range(frame->capture_us, before_us, clock_now_us());
        assert_true(frame->stages.at_us[STAGE_DECODED] >= frame->capture_us);
        frame_unref(&frame);
    }
    close(fd);
    probe_finish(&probe);
}

static void test_capture_is_the_first_byte(void **state)
{
    (void)state;
    struct source_probe probe;
    pipe_init(&probe);
    probe_start(&probe, (struct source_settings){.url = NULL}); /* a FIFO without "pipe:" */
    int fd = writer_open(&probe);
    write_text(fd, "YUV4MPEG2 W64 H48\n");
    write_frame(fd, FRAME_BYTES, 1);
    assert_true(probe_wait_frames(&probe, 1, 5));
    int64_t first_us = clock_now_us();
    write_text(fd, "FRAME Ip\n");
    write_pixels(fd, FRAME_BYTES - 1, 7);
    assert_false(probe_wait_frames(&probe, 2, 1)); /* one byte is missing */
    int64_t last_us = clock_now_us();
    write_pixels(fd, 1, 9);
    assert_true(probe_wait_frames(&probe, 2, 5));
    struct frame *frame = probe_last(&probe);
    assert_in_range(frame->capture_us, first_us, last_us - 500000);
    assert_true(frame->stages.at_us[STAGE_DECODED] >= last_us);
    assert_int_equal(frame->plane[2][23 * frame->stride[2] + 31], 9);
    frame_unref(&frame);
    close(fd);
    probe_finish(&probe);
}

static void test_latest_of_many_wins(void **state)
{
    (void)state;
    struct source_probe probe;
    pipe_init(&probe);
    int fd = open(probe.path, O_RDWR | O_CLOEXEC); /* written before anyone reads */
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_SETPIPE_SZ, 1 << 20) >= 0);
    write_text(fd, "YUV4MPEG2 W64 H48\n");
    for (int i = 1; i <= 10; i++)
        write_frame(fd, FRAME_BYTES, i);
    probe_start(&probe, (struct source_settings){.url = NULL});
    assert_true(probe_wait_frames(&probe, 1, 5));
    struct frame *frame = probe_last(&probe);
    assert_int_equal(frame->plane[0][0], 10);
    frame_unref(&frame);
    write_frame(fd, FRAME_BYTES, 77);
    assert_true(probe_wait_frames(&probe, 2, 5));
    assert_int_equal(probe_frames(&probe), 2);
    close(fd);
    probe_finish(&probe);
}

static void test_writer_closes_and_returns(void **state)
{
    (void)state;
    struct source_probe probe;
    pipe_init(&probe);
    probe_start(&probe, (struct source_settings){.url = NULL});
    for (int round = 0; round < 3; round++) {
        int fd = writer_open(&probe);
        write_text(fd, "YUV4MPEG2 W64 H48\n");
        write_frame(fd, FRAME_BYTES, 50 + round);
        assert_true(probe_wait_frames(&probe, round + 1, 5));
        assert_true(probe_wait_state(&probe, SOURCE_PLAYING, "", 5));
        write_text(fd, "FRAME\nhalf a picture");
        close(fd);
        assert_true(probe_wait_state(&probe, SOURCE_NO_SIGNAL, "the writer closed the pipe", 5));
    }
    struct source_status status;
    source_status(probe.source, &status);
    assert_int_equal(status.frames, 3);
    assert_int_equal(status.reopened, 3);
    probe_finish(&probe);
}

static void test_size_and_format_change_midway(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int width, height;
        size_t bytes;
    } streams[] = {
        {"YUV4MPEG2 W64 H48\n", 64, 48, FRAME_BYTES},
        {"YUV4MPEG2 W7 H5 C420mpeg2\n", 7, 5, 7 * 5 + 2 * 4 * 3},
        {"YUV4MPEG2 W33 H9 Cmono\n", 33, 9, 33 * 9},
        {"YUV4MPEG2 W33 H9 C444\n", 33, 9, 33 * 9 * 3},
        {"YUV4MPEG2 W33 H9 C422\n", 33, 9, 33 * 9 + 2 * 17 * 9},
        {"YUV4MPEG2 W34 H10 C420p10\n", 34, 10, 2 * (34 * 10 + 2 * 17 * 5)},
        {"YUV4MPEG2 W1 H1\n", 1, 1, 3},
    };
    struct source_probe probe;
    pipe_init(&probe);
    probe_start(&probe, (struct source_settings){.url = NULL});
    int fd = writer_open(&probe);
    int expected = 0;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        write_text(fd, streams[i].header);
        for (int frames = 0; frames < 2; frames++) {
            write_frame(fd, streams[i].bytes, 128);
            assert_true(probe_wait_frames(&probe, ++expected, 5));
        }
        struct frame *frame = probe_last(&probe);
        assert_int_equal(frame->width, streams[i].width);
        assert_int_equal(frame->height, streams[i].height);
        assert_int_equal(frame->plane[1][0], i == 5 ? frame->plane[2][0] : 128);
        frame_unref(&frame);
    }
    close(fd);
    probe_finish(&probe);
}

static void test_raw_and_scaled(void **state)
{
    (void)state;
    struct source_probe probe;
    pipe_init(&probe);
    probe_start(&probe,
                (struct source_settings){
                    .pixel_format = "rgb24", .width = 65, .height = 47, .resolution_scale = 50});
    int fd = writer_open(&probe);
    write_pixels(fd, 65 * 47 * 3, 255);
    assert_true(probe_wait_frames(&probe, 1, 5));
    struct frame *frame = probe_last(&probe);
    assert_int_equal(frame->width, 32);
    assert_int_equal(frame->height, 23);
    assert_in_range(frame->plane[0][10], 234, 236); /* white in studio range */
    assert_in_range(frame->plane[1][5], 127, 129);
    frame_unref(&frame);
    close(fd);
    probe_finish(&probe);
}

static void test_garbage_and_absurd_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *says;
    } cases[] = {
        {"RIFF....AVI LIST", "not Y4M"},
        {"YUV4MPEG2 W99999 H5\n", "over the limit"},
        {"YUV4MPEG2 W0 H5\n", "not a number"},
        {"YUV4MPEG2 W64 H48 Cgreen\n", "green"},
        {"YUV4MPEG2 W1 H1\nFRAME\nabcGARBAGE", "out of step"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct source_probe probe;
        pipe_init(&probe);
        int fd = open(probe.path, O_RDWR | O_CLOEXEC);
        write_text(fd, cases[i].bytes);
        probe_start(&probe, (struct source_settings){.url = NULL});
        assert_true(probe_wait_state(&probe, SOURCE_NO_SIGNAL, cases[i].says, 5));
        close(fd);
        probe_finish(&probe);
    }
}

static void test_hanging_writer(void **state)
{
    (void)state;
    struct source_probe probe;
    pipe_init(&probe);
    probe_start(&probe, (struct source_settings){.url = NULL});
    int fd = writer_open(&probe);
    write_text(fd, "YUV4MPEG2 W64 H48\n");
    write_frame(fd, FRAME_BYTES, 1);
    write_text(fd, "FRAME\nand then nothing");
    assert_true(probe_wait_frames(&probe, 1, 5));
    assert_true(probe_wait_state(&probe, SOURCE_NO_SIGNAL, "no picture", 8));
    write_pixels(fd, FRAME_BYTES - 16, 1); /* it wakes up, in step */
    assert_true(probe_wait_frames(&probe, 2, 5));
    assert_true(probe_wait_state(&probe, SOURCE_PLAYING, "", 5));
    write_text(fd, "FRAME\nand again");
    probe_finish(&probe); /* in the middle of a frame, quickly */
    close(fd);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_frame_one_by_one),
        cmocka_unit_test(test_capture_is_the_first_byte),
        cmocka_unit_test(test_latest_of_many_wins),
        cmocka_unit_test(test_writer_closes_and_returns),
        cmocka_unit_test(test_size_and_format_change_midway),
        cmocka_unit_test(test_raw_and_scaled),
        cmocka_unit_test(test_garbage_and_absurd_sizes),
        cmocka_unit_test(test_hanging_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
