/* From views to viewers: each view that starts gets a stream on the media port; what its viewers
 * want goes back to it. */
#include "api/api_internal.h"
#include "core/log.h"

#include <stdlib.h>

struct view_stream {
    struct view *view; /* own reference */
    struct media_stream *stream;
    int viewers; /* media thread only */
};

static void on_key_frame_wanted(void *context, int track)
{
    view_want_key_frame(((struct view_stream *)context)->view, track);
}

static void on_plan(void *context, int track, const struct rendition_plan *plan)
{
    view_set_plan(((struct view_stream *)context)->view, track, plan);
}

static void on_hold(void *context, int track, int64_t until_us)
{
    view_hold(((struct view_stream *)context)->view, track, until_us);
}

static void on_records(void *context, bool wanted)
{
    view_set_records(((struct view_stream *)context)->view, wanted);
}

static void on_viewers(void *context, int count)
{
    struct view_stream *self = context;
    if (count > self->viewers)
        log_info("🎥 Updated WebRTC stream for %s (viewers: %d)", view_node_id(self->view), count);
    self->viewers = count;
}

static struct ladder_settings ladder_of(const struct view_info *info)
{
    struct ladder_settings ladder = {
        .min_bps = info->min_bps,
        .start_bps = info->start_bps,
        .max_bps = info->max_bps,
        .adaptive = info->adaptive,
        .rung_count = info->renditions,
    };
    for (int i = 0; i < RENDITION_SHARED; i++) {
        ladder.rungs[i].rate_part = info->rendition_rates[i];
        ladder.rungs[i].width_part = info->rendition_widths[i];
    }
    return ladder;
}

static void *on_view_opened(void *context, struct view *view)
{
    struct api *api = context;
    struct view_info info = {0};
    view_read_info(view, &info);
    ws_hub_add_view(api->hub, view);
    struct view_stream *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->view = view_ref(view);
    struct media_stream_settings settings = {
        .id = view_node_id(view),
        .ladder = ladder_of(&info),
        .callbacks = {.context = self,
                      .key_frame_wanted = on_key_frame_wanted,
                      .plan = on_plan,
                      .hold = on_hold,
                      .records = on_records,
                      .viewers = on_viewers},
    };
    int rc = media_stream_create(&self->stream, api->media, &settings);
    if (rc == OW_OK)
        return self;
    log_error("View %s cannot be shown by WebRTC: %s", view_node_id(view), error_text(rc));
    view_unref(&self->view);
    free(self);
    return NULL;
}

static void on_view_video(void *context, void *handle, int track, struct encoded *unit)
{
    (void)context;
    struct view_stream *self = handle;
    if (self)
        media_stream_publish(self->stream, track, unit);
}

static void on_view_record(void *context, void *handle, struct metadata *record)
{
    (void)context;
    struct view_stream *self = handle;
    if (self)
        media_stream_publish_record(self->stream, record);
}

static void on_view_jpeg(void *context, struct view *view, struct encoded *picture)
{
    ws_hub_picture(((struct api *)context)->hub, view, picture);
}

static void on_view_rates(void *context, void *handle, struct view *view)
{
    (void)context;
    struct view_stream *self = handle;
    struct view_info info = {0};
    if (!self)
        return;
    view_read_info(view, &info);
    struct ladder_settings ladder = ladder_of(&info);
    media_stream_configure(self->stream, &ladder);
}

static void on_view_closed(void *context, void *handle, struct view *view)
{
    struct view_stream *self = handle;
    ws_hub_remove_view(((struct api *)context)->hub, view);
    if (!self)
        return;
    media_stream_destroy(&self->stream);
    view_unref(&self->view);
    free(self);
}

struct view_outputs api_streams_outputs(struct api *api)
{
    return (struct view_outputs){.context = api,
                                 .opened = on_view_opened,
                                 .video = on_view_video,
                                 .record = on_view_record,
                                 .jpeg = on_view_jpeg,
                                 .rates = on_view_rates,
                                 .closed = on_view_closed};
}
