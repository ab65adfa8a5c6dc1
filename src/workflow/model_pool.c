#include "workflow/model_pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pooled_model {
    struct pooled_model *next;
    char *path;
    int threads, users;
    struct model *model;
    /* turns: who asks draws a number, and waits until it is served */
    pthread_mutex_t lock;
    pthread_cond_t served;
    uint64_t next_number, serving;
};

struct model_pool {
    pthread_mutex_t lock; /* guards the list; held while a model loads, so that none loads twice */
    struct pooled_model *models;
};

int model_pool_create(struct model_pool **out)
{
    struct model_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return OW_ENOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    *out = pool;
    return OW_OK;
}

void model_pool_destroy(struct model_pool **pool)
{
    if (!*pool)
        return;
    pthread_mutex_destroy(&(*pool)->lock);
    free(*pool);
    *pool = NULL;
}

static int load(struct model_pool *pool, const char *path, int threads, struct pooled_model **out,
                struct reason *why)
{
    struct pooled_model *made = calloc(1, sizeof *made);
    char *copy = strdup(path);
    int rc = made && copy ? model_open(&made->model, path, threads, why) : OW_ENOMEM;
    if (rc < 0) {
        free(copy);
        free(made);
        return rc;
    }
    made->path = copy;
    made->threads = threads;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->served, NULL);
    made->next = pool->models;
    pool->models = made;
    *out = made;
    return OW_OK;
}

int model_pool_take(struct model_pool *pool, const char *path, int threads,
                    struct pooled_model **out, struct reason *why)
{
    pthread_mutex_lock(&pool->lock);
    struct pooled_model *found = pool->models;
    while (found && (strcmp(found->path, path) != 0 || found->threads != threads))
        found = found->next;
    int rc = found ? OW_OK : load(pool, path, threads, &found, why);
    if (rc == OW_OK) {
        found->users++;
        *out = found;
    }
    pthread_mutex_unlock(&pool->lock);
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
    if (last) {
        struct pooled_model **link = &pool->models;
        while (*link != given)
            link = &(*link)->next;
        *link = given->next;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!last)
        return;
    model_close(&given->model);
    pthread_cond_destroy(&given->served);
    pthread_mutex_destroy(&given->lock);
    free(given->path);
    free(given);
}

struct model *pooled_model_begin(struct pooled_model *model)
{
    pthread_mutex_lock(&model->lock);
    uint64_t number = model->next_number++;
    while (number != model->serving)
        pthread_cond_wait(&model->served, &model->lock);
    pthread_mutex_unlock(&model->lock);
    return model->model;
}

void pooled_model_end(struct pooled_model *model)
{
    pthread_mutex_lock(&model->lock);
    model->serving++;
    pthread_cond_broadcast(&model->served);
    pthread_mutex_unlock(&model->lock);
}

const struct model_info *pooled_model_info(const struct pooled_model *model)
{
    return model_info(model->model);
}
