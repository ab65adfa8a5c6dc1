/* The inside of the runtime, shared by the runtime*.c files.
 *
 * Locks: `change` is held while workflows start, change and stop. `list` guards the list of
 * workflows for those who only look. `wiring` of a workflow guards who feeds whom; threads of nodes
 * hold it (shared) while they hand something on, so it is never held (alone) while such a thread is
 * waited for. In this order. */
#ifndef OW_WORKFLOW_RUNTIME_INTERNAL_H
#define OW_WORKFLOW_RUNTIME_INTERNAL_H

#include "workflow/filter.h"
#include "workflow/graph.h"
#include "workflow/model_catalogue.h"
#include "workflow/model_pool.h"
#include "workflow/rate_gate.h"
#include "workflow/recording_list.h"
#include "workflow/runtime.h"
#include "workflow/source_hub.h"
#include "workflow/view_run.h"

#include <pthread.h>

/* One node of a running workflow; which of these it has follows from its type's role. */
struct running_node {
    struct running_workflow *workflow;
    struct runtime *runtime;
    const struct graph_node *graph_node; /* changes with the graph, under `wiring` */
    struct source_tap *source;
    struct model_node *model;
    char model_path[NODE_PATH_BYTES], model_decoder[32];
    struct filter *filter;
    struct sink_settings sink;
    struct rate_gate sink_gate; /* of the thread of the model before it, as is the next */
    bool sink_told_none;        /* the last result that was told had no detections */
    struct view *view;
    char told_error[320]; /* of the thread that tells errors */
};

struct running_workflow {
    struct running_workflow *next;
    enum runtime_origin origin;
    pthread_rwlock_t wiring; /* guards what follows */
    struct graph *graph;
    struct running_node **nodes; /* as the graph has them, in its order */
    int node_count;              /* 0 = nothing is wired (any more) */
};

struct runtime {
    struct runtime_settings settings;
    pthread_mutex_t change, list;
    struct running_workflow *workflows;
    struct source_hub *sources;
    struct model_pool *models;
    struct model_catalogue *catalogue;
    struct record_folder *recordings; /* NULL = nothing can be recorded */
    struct recording_list *recording_list;
};

/* ---- runtime_flow.c: what flows between the nodes; under `wiring` ---- */

struct running_node *running_input(const struct running_node *node);
/* The model whose detections come to a node, or itself; NULL = none. */
struct running_node *running_model(struct running_node *node);
struct running_node *running_source(struct running_node *node);
/* Does the node stand behind the other, with filters between them at most? */
bool running_is_behind(const struct running_node *node, const struct running_node *other);
/* Called by sources, models and views of the node that is their context. */
void flow_frame(void *node, struct frame *frame);
void flow_result(void *node, struct frame *frame, struct detections *detections);
enum model_demand flow_demand(void *node);

/* ---- runtime_nodes.c: single nodes ---- */

/* A node of the graph, at work, but not wired to others yet. */
int node_create(struct runtime *r, struct running_workflow *w, const struct graph *graph,
                const struct graph_node *graph_node, struct running_node **out, struct reason *why);
/* Ends what it does; others must not feed or use it any more. */
void node_destroy(struct running_node **node);
/* Can a running node take these settings over? Then node_update() does it. */
bool node_can_update(struct running_node *node, const struct graph_node *wanted);
int node_update(struct running_node *node, const struct graph_node *wanted, struct reason *why);
/* Tells a view what it shows and, with `restyle`, how; under `wiring`. */
int node_connect_view(struct running_node *view, bool restyle, struct reason *why);
/* May this workflow open what the node names? */
int node_check_access(struct runtime *r, enum runtime_origin origin,
                      const struct graph_node *graph_node, struct reason *why);

/* ---- runtime_apply.c ---- */

/* Starts (`running` NULL) or changes a workflow. Takes the graph over, also on failure. *changes
 * may be NULL. Under `change`. */
int workflow_apply(struct runtime *r, struct running_workflow **running, struct graph *graph,
                   enum runtime_origin origin, json_t **changes, struct reason *why);
/* What that would do to each node, without doing it. */
json_t *workflow_changes(struct running_workflow *running, const struct graph *graph);
void workflow_stop(struct running_workflow **workflow);

/* ---- runtime_status.c; under `list` ---- */

json_t *workflow_status(struct running_workflow *w);
void workflow_tell_errors(struct running_workflow *w);

struct running_workflow *runtime_find(struct runtime *r, const char *workflow_id);

#endif
