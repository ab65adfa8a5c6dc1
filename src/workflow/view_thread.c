/* The way of a frame through a view: latest picture → scale → draw → H.264 and JPEG. */
#include "core/clock.h"
#include "core/log.h"
#include "core/perf.h"
#include "core/thread.h"
#include "workflow/view_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STATUS_POLL_US = 250000,   /* how often a view without pictures looks at its source */
    CARD_INTERVAL_US = 500000, /* between two NO SIGNAL pictures */
    OPENING_PATIENCE_US =
        1500000,            /* a source may take this long to open before it counts as dark */
    STILL_AFTER_US = 60000, /* a key frame is made from the last picture when none came for this */
    ENCODER_RETRY_US = 5000000,
    CARD_WIDTH = 960,
    CARD_HEIGHT = 540,
};

/* What was put on a picture, for the encoded pictures made from it. */
struct drawn {
    struct frame *frame; /* owned reference */
    int detections;
    bool model_awaited;
    int64_t infer_start_us, infer_end_us, drawn_us;
};

static void set_error(struct view *view, const char *text)
{
    pthread_mutex_lock(&view->lock);
    bool is_new = text[0] && strcmp(view->info.error, text) != 0;
    snprintf(view->info.error, sizeof view->info.error, "%s", text);
    pthread_mutex_unlock(&view->lock);
    if (is_new)
        log_error("view %s: %s", view->info.node_id, text);
}

static void stamp(struct encoded *unit, const struct drawn *drawn)
{
    unit->detections = drawn->detections;
    unit->model_awaited = drawn->model_awaited;
    unit->stages.at_us[STAGE_INFER_START] = drawn->infer_start_us;
    unit->stages.at_us[STAGE_INFER_END] = drawn->infer_end_us;
    unit->stages.at_us[STAGE_DRAWN] = drawn->drawn_us;
}

/* What the source says of itself; a view without one counts as playing. */
static struct source_status read_source(struct view *view)
{
    struct source_status status = {.state = SOURCE_PLAYING};
    pthread_mutex_lock(&view->lock);
    if (view->source)
        source_status(view->source, &status);
    pthread_mutex_unlock(&view->lock);
    return status;
}

/* The frame rate the encoder should plan for: what comes, within what may pass. */
static double expected_fps(struct view *view)
{
    pthread_mutex_lock(&view->lock);
    double fps = meter_rate(&view->meter, clock_now_us());
    pthread_mutex_unlock(&view->lock);
    if (fps <= 0)
        fps = read_source(view).fps;
    if (fps <= 0)
        fps = 30;
    return fmin(fmax(fps, 1), view->parts.settings.max_fps);
}

static int wanted_bps(struct view *view)
{
    int bps = atomic_load(&view->target_bps);
    const struct view_settings *s = &view->parts.settings;
    return bps < s->min_bps ? s->min_bps : bps > s->max_bps ? s->max_bps : bps;
}

static bool fits(const struct video_settings *open, const struct frame *frame)
{
    return open->width == frame->width && open->height == frame->height &&
           open->full_range == frame->full_range && open->matrix == frame->matrix;
}

static int open_h264(struct view *view, const struct frame *frame)
{
    struct video_settings settings = {
        .width = frame->width,
        .height = frame->height,
        .fps = expected_fps(view),
        .bitrate_bps = wanted_bps(view),
        .full_range = frame->full_range,
        .matrix = frame->matrix,
        .backend = view->parts.h264_backend,
    };
    struct reason why = {""};
    video_encoder_close(&view->h264);
    int rc = video_encoder_open(&view->h264, &settings, &why);
    if (rc < 0) {
        set_error(view, why.text[0] ? why.text : error_text(rc));
        view->h264_retry_us = clock_now_us() + ENCODER_RETRY_US;
        return rc;
    }
    view->h264_settings = settings;
    pthread_mutex_lock(&view->lock);
    snprintf(view->info.encoder, sizeof view->info.encoder, "%s", video_encoder_name(view->h264));
    pthread_mutex_unlock(&view->lock);
    set_error(view, "");
    return OW_OK;
}

/* Makes the encoder fit this frame and the wanted rate. */
static int prepare_h264(struct view *view, const struct frame *frame)
{
    if (!view->h264 || !fits(&view->h264_settings, frame))
        return clock_now_us() < view->h264_retry_us ? OW_EAGAIN : open_h264(view, frame);
    struct video_settings *open = &view->h264_settings;
    double fps = expected_fps(view);
    int bps = wanted_bps(view);
    if (bps != open->bitrate_bps || fabs(fps - open->fps) > 0.15 * open->fps) {
        open->bitrate_bps = bps;
        open->fps = fps;
        return video_encoder_set_rate(view->h264, bps, fps);
    }
    return OW_OK;
}

