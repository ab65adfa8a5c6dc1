#include "workflow/library.h"
#include "workflow/runtime_internal.h"

#include "core/log.h"
#include "encode/jpeg.h"
#include "encode/scaler.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WORKFLOWS = 64 };

static void free_tools(struct runtime *r)
{
    recording_list_destroy(&r->recording_list);
    record_folder_destroy(&r->recordings);
    model_catalogue_destroy(&r->catalogue);
    model_pool_destroy(&r->models);
    source_hub_destroy(&r->sources);
    pthread_mutex_destroy(&r->list);
    pthread_mutex_destroy(&r->change);
    free(r);
}

int runtime_create(struct runtime **out, const struct runtime_settings *settings,
                   struct reason *why)
{
    struct runtime *r = calloc(1, sizeof *r);
    if (!r)
        return reason_set(why, OW_ENOMEM, "out of memory");
    r->settings = *settings;
    pthread_mutex_init(&r->change, NULL);
    pthread_mutex_init(&r->list, NULL);
    int rc = source_hub_create(&r->sources);
    if (rc == OW_OK)
        rc = model_pool_create(&r->models, settings->execution_providers);
    const struct model_options options = {.threads = settings->model_threads,
                                          .providers = settings->execution_providers};
    if (rc == OW_OK)
        rc = model_catalogue_create(&r->catalogue, &options);
    if (rc < 0)
        (void)reason_set(why, rc, "%s", error_text(rc));
    else if (settings->recordings_folder && settings->max_recordings_bytes > 0)
        rc = record_folder_create(&r->recordings, settings->recordings_folder,
                                  settings->max_recordings_bytes, why);
    if (rc == OW_OK && r->recordings &&
        recording_list_create(&r->recording_list, r->recordings) < 0)
        rc = reason_set(why, OW_ENOMEM, "out of memory");
    if (rc < 0) {
        free_tools(r);
        return rc;
    }
    *out = r;
    return OW_OK;
}

struct running_workflow *runtime_find(struct runtime *r, const char *id)
{
    struct running_workflow *w = r->workflows;
    while (w && strcmp(w->graph->id, id) != 0)
        w = w->next;
    return w;
}

/* ---- starting and changing ---- */

static bool has_view(const struct running_workflow *w, const char *node_id)
{
    for (int i = 0; i < w->node_count; i++)
        if (w->nodes[i]->view && strcmp(w->nodes[i]->graph_node->id, node_id) == 0)
            return true;
    return false;
}

/* Viewers ask for views by their node ids alone. */
static int check_views(struct runtime *r, const struct graph *graph, struct reason *why)
{
    for (struct running_workflow *w = r->workflows; w; w = w->next) {
        if (strcmp(w->graph->id, graph->id) == 0)
            continue;
        for (int i = 0; i < graph->node_count; i++)
            if (graph->nodes[i].type->role == NODE_VIEW && has_view(w, graph->nodes[i].id))
                return reason_set(why, OW_EEXISTS,
                                  "a view \"%s\" is running already in the workflow \"%s\": stop "
                                  "that one first",
                                  graph->nodes[i].id, w->graph->name);
    }
    return OW_OK;
}

static int check_room(struct runtime *r, const struct graph *graph, struct reason *why)
{
    int max = r->settings.max_workflows > 0 ? r->settings.max_workflows : MAX_WORKFLOWS, count = 0;
    for (const struct running_workflow *w = r->workflows; w; w = w->next)
        count++;
    if (count < max || runtime_find(r, graph->id))
        return OW_OK;
    return reason_set(why, OW_ELIMIT,
                      "%d workflows are running, no more may (--max-workflows): stop one first",
                      count);
}

static int check(struct runtime *r, const struct graph *graph, enum runtime_origin origin,
                 struct reason *why)
{
    int rc = check_room(r, graph, why);
    if (rc == OW_OK)
        rc = check_views(r, graph, why);
    for (int i = 0; i < graph->node_count && rc == OW_OK; i++)
        rc = node_check_access(r, origin, &graph->nodes[i], why);
    return rc;
}

static void enlist(struct runtime *r, struct running_workflow *w)
{
    pthread_mutex_lock(&r->list);
    w->next = r->workflows;
    r->workflows = w;
    pthread_mutex_unlock(&r->list);
}

