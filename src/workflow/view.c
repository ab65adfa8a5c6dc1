#include "core/clock.h"
#include "core/log.h"
#include "core/text_cut.h"
#include "core/thread.h"
#include "workflow/nodes/view_settings.h"
#include "workflow/view_track.h"

#include <stdlib.h>
#include <string.h>

enum { HOLD_MAX_US = 1000000 }; /* a picture a second is shown whatever the network says */

static const int64_t FILE_MAX_US = 3600000000; /* of one that is recorded by hand */

struct view *view_ref(struct view *view)
{
    atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    return view;
}

void view_unref(struct view **view)
{
    struct view *v = *view;
    *view = NULL;
    if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
        return;
    recorder_destroy(&v->recorder);
    shared_text_unref(&v->zone_places);
    shared_text_unref(&v->drawn_look);
    mailbox_destroy(&v->inbox);
    pthread_rwlock_destroy(&v->wiring);
    pthread_mutex_destroy(&v->lock);
    pthread_mutex_destroy(&v->orders_lock);
    free(v);
}

const char *view_node_id(const struct view *view)
{
    return view->info.node_id;
}

const char *view_workflow_id(const struct view *view)
{
    return view->info.workflow_id;
}

static bool is_track(int track)
{
    return track >= 0 && track < RENDITION_TRACKS;
}

static void set_plan(struct view *view, int track, const struct rendition_plan *plan)
{
    pthread_mutex_lock(&view->orders_lock);
    struct view_track *ordered = &view->tracks[track];
    if (plan->viewers != ordered->ordered.viewers)
        ordered->hold_until_us = 0; /* it was said for one viewer's path */
    ordered->ordered = *plan;
    pthread_mutex_unlock(&view->orders_lock);
    unsigned bit = view_track_bit(track);
    bool runs = plan->viewers > 0;
    unsigned before =
        runs ? atomic_fetch_or(&view->running, bit) : atomic_fetch_and(&view->running, ~bit);
    bool ran = (before & bit) != 0;
    if (runs && !ran)
        atomic_fetch_or(&view->keys_wanted, bit);
    if (runs != ran)
        mailbox_wake(view->inbox); /* the encoder is opened or closed */
}

void view_set_plan(struct view *view, int track, const struct rendition_plan *plan)
{
    if (is_track(track))
        set_plan(view, track, plan);
}

void view_want_key_frame(struct view *view, int track)
{
    if (!is_track(track))
        return;
    atomic_fetch_or(&view->keys_wanted, view_track_bit(track));
    mailbox_wake(view->inbox);
}

/* ---- recording ---- */

/* Its encoding runs while the recorder has a use for it. */
static void plan_record(struct view *view)
{
    const struct rendition_plan plan = {.viewers = recorder_needs_pictures(view->recorder)};
    set_plan(view, VIEW_RECORD_TRACK, &plan);
}

int view_record(struct view *view, bool on)
{
    if (!view->recorder)
        return OW_ESTATE;
    recorder_set_by_hand(view->recorder, on);
    plan_record(view);
    return OW_OK;
}

void view_set_record_rules(struct view *view, const struct record_rules *rules)
{
    if (!view->recorder)
        return;
    recorder_set_rules(view->recorder, rules);
    plan_record(view);
}

void view_record_event(struct view *view, int64_t capture_us, const char *type,
                       const json_t *object)
{
    if (view->recorder)
        recorder_event(view->recorder, capture_us, type, object);
}

void view_record_result(struct view *view, const char *node_id, int64_t capture_us, int count)
{
    if (view->recorder)
        recorder_result(view->recorder, node_id, capture_us, count);
}

/* ---- pictures ---- */

void view_hold(struct view *view, int track, int64_t until_us)
{
    if (!is_track(track))
        return;
    int64_t limit_us = clock_now_us() + HOLD_MAX_US;
    if (until_us > limit_us)
        until_us = limit_us;
    pthread_mutex_lock(&view->orders_lock);
    bool sooner = until_us < view->tracks[track].hold_until_us;
    view->tracks[track].hold_until_us = until_us;
    pthread_mutex_unlock(&view->orders_lock);
    if (sooner)
        mailbox_wake(view->inbox);
}

void view_set_jpeg_fps(struct view *view, double max_fps)
{
    if (atomic_exchange(&view->jpeg_fps, max_fps) <= 0 && max_fps > 0)
        mailbox_wake(view->inbox);
}

void view_set_records(struct view *view, bool wanted)
{
    if (atomic_exchange(&view->records, wanted) != wanted && wanted)
        mailbox_wake(view->inbox);
}

bool view_is_watched(const struct view *view)
{
    return atomic_load(&view->running) != 0 || atomic_load(&view->jpeg_fps) > 0 ||
           atomic_load(&view->records);
}

bool view_draws(const struct view *view)
{
    return atomic_load(&view->draws);
}

