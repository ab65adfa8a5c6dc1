#include "encode/video_encoder.h"

#include "core/bounds.h"
#include "core/clock.h"
#include "core/log.h"
#include "encode/encoder_engine.h"
#include "encode/rate_trim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STAMPS = 4 }; /* a back end holds back one frame at most */

static const double fps_min = 1, fps_max = 240;

/* A back end of ENCODER_RATE_REOPEN pays a key frame for a new rate: smaller changes are left
 * alone. */
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
    void *state;                    /* the engine's; NULL when a reopening failed */
    int64_t next_index; /* of the frame that comes in next, since the engine was opened */
    struct rate_trim trim;
    struct stamp stamps[STAMPS]; /* by index % STAMPS */
};

static int open_engine(struct video_encoder *encoder, struct reason *why)
{
    encoder->next_index = 0;
    rate_trim_reset(&encoder->trim);
    return encoder->backend->engine->open(&encoder->state, encoder->backend, &encoder->settings,
                                          why);
}

static void close_engine(struct video_encoder *encoder)
{
    if (encoder->state)
        encoder->backend->engine->close(&encoder->state);
}

int video_encoder_open_backend(struct video_encoder **out, const struct video_settings *settings,
                               const struct encoder_backend *backend, struct reason *why)
{
    int width = settings->width & ~1, height = settings->height & ~1;
    if (width < 2 || height < 2 || width > FRAME_MAX_SIDE || height > FRAME_MAX_SIDE)
        return reason_set(why, OW_EINVAL, "a picture of %dx%d cannot be encoded as video",
                          settings->width, settings->height);
    if (!(settings->fps > 0) || !isfinite(settings->fps) || settings->bitrate_bps <= 0)
        return reason_set(why, OW_EINVAL, "frame rate and bitrate must be above zero");

    struct video_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder)
        return reason_set(why, OW_ENOMEM, "out of memory");
    encoder->backend = backend;
    encoder->settings = *settings;
    encoder->settings.codec = backend->codec;
    encoder->settings.backend = backend->name;
    encoder->settings.width = width;
    encoder->settings.height = height;
    encoder->settings.fps = fmin(fmax(settings->fps, fps_min), fps_max);
    encoder->frame_width = settings->width;
    encoder->frame_height = settings->height;
    int rc = open_engine(encoder, why);
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
    return reason_set(why, OW_ENOTFOUND, "there is no encoder \"%.40s\"; choose one of %s", name,
                      names);
}

/* The back end asked for by name; NULL when it is of another codec. */
static int named_backend(const struct encoder_backend **out, const struct video_settings *settings,
                         struct reason *why)
{
    const struct encoder_backend *backend = encoder_backend_find(settings->backend);
    if (!backend)
        return unknown_backend(settings->backend, why);
    *out = backend->codec == settings->codec ? backend : NULL;
    return OW_OK;
}

int video_encoder_open(struct video_encoder **out, const struct video_settings *settings,
                       struct reason *why)
{
    const char *codec = video_codec_name(settings->codec);
    const struct encoder_backend *named = NULL;
    int rc = settings->backend ? named_backend(&named, settings, why) : OW_OK;
    if (rc < 0)
        return rc;
    if (named) {
        struct reason detail = {""};
        rc = video_encoder_open_backend(out, settings, named, &detail);
        return rc < 0 ? reason_set(why, rc, "%s encoder %s: %s", codec, named->label, detail.text)
                      : rc;
    }
    const struct encoder_backend *best = encoder_backend_best(settings->codec);
    if (!best)
        return reason_set(why, OW_EUNSUPPORTED, "no %s encoder works on this machine", codec);
    rc = video_encoder_open_backend(out, settings, best, why);
    const struct encoder_backend *fallback = encoder_backend_fallback(settings->codec);
    if (rc == OW_EUNSUPPORTED && fallback && fallback != best) {
        log_warn("%s encoder %s: %s; using %s for this picture", codec, best->label,
                 why ? why->text : "refused", fallback->label);
        rc = video_encoder_open_backend(out, settings, fallback, why);
    }
    return rc;
}

