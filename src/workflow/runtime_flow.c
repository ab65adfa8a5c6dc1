/* What flows between the nodes of a running workflow. On the threads of sources and models: nothing
 * here waits for anybody. */
#include "workflow/runtime_internal.h"

#include "core/clock.h"
#include "workflow/detections_json.h"

#include <string.h>

enum { MAX_ZONE_EVENTS = 32 };

struct running_node *running_input(const struct running_node *node)
{
    int input = node->graph_node->input;
    return input >= 0 ? node->workflow->nodes[input] : NULL;
}

static enum node_role role_of(const struct running_node *node)
{
    return node->graph_node->type->role;
}

struct running_node *running_model(struct running_node *node)
{
    while (node && role_of(node) != NODE_MODEL)
        node = running_input(node);
    return node;
}

struct running_node *running_source(struct running_node *node)
{
    while (node && role_of(node) != NODE_SOURCE)
        node = running_input(node);
    return node;
}

bool running_is_behind(const struct running_node *node, const struct running_node *other)
{
    do
        node = running_input(node);
    while (node && node != other && node->filter);
    return node == other;
}

/* Is this node still one of its workflow's? One that is about to go feeds nobody. */
static bool is_wired(const struct running_node *node)
{
    const struct running_workflow *w = node->workflow;
    for (int i = 0; i < w->node_count; i++)
        if (w->nodes[i] == node)
            return true;
    return false;
}

void flow_frame(void *context, struct frame *frame)
{
    struct running_node *source = context;
    struct running_workflow *w = source->workflow;
    pthread_rwlock_rdlock(&w->wiring);
    bool wired = is_wired(source);
    for (int i = 0; wired && i < w->node_count; i++) {
        struct running_node *node = w->nodes[i];
        if (node->model && running_input(node) == source)
            model_node_offer(node->model, frame);
        else if (node->view && running_source(node) == source && view_takes_frames(node->view))
            view_offer(node->view, frame, NULL);
    }
    pthread_rwlock_unlock(&w->wiring);
}

/* ---- results ---- */

/* One result on its way through what stands behind the model. */
struct passage {
    struct running_node *model;
    struct frame *frame;
    const struct runtime_outputs *outputs;
    const char *workflow_id;
    int64_t now_us;
};

/* What the zones counted that a node's results come through, its own included, or where they are in
 * `source`; NULL = none. */
static json_t *describe_zones(const struct running_node *node, const struct detections *source)
{
    json_t *list = NULL;
    for (const struct running_node *at = node->filter ? node : running_input(node);
         at && at->filter; at = running_input(at)) {
        struct filter_zone zone;
        if (!filter_read_zone(at->filter, &zone))
            continue;
        list = list ? list : json_array();
        json_array_insert_new(
            list, 0,
            source ? zone_describe_place(&zone, source->source_width, source->source_height)
                   : zone_describe(&zone));
    }
    return list;
}

static void tell_detections(const struct passage *passage, const struct running_node *node,
                            const struct detections *detections)
{
    const struct runtime_outputs *o = passage->outputs;
    const char *id = node->graph_node->id;
    if (!o->detections || !o->wants_detections ||
        !o->wants_detections(o->context, passage->workflow_id, id))
        return;
    json_t *zones = describe_zones(node, NULL), *places = describe_zones(node, detections);
    o->detections(o->context, passage->workflow_id, id, detections, zones, places);
    json_decref(zones);
    json_decref(places);
}

static void publish(const struct passage *passage, const struct running_node *node,
                    const struct detections *detections)
{
    const struct runtime_outputs *o = passage->outputs;
    if (!o->publish)
        return;
    json_t *zones = describe_zones(node, NULL);
    o->publish(o->context, &node->sink, passage->workflow_id, node->graph_node->id, detections,
               zones);
    json_decref(zones);
}

