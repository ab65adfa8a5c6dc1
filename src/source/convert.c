#include "source/convert.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>

/* What a scaling context was made for; a change of any of it makes a new one. */
struct conversion {
    int width, height;
    enum AVPixelFormat format;
    bool full_range;
    enum color_matrix matrix;
};

struct converter {
    int scale_percent;
    struct SwsContext *sws;
    struct conversion made_for;
};

int converter_create(struct converter **out, int scale_percent)
{
    struct converter *converter = calloc(1, sizeof *converter);
    if (!converter)
        return OW_ENOMEM;
    converter->scale_percent = scale_percent;
    *out = converter;
    return OW_OK;
}

void converter_destroy(struct converter **converter)
{
    if (*converter)
        sws_freeContext((*converter)->sws);
    free(*converter);
    *converter = NULL;
}

/* The yuvj formats are their plain siblings in full range. */
static enum AVPixelFormat plain_format(enum AVPixelFormat format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
        return AV_PIX_FMT_YUV411P;
    default:
        return format;
    }
}

static bool is_rgb(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *descriptor = av_pix_fmt_desc_get(format);
    return descriptor && descriptor->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
}

static enum color_matrix matrix_of(const AVFrame *picture)
{
    switch (picture->colorspace) {
    case AVCOL_SPC_BT709:
        return COLOR_BT709;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_FCC:
        return COLOR_BT601;
    default:
        return color_matrix_guess(picture->height);
    }
}

static struct conversion conversion_of(const AVFrame *picture)
{
    enum AVPixelFormat format = (enum AVPixelFormat)picture->format;
    enum AVPixelFormat plain = plain_format(format);
    bool full = plain != format || picture->color_range == AVCOL_RANGE_JPEG;
    return (struct conversion){
        .width = picture->width,
        .height = picture->height,
        .format = plain,
        .full_range = full && !is_rgb(plain),
        .matrix = matrix_of(picture),
    };
}

static int scaled(int side, int percent)
{
    int result = (int)((int64_t)side * percent / 100);
    return result < 1 ? 1 : result;
}

static bool conversion_equal(const struct conversion *a, const struct conversion *b)
{
    return a->width == b->width && a->height == b->height && a->format == b->format &&
           a->full_range == b->full_range && a->matrix == b->matrix;
}

static int prepare(struct converter *converter, const struct conversion *wanted, int width,
                   int height, struct reason *why)
{
    if (converter->sws && conversion_equal(&converter->made_for, wanted))
        return OW_OK;
    sws_freeContext(converter->sws);
    converter->sws = NULL;
    if (!sws_isSupportedInput(wanted->format))
        return reason_set(why, OW_EUNSUPPORTED, "pictures of format %s cannot be converted",
                          av_get_pix_fmt_name(wanted->format) ? av_get_pix_fmt_name(wanted->format)
                                                              : "(unknown)");
    int filter = width == wanted->width ? SWS_BILINEAR : SWS_AREA;
    converter->sws = sws_getContext(wanted->width, wanted->height, wanted->format, width, height,
                                    AV_PIX_FMT_YUV420P, filter, NULL, NULL, NULL);
    if (!converter->sws)
        return reason_set(why, OW_EUNSUPPORTED, "pictures of %dx%d cannot be converted",
                          wanted->width, wanted->height);
    /* Same matrix and range on both sides: YUV stays as it is, RGB becomes YUV of that matrix. */
    const int *table =
        sws_getCoefficients(wanted->matrix == COLOR_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    sws_setColorspaceDetails(converter->sws, table, wanted->full_range || is_rgb(wanted->format),
                             table, wanted->full_range, 0, 1 << 16, 1 << 16);
    converter->made_for = *wanted;
    return OW_OK;
}

static int convert(struct converter *converter, const struct conversion *from,
                   const uint8_t *const data[], const int stride[], struct frame **out,
                   struct reason *why)
{
    int width = scaled(from->width, converter->scale_percent);
    int height = scaled(from->height, converter->scale_percent);
    int rc = prepare(converter, from, width, height, why);
    if (rc < 0)
        return rc;
    struct frame *frame = NULL;
    rc = frame_create(&frame, width, height);
    if (rc < 0)
        return reason_set(why, rc, "no room for a picture of %dx%d", width, height);
    sws_scale(converter->sws, data, stride, 0, from->height, frame->plane, frame->stride);
    frame->full_range = from->full_range;
    frame->matrix = from->matrix;
    *out = frame;
    return OW_OK;
}

static void release_picture(struct frame *frame)
{
    AVFrame *picture = frame->opaque;
    av_frame_free(&picture);
    free(frame);
}

static int wrap(AVFrame *picture, const struct conversion *as, struct frame **out)
{
    struct frame *frame = calloc(1, sizeof *frame);
    AVFrame *kept = av_frame_alloc();
    if (!frame || !kept) {
        free(frame);
        av_frame_free(&kept);
        return OW_ENOMEM;
    }
    av_frame_move_ref(kept, picture);
    atomic_init(&frame->refs, 1);
    frame->width = as->width;
    frame->height = as->height;
    for (int i = 0; i < FRAME_PLANES; i++) {
        frame->plane[i] = kept->data[i];
        frame->stride[i] = kept->linesize[i];
    }
    frame->full_range = as->full_range;
    frame->matrix = as->matrix;
    frame->opaque = kept;
    frame->release = release_picture;
    *out = frame;
    return OW_OK;
}

static bool can_wrap(const struct converter *converter, const AVFrame *picture,
                     const struct conversion *as)
{
    return converter->scale_percent == 100 && as->format == AV_PIX_FMT_YUV420P && picture->buf[0] &&
           picture->linesize[0] >= as->width && picture->linesize[1] >= chroma_size(as->width) &&
           picture->linesize[2] >= chroma_size(as->width);
}

int converter_take(struct converter *converter, AVFrame *picture, struct frame **out,
                   struct reason *why)
{
    struct conversion from = conversion_of(picture);
    if (from.width < 1 || from.height < 1 || from.width > FRAME_MAX_SIDE ||
        from.height > FRAME_MAX_SIDE)
        return reason_set(why, OW_EUNSUPPORTED, "a picture of %dx%d is over the limit of %d pixels",
                          from.width, from.height, FRAME_MAX_SIDE);
    if (can_wrap(converter, picture, &from))
        return wrap(picture, &from, out);
    return convert(converter, &from, (const uint8_t *const *)picture->data, picture->linesize, out,
                   why);
}

int converter_scale(struct converter *converter, struct frame **frame, struct reason *why)
{
    if (converter->scale_percent == 100)
        return OW_OK;
    struct frame *full = *frame;
    struct conversion from = {.width = full->width,
                              .height = full->height,
                              .format = AV_PIX_FMT_YUV420P,
                              .full_range = full->full_range,
                              .matrix = full->matrix};
    const uint8_t *const data[4] = {full->plane[0], full->plane[1], full->plane[2], NULL};
    const int stride[4] = {full->stride[0], full->stride[1], full->stride[2], 0};
    struct frame *small = NULL;
    int rc = convert(converter, &from, data, stride, &small, why);
    if (rc < 0)
        return rc;
    small->sequence = full->sequence;
    small->capture_us = full->capture_us;
    small->stages = full->stages;
    frame_unref(frame);
    *frame = small;
    return OW_OK;
}
