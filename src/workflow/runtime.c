#include "workflow/runtime.h"

#include "core/clock.h"
#include "core/log.h"
#include "workflow/graph.h"
#include "workflow/view_run.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct running_workflow;

/* One node of a running workflow; which of the three is set follows from its type's role. */
struct running_node {
    struct running_workflow *workflow;
    const struct graph_node *graph_node;
    struct source *source;
    struct model_node *model;
    struct view *view;
};

struct running_workflow {
    struct running_workflow *next;
    struct graph *graph;
    struct running_node nodes[]; /* as many as the graph has, in its order */
};

struct runtime {
    struct runtime_settings settings;
    pthread_mutex_t change; /* held while workflows start or stop */
    pthread_mutex_t list;   /* guards `workflows`; held briefly */
    struct running_workflow *workflows;
};

int runtime_create(struct runtime **out, const struct runtime_settings *settings)
{
    struct runtime *r = calloc(1, sizeof *r);
    if (!r)
        return OW_ENOMEM;
    r->settings = *settings;
    pthread_mutex_init(&r->change, NULL);
    pthread_mutex_init(&r->list, NULL);
    *out = r;
    return OW_OK;
}

/* ---- what flows between the nodes ---- */

static struct running_node *input_of(const struct running_node *node)
{
    int input = node->graph_node->input;
    return input >= 0 ? &node->workflow->nodes[input] : NULL;
}

/* The view's model is its direct input, or there is none. */
static struct running_node *model_behind(const struct running_node *view)
{
    struct running_node *input = input_of(view);
    return input && input->graph_node->type->role == NODE_MODEL ? input : NULL;
}

static struct running_node *source_behind(const struct running_node *node)
{
    struct running_node *at = input_of(node);
    while (at && at->graph_node->type->role != NODE_SOURCE)
        at = input_of(at);
    return at;
}

/* On the source's thread: every model and view behind it gets the frame, none is waited for. */
static void on_frame(void *context, struct frame *frame)
{
    struct running_node *source = context;
    struct running_workflow *w = source->workflow;
    for (int i = 0; i < w->graph->node_count; i++) {
        struct running_node *node = &w->nodes[i];
        if (node->model && input_of(node) == source)
            model_node_offer(node->model, frame);
        else if (node->view && source_behind(node) == source && view_takes_frames(node->view))
            view_offer(node->view, frame, NULL);
    }
}

/* On the model's thread: views in sync mode show the very frame that was inferred. */
static void on_result(void *context, struct frame *frame, struct detections *detections)
{
    struct running_node *model = context;
    struct running_workflow *w = model->workflow;
    for (int i = 0; i < w->graph->node_count; i++) {
        struct running_node *node = &w->nodes[i];
        if (node->view && input_of(node) == model && !view_takes_frames(node->view))
            view_offer(node->view, frame, detections);
    }
}

static enum model_demand demand(void *context)
{
    struct running_node *model = context;
    struct running_workflow *w = model->workflow;
    enum model_demand most = MODEL_UNWANTED;
    for (int i = 0; i < w->graph->node_count; i++) {
        struct running_node *node = &w->nodes[i];
        if (!node->view || input_of(node) != model || !view_is_watched(node->view))
            continue;
        if (!view_takes_frames(node->view))
            return MODEL_FOR_PICTURE;
        most = MODEL_FOR_PREDICTION;
    }
    return most;
}

/* ---- starting ---- */

/* `name` itself when there is such a file or it is a URL, else the first that exists of folder/name
 * and folder/name + suffix, else `name`: whoever opens it says that it is missing. */
static void resolve_path(char out[NODE_PATH_BYTES], const char *name, const char *folder,
                         const char *suffix)
{
    const char *const suffixes[] = {"", suffix};
    snprintf(out, NODE_PATH_BYTES, "%s", name);
    if (!folder || !name[0] || name[0] == '/' || strchr(name, ':') || access(name, R_OK) == 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        char path[NODE_PATH_BYTES];
        int length = snprintf(path, sizeof path, "%s/%s%s", folder, name, suffixes[i]);
        if (length < NODE_PATH_BYTES && access(path, R_OK) == 0) {
            memcpy(out, path, (size_t)length + 1);
            return;
        }
    }
}

