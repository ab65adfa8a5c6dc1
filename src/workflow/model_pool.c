#include "workflow/model_pool.h"

#include "core/file_identity.h"
#include "vision/model_sidecar.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct pooled_model {
    struct pooled_model *next;
    char *path, *decoder;
    struct file_identity identity, sidecar;
    int threads, users;
    bool loading;
    int rc; /* of loading */
    struct reason why;
    struct model *model;
    struct model_turns *turns;
};

struct model_pool {
    pthread_mutex_t lock;  /* guards the list, and of its models all up to `model` */
    pthread_cond_t loaded; /* some model, or it could not be */
    struct pooled_model *models;
    char *providers;
};

/* What a model is asked for by. */
struct request {
    const char *path, *decoder;
    int threads;
    struct file_identity identity, sidecar;
};

int model_pool_create(struct model_pool **out, const char *providers)
{
    struct model_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return OW_ENOMEM;
    pool->providers = strdup(providers ? providers : "");
    if (!pool->providers) {
        free(pool);
        return OW_ENOMEM;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->loaded, NULL);
    *out = pool;
    return OW_OK;
}

void model_pool_destroy(struct model_pool **pool)
{
    if (!*pool)
        return;
    pthread_cond_destroy(&(*pool)->loaded);
    pthread_mutex_destroy(&(*pool)->lock);
    free((*pool)->providers);
    free(*pool);
    *pool = NULL;
}

static struct pooled_model *find(struct model_pool *pool, const struct request *request)
{
    struct pooled_model *at = pool->models;
    while (at && (strcmp(at->path, request->path) != 0 || at->threads != request->threads ||
                  strcmp(at->decoder, request->decoder) != 0 ||
                  !file_identity_is(&at->identity, &request->identity) ||
                  !file_identity_is(&at->sidecar, &request->sidecar)))
        at = at->next;
    return at;
}

static struct pooled_model *enlist(struct model_pool *pool, const struct request *request)
{
    struct pooled_model *made = calloc(1, sizeof *made);
    char *path = strdup(request->path), *decoder = strdup(request->decoder);
    if (!made || !path || !decoder) {
        free(path);
        free(decoder);
        free(made);
        return NULL;
    }
    made->path = path;
    made->decoder = decoder;
    made->identity = request->identity;
    made->sidecar = request->sidecar;
    made->threads = request->threads;
    made->loading = true;
    made->next = pool->models;
    pool->models = made;
    return made;
}

static void delist(struct model_pool *pool, const struct pooled_model *model)
{
    struct pooled_model **link = &pool->models;
    while (*link != model)
        link = &(*link)->next;
    *link = model->next;
}

static void destroy(struct pooled_model *model)
{
    model_turns_destroy(&model->turns);
    model_close(&model->model);
    free(model->path);
    free(model->decoder);
    free(model);
}

/* Under the pool's lock, which is let go meanwhile. One that cannot be loaded is not found again.
 */
static void load(struct model_pool *pool, struct pooled_model *made)
{
    pthread_mutex_unlock(&pool->lock);
    struct model *model = NULL;
    struct reason why = {""};
    const struct model_options options = {
        .threads = made->threads, .decoder = made->decoder, .providers = pool->providers};
    int rc = model_open(&model, made->path, &options, &why);
    if (rc == OW_OK)
        rc = model_turns_create(&made->turns, model);
    pthread_mutex_lock(&pool->lock);
    made->model = model;
    made->rc = rc;
    made->why = why;
    made->loading = false;
    if (rc < 0)
        delist(pool, made);
    pthread_cond_broadcast(&pool->loaded);
}

int model_pool_take(struct model_pool *pool, const char *path, const char *decoder, int threads,
                    struct pooled_model **out, struct reason *why)
{
    char sidecar[PATH_MAX];
    model_sidecar_path(path, sidecar);
    const struct request request = {path, decoder, threads, file_identity_of(path),
                                    file_identity_of(sidecar)};
    pthread_mutex_lock(&pool->lock);
    struct pooled_model *model = find(pool, &request);
    bool is_new = !model;
    if (is_new)
        model = enlist(pool, &request);
    if (!model) {
        pthread_mutex_unlock(&pool->lock);
        return OW_ENOMEM;
    }
    model->users++;
    if (is_new)
        load(pool, model);
    while (model->loading)
        pthread_cond_wait(&pool->loaded, &pool->lock);
    int rc = model->rc;
    bool last = false;
    if (rc == OW_OK) {
        *out = model;
    } else {
        reason_set(why, rc, "%s", model->why.text);
        last = --model->users == 0;
    }
    pthread_mutex_unlock(&pool->lock);
    if (last)
        destroy(model);
    return rc;
}

void model_pool_give(struct model_pool *pool, struct pooled_model **model)
{
    struct pooled_model *given = *model;
    *model = NULL;
    if (!given)
        return;
    pthread_mutex_lock(&pool->lock);
    bool last = --given->users == 0;
    if (last)
        delist(pool, given);
    pthread_mutex_unlock(&pool->lock);
    if (last)
        destroy(given);
}

bool model_pool_has(struct model_pool *pool, const char *path)
{
    pthread_mutex_lock(&pool->lock);
    const struct pooled_model *at = pool->models;
    while (at && strcmp(at->path, path) != 0)
        at = at->next;
    pthread_mutex_unlock(&pool->lock);
    return at != NULL;
}

int pooled_model_run(struct pooled_model *model, struct model_turn *turn, struct reason *why)
{
    return model_turns_take(model->turns, turn, why);
}

const struct model_info *pooled_model_info(const struct pooled_model *model)
{
    return model_info(model->model);
}
