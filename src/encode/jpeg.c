#include "encode/jpeg.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

struct jpeg_encoder {
    tjhandle turbo;
    struct frame *expanded; /* full-range copy of the size last seen */
    unsigned char *bytes;   /* TurboJPEG's, grown as needed */
    unsigned long bytes_size;
    uint8_t luma[256], chroma[256]; /* limited to full range */
};

static uint8_t clamp_byte(double value)
{
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)(value + 0.5);
}

int jpeg_encoder_create(struct jpeg_encoder **out)
{
    struct jpeg_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return OW_ENOMEM;
    encoder->turbo = tjInitCompress();
    if (!encoder->turbo) {
        free(encoder);
        return OW_ENOMEM;
    }
    /* ITU-R BT.601 / BT.709: luma 16..235, chroma 16..240 around 128. */
    for (int i = 0; i < 256; i++) {
        encoder->luma[i] = clamp_byte((i - 16) * 255.0 / 219.0);
        encoder->chroma[i] = clamp_byte(128 + (i - 128) * 255.0 / 224.0);
    }
    *out = encoder;
    return OW_OK;
}

static void expand_plane(const struct frame *from, struct frame *to, int plane, int width,
                         int height, const uint8_t table[256])
{
    for (int y = 0; y < height; y++) {
        const uint8_t *in = from->plane[plane] + (ptrdiff_t)y * from->stride[plane];
        uint8_t *into = to->plane[plane] + (ptrdiff_t)y * to->stride[plane];
        for (int x = 0; x < width; x++)
            into[x] = table[in[x]];
    }
}

static int expand(struct jpeg_encoder *encoder, const struct frame *frame)
{
    struct frame *full = encoder->expanded;
    if (!full || full->width != frame->width || full->height != frame->height) {
        frame_unref(&encoder->expanded);
        int rc = frame_create(&encoder->expanded, frame->width, frame->height);
        if (rc < 0)
            return rc;
        full = encoder->expanded;
    }
    expand_plane(frame, full, 0, frame->width, frame->height, encoder->luma);
    for (int i = 1; i < FRAME_PLANES; i++)
        expand_plane(frame, full, i, chroma_size(frame->width), chroma_size(frame->height),
                     encoder->chroma);
    return OW_OK;
}

int jpeg_encode(struct jpeg_encoder *encoder, const struct frame *frame, int quality,
                struct encoded **out)
{
    const struct frame *full = frame;
    if (quality < 1 || quality > 100)
        return OW_EINVAL;
    if (!frame->full_range) {
        int rc = expand(encoder, frame);
        if (rc < 0)
            return rc;
        full = encoder->expanded;
    }
    const unsigned char *planes[FRAME_PLANES];
    int strides[FRAME_PLANES];
    for (int i = 0; i < FRAME_PLANES; i++) {
        planes[i] = full->plane[i];
        strides[i] = full->stride[i];
    }
    unsigned long size = encoder->bytes_size;
    if (tjCompressFromYUVPlanes(encoder->turbo, planes, full->width, strides, full->height,
                                TJSAMP_420, &encoder->bytes, &size, quality, TJFLAG_FASTDCT) < 0)
        return OW_EIO;
    /* The buffer is at least as large as what it holds. */
    if (size > encoder->bytes_size)
        encoder->bytes_size = size;

    struct encoded *picture = NULL;
    int rc = encoded_create(&picture, size);
    if (rc < 0)
        return rc;
    memcpy(picture->data, encoder->bytes, size);
    picture->key = true;
    picture->width = frame->width;
    picture->height = frame->height;
    picture->sequence = frame->sequence;
    picture->capture_us = frame->capture_us;
    picture->stages = frame->stages;
    picture->stages.at_us[STAGE_ENCODED] = clock_now_us();
    *out = picture;
    return OW_OK;
}

void jpeg_encoder_destroy(struct jpeg_encoder **encoder)
{
    struct jpeg_encoder *e = *encoder;
    *encoder = NULL;
    if (!e)
        return;
    tjDestroy(e->turbo);
    tjFree(e->bytes);
    frame_unref(&e->expanded);
    free(e);
}
