/* What is told of running nodes. */
#include "workflow/runtime_internal.h"

#include <string.h>

static json_t *source_state(struct source_tap *source)
{
    static const char *const states[] = {[SOURCE_OPENING] = "opening",
                                         [SOURCE_PLAYING] = "running",
                                         [SOURCE_NO_SIGNAL] = "no_signal",
                                         [SOURCE_ENDED] = "ended"};
    struct source_status s;
    source_tap_status(source, &s);
    return json_pack("{s:s, s:f, s:i, s:i, s:I, s:I, s:s, s:s}", "state", states[s.state], "fps",
                     s.fps, "width", s.width, "height", s.height, "frames", (json_int_t)s.frames,
                     "reopened", (json_int_t)s.reopened, "codec", s.codec, "reason", s.text);
}

/* How many of each class, {name: n}. */
static json_t *count_classes(const struct detections *seen)
{
    json_t *counts = json_object();
    for (int i = 0; i < seen->count; i++) {
        char scratch[16];
        const char *name = label_set_name(seen->labels, seen->items[i].class_id, scratch);
        json_int_t before = json_integer_value(json_object_get(counts, name));
        json_object_set_new(counts, name, json_integer(before + 1));
    }
    return counts;
}

static json_t *model_state(struct model_node *model)
{
    struct model_node_status s;
    model_node_read_status(model, &s);
    json_t *out =
        json_pack("{s:s, s:f, s:f, s:f, s:i, s:I, s:s}", "state", s.state, "fps", s.fps,
                  "inference_ms", s.inference_ms, "latency_ms", s.inference_ms, "detections",
                  s.detections, "drops", (json_int_t)s.dropped, "reason", s.error);
    struct detections *last = model_node_last(model);
    if (out && last)
        json_object_set_new(out, "counts", count_classes(last));
    detections_unref(&last);
    return out;
}

static json_t *filter_state(struct filter *filter)
{
    struct filter_status s;
    filter_read_status(filter, &s);
    const char *state = s.updated_us == 0            ? "idle"
                        : s.verdict == FILTER_PASSES ? "running"
                                                     : "held";
    json_t *out = json_pack("{s:s, s:I, s:I, s:s}", "state", state, "passed", (json_int_t)s.passed,
                            "held", (json_int_t)s.held, "reason", "");
    if (out && s.kind == FILTER_ZONE) {
        const uint64_t *events = s.zone.events;
        json_object_set_new(out, "zone",
                            json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "inside", s.zone.inside,
                                      "entered", (json_int_t)events[ZONE_ENTER], "left",
                                      (json_int_t)events[ZONE_LEAVE], "dwelled",
                                      (json_int_t)events[ZONE_DWELL], "crossed_in",
                                      (json_int_t)events[ZONE_CROSS_IN], "crossed_out",
                                      (json_int_t)events[ZONE_CROSS_OUT]));
    }
    return out;
}

/* Of a view that cannot be recorded, though it should be, the picture runs on. */
static const char *view_error(const struct view_info *info)
{
    return info->error[0] ? info->error : info->recording.error;
}

static json_t *view_state(struct view *view)
{
    struct view_info info;
    view_read_info(view, &info);
    const char *error = view_error(&info);
    const char *state = error[0]                 ? "error"
                        : !view_is_watched(view) ? "idle"
                        : info.held              ? "held"
                                                 : "running";
    return json_pack("{s:s, s:f, s:f, s:i, s:i, s:i, s:I, s:s, s:o*}", "state", state, "fps",
                     info.fps, "latency_ms", info.processing_ms, "detections", info.detections,
                     "width", info.width, "height", info.height, "drops", (json_int_t)info.dropped,
                     "reason", error, "recording", recorder_describe(&info.recording));
}

static const char *sink_error(const struct running_node *node)
{
    bool lost = node->graph_node->type->role == NODE_SINK && node->sink.kind == SINK_MQTT &&
                !node->runtime->settings.node_outputs.publish;
    return lost ? "there is no MQTT broker: start the program with --mqtt mqtt://host" : "";
}

static json_t *sink_state(const struct running_node *node)
{
    const char *error = sink_error(node);
    return json_pack("{s:s, s:s}", "state", error[0] ? "error" : "running", "reason", error);
}

static json_t *node_state(const struct running_node *node)
{
    json_t *state = node->source   ? source_state(node->source)
                    : node->model  ? model_state(node->model)
                    : node->filter ? filter_state(node->filter)
                    : node->view   ? view_state(node->view)
                                   : sink_state(node);
    if (state)
        json_object_set_new(state, "type", json_string(node->graph_node->type->name));
    return state;
}

json_t *workflow_status(struct running_workflow *w)
{
    json_t *nodes = json_object();
    pthread_rwlock_rdlock(&w->wiring);
    for (int i = 0; i < w->node_count; i++)
        json_object_set_new(nodes, w->nodes[i]->graph_node->id, node_state(w->nodes[i]));
    json_t *status = json_pack("{s:s, s:s, s:b, s:o}", "workflow_id", w->graph->id, "name",
                               w->graph->name, "running", 1, "nodes", nodes);
    pthread_rwlock_unlock(&w->wiring);
    return status;
}

/* ---- errors ---- */

/* Why a node does not do its work, "" = it does. */
static void read_error(const struct running_node *node, char out[320])
{
    struct source_status source;
    struct model_node_status model;
    struct view_info view;
    out[0] = '\0';
    if (node->source) {
        source_tap_status(node->source, &source);
        if (source.state == SOURCE_NO_SIGNAL)
            snprintf(out, 320, "%s", source.text[0] ? source.text : "no signal");
    } else if (node->model) {
        model_node_read_status(node->model, &model);
        snprintf(out, 320, "%s", model.error);
    } else if (node->view) {
        view_read_info(node->view, &view);
        snprintf(out, 320, "%s", view_error(&view));
    } else {
        snprintf(out, 320, "%s", sink_error(node));
    }
}

void workflow_tell_errors(struct running_workflow *w)
{
    pthread_rwlock_rdlock(&w->wiring);
    for (int i = 0; i < w->node_count; i++) {
        struct running_node *node = w->nodes[i];
        const struct runtime_outputs *o = &node->runtime->settings.node_outputs;
        char error[320];
        read_error(node, error);
        if (strcmp(error, node->told_error) == 0)
            continue;
        memcpy(node->told_error, error, sizeof error);
        json_t *message = json_pack("{s:s, s:s, s:s}", "workflow_id", w->graph->id, "node_id",
                                    node->graph_node->id, "error", error);
        if (message && o->event)
            o->event(o->context, "node_error", message);
        json_decref(message);
    }
    pthread_rwlock_unlock(&w->wiring);
}
