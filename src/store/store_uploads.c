#include "store/store_internal.h"

#include <stdlib.h>

#define COLUMNS "id, name, file, bytes, created_s"

void store_upload_clear(struct store_upload *upload)
{
    free(upload->id);
    free(upload->name);
    free(upload->file);
    *upload = (struct store_upload){0};
}

static int read_row(sqlite3_stmt *statement, struct store_upload *out)
{
    *out = (struct store_upload){
        .id = store_column(statement, 0),
        .name = store_column(statement, 1),
        .file = store_column(statement, 2),
        .bytes = sqlite3_column_int64(statement, 3),
        .created_s = sqlite3_column_int64(statement, 4),
    };
    if (out->id && out->name && out->file)
        return OW_OK;
    store_upload_clear(out);
    return OW_ENOMEM;
}

int store_upload_add(struct store *store, const struct store_upload *upload)
{
    const struct store_value values[] = {
        STORE_TEXT_OF(upload->id),      STORE_TEXT_OF(upload->name),    STORE_TEXT_OF(upload->file),
        STORE_NUMBER_OF(upload->bytes), STORE_NUMBER_OF(store_now_s()),
    };
    pthread_mutex_lock(&store->lock);
    int64_t count = store_number(store, "SELECT count(*) FROM uploads");
    int rc = count < 0 ? (int)count
             : count >= STORE_MAX_UPLOADS
                 ? OW_ELIMIT
                 : store_run(store, "INSERT INTO uploads (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5)",
                             values, 5, NULL, NULL);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

static int read_one(void *context, sqlite3_stmt *statement)
{
    return read_row(statement, context);
}

int store_upload_get(struct store *store, const char *id, struct store_upload *upload)
{
    const struct store_value values[] = {STORE_TEXT_OF(id)};
    *upload = (struct store_upload){0};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, "SELECT " COLUMNS " FROM uploads WHERE id = ?1", values, 1, read_one,
                       upload);
    pthread_mutex_unlock(&store->lock);
    return rc == OW_OK && !upload->id ? OW_ENOTFOUND : rc;
}

int store_upload_remove(struct store *store, const char *id)
{
    const struct store_value values[] = {STORE_TEXT_OF(id)};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, "DELETE FROM uploads WHERE id = ?1", values, 1, NULL, NULL);
    if (rc == OW_OK && store_changed(store) == 0)
        rc = OW_ENOTFOUND;
    pthread_mutex_unlock(&store->lock);
    return rc;
}

struct listing {
    int (*row)(void *context, const struct store_upload *upload);
    void *context;
};

static int list_one(void *context, sqlite3_stmt *statement)
{
    const struct listing *listing = context;
    struct store_upload upload;
    int rc = read_row(statement, &upload);
    if (rc < 0)
        return rc;
    rc = listing->row(listing->context, &upload);
    store_upload_clear(&upload);
    return rc;
}

int store_upload_list(struct store *store,
                      int (*row)(void *context, const struct store_upload *upload), void *context)
{
    struct listing listing = {row, context};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, "SELECT " COLUMNS " FROM uploads ORDER BY created_s DESC, id", NULL,
                       0, list_one, &listing);
    pthread_mutex_unlock(&store->lock);
    return rc;
}
