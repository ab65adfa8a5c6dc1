/* Model nodes at work, as the program has them: nodes FOOTAGE.y4m MODEL.onnx [SECONDS]. First one
 * node that always has a next frame, with one and two threads, in results a second against the bare
 * session. Then sixteen nodes with sources of different rates that share the model: how often and
 * with what pauses each gets a result, and how old the picture is by then. See docs/measuring.md.
 */
#include "bare.h"
#include "core/clock.h"
#include "core/log.h"
#include "footage.h"
#include "workflow/model_node.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 20,
    RESULTS_A_ROUND = 8,
    FRAMES = 100,
    SHARERS = 16,
    AGES_MAX = 4096,
    SETTLE_US = 2000000
};

static struct footage footage;

/* So that no model waits for a disk. */
static void read_in(void)
{
    volatile uint8_t sink = 0;
    for (int i = 0; i < FRAMES; i++) {
        const uint8_t *at = footage_at(&footage, (uint64_t)i);
        for (size_t k = 0; k < footage.stride; k += 1024)
            sink = (uint8_t)(sink + at[k]);
    }
}

static void free_frame(struct frame *frame)
{
    free(frame);
}

/* The footage's own pixels, with the time of now. */
static struct frame *next_frame(uint64_t at)
{
    struct frame *frame = calloc(1, sizeof *frame);
    if (frame == NULL)
        abort();
    frame->width = footage.width;
    frame->height = footage.height;
    frame->sequence = at;
    frame->capture_us = clock_now_us();
    frame->release = free_frame;
    atomic_store(&frame->refs, 1);
    footage_planes(&footage, footage_at(&footage, at % FRAMES), frame->plane, frame->stride);
    return frame;
}

static enum model_demand demand(void *context)
{
    (void)context;
    return MODEL_FOR_PICTURE;
}

struct sharer {
    struct model_node *node;
    double fps;
    int64_t due_us; /* the next frame */
    uint64_t at;
    /* what came, on the model's thread, from `from_us` on */
    int64_t from_us, last_us, longest_us;
    int results;
    double ages_ms[AGES_MAX];
};

static void offer(struct sharer *sharer)
{
    struct frame *frame = next_frame(sharer->at++);
    model_node_offer(sharer->node, frame);
    frame_unref(&frame);
}

static int start(struct model_node **out, struct model_pool *pool, const char *path, int threads,
                 void *context, void (*on_result)(void *, struct frame *, struct detections *))
{
    struct model_node_parts parts = {
        .id = "bench",
        .settings = {.thresholds = {.confidence = 0.4F, .iou = 0.45F, .max_detections = 300},
                     .max_fps = 1000},
        .threads = threads,
        .pool = pool,
        .context = context,
        .demand = demand,
        .on_result = on_result};
    snprintf(parts.path, sizeof parts.path, "%s", path);
    int rc = model_node_start(out, &parts);
    struct model_node_status status = {0};
    while (rc == OW_OK && !model_node_is_ready(*out)) {
        clock_sleep_until_us(clock_now_us() + 10000);
        model_node_read_status(*out, &status);
        if (strcmp(status.state, "error") == 0) {
            fprintf(stderr, "%s\n", status.error);
            return OW_EIO;
        }
    }
    return rc;
}

/* ---- one node that always has a next frame ---- */

struct solo {
    struct sharer sharer;
    pthread_mutex_t lock;
    pthread_cond_t enough;
    int results;
    int64_t end_us;
};

static void on_solo_result(void *context, struct frame *frame, struct detections *found)
{
    struct solo *solo = context;
    (void)frame;
    (void)found;
    pthread_mutex_lock(&solo->lock);
    if (++solo->results < RESULTS_A_ROUND)
        offer(&solo->sharer);
    if (solo->results == RESULTS_A_ROUND) {
        solo->end_us = clock_now_us();
        pthread_cond_signal(&solo->enough);
    }
    pthread_mutex_unlock(&solo->lock);
}

