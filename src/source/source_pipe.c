/* Y4M or raw video from a named pipe or standard input, read straight into the frame's planes.
 *
 * Made for latency: a frame is stamped when its first byte is there and handed on with its last.
 * When whole frames wait in the pipe, all but the newest are read over. A named pipe stays open
 * when its writer goes: the next writer finds a reader. */
#include "core/clock.h"
#include "core/perf.h"
#include "source/convert.h"
#include "source/gate.h"
#include "source/input.h"
#include "source/y4m.h"

#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_WAIT_US = 500000, PIPE_BYTES_MIN = 1 << 20, SPANS_MAX = 64, SHORT_FRAME_HEADER = 6 };

enum pipe_phase { PHASE_STREAM_HEADER, PHASE_FRAME_HEADER, PHASE_PIXELS };

/* Where the bytes of one plane go: `rows` rows of `row_bytes` each. */
struct plane_target {
    uint8_t *data;
    int stride;
    size_t row_bytes, rows;
};

struct pipe_input {
    struct source_run *run;
    const char *path; /* NULL = standard input */
    int fd;
    bool raw;
    enum pipe_phase phase;
    struct y4m_header stream; /* of the Y4M, or made from the settings for raw video */
    uint8_t header[Y4M_HEADER_BYTES_MAX];
    size_t header_size;

    struct frame *frame; /* being filled; for yuv420p and gray */
    AVFrame *staging;    /* being filled; for the other formats */
    struct plane_target target[4];
    int targets;
    size_t done, total; /* bytes of the frame being filled */
    int64_t first_byte_us;
    size_t read_over; /* whole frames to be passed over, for there are newer ones */

    struct converter *converter;
    struct fps_gate gate;
};

static const char *pipe_path(const char *url)
{
    return strncmp(url, "pipe:", 5) == 0 ? url + 5 : url;
}

static bool pipe_matches(const char *url)
{
    struct stat info;
    if (strncmp(url, "pipe:", 5) == 0)
        return true;
    return stat(url, &info) == 0 && S_ISFIFO(info.st_mode);
}

static int pipe_check(const struct source_settings *settings, struct reason *why)
{
    if (!pipe_path(settings->url)[0])
        return reason_set(why, OW_EINVAL, "\"pipe:\" needs a path, or \"-\" for standard input");
    if (!settings->pixel_format || !settings->pixel_format[0])
        return OW_OK;
    enum AVPixelFormat format = av_get_pix_fmt(settings->pixel_format);
    const AVPixFmtDescriptor *descriptor = av_pix_fmt_desc_get(format);
    if (!descriptor || descriptor->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL))
        return reason_set(why, OW_EINVAL, "\"%.40s\" is not a raw pixel format",
                          settings->pixel_format);
    if (settings->width < 1 || settings->height < 1)
        return reason_set(why, OW_EINVAL, "raw video from a pipe needs width and height");
    return OW_OK;
}

/* A pipe that holds a whole frame lets the writer hand it over at once. */
static void widen_pipe(int fd, size_t frame_bytes)
{
    long limit = PIPE_BYTES_MIN;
    FILE *file = fopen("/proc/sys/fs/pipe-max-size", "re");
    if (file) {
        if (fscanf(file, "%ld", &limit) != 1)
            limit = PIPE_BYTES_MIN;
        fclose(file);
    }
    long wanted = (long)(2 * frame_bytes);
    if (wanted < PIPE_BYTES_MIN)
        wanted = PIPE_BYTES_MIN;
    if (wanted > limit)
        wanted = limit;
    if (fcntl(fd, F_GETPIPE_SZ) < wanted)
        (void)fcntl(fd, F_SETPIPE_SZ, (int)wanted); /* refused: it works all the same */
}

static int open_path(const char *path, int *fd, struct reason *why)
{
    /* Without O_NONBLOCK the opening would wait for a writer, deaf to source_stop(). */
    int opened = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : dup(STDIN_FILENO);
    if (opened < 0)
        return reason_set(why, OW_ENOTFOUND, "cannot open the pipe %s: %s",
                          path ? path : "of standard input", strerror(errno));
    struct stat info;
    if (fstat(opened, &info) < 0 || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) {
        close(opened);
        return reason_set(why, OW_EIO, "%s is not a pipe: give a file by its path, without pipe:",
                          path ? path : "standard input");
    }
    widen_pipe(opened, 0);
    *fd = opened;
    return OW_OK;
}

