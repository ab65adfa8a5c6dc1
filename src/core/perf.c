#include "core/perf.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 1024 };

const double perf_bucket_ms[PERF_BUCKETS] = {0.25, 0.5, 1,   2.5, 5,    10,      25,
                                             50,   100, 250, 500, 1000, INFINITY};

struct recorder {
    atomic_uint_fast64_t buckets[PERF_BUCKETS]; /* each for itself */
    atomic_int_fast64_t sum_us;
    pthread_mutex_t lock; /* guards all below */
    uint64_t count;
    double sum_ms, sum_squares, min_ms, max_ms;
    float latest_ms[WINDOW];
};

static struct recorder recorders[PERF_OPERATION_COUNT] = {
#define PERF_INIT(id, name) [id] = {.lock = PTHREAD_MUTEX_INITIALIZER},
    PERF_OPERATION_LIST(PERF_INIT)
#undef PERF_INIT
};

const char *perf_operation_name(enum perf_operation operation)
{
    static const char *const names[] = {
#define PERF_NAME(id, name) [id] = name,
        PERF_OPERATION_LIST(PERF_NAME)
#undef PERF_NAME
    };
    return names[operation];
}

void perf_add(enum perf_operation operation, int64_t duration_us)
{
    struct recorder *r = &recorders[operation];
    double ms = (double)duration_us / 1000.0;
    int bucket = 0;
    while (bucket < PERF_BUCKETS - 1 && ms > perf_bucket_ms[bucket])
        bucket++;
    atomic_fetch_add_explicit(&r->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->sum_us, duration_us, memory_order_relaxed);
    pthread_mutex_lock(&r->lock);
    r->latest_ms[r->count % WINDOW] = (float)ms;
    r->min_ms = r->count == 0 || ms < r->min_ms ? ms : r->min_ms;
    r->max_ms = r->count == 0 || ms > r->max_ms ? ms : r->max_ms;
    r->sum_ms += ms;
    r->sum_squares += ms * ms;
    r->count++;
    pthread_mutex_unlock(&r->lock);
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(const float *sorted, size_t count, double fraction)
{
    size_t rank = (size_t)ceil(fraction * (double)count);
    return (double)sorted[rank > 0 ? rank - 1 : 0];
}

void perf_read(enum perf_operation operation, struct perf_summary *out)
{
    struct recorder *r = &recorders[operation];
    float latest[WINDOW];
    *out = (struct perf_summary){0};
    pthread_mutex_lock(&r->lock);
    size_t n = r->count < WINDOW ? (size_t)r->count : WINDOW;
    memcpy(latest, r->latest_ms, n * sizeof latest[0]);
    if (n > 0) {
        double avg = r->sum_ms / (double)r->count;
        double variance = r->sum_squares / (double)r->count - avg * avg;
        *out = (struct perf_summary){.count = r->count,
                                     .avg_ms = avg,
                                     .min_ms = r->min_ms,
                                     .max_ms = r->max_ms,
                                     .std_ms = variance > 0 ? sqrt(variance) : 0};
    }
    pthread_mutex_unlock(&r->lock);
    if (n == 0)
        return;
    qsort(latest, n, sizeof latest[0], compare_floats);
    out->p50_ms = percentile(latest, n, 0.50);
    out->p95_ms = percentile(latest, n, 0.95);
    out->p99_ms = percentile(latest, n, 0.99);
}

void perf_read_histogram(enum perf_operation operation, struct perf_histogram *out)
{
    struct recorder *r = &recorders[operation];
    uint64_t count = 0;
    for (int i = 0; i < PERF_BUCKETS; i++) {
        count += atomic_load_explicit(&r->buckets[i], memory_order_relaxed);
        out->counts[i] = count;
    }
    out->sum_ms = (double)atomic_load_explicit(&r->sum_us, memory_order_relaxed) / 1000.0;
}

void perf_reset(void)
{
    for (int i = 0; i < PERF_OPERATION_COUNT; i++) {
        struct recorder *r = &recorders[i];
        pthread_mutex_lock(&r->lock);
        r->count = 0;
        r->sum_ms = r->sum_squares = r->min_ms = r->max_ms = 0;
        pthread_mutex_unlock(&r->lock);
    }
}
