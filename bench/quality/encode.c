/* Encodes footage as a view does, for bench/quality/run.mjs to weigh and compare.
 *
 *   encode FOOTAGE.y4m h264|vp8 BITS-PER-SECOND FPS OUT [STEPS FOLDER]
 *   encode FOOTAGE.y4m jpeg QUALITY FPS OUT
 *
 * H.264 is written as it is, VP8 in an IVF file, JPEG one after the other. With STEPS above 0 the
 * persons and vehicles of FOLDER/detections.csv (tests/data/vtest) are encoded finer by as many.
 * Prints what a picture took, in microseconds of the processor's time, and took up, in bytes. */
#include "core/frame.h"
#include "encode/jpeg.h"
#include "encode/video_encoder.h"
#include "encode/video_focus.h"
#include "footage.h"
#include "mot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEEN_WIDTH = 768, SEEN_HEIGHT = 576 /* vtest.avi, in whose pixels the detections are */ };

static const float sure = 0.4F; /* as the demo has it */

struct job {
    struct footage footage;
    struct video_encoder *video; /* one of the two */
    struct jpeg_encoder *jpeg;
    bool ivf;
    int amount, fps;
    double steps;
    struct mot_sequence seen;
    FILE *file;
    size_t count, bytes[MOT_FRAMES];
    double us[MOT_FRAMES];
};

static int open_encoder(struct job *job, const char *format, struct reason *why)
{
    job->ivf = strcmp(format, "vp8") == 0;
    if (job->ivf || strcmp(format, "h264") == 0) {
        const struct video_settings settings = {.codec = job->ivf ? VIDEO_VP8 : VIDEO_H264,
                                                .width = job->footage.width,
                                                .height = job->footage.height,
                                                .fps = job->fps,
                                                .bitrate_bps = job->amount};
        return video_encoder_open(&job->video, &settings, why);
    }
    return strcmp(format, "jpeg") == 0
               ? jpeg_encoder_create(&job->jpeg)
               : reason_set(why, OW_EINVAL, "the format is h264, vp8 or jpeg");
}

static int take_frame(struct frame **out, const struct footage *footage, uint64_t index)
{
    struct frame *frame;
    int rc = frame_create(&frame, footage->width, footage->height);
    if (rc < 0)
        return rc;
    uint8_t *plane[3];
    int stride[3];
    footage_planes(footage, footage_at(footage, index), plane, stride);
    for (int p = 0; p < FRAME_PLANES; p++)
        for (int row = 0; row < (p == 0 ? footage->height : chroma_size(footage->height)); row++)
            memcpy(frame->plane[p] + (ptrdiff_t)row * frame->stride[p],
                   plane[p] + (ptrdiff_t)row * stride[p], (size_t)stride[p]);
    frame->sequence = index;
    *out = frame;
    return OW_OK;
}

static int focus_on(const struct job *job, uint64_t index, struct video_focus *focus)
{
    const struct mot_frame *seen = &job->seen.frames[index];
    const struct video_region all = {0, 0, job->footage.width, job->footage.height};
    struct detections *objects = NULL;
    int rc = detections_create(&objects, seen->count, NULL);
    if (rc < 0)
        return rc;
    objects->count = 0;
    objects->source_width = SEEN_WIDTH;
    objects->source_height = SEEN_HEIGHT;
    for (int i = 0; i < seen->count; i++)
        if (seen->items[i].confidence >= sure)
            detections_append(objects, &seen->items[i]);
    *focus = (struct video_focus){.steps = job->steps};
    video_focus_add(focus, objects, &all, 0);
    detections_unref(&objects);
    return OW_OK;
}

static void write_number(FILE *file, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(value >> (8 * i) & 0xff), file);
}

/* https://wiki.multimedia.cx/index.php/Duck_IVF */
static void write_ivf_head(const struct job *job)
{
    fputs("DKIF", job->file);
    write_number(job->file, 0, 2);
    write_number(job->file, 32, 2);
    fputs("VP80", job->file);
    write_number(job->file, (uint64_t)job->footage.width, 2);
    write_number(job->file, (uint64_t)job->footage.height, 2);
    write_number(job->file, (uint64_t)job->fps, 4);
    write_number(job->file, 1, 4);
    write_number(job->file, job->footage.frames, 8);
}

