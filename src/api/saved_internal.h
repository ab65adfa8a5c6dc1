/* What the files of saved_workflows.h share. All under its lock. */
#ifndef OW_API_SAVED_INTERNAL_H
#define OW_API_SAVED_INTERNAL_H

#include "api/saved_workflows.h"

/* A new reference, never NULL unless memory is short. */
json_t *saved_read_secrets(struct saved_workflows *saved, const char *id);
/* Keeps the document without its passwords, and these beside it, in one step by one of the store's
 * functions. The result has what is kept. */
int saved_keep(struct saved_workflows *saved, const char *id, const json_t *document,
               struct saved_result *result,
               int (*write)(struct store *store, const char *id, const json_t *document,
                            const json_t *secrets));
/* Says why the store did not; returns `rc`. */
int saved_store_failed(struct saved_result *result, int rc);

#endif
