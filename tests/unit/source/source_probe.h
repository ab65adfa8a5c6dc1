/* A source and what it delivered, for tests: counts, the last frame, and waits with a deadline. */
#ifndef OW_TESTS_SOURCE_PROBE_H
#define OW_TESTS_SOURCE_PROBE_H

#include "core/clock.h"
#include "source/source.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct source_probe {
    struct source *source;
    pthread_mutex_t lock;
    pthread_cond_t more;
    int frames;
    struct frame *last; /* with one reference */
    char folder[64], path[96];
};

static inline void probe_on_frame(void *context, struct frame *frame)
{
    struct source_probe *probe = context;
    pthread_mutex_lock(&probe->lock);
    frame_unref(&probe->last);
    probe->last = frame_ref(frame);
    probe->frames++;
    pthread_cond_broadcast(&probe->more);
    pthread_mutex_unlock(&probe->lock);
}

/* A folder of its own, and `path` in it, which the test makes. */
static inline void probe_init(struct source_probe *probe, const char *name)
{
    memset(probe, 0, sizeof *probe);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&probe->more, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&probe->lock, NULL);
    snprintf(probe->folder, sizeof probe->folder, "/tmp/overwatch-source-XXXXXX");
    assert_non_null(mkdtemp(probe->folder));
    snprintf(probe->path, sizeof probe->path, "%s/%s", probe->folder, name);
}

static inline void probe_start(struct source_probe *probe, struct source_settings settings)
{
    struct reason why = {{0}};
    if (!settings.url)
        settings.url = probe->path;
    if (source_start(&probe->source, &settings, probe_on_frame, probe, &why) < 0)
        fail_msg("%s", why.text);
}

/* True when `count` frames in all have come within `seconds`. */
static inline bool probe_wait_frames(struct source_probe *probe, int count, int seconds)
{
    int64_t deadline_us = clock_now_us() + seconds * INT64_C(1000000);
    struct timespec deadline = {.tv_sec = (time_t)(deadline_us / 1000000),
                                .tv_nsec = (long)(deadline_us % 1000000) * 1000};
    pthread_mutex_lock(&probe->lock);
    while (probe->frames < count && clock_now_us() < deadline_us)
        pthread_cond_timedwait(&probe->more, &probe->lock, &deadline);
    bool enough = probe->frames >= count;
    pthread_mutex_unlock(&probe->lock);
    return enough;
}

static inline int probe_frames(struct source_probe *probe)
{
    pthread_mutex_lock(&probe->lock);
    int frames = probe->frames;
    pthread_mutex_unlock(&probe->lock);
    return frames;
}

/* The last frame, with a reference for the caller; NULL before the first. */
static inline struct frame *probe_last(struct source_probe *probe)
{
    pthread_mutex_lock(&probe->lock);
    struct frame *frame = probe->last ? frame_ref(probe->last) : NULL;
    pthread_mutex_unlock(&probe->lock);
    return frame;
}

/* Looks at the status until it is in `state` with `text` in its sentence; false after `seconds`. */
static inline bool probe_wait_state(struct source_probe *probe, enum source_state state,
                                    const char *text, int seconds)
{
    int64_t deadline_us = clock_now_us() + seconds * INT64_C(1000000);
    struct source_status status;
    do {
        source_status(probe->source, &status);
        if (status.state == state && strstr(status.text, text))
            return true;
        clock_sleep_until_us(clock_now_us() + 2000);
    } while (clock_now_us() < deadline_us);
    print_message("state %d: %s\n", (int)status.state, status.text);
    return false;
}

/* Stops the source, which must be quick, and removes what probe_init() made. */
static inline void probe_finish(struct source_probe *probe)
{
    int64_t begin_us = clock_now_us();
    source_stop(&probe->source);
    assert_null(probe->source);
    assert_true(clock_now_us() - begin_us < 2000000);
    frame_unref(&probe->last);
    pthread_mutex_destroy(&probe->lock);
    pthread_cond_destroy(&probe->more);
    unlink(probe->path);
    rmdir(probe->folder);
}

#endif
