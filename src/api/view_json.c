/* A view's state as JSON. */
#include "api/ws_hub.h"
#include "core/clock.h"

static const char *source_state_name(enum source_state state)
{
    static const char *const names[] = {"opening", "playing", "no_signal", "ended"};
    return names[state];
}

static json_t *describe_source(const struct view_info *info)
{
    const struct source_status *source = &info->source;
    int64_t since_us = source->since_us ? clock_now_us() - source->since_us : 0;
    return json_pack("{s:s, s:s, s:f, s:s, s:i, s:i, s:f, s:I, s:I, s:s}", "node_id",
                     info->source_id, "state", source_state_name(source->state), "since_s",
                     (double)since_us / 1e6, "text", source->text, "width", source->width, "height",
                     source->height, "fps", source->fps, "frames", (json_int_t)source->frames,
                     "reopened", (json_int_t)source->reopened, "codec", source->codec);
}

/* Milliseconds from each station to the next that was passed. */
static json_t *describe_stages(const struct stage_times *stages)
{
    static const char *const names[STAGE_COUNT] = {"capture",   "decoded", "infer_start",
                                                   "infer_end", "drawn",   "encoded"};
    json_t *out = json_object();
    int64_t start_us = stages->at_us[STAGE_CAPTURE];
    for (int i = STAGE_DECODED; i < STAGE_COUNT; i++)
        if (stages->at_us[i] > 0 && start_us > 0)
            json_object_set_new(out, names[i],
                                json_real((double)(stages->at_us[i] - start_us) / 1000.0));
    return out;
}

/* The renditions that are encoded now, the best first. */
static json_t *describe_renditions(const struct view_info *info)
{
    static const char *const codecs[VIDEO_CODECS] = {[VIDEO_H264] = "h264", [VIDEO_VP8] = "vp8"};
    json_t *out = json_array();
    for (int i = 0; i < RENDITION_TRACKS; i++) {
        const struct view_track_info *track = &info->tracks[i];
        if (track->viewers <= 0)
            continue;
        json_array_append_new(
            out, json_pack("{s:i, s:s, s:i, s:i, s:i, s:i, s:f, s:i, s:i, s:s}", "track", i,
                           "codec", codecs[rendition_codec(i)], "rung", rendition_rung(i),
                           "viewers", track->viewers, "width", track->width, "height",
                           track->height, "fps", track->fps, "target_bps", track->target_bps,
                           "bitrate_bps", track->bitrate_bps, "encoder", track->encoder));
    }
    return out;
}

json_t *view_describe(struct view *view)
{
    struct view_info info = {0};
    view_read_info(view, &info);
    bool failed = info.error[0] != '\0';
    const char *state = failed ? "error"
                        : info.source.state == SOURCE_PLAYING
                            ? "running"
                            : source_state_name(info.source.state);
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "node_id", info.node_id,
                  "workflow_id", info.workflow_id, "workflow_name", info.workflow_name, "label",
                  info.label, "state", state, "transport",
                  info.prefers_webrtc ? "webrtc" : "websocket", "predict", info.predict, "model_id",
                  info.model_id, "model_error", info.model_error, "error", info.error);
    json_t *more = json_pack(
        "{s:i, s:i, s:f, s:f, s:f, s:i, s:f, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:I}", "width",
        info.width, "height", info.height, "fps", info.fps, "model_fps", info.model_fps, "model_ms",
        info.model_ms, "detections_count", info.detections, "processing_time_ms",
        info.processing_ms, "xray_mode", info.xray_mode ? info.xray_mode : "", "color_scheme",
        info.color_scheme ? info.color_scheme : "", "encoder", info.encoder, "min_bps",
        info.min_bps, "start_bps", info.start_bps, "max_bps", info.max_bps, "target_bps",
        info.target_bps, "frames", (json_int_t)info.frames, "dropped", (json_int_t)info.dropped);
    if (!out || !more) {
        json_decref(out);
        json_decref(more);
        return NULL;
    }
    json_object_update(out, more);
    json_decref(more);
    json_object_set_new(out, "is_recorder", json_boolean(info.is_recorder));
    json_object_set_new(out, "recording", recorder_describe(&info.recording));
    json_object_set_new(out, "adaptive", json_boolean(info.adaptive));
    json_object_set_new(out, "renditions", describe_renditions(&info));
    json_object_set_new(out, "source", describe_source(&info));
    json_object_set_new(out, "latency_ms", describe_stages(&info.last_stages));
    return out;
}