bool view_takes_frames(struct view *view)
{
    if (atomic_load(&view->at_once))
        return true;
    pthread_rwlock_rdlock(&view->wiring);
    struct model_node *model = view->inputs.model;
    bool waits = model && model_node_is_ready(model);
    pthread_rwlock_unlock(&view->wiring);
    return !waits;
}

void view_offer(struct view *view, struct frame *frame, struct detections *detections)
{
    struct picture *picture = NULL;
    if (picture_create(&picture, frame, detections) == OW_OK)
        mailbox_put(view->inbox, picture);
}

void view_set_held(struct view *view, bool held)
{
    atomic_store(&view->held, held);
}

void view_refresh(struct view *view)
{
    if (!atomic_exchange(&view->stale, true))
        mailbox_wake(view->inbox);
}

void view_set_error(struct view *view, const char *text)
{
    pthread_mutex_lock(&view->lock);
    bool is_new = text[0] && strcmp(view->info.error, text) != 0;
    snprintf(view->info.error, sizeof view->info.error, "%s", text);
    pthread_mutex_unlock(&view->lock);
    if (is_new)
        log_error("view %s: %s", view->info.node_id, text);
}

struct source_status view_read_source(struct view *view)
{
    struct source_status status = {.state = SOURCE_PLAYING};
    pthread_rwlock_rdlock(&view->wiring);
    if (view->inputs.source)
        source_tap_status(view->inputs.source, &status);
    pthread_rwlock_unlock(&view->wiring);
    return status;
}

static void read_model(struct model_node *model, struct view_info *out)
{
    struct model_node_status status;
    model_node_read_status(model, &status);
    snprintf(out->model_error, sizeof out->model_error, "%s", status.error);
    out->model_fps = status.fps;
    out->model_ms = status.inference_ms;
}

void view_read_info(struct view *view, struct view_info *out)
{
    pthread_mutex_lock(&view->lock);
    view->info.fps = meter_rate(&view->meter, clock_now_us());
    *out = view->info;
    view_tracks_read_info(view, out);
    pthread_mutex_unlock(&view->lock);
    pthread_rwlock_rdlock(&view->wiring);
    if (view->inputs.source)
        source_tap_status(view->inputs.source, &out->source);
    if (view->inputs.model)
        read_model(view->inputs.model, out);
    pthread_rwlock_unlock(&view->wiring);
    if (view->recorder)
        recorder_read_status(view->recorder, &out->recording);
    out->held = atomic_load(&view->held);
    out->dropped = mailbox_dropped(view->inbox);
}

void view_forget_source(struct view *view, const struct source_tap *source)
{
    pthread_rwlock_wrlock(&view->wiring);
    if (view->inputs.source == source)
        view->inputs.source = NULL;
    pthread_rwlock_unlock(&view->wiring);
}

/* Under the view's lock, or before anybody else has it. */
static void describe_look(struct view_info *info, const struct view_look *look)
{
    const struct view_settings *settings = &look->settings;
    info->prefers_webrtc = settings->prefers_webrtc;
    info->predict = settings->predict;
    info->min_bps = settings->min_bps;
    info->start_bps = settings->start_bps;
    info->max_bps = settings->max_bps;
    info->adaptive = settings->adaptive;
    info->renditions = settings->renditions;
    for (int i = 0; i < RENDITION_SHARED; i++) {
        info->rendition_rates[i] = settings->rendition_rates[i];
        info->rendition_widths[i] = settings->rendition_widths[i];
    }
    info->xray_mode = xray_mode_name(look->style.mode);
    info->color_scheme = xray_scheme_name(look->style.scheme);
}

static void describe(struct view *view, const struct view_parts *parts)
{
    struct view_info *info = &view->info;
    snprintf(info->node_id, sizeof info->node_id, "%s", parts->node_id);
    snprintf(info->workflow_id, sizeof info->workflow_id, "%s", parts->workflow_id);
    text_cut(info->workflow_name, sizeof info->workflow_name, parts->workflow_name);
    describe_look(info, &parts->look);
    info->target_bps = info->adaptive ? info->start_bps : info->max_bps;
    info->is_recorder = parts->is_recorder;
}

static const char *layout_name(const struct view_look *look)
{
    return view_layout_choices[look->settings.layout];
}

/* By hand alone, unless it is told other rules; then an hour is a file. */
static int create_recorder(struct view *view, const struct view_parts *parts)
{
    const struct recording_subject subject = {.node_id = view->info.node_id,
                                              .workflow_id = view->info.workflow_id,
                                              .workflow_name = view->info.workflow_name,
                                              .label = "",
                                              .layout = layout_name(&parts->look)};
    const struct record_rules rules = {.when = RECORD_BY_HAND, .max_us = FILE_MAX_US};
    if (!parts->recordings)
        return OW_OK;
    int rc = recorder_create(&view->recorder, parts->recordings, &subject);
    if (rc == OW_OK)
        recorder_set_rules(view->recorder, &rules);
    return rc;
}

