/* A workflow file: nodes and edges in the shape of docs/api.md, parsed and validated. */
#ifndef OW_WORKFLOW_GRAPH_H
#define OW_WORKFLOW_GRAPH_H

#include "core/error.h"
#include "workflow/node_types.h"

#include <jansson.h>

enum { GRAPH_MAX_NODES = 256, GRAPH_MAX_EDGES = 1024, GRAPH_ID_BYTES = 128 };

struct graph_node {
    char id[GRAPH_ID_BYTES];
    const struct node_type *type; /* NULL: unknown, reported as an error */
    json_t *data;                 /* settings, borrowed from the graph's document */
    int input;                    /* index of the node that feeds it, -1 = none */
};

struct graph {
    json_t *document; /* owned; the whole workflow as it came, unknown parts included */
    char id[GRAPH_ID_BYTES];
    const char *name; /* inside document */
    int node_count;
    struct graph_node nodes[GRAPH_MAX_NODES];
};

/* Validates a workflow. *out is made when there are no errors (then *report holds warnings only).
 * *report is always made: {"errors": [{node_id, setting, message}], "warnings": […]}, owned by the
 * caller. OW_EPARSE when there are errors. `document` keeps its reference count. */
int graph_parse(struct graph **out, json_t *document, json_t **report);
/* The node of this id in a document, borrowed; NULL when there is none. */
json_t *graph_find_node(const json_t *document, const char *node_id);
/* The settings of a node of a document: its `data`, or where the old page nested them, in
 * `data.config`. Made if there are none. */
json_t *graph_settings(json_t *node);
/* Are these new settings of a node of a document sound, each by itself? Stricter than
 * graph_parse(), which takes a choice that is none for the default: who sets it now is to know.
 * OW_EINVAL with a sentence that names node and setting. */
int graph_check_change(const json_t *node, const json_t *data, struct reason *why);
void graph_destroy(struct graph **graph);

#endif
