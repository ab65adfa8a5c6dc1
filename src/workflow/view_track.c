#include "workflow/view_track.h"

#include "core/clock.h"
#include "core/perf.h"
#include "workflow/view_style.h"
#include "workflow/view_zones.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENCODER_RETRY_US = 5000000,
    RISE_US = 1000, /* of the capture time, from one picture to the next */
    /* Of a recording: between two key frames, where it can be begun and cut; and the buffer of its
     * rate control, since no path has to take a key frame at once. */
    RECORD_KEY_US = 2000000,
    RECORD_BUFFER_FRAMES = 60,
};

/* The tracks in the order in which they are encoded: the best rung first. */
static int in_order(int index)
{
    return rendition_track((enum video_codec)(index % VIDEO_CODECS), index / VIDEO_CODECS);
}

static enum video_codec codec_of(int track)
{
    return track == VIEW_RECORD_TRACK ? VIDEO_H264 : rendition_codec(track);
}

static bool is_running(const struct view *view, int track)
{
    return (atomic_load(&view->running) & view_track_bit(track)) != 0;
}

static struct rendition_plan read_plan(struct view *view, int track)
{
    pthread_mutex_lock(&view->orders_lock);
    struct rendition_plan plan = view->tracks[track].ordered;
    pthread_mutex_unlock(&view->orders_lock);
    return plan;
}

static int64_t read_hold(struct view *view, int track)
{
    pthread_mutex_lock(&view->orders_lock);
    int64_t until_us = view->tracks[track].hold_until_us;
    pthread_mutex_unlock(&view->orders_lock);
    return until_us;
}

/* Is there somebody to give the track to? */
static bool has_output(const struct view *view, int track)
{
    return track == VIEW_RECORD_TRACK ? view->recorder != NULL
                                      : view->output && view->parts.outputs.video;
}

void view_tracks_attend(struct view *view)
{
    for (int i = 0; i < VIEW_TRACKS; i++) {
        struct view_track *track = &view->tracks[i];
        bool running = has_output(view, i) && is_running(view, i);
        if (running == track->awake)
            continue;
        track->awake = running;
        track->due = false;
        track->gate = (struct rate_gate){0};
        track->rate_plan = (struct rate_plan){.level = 0};
        video_encoder_close(&track->encoder);
        pthread_mutex_lock(&view->lock);
        track->info = (struct view_track_info){0};
        track->pictures = track->bits = (struct meter){0};
        pthread_mutex_unlock(&view->lock);
    }
}

/* The frame rate the encoders should plan for: what comes, within what may pass. */
static double expected_fps(struct view *view, int64_t now_us)
{
    double fps = meter_rate(&view->arrivals, now_us);
    if (fps <= 0)
        fps = view_read_source(view).fps;
    if (fps <= 0)
        fps = 30;
    return fmin(fmax(fps, 1), view->parts.look.settings.max_fps);
}

/* Is a track the same whatever the network takes? */
static bool is_fixed(const struct view *view, int track)
{
    return track == VIEW_RECORD_TRACK || !view->parts.look.settings.adaptive;
}

static int wanted_bps(const struct view *view, int track, const struct rendition_plan *plan)
{
    const struct view_settings *s = &view->parts.look.settings;
    if (is_fixed(view, track) || plan->target_bps > s->max_bps)
        return s->max_bps;
    return plan->target_bps > 0 ? plan->target_bps : s->start_bps;
}

static void plan_track(struct view *view, int index, int64_t now_us, int width, int height)
{
    struct view_track *track = &view->tracks[index];
    struct rendition_plan ordered = read_plan(view, index);
    const struct rate_plan_input input = {
        .width = width,
        .height = height,
        .fps = expected_fps(view, now_us),
        .target_bps = wanted_bps(view, index, &ordered),
        .width_part = ordered.width_part,
        .max_fps = ordered.max_fps,
        .fixed = is_fixed(view, index),
    };
    rate_plan_update(&track->rate_plan, now_us, &input, &track->now);
}

/* The gate is asked for each picture, so that it stays even; a key frame does not wait for it, and
 * where as many pictures are wanted as come it is open: jitter must not cost one. */
static bool passes(struct view *view, int index, int64_t now_us)
{
    struct view_track *track = &view->tracks[index];
    bool all =
        track->now.fps >= 0.95 * track->rate_plan.input.fps && track->rate_plan.input.max_fps <= 0;
    bool key = (atomic_load(&view->keys_wanted) & view_track_bit(index)) != 0;
    bool open = rate_gate_pass(&track->gate, now_us, track->now.fps);
    return open || all || key;
}