void view_connect(struct view *view, const struct view_inputs *inputs)
{
    pthread_mutex_lock(&view->lock);
    text_cut(view->info.label, sizeof view->info.label, inputs->label);
    if (view->recorder)
        recorder_set_label(view->recorder, view->info.label);
    snprintf(view->info.source_id, sizeof view->info.source_id, "%s", inputs->source_id);
    snprintf(view->info.model_id, sizeof view->info.model_id, "%s", inputs->model_id);
    pthread_mutex_unlock(&view->lock);
    pthread_rwlock_wrlock(&view->wiring);
    view->inputs = *inputs;
    view->inputs.label = view->inputs.source_id = view->inputs.model_id = NULL;
    pthread_rwlock_unlock(&view->wiring);
    view_refresh(view);
}

static bool is_at_once(const struct view_look *look)
{
    return look->settings.predict || !look->xray;
}

static bool same_parts(const double a[RENDITION_SHARED], const double b[RENDITION_SHARED])
{
    for (int i = 0; i < RENDITION_SHARED; i++)
        if (a[i] < b[i] || a[i] > b[i])
            return false;
    return true;
}

static bool has_rates(const struct view_info *info, const struct view_settings *settings)
{
    return info->adaptive == settings->adaptive && info->min_bps == settings->min_bps &&
           info->start_bps == settings->start_bps && info->max_bps == settings->max_bps &&
           info->renditions == settings->renditions &&
           same_parts(info->rendition_rates, settings->rendition_rates) &&
           same_parts(info->rendition_widths, settings->rendition_widths);
}

void view_restyle(struct view *view, const struct view_look *look)
{
    const struct view_outputs *outputs = &view->parts.outputs;
    pthread_mutex_lock(&view->lock);
    bool others = !has_rates(&view->info, &look->settings);
    describe_look(&view->info, look);
    pthread_mutex_unlock(&view->lock);
    if (view->recorder)
        recorder_set_layout(view->recorder, layout_name(look));
    pthread_mutex_lock(&view->orders_lock);
    view->ordered = *look;
    view->has_order = true;
    pthread_mutex_unlock(&view->orders_lock);
    atomic_store(&view->at_once, is_at_once(look));
    atomic_store(&view->draws, look->xray);
    if (others && outputs->rates)
        outputs->rates(outputs->context, view->output, view);
    mailbox_wake(view->inbox);
}

static void free_tools(struct view *view)
{
    xray_destroy(&view->xray);
    for (int i = 0; i < VIEW_SIZES; i++)
        scaler_destroy(&view->sizes[i].scaler);
    jpeg_encoder_destroy(&view->jpeg);
    view_tracks_close(view);
    picture_drop(view->last);
    view->last = NULL;
}

int view_start(struct view **out, const struct view_parts *parts, struct reason *why)
{
    struct view *view = calloc(1, sizeof *view);
    if (!view)
        return reason_set(why, OW_ENOMEM, "out of memory");
    atomic_init(&view->refs, 1);
    view->parts = *parts;
    atomic_store(&view->at_once, is_at_once(&parts->look));
    atomic_store(&view->draws, parts->look.xray);
    thread_rwlock_init(&view->wiring);
    pthread_mutex_init(&view->lock, NULL);
    pthread_mutex_init(&view->orders_lock, NULL);
    describe(view, parts);

    int rc = mailbox_create(&view->inbox, picture_drop);
    if (rc == OW_OK)
        rc = xray_create(&view->xray, NULL, why);
    if (rc == OW_OK)
        rc = jpeg_encoder_create(&view->jpeg);
    if (rc == OW_OK)
        rc = create_recorder(view, parts);
    if (rc < 0)
        goto fail;
    if (parts->outputs.opened)
        view->output = parts->outputs.opened(parts->outputs.context, view);
    if (pthread_create(&view->thread, NULL, view_thread, view) != 0) {
        rc = reason_set(why, OW_ENOMEM, "the system has no thread left for a view");
        if (parts->outputs.closed)
            parts->outputs.closed(parts->outputs.context, view->output, view);
        goto fail;
    }
    *out = view;
    return OW_OK;
fail:
    free_tools(view);
    view_unref(&view);
    return rc;
}

void view_stop(struct view *view)
{
    mailbox_close(view->inbox);
    pthread_join(view->thread, NULL);
    if (view->recorder)
        recorder_stop(view->recorder);
    pthread_rwlock_wrlock(&view->wiring);
    view->inputs = (struct view_inputs){0};
    pthread_rwlock_unlock(&view->wiring);
    if (view->parts.outputs.closed)
        view->parts.outputs.closed(view->parts.outputs.context, view->output, view);
    free_tools(view);
}
