#include "store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                    \
    "id, name, description, version, node_count, edge_count, running, created_s, updated_s"

void store_workflow_clear(struct store_workflow *row)
{
    free(row->id);
    free(row->name);
    free(row->description);
    free(row->version);
    *row = (struct store_workflow){0};
}

static int read_row(sqlite3_stmt *statement, struct store_workflow *out)
{
    *out = (struct store_workflow){
        .id = store_column(statement, 0),
        .name = store_column(statement, 1),
        .description = store_column(statement, 2),
        .version = store_column(statement, 3),
        .node_count = sqlite3_column_int(statement, 4),
        .edge_count = sqlite3_column_int(statement, 5),
        .running = sqlite3_column_int(statement, 6) != 0,
        .created_s = sqlite3_column_int64(statement, 7),
        .updated_s = sqlite3_column_int64(statement, 8),
    };
    if (out->id && out->name && out->description && out->version)
        return OW_OK;
    store_workflow_clear(out);
    return OW_ENOMEM;
}

/* ---- writing ---- */

static const char *text_or(const json_t *document, const char *name, const char *fallback)
{
    const char *text = json_string_value(json_object_get(document, name));
    return text ? text : fallback;
}

static int64_t count_of(const json_t *document, const char *name)
{
    return (int64_t)json_array_size(json_object_get(document, name));
}

/* The document as text, or why it cannot be kept. */
static int dump(const json_t *document, char **out)
{
    char *text = json_dumps(document, JSON_COMPACT);
    if (!text)
        return OW_ENOMEM;
    if (strlen(text) > STORE_MAX_DOCUMENT_BYTES) {
        free(text);
        return OW_ETOOLARGE;
    }
    *out = text;
    return OW_OK;
}

/* A statement about one row that must be there. Under the lock. */
static int change_one(struct store *store, const char *sql, const struct store_value *values,
                      int count)
{
    int rc = store_run(store, sql, values, count, NULL, NULL);
    return rc == OW_OK && store_changed(store) == 0 ? OW_ENOTFOUND : rc;
}

static int write_row(struct store *store, const char *sql, const char *id, const json_t *document,
                     const char *text)
{
    const struct store_value values[] = {
        STORE_TEXT_OF(id),
        STORE_TEXT_OF(text_or(document, "name", id)),
        STORE_TEXT_OF(text_or(document, "description", "")),
        STORE_TEXT_OF(text_or(document, "version", "")),
        STORE_NUMBER_OF(count_of(document, "nodes")),
        STORE_NUMBER_OF(count_of(document, "edges")),
        STORE_TEXT_OF(text),
        STORE_NUMBER_OF(store_now_s()),
    };
    return change_one(store, sql, values, (int)(sizeof values / sizeof values[0]));
}

/* They are a setting of this name. NULL = no memory. */
static char *secrets_name(const char *id)
{
    char *name = NULL;
    return asprintf(&name, "workflow_secrets:%s", id) < 0 ? NULL : name;
}

/* An empty object removes them. */
static int write_secrets(struct store *store, const char *id, const json_t *secrets)
{
    char *name = secrets_name(id), *text = NULL;
    bool any = json_object_size(secrets) > 0;
    if (any)
        text = json_dumps(secrets, JSON_COMPACT);
    int rc = !name || (any && !text) ? OW_ENOMEM : store_setting_write(store, name, text);
    free(name);
    free(text);
    return rc;
}

/* Document and secrets together, or neither. Under the lock. */
static int write_both(struct store *store, const char *sql, const char *id, const json_t *document,
                      const json_t *secrets)
{
    char *text = NULL;
    int rc = dump(document, &text);
    if (rc == OW_OK)
        rc = store_begin(store);
    if (rc == OW_OK) {
        rc = write_row(store, sql, id, document, text);
        if (rc == OW_OK && secrets)
            rc = write_secrets(store, id, secrets);
        rc = store_end(store, rc);
    }
    free(text);
    return rc;
}

