/* Running workflows. Any thread may call; calls that start and stop workflows are serialised and
 * may take as long as opening a model does. */
#ifndef OW_WORKFLOW_RUNTIME_H
#define OW_WORKFLOW_RUNTIME_H

#include "core/error.h"
#include "workflow/view.h"

#include <jansson.h>

struct runtime;

struct runtime_settings {
    struct view_outputs outputs;
    int model_threads;         /* 0 = by the number of cores */
    const char *model_folder;  /* where a bare modelId or modelName is looked for */
    const char *default_model; /* file used when a model node names none */
    const char *media_folder;  /* where relative video paths are looked for */
    const char *h264_backend;  /* NULL = the best there is */
};

int runtime_create(struct runtime **out, const struct runtime_settings *settings);

/* Validates and starts a workflow. *report as graph_parse() makes it, always set. OW_EPARSE when
 * invalid, OW_EEXISTS when a workflow or a view with an id of its own is running already (why). */
int runtime_execute(struct runtime *runtime, json_t *workflow, json_t **report, struct reason *why);
/* OW_ENOTFOUND. */
int runtime_stop(struct runtime *runtime, const char *workflow_id);
void runtime_stop_all(struct runtime *runtime);

/* {"running_workflows": n, "workflow_ids": […]} */
json_t *runtime_status(struct runtime *runtime);
/* {"workflow_id", "name", "running": true, "nodes": {id: {state, fps, …}}}; NULL when not running.
 */
json_t *runtime_workflow_status(struct runtime *runtime, const char *workflow_id);

/* A new reference, or NULL. */
struct view *runtime_find_view(struct runtime *runtime, const char *node_id);
/* New references of at most `max` views; returns how many were written. */
int runtime_views(struct runtime *runtime, struct view **out, int max);

void runtime_destroy(struct runtime **runtime); /* stops everything */

#endif
