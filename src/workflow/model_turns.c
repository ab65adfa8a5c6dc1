#include "workflow/model_turns.h"

#include "core/clock.h"
#include "vision/session.h"
#include "workflow/batch_plan.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* One who waits; on its own stack. */
struct waiter {
    struct waiter *next;
    struct model_turn *turn;
    struct reason *why;
    int rc;
    bool done;
    pthread_cond_t called; /* it is done, or the first in the line and nobody runs */
};

struct model_turns {
    struct model *model;
    struct batch_plan plan; /* of whoever runs */
    pthread_mutex_t lock;   /* guards what follows, and `done` of all */
    struct waiter *first, **end;
    int waiting;
    bool running;
};

int model_turns_create(struct model_turns **out, struct model *model)
{
    struct model_turns *turns = calloc(1, sizeof *turns);
    if (!turns)
        return OW_ENOMEM;
    const struct model_info *info = model_info(model);
    turns->model = model;
    turns->end = &turns->first;
    batch_plan_init(&turns->plan, info->batch_least, info->batch_most);
    pthread_mutex_init(&turns->lock, NULL);
    *out = turns;
    return OW_OK;
}

void model_turns_destroy(struct model_turns **turns)
{
    if (!*turns)
        return;
    pthread_mutex_destroy(&(*turns)->lock);
    free(*turns);
    *turns = NULL;
}

static int run(struct model_turns *turns, struct waiter *const *group, int count)
{
    struct model_job jobs[SESSION_MAX_PICTURES];
    for (int i = 0; i < count; i++)
        jobs[i] = (struct model_job){.frame = group[i]->turn->latest(group[i]->turn->context),
                                     .thresholds = group[i]->turn->thresholds};
    int64_t start_us = clock_now_us();
    int rc = model_run_batch(turns->model, jobs, count, group[0]->why);
    int64_t end_us = clock_now_us();
    if (rc == OW_OK)
        batch_plan_record(&turns->plan, count, end_us - start_us, end_us);
    for (int i = 0; i < count; i++) {
        group[i]->rc = rc;
        group[i]->turn->found = jobs[i].found;
        group[i]->turn->timing = jobs[i].timing;
        group[i]->turn->start_us = start_us;
    }
    return rc;
}

/* What fails for several may do for each, and is the trouble of one alone if it does not. */
static void run_group(struct model_turns *turns, struct waiter *const *group, int count)
{
    if (run(turns, group, count) == OW_OK || count == 1)
        return;
    batch_plan_fail(&turns->plan, count);
    for (int i = 0; i < count; i++)
        run(turns, &group[i], 1);
}

static void call_first(struct model_turns *turns)
{
    if (turns->first)
        pthread_cond_signal(&turns->first->called);
}

/* The first in the line runs its picture, and those of others with it. Under the lock, which is let
 * go meanwhile. */
static void lead(struct model_turns *turns)
{
    struct waiter *group[SESSION_MAX_PICTURES] = {NULL};
    int count = batch_plan_choose(&turns->plan, turns->waiting, clock_now_us());
    for (int i = 0; i < count; i++) {
        group[i] = turns->first;
        turns->first = group[i]->next;
    }
    if (!turns->first)
        turns->end = &turns->first;
    turns->waiting -= count;
    turns->running = true;
    pthread_mutex_unlock(&turns->lock);
    run_group(turns, group, count);
    pthread_mutex_lock(&turns->lock);
    turns->running = false;
    for (int i = 0; i < count; i++) {
        group[i]->done = true;
        pthread_cond_signal(&group[i]->called);
    }
    call_first(turns);
}

int model_turns_waiting(struct model_turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    int waiting = turns->waiting;
    pthread_mutex_unlock(&turns->lock);
    return waiting;
}

int model_turns_take(struct model_turns *turns, struct model_turn *turn, struct reason *why)
{
    struct waiter self = {.turn = turn, .why = why, .called = PTHREAD_COND_INITIALIZER};
    pthread_mutex_lock(&turns->lock);
    *turns->end = &self;
    turns->end = &self.next;
    turns->waiting++;
    while (!self.done && (turns->running || turns->first != &self))
        pthread_cond_wait(&self.called, &turns->lock);
    if (!self.done)
        lead(turns);
    pthread_mutex_unlock(&turns->lock);
    pthread_cond_destroy(&self.called);
    return self.rc;
}