/* Under `change`; takes the graph over. A workflow that is changed stays out of sight meanwhile
 * only for those who would look at a node that is about to go: they wait for `list`. */
static int apply(struct runtime *r, struct graph *graph, enum runtime_origin origin,
                 json_t **changes, struct reason *why)
{
    int rc = check(r, graph, origin, why);
    if (rc < 0) {
        graph_destroy(&graph);
        return rc;
    }
    struct running_workflow *w = runtime_find(r, graph->id);
    bool starts = !w;
    rc = workflow_apply(r, &w, graph, origin, changes, why);
    if (rc == OW_OK && starts) {
        enlist(r, w);
        log_info("workflow %s started: %d nodes", w->graph->id, w->node_count);
    }
    return rc;
}

int runtime_execute(struct runtime *r, json_t *workflow, enum runtime_origin origin,
                    json_t **report, struct reason *why)
{
    struct graph *graph = NULL;
    int rc = graph_parse(&graph, workflow, report);
    if (rc < 0)
        return reason_set(why, rc, "the workflow is not valid");
    pthread_mutex_lock(&r->change);
    if (runtime_find(r, graph->id)) {
        rc = reason_set(why, OW_EEXISTS, "workflow \"%s\" is running already: stop it first",
                        graph->id);
        graph_destroy(&graph);
    } else {
        rc = apply(r, graph, origin, NULL, why);
    }
    pthread_mutex_unlock(&r->change);
    return rc;
}

int runtime_apply(struct runtime *r, json_t *workflow, enum runtime_origin origin, json_t **report,
                  json_t **changes, struct reason *why)
{
    struct graph *graph = NULL;
    int rc = graph_parse(&graph, workflow, report);
    if (rc < 0)
        return reason_set(why, rc, "the workflow is not valid");
    pthread_mutex_lock(&r->change);
    rc = apply(r, graph, origin, changes, why);
    pthread_mutex_unlock(&r->change);
    return rc;
}

static void add_error(json_t *report, const char *message)
{
    json_array_append_new(json_object_get(report, "errors"),
                          json_pack("{s:n, s:n, s:s}", "node_id", "setting", "message", message));
}

int runtime_preview(struct runtime *r, json_t *workflow, enum runtime_origin origin,
                    json_t **report, json_t **changes)
{
    struct graph *graph = NULL;
    struct reason why = {""};
    int rc = graph_parse(&graph, workflow, report);
    *changes = NULL;
    if (rc == OW_OK) {
        pthread_mutex_lock(&r->change);
        rc = check(r, graph, origin, &why);
        if (rc == OW_OK)
            *changes = workflow_changes(runtime_find(r, graph->id), graph);
        pthread_mutex_unlock(&r->change);
        if (rc < 0)
            add_error(*report, why.text);
    }
    graph_destroy(&graph);
    if (!*changes)
        *changes = json_array();
    return rc;
}

/* ---- one node ---- */

static json_t *find_change(const json_t *changes, const char *node_id)
{
    size_t i;
    json_t *change;
    json_array_foreach(changes, i,
                       change) if (strcmp(json_string_value(json_object_get(change, "node_id")),
                                          node_id) == 0) return json_incref(change);
    return json_null();
}

/* Under `change`: the graph with settings of a node changed, and its document, a copy: the running
 * one keeps its own until it is done. */
static int change_node(struct running_workflow *w, const char *node_id, const json_t *data,
                       struct graph **graph, json_t **document, struct reason *why)
{
    json_t *report = NULL, *copy = w ? json_deep_copy(w->graph->document) : NULL;
    json_t *node = graph_find_node(copy, node_id);
    if (!node) {
        json_decref(copy);
        return reason_set(why, OW_ENOTFOUND, "no such node is running");
    }
    int rc = graph_check_change(node, data, why);
    if (rc == OW_OK && json_object_update(graph_settings(node), (json_t *)data) < 0)
        rc = OW_ENOMEM;
    if (rc == OW_OK)
        rc = graph_parse(graph, copy, &report);
    const json_t *error = json_array_get(json_object_get(report, "errors"), 0);
    if (rc == OW_EPARSE && error)
        rc = reason_set(why, OW_EINVAL, "%s", json_string_value(json_object_get(error, "message")));
    json_decref(report);
    if (rc == OW_OK)
        *document = copy;
    else
        json_decref(copy);
    return rc;
}

