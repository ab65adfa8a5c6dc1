#include "workflow/model_node.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/perf.h"
#include "core/thread.h"
#include "vision/tracker.h"
#include "workflow/meter.h"
#include "workflow/picture.h"
#include "workflow/rate_gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* An inference keeps every core busy, and it wants the same frame at the same moment as the view
 * that draws and encodes it. When no picture waits for the result, the picture goes first. A model
 * slower than its source is not slowed further: the frame it finds is older than this. */
enum { PICTURE_FIRST_US = 6000 };

/* The slowest model node is asked once a second. */
enum { FRESH_US = 2000000 };

/* The tracker believes in an object after its second sighting. */
enum { SETTLED_RESULTS = 3 };

enum { FORGET_AFTER_US = 400000 };

struct model_node {
    struct model_node_parts parts;
    char id[128];
    int classes[NODE_MAX_CLASSES];
    struct pooled_model *model;
    struct tracker *tracker;
    struct mailbox *inbox; /* of struct frame */
    pthread_t thread;
    atomic_bool ready, failed, stopping;
    _Atomic int64_t result_us; /* when the last result came */
    atomic_int streak;         /* results without a longer pause between */
    int64_t unwanted_us;       /* since when nobody has wanted any, 0 = somebody does */
    struct rate_gate gate;
    struct frame *last; /* the latest that was looked at */
    bool look_again;    /* at it, with the settings that came since */

    pthread_mutex_t lock;               /* guards what follows */
    struct model_node_settings ordered; /* other settings; its classes are an own reference */
    bool has_order;
    struct model_node_status status;
    struct detections *seen; /* the latest result */
    struct meter meter;
};

static void drop_frame(void *item)
{
    struct frame *frame = item;
    frame_unref(&frame);
}

static void set_state(struct model_node *node, const char *state, const char *error)
{
    pthread_mutex_lock(&node->lock);
    node->status.state = state;
    snprintf(node->status.error, sizeof node->status.error, "%s", error);
    pthread_mutex_unlock(&node->lock);
}

static int find_class(const struct label_set *labels, const json_t *entry)
{
    if (json_is_integer(entry))
        return (int)json_integer_value(entry);
    for (int i = 0; i < labels->count; i++)
        if (strcmp(labels->names[i], json_string_value(entry)) == 0)
            return i;
    return -1;
}

/* Turns the class names of the settings into the ids of the opened model, and takes the thresholds
 * that it comes with where the settings have none. */
static void resolve_settings(struct model_node *node)
{
    struct model_thresholds *t = &node->parts.settings.thresholds;
    const struct model_info *info = pooled_model_info(node->model);
    if (!node->parts.settings.says_confidence && info->confidence > 0)
        t->confidence = info->confidence;
    if (!node->parts.settings.says_iou && info->iou > 0)
        t->iou = info->iou;
    t->class_count = 0;
    t->classes = NULL;
    size_t i;
    json_t *entry;
    json_array_foreach(node->parts.settings.classes, i, entry)
    {
        int id = find_class(info->labels, entry);
        if (id >= 0)
            node->classes[t->class_count++] = id;
        else
            log_warn("model node %s: the model knows no class \"%s\"", node->id,
                     json_string_value(entry) ? json_string_value(entry) : "?");
    }
    if (json_array_size(node->parts.settings.classes) > 0)
        t->classes = node->classes;
}

static bool open_model(struct model_node *node)
{
    struct reason why = {""};
    int rc = model_pool_take(node->parts.pool, node->parts.path, node->parts.settings.decoder,
                             node->parts.threads, &node->model, &why);
    if (rc == OW_ECLOSED) /* the program ends */
        return false;
    if (rc < 0) {
        log_error("model node %s: %s", node->id, why.text[0] ? why.text : error_text(rc));
        set_state(node, "error", why.text[0] ? why.text : error_text(rc));
        atomic_store(&node->failed, true);
        return false;
    }
    const struct model_info *info = pooled_model_info(node->model);
    log_info("model node %s: %s (%s, %s, %dx%d, %d classes) on %s", node->id, info->path,
             info->family, info->task, info->input_width, info->input_height, info->labels->count,
             info->provider);
    resolve_settings(node);
    set_state(node, "idle", "");
    atomic_store(&node->ready, true);
    return true;
}

static void record(struct model_node *node, const struct model_timing *timing,
                   struct detections *tracked, int64_t now_us)
{
    perf_add(PERF_PREPROCESS, timing->preprocess_us);
    perf_add(PERF_INFERENCE, timing->inference_us);
    perf_add(PERF_POSTPROCESS, timing->postprocess_us);
    pthread_mutex_lock(&node->lock);
    node->status.state = "running";
    node->status.error[0] = '\0';
    node->status.inference_ms = (double)timing->inference_us / 1000;
    node->status.detections = tracked->count;
    meter_count(&node->meter, now_us);
    struct detections *before = node->seen;
    node->seen = detections_ref(tracked);
    pthread_mutex_unlock(&node->lock);
    detections_unref(&before);
}

