/* The node list: one file with one table of settings per node type, and one row here. */
#ifndef OW_WORKFLOW_NODE_TYPES_H
#define OW_WORKFLOW_NODE_TYPES_H

#include "workflow/settings.h"

enum node_role { NODE_SOURCE, NODE_MODEL, NODE_VIEW };

struct node_type {
    const char *name;  /* "videoInput" */
    const char *label; /* "Video File" */
    const char *help;
    enum node_role role;
    const char *input, *output; /* handle names, NULL = none */
    const struct setting *settings;
};

const struct node_type *node_type_find(const char *name);
/* The i-th row, NULL past the end. */
const struct node_type *node_type_at(int index);
/* All rows as the JSON of /api/workflow-components/node-types. */
json_t *node_types_describe(void);

#endif
