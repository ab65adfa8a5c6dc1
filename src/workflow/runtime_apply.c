/* Starting and changing a workflow. The new graph is compared with the running one, node by node;
 * what is new is made beside what runs, the wiring is changed in one moment, and only then what has
 * gone is stopped: so nothing that stays notices. */
#include "workflow/runtime_internal.h"

#include "core/log.h"
#include "core/thread.h"

#include <stdlib.h>
#include <string.h>

enum node_change { CHANGE_KEPT, CHANGE_UPDATED, CHANGE_RESTARTED, CHANGE_ADDED };

static const char *const change_names[] = {"kept", "updated", "restarted", "added"};

/* Of one node of the new graph. */
struct node_plan {
    enum node_change change;
    int old; /* index in the running workflow, -1 = none */
};

struct plan {
    struct node_plan nodes[GRAPH_MAX_NODES];
    bool old_stays[GRAPH_MAX_NODES]; /* of the running workflow's nodes */
};

/* ---- comparing ---- */

static bool same_setting(const json_t *a, const json_t *b)
{
    if (json_is_null(a))
        a = NULL;
    if (json_is_null(b))
        b = NULL;
    if (json_is_number(a) && json_is_number(b)) {
        double difference = json_number_value(a) - json_number_value(b);
        return !(difference < 0) && !(difference > 0);
    }
    return a == b || (a && b && json_equal(a, b));
}

static bool same_settings(const struct graph_node *a, const struct graph_node *b)
{
    for (const struct setting *s = a->type->settings; s->name; s++)
        if (!same_setting(json_object_get(a->data, s->name), json_object_get(b->data, s->name)))
            return false;
    /* What people call a view stands in what is told of it, and a zone's name on the picture. */
    return (a->type->role != NODE_VIEW && a->type->role != NODE_FILTER) ||
           same_setting(json_object_get(a->data, "label"), json_object_get(b->data, "label"));
}

static int find_old(const struct running_workflow *running, const char *id)
{
    for (int i = 0; running && i < running->node_count; i++)
        if (strcmp(running->nodes[i]->graph_node->id, id) == 0)
            return i;
    return -1;
}

/* Does the node get its input from another one than before, or from one that starts anew? */
static bool is_rewired(const struct running_workflow *running, const struct graph *graph,
                       const struct plan *plan, int at)
{
    int now = graph->nodes[at].input;
    const struct running_node *before = running_input(running->nodes[plan->nodes[at].old]);
    if (now < 0 || !before)
        return (now >= 0) != (before != NULL);
    return strcmp(graph->nodes[now].id, before->graph_node->id) != 0;
}

static enum node_change compare(const struct running_workflow *running, const struct graph *graph,
                                const struct plan *plan, int at)
{
    const struct graph_node *wanted = &graph->nodes[at];
    int old = plan->nodes[at].old;
    if (old < 0)
        return CHANGE_ADDED;
    struct running_node *node = running->nodes[old];
    if (node->graph_node->type != wanted->type)
        return CHANGE_RESTARTED;
    bool same = same_settings(node->graph_node, wanted);
    if (!same && !node_can_update(node, wanted))
        return CHANGE_RESTARTED;
    return same && !is_rewired(running, graph, plan, at) ? CHANGE_KEPT : CHANGE_UPDATED;
}

static void make_plan(const struct running_workflow *running, const struct graph *graph,
                      struct plan *plan)
{
    memset(plan, 0, sizeof *plan);
    for (int i = 0; i < graph->node_count; i++)
        plan->nodes[i].old = find_old(running, graph->nodes[i].id);
    for (int i = 0; i < graph->node_count; i++) {
        struct node_plan *node = &plan->nodes[i];
        node->change = compare(running, graph, plan, i);
        if (node->change == CHANGE_KEPT || node->change == CHANGE_UPDATED)
            plan->old_stays[node->old] = true;
    }
}