void view_tracks_offer(struct view *view, int64_t now_us, int width, int height)
{
    for (int i = 0; i < VIEW_TRACKS; i++) {
        struct view_track *track = &view->tracks[i];
        if (!track->awake)
            continue;
        plan_track(view, i, now_us, width, height);
        bool open = passes(view, i, now_us);
        track->due = track->due || open;
    }
}

void view_tracks_demand(struct view *view, int64_t now_us, int width, int height, bool keys_only)
{
    for (int i = 0; i < VIEW_TRACKS; i++) {
        struct view_track *track = &view->tracks[i];
        if (!track->awake ||
            (keys_only && (atomic_load(&view->keys_wanted) & view_track_bit(i)) == 0))
            continue;
        plan_track(view, i, now_us, width, height);
        track->due = true;
    }
}

static bool fits(const struct video_settings *open, const struct frame *frame)
{
    return open->width == frame->width && open->height == frame->height &&
           open->full_range == frame->full_range && open->matrix == frame->matrix;
}

static int open_encoder(struct view *view, int index, const struct frame *frame, int bps)
{
    struct view_track *track = &view->tracks[index];
    struct video_settings settings = {
        .codec = codec_of(index),
        .width = frame->width,
        .height = frame->height,
        .fps = track->now.fps,
        .bitrate_bps = bps,
        .full_range = frame->full_range,
        .matrix = frame->matrix,
        .buffer_frames = index == VIEW_RECORD_TRACK ? RECORD_BUFFER_FRAMES : 0,
        .backend = view->parts.h264_backend,
    };
    struct reason why = {""};
    video_encoder_close(&track->encoder);
    int rc = video_encoder_open(&track->encoder, &settings, &why);
    if (rc < 0) {
        view_set_error(view, why.text[0] ? why.text : error_text(rc));
        track->retry_us = clock_now_us() + ENCODER_RETRY_US;
        return rc;
    }
    track->settings = settings;
    view_set_error(view, "");
    return OW_OK;
}

/* Makes the encoder fit this frame and the rate wanted by now. */
static int prepare(struct view *view, int index, const struct frame *frame)
{
    struct view_track *track = &view->tracks[index];
    struct rendition_plan ordered = read_plan(view, index);
    int bps = wanted_bps(view, index, &ordered);
    if (!track->encoder || !fits(&track->settings, frame))
        return clock_now_us() < track->retry_us ? OW_EAGAIN : open_encoder(view, index, frame, bps);
    struct video_settings *open = &track->settings;
    double fps = track->now.fps;
    if (bps != open->bitrate_bps || fabs(fps - open->fps) > 0.15 * open->fps) {
        open->bitrate_bps = bps;
        open->fps = fps;
        return video_encoder_set_rate(track->encoder, bps, fps);
    }
    return OW_OK;
}

/* Players go by the capture times, so they rise, whatever was shown once more in between. */
static void stamp(struct encoded *unit, struct view_track *track)
{
    if (unit->capture_us <= track->given_us)
        unit->capture_us = unit->stages.at_us[STAGE_CAPTURE] = track->given_us + RISE_US;
    track->given_us = unit->capture_us;
}

static void record(struct view *view, struct view_track *track, const struct encoded *unit,
                   int64_t now_us)
{
    pthread_mutex_lock(&view->lock);
    track->info.width = unit->width;
    track->info.height = unit->height;
    snprintf(track->info.encoder, sizeof track->info.encoder, "%s",
             video_encoder_name(track->encoder));
    meter_count(&track->pictures, now_us);
    meter_add(&track->bits, now_us, (int)(8 * unit->size));
    pthread_mutex_unlock(&view->lock);
}

/* Has somebody asked for a key frame, or is it time for one? */
static bool take_key_wish(struct view *view, int index, int64_t capture_us)
{
    const struct view_track *track = &view->tracks[index];
    unsigned bit = view_track_bit(index);
    bool wanted = (atomic_fetch_and(&view->keys_wanted, ~bit) & bit) != 0;
    return wanted || (index == VIEW_RECORD_TRACK && capture_us - track->key_us >= RECORD_KEY_US);
}

static void hand_to_recorder(struct view *view, const struct view_shot *shot, struct encoded *unit)
{
    struct record_item item = {.unit = unit,
                               .seen = shot->detections,
                               .predicted = detections_are_predicted(shot->detections)};
    view_style_tell(&view->parts.look.style, &view->drawn_look);
    item.look = view->drawn_look;
    pthread_rwlock_rdlock(&view->wiring);
    if (!shot->dark) {
        item.zones = view_zones_tell(&view->inputs, unit->capture_us);
        if (shot->frame)
            view_zones_tell_places(&view->inputs, shot->frame->width, shot->frame->height,
                                   &view->zone_places);
        item.places = view->zone_places;
    }
    pthread_rwlock_unlock(&view->wiring);
    recorder_put(view->recorder, &item);
    free(item.zones);
}