static double processor_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int encode_one(struct job *job, struct frame *frame, uint64_t index, struct encoded **unit)
{
    struct video_focus focus = {.steps = 0};
    int rc = job->steps > 0 ? focus_on(job, index, &focus) : OW_OK;
    if (rc < 0)
        return rc;
    double start_us = processor_us();
    rc = job->video ? video_encoder_encode(job->video, frame, index == 0, &focus, unit)
                    : jpeg_encode(job->jpeg, frame, job->amount, unit);
    job->us[job->count] = processor_us() - start_us;
    return rc;
}

static int encode_all(struct job *job)
{
    if (job->ivf)
        write_ivf_head(job);
    for (uint64_t index = 0; index < job->footage.frames && index < MOT_FRAMES; index++) {
        struct frame *frame;
        struct encoded *unit = NULL;
        int rc = take_frame(&frame, &job->footage, index);
        if (rc < 0)
            return rc;
        frame->capture_us = (int64_t)(index * 1000000 / (uint64_t)job->fps);
        rc = encode_one(job, frame, index, &unit);
        frame_unref(&frame);
        if (rc < 0)
            return rc;
        if (job->ivf) {
            write_number(job->file, unit->size, 4);
            write_number(job->file, index, 8);
        }
        size_t written = fwrite(unit->data, 1, unit->size, job->file);
        rc = written == unit->size ? OW_OK : OW_EIO;
        job->bytes[job->count++] = unit->size;
        encoded_unref(&unit);
        if (rc < 0)
            return rc;
    }
    return OW_OK;
}

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The first picture is a key frame, and not like the others. */
static void report(struct job *job)
{
    double sum = 0;
    size_t count = job->count - 1;
    for (size_t i = 0; i < job->count; i++)
        sum += (double)job->bytes[i];
    qsort(job->bytes + 1, count, sizeof *job->bytes, compare_sizes);
    qsort(job->us + 1, count, sizeof *job->us, compare_times);
    printf("{\"bytes\":%.0f,\"p95\":%zu,\"most\":%zu,\"us\":%.0f}\n", sum,
           job->bytes[1 + count * 95 / 100], job->bytes[count], job->us[1 + count / 2]);
}

static int run(struct job *job, char **argv, struct reason *why)
{
    int rc = footage_open(&job->footage, argv[1], why);
    if (rc == OW_OK)
        rc = open_encoder(job, argv[2], why);
    if (rc < 0)
        return rc;
    if (job->steps > 0 && !mot_read_detections(&job->seen, argv[7]))
        return reason_set(why, OW_EIO, "%s has no detections.csv to be read", argv[7]);
    job->file = fopen(argv[5], "wbe");
    return job->file ? encode_all(job) : reason_set(why, OW_EIO, "%s cannot be written", argv[5]);
}

int main(int argc, char **argv)
{
    static struct job job;
    bool right = argc == 6 || argc == 8;
    job.amount = right ? (int)strtol(argv[3], NULL, 10) : 0;
    job.fps = right ? (int)strtol(argv[4], NULL, 10) : 0;
    job.steps = argc == 8 ? strtod(argv[6], NULL) : 0;
    if (job.amount < 1 || job.fps < 1) {
        fprintf(stderr, "usage: encode FOOTAGE.y4m h264|vp8|jpeg AMOUNT FPS OUT [STEPS FOLDER]\n");
        return 2;
    }
    struct reason why = {""};
    int rc = run(&job, argv, &why);
    if (job.file && fclose(job.file) != 0)
        rc = OW_EIO;
    if (rc < 0)
        fprintf(stderr, "encode: %s\n", why.text[0] != '\0' ? why.text : error_text(rc));
    else if (job.count > 1)
        report(&job);
    video_encoder_close(&job.video);
    jpeg_encoder_destroy(&job.jpeg);
    footage_close(&job.footage);
    mot_free(&job.seen);
    return rc == OW_OK ? 0 : 1;
}
