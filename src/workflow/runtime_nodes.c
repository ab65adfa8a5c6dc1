/* Single nodes of a running workflow: made, changed, ended. */
#include "workflow/runtime_internal.h"

#include "core/text_cut.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what may be opened ---- */

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

static bool resolve_upload(char out[NODE_PATH_BYTES], const char *name, const char *folder)
{
    static const char prefix[] = UPLOAD_PREFIX;
    if (!folder || strncmp(name, prefix, sizeof prefix - 1) != 0)
        return false;
    int size = snprintf(out, NODE_PATH_BYTES, "%s/%s", folder, name + sizeof prefix - 1);
    return size < NODE_PATH_BYTES && access(out, R_OK) == 0;
}

bool runtime_has_upload_open(struct runtime *runtime, const char *file)
{
    char path[NODE_PATH_BYTES];
    int size =
        snprintf(path, sizeof path, "%s/%s",
                 runtime->settings.upload_folder ? runtime->settings.upload_folder : "", file);
    return size < (int)sizeof path &&
           (source_hub_has(runtime->sources, path) || model_pool_has(runtime->models, path));
}

/* The file is there and really lies in the folder, whatever .. and links say. */
static bool lies_within(const char *path, const char *folder)
{
    char real_path[PATH_MAX], real_folder[PATH_MAX];
    if (!folder || !realpath(path, real_path) || !realpath(folder, real_folder))
        return false;
    size_t size = strlen(real_folder);
    return strncmp(real_path, real_folder, size) == 0 && real_path[size] == '/';
}

