#include "core/clock.h"
#include "core/log.h"
#include "encode/encoder_backends.h"
#include "encode/h264_stream.h"

#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BITRATE_MIN = 16000,
    BITRATE_MAX = 200000000,
    ENDLESS_GOP = 1 << 28,
    STAMPS = 4, /* a back end holds back one frame at most */
};

static const double fps_min = 1, fps_max = 240;

/* A back end of ENCODER_RATE_REOPEN pays a key frame for a new rate: smaller changes are left
 * alone.
 */
static const double reopen_threshold = 0.15;

/* What a unit says of its frame, kept until it comes out. */
struct stamp {
    uint64_t sequence;
    int64_t capture_us;
    struct stage_times stages;
};

struct video_encoder {
    const struct encoder_backend *backend;
    struct video_settings settings; /* as running; size even */
    int frame_width, frame_height;  /* of the frames that come in */
    double opened_fps;              /* what the codec was told; it believes in it until reopened */
    AVCodecContext *codec;
    AVBufferRef *device, *device_frames;
    AVFrame *picture, *upload;
    AVPacket *packet;
    int64_t next_pts;
    struct stamp stamps[STAMPS]; /* by pts % STAMPS */
    struct h264_parameter_sets sets;
};

/* ITU-T H.264 table A-1: the lowest level of at least 3.1 for this size and rate. 3.1 is what the
 * session description names; browsers decode higher ones just the same. */
static int level_for(int width, int height, double fps)
{
    static const struct {
        int level, frame_blocks, blocks_per_second;
    } levels[] = {
        {31, 3600, 108000},    {32, 5120, 216000},     {40, 8192, 245760},   {42, 8704, 522240},
        {50, 22080, 589824},   {51, 36864, 983040},    {52, 36864, 2073600}, {60, 139264, 4177920},
        {61, 139264, 8355840}, {62, 139264, 16711680},
    };
    int blocks = ((width + 15) / 16) * ((height + 15) / 16);
    size_t count = sizeof levels / sizeof levels[0];
    for (size_t i = 0; i < count; i++)
        if (blocks <= levels[i].frame_blocks && blocks * fps <= levels[i].blocks_per_second)
            return levels[i].level;
    return levels[count - 1].level;
}

/* Rate controls that count frames spend bitrate / opened_fps on each. Asking for
 * bitrate * opened_fps / fps gives every frame its share at the frame rate of now. */
static void apply_rate(struct video_encoder *encoder)
{
    double told = encoder->settings.bitrate_bps * encoder->opened_fps / encoder->settings.fps;
    told = fmin(fmax(told, BITRATE_MIN), BITRATE_MAX);
    double buffer = told / encoder->opened_fps * encoder->backend->buffer_frames;
    encoder->codec->bit_rate = (int64_t)told;
    encoder->codec->rc_max_rate = (int64_t)told;
    encoder->codec->rc_buffer_size = (int)fmax(buffer, 1000);
}

static void set_color(AVCodecContext *codec, const struct video_settings *settings)
{
    bool hd = settings->matrix == COLOR_BT709;
    codec->color_range = settings->full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    codec->colorspace = hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    codec->color_primaries = hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
    codec->color_trc = hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
}

static int open_device(struct video_encoder *encoder, struct reason *why)
{
    const struct encoder_backend *backend = encoder->backend;
    int rc = av_hwdevice_ctx_create(&encoder->device, backend->device, NULL, NULL, 0);
    if (rc < 0)
        return reason_set(why, OW_EUNSUPPORTED, "no such device or driver (%s)", av_err2str(rc));
    encoder->device_frames = av_hwframe_ctx_alloc(encoder->device);
    if (!encoder->device_frames)
        return reason_set(why, OW_ENOMEM, "out of memory");
    AVHWFramesContext *frames = (AVHWFramesContext *)encoder->device_frames->data;
    frames->format = backend->device_pixels;
    frames->sw_format = backend->pixels;
    frames->width = encoder->settings.width;
    frames->height = encoder->settings.height;
    frames->initial_pool_size = 4;
    rc = av_hwframe_ctx_init(encoder->device_frames);
    if (rc < 0)
        return reason_set(why, OW_EUNSUPPORTED, "%s device refuses %dx%d: %s", backend->label,
                          frames->width, frames->height, av_err2str(rc));
    return OW_OK;
}

