/* What outlives the program: workflows, cameras, uploads, settings, in one SQLite file (mode 0600).
 *
 * Any thread may call; calls are serialised. A change that returned OW_OK is on the disk: it
 * outlives a kill at any moment, and the loss of power as far as the disk keeps its word. A change
 * that failed changed nothing. Texts are UTF-8 without NULs.
 *
 * Errors of all functions: OW_EIO when the file cannot be read or written (disk full, read-only),
 * OW_ENOMEM. */
#ifndef OW_STORE_STORE_H
#define OW_STORE_STORE_H

#include "core/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct store;

enum {
    STORE_MAX_WORKFLOWS = 1000,
    STORE_MAX_CAMERAS = 1000,
    STORE_MAX_UPLOADS = 10000,
    STORE_MAX_DOCUMENT_BYTES = 1024 * 1024,
    STORE_MAX_SETTING_BYTES = 256 * 1024,
};

/* Opens or makes the file and brings its schema up to date; ":memory:" for tests. OW_EPARSE for a
 * file that is none of ours or damaged, OW_EUNSUPPORTED for one of a later version: nothing is
 * written to such a file. `why` says what to do. */
int store_open(struct store **out, const char *path, struct reason *why);
void store_close(struct store **store);

/* ---- workflows; passwords of their addresses stand beside the document, and are in no row ---- */

struct store_workflow {
    char *id, *name, *description, *version; /* owned by the row; "" = none */
    int node_count, edge_count;
    bool running;                 /* to be started with the server */
    int64_t created_s, updated_s; /* since 1970 */
};
void store_workflow_clear(struct store_workflow *row);

/* Name, description, version and counts are read from the document. `secrets`, an object, is kept
 * with it in one step; NULL = as they are. OW_EEXISTS; OW_ETOOLARGE; OW_ELIMIT: there are too many.
 */
int store_workflow_add(struct store *store, const char *id, const json_t *document,
                       const json_t *secrets);
/* OW_ENOTFOUND, OW_ETOOLARGE. */
int store_workflow_set(struct store *store, const char *id, const json_t *document,
                       const json_t *secrets);
/* *document is a new reference; `row` may be NULL, else to be cleared. OW_ENOTFOUND. */
int store_workflow_get(struct store *store, const char *id, json_t **document,
                       struct store_workflow *row);
/* *secrets is a new reference, an empty object where there are none. */
int store_workflow_secrets(struct store *store, const char *id, json_t **secrets);
/* With its secrets. OW_ENOTFOUND. */
int store_workflow_remove(struct store *store, const char *id);
/* Calls `row` for each, the one changed last first; a negative result ends it and is returned. The
 * row is lent, and the store must not be called from within. */
int store_workflow_list(struct store *store,
                        int (*row)(void *context, const struct store_workflow *row), void *context);
int store_workflow_set_running(struct store *store, const char *id, bool running);
int store_workflow_count(struct store *store); /* below 0: an error */

/* ---- cameras; passwords have a table of their own and are in no row ---- */

struct store_camera {
    char *id, *name, *url, *username; /* the url without credentials */
    bool has_password, enabled;
    int64_t created_s, updated_s;
};
void store_camera_clear(struct store_camera *camera);

/* `password` NULL = as it is, "" = none. Times and has_password of `camera` are not read. add:
 * OW_EEXISTS (id or name), OW_ELIMIT; set: OW_ENOTFOUND, OW_EEXISTS (name). */
int store_camera_add(struct store *store, const struct store_camera *camera, const char *password);
int store_camera_set(struct store *store, const struct store_camera *camera, const char *password);
int store_camera_get(struct store *store, const char *id, struct store_camera *camera);
int store_camera_remove(struct store *store, const char *id);
int store_camera_list(struct store *store,
                      int (*row)(void *context, const struct store_camera *camera), void *context);
/* The address with its user's name and password put in, for opening it only. OW_ENOTFOUND,
 * OW_ESTATE when it is switched off, OW_ELIMIT. */
int store_camera_address(struct store *store, const char *id, char *url, size_t capacity,
                         struct reason *why);
/* *password is malloc'ed, "" when there is none. OW_ENOTFOUND. */
int store_camera_password(struct store *store, const char *id, char **password);

/* ---- uploaded files ---- */

struct store_upload {
    char *id, *name, *file; /* name as people gave it; file in the uploads folder */
    int64_t bytes, created_s;
};
void store_upload_clear(struct store_upload *upload);

int store_upload_add(struct store *store,
                     const struct store_upload *upload); /* OW_EEXISTS, OW_ELIMIT */
int store_upload_get(struct store *store, const char *id, struct store_upload *upload);
int store_upload_remove(struct store *store, const char *id);
int store_upload_list(struct store *store,
                      int (*row)(void *context, const struct store_upload *upload), void *context);

/* ---- settings: texts by name ---- */

/* *value is malloc'ed. OW_ENOTFOUND. */
int store_setting_get(struct store *store, const char *name, char **value);
/* NULL removes it. OW_ETOOLARGE. */
int store_setting_set(struct store *store, const char *name, const char *value);

#endif