int store_workflow_add(struct store *store, const char *id, const json_t *document,
                       const json_t *secrets)
{
    static const char sql[] =
        "INSERT INTO workflows (id, name, description, version, node_count, edge_count, document,"
        " created_s, updated_s, change) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8,"
        " (SELECT coalesce(max(change), 0) + 1 FROM workflows))";
    pthread_mutex_lock(&store->lock);
    int64_t count = store_number(store, "SELECT count(*) FROM workflows");
    int rc = count < 0                      ? (int)count
             : count >= STORE_MAX_WORKFLOWS ? OW_ELIMIT
                                            : write_both(store, sql, id, document, secrets);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

int store_workflow_set(struct store *store, const char *id, const json_t *document,
                       const json_t *secrets)
{
    static const char sql[] =
        "UPDATE workflows SET name = ?2, description = ?3, version = ?4, node_count = ?5,"
        " edge_count = ?6, document = ?7, updated_s = ?8,"
        " change = (SELECT max(change) + 1 FROM workflows) WHERE id = ?1";
    pthread_mutex_lock(&store->lock);
    int rc = write_both(store, sql, id, document, secrets);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

static int remove_both(struct store *store, const char *id)
{
    const struct store_value values[] = {STORE_TEXT_OF(id)};
    int rc = store_begin(store);
    if (rc < 0)
        return rc;
    rc = change_one(store, "DELETE FROM workflows WHERE id = ?1", values, 1);
    if (rc == OW_OK)
        rc = write_secrets(store, id, NULL);
    return store_end(store, rc);
}

int store_workflow_remove(struct store *store, const char *id)
{
    pthread_mutex_lock(&store->lock);
    int rc = remove_both(store, id);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

int store_workflow_set_running(struct store *store, const char *id, bool running)
{
    const struct store_value values[] = {STORE_TEXT_OF(id), STORE_NUMBER_OF(running)};
    pthread_mutex_lock(&store->lock);
    int rc = change_one(store, "UPDATE workflows SET running = ?2 WHERE id = ?1", values, 2);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

/* ---- reading ---- */

struct reading {
    struct store_workflow *row;
    json_t *document;
};

static int read_one(void *context, sqlite3_stmt *statement)
{
    struct reading *reading = context;
    const char *text = (const char *)sqlite3_column_text(statement, 9);
    reading->document = text ? json_loads(text, 0, NULL) : NULL;
    if (!reading->document)
        return OW_ENOMEM;
    return reading->row ? read_row(statement, reading->row) : OW_OK;
}

int store_workflow_get(struct store *store, const char *id, json_t **document,
                       struct store_workflow *row)
{
    static const char sql[] = "SELECT " COLUMNS ", document FROM workflows WHERE id = ?1";
    const struct store_value values[] = {STORE_TEXT_OF(id)};
    struct reading reading = {.row = row};
    if (row)
        *row = (struct store_workflow){0};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, sql, values, 1, read_one, &reading);
    pthread_mutex_unlock(&store->lock);
    if (rc == OW_OK && !reading.document)
        rc = OW_ENOTFOUND;
    if (rc == OW_OK)
        *document = reading.document;
    else
        json_decref(reading.document);
    return rc;
}

int store_workflow_secrets(struct store *store, const char *id, json_t **secrets)
{
    char *name = secrets_name(id), *text = NULL;
    json_t *read = NULL;
    pthread_mutex_lock(&store->lock);
    int rc = name ? store_setting_read(store, name, &text) : OW_ENOMEM;
    pthread_mutex_unlock(&store->lock);
    if (rc == OW_OK)
        read = json_loads(text, 0, NULL);
    else if (rc == OW_ENOTFOUND)
        read = json_object();
    if (rc == OW_OK || rc == OW_ENOTFOUND)
        rc = read ? OW_OK : OW_ENOMEM;
    if (rc == OW_OK)
        *secrets = read;
    free(name);
    free(text);
    return rc;
}

struct listing {
    int (*row)(void *context, const struct store_workflow *row);
    void *context;
};

static int list_one(void *context, sqlite3_stmt *statement)
{
    const struct listing *listing = context;
    struct store_workflow row;
    int rc = read_row(statement, &row);
    if (rc < 0)
        return rc;
    rc = listing->row(listing->context, &row);
    store_workflow_clear(&row);
    return rc;
}

int store_workflow_list(struct store *store,
                        int (*row)(void *context, const struct store_workflow *row), void *context)
{
    struct listing listing = {row, context};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, "SELECT " COLUMNS " FROM workflows ORDER BY change DESC", NULL, 0,
                       list_one, &listing);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

int store_workflow_count(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    int64_t count = store_number(store, "SELECT count(*) FROM workflows");
    pthread_mutex_unlock(&store->lock);
    return (int)count;
}