static int configure_codec(struct video_encoder *encoder, struct reason *why)
{
    AVCodecContext *codec = encoder->codec;
    const struct video_settings *settings = &encoder->settings;
    AVRational rate = av_d2q(settings->fps, 1001000);
    encoder->opened_fps = settings->fps;
    codec->width = settings->width;
    codec->height = settings->height;
    codec->pix_fmt = encoder->backend->pixels;
    codec->framerate = rate;
    codec->time_base = av_inv_q(rate);
    codec->sample_aspect_ratio = (AVRational){1, 1};
    codec->gop_size = ENDLESS_GOP;
    codec->max_b_frames = 0;
    codec->refs = 1;
    codec->level = level_for(settings->width, settings->height, settings->fps);
    codec->thread_count = 1;
    codec->log_level_offset = AV_LOG_DEBUG - AV_LOG_INFO; /* its chatter; errors stay visible */
    codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    set_color(codec, settings);
    apply_rate(encoder);
    if (encoder->backend->device == AV_HWDEVICE_TYPE_NONE)
        return OW_OK;
    int rc = open_device(encoder, why);
    if (rc < 0)
        return rc;
    codec->pix_fmt = encoder->backend->device_pixels;
    codec->hw_frames_ctx = av_buffer_ref(encoder->device_frames);
    return codec->hw_frames_ctx ? OW_OK : reason_set(why, OW_ENOMEM, "out of memory");
}

static void close_codec(struct video_encoder *encoder)
{
    avcodec_free_context(&encoder->codec);
    av_buffer_unref(&encoder->device_frames);
    av_buffer_unref(&encoder->device);
    encoder->sets = (struct h264_parameter_sets){.sps_size = 0};
    encoder->next_pts = 0;
}

/* Opens the codec for encoder->settings; on failure nothing is open. */
static int open_codec(struct video_encoder *encoder, struct reason *why)
{
    const struct encoder_backend *backend = encoder->backend;
    AVDictionary *options = NULL;
    int rc;
    const AVCodec *codec = avcodec_find_encoder_by_name(backend->name);
    if (!codec)
        return reason_set(why, OW_EUNSUPPORTED, "not part of this FFmpeg");
    encoder->codec = avcodec_alloc_context3(codec);
    if (!encoder->codec || av_dict_parse_string(&options, backend->options, "=", ":", 0) < 0) {
        rc = reason_set(why, OW_ENOMEM, "out of memory");
        goto out;
    }
    rc = configure_codec(encoder, why);
    if (rc < 0)
        goto out;
    int opened = avcodec_open2(encoder->codec, codec, &options);
    if (opened < 0) {
        rc = reason_set(why, OW_EUNSUPPORTED, "%s (%s)",
                        backend->software ? "cannot be opened" : "no such device or driver",
                        av_err2str(opened));
        goto out;
    }
    if (encoder->codec->extradata_size > 0)
        h264_stream_remember(&encoder->sets, encoder->codec->extradata,
                             (size_t)encoder->codec->extradata_size);
out:
    av_dict_free(&options);
    if (rc < 0)
        close_codec(encoder);
    return rc;
}

int video_encoder_open_backend(struct video_encoder **out, const struct video_settings *settings,
                               const struct encoder_backend *backend, struct reason *why)
{
    int width = settings->width & ~1, height = settings->height & ~1;
    if (width < 2 || height < 2 || width > FRAME_MAX_SIDE || height > FRAME_MAX_SIDE)
        return reason_set(why, OW_EINVAL, "a picture of %dx%d cannot be encoded as H.264",
                          settings->width, settings->height);
    if (!(settings->fps > 0) || !isfinite(settings->fps) || settings->bitrate_bps <= 0)
        return reason_set(why, OW_EINVAL, "frame rate and bitrate must be above zero");

    struct video_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return reason_set(why, OW_ENOMEM, "out of memory");
    encoder->backend = backend;
    encoder->settings = *settings;
    encoder->settings.backend = backend->name;
    encoder->settings.width = width;
    encoder->settings.height = height;
    encoder->settings.fps = fmin(fmax(settings->fps, fps_min), fps_max);
    encoder->frame_width = settings->width;
    encoder->frame_height = settings->height;
    encoder->picture = av_frame_alloc();
    encoder->upload = av_frame_alloc();
    encoder->packet = av_packet_alloc();
    int rc = encoder->picture && encoder->upload && encoder->packet
                 ? open_codec(encoder, why)
                 : reason_set(why, OW_ENOMEM, "out of memory");
    if (rc < 0)
        video_encoder_close(&encoder);
    else
        *out = encoder;
    return rc;
}

