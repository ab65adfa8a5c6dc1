/* libvpx as an engine, for VP8. Not by way of libavcodec: its wrapper (libavcodec/libvpxenc.c,
 * FFmpeg 5.1 to 7.1) sets the rate at opening only, and a key frame for every change of the rate is
 * what a crowded path needs least.
 *
 * It knows no regions: with libvpx 1.12's map for them (VP8E_SET_ROI_MAP) SSIM outside fell by 0.04
 * to 0.1 on pedestrians at 200 and 500 kbit/s, for 0.03 at most inside; with a map that asked for
 * no difference, too. */
#include "encode/encoder_engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

enum {
    TICKS_PER_S = 1000000,
    KEY_FRAME_PERCENT = 300, /* a key frame is at most three average frames large, as H.264's */
    SPEED =
        -6, /* cpu-used of the realtime mode, as libwebrtc has it for one core and large pictures */
    QUANTIZER_BEST = 2,
    QUANTIZER_WORST = 60,
    UNDERSHOOT_PERCENT = 100,
    OVERSHOOT_PERCENT = 15,
};

struct vpx_state {
    vpx_codec_ctx_t codec;
    vpx_codec_enc_cfg_t config;
    bool open;
    double fps, buffer_frames;
    int64_t pts; /* of the next frame, in ticks */
};

static void set_rate(struct vpx_state *vpx, int bitrate_bps, double fps)
{
    double told = fmin(fmax(bitrate_bps, ENCODER_BITRATE_MIN), ENCODER_BITRATE_MAX);
    unsigned buffer_ms = (unsigned)fmax(1000 * vpx->buffer_frames / fps, 20);
    vpx->fps = fps;
    vpx->config.rc_target_bitrate = (unsigned)(told / 1000);
    vpx->config.rc_buf_sz = buffer_ms;
    vpx->config.rc_buf_initial_sz = vpx->config.rc_buf_optimal_sz = buffer_ms / 2;
}

static void configure(struct vpx_state *vpx, const struct video_settings *settings)
{
    vpx_codec_enc_cfg_t *config = &vpx->config;
    config->g_w = (unsigned)settings->width;
    config->g_h = (unsigned)settings->height;
    config->g_timebase = (struct vpx_rational){1, TICKS_PER_S};
    config->g_threads = 1;
    config->g_lag_in_frames = 0;
    config->g_error_resilient = 0;
    config->g_pass = VPX_RC_ONE_PASS;
    config->rc_end_usage = VPX_CBR;
    config->rc_dropframe_thresh = 0; /* one frame in, that frame out */
    config->rc_resize_allowed = 0;
    config->rc_min_quantizer = QUANTIZER_BEST;
    config->rc_max_quantizer = QUANTIZER_WORST;
    config->rc_undershoot_pct = UNDERSHOOT_PERCENT;
    config->rc_overshoot_pct = OVERSHOOT_PERCENT;
    config->kf_mode = VPX_KF_DISABLED; /* on request only */
    set_rate(vpx, settings->bitrate_bps, settings->fps);
}

static void vpx_close(void **state)
{
    struct vpx_state *vpx = *state;
    *state = NULL;
    if (!vpx)
        return;
    if (vpx->open)
        (void)vpx_codec_destroy(&vpx->codec);
    free(vpx);
}

static int vpx_open(void **state, const struct encoder_backend *backend,
                    const struct video_settings *settings, struct reason *why)
{
    struct vpx_state *vpx = calloc(1, sizeof *vpx);
    if (!vpx)
        return reason_set(why, OW_ENOMEM, "out of memory");
    vpx->buffer_frames = backend->buffer_frames;
    vpx_codec_iface_t *vp8 = vpx_codec_vp8_cx();
    bool ok = vpx_codec_enc_config_default(vp8, &vpx->config, 0) == VPX_CODEC_OK;
    if (ok) {
        configure(vpx, settings);
        ok = vpx->open = vpx_codec_enc_init(&vpx->codec, vp8, &vpx->config, 0) == VPX_CODEC_OK;
    }
    ok = ok && vpx_codec_control(&vpx->codec, VP8E_SET_CPUUSED, SPEED) == VPX_CODEC_OK &&
         vpx_codec_control(&vpx->codec, VP8E_SET_STATIC_THRESHOLD, 1) == VPX_CODEC_OK &&
         vpx_codec_control(&vpx->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, KEY_FRAME_PERCENT) ==
             VPX_CODEC_OK;
    if (ok) {
        *state = vpx;
        return OW_OK;
    }
    const char *detail = vpx->open ? vpx_codec_error_detail(&vpx->codec) : NULL;
    int rc = reason_set(why, OW_EUNSUPPORTED, "cannot be opened (%s)",
                        detail ? detail : "libvpx refuses");
    void *opened = vpx;
    vpx_close(&opened);
    return rc;
}

/* Shows the frame's planes to libvpx, which only reads them, and only during the call. */
static void lend_planes(vpx_image_t *image, const struct vpx_state *vpx, const struct frame *frame)
{
    vpx_img_wrap(image, VPX_IMG_FMT_I420, vpx->config.g_w, vpx->config.g_h, 1, frame->plane[0]);
    for (int i = 0; i < FRAME_PLANES; i++) {
        image->planes[i] = frame->plane[i];
        image->stride[i] = frame->stride[i];
    }
}

static int take_packet(struct vpx_state *vpx, int64_t index, struct engine_output *out)
{
    vpx_codec_iter_t at = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(&vpx->codec, &at))) {
        if (packet->kind != VPX_CODEC_CX_FRAME_PKT || packet->data.frame.sz == 0)
            continue;
        struct encoded *unit = NULL;
        if (encoded_create(&unit, packet->data.frame.sz) != OW_OK)
            return OW_ENOMEM;
        memcpy(unit->data, packet->data.frame.buf, packet->data.frame.sz);
        unit->key = packet->data.frame.flags & VPX_FRAME_IS_KEY;
        *out = (struct engine_output){.index = index, .unit = unit};
        return OW_OK;
    }
    return OW_EAGAIN;
}

static int vpx_encode(void *state, const struct frame *frame, int64_t index, bool key,
                      const struct video_focus *focus, struct engine_output *out)
{
    (void)focus;
    struct vpx_state *vpx = state;
    vpx_image_t image;
    lend_planes(&image, vpx, frame);
    unsigned long duration = (unsigned long)(TICKS_PER_S / vpx->fps);
    int rc = vpx_codec_encode(&vpx->codec, &image, vpx->pts, duration, key ? VPX_EFLAG_FORCE_KF : 0,
                              VPX_DL_REALTIME) == VPX_CODEC_OK
                 ? OW_OK
                 : OW_EIO;
    vpx->pts += (int64_t)duration;
    return rc == OW_OK ? take_packet(vpx, index, out) : rc;
}

static int vpx_set_rate(void *state, int bitrate_bps, double fps)
{
    struct vpx_state *vpx = state;
    set_rate(vpx, bitrate_bps, fps);
    return vpx_codec_enc_config_set(&vpx->codec, &vpx->config) == VPX_CODEC_OK ? OW_OK : OW_EIO;
}

const struct encoder_engine encoder_engine_vpx = {
    .open = vpx_open, .encode = vpx_encode, .set_rate = vpx_set_rate, .close = vpx_close};
