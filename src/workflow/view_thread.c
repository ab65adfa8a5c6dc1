/* The way of a frame through a view: latest picture → scale → draw → video and JPEG. */
#include "core/clock.h"
#include "core/perf.h"
#include "core/thread.h"
#include "workflow/view_track.h"

#include <math.h>
#include <stdlib.h>

enum {
    STATUS_POLL_US = 250000,   /* how often a view without pictures looks at its source */
    CARD_INTERVAL_US = 500000, /* between two NO SIGNAL pictures */
    OPENING_PATIENCE_US =
        1500000,            /* a source may take this long to open before it counts as dark */
    STILL_AFTER_US = 60000, /* a key frame is made from the last picture when none came for this */
    RECORD_FPS = 10,        /* of records without pictures */
    STANDS_AFTER_US = 300000, /* and then it is drawn again when the model sees something else */
};

/* Has a viewer of a track asked for a key frame that has not been made yet? */
static bool key_waits(const struct view *view)
{
    return (atomic_load(&view->running) & atomic_load(&view->keys_wanted)) != 0;
}

static void give_jpeg(struct view *view, const struct view_shot *shot, const struct drawn *drawn)
{
    struct encoded *picture = NULL;
    int64_t start_us = clock_now_us();
    if (jpeg_encode(view->jpeg, drawn->frame, view->parts.look.settings.jpeg_quality, &picture) < 0)
        return;
    perf_add(PERF_JPEG, clock_now_us() - start_us);
    view_shot_describe(shot, drawn, picture);
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

static void give_record(const struct view *view, const struct view_shot *shot)
{
    struct metadata *record = NULL;
    if (view_shot_record(shot, &record) == OW_OK)
        view->parts.outputs.record(view->parts.outputs.context, view->output, record);
    metadata_unref(&record);
}

/* Gives out the picture to whom it is due; `now_us` decides which holds are over. */
static void give(struct view *view, struct view_shot *shot, int64_t now_us, bool with_jpeg)
{
    struct drawn best;
    bool given = view_tracks_give(view, shot, now_us, &best);
    if (atomic_load(&view->records) && view->parts.outputs.record &&
        rate_gate_pass(&view->record_gate, clock_now_us(), RECORD_FPS))
        give_record(view, shot);
    double jpeg_fps = fmin(atomic_load(&view->jpeg_fps), view->parts.look.settings.max_fps);
    if (with_jpeg && view->parts.outputs.jpeg &&
        rate_gate_pass(&view->jpeg_gate, clock_now_us(), jpeg_fps)) {
        const struct drawn *drawn = view_shot_at(shot, shot->width);
        if (drawn)
            give_jpeg(view, shot, drawn);
        if (drawn && !given) {
            best = *drawn;
            given = true;
        }
    }
    struct drawn recorded;
    if (view_tracks_give_recorder(view, shot, &recorded) && !given) {
        best = recorded;
        given = true;
    }
    if (given)
        record(view, &best);
}

/* How many pictures a second may be shown. */
static double max_fps(const struct view *view)
{
    const struct view_look *look = &view->parts.look;
    return look->xray ? fmin(look->settings.max_fps, look->xray_max_fps) : look->settings.max_fps;
}

static void show_picture(struct view *view, const struct picture *picture, bool passes)
{
    bool held;
    struct detections *detections = view_shot_detections(view, picture, &held);
    if (!picture->detections) /* else it has passed already */
        atomic_store(&view->held, held);
    atomic_store(&view->stale, false);
    if (!held || key_waits(view)) {
        struct view_shot shot;
        view_shot_picture(&shot, view, picture->frame, detections);
        view_tracks_offer(view, view->last_us, shot.width, shot.height);
        give(view, &shot, view->last_us, passes);
        view_shot_end(&shot);
    }
    detections_unref(&detections);
}

static void take_picture(struct view *view, struct picture *picture)
{
    picture_drop(view->last);
    view->last = picture;
    view->last_us = clock_now_us();
    view->card_us = 0;
    bool passes = rate_gate_pass(&view->gate, view->last_us, max_fps(view));
    if (passes)
        meter_count(&view->arrivals, view->last_us);
    view_tracks_attend(view);
    if (view_is_watched(view) && (passes || key_waits(view)))
        show_picture(view, picture, passes);
}

/* The end of a hold: what came last during it is encoded now. */
static void show_last(struct view *view)
{
    bool held;
    struct detections *detections = view_shot_detections(view, view->last, &held);
    struct view_shot shot;
    view_shot_picture(&shot, view, view->last->frame, detections);
    give(view, &shot, clock_now_us(), false);
    view_shot_end(&shot);
    detections_unref(&detections);
}

/* Shows the last picture once more, as of now: for a viewer who joins while nothing new comes, and
 * when it is to look different. With what was seen in it, not what would be there by now. It counts
 * as captured as long ago as the last one was when it came: behind a slow model a picture of now
 * would be newer than the next one. `all`: to everybody, else only to who waits for a key frame, at
 * once. */
static void show_still(struct view *view, bool all)
{
    struct frame *copy = NULL;
    bool held;
    if (frame_copy(&copy, view->last->frame) < 0)
        return;
    struct detections *detections = view_shot_detections(view, view->last, &held);
    atomic_store(&view->stale, false);
    copy->capture_us = clock_now_us() - (view->last_us - view->last->frame->capture_us);
    copy->stages = (struct stage_times){.at_us = {[STAGE_CAPTURE] = copy->capture_us}};
    struct view_shot shot;
    view_shot_picture(&shot, view, copy, detections);
    shot.again = true;
    if (all) /* no picture may come after this one for long */
        view->jpeg_gate = (struct rate_gate){0};
    view_tracks_demand(view, clock_now_us(), shot.width, shot.height, !all);
    give(view, &shot, all ? clock_now_us() : INT64_MAX, true);
    view_shot_end(&shot);
    detections_unref(&detections);
    frame_unref(&copy);
}

static void show_card(struct view *view, const struct source_status *status)
{
    struct view_shot shot;
    view_shot_card(&shot, view, status);
    view_tracks_demand(view, clock_now_us(), shot.width, shot.height, false);
    give(view, &shot, INT64_MAX, true);
    view_shot_end(&shot);
}

/* Is the picture that stands to be shown once more? */
static bool is_due_again(struct view *view, bool key, int64_t now_us)
{
    int64_t since_us = now_us - view->last_us;
    return (key && since_us >= STILL_AFTER_US) ||
           (atomic_load(&view->stale) && since_us >= STANDS_AFTER_US);
}

/* Nothing came: has a hold ended, is the source dark, or does a viewer wait for a key frame? */
static void look_around(struct view *view)
{
    view_tracks_attend(view);
    if (!view_is_watched(view))
        return;
    if (view->last && view_tracks_ready(view, clock_now_us()))
        show_last(view);
    struct source_status status = view_read_source(view);
    int64_t now_us = clock_now_us();
    bool key = key_waits(view);
    bool dark = status.state == SOURCE_NO_SIGNAL ||
                (status.state == SOURCE_OPENING && now_us - status.since_us > OPENING_PATIENCE_US);
    if (dark && (key || now_us - view->card_us >= CARD_INTERVAL_US)) {
        view->card_us = now_us;
        show_card(view, &status);
    } else if (!dark && view->last && is_due_again(view, key, now_us)) {
        show_still(view, atomic_load(&view->stale));
    }
}

static int64_t next_look_us(struct view *view)
{
    int64_t now_us = clock_now_us();
    int64_t next_us = now_us + STATUS_POLL_US;
    int64_t hold_us = view_tracks_deadline(view);
    if (hold_us < next_us)
        next_us = hold_us;
    int64_t still_us = view->last_us + STILL_AFTER_US;
    if (view->last && key_waits(view) && still_us > now_us && still_us < next_us)
        next_us = still_us;
    return next_us;
}

/* Other looks: whoever changed them sees it at once, whatever the source does. */
static void take_order(struct view *view)
{
    pthread_mutex_lock(&view->orders_lock);
    bool has = view->has_order;
    if (has)
        view->parts.look = view->ordered;
    view->has_order = false;
    pthread_mutex_unlock(&view->orders_lock);
    if (has && view->last && view_is_watched(view) &&
        view_read_source(view).state != SOURCE_NO_SIGNAL)
        show_still(view, true);
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
        take_order(view);
        if (rc == OW_OK)
            take_picture(view, item);
        else
            look_around(view);
    }
}
