#include "vision/session_stop.h"

#include "vision/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A session that is being made. */
struct making {
    const struct onnxruntime *runtime;
    char *path;
    OrtSessionOptions *options;
    OrtSession *made;
    OrtStatus *status;
    bool done, left; /* left: nobody waits for it any more */
};

/* Per process, because its one end is what they are about. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct session_runs *first;
static const struct onnxruntime *used;
static bool stopped;
static const struct making *left_behind; /* the last that was; not to be looked into */

int session_runs_enlist(const struct onnxruntime *runtime, struct session_runs *runs,
                        struct reason *why)
{
    OrtStatus *status = runtime->api->CreateRunOptions(&runs->options);
    if (status != NULL) {
        runtime->api->ReleaseStatus(status);
        return reason_set(why, OW_ENOMEM, "out of memory");
    }
    pthread_mutex_lock(&lock);
    used = runtime;
    runs->next = first;
    runs->link = &first;
    if (first != NULL)
        first->link = &runs->next;
    first = runs;
    pthread_mutex_unlock(&lock);
    return OW_OK;
}

void session_runs_delist(const struct onnxruntime *runtime, struct session_runs *runs)
{
    if (runs->options == NULL)
        return;
    pthread_mutex_lock(&lock);
    *runs->link = runs->next;
    if (runs->next != NULL)
        runs->next->link = runs->link;
    pthread_mutex_unlock(&lock);
    runtime->api->ReleaseRunOptions(runs->options);
    runs->options = NULL;
}

bool session_is_stopped(void)
{
    pthread_mutex_lock(&lock);
    bool is = stopped;
    pthread_mutex_unlock(&lock);
    return is;
}

int session_say_stopped(struct reason *why)
{
    return reason_set(why, OW_ECLOSED, "the program ends");
}

void ort_sessions_stop(void)
{
    pthread_mutex_lock(&lock);
    stopped = true;
    for (struct session_runs *runs = first; runs != NULL; runs = runs->next) {
        OrtStatus *status = used->api->RunOptionsSetTerminate(runs->options);
        if (status != NULL)
            used->api->ReleaseStatus(status); /* then the run goes on to its end */
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

bool ort_sessions_left_behind(void)
{
    pthread_mutex_lock(&lock);
    bool is = left_behind != NULL;
    pthread_mutex_unlock(&lock);
    return is;
}

/* With the session in it, if it still has one. */
static void free_making(struct making *making)
{
    const OrtApi *api = making->runtime->api;
    if (making->made != NULL)
        api->ReleaseSession(making->made);
    if (making->status != NULL)
        api->ReleaseStatus(making->status);
    if (making->options != NULL)
        api->ReleaseSessionOptions(making->options);
    free(making->path);
    free(making);
}

static void *make(void *argument)
{
    struct making *making = argument;
    const struct onnxruntime *runtime = making->runtime;
    OrtSession *made = NULL;
    OrtStatus *status =
        runtime->api->CreateSession(runtime->env, making->path, making->options, &made);
    pthread_mutex_lock(&lock);
    making->made = made;
    making->status = status;
    making->done = true;
    bool left = making->left;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (left)
        free_making(making);
    return NULL;
}

/* False: it is left behind, and `making` no longer the caller's. */
static bool wait_for(struct making *making)
{
    pthread_mutex_lock(&lock);
    while (!making->done && !stopped)
        pthread_cond_wait(&changed, &lock);
    bool done = making->done;
    if (!done) {
        making->left = true;
        left_behind = making;
    }
    pthread_mutex_unlock(&lock);
    return done;
}

static int take_result(struct making *making, OrtSession **out, struct reason *why)
{
    if (making->status != NULL)
        return reason_set(why, OW_EPARSE, "the model file %.140s cannot be loaded: %s",
                          making->path, making->runtime->api->GetErrorMessage(making->status));
    *out = making->made;
    making->made = NULL;
    return OW_OK;
}

int session_make(const struct onnxruntime *runtime, const char *path, OrtSessionOptions *options,
                 OrtSession **out, struct reason *why)
{
    pthread_t thread = 0;
    struct making *making = calloc(1, sizeof *making);
    if (making == NULL) {
        runtime->api->ReleaseSessionOptions(options);
        return reason_set(why, OW_ENOMEM, "out of memory");
    }
    making->runtime = runtime;
    making->options = options;
    making->path = strdup(path);
    int result = OW_OK;
    if (session_is_stopped())
        result = session_say_stopped(why);
    else if (making->path == NULL || pthread_create(&thread, NULL, make, making) != 0)
        result = reason_set(why, OW_ENOMEM, "out of memory");
    if (result == OW_OK) {
        if (!wait_for(making)) {
            pthread_detach(thread);
            return session_say_stopped(why);
        }
        pthread_join(thread, NULL);
        result = take_result(making, out, why);
    }
    free_making(making);
    return result;
}