static int start_model(struct runtime *r, struct running_node *node, struct reason *why)
{
    const struct graph_node *g = node->graph_node;
    struct model_node_parts parts = {
        .id = g->id,
        .threads = r->settings.model_threads,
        .context = node,
        .demand = demand,
        .on_result = on_result,
    };
    int rc = g->type->configure_model(g->data, &parts.settings, why);
    if (rc < 0)
        return rc;
    const char *name = parts.settings.model;
    if (!name[0] && r->settings.default_model)
        name = r->settings.default_model;
    resolve_path(parts.path, name, r->settings.model_folder, ".onnx");
    rc = model_node_start(&node->model, &parts);
    return rc < 0 ? reason_set(why, rc, "model \"%s\": %s", g->id, error_text(rc)) : OW_OK;
}

static const char *label_of(const struct graph_node *node)
{
    const char *label = json_string_value(json_object_get(node->data, "label"));
    return label && label[0] ? label : node->type->label;
}

static int start_view(struct runtime *r, struct running_node *node, struct reason *why)
{
    const struct graph_node *g = node->graph_node;
    struct running_node *model = model_behind(node);
    struct view_parts parts = {
        .node_id = g->id,
        .workflow_id = node->workflow->graph->id,
        .workflow_name = node->workflow->graph->name,
        .label = label_of(g),
        .source_id = source_behind(node)->graph_node->id,
        .model_id = model ? model->graph_node->id : "",
        .outputs = r->settings.outputs,
        .h264_backend = r->settings.h264_backend,
        .model = model ? model->model : NULL,
    };
    int rc = g->type->configure_view(g->data, &parts.settings, why);
    if (rc == OW_OK && model) {
        struct model_node_settings settings;
        rc = model->graph_node->type->configure_model(model->graph_node->data, &settings, why);
        parts.xray = settings.xray;
        parts.style = settings.style;
        parts.xray_max_fps = settings.xray_max_fps;
    }
    return rc == OW_OK ? view_start(&node->view, &parts, why) : rc;
}

static int start_source(struct runtime *r, struct running_node *node, struct reason *why)
{
    const struct graph_node *g = node->graph_node;
    struct source_settings settings;
    char url[NODE_PATH_BYTES], path[NODE_PATH_BYTES];
    int rc = g->type->configure_source(g->data, &settings, url, why);
    if (rc < 0)
        return rc;
    resolve_path(path, settings.url, r->settings.media_folder, "");
    settings.url = path;
    rc = source_start(&node->source, &settings, on_frame, node, why);
    if (rc < 0)
        return rc;
    struct running_workflow *w = node->workflow;
    for (int i = 0; i < w->graph->node_count; i++)
        if (w->nodes[i].view && source_behind(&w->nodes[i]) == node)
            view_attach_source(w->nodes[i].view, node->source);
    return OW_OK;
}

static int start_role(struct runtime *r, struct running_workflow *w, enum node_role role,
                      struct reason *why)
{
    int rc = OW_OK;
    for (int i = 0; i < w->graph->node_count && rc == OW_OK; i++) {
        struct running_node *node = &w->nodes[i];
        if (node->graph_node->type->role != role)
            continue;
        switch (role) {
        case NODE_SOURCE:
            rc = start_source(r, node, why);
            break;
        case NODE_MODEL:
            rc = start_model(r, node, why);
            break;
        case NODE_VIEW:
            rc = start_view(r, node, why);
            break;
        }
    }
    return rc;
}

/* Views first, since they borrow models and sources; then sources, which feed the models. */
static void stop_workflow(struct running_workflow *w)
{
    for (int i = 0; i < w->graph->node_count; i++)
        if (w->nodes[i].view)
            view_stop(w->nodes[i].view);
    for (int i = 0; i < w->graph->node_count; i++)
        if (w->nodes[i].source)
            source_stop(&w->nodes[i].source);
    for (int i = 0; i < w->graph->node_count; i++)
        if (w->nodes[i].model)
            model_node_stop(&w->nodes[i].model);
    for (int i = 0; i < w->graph->node_count; i++)
        view_unref(&w->nodes[i].view);
    graph_destroy(&w->graph);
    free(w);
}

