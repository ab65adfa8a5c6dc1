#include "store/store_internal.h"

#include "core/clock.h"
#include "core/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

/* ---- statements ---- */

static int code_of(struct store *store, int result, const char *sql)
{
    switch (result) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return OW_OK;
    case SQLITE_CONSTRAINT:
        return OW_EEXISTS;
    case SQLITE_NOMEM:
        return OW_ENOMEM;
    case SQLITE_TOOBIG:
        return OW_ETOOLARGE;
    default:
        log_error("store: %s (%.40s)", sqlite3_errmsg(store->file), sql);
        return OW_EIO;
    }
}

static int bind(sqlite3_stmt *statement, int at, const struct store_value *value)
{
    if (value->kind == STORE_NUMBER)
        return sqlite3_bind_int64(statement, at, value->number);
    return value->text ? sqlite3_bind_text(statement, at, value->text, -1, SQLITE_STATIC)
                       : sqlite3_bind_null(statement, at);
}

int store_run(struct store *store, const char *sql, const struct store_value *values, int count,
              int (*row)(void *context, sqlite3_stmt *statement), void *context)
{
    sqlite3_stmt *statement = NULL;
    int rc = OW_OK;
    int result = sqlite3_prepare_v2(store->file, sql, -1, &statement, NULL);
    for (int i = 0; result == SQLITE_OK && i < count; i++)
        result = bind(statement, i + 1, &values[i]);
    if (result != SQLITE_OK) {
        rc = code_of(store, result, sql);
        goto out;
    }
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        if (row && (rc = row(context, statement)) < 0)
            goto out;
    rc = code_of(store, result & 0xff, sql);
out:
    sqlite3_finalize(statement);
    return rc;
}

int store_changed(struct store *store)
{
    return sqlite3_changes(store->file);
}

static int read_number(void *context, sqlite3_stmt *statement)
{
    *(int64_t *)context = sqlite3_column_int64(statement, 0);
    return OW_OK;
}

int64_t store_number(struct store *store, const char *sql)
{
    int64_t number = 0;
    int rc = store_run(store, sql, NULL, 0, read_number, &number);
    return rc < 0 ? rc : number;
}

int store_begin(struct store *store)
{
    return store_run(store, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL);
}

int store_end(struct store *store, int rc)
{
    if (rc == OW_OK)
        rc = store_run(store, "COMMIT", NULL, 0, NULL, NULL);
    if (rc < 0 && !sqlite3_get_autocommit(store->file))
        (void)store_run(store, "ROLLBACK", NULL, 0, NULL, NULL);
    return rc;
}

char *store_column(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return strdup(text ? (const char *)text : "");
}

int64_t store_now_s(void)
{
    return clock_wall_us() / 1000000;
}

/* ---- the file ---- */

/* Made by us before SQLite does, so that nobody else can read it at any time. */
static int make_private(const char *path, struct reason *why)
{
    mode_t before = umask(0077);
    FILE *file = fopen(path, "ae");
    umask(before);
    if (!file)
        return reason_set(why, OW_EIO,
                          "the store %.200s cannot be written: give --data-folder a folder that "
                          "can",
                          path);
    fclose(file);
    return OW_OK;
}

/* WAL: readers never wait, and an acknowledged change is one append that is synced. */
static int prepare(struct store *store)
{
    static const char *const pragmas[] = {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
                                          "PRAGMA foreign_keys = ON"};
    int rc = OW_OK;
    sqlite3_busy_timeout(store->file, BUSY_MS);
    sqlite3_extended_result_codes(store->file, 0);
    for (size_t i = 0; rc == OW_OK && i < sizeof pragmas / sizeof pragmas[0]; i++)
        rc = store_run(store, pragmas[i], NULL, 0, NULL, NULL);
    return rc;
}

static int read_verdict(void *context, sqlite3_stmt *statement)
{
    const unsigned char *verdict = sqlite3_column_text(statement, 0);
    *(bool *)context = verdict && strcmp((const char *)verdict, "ok") == 0;
    return OW_OK;
}

/* Before anything is written: is it a database, and whole? */
static int check(struct store *store, const char *path, struct reason *why)
{
    bool sound = false;
    int rc = store_run(store, "PRAGMA quick_check(1)", NULL, 0, read_verdict, &sound);
    if (rc == OW_OK && sound)
        return OW_OK;
    return reason_set(why, OW_EPARSE,
                      "the store %.200s is damaged or no database: move it away to begin anew, or "
                      "put a copy of it back",
                      path);
}

int store_open(struct store **out, const char *path, struct reason *why)
{
    struct store *store = calloc(1, sizeof *store);
    int rc = OW_ENOMEM;
    if (!store)
        return reason_set(why, rc, "out of memory");
    pthread_mutex_init(&store->lock, NULL);
    rc = strcmp(path, ":memory:") == 0 ? OW_OK : make_private(path, why);
    if (rc < 0)
        goto out;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &store->file, flags, NULL) != SQLITE_OK) {
        rc = reason_set(why, OW_EIO, "the store %.200s cannot be opened: %.80s", path,
                        store->file ? sqlite3_errmsg(store->file) : "out of memory");
        goto out;
    }
    rc = check(store, path, why);
    if (rc == OW_OK)
        rc = store_migrate(store, path, why);
    if (rc == OW_OK) {
        rc = prepare(store);
        if (rc < 0)
            reason_set(why, rc, "the store %.200s cannot be written: %s", path, error_text(rc));
    }
out:
    if (rc == OW_OK)
        *out = store;
    else
        store_close(&store);
    return rc;
}

void store_close(struct store **store)
{
    if (!*store)
        return;
    sqlite3_close((*store)->file);
    pthread_mutex_destroy(&(*store)->lock);
    free(*store);
    *store = NULL;
}
