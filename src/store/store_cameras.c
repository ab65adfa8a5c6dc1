#include "store/store_internal.h"

#include "core/percent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                    \
    "id, name, url, username, enabled, created_s, updated_s,"                                      \
    " EXISTS (SELECT 1 FROM camera_secrets WHERE camera_secrets.id = cameras.id)"

void store_camera_clear(struct store_camera *camera)
{
    free(camera->id);
    free(camera->name);
    free(camera->url);
    free(camera->username);
    *camera = (struct store_camera){0};
}

static int read_row(sqlite3_stmt *statement, struct store_camera *out)
{
    *out = (struct store_camera){
        .id = store_column(statement, 0),
        .name = store_column(statement, 1),
        .url = store_column(statement, 2),
        .username = store_column(statement, 3),
        .enabled = sqlite3_column_int(statement, 4) != 0,
        .created_s = sqlite3_column_int64(statement, 5),
        .updated_s = sqlite3_column_int64(statement, 6),
        .has_password = sqlite3_column_int(statement, 7) != 0,
    };
    if (out->id && out->name && out->url && out->username)
        return OW_OK;
    store_camera_clear(out);
    return OW_ENOMEM;
}

static int write_password(struct store *store, const char *id, const char *password)
{
    const struct store_value values[] = {STORE_TEXT_OF(id), STORE_TEXT_OF(password)};
    if (!password)
        return OW_OK;
    if (!password[0])
        return store_run(store, "DELETE FROM camera_secrets WHERE id = ?1", values, 1, NULL, NULL);
    return store_run(store,
                     "INSERT INTO camera_secrets (id, password) VALUES (?1, ?2)"
                     " ON CONFLICT (id) DO UPDATE SET password = ?2",
                     values, 2, NULL, NULL);
}

static int write_camera(struct store *store, const char *sql, const struct store_camera *camera)
{
    const struct store_value values[] = {
        STORE_TEXT_OF(camera->id),        STORE_TEXT_OF(camera->name),
        STORE_TEXT_OF(camera->url),       STORE_TEXT_OF(camera->username ? camera->username : ""),
        STORE_NUMBER_OF(camera->enabled), STORE_NUMBER_OF(store_now_s()),
    };
    int rc = store_run(store, sql, values, (int)(sizeof values / sizeof values[0]), NULL, NULL);
    return rc == OW_OK && store_changed(store) == 0 ? OW_ENOTFOUND : rc;
}

/* Camera and password together, or neither. */
static int write_both(struct store *store, const char *sql, const struct store_camera *camera,
                      const char *password)
{
    int rc = store_begin(store);
    if (rc < 0)
        return rc;
    rc = write_camera(store, sql, camera);
    if (rc == OW_OK)
        rc = write_password(store, camera->id, password);
    return store_end(store, rc);
}

int store_camera_add(struct store *store, const struct store_camera *camera, const char *password)
{
    static const char sql[] =
        "INSERT INTO cameras (id, name, url, username, enabled, created_s, updated_s)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
    pthread_mutex_lock(&store->lock);
    int64_t count = store_number(store, "SELECT count(*) FROM cameras");
    int rc = count < 0                    ? (int)count
             : count >= STORE_MAX_CAMERAS ? OW_ELIMIT
                                          : write_both(store, sql, camera, password);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

int store_camera_set(struct store *store, const struct store_camera *camera, const char *password)
{
    static const char sql[] = "UPDATE cameras SET name = ?2, url = ?3, username = ?4, enabled = ?5,"
                              " updated_s = ?6 WHERE id = ?1";
    pthread_mutex_lock(&store->lock);
    int rc = write_both(store, sql, camera, password);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

static int read_one(void *context, sqlite3_stmt *statement)
{
    return read_row(statement, context);
}

int store_camera_get(struct store *store, const char *id, struct store_camera *camera)
{
    const struct store_value values[] = {STORE_TEXT_OF(id)};
    *camera = (struct store_camera){0};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, "SELECT " COLUMNS " FROM cameras WHERE id = ?1", values, 1, read_one,
                       camera);
    pthread_mutex_unlock(&store->lock);
    return rc == OW_OK && !camera->id ? OW_ENOTFOUND : rc;
}

int store_camera_remove(struct store *store, const char *id)
{
    const struct store_value values[] = {STORE_TEXT_OF(id)};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, "DELETE FROM cameras WHERE id = ?1", values, 1, NULL, NULL);
    if (rc == OW_OK && store_changed(store) == 0)
        rc = OW_ENOTFOUND;
    pthread_mutex_unlock(&store->lock);
    return rc;
}