static int unknown_backend(const char *name, struct reason *why)
{
    char names[160] = "";
    size_t used = 0;
    for (const struct encoder_backend *row = encoder_backends; row->name; row++) {
        size_t length = strlen(row->name);
        if (used + length + 3 > sizeof names)
            break;
        if (used) {
            memcpy(names + used, ", ", 2);
            used += 2;
        }
        memcpy(names + used, row->name, length + 1);
        used += length;
    }
    return reason_set(why, OW_ENOTFOUND, "there is no H.264 encoder \"%.40s\"; choose one of %s",
                      name, names);
}

int video_encoder_open(struct video_encoder **out, const struct video_settings *settings,
                       struct reason *why)
{
    if (settings->backend) {
        const struct encoder_backend *backend = encoder_backend_find(settings->backend);
        struct reason detail = {""};
        if (!backend)
            return unknown_backend(settings->backend, why);
        int rc = video_encoder_open_backend(out, settings, backend, &detail);
        return rc < 0 ? reason_set(why, rc, "H.264 encoder %s: %s", backend->label, detail.text)
                      : rc;
    }
    const struct encoder_backend *best = encoder_backend_best();
    if (!best)
        return reason_set(why, OW_EUNSUPPORTED,
                          "no H.264 encoder works on this machine; install libx264 (libavcodec)");
    int rc = video_encoder_open_backend(out, settings, best, why);
    const struct encoder_backend *fallback = encoder_backend_fallback();
    if (rc == OW_EUNSUPPORTED && fallback && fallback != best) {
        log_warn("H.264 encoder %s: %s; using %s for this picture", best->label,
                 why ? why->text : "refused", fallback->label);
        rc = video_encoder_open_backend(out, settings, fallback, why);
    }
    return rc;
}

static void release_lent_frame(void *opaque, uint8_t *data)
{
    (void)data;
    struct frame *frame = opaque;
    frame_unref(&frame);
}

/* Shows the frame's planes to FFmpeg without copying; a reference keeps them as long as needed. */
static int lend_planes(AVFrame *picture, const struct frame *frame)
{
    /* The count is the one part of a shared frame that is not read-only. */
    struct frame *shared = frame_ref((struct frame *)(uintptr_t)frame);
    picture->buf[0] =
        av_buffer_create(frame->plane[0], (size_t)frame->stride[0] * (size_t)frame->height,
                         release_lent_frame, shared, AV_BUFFER_FLAG_READONLY);
    if (!picture->buf[0]) {
        frame_unref(&shared);
        return OW_ENOMEM;
    }
    for (int i = 0; i < FRAME_PLANES; i++) {
        picture->data[i] = frame->plane[i];
        picture->linesize[i] = frame->stride[i];
    }
    return OW_OK;
}

static int interleave_planes(AVFrame *picture, const struct frame *frame)
{
    if (av_frame_get_buffer(picture, 0) < 0)
        return OW_ENOMEM;
    for (int y = 0; y < picture->height; y++)
        memcpy(picture->data[0] + (ptrdiff_t)y * picture->linesize[0],
               frame->plane[0] + (ptrdiff_t)y * frame->stride[0], (size_t)picture->width);
    for (int y = 0; y < picture->height / 2; y++) {
        const uint8_t *u = frame->plane[1] + (ptrdiff_t)y * frame->stride[1];
        const uint8_t *v = frame->plane[2] + (ptrdiff_t)y * frame->stride[2];
        uint8_t *to = picture->data[1] + (ptrdiff_t)y * picture->linesize[1];
        for (int x = 0; x < picture->width / 2; x++) {
            to[2 * x] = u[x];
            to[2 * x + 1] = v[x];
        }
    }
    return OW_OK;
}

static void describe_picture(const struct video_encoder *encoder, AVFrame *picture, bool key)
{
    picture->pts = encoder->next_pts;
    picture->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    picture->color_range = encoder->codec->color_range;
    picture->colorspace = encoder->codec->colorspace;
    picture->sample_aspect_ratio = encoder->codec->sample_aspect_ratio;
}