static int tell_rate(struct video_encoder *encoder)
{
    const struct video_settings *settings = &encoder->settings;
    return encoder->backend->engine->set_rate(
        encoder->state, (int)(settings->bitrate_bps * encoder->trim.factor), settings->fps);
}

/* What of a focus lies in the picture; NULL when the back end knows no regions or none is left. */
static const struct video_focus *usable(const struct video_encoder *encoder,
                                        const struct video_focus *focus, struct video_focus *cut)
{
    if (!focus || !encoder->backend->regions || !(focus->steps > 0))
        return NULL;
    int width = encoder->settings.width, height = encoder->settings.height;
    cut->steps = fmin(focus->steps, VIDEO_FOCUS_MAX);
    cut->count = 0;
    for (int i = 0; i < focus->count && i < VIDEO_REGIONS_MAX; i++) {
        const struct video_region *region = &focus->regions[i];
        const struct video_region inside = {.left = clamp_int(region->left, 0, width),
                                            .top = clamp_int(region->top, 0, height),
                                            .right = clamp_int(region->right, 0, width),
                                            .bottom = clamp_int(region->bottom, 0, height)};
        if (inside.left < inside.right && inside.top < inside.bottom)
            cut->regions[cut->count++] = inside;
    }
    return cut->count > 0 ? cut : NULL;
}

int video_encoder_encode(struct video_encoder *encoder, const struct frame *frame, bool key,
                         const struct video_focus *focus, struct encoded **out)
{
    if (frame->width != encoder->frame_width || frame->height != encoder->frame_height)
        return OW_EINVAL;
    if (!encoder->state)
        return OW_EIO;
    int64_t index = encoder->next_index++;
    encoder->stamps[index % STAMPS] =
        (struct stamp){frame->sequence, frame->capture_us, frame->stages};
    struct engine_output output;
    struct video_focus cut;
    int rc = encoder->backend->engine->encode(encoder->state, frame, index, key || index == 0,
                                              usable(encoder, focus, &cut), &output);
    if (rc != OW_OK)
        return rc;
    bool known = output.index >= 0 && output.index <= index && output.index > index - STAMPS;
    const struct stamp *stamp = &encoder->stamps[(known ? output.index : index) % STAMPS];
    struct encoded *unit = output.unit;
    unit->codec = encoder->settings.codec;
    unit->width = encoder->settings.width;
    unit->height = encoder->settings.height;
    unit->sequence = stamp->sequence;
    unit->capture_us = stamp->capture_us;
    unit->stages = stamp->stages;
    unit->stages.at_us[STAGE_ENCODED] = clock_now_us();
    *out = unit;
    if (rate_trim_add(&encoder->trim, unit->size, encoder->settings.bitrate_bps,
                      encoder->settings.fps) &&
        encoder->backend->rate_change == ENCODER_RATE_RECONFIGURE)
        (void)tell_rate(encoder); /* it keeps the old rate, and the next picture tries again */
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
    bool reopen = !encoder->state || encoder->backend->rate_change == ENCODER_RATE_REOPEN;
    double share = settings->bitrate_bps / settings->fps;
    if (reopen && encoder->state && !differs_enough(share, bitrate_bps / fps))
        return OW_OK;
    /* What a picture left at one rate is no measure for a much lower one. */
    if (bitrate_bps / fps < (1 - reopen_threshold) * share)
        rate_trim_reset(&encoder->trim);
    settings->bitrate_bps = bitrate_bps;
    settings->fps = fps;
    if (!reopen)
        return tell_rate(encoder);
    close_engine(encoder);
    return open_engine(encoder, NULL);
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
    close_engine(e);
    free(e);
}