static void tell_event(const struct passage *passage, const char *topic, json_t *message)
{
    if (message && passage->outputs->event)
        passage->outputs->event(passage->outputs->context, topic, message);
    json_decref(message);
}

/* To the views behind a zone, which may record it. */
static void record_event(const struct running_node *zone, const struct detections *seen,
                         const json_t *event)
{
    const struct running_workflow *w = zone->workflow;
    for (int i = 0; i < w->node_count; i++)
        if (w->nodes[i]->view && running_is_behind(w->nodes[i], zone))
            view_record_event(w->nodes[i]->view, seen->capture_us, "zone_event", event);
}

static void tell_zone(const struct passage *passage, const struct running_node *node,
                      const struct detections *seen, const struct zone_event *event)
{
    char scratch[16];
    const char *name =
        event->class_id < 0 ? "" : label_set_name(seen->labels, event->class_id, scratch);
    json_t *message =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:i}", "workflow_id", passage->workflow_id, "node_id",
                  node->graph_node->id, "event", zone_event_name(event->kind), "track_id",
                  (json_int_t)event->track_id, "class_name", name, "inside", event->inside);
    record_event(node, seen, message);
    tell_event(passage, "zone_event", message);
}

static json_t *list_of(const struct detections *detections)
{
    json_t *list = json_array();
    for (int i = 0; i < detections->count; i++) {
        const struct detection *d = &detections->items[i];
        char scratch[16];
        json_array_append_new(
            list, json_pack("{s:s, s:f, s:[f, f, f, f], s:I}", "class_name",
                            label_set_name(detections->labels, d->class_id, scratch), "confidence",
                            (double)d->confidence, "bbox", (double)d->x1, (double)d->y1,
                            (double)d->x2, (double)d->y2, "track_id", (json_int_t)d->track_id));
    }
    return list;
}

static void tell_message(const struct passage *passage, const struct running_node *node,
                         const struct detections *detections)
{
    const struct sink_settings *sink = &node->sink;
    char text[64];
    snprintf(text, sizeof text, "%d detection%s", detections->count,
             detections->count == 1 ? "" : "s");
    json_t *message =
        json_pack("{s:s, s:s, s:s, s:s}", "workflow_id", passage->workflow_id, "node_id",
                  node->graph_node->id, "level", sink->level, "message", text);
    if (message && sink->with_data)
        json_object_set_new(message, "data", list_of(detections));
    tell_event(passage, "debug_message", message);
}

static void feed_sink(const struct passage *passage, struct running_node *node,
                      const struct detections *detections)
{
    const struct sink_settings *sink = &node->sink;
    bool none = detections->count == 0;
    if ((sink->only_with_detections && none && node->sink_told_none) ||
        !rate_gate_pass(&node->sink_gate, passage->now_us, sink->max_fps))
        return;
    node->sink_told_none = none;
    if (sink->kind == SINK_DATA)
        tell_detections(passage, node, detections);
    else if (sink->kind == SINK_MESSAGES)
        tell_message(passage, node, detections);
    else
        publish(passage, node, detections);
}

static void pass_on(const struct passage *passage, struct running_node *from,
                    struct detections *detections, bool held);

static void feed_filter(const struct passage *passage, struct running_node *node,
                        struct detections *detections)
{
    struct zone_event events[MAX_ZONE_EVENTS];
    struct detections *passing = NULL;
    enum filter_verdict verdict = filter_apply(node->filter, detections, &passing);
    int count =
        filter_update(node->filter, detections, verdict, passage->now_us, events, MAX_ZONE_EVENTS);
    for (int i = 0; i < count; i++)
        tell_zone(passage, node, detections, &events[i]);
    if (passing && verdict == FILTER_PASSES)
        tell_detections(passage, node, passing);
    if (passing)
        pass_on(passage, node, passing, verdict == FILTER_HOLDS);
    detections_unref(&passing);
}