/* The latest frame there is: a newer one may have come while others had the model. On the thread of
 * whoever runs it, while the node's own waits. */
static const struct frame *take_latest(void *context)
{
    struct model_node *node = context;
    void *newer = NULL;
    if (mailbox_take(node->inbox, 0, &newer) == OW_OK) {
        frame_unref(&node->last);
        node->last = newer;
    }
    return node->last;
}

static void keep(struct model_node *node, struct frame *frame)
{
    struct frame *before = node->last;
    node->last = frame_ref(frame);
    frame_unref(&before);
}

/* What is in the frame, or a later one, with track ids. The model is asked for less than is to be
 * reported: what it is unsure of helps the tracker. */
static int look(struct model_node *node, struct frame *given, struct model_timing *timing,
                struct detections **tracked, struct reason *why)
{
    float confidence = node->parts.settings.thresholds.confidence;
    struct model_thresholds lowest = node->parts.settings.thresholds;
    lowest.confidence = tracker_lowest_confidence(confidence);
    lowest.shape_confidence = confidence;
    struct model_turn turn = {.latest = take_latest, .context = node, .thresholds = &lowest};
    keep(node, given);
    int rc = pooled_model_run(node->model, &turn, why);
    if (rc == OW_OK)
        rc = tracker_update(node->tracker, turn.found, confidence, tracked);
    detections_unref(&turn.found);
    if (rc != OW_OK)
        return rc;
    *timing = turn.timing;
    (*tracked)->infer_start_us = turn.start_us;
    (*tracked)->infer_end_us = clock_now_us();
    return OW_OK;
}

static void infer(struct model_node *node, struct frame *given)
{
    struct model_timing timing = {0};
    struct detections *tracked = NULL;
    struct reason why = {""};
    int rc = look(node, given, &timing, &tracked, &why);
    if (rc == OW_ECLOSED)
        return;
    if (rc < 0) {
        set_state(node, "error", why.text[0] ? why.text : error_text(rc));
        return;
    }
    int64_t end_us = tracked->infer_end_us;
    bool paused = end_us - atomic_exchange(&node->result_us, end_us) > FRESH_US;
    atomic_store(&node->streak, paused ? 1 : atomic_load(&node->streak) + 1);
    record(node, &timing, tracked, end_us);
    node->parts.on_result(node->parts.context, node->last, tracked);
    detections_unref(&tracked);
}

static bool has_order(struct model_node *node)
{
    pthread_mutex_lock(&node->lock);
    bool has = node->has_order;
    pthread_mutex_unlock(&node->lock);
    return has;
}

/* Waits until the next inference may start, in short steps so that a stop is quick. */
static void wait_for_turn(struct model_node *node)
{
    enum { STEP_US = 20000 };
    int64_t now_us = clock_now_us();
    while (!atomic_load(&node->stopping) && !has_order(node) && now_us < node->gate.due_us) {
        int64_t left_us = node->gate.due_us - now_us;
        clock_sleep_until_us(now_us + (left_us < STEP_US ? left_us : STEP_US));
        now_us = clock_now_us();
    }
}

/* What was followed before a pause says nothing about now: who looks again must not see boxes where
 * things were then. A viewer who only reloads the page keeps them. */
static void rest(struct model_node *node, int64_t now_us)
{
    if (node->unwanted_us == 0) {
        node->unwanted_us = now_us;
    } else if (now_us - node->unwanted_us > FORGET_AFTER_US && atomic_load(&node->streak) > 0) {
        tracker_reset(node->tracker);
        atomic_store(&node->streak, 0);
    }
}

static void work(struct model_node *node, struct frame *frame, enum model_demand demand)
{
    node->unwanted_us = 0;
    if (demand == MODEL_FOR_PREDICTION)
        clock_sleep_until_us(frame->capture_us + PICTURE_FIRST_US);
    if (rate_gate_pass(&node->gate, clock_now_us(), node->parts.settings.max_fps))
        infer(node, frame);
}

/* Takes over settings that were ordered. */
static void take_order(struct model_node *node)
{
    pthread_mutex_lock(&node->lock);
    bool has = node->has_order;
    json_t *before = node->parts.settings.classes;
    if (has)
        node->parts.settings = node->ordered;
    node->has_order = false;
    pthread_mutex_unlock(&node->lock);
    if (!has)
        return;
    json_decref(before);
    resolve_settings(node);
    node->gate = (struct rate_gate){0};
    node->look_again = node->last != NULL;
}

