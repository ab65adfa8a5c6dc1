#include "store/store_internal.h"

#include <stdlib.h>
#include <string.h>

static int read_value(void *context, sqlite3_stmt *statement)
{
    *(char **)context = store_column(statement, 0);
    return *(char **)context ? OW_OK : OW_ENOMEM;
}

int store_setting_read(struct store *store, const char *name, char **value)
{
    const struct store_value values[] = {STORE_TEXT_OF(name)};
    char *found = NULL;
    int rc = store_run(store, "SELECT value FROM settings WHERE name = ?1", values, 1, read_value,
                       &found);
    if (rc == OW_OK && !found)
        rc = OW_ENOTFOUND;
    if (rc == OW_OK)
        *value = found;
    return rc;
}

int store_setting_write(struct store *store, const char *name, const char *value)
{
    const struct store_value values[] = {STORE_TEXT_OF(name), STORE_TEXT_OF(value)};
    if (!value)
        return store_run(store, "DELETE FROM settings WHERE name = ?1", values, 1, NULL, NULL);
    if (strlen(value) > STORE_MAX_SETTING_BYTES)
        return OW_ETOOLARGE;
    return store_run(store,
                     "INSERT INTO settings (name, value) VALUES (?1, ?2)"
                     " ON CONFLICT (name) DO UPDATE SET value = ?2",
                     values, 2, NULL, NULL);
}

int store_setting_get(struct store *store, const char *name, char **value)
{
    pthread_mutex_lock(&store->lock);
    int rc = store_setting_read(store, name, value);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

int store_setting_set(struct store *store, const char *name, const char *value)
{
    pthread_mutex_lock(&store->lock);
    int rc = store_setting_write(store, name, value);
    pthread_mutex_unlock(&store->lock);
    return rc;
}
