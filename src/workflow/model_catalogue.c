#include "workflow/model_catalogue.h"

#include "core/file_identity.h"
#include "core/thread.h"
#include "vision/model_sidecar.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 4, WIDTH = 960, HEIGHT = 540, ENTRIES_MAX = 500 };

struct entry {
    struct entry *next;
    char *path;
    struct file_identity model, sidecar;
    json_t *found;
};

struct model_catalogue {
    struct model_options options;
    pthread_mutex_t lock; /* held while a model is measured, too: one at a time */
    struct entry *entries;
    int count;
};

int model_catalogue_create(struct model_catalogue **out, const struct model_options *options)
{
    struct model_catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (!catalogue)
        return OW_ENOMEM;
    catalogue->options = *options;
    pthread_mutex_init(&catalogue->lock, NULL);
    *out = catalogue;
    return OW_OK;
}

static void forget(struct model_catalogue *catalogue)
{
    while (catalogue->entries) {
        struct entry *entry = catalogue->entries;
        catalogue->entries = entry->next;
        json_decref(entry->found);
        free(entry->path);
        free(entry);
    }
    catalogue->count = 0;
}

void model_catalogue_destroy(struct model_catalogue **catalogue)
{
    if (!*catalogue)
        return;
    forget(*catalogue);
    pthread_mutex_destroy(&(*catalogue)->lock);
    free(*catalogue);
    *catalogue = NULL;
}

/* The shortest of some runs, which is the one that others on the machine disturbed least. */
static int measure(struct model *model, double *ms, struct reason *why)
{
    static const struct model_thresholds thresholds = {
        .confidence = 0.5F, .iou = 0.5F, .max_detections = 100};
    int64_t best_us = INT64_MAX;
    uint8_t *grey = malloc((size_t)WIDTH * HEIGHT);
    if (!grey)
        return OW_ENOMEM;
    memset(grey, 128, (size_t)WIDTH * HEIGHT);
    const struct frame frame = {.width = WIDTH,
                                .height = HEIGHT,
                                .plane = {grey, grey, grey},
                                .stride = {WIDTH, WIDTH / 2, WIDTH / 2}};
    int rc = OW_OK;
    for (int i = 0; i < RUNS && rc == OW_OK; i++) {
        struct model_timing timing = {0};
        struct detections *seen = NULL;
        rc = model_run(model, &frame, &thresholds, &seen, &timing, why);
        detections_unref(&seen);
        if (i > 0 && timing.inference_us < best_us) /* the first also warms up */
            best_us = timing.inference_us;
    }
    free(grey);
    *ms = (double)best_us / 1000;
    return rc;
}

static json_t *look(const struct model_options *options, const char *path)
{
    struct reason why = {""};
    struct model *model = NULL;
    double ms = 0;
    json_t *found = NULL;
    int rc = model_open(&model, path, options, &why);
    if (rc == OW_OK)
        rc = measure(model, &ms, &why);
    if (rc == OW_OK) {
        const struct model_info *info = model_info(model);
        found = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:f}", "task", info->task, "family",
                          info->family, "provider", info->provider, "input_width",
                          info->input_width, "input_height", info->input_height, "class_count",
                          info->labels->count, "ms", ms);
    } else if (rc != OW_ENOMEM && rc != OW_ECLOSED) {
        found = json_pack("{s:s}", "error", why.text[0] ? why.text : error_text(rc));
    }
    model_close(&model);
    return found;
}

struct task {
    const struct model_options *options;
    const char *path;
    json_t *found;
};

static void *run(void *argument)
{
    struct task *task = argument;
    thread_introduce("catalogue", THREAD_MODEL); /* pictures that are under way go first */
    task->found = look(task->options, task->path);
    return NULL;
}

static json_t *look_on_thread(const struct model_options *options, const char *path)
{
    struct task task = {.options = options, .path = path};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, &task) != 0)
        return NULL;
    pthread_join(thread, NULL);
    return task.found;
}

/* The entry of a path; out of date, or all empty, where the file was not looked at. */
static struct entry *entry_of(struct model_catalogue *catalogue, const char *path)
{
    struct entry *entry = catalogue->entries;
    while (entry && strcmp(entry->path, path) != 0)
        entry = entry->next;
    if (entry)
        return entry;
    if (catalogue->count >= ENTRIES_MAX)
        forget(catalogue);
    entry = calloc(1, sizeof *entry);
    char *copy = strdup(path);
    if (!entry || !copy) {
        free(copy);
        free(entry);
        return NULL;
    }
    entry->path = copy;
    entry->next = catalogue->entries;
    catalogue->entries = entry;
    catalogue->count++;
    return entry;
}

json_t *model_catalogue_describe(struct model_catalogue *catalogue, const char *path)
{
    char sidecar_path[PATH_MAX];
    model_sidecar_path(path, sidecar_path);
    const struct file_identity model = file_identity_of(path);
    const struct file_identity sidecar = file_identity_of(sidecar_path);
    pthread_mutex_lock(&catalogue->lock);
    struct entry *entry = entry_of(catalogue, path);
    if (entry && (!entry->found || !file_identity_is(&entry->model, &model) ||
                  !file_identity_is(&entry->sidecar, &sidecar))) {
        json_decref(entry->found);
        entry->found = look_on_thread(&catalogue->options, path);
        entry->model = model;
        entry->sidecar = sidecar;
    }
    json_t *found = entry ? json_deep_copy(entry->found) : NULL;
    pthread_mutex_unlock(&catalogue->lock);
    return found;
}
