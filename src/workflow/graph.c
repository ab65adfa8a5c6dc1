#include "workflow/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where findings go while a workflow is read. */
struct findings {
    json_t *errors, *warnings;
};

__attribute__((format(printf, 4, 5))) static void find(json_t *list, const char *node_id,
                                                       const char *setting, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    json_array_append_new(list, json_pack("{s:s?, s:s?, s:o}", "node_id", node_id, "setting",
                                          setting, "message", json_string_nocheck(message)));
}

static const char *text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static int find_node(const struct graph *g, const char *id)
{
    for (int i = 0; i < g->node_count; i++)
        if (strcmp(g->nodes[i].id, id) == 0)
            return i;
    return -1;
}

json_t *graph_find_node(const json_t *document, const char *node_id)
{
    size_t i;
    json_t *node;
    json_array_foreach(json_object_get(document, "nodes"), i, node)
    {
        const char *id = json_string_value(json_object_get(node, "id"));
        if (id && strcmp(id, node_id) == 0)
            return node;
    }
    return NULL;
}

json_t *graph_settings(json_t *node)
{
    json_t *data = json_object_get(node, "data");
    if (!json_is_object(data)) {
        data = json_object();
        json_object_set_new(node, "data", data);
    }
    json_t *config = json_object_get(data, "config");
    return json_is_object(config) ? config : data;
}

static bool is_known_setting(const struct node_type *type, const char *name)
{
    static const char *const page_keys[] = {"label", "config", "name", "description", "type", "id"};
    for (size_t i = 0; i < sizeof page_keys / sizeof page_keys[0]; i++)
        if (strcmp(page_keys[i], name) == 0)
            return true;
    for (const struct setting *s = type->settings; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return true;
    return false;
}

static int configure(const struct graph_node *node, struct reason *why)
{
    struct source_settings source;
    struct model_node_settings model;
    struct filter_settings filter;
    struct sink_settings sink;
    struct view_settings view;
    char url[NODE_PATH_BYTES];
    switch (node->type->role) {
    case NODE_SOURCE:
        return node->type->configure_source(node->data, &source, url, why);
    case NODE_MODEL:
        return node->type->configure_model(node->data, &model, why);
    case NODE_FILTER:
        return node->type->configure_filter(node->data, &filter, why);
    case NODE_SINK:
        return node->type->configure_sink(node->data, &sink, why);
    case NODE_VIEW:
        return node->type->configure_view(node->data, &view, why);
    }
    return OW_EINVAL;
}

/* A choice that is none is no error: other versions have others, and their files are to load. */
static bool check_setting(const struct graph_node *node, const struct setting *s,
                          struct findings *f)
{
    struct reason why;
    if (setting_check(s, json_object_get(node->data, s->name), &why) == OW_OK)
        return true;
    if (s->type == SETTING_CHOICE) {
        find(f->warnings, node->id, s->name, "%s \"%s\": %s; \"%s\" is used", node->type->label,
             node->id, why.text, setting_text(NULL, node->type->settings, s->name));
        return true;
    }
    find(f->errors, node->id, s->name, "%s \"%s\": %s", node->type->label, node->id, why.text);
    return false;
}

int graph_check_change(const json_t *node, const json_t *data, struct reason *why)
{
    const char *name = text_of(node, "type");
    const struct node_type *type = name ? node_type_find(name) : NULL;
    struct reason problem;
    for (const struct setting *s = type ? type->settings : NULL; s && s->name; s++)
        if (setting_check(s, json_object_get(data, s->name), &problem) < 0 &&
            json_object_get(data, s->name))
            return reason_set(why, OW_EINVAL, "%s \"%s\": %s", type->label, text_of(node, "id"),
                              problem.text);
    return OW_OK;
}

static void check_settings(const struct graph_node *node, struct findings *f)
{
    struct reason why;
    bool sound = true;
    for (const struct setting *s = node->type->settings; s->name; s++)
        sound &= check_setting(node, s, f);
    if (sound && configure(node, &why) < 0) {
        char name[64];
        size_t length = strcspn(why.text, " ");
        snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), why.text);
        find(f->errors, node->id, is_known_setting(node->type, name) ? name : NULL, "%s \"%s\": %s",
             node->type->label, node->id, why.text);
    }
    const char *key;
    json_t *value;
    json_object_foreach(node->data, key, value) if (!is_known_setting(node->type, key)) find(
        f->warnings, node->id, key, "%s \"%s\" has no setting %.60s: it is kept, but does nothing",
        node->type->label, node->id, key);
}