static json_t *describe_plan(const struct running_workflow *running, const struct graph *graph,
                             const struct plan *plan)
{
    json_t *list = json_array();
    for (int i = 0; i < graph->node_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "node_id", graph->nodes[i].id, "change",
                                              change_names[plan->nodes[i].change]));
    for (int i = 0; running && i < running->node_count; i++) {
        bool gone = true;
        for (int k = 0; k < graph->node_count; k++)
            gone &= plan->nodes[k].old != i;
        if (gone)
            json_array_append_new(list, json_pack("{s:s, s:s}", "node_id",
                                                  running->nodes[i]->graph_node->id, "change",
                                                  "removed"));
    }
    return list;
}

json_t *workflow_changes(struct running_workflow *running, const struct graph *graph)
{
    struct plan *plan = malloc(sizeof *plan);
    if (!plan)
        return NULL;
    make_plan(running, graph, plan);
    json_t *changes = describe_plan(running, graph, plan);
    free(plan);
    return changes;
}

/* ---- changing ---- */

static void destroy_nodes(struct running_node **nodes, int count)
{
    /* Views borrow models and sources, sources feed models. */
    static const enum node_role order[] = {NODE_VIEW, NODE_SOURCE, NODE_MODEL, NODE_FILTER,
                                           NODE_SINK};
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
        for (int i = 0; i < count; i++)
            if (nodes[i] && nodes[i]->graph_node->type->role == order[k])
                node_destroy(&nodes[i]);
}

/* What there can only be one of goes before another takes its place: a view's id, a source's pipe
 * or camera. */
static void release(struct running_workflow *w, struct running_node *node)
{
    pthread_rwlock_wrlock(&w->wiring);
    struct view *view = node->view;
    struct source_tap *source = node->source;
    node->view = NULL;
    node->source = NULL;
    for (int i = 0; source && i < w->node_count; i++)
        if (w->nodes[i]->view)
            view_forget_source(w->nodes[i]->view, source);
    pthread_rwlock_unlock(&w->wiring);
    if (view)
        view_stop(view);
    view_unref(&view);
    source_hub_leave(node->runtime->sources, &source);
}

/* Makes what is new. It is not wired yet: what its sources give already is not passed on. */
static int create_nodes(struct runtime *r, struct running_workflow *w, const struct graph *graph,
                        const struct plan *plan, struct running_node **nodes, struct reason *why)
{
    int rc = OW_OK;
    for (int i = 0; i < graph->node_count && rc == OW_OK; i++) {
        enum node_change change = plan->nodes[i].change;
        if (change != CHANGE_ADDED && change != CHANGE_RESTARTED)
            continue;
        if (change == CHANGE_RESTARTED)
            release(w, w->nodes[plan->nodes[i].old]);
        rc = node_create(r, w, graph, &graph->nodes[i], &nodes[i], why);
    }
    return rc;
}

/* In one moment: from here on frames and results take their new way. */
static int rewire(struct runtime *r, struct running_workflow *w, struct graph *graph,
                  const struct plan *plan, struct running_node **nodes, struct reason *why)
{
    int rc = OW_OK;
    pthread_mutex_lock(&r->list);
    pthread_rwlock_wrlock(&w->wiring);
    for (int i = 0; i < graph->node_count; i++) {
        if (nodes[i]) { /* whoever was told an error of the one before is told when it has gone */
            if (plan->nodes[i].old >= 0)
                memcpy(nodes[i]->told_error, w->nodes[plan->nodes[i].old]->told_error,
                       sizeof nodes[i]->told_error);
            continue;
        }
        nodes[i] = w->nodes[plan->nodes[i].old];
        if (plan->nodes[i].change == CHANGE_UPDATED &&
            !same_settings(nodes[i]->graph_node, &graph->nodes[i]) && rc == OW_OK)
            rc = node_update(nodes[i], &graph->nodes[i], why);
        nodes[i]->graph_node = &graph->nodes[i];
    }
    w->graph = graph;
    w->nodes = nodes;
    w->node_count = graph->node_count;
    pthread_rwlock_unlock(&w->wiring);
    pthread_mutex_unlock(&r->list);
    return rc;
}

/* A view looks as its model says, too. */
static bool looks_different(const struct graph *graph, const struct plan *plan, int view)
{
    for (int at = view; at >= 0; at = graph->nodes[at].input)
        if (plan->nodes[at].change != CHANGE_KEPT && graph->nodes[at].type->role != NODE_SOURCE)
            return true;
    return false;
}

