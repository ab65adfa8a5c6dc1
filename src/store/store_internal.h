/* Statements on the open file, shared by the store_*.c files. */
#ifndef OW_STORE_STORE_INTERNAL_H
#define OW_STORE_STORE_INTERNAL_H

#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>

struct store {
    sqlite3 *file;
    pthread_mutex_t lock;
};

/* One value of a statement. */
struct store_value {
    enum { STORE_TEXT, STORE_NUMBER } kind;
    const char *text; /* NULL = SQL's NULL */
    int64_t number;
};
#define STORE_TEXT_OF(value) ((struct store_value){.kind = STORE_TEXT, .text = (value)})
#define STORE_NUMBER_OF(value) ((struct store_value){.kind = STORE_NUMBER, .number = (value)})

/* All under the lock, which callers take. */

/* Runs a statement with its values for ?1, ?2 …; `row`, if given, is called for each row of the
 * answer until it returns a negative code. OW_EEXISTS when a row of that key or unique name is
 * there, OW_EIO (told in the log), OW_ENOMEM. */
int store_run(struct store *store, const char *sql, const struct store_value *values, int count,
              int (*row)(void *context, sqlite3_stmt *statement), void *context);
/* Rows changed by the last INSERT, UPDATE or DELETE. */
int store_changed(struct store *store);
/* The single number that a statement answers with; below 0: an error. */
int64_t store_number(struct store *store, const char *sql);

/* A change of several statements: all of it or nothing. */
int store_begin(struct store *store);
/* Keeps it when rc is OW_OK, else takes it back; returns rc, or what went wrong with keeping it. */
int store_end(struct store *store, int rc);

/* store_settings.c: what the functions of store.h do, for those who have the lock. */
int store_setting_read(struct store *store, const char *name, char **value);
int store_setting_write(struct store *store, const char *name, const char *value);

/* A column as a malloc'ed text, "" for NULL. NULL = no memory. */
char *store_column(sqlite3_stmt *statement, int column);
int64_t store_now_s(void);

/* store_schema.c: brings an open file to the present schema. */
int store_migrate(struct store *store, const char *path, struct reason *why);

#endif