static void give_h264(struct view *view, const struct drawn *drawn)
{
    int64_t start_us = clock_now_us();
    if (prepare_h264(view, drawn->frame) < 0)
        return;
    struct encoded *unit = NULL;
    bool key = atomic_exchange(&view->key_frame_wanted, false);
    int rc = video_encoder_encode(view->h264, drawn->frame, key, &unit);
    if (rc == OW_EAGAIN)
        return; /* a hardware encoder that holds its first frame back */
    if (rc < 0) {
        set_error(view, "the H.264 encoder failed; it is opened again");
        video_encoder_close(&view->h264);
        return;
    }
    int64_t end_us = clock_now_us();
    perf_add(PERF_H264, end_us - start_us);
    perf_add(PERF_GLASS_TO_ENCODER, end_us - unit->capture_us);
    stamp(unit, drawn);
    view->parts.outputs.video(view->parts.outputs.context, view->output, 0, unit);
    encoded_unref(&unit);
}

static void give_jpeg(struct view *view, const struct drawn *drawn)
{
    struct encoded *picture = NULL;
    int64_t start_us = clock_now_us();
    if (jpeg_encode(view->jpeg, drawn->frame, view->parts.settings.jpeg_quality, &picture) < 0)
        return;
    perf_add(PERF_JPEG, clock_now_us() - start_us);
    stamp(picture, drawn);
    view->parts.outputs.jpeg(view->parts.outputs.context, view, picture);
    encoded_unref(&picture);
}

static void record(struct view *view, const struct drawn *drawn)
{
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&view->lock);
    struct view_info *info = &view->info;
    info->width = drawn->frame->width;
    info->height = drawn->frame->height;
    info->detections = drawn->detections;
    info->frames++;
    info->processing_ms = (double)(now_us - drawn->frame->capture_us) / 1000;
    info->last_stages = drawn->frame->stages;
    info->last_stages.at_us[STAGE_INFER_START] = drawn->infer_start_us;
    info->last_stages.at_us[STAGE_INFER_END] = drawn->infer_end_us;
    info->last_stages.at_us[STAGE_DRAWN] = drawn->drawn_us;
    info->last_stages.at_us[STAGE_ENCODED] = now_us;
    meter_count(&view->meter, now_us);
    pthread_mutex_unlock(&view->lock);
}

static void give(struct view *view, const struct drawn *drawn)
{
    if (atomic_load(&view->h264_viewers) > 0 && view->output && view->parts.outputs.video)
        give_h264(view, drawn);
    double jpeg_fps = fmin(atomic_load(&view->jpeg_fps), view->parts.settings.max_fps);
    if (view->parts.outputs.jpeg && rate_gate_pass(&view->jpeg_gate, clock_now_us(), jpeg_fps))
        give_jpeg(view, drawn);
    record(view, drawn);
}

/* What to draw on this picture; an owned reference or NULL. */
static struct detections *choose_detections(struct view *view, const struct picture *picture)
{
    struct detections *chosen = NULL;
    if (!view->parts.xray)
        return NULL;
    if (picture->detections)
        chosen = detections_ref(picture->detections);
    else if (view->parts.model && model_node_is_ready(view->parts.model))
        model_node_predict(view->parts.model, picture->frame->capture_us, &chosen);
    return chosen;
}

/* Scales and draws. The source's frame is shared: it is copied only when something changes on it.
 */
static int draw(struct view *view, const struct picture *picture, struct drawn *out)
{
    struct frame *frame = picture->frame;
    struct detections *detections = choose_detections(view, picture);
    int width = view->parts.settings.width;
    bool change = (width > 0 && width != frame->width) || (detections && detections->count > 0);
    int64_t start_us = clock_now_us();
    struct drawn drawn = {.frame = NULL};
    int rc = OW_OK;
    if (change)
        rc = scaler_scale(view->scaler, frame, width, &drawn.frame);
    else
        drawn.frame = frame_ref(frame);
    if (rc == OW_OK && detections) {
        if (detections->count > 0)
            drawn.detections = xray_draw(view->xray, drawn.frame, detections, &view->parts.style);
        drawn.infer_start_us = detections->infer_start_us;
        drawn.infer_end_us = detections->infer_end_us;
    }
    detections_unref(&detections);
    if (rc < 0)
        return rc;
    drawn.drawn_us = clock_now_us();
    drawn.model_awaited = view->parts.model && view->parts.xray &&
                          model_node_is_awaited(view->parts.model, drawn.drawn_us);
    if (change)
        perf_add(PERF_XRAY, drawn.drawn_us - start_us);
    *out = drawn;
    return OW_OK;
}