static double run_solo_round(struct solo *solo)
{
    pthread_mutex_lock(&solo->lock);
    solo->results = 0;
    int64_t start_us = clock_now_us();
    offer(&solo->sharer);
    while (solo->results < RESULTS_A_ROUND)
        pthread_cond_wait(&solo->enough, &solo->lock);
    double took_ms = (double)(solo->end_us - start_us) / 1e3;
    pthread_mutex_unlock(&solo->lock);
    return took_ms;
}

static int run_solo(struct model_pool *pool, const char *path, int threads, struct reason *why)
{
    struct solo solo = {.lock = PTHREAD_MUTEX_INITIALIZER, .enough = PTHREAD_COND_INITIALIZER};
    struct model *model = NULL;
    struct bare bare = {0};
    double whole_ms[ROUNDS], bare_ms[ROUNDS], ratio[ROUNDS];
    int rc = start(&solo.sharer.node, pool, path, threads, &solo, on_solo_result);
    if (rc == OW_OK)
        rc = model_open(&model, path, NULL, why);
    if (rc == OW_OK)
        rc = bare_open(&bare, model_info(model), threads, why);
    model_close(&model);
    for (int i = -1; i < ROUNDS && rc == OW_OK; i++) {
        int64_t bare_us = 0;
        double took_ms = run_solo_round(&solo);
        rc = bare_run(&bare, RESULTS_A_ROUND, &bare_us, why);
        if (i < 0)
            continue;
        whole_ms[i] = took_ms;
        bare_ms[i] = (double)bare_us / 1e3;
        ratio[i] = bare_ms[i] / whole_ms[i];
    }
    if (rc == OW_OK)
        printf("%7d %10.1f %8.1f %6.3f\n", threads,
               1e3 * RESULTS_A_ROUND / median_of(whole_ms, ROUNDS),
               1e3 * RESULTS_A_ROUND / median_of(bare_ms, ROUNDS), median_of(ratio, ROUNDS));
    bare_close(&bare);
    model_node_stop(&solo.sharer.node);
    return rc;
}

/* ---- sixteen that share the model ---- */

static void on_result(void *context, struct frame *frame, struct detections *found)
{
    struct sharer *sharer = context;
    int64_t now_us = clock_now_us();
    (void)found;
    if (now_us < sharer->from_us)
        return;
    int64_t pause_us = sharer->last_us > 0 ? now_us - sharer->last_us : 0;
    sharer->longest_us = pause_us > sharer->longest_us ? pause_us : sharer->longest_us;
    sharer->last_us = now_us;
    if (sharer->results < AGES_MAX)
        sharer->ages_ms[sharer->results++] = (double)(now_us - frame->capture_us) / 1e3;
}

static void feed(struct sharer *sharers, int64_t until_us)
{
    for (;;) {
        struct sharer *next = &sharers[0];
        for (int i = 1; i < SHARERS; i++)
            if (sharers[i].due_us < next->due_us)
                next = &sharers[i];
        if (next->due_us >= until_us)
            return;
        clock_sleep_until_us(next->due_us);
        offer(next);
        next->due_us += (int64_t)(1e6 / next->fps);
    }
}

static void print_sharers(struct sharer *sharers, int seconds)
{
    printf("\n%8s %10s %17s %16s\n", "fps", "results/s", "longest pause, ms", "age p50, ms");
    double least = 1e9, most = 0, all = 0;
    for (int i = 0; i < SHARERS; i++) {
        struct sharer *s = &sharers[i];
        double rate = (double)s->results / seconds;
        all += rate;
        if (rate < s->fps / 2) { /* wants more than it gets */
            least = rate < least ? rate : least;
            most = rate > most ? rate : most;
        }
        printf("%8.0f %10.2f %17.0f %16.1f\n", s->fps, rate, (double)s->longest_us / 1e3,
               s->results > 0 ? median_of(s->ages_ms, (size_t)s->results) : 0);
    }
    printf("%d s, %.1f results a second in all", seconds, all);
    if (most > 0)
        printf("; of those who want more than they get the least has %.3f of the most",
               least / most);
    printf("\n");
}