/* Hands the frame to the codec, by way of the device where it has one. */
static int send_picture(struct video_encoder *encoder, const struct frame *frame, bool key)
{
    AVFrame *picture = encoder->picture, *sent = picture;
    picture->format = encoder->backend->pixels;
    picture->width = encoder->settings.width;
    picture->height = encoder->settings.height;
    int rc = picture->format == AV_PIX_FMT_NV12 ? interleave_planes(picture, frame)
                                                : lend_planes(picture, frame);
    if (rc < 0)
        goto out;
    describe_picture(encoder, picture, key);
    if (encoder->device_frames) {
        sent = encoder->upload;
        if (av_hwframe_get_buffer(encoder->device_frames, sent, 0) < 0 ||
            av_hwframe_transfer_data(sent, picture, 0) < 0) {
            rc = OW_EIO;
            goto out;
        }
        describe_picture(encoder, sent, key);
    }
    if (avcodec_send_frame(encoder->codec, sent) < 0)
        rc = OW_EIO;
out:
    av_frame_unref(encoder->upload);
    av_frame_unref(picture);
    return rc;
}

int video_encoder_encode(struct video_encoder *encoder, const struct frame *frame, bool key,
                         struct encoded **out)
{
    if (frame->width != encoder->frame_width || frame->height != encoder->frame_height)
        return OW_EINVAL;
    if (!encoder->codec) /* a reopening failed */
        return OW_EIO;
    int rc = send_picture(encoder, frame, key || encoder->next_pts == 0);
    if (rc < 0)
        return rc;
    encoder->stamps[encoder->next_pts % STAMPS] =
        (struct stamp){frame->sequence, frame->capture_us, frame->stages};
    encoder->next_pts++;
    int received = avcodec_receive_packet(encoder->codec, encoder->packet);
    if (received < 0)
        return received == AVERROR(EAGAIN) ? OW_EAGAIN : OW_EIO;

    /* Back ends that lose the pts do not hold frames back. */
    int64_t pts = encoder->packet->pts;
    bool known = pts >= 0 && pts < encoder->next_pts && pts >= encoder->next_pts - STAMPS;
    const struct stamp *stamp = &encoder->stamps[(known ? pts : encoder->next_pts - 1) % STAMPS];
    struct encoded *unit = NULL;
    rc = h264_stream_pack(&encoder->sets, encoder->packet->data, (size_t)encoder->packet->size,
                          &unit);
    av_packet_unref(encoder->packet);
    if (rc < 0)
        return rc;
    unit->width = encoder->settings.width;
    unit->height = encoder->settings.height;
    unit->sequence = stamp->sequence;
    unit->capture_us = stamp->capture_us;
    unit->stages = stamp->stages;
    unit->stages.at_us[STAGE_ENCODED] = clock_now_us();
    *out = unit;
    return OW_OK;
}

static bool differs_enough(double from, double to)
{
    return fabs(to - from) > reopen_threshold * from;
}

int video_encoder_set_rate(struct video_encoder *encoder, int bitrate_bps, double fps)
{
    if (bitrate_bps <= 0 || !(fps > 0) || !isfinite(fps))
        return OW_EINVAL;
    fps = fmin(fmax(fps, fps_min), fps_max);
    struct video_settings *settings = &encoder->settings;
    if (encoder->backend->rate_change == ENCODER_RATE_REOPEN) {
        double share = settings->bitrate_bps / settings->fps;
        if (encoder->codec && !differs_enough(share, bitrate_bps / fps))
            return OW_OK;
        settings->bitrate_bps = bitrate_bps;
        settings->fps = fps;
        close_codec(encoder);
        return open_codec(encoder, NULL);
    }
    settings->bitrate_bps = bitrate_bps;
    settings->fps = fps;
    apply_rate(encoder);
    return OW_OK;
}

const char *video_encoder_name(const struct video_encoder *encoder)
{
    return encoder->backend->label;
}

void video_encoder_close(struct video_encoder **encoder)
{
    struct video_encoder *e = *encoder;
    *encoder = NULL;
    if (!e)
        return;
    close_codec(e);
    av_frame_free(&e->picture);
    av_frame_free(&e->upload);
    av_packet_free(&e->packet);
    free(e);
}
