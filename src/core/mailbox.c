#include "core/mailbox.h"

#include "core/clock.h"
#include "core/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    void *item;
    bool woken, closed;
    uint64_t dropped;
    void (*drop)(void *item);
};

int mailbox_create(struct mailbox **out, void (*drop)(void *item))
{
    struct mailbox *m = calloc(1, sizeof *m);
    if (!m)
        return OW_ENOMEM;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->filled, &attr);
    pthread_condattr_destroy(&attr);
    m->drop = drop;
    *out = m;
    return OW_OK;
}

void mailbox_put(struct mailbox *m, void *item)
{
    pthread_mutex_lock(&m->lock);
    void *replaced = item;
    if (!m->closed) {
        replaced = m->item;
        m->item = item;
        if (replaced)
            m->dropped++;
    }
    pthread_mutex_unlock(&m->lock);
    pthread_cond_signal(&m->filled);
    if (replaced)
        m->drop(replaced);
}

static int wait_until(struct mailbox *m, int64_t deadline_us)
{
    if (deadline_us == INT64_MAX)
        return pthread_cond_wait(&m->filled, &m->lock);
    struct timespec ts = {.tv_sec = (time_t)(deadline_us / 1000000),
                          .tv_nsec = (long)(deadline_us % 1000000) * 1000};
    return pthread_cond_timedwait(&m->filled, &m->lock, &ts);
}

int mailbox_take(struct mailbox *m, int64_t deadline_us, void **item)
{
    int rc = OW_OK;
    pthread_mutex_lock(&m->lock);
    while (!m->item && !m->closed && !m->woken)
        if (deadline_us == 0 || wait_until(m, deadline_us) == ETIMEDOUT)
            break;
    if (m->closed) {
        rc = OW_ECLOSED;
    } else if (m->item) {
        *item = m->item;
        m->item = NULL;
    } else {
        rc = OW_EAGAIN;
    }
    m->woken = false;
    pthread_mutex_unlock(&m->lock);
    return rc;
}

void mailbox_wake(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    m->woken = true;
    pthread_mutex_unlock(&m->lock);
    pthread_cond_signal(&m->filled);
}

void mailbox_close(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    m->closed = true;
    pthread_mutex_unlock(&m->lock);
    pthread_cond_broadcast(&m->filled);
}

uint64_t mailbox_dropped(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    uint64_t dropped = m->dropped;
    pthread_mutex_unlock(&m->lock);
    return dropped;
}

void mailbox_destroy(struct mailbox **mailbox)
{
    struct mailbox *m = *mailbox;
    *mailbox = NULL;
    if (!m)
        return;
    if (m->item)
        m->drop(m->item);
    pthread_cond_destroy(&m->filled);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