static bool is_network_address(const char *url)
{
    static const char *const schemes[] = {"rtsp://",  "rtsps://", "rtmp://", "rtmps://", "http://",
                                          "https://", "srt://",   "udp://",  "rtp://",   "test:"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

static bool is_local_camera(const char *url)
{
    static const char prefix[] = "v4l2:/dev/video";
    if (strncmp(url, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *number = url + sizeof prefix - 1;
    return number[0] && number[strspn(number, "0123456789")] == '\0';
}

static int check_source(const struct runtime *r, const char *url, struct reason *why)
{
    if (is_network_address(url) || is_local_camera(url))
        return OW_OK;
    if (!strchr(url, ':') &&
        (lies_within(url, r->settings.media_folder) || lies_within(url, r->settings.upload_folder)))
        return OW_OK;
    /* Of a name that leads nowhere else it may be said that nothing has it. */
    bool is_name = !strchr(url, ':') && url[0] != '/' && !strstr(url, "..");
    if (is_name && access(url, F_OK) != 0)
        return reason_set(why, OW_EINVAL,
                          "there is no video \"%.120s\" in the media folder or among the uploads",
                          url);
    return reason_set(why, OW_EAUTH,
                      "a workflow may only open uploaded videos, files of the media folder, "
                      "network addresses and local cameras: upload the file, put it there, or "
                      "start the program with it");
}

/* The address of a source node, as it is opened. */
static int read_source(struct runtime *r, const struct graph_node *g, struct source_settings *out,
                       char path[NODE_PATH_BYTES], struct reason *why)
{
    char url[NODE_PATH_BYTES];
    const char *camera = json_string_value(json_object_get(g->data, "cameraId"));
    const char *given = json_string_value(json_object_get(g->data, "url"));
    int rc = g->type->configure_source(g->data, out, url, why);
    if (rc < 0)
        return rc;
    bool saved =
        camera && camera[0] && !(given && given[0]) && strcmp(g->type->name, "camera") == 0;
    if (saved && r->settings.camera_address) {
        rc = r->settings.camera_address(r->settings.camera_context, camera, url, sizeof url, why);
        if (rc == OW_OK)
            out->url = url;
        else if (rc != OW_ENOTFOUND || !is_local_camera(out->url))
            return rc; /* a plain number is a local camera's, unless one is saved under it */
    }
    if (!resolve_upload(path, out->url, r->settings.upload_folder))
        resolve_path(path, out->url, r->settings.media_folder, "");
    out->url = path;
    return OW_OK;
}

static void find_model(const struct runtime *r, const struct model_node_settings *settings,
                       char path[NODE_PATH_BYTES])
{
    const char *name = settings->model;
    if (!name[0] && r->settings.default_model)
        name = r->settings.default_model;
    static const char *const endings[] = {"", ".onnx"};
    for (size_t i = 0; i < 2; i++) {
        char file[NODE_PATH_BYTES];
        int size = snprintf(file, sizeof file, "%s%s", name, endings[i]);
        if (size < (int)sizeof file && resolve_upload(path, file, r->settings.upload_folder))
            return;
    }
    resolve_path(path, name, r->settings.model_folder, ".onnx");
}

int node_check_access(struct runtime *r, enum runtime_origin origin, const struct graph_node *g,
                      struct reason *why)
{
    char path[NODE_PATH_BYTES] = "";
    struct source_settings source;
    struct model_node_settings model;
    if (origin == RUNTIME_TRUSTED)
        return OW_OK;
    if (g->type->role == NODE_SOURCE) {
        int rc = read_source(r, g, &source, path, why);
        return rc < 0 ? rc : check_source(r, path, why);
    }
    if (g->type->role != NODE_MODEL || g->type->configure_model(g->data, &model, why) < 0)
        return OW_OK;
    find_model(r, &model, path);
    if (!model.model[0] || lies_within(path, r->settings.model_folder) ||
        lies_within(path, r->settings.upload_folder))
        return OW_OK;
    /* A name that nothing has: the picture runs, and the node says what is missing. */
    static const char upload[] = UPLOAD_PREFIX;
    const char *bare =
        model.model +
        (strncmp(model.model, upload, sizeof upload - 1) == 0 ? sizeof upload - 1 : 0);
    if (!strchr(bare, '/') && access(path, F_OK) != 0)
        return OW_OK;
    return reason_set(why, OW_EAUTH, "%.100s is not in the model folder, which workflows take from",
                      model.model);
}

/* ---- making ---- */

static int create_source(struct running_node *node, struct reason *why)
{
    struct source_settings settings;
    char path[NODE_PATH_BYTES];
    int rc = read_source(node->runtime, node->graph_node, &settings, path, why);
    return rc < 0 ? rc
                  : source_hub_join(node->runtime->sources, &settings, flow_frame, node,
                                    &node->source, why);
}

static int create_model(struct running_node *node, struct reason *why)
{
    const struct graph_node *g = node->graph_node;
    struct runtime *r = node->runtime;
    struct model_node_parts parts = {
        .id = g->id,
        .threads = r->settings.model_threads,
        .pool = r->models,
        .context = node,
        .demand = flow_demand,
        .on_result = flow_result,
    };
    int rc = g->type->configure_model(g->data, &parts.settings, why);
    if (rc < 0)
        return rc;
    find_model(r, &parts.settings, parts.path);
    memcpy(node->model_path, parts.path, sizeof node->model_path);
    memcpy(node->model_decoder, parts.settings.decoder, sizeof node->model_decoder);
    rc = model_node_start(&node->model, &parts);
    return rc < 0 ? reason_set(why, rc, "model \"%s\": %s", g->id, error_text(rc)) : OW_OK;
}

static int create_view(struct running_node *node, const struct graph *graph, struct reason *why)
{
    const struct graph_node *g = node->graph_node;
    struct view_parts parts = {
        .node_id = g->id,
        .workflow_id = graph->id,
        .workflow_name = graph->name,
        .outputs = node->runtime->settings.outputs,
        .h264_backend = node->runtime->settings.h264_backend,
        .recordings = node->runtime->recordings,
        .is_recorder = g->type->configure_recorder != NULL,
    };
    int rc = g->type->configure_view(g->data, &parts.look.settings, why);
    if (rc < 0)
        return rc;
    return view_start(&node->view, &parts, why);
}

static const char *label_of(const struct graph_node *node)
{
    const char *label = json_string_value(json_object_get(node->data, "label"));
    return label && label[0] ? label : node->type->label;
}

_Static_assert((int)FILTER_ID_BYTES == (int)GRAPH_ID_BYTES, "a filter is known by its node's id");

static int read_filter(const struct graph_node *node, struct filter_settings *out,
                       struct reason *why)
{
    int rc = node->type->configure_filter(node->data, out, why);
    if (rc < 0)
        return rc;
    memcpy(out->id, node->id, sizeof out->id);
    text_cut(out->name, sizeof out->name, label_of(node));
    return rc;
}

static int create_filter(struct running_node *node, struct reason *why)
{
    struct filter_settings settings;
    int rc = read_filter(node->graph_node, &settings, why);
    return rc < 0 ? rc : filter_create(&node->filter, &settings);
}

int node_create(struct runtime *r, struct running_workflow *w, const struct graph *graph,
                const struct graph_node *graph_node, struct running_node **out, struct reason *why)
{
    struct running_node *node = calloc(1, sizeof *node);
    int rc = OW_OK;
    if (!node)
        return reason_set(why, OW_ENOMEM, "out of memory");
    node->workflow = w;
    node->runtime = r;
    node->graph_node = graph_node;
    switch (graph_node->type->role) {
    case NODE_SOURCE:
        rc = create_source(node, why);
        break;
    case NODE_MODEL:
        rc = create_model(node, why);
        break;
    case NODE_FILTER:
        rc = create_filter(node, why);
        break;
    case NODE_SINK:
        rc = graph_node->type->configure_sink(graph_node->data, &node->sink, why);
        break;
    case NODE_VIEW:
        rc = create_view(node, graph, why);
        break;
    }
    if (rc == OW_OK)
        *out = node;
    else
        free(node);
    return rc;
}

void node_destroy(struct running_node **node)
{
    struct running_node *self = *node;
    *node = NULL;
    if (!self)
        return;
    if (self->view)
        view_stop(self->view);
    view_unref(&self->view);
    source_hub_leave(self->runtime->sources, &self->source);
    model_node_stop(&self->model);
    filter_unref(&self->filter);
    free(self);
}

/* ---- changing ---- */

bool node_can_update(struct running_node *node, const struct graph_node *wanted)
{
    struct reason why;
    struct model_node_settings model;
    struct view_settings view;
    char path[NODE_PATH_BYTES];
    switch (wanted->type->role) {
    case NODE_SOURCE:
        return false;
    case NODE_MODEL:
        if (wanted->type->configure_model(wanted->data, &model, &why) < 0)
            return false;
        find_model(node->runtime, &model, path);
        return strcmp(path, node->model_path) == 0 &&
               strcmp(model.decoder, node->model_decoder) == 0;
    case NODE_VIEW:
        return wanted->type->configure_view(wanted->data, &view, &why) == OW_OK;
    case NODE_FILTER:
    case NODE_SINK:
        break;
    }
    return true;
}

/* Under `wiring`, so that no result passes a sink meanwhile. Views follow in node_connect_view().
 */
int node_update(struct running_node *node, const struct graph_node *wanted, struct reason *why)
{
    struct model_node_settings model;
    struct filter_settings filter;
    int rc = OW_OK;
    switch (wanted->type->role) {
    case NODE_MODEL:
        rc = wanted->type->configure_model(wanted->data, &model, why);
        if (rc == OW_OK)
            model_node_configure(node->model, &model);
        break;
    case NODE_FILTER:
        rc = read_filter(wanted, &filter, why);
        if (rc == OW_OK)
            filter_configure(node->filter, &filter);
        break;
    case NODE_SINK:
        rc = wanted->type->configure_sink(wanted->data, &node->sink, why);
        break;
    case NODE_SOURCE:
    case NODE_VIEW:
        break;
    }
    return rc;
}

/* The filters between a view and its model, from the model on. */
static void collect_filters(struct running_node *view, struct view_inputs *inputs)
{
    struct filter *backwards[VIEW_MAX_FILTERS];
    int count = 0;
    for (struct running_node *at = running_input(view); at && at->filter; at = running_input(at))
        if (count < VIEW_MAX_FILTERS)
            backwards[count++] = at->filter;
    for (int i = 0; i < count; i++)
        inputs->filters[i] = backwards[count - 1 - i];
    inputs->filter_count = count;
}

static bool is_zone(const struct running_node *node)
{
    struct filter_zone zone;
    return node->filter && filter_read_zone(node->filter, &zone);
}

static bool is_recorder(const struct running_node *node)
{
    return node->graph_node->type->configure_recorder != NULL;
}

/* Is its result shown on a view of its own? */
static bool has_view_behind(const struct running_node *zone)
{
    const struct running_workflow *w = zone->workflow;
    for (int i = 0; i < w->node_count; i++)
        if (w->nodes[i]->view && !is_recorder(w->nodes[i]) && running_is_behind(w->nodes[i], zone))
            return true;
    return false;
}

/* A zone that is on no view of its own, because its result goes elsewhere, is on those beside it.
 */
static bool is_beside(struct running_node *zone, struct running_node *view)
{
    return is_zone(zone) && !is_recorder(view) && running_model(zone) == running_model(view) &&
           !running_is_behind(view, zone) && !has_view_behind(zone);
}

static void collect_zones(struct running_node *view, struct view_inputs *inputs)
{
    const struct running_workflow *w = view->workflow;
    for (int i = 0; i < inputs->filter_count; i++)
        inputs->zones[inputs->zone_count++] = inputs->filters[i];
    for (int i = 0; i < w->node_count && inputs->zone_count < VIEW_MAX_ZONES; i++)
        if (is_beside(w->nodes[i], view))
            inputs->zones[inputs->zone_count++] = w->nodes[i]->filter;
}

/* How a view shows is said by its own settings and by those of its model. */
static int read_look(struct running_node *view, struct running_node *model, struct view_look *out,
                     struct reason *why)
{
    const struct graph_node *g = view->graph_node;
    struct model_node_settings settings;
    struct view_look look = {0};
    int rc = g->type->configure_view(g->data, &look.settings, why);
    if (rc == OW_OK && model) {
        const struct graph_node *m = model->graph_node;
        rc = m->type->configure_model(m->data, &settings, why);
        look.xray = settings.xray && look.settings.layout != VIEW_ORIGINAL;
        look.style = settings.style;
        look.xray_max_fps = settings.xray_max_fps;
    }
    if (rc == OW_OK)
        *out = look;
    return rc;
}

/* A zone tells itself what happens; behind others it counts that something begins to pass. */
static void set_record_rules(struct running_node *view, const struct view_inputs *inputs)
{
    const struct graph_node *g = view->graph_node;
    struct record_rules rules;
    if (!g->type->configure_recorder)
        return;
    g->type->configure_recorder(g->data, &rules);
    rules.passing_counts = true;
    for (int i = 0; i < inputs->filter_count; i++) {
        struct filter_status status;
        filter_read_status(inputs->filters[i], &status);
        rules.passing_counts &= status.kind != FILTER_ZONE;
    }
    view_set_record_rules(view->view, &rules);
}

int node_connect_view(struct running_node *view, bool restyle, struct reason *why)
{
    struct running_node *model = running_model(view), *source = running_source(view);
    struct view_look look;
    int rc = read_look(view, model, &look, why);
    if (rc < 0)
        return rc;
    struct view_inputs inputs = {
        .label = label_of(view->graph_node),
        .source_id = source ? source->graph_node->id : "",
        .model_id = model ? model->graph_node->id : "",
        .source = source ? source->source : NULL,
        .model = model ? model->model : NULL,
    };
    collect_filters(view, &inputs);
    collect_zones(view, &inputs);
    view_connect(view->view, &inputs);
    set_record_rules(view, &inputs);
    if (restyle)
        view_restyle(view->view, &look);
    return OW_OK;
}
