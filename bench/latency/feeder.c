/* Feeds a named pipe with real footage, each frame stamped with the machine-readable clock at the
 * moment it is written.
 *
 *   feeder FOOTAGE.y4m PIPE FPS
 *
 * The footage is mapped into memory and looped. Deadlines are absolute, so the rate never drifts; a
 * frame whose turn comes while the pipe still holds the last one is dropped and counted, as a
 * camera would. When the reader goes the pipe is opened again. SIGTERM ends it; the counts go to
 * stdout. */
#include "core/clock.h"
#include "footage.h"
#include "source/clock_code.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, MAX_FPS = 1000 };

struct counts {
    uint64_t written, dropped, reopened;
};

/* Set by SIGTERM and SIGINT; the one thing a signal handler may touch. */
static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

/* Blocks until all is written or the reader is gone (-1). */
static int write_all(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size > 0 && !ended) {
        ssize_t count = write(fd, at, size);
        if (count < 0 && errno != EINTR)
            return -1;
        if (count > 0) {
            at += count;
            size -= (size_t)count;
        }
    }
    return 0;
}

/* Waits for a reader; the pipe is made big enough to take a frame in one go. -1 with errno. */
static int open_pipe(const char *path, const struct footage *footage, int fps)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
    char header[128];
    int length = snprintf(header, sizeof header, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n",
                          footage->width, footage->height, fps);
    if (write_all(fd, header, (size_t)length) == 0)
        return fd;
    close(fd);
    errno = EPIPE;
    return -1;
}

/* Whether the reader has not yet taken the last frame. */
static bool pipe_is_full(int fd, const struct footage *footage)
{
    int unread = 0;
    return ioctl(fd, FIONREAD, &unread) == 0 && (size_t)unread >= footage->stride;
}

/* Draws the present time and writes at once; -1 when the reader is gone. */
static int write_frame(int fd, const struct footage *footage, uint8_t *at)
{
    uint8_t *plane[3];
    int stride[3];
    footage_planes(footage, at, plane, stride);
    clock_code_draw_planes(plane, stride, footage->width, footage->height, clock_wall_us());
    return write_all(fd, at, footage->stride);
}

/* Feeds one reader until it goes or the program ends. */
static void feed(int fd, const struct footage *footage, int fps, struct counts *counts)
{
    int64_t start_us = clock_now_us();
    for (uint64_t turn = 0; !ended; turn++) {
        clock_sleep_until_us(start_us + (int64_t)(turn * 1000000 / (uint64_t)fps));
        if (pipe_is_full(fd, footage))
            counts->dropped++;
        else if (write_frame(fd, footage, footage_at(footage, turn)) == 0)
            counts->written++;
        else
            return;
    }
}

int main(int argc, char **argv)
{
    int fps = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (fps < 1 || fps > MAX_FPS) {
        fprintf(stderr, "usage: feeder FOOTAGE.y4m PIPE FPS (1 to %d)\n", MAX_FPS);
        return 2;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct reason why = {""};
    struct footage footage;
    if (footage_open(&footage, argv[1], &why) < 0) {
        fprintf(stderr, "feeder: %s\n", why.text);
        return 1;
    }
    struct counts counts = {0};
    int failure = 0;
    while (!ended && failure == 0) {
        int fd = open_pipe(argv[2], &footage, fps);
        if (fd < 0) {
            failure = errno == EINTR || errno == EPIPE ? 0 : errno;
            continue;
        }
        feed(fd, &footage, fps, &counts);
        close(fd);
        counts.reopened += !ended;
    }
    if (failure != 0)
        fprintf(stderr, "feeder: %s: %s\n", argv[2], strerror(failure));
    printf("{\"written\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"reopened\": %" PRIu64 "}\n",
           counts.written, counts.dropped, counts.reopened);
    footage_close(&footage);
    return failure == 0 ? 0 : 1;
}
