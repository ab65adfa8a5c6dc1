/* Workflows that are kept: the store's rows, the running ones beside them, and the passwords that
 * stand in their addresses. Calls of any thread; changes are serialised. */
#ifndef OW_API_SAVED_WORKFLOWS_H
#define OW_API_SAVED_WORKFLOWS_H

#include "api/entity_tag.h"
#include "core/error.h"
#include "store/store.h"
#include "workflow/runtime.h"

#include <jansson.h>
#include <pthread.h>

enum { SAVED_ID_BYTES = 128 };

struct saved_workflows {
    struct store *store;     /* lent */
    struct runtime *runtime; /* lent */
    pthread_mutex_t change;  /* held while documents are read, changed and written back */
};

void saved_workflows_init(struct saved_workflows *saved, struct store *store,
                          struct runtime *runtime);
void saved_workflows_destroy(struct saved_workflows *saved);

/* What came of a call; saved_result_clear() when done. All members may be NULL. */
struct saved_result {
    json_t *workflow;                /* as it is stored, without passwords */
    json_t *report;                  /* {"errors": […], "warnings": […]} of its validation */
    json_t *changes;                 /* of the running one: [{"node_id", "change"}] */
    json_t *node;                    /* the settings of the node that was changed */
    bool applied;                    /* the running one is as stored now */
    char tag[ENTITY_TAG_BYTES];      /* of what is stored; "" = nothing is */
    char replaced[ENTITY_TAG_BYTES]; /* of what was stored before; of saved_set_node() */
    struct reason why;               /* what went wrong, or why it was not applied */
};
void saved_result_clear(struct saved_result *result);

/* {"workflows": […], "total": n}: those that are kept, and those that run without being. */
json_t *saved_list(struct saved_workflows *saved);
/* OW_ENOTFOUND. *out is the document with created_at, updated_at, running, saved. `tag` is of what
 * is kept, without these; "" where it is not, NULL = not asked for. */
int saved_read(struct saved_workflows *saved, const char *id, json_t **out,
               char tag[ENTITY_TAG_BYTES]);

/* Keeps a new workflow. Without an id, or with `fresh_id` and one that is taken, it gets one;
 * without a name, one, too. OW_EPARSE: not valid (report), unless `draft`; OW_EEXISTS, OW_EINVAL
 * (an id that cannot be used), OW_ELIMIT, OW_EIO. */
int saved_add(struct saved_workflows *saved, json_t *document, bool draft, bool fresh_id,
              struct saved_result *result);
/* Replaces one, and changes it where it is running. `if_match` is the field of that name, "" =
 * whatever is there. OW_ENOTFOUND, OW_EPARSE, OW_EIO; OW_ECHANGED: it names another version than
 * the one that is kept, whose tag the result has. */
int saved_replace(struct saved_workflows *saved, const char *id, json_t *document, bool draft,
                  const char *if_match, struct saved_result *result);
/* Changes settings of one node, live where it is running; `data` holds the changed ones. OW_EINVAL
 * with a sentence that names the setting; after OW_EIO nothing has changed. */
int saved_set_node(struct saved_workflows *saved, const char *id, const char *node_id, json_t *data,
                   struct saved_result *result);
/* Stops and forgets. OW_ENOTFOUND. */
int saved_remove(struct saved_workflows *saved, const char *id);

/* Starts it, or changes the running one to what is kept; it starts again with the server until it
 * is stopped. OW_ENOTFOUND, OW_EPARSE, OW_EEXISTS (a view of its is running in another workflow).
 */
int saved_execute(struct saved_workflows *saved, const char *id, struct saved_result *result);
/* Adds or replaces, then starts. */
int saved_deploy(struct saved_workflows *saved, const char *id, json_t *document,
                 struct saved_result *result);
/* What saving and starting this document (NULL: the one that is kept) would change. */
int saved_preview(struct saved_workflows *saved, const char *id, json_t *document,
                  struct saved_result *result);
/* OW_ENOTFOUND when it does not run. */
int saved_stop(struct saved_workflows *saved, const char *id);
void saved_stop_all(struct saved_workflows *saved);

/* Starts what was running when the server ended. */
void saved_resume(struct saved_workflows *saved);
/* The first time there is nothing kept: keeps this workflow and starts it. */
int saved_add_example(struct saved_workflows *saved, json_t *document, struct reason *why);

#endif
