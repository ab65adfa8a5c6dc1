/* What the files of saved_workflows.h share. All under its lock. */
#ifndef OW_API_SAVED_INTERNAL_H
#define OW_API_SAVED_INTERNAL_H

#include "api/saved_workflows.h"

/* A new reference, never NULL unless memory is short. */
json_t *saved_read_secrets(struct saved_workflows *saved, const char *id);
/* The document as it is kept: a copy without passwords; these are written first, so that no kept
 * document ever lacks them. */
int saved_hide(struct saved_workflows *saved, const char *id, const json_t *document, json_t **out);
/* Keeps what the result has by one of the store's functions. */
int saved_keep(struct saved_workflows *saved, const char *id, struct saved_result *result,
               int (*write)(struct store *store, const char *id, const json_t *document));
/* Says why the store did not; returns `rc`. */
int saved_store_failed(struct saved_result *result, int rc);

#endif
