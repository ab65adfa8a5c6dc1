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
#include "core/frame.h"
#include "source/clock_code.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, MAX_HEADER_BYTES = 256 };

static const char frame_mark[] = "FRAME\n";

struct footage {
    uint8_t *bytes; /* the file, mapped privately: stamps are drawn into our own copy */
    size_t size;
    char header[MAX_HEADER_BYTES]; /* the stream header with our own rate */
    size_t first;                  /* offset of the first frame's mark */
    size_t stride;                 /* bytes from one frame's mark to the next */
    size_t frames;
    int width, height;
};

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

static int map_file(struct footage *footage, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct stat info;
    int result = -1;
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        size_t size = (size_t)info.st_size;
        void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (bytes != MAP_FAILED) {
            footage->bytes = bytes;
            footage->size = size;
            result = 0;
        }
    }
    close(fd);
    return result;
}

/* Reads "YUV4MPEG2 W960 H540 …\n" and lays out the frames behind it. */
static int read_layout(struct footage *footage, int fps)
{
    const char *text = (const char *)footage->bytes;
    const char *end = memchr(text, '\n', footage->size < 200 ? footage->size : 200);
    if (end == NULL || strncmp(text, "YUV4MPEG2 ", 10) != 0)
        return -1;
    char line[MAX_HEADER_BYTES] = {0};
    memcpy(line, text, (size_t)(end - text));
    const char *width = strstr(line, " W"), *height = strstr(line, " H");
    if (width == NULL || height == NULL)
        return -1;
    footage->width = (int)strtol(width + 2, NULL, 10);
    footage->height = (int)strtol(height + 2, NULL, 10);
    if (footage->width < 1 || footage->width > FRAME_MAX_SIDE || footage->height < 1 ||
        footage->height > FRAME_MAX_SIDE)
        return -1;
    size_t luma = (size_t)footage->width * (size_t)footage->height;
    size_t chroma = (size_t)chroma_size(footage->width) * (size_t)chroma_size(footage->height);
    footage->first = (size_t)(end - text) + 1;
    footage->stride = sizeof(frame_mark) - 1 + luma + 2 * chroma;
    footage->frames = (footage->size - footage->first) / footage->stride;
    snprintf(footage->header, sizeof(footage->header), "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n",
             footage->width, footage->height, fps);
    return footage->frames > 0 ? 0 : -1;
}

static uint8_t *frame_at(const struct footage *footage, uint64_t index)
{
    return footage->bytes + footage->first + (size_t)(index % footage->frames) * footage->stride;
}

static void stamp(const struct footage *footage, uint8_t *mark)
{
    int chroma_width = chroma_size(footage->width);
    size_t luma = (size_t)footage->width * (size_t)footage->height;
    size_t chroma = (size_t)chroma_width * (size_t)chroma_size(footage->height);
    uint8_t *pixels = mark + sizeof(frame_mark) - 1;
    uint8_t *const plane[3] = {pixels, pixels + luma, pixels + luma + chroma};
    const int stride[3] = {footage->width, chroma_width, chroma_width};
    clock_code_draw_planes(plane, stride, footage->width, footage->height, clock_wall_us());
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

/* Waits for a reader; the pipe is made big enough to take a frame in one go. */
static int open_pipe(const char *path, const struct footage *footage)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
    if (write_all(fd, footage->header, strlen(footage->header)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Whether the reader has not yet taken the last frame. */
static int pipe_is_full(int fd, const struct footage *footage)
{
    int unread = 0;
    return ioctl(fd, FIONREAD, &unread) == 0 && (size_t)unread >= footage->stride;
}

static int feed(const struct footage *footage, const char *path, int fps, struct counts *counts)
{
    int fd = -1;
    int64_t start_us = 0;
    uint64_t turn = 0;
    while (!ended) {
        if (fd < 0) {
            fd = open_pipe(path, footage);
            if (fd < 0 && errno != EINTR && errno != EPIPE)
                return -1;
            start_us = clock_now_us();
            turn = 0;
            continue;
        }
        clock_sleep_until_us(start_us + (int64_t)(turn * 1000000 / (uint64_t)fps));
        uint8_t *mark = frame_at(footage, turn++);
        if (pipe_is_full(fd, footage)) {
            counts->dropped++;
            continue;
        }
        stamp(footage, mark);
        if (write_all(fd, mark, footage->stride) != 0) {
            close(fd);
            fd = -1;
            counts->reopened++;
            continue;
        }
        counts->written++;
    }
    if (fd >= 0)
        close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    int fps = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (fps < 1 || fps > 1000) {
        fprintf(stderr, "usage: feeder FOOTAGE.y4m PIPE FPS (1 to 1000)\n");
        return 2;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct footage footage = {0};
    if (map_file(&footage, argv[1]) != 0) {
        fprintf(stderr, "feeder: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    if (read_layout(&footage, fps) != 0) {
        fprintf(stderr, "feeder: %s is not a 4:2:0 Y4M file\n", argv[1]);
        return 1;
    }
    struct counts counts = {0};
    int result = feed(&footage, argv[2], fps, &counts);
    if (result != 0)
        fprintf(stderr, "feeder: %s: %s\n", argv[2], strerror(errno));
    printf("{\"written\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"reopened\": %" PRIu64 "}\n",
           counts.written, counts.dropped, counts.reopened);
    munmap(footage.bytes, footage.size);
    return result == 0 ? 0 : 1;
}