static void read_node(struct graph *g, json_t *json, size_t index, struct findings *f)
{
    const char *id = text_of(json, "id");
    const char *type = text_of(json, "type");
    if (!id || !id[0] || strlen(id) >= GRAPH_ID_BYTES) {
        find(f->errors, NULL, "id", "node %zu has no usable id (a text of 1 to %d characters)",
             index + 1, GRAPH_ID_BYTES - 1);
        return;
    }
    if (find_node(g, id) >= 0) {
        find(f->errors, id, "id", "node id \"%s\" is used twice", id);
        return;
    }
    struct graph_node *node = &g->nodes[g->node_count++];
    *node = (struct graph_node){.input = -1, .data = graph_settings(json)};
    snprintf(node->id, sizeof node->id, "%s", id);
    node->type = type ? node_type_find(type) : NULL;
    if (!node->type)
        find(f->errors, id, "type", "node \"%s\" has the unknown type \"%.60s\"", id,
             type ? type : "(none)");
    else
        check_settings(node, f);
}

static const char *role_name(const struct graph_node *node)
{
    return node->type ? node->type->label : "node";
}

/* May `to` take its input from `from`? Reports why not. */
static bool may_connect(const struct graph_node *from, const struct graph_node *to,
                        struct findings *f)
{
    if (!from->type || !to->type)
        return true; /* reported already */
    const char *problem = NULL;
    if (!to->type->input)
        problem = "takes no input";
    else if (!from->type->output)
        problem = "cannot be fed by a node that has no output";
    else if (to->type->role == NODE_MODEL && from->type->role != NODE_SOURCE)
        problem = "takes its picture from a source";
    else if ((to->type->role == NODE_FILTER || to->type->role == NODE_SINK) &&
             from->type->role == NODE_SOURCE)
        problem = "takes detections: put a model between them";
    if (problem)
        find(f->errors, to->id, NULL, "%s \"%s\" %s (edge from %s \"%s\")", role_name(to), to->id,
             problem, role_name(from), from->id);
    return !problem;
}

static void read_edge(struct graph *g, const json_t *edge, size_t index, struct findings *f)
{
    const char *source = text_of(edge, "source");
    const char *target = text_of(edge, "target");
    int from = source ? find_node(g, source) : -1;
    int to = target ? find_node(g, target) : -1;
    if (from < 0 || to < 0) {
        const char *missing = from < 0 ? source : target;
        find(f->errors, NULL, "edges", "edge %zu hangs in the air: there is no node \"%.120s\"",
             index + 1, missing ? missing : "(none)");
        return;
    }
    struct graph_node *node = &g->nodes[to];
    if (from == to) {
        find(f->errors, node->id, "edges", "node \"%s\" feeds itself", node->id);
        return;
    }
    if (!may_connect(&g->nodes[from], node, f))
        return;
    if (node->input >= 0 && node->input != from)
        find(f->errors, node->id, "edges",
             "%s \"%s\" has two inputs (\"%s\" and \"%s\"): it takes one", role_name(node),
             node->id, g->nodes[node->input].id, g->nodes[from].id);
    else
        node->input = from;
}

/* The node that feeds each one, -1 = none, by the edges as they came: edges that were refused by
 * role can close a circle too. */
static void find_feeders(const struct graph *g, const json_t *edges, int feeder[GRAPH_MAX_NODES])
{
    size_t i;
    json_t *edge;
    for (int node = 0; node < g->node_count; node++)
        feeder[node] = -1;
    json_array_foreach(edges, i, edge)
    {
        const char *source = text_of(edge, "source"), *target = text_of(edge, "target");
        int from = source ? find_node(g, source) : -1;
        int to = target ? find_node(g, target) : -1;
        if (from >= 0 && to >= 0 && feeder[to] < 0)
            feeder[to] = from;
    }
}