static void start_stream(struct pipe_input *pipe)
{
    pipe->phase = pipe->raw ? PHASE_PIXELS : PHASE_STREAM_HEADER;
    pipe->header_size = pipe->done = pipe->total = pipe->read_over = 0;
}

/* Points the targets at the planes of the frame to fill, which is made when there is none. */
static int prepare_frame(struct pipe_input *pipe, struct reason *why)
{
    int width = pipe->stream.width, height = pipe->stream.height;
    enum AVPixelFormat format = pipe->stream.format;
    bool direct = format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_GRAY8;
    if (direct && !pipe->frame && frame_create(&pipe->frame, width, height) < 0)
        return reason_set(why, OW_ENOMEM, "no room for a picture of %dx%d", width, height);
    if (!direct && !pipe->staging) {
        AVFrame *staging = av_frame_alloc();
        if (staging) {
            staging->width = width;
            staging->height = height;
            staging->format = format;
        }
        if (!staging || av_frame_get_buffer(staging, 0) < 0) {
            av_frame_free(&staging);
            return reason_set(why, OW_ENOMEM, "no room for a picture of %dx%d", width, height);
        }
        pipe->staging = staging;
    }
    const AVPixFmtDescriptor *descriptor = av_pix_fmt_desc_get(format);
    pipe->targets = av_pix_fmt_count_planes(format);
    pipe->total = pipe->done = 0;
    for (int i = 0; i < pipe->targets; i++) {
        bool chroma = i == 1 || i == 2;
        int rows = chroma ? AV_CEIL_RSHIFT(height, descriptor->log2_chroma_h) : height;
        pipe->target[i] = (struct plane_target){
            .data = direct ? pipe->frame->plane[i] : pipe->staging->data[i],
            .stride = direct ? pipe->frame->stride[i] : pipe->staging->linesize[i],
            .row_bytes = (size_t)av_image_get_linesize(format, width, i),
            .rows = (size_t)rows,
        };
        pipe->total += pipe->target[i].row_bytes * pipe->target[i].rows;
    }
    return OW_OK;
}

static void forget_frame(struct pipe_input *pipe)
{
    frame_unref(&pipe->frame);
    av_frame_free(&pipe->staging);
    pipe->total = pipe->done = 0;
}

static void begin_size(struct pipe_input *pipe, const struct y4m_header *header)
{
    forget_frame(pipe);
    pipe->stream = *header;
    int bytes = av_image_get_buffer_size(header->format, header->width, header->height, 1);
    widen_pipe(pipe->fd, bytes > 0 ? (size_t)bytes : 0);
    snprintf(pipe->run->codec, sizeof pipe->run->codec, "rawvideo");
}

/* The memory that byte `done` and the following go to, as spans for readv(). */
static int spans_from(const struct pipe_input *pipe, struct iovec spans[SPANS_MAX])
{
    size_t skip = pipe->done;
    int count = 0;
    for (int i = 0; i < pipe->targets && count < SPANS_MAX; i++) {
        struct plane_target target = pipe->target[i];
        if (target.row_bytes == (size_t)target.stride) { /* no gaps: the plane is one span */
            target.row_bytes *= target.rows;
            target.rows = 1;
        }
        size_t bytes = target.row_bytes * target.rows;
        if (skip >= bytes) {
            skip -= bytes;
            continue;
        }
        for (size_t row = skip / target.row_bytes; row < target.rows && count < SPANS_MAX; row++) {
            size_t offset = skip % target.row_bytes;
            uint8_t *start = target.data + row * (size_t)target.stride;
            spans[count++] = (struct iovec){start + offset, target.row_bytes - offset};
            skip = 0;
        }
        skip = 0;
    }
    return count;
}

/* How much of a header may be read without touching what comes behind it. */
static size_t header_step(const struct pipe_input *pipe)
{
    if (pipe->phase == PHASE_FRAME_HEADER && pipe->header_size < SHORT_FRAME_HEADER)
        return SHORT_FRAME_HEADER - pipe->header_size;
    return 1;
}

