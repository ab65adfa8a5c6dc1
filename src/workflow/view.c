#include "core/clock.h"
#include "workflow/view_state.h"

#include <stdlib.h>
#include <string.h>

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
    mailbox_destroy(&v->inbox);
    pthread_mutex_destroy(&v->lock);
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

void view_set_plan(struct view *view, int track, const struct rendition_plan *plan)
{
    if (track != 0)
        return;
    if (view->parts.settings.adaptive && plan->target_bps > 0)
        atomic_store(&view->target_bps, plan->target_bps);
    if (atomic_exchange(&view->h264_viewers, plan->viewers) == 0 && plan->viewers > 0)
        view_want_key_frame(view, 0);
}

void view_want_key_frame(struct view *view, int track)
{
    (void)track;
    atomic_store(&view->key_frame_wanted, true);
    mailbox_wake(view->inbox);
}

void view_hold(struct view *view, int track, int64_t until_us)
{
    (void)view;
    (void)track;
    (void)until_us;
}

void view_set_jpeg_fps(struct view *view, double max_fps)
{
    if (atomic_exchange(&view->jpeg_fps, max_fps) <= 0 && max_fps > 0)
        mailbox_wake(view->inbox);
}

bool view_is_watched(const struct view *view)
{
    return atomic_load(&view->h264_viewers) > 0 || atomic_load(&view->jpeg_fps) > 0;
}

bool view_takes_frames(struct view *view)
{
    return !view->parts.model || view->parts.settings.predict || !view->parts.xray ||
           !model_node_is_ready(view->parts.model);
}

void view_offer(struct view *view, struct frame *frame, struct detections *detections)
{
    struct picture *picture = NULL;
    if (picture_create(&picture, frame, detections) == OW_OK)
        mailbox_put(view->inbox, picture);
}

static void read_model(struct view *view, struct view_info *out)
{
    struct model_node_status status;
    model_node_read_status(view->model, &status);
    snprintf(out->model_error, sizeof out->model_error, "%s", status.error);
    out->model_fps = status.fps;
    out->model_ms = status.inference_ms;
}

void view_read_info(struct view *view, struct view_info *out)
{
    pthread_mutex_lock(&view->lock);
    view->info.fps = meter_rate(&view->meter, clock_now_us());
    *out = view->info;
    if (view->source)
        source_status(view->source, &out->source);
    if (view->model)
        read_model(view, out);
    pthread_mutex_unlock(&view->lock);
    out->target_bps = atomic_load(&view->target_bps);
    out->dropped = mailbox_dropped(view->inbox);
}

/* Texts for people may be of any length: cut between characters, never inside one (UTF-8). */
static void copy_cut(char *out, size_t room, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    if (size >= room)
        for (size = room - 1; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80; size--) {
        }
    if (size > 0)
        memcpy(out, text, size);
    out[size] = '\0';
}

static void describe(struct view *view, const struct view_parts *parts)
{
    struct view_info *info = &view->info;
    snprintf(info->node_id, sizeof info->node_id, "%s", parts->node_id);
    snprintf(info->workflow_id, sizeof info->workflow_id, "%s", parts->workflow_id);
    copy_cut(info->workflow_name, sizeof info->workflow_name, parts->workflow_name);
    copy_cut(info->label, sizeof info->label, parts->label);
    snprintf(info->source_id, sizeof info->source_id, "%s", parts->source_id);
    snprintf(info->model_id, sizeof info->model_id, "%s", parts->model_id);
    info->prefers_webrtc = parts->settings.prefers_webrtc;
    info->predict = parts->settings.predict;
    info->min_bps = parts->settings.min_bps;
    info->start_bps = parts->settings.start_bps;
    info->max_bps = parts->settings.max_bps;
    info->xray_mode = xray_mode_name(parts->style.mode);
    info->color_scheme = xray_scheme_name(parts->style.scheme);
}

static void free_tools(struct view *view)
{
    xray_destroy(&view->xray);
    scaler_destroy(&view->scaler);
    jpeg_encoder_destroy(&view->jpeg);
    video_encoder_close(&view->h264);
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
    view->model = parts->model;
    atomic_init(&view->target_bps, parts->settings.start_bps);
    pthread_mutex_init(&view->lock, NULL);
    describe(view, parts);

    int rc = mailbox_create(&view->inbox, picture_drop);
    if (rc == OW_OK)
        rc = xray_create(&view->xray, NULL, why);
    if (rc == OW_OK)
        rc = scaler_create(&view->scaler);
    if (rc == OW_OK)
        rc = jpeg_encoder_create(&view->jpeg);
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

void view_attach_source(struct view *view, struct source *source)
{
    pthread_mutex_lock(&view->lock);
    view->source = source;
    pthread_mutex_unlock(&view->lock);
}

void view_stop(struct view *view)
{
    mailbox_close(view->inbox);
    pthread_join(view->thread, NULL);
    pthread_mutex_lock(&view->lock);
    view->source = NULL;
    view->model = NULL;
    pthread_mutex_unlock(&view->lock);
    if (view->parts.outputs.closed)
        view->parts.outputs.closed(view->parts.outputs.context, view->output, view);
    free_tools(view);
}