int runtime_check_node(struct runtime *r, const char *workflow_id, const char *node_id,
                       const json_t *data, struct reason *why)
{
    struct graph *graph = NULL;
    json_t *document = NULL;
    pthread_mutex_lock(&r->change);
    struct running_workflow *w = runtime_find(r, workflow_id);
    int rc = change_node(w, node_id, data, &graph, &document, why);
    if (rc == OW_OK)
        rc = check(r, graph, w->origin, why);
    pthread_mutex_unlock(&r->change);
    graph_destroy(&graph);
    json_decref(document);
    return rc;
}

static int set_node(struct runtime *r, const char *workflow_id, const char *node_id,
                    const json_t *data, json_t **document, json_t **change, struct reason *why)
{
    struct running_workflow *w = runtime_find(r, workflow_id);
    struct graph *graph = NULL;
    json_t *changed = NULL, *changes = NULL;
    int rc = change_node(w, node_id, data, &graph, &changed, why);
    if (rc == OW_OK)
        rc = apply(r, graph, w->origin, &changes, why);
    if (rc == OW_OK) {
        *document = json_incref(changed);
        *change = find_change(changes, node_id);
    }
    json_decref(changes);
    json_decref(changed);
    return rc;
}

int runtime_set_node(struct runtime *r, const char *workflow_id, const char *node_id,
                     const json_t *data, json_t **document, json_t **change, struct reason *why)
{
    pthread_mutex_lock(&r->change);
    int rc = set_node(r, workflow_id, node_id, data, document, change, why);
    pthread_mutex_unlock(&r->change);
    return rc;
}

/* ---- stopping ---- */

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
    workflow_stop(&w);
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

void runtime_destroy(struct runtime **runtime)
{
    struct runtime *r = *runtime;
    *runtime = NULL;
    if (!r)
        return;
    runtime_stop_all(r);
    free_tools(r);
}

/* ---- asking ---- */

struct record_folder *runtime_recordings(struct runtime *r)
{
    return r->recordings;
}

json_t *runtime_list_recordings(struct runtime *r)
{
    return r->recordings ? recording_list_describe(r->recording_list) : json_array();
}

bool runtime_is_running(struct runtime *r, const char *workflow_id)
{
    pthread_mutex_lock(&r->list);
    bool running = runtime_find(r, workflow_id) != NULL;
    pthread_mutex_unlock(&r->list);
    return running;
}