static struct running_workflow *find_workflow(struct runtime *r, const char *id)
{
    struct running_workflow *w = r->workflows;
    while (w && strcmp(w->graph->id, id) != 0)
        w = w->next;
    return w;
}

static struct view *find_view(struct runtime *r, const char *node_id)
{
    for (struct running_workflow *w = r->workflows; w; w = w->next)
        for (int i = 0; i < w->graph->node_count; i++)
            if (w->nodes[i].view && strcmp(w->nodes[i].graph_node->id, node_id) == 0)
                return w->nodes[i].view;
    return NULL;
}

static int check_unique(struct runtime *r, const struct graph *graph, struct reason *why)
{
    if (find_workflow(r, graph->id))
        return reason_set(why, OW_EEXISTS, "workflow \"%s\" is running already: stop it first",
                          graph->id);
    for (int i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].type->role == NODE_VIEW && find_view(r, graph->nodes[i].id))
            return reason_set(why, OW_EEXISTS,
                              "a view \"%s\" is running already in another workflow",
                              graph->nodes[i].id);
    return OW_OK;
}

static int start_workflow(struct runtime *r, struct graph *graph, struct running_workflow **out,
                          struct reason *why)
{
    struct running_workflow *w =
        calloc(1, sizeof *w + (size_t)graph->node_count * sizeof w->nodes[0]);
    if (!w) {
        graph_destroy(&graph);
        return reason_set(why, OW_ENOMEM, "out of memory");
    }
    w->graph = graph;
    for (int i = 0; i < graph->node_count; i++) {
        w->nodes[i].workflow = w;
        w->nodes[i].graph_node = &graph->nodes[i];
    }
    int rc = start_role(r, w, NODE_MODEL, why);
    if (rc == OW_OK)
        rc = start_role(r, w, NODE_VIEW, why);
    if (rc == OW_OK)
        rc = start_role(r, w, NODE_SOURCE, why);
    if (rc < 0) {
        stop_workflow(w);
        return rc;
    }
    *out = w;
    return OW_OK;
}

int runtime_execute(struct runtime *r, json_t *workflow, json_t **report, struct reason *why)
{
    struct graph *graph = NULL;
    struct running_workflow *w = NULL;
    int rc = graph_parse(&graph, workflow, report);
    if (rc < 0)
        return reason_set(why, rc, "the workflow is not valid");
    pthread_mutex_lock(&r->change);
    rc = check_unique(r, graph, why);
    if (rc < 0)
        graph_destroy(&graph);
    else
        rc = start_workflow(r, graph, &w, why);
    if (rc == OW_OK) {
        pthread_mutex_lock(&r->list);
        w->next = r->workflows;
        r->workflows = w;
        pthread_mutex_unlock(&r->list);
        log_info("workflow %s started: %d nodes", w->graph->id, w->graph->node_count);
    }
    pthread_mutex_unlock(&r->change);
    return rc;
}

/* ---- stopping and asking ---- */

static int stop_first(struct runtime *r, const char *id)
{
    pthread_mutex_lock(&r->list);
    struct running_workflow **at = &r->workflows;
    while (*at && id && strcmp((*at)->graph->id, id) != 0)
        at = &(*at)->next;
    struct running_workflow *w = *at;
    if (w)
        *at = w->next;
    pthread_mutex_unlock(&r->list);
    if (!w)
        return OW_ENOTFOUND;
    log_info("workflow %s stops", w->graph->id);
    stop_workflow(w);
    return OW_OK;
}

int runtime_stop(struct runtime *r, const char *workflow_id)
{
    pthread_mutex_lock(&r->change);
    int rc = stop_first(r, workflow_id);
    pthread_mutex_unlock(&r->change);
    return rc;
}

void runtime_stop_all(struct runtime *r)
{
    pthread_mutex_lock(&r->change);
    while (stop_first(r, NULL) == OW_OK)
        continue;
    pthread_mutex_unlock(&r->change);
}