static int run_shared(struct model_pool *pool, const char *path, int seconds)
{
    static const double rates[] = {1, 2, 5, 10, 15, 25, 30, 60};
    static struct sharer sharers[SHARERS];
    int rc = OW_OK;
    for (int i = 0; i < SHARERS && rc == OW_OK; i++) {
        sharers[i].fps = rates[i % 8];
        sharers[i].at = (uint64_t)i * 20;
        sharers[i].from_us = INT64_MAX;
        rc = start(&sharers[i].node, pool, path, 2, &sharers[i], on_result);
    }
    int64_t start_us = clock_now_us();
    for (int i = 0; i < SHARERS; i++) {
        sharers[i].due_us = start_us + i * 1000;
        sharers[i].from_us = start_us + SETTLE_US;
    }
    if (rc == OW_OK)
        feed(sharers, start_us + SETTLE_US + (int64_t)seconds * 1000000);
    for (int i = 0; i < SHARERS; i++)
        model_node_stop(&sharers[i].node);
    if (rc == OW_OK)
        print_sharers(sharers, seconds);
    return rc;
}

/* ---- the bare session, for bench/vision/program.mjs ---- */

/* For each line with a number of milliseconds, how many runs a second there were in that time. */
static int serve_bare(const char *path, int threads, struct reason *why)
{
    struct model *model = NULL;
    struct bare bare = {0};
    char line[32];
    int rc = model_open(&model, path, NULL, why);
    if (rc == OW_OK)
        rc = bare_open(&bare, model_info(model), threads, why);
    model_close(&model);
    while (rc == OW_OK && fgets(line, sizeof line, stdin) != NULL) {
        int64_t wanted_us = strtol(line, NULL, 10) * 1000, took_us = 0;
        int runs = 0;
        for (; took_us < wanted_us && rc == OW_OK; runs++)
            rc = bare_run(&bare, 1, &took_us, why);
        printf("%.3f\n", 1e6 * runs / (double)(took_us > 0 ? took_us : 1));
        fflush(stdout);
    }
    bare_close(&bare);
    return rc;
}

static int run_all(const char *path, int seconds, struct reason *why)
{
    struct model_pool *pool = NULL;
    int rc = model_pool_create(&pool, NULL);
    if (rc != OW_OK)
        return rc;
    read_in();
    printf("%7s %10s %8s %6s\n", "threads", "results/s", "bare", "ratio");
    for (int threads = 1; threads <= 2 && rc == OW_OK; threads++)
        rc = run_solo(pool, path, threads, why);
    if (rc == OW_OK)
        rc = run_shared(pool, path, seconds);
    model_pool_destroy(&pool);
    return rc;
}

int main(int argc, char **argv)
{
    struct reason why = {""};
    if (argc < 3) {
        fprintf(stderr, "usage: %s FOOTAGE.y4m MODEL.onnx [SECONDS | --bare THREADS]\n", argv[0]);
        return 2;
    }
    int rc = log_open(NULL, LOG_WARN, false);
    if (rc == OW_OK)
        rc = footage_open(&footage, argv[1], &why);
    if (rc == OW_OK && argc > 4 && strcmp(argv[3], "--bare") == 0)
        rc = serve_bare(argv[2], atoi(argv[4]), &why);
    else if (rc == OW_OK)
        rc = run_all(argv[2], argc > 3 ? atoi(argv[3]) : 20, &why);
    if (rc != OW_OK)
        fprintf(stderr, "%s\n", why.text[0] ? why.text : error_text(rc));
    footage_close(&footage);
    return rc != OW_OK;
}