json_t *runtime_document(struct runtime *r, const char *workflow_id)
{
    pthread_mutex_lock(&r->list);
    struct running_workflow *w = runtime_find(r, workflow_id);
    json_t *copy = NULL;
    if (w) {
        pthread_rwlock_rdlock(&w->wiring);
        copy = json_deep_copy(w->graph->document);
        pthread_rwlock_unlock(&w->wiring);
    }
    pthread_mutex_unlock(&r->list);
    return copy;
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

json_t *runtime_workflow_status(struct runtime *r, const char *workflow_id)
{
    pthread_mutex_lock(&r->list);
    struct running_workflow *w = runtime_find(r, workflow_id);
    json_t *status = w ? workflow_status(w) : NULL;
    pthread_mutex_unlock(&r->list);
    return status;
}

void runtime_tell_errors(struct runtime *r)
{
    pthread_mutex_lock(&r->list);
    for (struct running_workflow *w = r->workflows; w; w = w->next)
        workflow_tell_errors(w);
    pthread_mutex_unlock(&r->list);
}

/* Calls `found` for each running node until it returns true. */
static bool each_node(struct runtime *r, bool (*found)(void *context, struct running_node *node),
                      void *context)
{
    bool done = false;
    pthread_mutex_lock(&r->list);
    for (struct running_workflow *w = r->workflows; w && !done; w = w->next) {
        pthread_rwlock_rdlock(&w->wiring);
        for (int i = 0; i < w->node_count && !done; i++)
            done = found(context, w->nodes[i]);
        pthread_rwlock_unlock(&w->wiring);
    }
    pthread_mutex_unlock(&r->list);
    return done;
}

struct view_search {
    const char *node_id;
    struct view *view;
};

static bool is_view(void *context, struct running_node *node)
{
    struct view_search *search = context;
    if (node->view && strcmp(node->graph_node->id, search->node_id) == 0)
        search->view = view_ref(node->view);
    return search->view != NULL;
}

struct view *runtime_find_view(struct runtime *r, const char *node_id)
{
    struct view_search search = {.node_id = node_id};
    each_node(r, is_view, &search);
    return search.view;
}

struct view_list {
    struct view **views;
    int count, max;
};

static bool collect(void *context, struct running_node *node)
{
    struct view_list *list = context;
    if (node->view && list->count < list->max)
        list->views[list->count++] = view_ref(node->view);
    return list->count == list->max;
}

int runtime_views(struct runtime *r, struct view **out, int max)
{
    struct view_list list = {.views = out, .max = max};
    each_node(r, collect, &list);
    return list.count;
}

static bool tells_detections(void *context, struct running_node *node)
{
    enum node_role role = node->graph_node->type->role;
    bool tells = role == NODE_MODEL || role == NODE_FILTER ||
                 (role == NODE_SINK && node->sink.kind == SINK_DATA);
    return tells && strcmp(node->graph_node->id, context) == 0;
}

bool runtime_gives_detections(struct runtime *r, const char *node_id)
{
    return each_node(r, tells_detections, (char *)node_id);
}

/* ---- pictures of sources ---- */

struct frame_search {
    const char *node_id;
    bool known;
    struct frame *frame;
};

static bool is_source(void *context, struct running_node *node)
{
    struct frame_search *search = context;
    if (!node->source || strcmp(node->graph_node->id, search->node_id) != 0)
        return false;
    search->known = true;
    search->frame = source_tap_last(node->source);
    return true;
}

static int encode_picture(struct frame *frame, int width, struct encoded **out)
{
    enum { QUALITY = 70 };
    struct scaler *scaler = NULL;
    struct jpeg_encoder *jpeg = NULL;
    struct frame *scaled = NULL;
    int rc = jpeg_encoder_create(&jpeg);
    if (rc == OW_OK && width > 0 && width < frame->width) {
        rc = scaler_create(&scaler);
        if (rc == OW_OK)
            rc = scaler_scale(scaler, frame, width, &scaled);
    }
    if (rc == OW_OK)
        rc = jpeg_encode(jpeg, scaled ? scaled : frame, QUALITY, out);
    frame_unref(&scaled);
    scaler_destroy(&scaler);
    jpeg_encoder_destroy(&jpeg);
    return rc;
}

int runtime_source_picture(struct runtime *r, const char *node_id, int width, struct encoded **out)
{
    struct frame_search search = {.node_id = node_id};
    each_node(r, is_source, &search);
    if (!search.frame)
        return search.known ? OW_EAGAIN : OW_ENOTFOUND;
    int rc = encode_picture(search.frame, width, out);
    frame_unref(&search.frame);
    return rc;
}

/* ---- models ---- */

json_t *runtime_models(struct runtime *r)
{
    const struct runtime_settings *s = &r->settings;
    json_t *models = library_models(s->model_folder, s->upload_folder, s->default_model);
    char path[NODE_PATH_BYTES];
    size_t i;
    json_t *model;
    json_array_foreach(models, i, model)
    {
        const char *id = json_string_value(json_object_get(model, "id"));
        if (library_model_path(s->model_folder, s->upload_folder, id, path, NULL) != OW_OK)
            continue; /* it has gone meanwhile */
        json_t *found = model_catalogue_describe(r->catalogue, path);
        (void)json_object_update(model, found);
        json_decref(found);
    }
    return models;
}

int runtime_describe_model(struct runtime *r, const char *path, json_t **out, struct reason *why)
{
    json_t *found = model_catalogue_describe(r->catalogue, path);
    if (!found)
        return OW_ENOMEM;
    const char *error = json_string_value(json_object_get(found, "error"));
    int rc = error ? reason_set(why, OW_EUNSUPPORTED, "%s", error) : OW_OK;
    if (rc == OW_OK)
        *out = json_incref(found);
    json_decref(found);
    return rc;
}