static void hand_on(struct view *view, int index, const struct view_shot *shot,
                    struct encoded *unit)
{
    const struct view_outputs *outputs = &view->parts.outputs;
    if (index == VIEW_RECORD_TRACK)
        hand_to_recorder(view, shot, unit);
    else
        outputs->video(outputs->context, view->output, index, unit);
}

/* Encodes and gives out; whether there was something to give. */
static bool give(struct view *view, int index, const struct view_shot *shot,
                 const struct drawn *drawn, bool best)
{
    struct view_track *track = &view->tracks[index];
    int64_t start_us = clock_now_us();
    if (prepare(view, index, drawn->frame) < 0)
        return false;
    struct encoded *unit = NULL;
    bool key = take_key_wish(view, index, drawn->frame->capture_us);
    struct video_focus focus;
    view_shot_focus(shot, drawn->frame, &focus);
    int rc = video_encoder_encode(track->encoder, drawn->frame, key, &focus, &unit);
    if (rc == OW_EAGAIN)
        return false; /* a hardware encoder that holds its first frame back */
    if (rc < 0) {
        char text[80];
        snprintf(text, sizeof text, "the %s encoder failed; it is opened again",
                 video_codec_name(codec_of(index)));
        view_set_error(view, text);
        video_encoder_close(&track->encoder);
        return false;
    }
    int64_t end_us = clock_now_us();
    stamp(unit, track);
    if (unit->key)
        track->key_us = unit->capture_us;
    view_shot_describe(shot, drawn, unit);
    hand_on(view, index, shot, unit);
    perf_add(PERF_H264, end_us - start_us);
    if (best)
        perf_add(PERF_GLASS_TO_ENCODER, end_us - unit->capture_us);
    record(view, track, unit, end_us);
    encoded_unref(&unit);
    return true;
}

bool view_tracks_give(struct view *view, struct view_shot *shot, int64_t now_us, struct drawn *best)
{
    bool any = false;
    for (int i = 0; i < RENDITION_TRACKS; i++) {
        int index = in_order(i);
        struct view_track *track = &view->tracks[index];
        if (!track->due || read_hold(view, index) > now_us)
            continue;
        track->due = false;
        const struct drawn *drawn = view_shot_at(shot, track->now.width);
        if (!drawn || !give(view, index, shot, drawn, !any) || any)
            continue;
        any = true;
        *best = *drawn;
    }
    return any;
}

bool view_tracks_give_recorder(struct view *view, struct view_shot *shot, struct drawn *out)
{
    struct view_track *track = &view->tracks[VIEW_RECORD_TRACK];
    if (!track->due)
        return false;
    track->due = false;
    const struct drawn *drawn = view_shot_at(shot, track->now.width);
    if (!drawn || !give(view, VIEW_RECORD_TRACK, shot, drawn, false))
        return false;
    *out = *drawn;
    return true;
}

bool view_tracks_ready(struct view *view, int64_t now_us)
{
    return view_tracks_deadline(view) <= now_us;
}

int64_t view_tracks_deadline(struct view *view)
{
    int64_t deadline_us = INT64_MAX;
    for (int i = 0; i < RENDITION_TRACKS; i++) {
        if (!view->tracks[i].due)
            continue;
        int64_t until_us = read_hold(view, i);
        if (until_us < deadline_us)
            deadline_us = until_us;
    }
    return deadline_us;
}

void view_tracks_read_info(struct view *view, struct view_info *out)
{
    int64_t now_us = clock_now_us();
    bool best = true;
    for (int i = 0; i < RENDITION_TRACKS; i++) {
        int index = in_order(i);
        struct view_track *track = &view->tracks[index];
        struct rendition_plan plan = read_plan(view, index);
        if (plan.viewers <= 0) {
            out->tracks[index] = (struct view_track_info){0};
            continue;
        }
        struct view_track_info *info = &out->tracks[index];
        *info = track->info;
        info->viewers = plan.viewers;
        info->target_bps = wanted_bps(view, index, &plan);
        info->fps = meter_rate(&track->pictures, now_us);
        info->bitrate_bps = (int)meter_rate(&track->bits, now_us);
        if (!best)
            continue;
        best = false;
        out->target_bps = view->info.target_bps = info->target_bps;
        if (info->encoder[0])
            snprintf(view->info.encoder, sizeof view->info.encoder, "%s", info->encoder);
        memcpy(out->encoder, view->info.encoder, sizeof out->encoder);
    }
}

void view_tracks_close(struct view *view)
{
    for (int i = 0; i < VIEW_TRACKS; i++)
        video_encoder_close(&view->tracks[i].encoder);
}
