/* Encodes footage as a view does, for bench/quality/run.mjs to weigh and compare.
 *
 *   encode FOOTAGE.y4m h264 BITS-PER-SECOND FPS OUT.h264
 *   encode FOOTAGE.y4m jpeg QUALITY FPS OUT.mjpeg */
#include "core/frame.h"
#include "encode/jpeg.h"
#include "encode/video_encoder.h"
#include "footage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct encoders {
    struct video_encoder *h264; /* one of the two */
    struct jpeg_encoder *jpeg;
    int quality;
};

static int open_encoders(struct encoders *out, const struct footage *footage, const char *format,
                         int amount, int fps, struct reason *why)
{
    if (strcmp(format, "h264") == 0) {
        const struct video_settings settings = {
            .width = footage->width, .height = footage->height, .fps = fps, .bitrate_bps = amount};
        return video_encoder_open(&out->h264, &settings, why);
    }
    out->quality = amount;
    return strcmp(format, "jpeg") == 0 ? jpeg_encoder_create(&out->jpeg)
                                       : reason_set(why, OW_EINVAL, "the format is h264 or jpeg");
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

static int encode_all(const struct encoders *encoders, const struct footage *footage, int fps,
                      FILE *file)
{
    for (uint64_t index = 0; index < footage->frames; index++) {
        struct frame *frame;
        struct encoded *unit = NULL;
        int rc = take_frame(&frame, footage, index);
        if (rc < 0)
            return rc;
        frame->capture_us = (int64_t)(index * 1000000 / (uint64_t)fps);
        rc = encoders->h264 != NULL ? video_encoder_encode(encoders->h264, frame, index == 0, &unit)
                                    : jpeg_encode(encoders->jpeg, frame, encoders->quality, &unit);
        frame_unref(&frame);
        if (rc < 0)
            return rc;
        size_t written = fwrite(unit->data, 1, unit->size, file);
        rc = written == unit->size ? OW_OK : OW_EIO;
        encoded_unref(&unit);
        if (rc < 0)
            return rc;
    }
    return OW_OK;
}

int main(int argc, char **argv)
{
    int amount = argc == 6 ? (int)strtol(argv[3], NULL, 10) : 0;
    int fps = argc == 6 ? (int)strtol(argv[4], NULL, 10) : 0;
    if (amount < 1 || fps < 1) {
        fprintf(stderr, "usage: encode FOOTAGE.y4m h264|jpeg AMOUNT FPS OUT\n");
        return 2;
    }
    struct reason why = {""};
    struct footage footage = {0};
    struct encoders encoders = {0};
    FILE *file = NULL;
    int rc = footage_open(&footage, argv[1], &why);
    if (rc == OW_OK)
        rc = open_encoders(&encoders, &footage, argv[2], amount, fps, &why);
    if (rc == OW_OK) {
        file = fopen(argv[5], "wbe");
        rc = file != NULL ? encode_all(&encoders, &footage, fps, file)
                          : reason_set(&why, OW_EIO, "%s cannot be written", argv[5]);
    }
    if (file != NULL && fclose(file) != 0)
        rc = OW_EIO;
    if (rc < 0)
        fprintf(stderr, "encode: %s\n", why.text[0] != '\0' ? why.text : error_text(rc));
    video_encoder_close(&encoders.h264);
    jpeg_encoder_destroy(&encoders.jpeg);
    footage_close(&footage);
    return rc == OW_OK ? 0 : 1;
}