json_t *runtime_status(struct runtime *r)
{
    json_t *ids = json_array();
    pthread_mutex_lock(&r->list);
    for (struct running_workflow *w = r->workflows; w; w = w->next)
        json_array_append_new(ids, json_string(w->graph->id));
    pthread_mutex_unlock(&r->list);
    return json_pack("{s:I, s:o}", "running_workflows", (json_int_t)json_array_size(ids),
                     "workflow_ids", ids);
}

static json_t *source_node_status(struct source *source)
{
    static const char *const states[] = {[SOURCE_OPENING] = "opening",
                                         [SOURCE_PLAYING] = "playing",
                                         [SOURCE_NO_SIGNAL] = "no_signal",
                                         [SOURCE_ENDED] = "ended"};
    struct source_status s;
    source_status(source, &s);
    return json_pack("{s:s, s:f, s:i, s:i, s:I, s:I, s:s, s:s}", "state", states[s.state], "fps",
                     s.fps, "width", s.width, "height", s.height, "frames", (json_int_t)s.frames,
                     "reopened", (json_int_t)s.reopened, "codec", s.codec, "reason", s.text);
}

static json_t *model_node_status(struct model_node *model)
{
    struct model_node_status s;
    model_node_read_status(model, &s);
    return json_pack("{s:s, s:f, s:f, s:i, s:I, s:s}", "state", s.state, "fps", s.fps,
                     "inference_ms", s.inference_ms, "detections", s.detections, "dropped",
                     (json_int_t)s.dropped, "reason", s.error);
}

static json_t *view_node_status(struct view *view)
{
    struct view_info info;
    view_read_info(view, &info);
    const char *state = info.error[0] ? "error" : view_is_watched(view) ? "running" : "idle";
    return json_pack("{s:s, s:f, s:f, s:i, s:I, s:s}", "state", state, "fps", info.fps,
                     "latency_ms", info.processing_ms, "detections", info.detections, "dropped",
                     (json_int_t)info.dropped, "reason", info.error);
}

static json_t *node_status(const struct running_node *node)
{
    json_t *status = node->source  ? source_node_status(node->source)
                     : node->model ? model_node_status(node->model)
                                   : view_node_status(node->view);
    json_object_set_new(status, "type", json_string(node->graph_node->type->name));
    return status;
}

json_t *runtime_workflow_status(struct runtime *r, const char *workflow_id)
{
    json_t *status = NULL;
    pthread_mutex_lock(&r->list);
    struct running_workflow *w = find_workflow(r, workflow_id);
    if (w) {
        json_t *nodes = json_object();
        for (int i = 0; i < w->graph->node_count; i++)
            json_object_set_new(nodes, w->nodes[i].graph_node->id, node_status(&w->nodes[i]));
        status = json_pack("{s:s, s:s, s:b, s:o}", "workflow_id", w->graph->id, "name",
                           w->graph->name, "running", 1, "nodes", nodes);
    }
    pthread_mutex_unlock(&r->list);
    return status;
}

struct view *runtime_find_view(struct runtime *r, const char *node_id)
{
    pthread_mutex_lock(&r->list);
    struct view *view = find_view(r, node_id);
    if (view)
        view_ref(view);
    pthread_mutex_unlock(&r->list);
    return view;
}

int runtime_views(struct runtime *r, struct view **out, int max)
{
    int count = 0;
    pthread_mutex_lock(&r->list);
    for (struct running_workflow *w = r->workflows; w; w = w->next)
        for (int i = 0; i < w->graph->node_count && count < max; i++)
            if (w->nodes[i].view)
                out[count++] = view_ref(w->nodes[i].view);
    pthread_mutex_unlock(&r->list);
    return count;
}

void runtime_destroy(struct runtime **runtime)
{
    struct runtime *r = *runtime;
    *runtime = NULL;
    if (!r)
        return;
    runtime_stop_all(r);
    pthread_mutex_destroy(&r->list);
    pthread_mutex_destroy(&r->change);
    free(r);
}
