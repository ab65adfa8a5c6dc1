#include "encode/scaler.h"

#include <libswscale/swscale.h>
#include <stdlib.h>

struct scaler {
    struct SwsContext *sws; /* for the sizes last seen */
    int from_width, from_height, to_width, to_height;
};

int scaler_create(struct scaler **out)
{
    struct scaler *scaler = calloc(1, sizeof *scaler);
    if (!scaler)
        return OW_ENOMEM;
    *out = scaler;
    return OW_OK;
}

static int even(double size)
{
    int rounded = 2 * (int)(size / 2 + 0.5);
    return rounded < 2 ? 2 : rounded > FRAME_MAX_SIDE ? FRAME_MAX_SIDE : rounded;
}

static int prepare(struct scaler *scaler, const struct frame *frame, int width, int height)
{
    if (scaler->sws && scaler->from_width == frame->width && scaler->from_height == frame->height &&
        scaler->to_width == width && scaler->to_height == height)
        return OW_OK;
    /* Bilinear looks at two source pixels a side: beyond half the size it would skip some and
     * shimmer, so there all covered pixels are averaged. */
    bool far_smaller = width * 2 < frame->width;
    int filter = far_smaller ? SWS_AREA : SWS_FAST_BILINEAR;
    sws_freeContext(scaler->sws);
    scaler->sws = sws_getContext(frame->width, frame->height, AV_PIX_FMT_YUV420P, width, height,
                                 AV_PIX_FMT_YUV420P, filter, NULL, NULL, NULL);
    if (!scaler->sws)
        return OW_EUNSUPPORTED;
    scaler->from_width = frame->width;
    scaler->from_height = frame->height;
    scaler->to_width = width;
    scaler->to_height = height;
    return OW_OK;
}

/* swscale's kernels write whole vectors; frame_create() pads each row to 32 bytes for that. */
static int resize(struct scaler *scaler, const struct frame *frame, int width, int height,
                  struct frame **out)
{
    struct frame *scaled = NULL;
    int rc = prepare(scaler, frame, width, height);
    if (rc < 0)
        return rc;
    rc = frame_create(&scaled, width, height);
    if (rc < 0)
        return rc;
    const uint8_t *const planes[] = {frame->plane[0], frame->plane[1], frame->plane[2], NULL};
    const int strides[] = {frame->stride[0], frame->stride[1], frame->stride[2], 0};
    uint8_t *const to[] = {scaled->plane[0], scaled->plane[1], scaled->plane[2], NULL};
    const int to_strides[] = {scaled->stride[0], scaled->stride[1], scaled->stride[2], 0};
    if (sws_scale(scaler->sws, planes, strides, 0, frame->height, to, to_strides) != height) {
        frame_unref(&scaled);
        return OW_EIO;
    }
    frame_copy_stamps(scaled, frame);
    *out = scaled;
    return OW_OK;
}

int scaler_scale(struct scaler *scaler, const struct frame *frame, int width, struct frame **out)
{
    if (width < 0 || width > FRAME_MAX_SIDE)
        return OW_EINVAL;
    int to_width = even(width ? width : frame->width);
    int to_height = even((double)frame->height * to_width / frame->width);
    if (to_width == frame->width && to_height == frame->height)
        return frame_copy(out, frame);
    return resize(scaler, frame, to_width, to_height, out);
}

void scaler_destroy(struct scaler **scaler)
{
    struct scaler *s = *scaler;
    *scaler = NULL;
    if (!s)
        return;
    sws_freeContext(s->sws);
    free(s);
}