static void show(const struct passage *passage, struct view *view, struct detections *detections,
                 bool held)
{
    view_set_held(view, held);
    if (!held)
        view_offer(view, passage->frame, detections);
}

/* To all that `from` feeds. Every node has one input, so each is come to once. `held`: views behind
 * stand still, and nothing that passed is told. */
static void pass_on(const struct passage *passage, struct running_node *from,
                    struct detections *detections, bool held)
{
    const struct running_workflow *w = from->workflow;
    for (int i = 0; i < w->node_count; i++) {
        struct running_node *node = w->nodes[i];
        if (running_input(node) != from)
            continue;
        if (node->view)
            view_record_result(node->view, from->graph_node->id, detections->capture_us,
                               held ? 0 : detections->count);
        if (node->filter)
            feed_filter(passage, node, detections);
        else if (node->view && view_takes_frames(node->view))
            view_refresh(node->view);
        else if (node->view)
            show(passage, node->view, detections, held);
        else if (role_of(node) == NODE_SINK && (detections->count > 0 || from->model))
            feed_sink(passage, node, detections);
    }
}

/* On the model's thread: views in sync mode show the very frame that was inferred. */
void flow_result(void *context, struct frame *frame, struct detections *detections)
{
    struct running_node *model = context;
    struct running_workflow *w = model->workflow;
    pthread_rwlock_rdlock(&w->wiring);
    if (is_wired(model)) {
        struct passage passage = {.model = model,
                                  .frame = frame,
                                  .outputs = &model->runtime->settings.node_outputs,
                                  .workflow_id = w->graph->id,
                                  .now_us = clock_now_us()};
        tell_detections(&passage, model, detections);
        pass_on(&passage, model, detections, false);
    }
    pthread_rwlock_unlock(&w->wiring);
}

/* ---- who wants a model's results ---- */

static bool is_asked_for(const struct running_node *node)
{
    const struct runtime_outputs *o = &node->runtime->settings.node_outputs;
    return o->wants_detections &&
           o->wants_detections(o->context, node->workflow->graph->id, node->graph_node->id);
}

/* A view that draws nothing still stands or moves as its filters say. */
static bool shows_results(const struct running_node *view)
{
    const struct running_node *input = running_input(view);
    return view_draws(view->view) || (input && input->filter);
}

/* A zone counts, a debug node writes and MQTT is told whether or not anybody looks. */
static enum model_demand demand_of(struct running_node *node)
{
    switch (role_of(node)) {
    case NODE_VIEW:
        if (!view_is_watched(node->view) || !shows_results(node))
            return MODEL_UNWANTED;
        return view_takes_frames(node->view) ? MODEL_FOR_PREDICTION : MODEL_FOR_PICTURE;
    case NODE_FILTER: {
        struct filter_status status;
        filter_read_status(node->filter, &status);
        return status.kind == FILTER_ZONE || is_asked_for(node) ? MODEL_FOR_PREDICTION
                                                                : MODEL_UNWANTED;
    }
    case NODE_SINK:
        return node->sink.kind != SINK_DATA || is_asked_for(node) ? MODEL_FOR_PREDICTION
                                                                  : MODEL_UNWANTED;
    case NODE_MODEL:
        return is_asked_for(node) ? MODEL_FOR_PREDICTION : MODEL_UNWANTED;
    case NODE_SOURCE:
        break;
    }
    return MODEL_UNWANTED;
}

enum model_demand flow_demand(void *context)
{
    struct running_node *model = context;
    struct running_workflow *w = model->workflow;
    enum model_demand most = MODEL_UNWANTED;
    pthread_rwlock_rdlock(&w->wiring);
    bool wired = is_wired(model);
    for (int i = 0; wired && i < w->node_count; i++) {
        if (running_model(w->nodes[i]) != model)
            continue;
        enum model_demand one = demand_of(w->nodes[i]);
        most = one > most ? one : most;
    }
    pthread_rwlock_unlock(&w->wiring);
    return most;
}