/* Every node has at most one input here, so a cycle is a walk that comes back. */
static void check_cycles(const struct graph *g, const json_t *edges, struct findings *f)
{
    int feeder[GRAPH_MAX_NODES];
    find_feeders(g, edges, feeder);
    for (int start = 0; start < g->node_count; start++) {
        int at = feeder[start];
        for (int steps = 1; steps < g->node_count && at >= 0 && at != start; steps++)
            at = feeder[at];
        if (at == start) {
            find(f->errors, g->nodes[start].id, "edges",
                 "node \"%s\" is part of a circle: its picture would come from itself",
                 g->nodes[start].id);
            return;
        }
    }
}

static void check_inputs(const struct graph *g, struct findings *f)
{
    int ends = 0;
    for (int i = 0; i < g->node_count; i++) {
        const struct graph_node *node = &g->nodes[i];
        if (!node->type)
            continue;
        ends += node->type->role == NODE_VIEW || node->type->role == NODE_SINK;
        if (node->type->role == NODE_VIEW && node->input < 0)
            find(f->errors, node->id, "edges",
                 "%s \"%s\" shows nothing: connect a model or a source to it", role_name(node),
                 node->id);
        if (node->type->role == NODE_MODEL && node->input < 0)
            find(f->errors, node->id, "edges", "%s \"%s\" has no picture: connect a source to it",
                 role_name(node), node->id);
        if ((node->type->role == NODE_FILTER || node->type->role == NODE_SINK) && node->input < 0)
            find(f->warnings, node->id, "edges",
                 "%s \"%s\" gets no detections: connect a model to it", role_name(node), node->id);
    }
    if (ends == 0)
        find(f->warnings, NULL, NULL, "there is no view in this workflow: nothing will be shown");
}

static void read_graph(struct graph *g, json_t *document, struct findings *f)
{
    const char *id = text_of(document, "id");
    const char *name = text_of(document, "name");
    snprintf(g->id, sizeof g->id, "%s", id && id[0] ? id : "workflow");
    g->name = name && name[0] ? name : g->id;
    if (id && strlen(id) >= GRAPH_ID_BYTES)
        find(f->errors, NULL, "id", "the workflow's id is longer than %d characters",
             GRAPH_ID_BYTES - 1);

    json_t *nodes = json_object_get(document, "nodes");
    json_t *edges = json_object_get(document, "edges");
    size_t i;
    json_t *entry;
    if (!json_is_array(nodes) || json_array_size(nodes) > GRAPH_MAX_NODES) {
        find(f->errors, NULL, "nodes", "nodes must be a list of at most %d nodes", GRAPH_MAX_NODES);
        return;
    }
    if (edges && (!json_is_array(edges) || json_array_size(edges) > GRAPH_MAX_EDGES)) {
        find(f->errors, NULL, "edges", "edges must be a list of at most %d edges", GRAPH_MAX_EDGES);
        return;
    }
    json_array_foreach(nodes, i, entry) read_node(g, entry, i, f);
    json_array_foreach(edges, i, entry) read_edge(g, entry, i, f);
    check_cycles(g, edges, f);
    check_inputs(g, f);
}

int graph_parse(struct graph **out, json_t *document, json_t **report)
{
    struct findings f = {.errors = json_array(), .warnings = json_array()};
    struct graph *g = calloc(1, sizeof *g);
    *report = json_pack("{s:o, s:o}", "errors", f.errors, "warnings", f.warnings);
    if (!g || !*report)
        goto no_memory;
    if (json_is_object(document)) {
        g->document = json_incref(document);
        read_graph(g, document, &f);
    } else {
        find(f.errors, NULL, NULL, "a workflow is a JSON object with nodes and edges");
    }
    if (json_array_size(f.errors) > 0) {
        graph_destroy(&g);
        return OW_EPARSE;
    }
    *out = g;
    return OW_OK;
no_memory:
    free(g);
    return OW_ENOMEM;
}

void graph_destroy(struct graph **graph)
{
    if (*graph) {
        json_decref((*graph)->document);
        free(*graph);
    }
    *graph = NULL;
}
