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

int data_folder_within(const char *given, const char *name, char out[DATA_FOLDER_BYTES],
                       struct reason *why)
{
    out[0] = '\0';
    if (given && strcmp(given, "none") == 0)
        return OW_OK;
    int rc = data_folder_find(given, out, why);
    if (rc < 0)
        return rc;
    size_t size = strlen(out);
    return snprintf(out + size, DATA_FOLDER_BYTES - size, "/%s", name) <
                   (int)(DATA_FOLDER_BYTES - size)
               ? OW_OK
               : reason_set(why, OW_EINVAL, "the path of the data folder is too long");
}