static int parse_stream_header(struct pipe_input *pipe, struct reason *why)
{
    struct y4m_header header;
    size_t used;
    int rc = y4m_parse_header(&header, pipe->header, pipe->header_size, &used, why);
    if (rc < 0)
        return rc;
    begin_size(pipe, &header);
    pipe->phase = PHASE_FRAME_HEADER;
    pipe->header_size = 0;
    return OW_EAGAIN;
}

/* OW_EAGAIN: go on reading. */
static int take_header(struct pipe_input *pipe, struct reason *why)
{
    if (pipe->phase == PHASE_STREAM_HEADER)
        return parse_stream_header(pipe, why);
    if (y4m_may_be_header(pipe->header, pipe->header_size)) {
        pipe->phase = PHASE_STREAM_HEADER; /* a new stream, perhaps of another size */
        pipe->read_over = 0;
        return OW_EAGAIN;
    }
    size_t used;
    int rc = y4m_parse_frame_header(pipe->header, pipe->header_size, &used);
    if (rc == OW_EPARSE)
        return reason_set(why, rc,
                          "the Y4M stream is out of step: no frame header where one is due");
    if (rc == OW_OK) {
        pipe->phase = PHASE_PIXELS;
        pipe->header_size = 0;
        rc = prepare_frame(pipe, why);
    }
    return rc < 0 ? rc : OW_EAGAIN;
}

/* One read of what is there. OW_OK: a frame is whole; OW_EAGAIN: go on; OW_ECLOSED: end of file. */
static int read_some(struct pipe_input *pipe, int64_t now_us, struct reason *why)
{
    struct iovec spans[SPANS_MAX];
    int count = 1;
    bool pixels = pipe->phase == PHASE_PIXELS;
    if (pixels && pipe->total == 0 && prepare_frame(pipe, why) < 0)
        return OW_ENOMEM;
    if (pixels)
        count = spans_from(pipe, spans);
    else
        spans[0] = (struct iovec){pipe->header + pipe->header_size, header_step(pipe)};

    ssize_t got = readv(pipe->fd, spans, count);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return OW_EAGAIN;
    if (got < 0)
        return reason_set(why, OW_EIO, "reading the pipe failed: %s", strerror(errno));
    if (got == 0)
        return OW_ECLOSED;
    if (pipe->raw ? pipe->done == 0 : pipe->header_size == 0 && !pixels)
        pipe->first_byte_us = now_us;
    if (pixels) {
        pipe->done += (size_t)got;
        return pipe->done == pipe->total ? OW_OK : OW_EAGAIN;
    }
    pipe->header_size += (size_t)got;
    return take_header(pipe, why);
}

/* Is the whole frame to be passed over for a newer one? Looks into the pipe once and then passes
 * over what waited at that moment, so that an endless flood still shows something. */
static bool newer_waits(struct pipe_input *pipe)
{
    int waiting = 0;
    if (pipe->read_over > 0)
        return --pipe->read_over > 0;
    size_t whole = pipe->total + (pipe->raw ? 0 : SHORT_FRAME_HEADER);
    if (ioctl(pipe->fd, FIONREAD, &waiting) == 0 && waiting > 0)
        pipe->read_over = (size_t)waiting / whole;
    return pipe->read_over > 0;
}

static int finish_frame(struct pipe_input *pipe, struct frame **out, struct reason *why)
{
    bool passed_over = newer_waits(pipe) || !fps_gate_pass(&pipe->gate, pipe->first_byte_us);
    pipe->phase = pipe->raw ? PHASE_PIXELS : PHASE_FRAME_HEADER;
    pipe->total = pipe->done = 0;
    if (passed_over)
        return OW_EAGAIN; /* its memory takes the next one */

    struct frame *frame = pipe->frame;
    pipe->frame = NULL;
    int rc = OW_OK;
    if (frame) {
        frame->full_range = pipe->stream.full_range;
        frame->matrix = color_matrix_guess(frame->height);
        for (int i = 1; pipe->stream.format == AV_PIX_FMT_GRAY8 && i < FRAME_PLANES; i++)
            memset(frame->plane[i], 128,
                   (size_t)frame->stride[i] * (size_t)chroma_size(frame->height));
        rc = converter_scale(pipe->converter, &frame, why);
        if (rc < 0)
            frame_unref(&frame);
    } else {
        pipe->staging->color_range = pipe->stream.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
        rc = converter_take(pipe->converter, pipe->staging, &frame, why);
    }
    if (rc < 0)
        return rc;
    int64_t now_us = clock_now_us();
    frame->capture_us = frame->stages.at_us[STAGE_CAPTURE] = pipe->first_byte_us;
    frame->stages.at_us[STAGE_DECODED] = now_us;
    perf_add(PERF_DECODE, now_us - pipe->first_byte_us);
    *out = frame;
    return OW_OK;
}

