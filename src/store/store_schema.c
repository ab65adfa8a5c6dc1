/* The schema as a row of steps: step n leads from version n to n + 1. Steps are never changed once
 * they have been released, only added. */
#include "store/store_internal.h"

#include <stdio.h>

static const char *const steps[] = {
    /* 0 -> 1 */
    "CREATE TABLE workflows ("
    "  id TEXT PRIMARY KEY NOT NULL,"
    "  name TEXT NOT NULL, description TEXT NOT NULL, version TEXT NOT NULL,"
    "  node_count INTEGER NOT NULL, edge_count INTEGER NOT NULL,"
    "  document TEXT NOT NULL,"
    "  running INTEGER NOT NULL DEFAULT 0,"
    "  created_s INTEGER NOT NULL, updated_s INTEGER NOT NULL,"
    "  change INTEGER NOT NULL);" /* counts up: the order of changes within a second */
    "CREATE INDEX workflows_by_change ON workflows (change);"
    "CREATE TABLE cameras ("
    "  id TEXT PRIMARY KEY NOT NULL,"
    "  name TEXT NOT NULL UNIQUE, url TEXT NOT NULL, username TEXT NOT NULL,"
    "  enabled INTEGER NOT NULL DEFAULT 1,"
    "  created_s INTEGER NOT NULL, updated_s INTEGER NOT NULL);"
    "CREATE TABLE camera_secrets ("
    "  id TEXT PRIMARY KEY NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,"
    "  password TEXT NOT NULL);"
    "CREATE TABLE uploads ("
    "  id TEXT PRIMARY KEY NOT NULL,"
    "  name TEXT NOT NULL, file TEXT NOT NULL UNIQUE,"
    "  bytes INTEGER NOT NULL, created_s INTEGER NOT NULL);"
    "CREATE TABLE settings (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);",
};

enum { VERSION = sizeof steps / sizeof steps[0] };

static int take_step(struct store *store, int from)
{
    char version[48];
    snprintf(version, sizeof version, "PRAGMA user_version = %d", from + 1);
    int rc = store_begin(store);
    if (rc < 0)
        return rc;
    if (sqlite3_exec(store->file, steps[from], NULL, NULL, NULL) != SQLITE_OK)
        rc = OW_EIO;
    if (rc == OW_OK)
        rc = store_run(store, version, NULL, 0, NULL, NULL);
    return store_end(store, rc);
}

int store_migrate(struct store *store, const char *path, struct reason *why)
{
    int64_t version = store_number(store, "PRAGMA user_version");
    int64_t tables = store_number(store, "SELECT count(*) FROM sqlite_schema");
    if (version < 0 || tables < 0)
        return reason_set(why, OW_EIO, "the store %.200s cannot be read", path);
    if (version > VERSION)
        return reason_set(why, OW_EUNSUPPORTED,
                          "the store %.200s was written by a later version of Overwatch (schema "
                          "%d, this one knows %d): use that version, or another --data-folder",
                          path, (int)version, (int)VERSION);
    if (version == 0 && tables > 0)
        return reason_set(why, OW_EPARSE,
                          "the store %.200s is the database of another program: use another "
                          "--data-folder",
                          path);
    for (int at = (int)version; at < VERSION; at++) {
        int rc = take_step(store, at);
        if (rc < 0)
            return reason_set(why, rc, "the store %.200s cannot be brought up to date: %s", path,
                              error_text(rc));
    }
    return OW_OK;
}
