#include "app/data_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the folders of a path that are not there. */
static int make_folders(const char *path, struct reason *why)
{
    char part[512];
    size_t size = strlen(path);
    for (size_t i = 1; i <= size && size < sizeof part; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            break;
        if (i == size)
            return OW_OK;
    }
    return reason_set(why, OW_EIO,
                      "the data folder %.200s cannot be made: give another --data-folder", path);
}

int data_folder_find(const char *given, char out[DATA_FOLDER_BYTES], struct reason *why)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (given)
        snprintf(out, DATA_FOLDER_BYTES, "%s", given);
    else if (data && data[0] == '/')
        snprintf(out, DATA_FOLDER_BYTES, "%s/overwatch", data);
    else if (home && home[0] == '/')
        snprintf(out, DATA_FOLDER_BYTES, "%s/.local/share/overwatch", home);
    else
        return reason_set(why, OW_EINVAL, "there is no home folder: give a --data-folder");
    return make_folders(out, why);
}

int data_folder_open(struct store **out, const char *given, struct reason *why)
{
    char folder[DATA_FOLDER_BYTES], path[DATA_FOLDER_BYTES + 16];
    if (given && strcmp(given, "none") == 0)
        return store_open(out, ":memory:", why);
    int rc = data_folder_find(given, folder, why);
    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%s/overwatch.db", folder);
    return store_open(out, path, why);
}

static int write_address(const struct store_camera *camera, const char *password, char *url,
                         size_t capacity, struct reason *why)
{
    const char *rest = strstr(camera->url, "://");
    int length;
    if (!camera->enabled)
        return reason_set(why, OW_ESTATE, "the camera \"%.80s\" is switched off", camera->name);
    if (rest && camera->username[0])
        length = snprintf(url, capacity, "%.*s://%s%s%s@%s", (int)(rest - camera->url), camera->url,
                          camera->username, password[0] ? ":" : "", password, rest + 3);
    else
        length = snprintf(url, capacity, "%s", camera->url);
    if (length < 0 || (size_t)length >= capacity)
        return reason_set(why, OW_ELIMIT, "the address of the camera \"%.80s\" is too long",
                          camera->name);
    return OW_OK;
}

int data_folder_camera_address(void *store, const char *id, char *url, size_t capacity,
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