struct listing {
    int (*row)(void *context, const struct store_camera *camera);
    void *context;
};

static int list_one(void *context, sqlite3_stmt *statement)
{
    const struct listing *listing = context;
    struct store_camera camera;
    int rc = read_row(statement, &camera);
    if (rc < 0)
        return rc;
    rc = listing->row(listing->context, &camera);
    store_camera_clear(&camera);
    return rc;
}

int store_camera_list(struct store *store,
                      int (*row)(void *context, const struct store_camera *camera), void *context)
{
    struct listing listing = {row, context};
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store, "SELECT " COLUMNS " FROM cameras ORDER BY name COLLATE NOCASE", NULL,
                       0, list_one, &listing);
    pthread_mutex_unlock(&store->lock);
    return rc;
}

static int read_password(void *context, sqlite3_stmt *statement)
{
    *(char **)context = store_column(statement, 0);
    return *(char **)context ? OW_OK : OW_ENOMEM;
}

int store_camera_password(struct store *store, const char *id, char **password)
{
    const struct store_value values[] = {STORE_TEXT_OF(id)};
    char *found = NULL;
    pthread_mutex_lock(&store->lock);
    int rc = store_run(store,
                       "SELECT password FROM cameras LEFT JOIN camera_secrets USING (id)"
                       " WHERE id = ?1",
                       values, 1, read_password, &found);
    pthread_mutex_unlock(&store->lock);
    if (rc == OW_OK && !found)
        rc = OW_ENOTFOUND;
    if (rc == OW_OK)
        *password = found;
    return rc;
}

enum {
    CREDENTIAL_BYTES = 3 * 200 + 1
}; /* the longest that cameras have, with every byte encoded */

static int write_address(const struct store_camera *camera, const char *password, char *url,
                         size_t capacity, struct reason *why)
{
    const char *rest = strstr(camera->url, "://");
    char user[CREDENTIAL_BYTES], secret[CREDENTIAL_BYTES];
    int length = -1;
    if (!camera->enabled)
        return reason_set(why, OW_ESTATE, "the camera \"%.80s\" is switched off", camera->name);
    if (!rest || !camera->username[0])
        length = snprintf(url, capacity, "%s", camera->url);
    else if (percent_encode(camera->username, "", user, sizeof user) &&
             percent_encode(password, "", secret, sizeof secret))
        length = snprintf(url, capacity, "%.*s://%s%s%s@%s", (int)(rest - camera->url), camera->url,
                          user, secret[0] ? ":" : "", secret, rest + 3);
    explicit_bzero(secret, sizeof secret);
    if (length < 0 || (size_t)length >= capacity)
        return reason_set(why, OW_ELIMIT, "the address of the camera \"%.80s\" is too long",
                          camera->name);
    return OW_OK;
}

int store_camera_address(struct store *store, const char *id, char *url, size_t capacity,
                         struct reason *why)
{
    struct store_camera camera;
    char *password = NULL;
    int rc = store_camera_get(store, id, &camera);
    if (rc == OW_OK)
        rc = store_camera_password(store, id, &password);
    if (rc == OW_OK)
        rc = write_address(&camera, password, url, capacity, why);
    else
        reason_set(why, rc, "cameraId \"%.80s\": there is no camera of this id", id);
    free(password);
    store_camera_clear(&camera);
    return rc;
}
