/* libavcodec as an engine: most H.264 encoders there are, in hardware and software. */
#include "encode/encoder_engine.h"
#include "encode/h264_stream.h"

#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENDLESS_GOP = 1 << 28,
    QUANTISER_STEPS = 51, /* FFmpeg's offsets are parts of this range (libavcodec/libx264.c) */
    STEP_PARTS = 100,
};

struct av_state {
    const struct encoder_backend *backend;
    struct video_settings settings; /* as running */
    double opened_fps;              /* what the codec was told; it believes in it until reopened */
    AVCodecContext *codec;
    AVBufferRef *device, *device_frames;
    AVFrame *picture, *upload;
    AVPacket *packet;
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
static void apply_rate(struct av_state *av)
{
    double told = av->settings.bitrate_bps * av->opened_fps / av->settings.fps;
    told = fmin(fmax(told, ENCODER_BITRATE_MIN), ENCODER_BITRATE_MAX);
    double frames =
        av->settings.buffer_frames > 0 ? av->settings.buffer_frames : av->backend->buffer_frames;
    double buffer = told / av->opened_fps * frames;
    av->codec->bit_rate = (int64_t)told;
    av->codec->rc_max_rate = (int64_t)told;
    av->codec->rc_buffer_size = (int)fmax(buffer, 1000);
}

static void set_color(AVCodecContext *codec, const struct video_settings *settings)
{
    bool hd = settings->matrix == COLOR_BT709;
    codec->color_range = settings->full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    codec->colorspace = hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    codec->color_primaries = hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
    codec->color_trc = hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
}

static int open_device(struct av_state *av, struct reason *why)
{
    const struct encoder_backend *backend = av->backend;
    int rc = av_hwdevice_ctx_create(&av->device, backend->device, NULL, NULL, 0);
    if (rc < 0)
        return reason_set(why, OW_EUNSUPPORTED, "no such device or driver (%s)", av_err2str(rc));
    av->device_frames = av_hwframe_ctx_alloc(av->device);
    if (!av->device_frames)
        return reason_set(why, OW_ENOMEM, "out of memory");
    AVHWFramesContext *frames = (AVHWFramesContext *)av->device_frames->data;
    frames->format = backend->device_pixels;
    frames->sw_format = backend->pixels;
    frames->width = av->settings.width;
    frames->height = av->settings.height;
    frames->initial_pool_size = 4;
    rc = av_hwframe_ctx_init(av->device_frames);
    if (rc < 0)
        return reason_set(why, OW_EUNSUPPORTED, "%s device refuses %dx%d: %s", backend->label,
                          frames->width, frames->height, av_err2str(rc));
    return OW_OK;
}

static int configure_codec(struct av_state *av, struct reason *why)
{
    AVCodecContext *codec = av->codec;
    const struct video_settings *settings = &av->settings;
    AVRational rate = av_d2q(settings->fps, 1001000);
    av->opened_fps = settings->fps;
    codec->width = settings->width;
    codec->height = settings->height;
    codec->pix_fmt = av->backend->pixels;
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
    apply_rate(av);
    if (av->backend->device == AV_HWDEVICE_TYPE_NONE)
        return OW_OK;
    int rc = open_device(av, why);
    if (rc < 0)
        return rc;
    codec->pix_fmt = av->backend->device_pixels;
    codec->hw_frames_ctx = av_buffer_ref(av->device_frames);
    return codec->hw_frames_ctx ? OW_OK : reason_set(why, OW_ENOMEM, "out of memory");
}

static int open_codec(struct av_state *av, struct reason *why)
{
    const struct encoder_backend *backend = av->backend;
    const AVCodec *codec = avcodec_find_encoder_by_name(backend->name);
    if (!codec)
        return reason_set(why, OW_EUNSUPPORTED, "not part of this FFmpeg");
    AVDictionary *options = NULL;
    int rc;
    av->codec = avcodec_alloc_context3(codec);
    if (!av->codec || av_dict_parse_string(&options, backend->options, "=", ":", 0) < 0) {
        rc = reason_set(why, OW_ENOMEM, "out of memory");
        goto out;
    }
    rc = configure_codec(av, why);
    if (rc < 0)
        goto out;
    int opened = avcodec_open2(av->codec, codec, &options);
    if (opened < 0) {
        rc = reason_set(why, OW_EUNSUPPORTED, "%s (%s)",
                        backend->software ? "cannot be opened" : "no such device or driver",
                        av_err2str(opened));
        goto out;
    }
    if (av->codec->extradata_size > 0)
        h264_stream_remember(&av->sets, av->codec->extradata, (size_t)av->codec->extradata_size);
out:
    av_dict_free(&options);
    return rc;
}

static void av_close(void **state)
{
    struct av_state *av = *state;
    *state = NULL;
    if (!av)
        return;
    avcodec_free_context(&av->codec);
    av_buffer_unref(&av->device_frames);
    av_buffer_unref(&av->device);
    av_frame_free(&av->picture);
    av_frame_free(&av->upload);
    av_packet_free(&av->packet);
    free(av);
}

static int av_open(void **state, const struct encoder_backend *backend,
                   const struct video_settings *settings, struct reason *why)
{
    struct av_state *av = calloc(1, sizeof *av);
    if (!av)
        return reason_set(why, OW_ENOMEM, "out of memory");
    av->backend = backend;
    av->settings = *settings;
    av->picture = av_frame_alloc();
    av->upload = av_frame_alloc();
    av->packet = av_packet_alloc();
    int rc = av->picture && av->upload && av->packet ? open_codec(av, why)
                                                     : reason_set(why, OW_ENOMEM, "out of memory");
    void *opened = av;
    if (rc < 0)
        av_close(&opened);
    else
        *state = av;
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

static void describe_picture(const struct av_state *av, AVFrame *picture, int64_t index, bool key)
{
    picture->pts = index;
    picture->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    picture->color_range = av->codec->color_range;
    picture->colorspace = av->codec->colorspace;
    picture->sample_aspect_ratio = av->codec->sample_aspect_ratio;
}

/* Without memory for it the picture is encoded as any other. */
static void attach_focus(AVFrame *picture, const struct video_focus *focus)
{
    size_t bytes = (size_t)focus->count * sizeof(AVRegionOfInterest);
    AVFrameSideData *side =
        av_frame_new_side_data(picture, AV_FRAME_DATA_REGIONS_OF_INTEREST, bytes);
    if (!side)
        return;
    AVRegionOfInterest *regions = (AVRegionOfInterest *)side->data;
    for (int i = 0; i < focus->count; i++) {
        const struct video_region *region = &focus->regions[i];
        regions[i] = (AVRegionOfInterest){
            .self_size = sizeof *regions,
            .top = region->top,
            .bottom = region->bottom,
            .left = region->left,
            .right = region->right,
            .qoffset = {-(int)lround(focus->steps * STEP_PARTS), QUANTISER_STEPS * STEP_PARTS},
        };
    }
}

/* Hands the frame to the codec, by way of the device where it has one. */
static int send_picture(struct av_state *av, const struct frame *frame, int64_t index, bool key,
                        const struct video_focus *focus)
{
    AVFrame *picture = av->picture, *sent = picture;
    picture->format = av->backend->pixels;
    picture->width = av->settings.width;
    picture->height = av->settings.height;
    int rc = picture->format == AV_PIX_FMT_NV12 ? interleave_planes(picture, frame)
                                                : lend_planes(picture, frame);
    if (rc < 0)
        goto out;
    describe_picture(av, picture, index, key);
    if (av->device_frames) {
        sent = av->upload;
        if (av_hwframe_get_buffer(av->device_frames, sent, 0) < 0 ||
            av_hwframe_transfer_data(sent, picture, 0) < 0) {
            rc = OW_EIO;
            goto out;
        }
        describe_picture(av, sent, index, key);
    }
    if (focus)
        attach_focus(sent, focus);
    if (avcodec_send_frame(av->codec, sent) < 0)
        rc = OW_EIO;
out:
    av_frame_unref(av->upload);
    av_frame_unref(picture);
    return rc;
}

static int av_encode(void *state, const struct frame *frame, int64_t index, bool key,
                     const struct video_focus *focus, struct engine_output *out)
{
    struct av_state *av = state;
    int rc = send_picture(av, frame, index, key, focus);
    if (rc < 0)
        return rc;
    int received = avcodec_receive_packet(av->codec, av->packet);
    if (received < 0)
        return received == AVERROR(EAGAIN) ? OW_EAGAIN : OW_EIO;
    int64_t pts = av->packet->pts;
    struct encoded *unit = NULL;
    rc = h264_stream_pack(&av->sets, av->packet->data, (size_t)av->packet->size, &unit);
    av_packet_unref(av->packet);
    if (rc == OW_OK) /* back ends that lose the pts do not hold frames back */
        *out = (struct engine_output){.index = pts >= 0 && pts <= index ? pts : -1, .unit = unit};
    return rc;
}

static int av_set_rate(void *state, int bitrate_bps, double fps)
{
    struct av_state *av = state;
    av->settings.bitrate_bps = bitrate_bps;
    av->settings.fps = fps;
    apply_rate(av);
    return OW_OK;
}

const struct encoder_engine encoder_engine_av = {
    .open = av_open, .encode = av_encode, .set_rate = av_set_rate, .close = av_close};
