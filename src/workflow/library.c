#include "workflow/library.h"

#include "vision/model.h"
#include "workflow/node_types.h"
#include "workflow/runtime.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = NODE_PATH_BYTES, MAX_FILES = 2000, MAX_DEPTH = 3 };

static const char *const model_endings[] = {".onnx", NULL};
static const char *const video_endings[] = {".mp4", ".m4v",  ".mov",   ".mkv", ".webm",
                                            ".avi", ".ts",   ".mpeg",  ".mpg", ".flv",
                                            ".y4m", ".h264", ".mjpeg", NULL};

static bool ends_with(const char *name, const char *const *endings)
{
    size_t size = strlen(name);
    for (; *endings; endings++) {
        size_t ending = strlen(*endings);
        if (size > ending && strcasecmp(name + size - ending, *endings) == 0)
            return true;
    }
    return false;
}

struct scan {
    const char *prefix; /* of the names, NULL = none */
    const char *const *endings;
    void (*found)(struct scan *scan, const char *name, const struct stat *info);
    json_t *list;
    const char *default_model;
};

/* `below` is the path within the folder, "" or "folder/". */
static void scan_folder(struct scan *scan, const char *folder, const char *below, int depth)
{
    char path[PATH_BYTES], name[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/%s", folder, below) >= (int)sizeof path)
        return;
    DIR *open = opendir(path);
    struct dirent *entry;
    while (open && (entry = readdir(open)) && json_array_size(scan->list) < MAX_FILES) {
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        int length = snprintf(name, sizeof name, "%s%s", below, entry->d_name);
        if (length >= (int)sizeof name - 1 ||
            snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
            stat(path, &info) != 0)
            continue;
        if (S_ISREG(info.st_mode) && ends_with(name, scan->endings)) {
            scan->found(scan, name, &info);
        } else if (S_ISDIR(info.st_mode) && depth < MAX_DEPTH) {
            memcpy(name + length, "/", 2);
            scan_folder(scan, folder, name, depth + 1);
        }
    }
    if (open)
        closedir(open);
}

static int by_name(const void *a, const void *b)
{
    const json_t *const *left = a, *const *right = b;
    return strcasecmp(json_string_value(json_object_get(*left, "name")),
                      json_string_value(json_object_get(*right, "name")));
}

static json_t *sorted(json_t *list)
{
    size_t count = json_array_size(list);
    json_t **entries = calloc(count + 1, sizeof(json_t *));
    json_t *out = json_array();
    for (size_t i = 0; entries && i < count; i++)
        entries[i] = json_array_get(list, i);
    if (entries)
        qsort(entries, count, sizeof(json_t *), by_name);
    for (size_t i = 0; entries && i < count; i++)
        json_array_append(out, entries[i]);
    free(entries);
    json_decref(list);
    return out;
}

/* ---- models ---- */

static bool is_default(const struct scan *scan, const char *id)
{
    const char *name = scan->default_model ? scan->default_model : "";
    const char *slash = strrchr(name, '/');
    name = slash ? slash + 1 : name;
    size_t size = strlen(id);
    return strncmp(name, id, size) == 0 && (!name[size] || strcmp(name + size, ".onnx") == 0);
}

static void add_model(struct scan *scan, const char *name, const struct stat *info)
{
    const char *prefix = scan->prefix ? scan->prefix : "";
    json_t *id = json_sprintf("%s%.*s", prefix, (int)(strlen(name) - strlen(".onnx")), name);
    bool def = id && !scan->prefix && is_default(scan, json_string_value(id));
    json_array_append_new(scan->list, json_pack("{s:O, s:O, s:s+, s:I, s:b}", "id", id, "name", id,
                                                "file", prefix, name, "size_bytes",
                                                (json_int_t)info->st_size, "default", def));
    json_decref(id);
}

json_t *library_models(const char *folder, const char *upload_folder, const char *default_model)
{
    struct scan scan = {.endings = model_endings,
                        .found = add_model,
                        .list = json_array(),
                        .default_model = default_model};
    if (folder && folder[0])
        scan_folder(&scan, folder, "", 1);
    scan.prefix = UPLOAD_PREFIX;
    if (upload_folder && upload_folder[0])
        scan_folder(&scan, upload_folder, "", MAX_DEPTH);
    return sorted(scan.list);
}

bool library_is_model(const char *name)
{
    return ends_with(name, model_endings);
}

int library_model_path(const char *folder, const char *upload_folder, const char *id, char *path,
                       struct reason *why)
{
    json_t *models = library_models(folder, upload_folder, NULL);
    size_t i;
    json_t *model;
    int rc = OW_ENOTFOUND;
    json_array_foreach(models, i, model)
    {
        const char *file = json_string_value(json_object_get(model, "file"));
        if (strcmp(id, json_string_value(json_object_get(model, "id"))) != 0)
            continue;
        bool uploaded = strncmp(file, UPLOAD_PREFIX, strlen(UPLOAD_PREFIX)) == 0;
        int size = snprintf(path, NODE_PATH_BYTES, "%s/%s", uploaded ? upload_folder : folder,
                            file + (uploaded ? strlen(UPLOAD_PREFIX) : 0));
        if (size < NODE_PATH_BYTES && access(path, F_OK) == 0)
            rc = OW_OK;
    }
    json_decref(models);
    return rc == OW_OK
               ? rc
               : reason_set(why, rc, "There is no model \"%.80s\" in the model folder.", id);
}

static json_t *list_classes(const struct label_set *labels)
{
    json_t *list = json_array();
    for (int i = 0; i < labels->count; i++)
        json_array_append_new(list, json_pack("{s:i, s:s}", "id", i, "name", labels->names[i]));
    return list;
}

static int find_default(const char *folder, const char *default_model, char path[PATH_BYTES],
                        struct reason *why)
{
    if (!default_model || !default_model[0])
        return reason_set(why, OW_ENOTFOUND, "There is no default model.");
    snprintf(path, PATH_BYTES, "%s", default_model);
    if (access(path, R_OK) != 0 && folder && default_model[0] != '/') {
        snprintf(path, PATH_BYTES, "%s/%s", folder, default_model);
        if (access(path, R_OK) != 0)
            snprintf(path, PATH_BYTES, "%s/%s.onnx", folder, default_model);
    }
    return OW_OK;
}

int library_model_classes(const char *folder, const char *upload_folder, const char *default_model,
                          const char *id, json_t **out, struct reason *why)
{
    char path[PATH_BYTES];
    struct model *model = NULL;
    int rc = id && id[0] ? library_model_path(folder, upload_folder, id, path, why)
                         : find_default(folder, default_model, path, why);
    if (rc == OW_OK)
        rc = model_open(&model, path, &(struct model_options){.threads = 1}, why);
    if (rc < 0)
        return rc;
    const struct model_info *info = model_info(model);
    *out = json_pack("{s:s, s:s, s:s, s:i, s:i, s:o}", "model", id ? id : "", "task", info->task,
                     "family", info->family, "input_width", info->input_width, "input_height",
                     info->input_height, "classes", list_classes(info->labels));
    model_close(&model);
    return *out ? OW_OK : OW_ENOMEM;
}

/* ---- videos ---- */

static void add_video(struct scan *scan, const char *name, const struct stat *info)
{
    char full[PATH_BYTES];
    snprintf(full, sizeof full, "%s%s", scan->prefix ? scan->prefix : "", name);
    json_array_append_new(
        scan->list, json_pack("{s:s, s:I}", "name", full, "bytes", (json_int_t)info->st_size));
}

bool library_is_video(const char *name)
{
    return ends_with(name, video_endings);
}

json_t *library_videos(const char *folder, const char *upload_folder)
{
    struct scan scan = {.endings = video_endings, .found = add_video, .list = json_array()};
    if (folder && folder[0])
        scan_folder(&scan, folder, "", 1);
    scan.prefix = UPLOAD_PREFIX;
    if (upload_folder && upload_folder[0])
        scan_folder(&scan, upload_folder, "", MAX_DEPTH);
    return sorted(scan.list);
}