static int connect_views(struct running_workflow *w, const struct plan *plan, struct reason *why)
{
    int rc = OW_OK;
    pthread_rwlock_rdlock(&w->wiring);
    for (int i = 0; i < w->node_count; i++)
        if (w->nodes[i]->view && rc == OW_OK)
            rc = node_connect_view(w->nodes[i], looks_different(w->graph, plan, i), why);
    pthread_rwlock_unlock(&w->wiring);
    return rc;
}

/* What a new source gave before it was wired: a still picture comes once. */
static void pass_first_frames(struct running_workflow *w, const struct plan *plan)
{
    for (int i = 0; i < w->node_count; i++) {
        struct running_node *node = w->nodes[i];
        struct frame *first = NULL;
        if (node->source && plan->nodes[i].change != CHANGE_KEPT)
            first = source_tap_last(node->source);
        if (first)
            flow_frame(node, first);
        frame_unref(&first);
    }
}

static void destroy_gone(struct running_node **nodes, int count, const struct plan *plan)
{
    for (int i = 0; i < count; i++)
        if (plan->old_stays[i])
            nodes[i] = NULL;
    destroy_nodes(nodes, count);
}

static int change_running(struct runtime *r, struct running_workflow *w, struct graph *graph,
                          const struct plan *plan, struct reason *why)
{
    struct running_node **nodes =
        calloc((size_t)graph->node_count + 1, sizeof(struct running_node *));
    struct running_node **old_nodes = w->nodes;
    struct graph *old_graph = w->graph;
    int old_count = w->node_count;
    if (!nodes) {
        graph_destroy(&graph);
        return reason_set(why, OW_ENOMEM, "out of memory");
    }
    int rc = create_nodes(r, w, graph, plan, nodes, why);
    if (rc < 0) {
        destroy_nodes(nodes, graph->node_count);
        free(nodes);
        graph_destroy(&graph);
        return rc;
    }
    rc = rewire(r, w, graph, plan, nodes, why);
    int connected = connect_views(w, plan, why);
    pass_first_frames(w, plan);
    destroy_gone(old_nodes, old_count, plan);
    free(old_nodes);
    graph_destroy(&old_graph);
    return rc < 0 ? rc : connected;
}

static struct running_workflow *new_workflow(enum runtime_origin origin)
{
    struct running_workflow *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->origin = origin;
    w->graph = calloc(1, sizeof *w->graph); /* of no nodes */
    thread_rwlock_init(&w->wiring);
    if (w->graph)
        return w;
    free(w);
    return NULL;
}

void workflow_stop(struct running_workflow **workflow)
{
    struct running_workflow *w = *workflow;
    *workflow = NULL;
    if (!w)
        return;
    pthread_rwlock_wrlock(&w->wiring);
    int count = w->node_count;
    w->node_count = 0;
    pthread_rwlock_unlock(&w->wiring);
    struct running_node **nodes = w->nodes;
    destroy_nodes(nodes, count);
    pthread_rwlock_destroy(&w->wiring);
    graph_destroy(&w->graph);
    free(nodes);
    free(w);
}

int workflow_apply(struct runtime *r, struct running_workflow **running, struct graph *graph,
                   enum runtime_origin origin, json_t **changes, struct reason *why)
{
    bool starts = !*running;
    struct running_workflow *w = starts ? new_workflow(origin) : *running;
    struct plan *plan = malloc(sizeof *plan);
    if (!w || !plan) {
        free(plan);
        if (starts)
            workflow_stop(&w);
        graph_destroy(&graph);
        return reason_set(why, OW_ENOMEM, "out of memory");
    }
    make_plan(starts ? NULL : w, graph, plan);
    json_t *described = describe_plan(starts ? NULL : w, graph, plan);
    int rc = change_running(r, w, graph, plan, why);
    free(plan);
    if (rc < 0 && starts)
        workflow_stop(&w);
    if (rc == OW_OK && changes)
        *changes = described;
    else
        json_decref(described);
    if (rc == OW_OK)
        *running = w;
    return rc;
}