static void show(struct view *view, const struct picture *picture)
{
    struct drawn drawn;
    if (draw(view, picture, &drawn) < 0)
        return;
    give(view, &drawn);
    frame_unref(&drawn.frame);
}

static void take_picture(struct view *view, struct picture *picture)
{
    picture_drop(view->last);
    view->last = picture;
    view->last_us = clock_now_us();
    view->card_us = 0;
    double max_fps = view->parts.settings.max_fps;
    if (view->parts.model && view->parts.xray)
        max_fps = fmin(max_fps, view->parts.xray_max_fps);
    if (view_is_watched(view) && rate_gate_pass(&view->gate, view->last_us, max_fps))
        show(view, picture);
}

/* Shows the last picture once more, as of now: for a viewer who joins while nothing new comes. */
static void show_still(struct view *view)
{
    struct frame *copy = NULL;
    if (frame_copy(&copy, view->last->frame) < 0)
        return;
    copy->capture_us = clock_now_us();
    copy->stages = (struct stage_times){.at_us = {[STAGE_CAPTURE] = copy->capture_us}};
    struct picture still = {.frame = copy, .detections = view->last->detections};
    show(view, &still);
    frame_unref(&copy);
}

static void card_text(const struct source_status *status, char *out, size_t size)
{
    time_t since = (time_t)((clock_wall_us() - clock_now_us() + status->since_us) / 1000000);
    struct tm local;
    char at[16] = "";
    localtime_r(&since, &local);
    strftime(at, sizeof at, "%H:%M:%S", &local);
    snprintf(out, size, "since %s%s%s", at, status->text[0] ? " — " : "", status->text);
}

static void show_card(struct view *view, const struct source_status *status)
{
    struct frame *frame = NULL;
    int width = view->last ? view->last->frame->width : CARD_WIDTH;
    int height = view->last ? view->last->frame->height : CARD_HEIGHT;
    if (frame_create(&frame, width, height) < 0)
        return;
    if (view->last) { /* the same colours, so that the encoder need not be opened again */
        frame->full_range = view->last->frame->full_range;
        frame->matrix = view->last->frame->matrix;
    }
    frame->capture_us = frame->stages.at_us[STAGE_CAPTURE] = clock_now_us();
    char line[256];
    card_text(status, line, sizeof line);
    xray_card(view->xray, frame, status->state == SOURCE_OPENING ? "CONNECTING" : "NO SIGNAL",
              line);
    struct drawn drawn = {.drawn_us = clock_now_us()};
    if (view->parts.settings.width > 0 && view->parts.settings.width != width)
        scaler_scale(view->scaler, frame, view->parts.settings.width, &drawn.frame);
    else
        drawn.frame = frame_ref(frame);
    if (drawn.frame)
        give(view, &drawn);
    frame_unref(&drawn.frame);
    frame_unref(&frame);
}

/* Nothing came: is the source dark, or does a viewer wait for a key frame? */
static void look_around(struct view *view)
{
    if (!view_is_watched(view))
        return;
    struct source_status status = read_source(view);
    int64_t now_us = clock_now_us();
    bool key = atomic_load(&view->h264_viewers) > 0 && atomic_load(&view->key_frame_wanted);
    bool dark = status.state == SOURCE_NO_SIGNAL ||
                (status.state == SOURCE_OPENING && now_us - status.since_us > OPENING_PATIENCE_US);
    if (dark && (key || now_us - view->card_us >= CARD_INTERVAL_US)) {
        view->card_us = now_us;
        show_card(view, &status);
    } else if (!dark && key && view->last && now_us - view->last_us >= STILL_AFTER_US) {
        show_still(view);
    }
}

static int64_t next_look_us(struct view *view)
{
    int64_t now_us = clock_now_us();
    if (view->last && view_is_watched(view) && atomic_load(&view->key_frame_wanted) &&
        view->last_us + STILL_AFTER_US > now_us)
        return view->last_us + STILL_AFTER_US;
    return now_us + STATUS_POLL_US;
}

void *view_thread(void *argument)
{
    struct view *view = argument;
    thread_introduce("view", THREAD_PICTURE);
    for (;;) {
        void *item = NULL;
        int rc = mailbox_take(view->inbox, next_look_us(view), &item);
        if (rc == OW_ECLOSED)
            return NULL;
        if (rc == OW_OK)
            take_picture(view, item);
        else
            look_around(view);
    }
}