/* The writer has gone. A second descriptor is opened before the first is closed, so that a writer
 * who comes at this very moment finds a reader. */
static int await_next_writer(struct pipe_input *pipe, struct reason *why)
{
    if (!pipe->path)
        return reason_set(why, OW_ECLOSED, "standard input was closed");
    int fd;
    int rc = open_path(pipe->path, &fd, why);
    if (rc < 0)
        return rc;
    close(pipe->fd);
    pipe->fd = fd;
    start_stream(pipe);
    return reason_set(why, OW_EAGAIN, "the writer closed the pipe");
}

/* Nobody writes to a pipe that has been replaced by another of its name. */
static int check_path(const struct pipe_input *pipe, struct reason *why)
{
    struct stat named, opened;
    if (!pipe->path)
        return OW_EAGAIN;
    if (stat(pipe->path, &named) < 0 || fstat(pipe->fd, &opened) < 0)
        return reason_set(why, OW_ENOTFOUND, "the pipe %s is gone", pipe->path);
    if (named.st_ino != opened.st_ino || named.st_dev != opened.st_dev)
        return reason_set(why, OW_EIO, "the pipe %s was replaced", pipe->path);
    return OW_EAGAIN;
}

static int pipe_read(void *state, struct frame **out, struct reason *why)
{
    struct pipe_input *pipe = state;
    int64_t deadline_us = clock_now_us() + READ_WAIT_US, now_us;
    do {
        if (source_run_poll(pipe->run, pipe->fd, deadline_us, &now_us) < 0)
            return check_path(pipe, why);
        int rc = read_some(pipe, now_us, why);
        if (rc == OW_ECLOSED)
            return await_next_writer(pipe, why);
        if (rc == OW_OK)
            rc = finish_frame(pipe, out, why);
        if (rc != OW_EAGAIN)
            return rc;
    } while (now_us < deadline_us);
    return OW_EAGAIN;
}

static void pipe_close(void **state)
{
    struct pipe_input *pipe = *state;
    *state = NULL;
    if (!pipe)
        return;
    forget_frame(pipe);
    converter_destroy(&pipe->converter);
    if (pipe->fd >= 0)
        close(pipe->fd);
    free(pipe);
}

static int pipe_open(struct source_run *run, void **state, struct reason *why)
{
    struct pipe_input *pipe = calloc(1, sizeof *pipe);
    if (!pipe)
        return reason_set(why, OW_ENOMEM, "no memory for a pipe");
    const struct source_settings *settings = &run->settings;
    const char *path = pipe_path(settings->url);
    pipe->run = run;
    pipe->path = strcmp(path, "-") == 0 ? NULL : path;
    pipe->fd = -1;
    pipe->raw = settings->pixel_format && settings->pixel_format[0];
    fps_gate_init(&pipe->gate, settings->fps);
    start_stream(pipe);
    int rc = converter_create(&pipe->converter, settings->resolution_scale);
    if (rc == OW_OK)
        rc = open_path(pipe->path, &pipe->fd, why);
    if (rc < 0) {
        void *failed = pipe;
        pipe_close(&failed);
        return rc;
    }
    if (pipe->raw) {
        struct y4m_header header = {.width = settings->width,
                                    .height = settings->height,
                                    .format = av_get_pix_fmt(settings->pixel_format)};
        if (header.format == AV_PIX_FMT_YUVJ420P) {
            header.format = AV_PIX_FMT_YUV420P;
            header.full_range = true;
        }
        begin_size(pipe, &header);
    }
    *state = pipe;
    return OW_OK;
}

const struct source_input source_input_pipe = {
    .name = "pipe",
    .matches = pipe_matches,
    .check = pipe_check,
    .open = pipe_open,
    .read = pipe_read,
    .close = pipe_close,
};
