/* Videos and models that people send: written to a folder of the server's own, checked by opening
 * them, and kept in the store's list. A file that was acknowledged is whole and on the disk; what
 * is left of any other is removed, at the latest when the program starts anew. */
#ifndef OW_API_UPLOADS_H
#define OW_API_UPLOADS_H

#include "core/error.h"
#include "store/store.h"
#include "workflow/runtime.h"

#include <pthread.h>
#include <stdatomic.h>

enum { UPLOAD_NAME_BYTES = 128, UPLOAD_FOLDER_BYTES = 512 };

struct uploads {
    struct store *store;
    char folder[UPLOAD_FOLDER_BYTES]; /* "" = nothing is taken */
    uint64_t max_bytes;               /* of one file */
    pthread_mutex_t lock;             /* held while a name is chosen and taken */
    const atomic_bool *stopping;      /* lent: what is being looked at is given up; NULL = never */
};

enum upload_kind { UPLOAD_VIDEO, UPLOAD_MODEL };

struct upload; /* one that is under way */

/* Makes the folder, removes what was left unfinished, and forgets those whose file has gone.
 * `folder` NULL = nothing is taken. OW_EIO with why. */
int uploads_init(struct uploads *uploads, struct store *store, const char *folder,
                 uint64_t max_bytes, struct reason *why);
void uploads_clear(struct uploads *uploads);

/* What a file of this name is called here: the last part of a path, of characters that are safe in
 * paths and addresses. "" when nothing is left. Pure. */
void upload_file_name(const char *given, char out[UPLOAD_NAME_BYTES]);

/* Errors of these, each with a sentence: OW_ETOOLARGE: larger than max_bytes; OW_EUNSUPPORTED: not
 * a video, or a model that cannot be used; OW_EINVAL: no name that can be used; OW_EIO: the disk;
 * OW_ENOMEM; OW_ESTATE: nothing is taken; OW_EEXISTS: too many files. */

/* `size` as announced, 0 = not known. */
int upload_begin(struct upload **out, struct uploads *uploads, enum upload_kind kind,
                 const char *name, uint64_t size, struct reason *why);
/* Of a model: what is to stand in the file beside it. OW_EINVAL for a video. */
int upload_set_sidecar(struct upload *upload, const char *text, struct reason *why);
int upload_write(struct upload *upload, const void *data, size_t size, struct reason *why);
/* Opens the video or model, then keeps it. `row` is to be cleared; *found, a new reference, is what
 * was found in it: of a video {"width", "height", "fps", "duration_s", "codec"}, of a model as
 * model_catalogue_describe() has it. */
int upload_finish(struct upload *upload, struct runtime *runtime, struct store_upload *row,
                  json_t **found, struct reason *why);
/* Removes what was not finished. */
void upload_close(struct upload **upload);

/* Removes what is kept, and the file beside a model. OW_ENOTFOUND. */
int uploads_remove(struct uploads *uploads, const struct store_upload *row);

#endif