/* Frames that come anyway show what the new settings do; a source at rest has only its last one. */
static int64_t patience_us(const struct model_node *node)
{
    enum { NEXT_FRAME_US = 50000 };
    return node->look_again ? clock_now_us() + NEXT_FRAME_US : INT64_MAX;
}

static void look_again(struct model_node *node)
{
    node->look_again = false;
    struct frame *last = frame_ref(node->last);
    if (node->parts.demand(node->parts.context) != MODEL_UNWANTED)
        infer(node, last);
    frame_unref(&last);
}

static void *run(void *argument)
{
    struct model_node *node = argument;
    thread_introduce("model", THREAD_MODEL); /* the session's own threads inherit this */
    if (!open_model(node))
        return NULL;
    for (;;) {
        wait_for_turn(node);
        take_order(node);
        void *item = NULL;
        int rc = mailbox_take(node->inbox, patience_us(node), &item);
        if (rc == OW_ECLOSED)
            break;
        if (rc != OW_OK) {
            if (node->look_again)
                look_again(node);
            continue;
        }
        struct frame *frame = item;
        node->look_again = false;
        enum model_demand demand = node->parts.demand(node->parts.context);
        if (demand == MODEL_UNWANTED)
            rest(node, clock_now_us());
        else
            work(node, frame, demand);
        frame_unref(&frame);
    }
    return NULL;
}

int model_node_start(struct model_node **out, const struct model_node_parts *parts)
{
    struct model_node *node = calloc(1, sizeof *node);
    if (!node)
        return OW_ENOMEM;
    node->parts = *parts;
    json_incref(node->parts.settings.classes);
    snprintf(node->id, sizeof node->id, "%s", parts->id);
    node->status.state = "loading";
    pthread_mutex_init(&node->lock, NULL);
    int rc = mailbox_create(&node->inbox, drop_frame);
    if (rc == OW_OK)
        rc = tracker_create(&node->tracker);
    if (rc == OW_OK && pthread_create(&node->thread, NULL, run, node) != 0)
        rc = OW_ENOMEM;
    if (rc < 0) {
        tracker_destroy(&node->tracker);
        mailbox_destroy(&node->inbox);
        json_decref(node->parts.settings.classes);
        free(node);
        return rc;
    }
    *out = node;
    return OW_OK;
}

void model_node_configure(struct model_node *node, const struct model_node_settings *settings)
{
    json_incref(settings->classes);
    pthread_mutex_lock(&node->lock);
    json_t *before = node->has_order ? node->ordered.classes : NULL;
    node->ordered = *settings;
    node->has_order = true;
    pthread_mutex_unlock(&node->lock);
    json_decref(before);
    mailbox_wake(node->inbox);
}

void model_node_offer(struct model_node *node, struct frame *frame)
{
    if (atomic_load(&node->ready))
        mailbox_put(node->inbox, frame_ref(frame));
}

bool model_node_is_ready(struct model_node *node)
{
    return atomic_load(&node->ready);
}

bool model_node_is_awaited(struct model_node *node, int64_t now_us)
{
    bool fresh = now_us - atomic_load(&node->result_us) <= FRESH_US;
    return !atomic_load(&node->failed) && !(fresh && atomic_load(&node->streak) >= SETTLED_RESULTS);
}

int model_node_predict(struct model_node *node, int64_t capture_us, struct detections **out)
{
    return tracker_predict(node->tracker, capture_us, out);
}

struct detections *model_node_last(struct model_node *node)
{
    pthread_mutex_lock(&node->lock);
    struct detections *last = detections_ref(node->seen);
    pthread_mutex_unlock(&node->lock);
    return last;
}

void model_node_read_status(struct model_node *node, struct model_node_status *out)
{
    pthread_mutex_lock(&node->lock);
    *out = node->status;
    out->fps = meter_rate(&node->meter, clock_now_us());
    pthread_mutex_unlock(&node->lock);
    out->dropped = mailbox_dropped(node->inbox);
}

void model_node_stop(struct model_node **node)
{
    struct model_node *n = *node;
    *node = NULL;
    if (!n)
        return;
    atomic_store(&n->stopping, true);
    mailbox_close(n->inbox);
    pthread_join(n->thread, NULL);
    model_pool_give(n->parts.pool, &n->model);
    frame_unref(&n->last);
    detections_unref(&n->seen);
    json_decref(n->parts.settings.classes);
    if (n->has_order)
        json_decref(n->ordered.classes);
    tracker_destroy(&n->tracker);
    mailbox_destroy(&n->inbox);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
