#include "workflow/recorder.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/text_cut.h"
#include "core/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUEUE_BYTES = 32 * 1024 * 1024, /* on their way to the disk */
    RING_BYTES = 64 * 1024 * 1024,
    MAX_FILE_BYTES = 512 * 1024 * 1024, /* then another file goes on */
    MAX_EVENTS = 64,                    /* that wait; of more the latest are not told */
    RETRY_US = 5000000,                 /* after a failure */
    LATE_US = 1000000,                  /* by as much a picture may be behind its time */
    TOLD_LATE_US = 3000000,             /* by as much an event may be told after its picture */
    UNSEEN_US = 1000000,                /* after as long what is seen again is an event */
    LOOK_NS = 250000000,                /* at the time, while a recording runs */
};

struct pending_event {
    int64_t at_us;
    const char *type; /* NULL = it only makes the recording go on */
    char *text;       /* NULL = no memory for it */
};

struct recorder {
    struct record_folder *folder;
    char node_id[128], workflow_id[128], workflow_name[128];

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    pthread_t thread;
    bool has_thread, stopped, by_hand;
    bool news; /* for the thread, other than pictures and events */
    char label[128];
    const char *layout;
    struct record_rules rules;
    struct record_queue queue;
    struct pending_event events[MAX_EVENTS];
    int event_count;
    int64_t seen_us; /* capture time of the last result with something in it */
    struct recorder_status status;

    /* the thread's own */
    struct record_plan plan;
    struct record_queue ring;
    struct recording *recording;
    int64_t newest_us, taken_us; /* capture time of the last picture, and when it was taken */
    int64_t retry_us;            /* nothing is begun before */
};

/* ---- the thread ---- */

static void set_error(struct recorder *self, const char *text)
{
    pthread_mutex_lock(&self->lock);
    bool is_new = text[0] && strcmp(self->status.error, text) != 0;
    text_cut(self->status.error, sizeof self->status.error, text);
    pthread_mutex_unlock(&self->lock);
    if (is_new)
        log_error("recorder %s: %s", self->node_id, text);
}

static void end_recording(struct recorder *self, int64_t end_us, const char *why_ended)
{
    if (!self->recording)
        return;
    recording_end(&self->recording, end_us, why_ended);
    self->plan.open = false;
}

static void fail(struct recorder *self, const struct reason *why)
{
    self->retry_us = clock_now_us() + RETRY_US;
    set_error(self, why->text);
    end_recording(self, self->newest_us, why->text);
    record_folder_count_failure(self->folder);
}

static void add(struct recorder *self, const struct record_item *item)
{
    struct reason why = {""};
    if (recording_add(self->recording, item, &why) < 0)
        fail(self, &why);
}

/* Begins with a key frame, which is still to be added; whether that came about. */
static bool open_recording(struct recorder *self, const struct encoded *first)
{
    struct reason why = {""};
    struct recording_figures figures;
    char label[128];
    if (clock_now_us() < self->retry_us)
        return false;
    pthread_mutex_lock(&self->lock);
    memcpy(label, self->label, sizeof label);
    const char *layout = self->layout;
    pthread_mutex_unlock(&self->lock);
    enum record_when when = self->plan.by_hand ? RECORD_BY_HAND : self->plan.rules.when;
    const struct recording_subject subject = {.node_id = self->node_id,
                                              .workflow_id = self->workflow_id,
                                              .workflow_name = self->workflow_name,
                                              .label = label,
                                              .layout = layout,
                                              .trigger = record_when_names[when]};
    if (recording_begin(&self->recording, self->folder, &subject, first, &why) < 0) {
        fail(self, &why);
        return false;
    }
    recording_read(self->recording, &figures);
    log_info("recording %s has begun", figures.name);
    set_error(self, "");
    self->plan.open = true;
    self->plan.begun_us = first->capture_us;
    return true;
}

/* From the oldest picture of the ring on, a key frame. They stay in the ring: when the next event
 * comes soon after this recording, its own shows what came before, too. */
static void begin(struct recorder *self)
{
    for (const struct record_item *i = self->ring.first; i; i = i->next) {
        if (self->recording && i->unit->key && !recording_fits(self->recording, i->unit))
            end_recording(self, i->unit->capture_us, NULL);
        if (!self->recording && !(i->unit->key && open_recording(self, i->unit)))
            return;
        add(self, i);
    }
}

/* From when on pictures are kept: of an event that is told late, too, all before it is there. */
static int64_t ring_from(const struct recorder *self, int64_t now_us)
{
    int64_t from_us = record_plan_ring_from(&self->plan, now_us);
    return from_us < now_us ? from_us - TOLD_LATE_US : from_us;
}

/* May this key frame follow in the file that is being written? */
static bool fits(const struct recorder *self, const struct encoded *key)
{
    struct recording_figures figures;
    recording_read(self->recording, &figures);
    return figures.bytes < MAX_FILE_BYTES && recording_fits(self->recording, key) &&
           !record_plan_is_full(&self->plan, key->capture_us);
}

static void take_picture(struct recorder *self, struct record_item *item)
{
    int64_t at_us = item->unit->capture_us;
    bool wanted = record_plan_wants(&self->plan, at_us);
    bool goes_on = self->recording && wanted && (!item->unit->key || fits(self, item->unit));
    bool another = self->recording && wanted && !goes_on; /* which begins where this one ends */
    self->newest_us = at_us;
    self->taken_us = clock_now_us();
    record_queue_append(&self->ring, item);
    if (goes_on)
        add(self, item);
    else
        end_recording(self, at_us, NULL);
    record_queue_trim(&self->ring, another ? at_us : ring_from(self, at_us), RING_BYTES);
    if (wanted && !self->recording && self->ring.first)
        begin(self);
}

static void take_event(struct recorder *self, struct pending_event *event)
{
    record_plan_event(&self->plan, event->at_us);
    if (!self->recording) {
        record_queue_trim(&self->ring, record_plan_ring_from(&self->plan, event->at_us),
                          RING_BYTES);
        if (self->ring.first)
            begin(self);
    }
    if (self->recording && event->type)
        recording_note(self->recording, event->at_us, event->type, event->text ? event->text : "");
    free(event->text);
}

/* What a picture that came now would have as its capture time. */
static int64_t capture_now_us(const struct recorder *self)
{
    return self->newest_us + (clock_now_us() - self->taken_us);
}

/* No picture may come for long: what is wanted no more ends all the same. */
static void look_at_time(struct recorder *self)
{
    int64_t now_us = capture_now_us(self);
    if (self->recording && !record_plan_wants(&self->plan, now_us - LATE_US))
        end_recording(self, now_us, NULL);
}

static void tell_status(struct recorder *self)
{
    struct recorder_status *status = &self->status;
    struct recording_figures figures;
    if (self->recording)
        recording_read(self->recording, &figures);
    pthread_mutex_lock(&self->lock);
    if (self->recording)
        status->figures = figures;
    bool needs = record_plan_needs_pictures(&self->plan);
    if (!needs)
        status->error[0] = '\0';
    status->state = self->recording    ? RECORDER_RECORDING
                    : status->error[0] ? RECORDER_FAILED
                    : needs            ? RECORDER_READY
                                       : RECORDER_OFF;
    pthread_mutex_unlock(&self->lock);
}

/* An event has its turn behind the picture that it is of. It waits for one that comes later, as
 * when a filter lets a view go on, but not for long. Under the lock. */
static bool event_is_due(const struct recorder *self)
{
    const struct record_item *picture = self->queue.first;
    if (self->event_count == 0)
        return false;
    int64_t at_us = self->events[0].at_us;
    if (picture)
        return picture->unit->capture_us > at_us;
    return self->newest_us >= at_us || self->stopped || capture_now_us(self) - at_us >= LATE_US;
}

/* For something to do; while a recording runs or an event waits not for long. Under the lock. */
static void wait_for_news(struct recorder *self)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int rc = 0;
    while (!self->stopped && !self->news && !self->queue.first && !event_is_due(self) && rc == 0)
        rc = self->plan.open || self->event_count > 0
                 ? pthread_cond_timedwait(&self->changed, &self->lock, &until)
                 : pthread_cond_wait(&self->changed, &self->lock);
    self->news = false;
}

/* The oldest event when it is due. Under the lock. */
static bool next_event(struct recorder *self, struct pending_event *out)
{
    if (!event_is_due(self))
        return false;
    *out = self->events[0];
    self->event_count--;
    memmove(&self->events[0], &self->events[1], (size_t)self->event_count * sizeof self->events[0]);
    return true;
}

static void *recorder_thread(void *argument)
{
    struct recorder *self = argument;
    thread_introduce("recorder", THREAD_SERVICE);
    for (bool stopped = false; !stopped;) {
        struct pending_event event;
        pthread_mutex_lock(&self->lock);
        wait_for_news(self);
        self->plan.rules = self->rules;
        self->plan.by_hand = self->by_hand;
        bool has_event = next_event(self, &event);
        struct record_item *item = has_event ? NULL : record_queue_take(&self->queue);
        stopped = self->stopped && !has_event && !item;
        pthread_mutex_unlock(&self->lock);
        if (has_event)
            take_event(self, &event);
        else if (item)
            take_picture(self, item);
        else
            look_at_time(self);
        tell_status(self);
    }
    end_recording(self, capture_now_us(self), NULL);
    tell_status(self);
    return NULL;
}

/* ---- what others call ---- */

/* The thread has something to do, and is there from the first time on. Under the lock. */
static void wake(struct recorder *self)
{
    if (!self->has_thread && !self->stopped)
        self->has_thread = pthread_create(&self->thread, NULL, recorder_thread, self) == 0;
    pthread_cond_signal(&self->changed);
}

int recorder_create(struct recorder **out, struct record_folder *folder,
                    const struct recording_subject *subject)
{
    struct recorder *self = calloc(1, sizeof *self);
    pthread_condattr_t monotonic;
    if (!self)
        return OW_ENOMEM;
    self->folder = folder;
    snprintf(self->node_id, sizeof self->node_id, "%s", subject->node_id);
    snprintf(self->workflow_id, sizeof self->workflow_id, "%s", subject->workflow_id);
    snprintf(self->workflow_name, sizeof self->workflow_name, "%s", subject->workflow_name);
    snprintf(self->label, sizeof self->label, "%s", subject->label);
    self->layout = subject->layout;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = self;
    return OW_OK;
}

void recorder_set_rules(struct recorder *self, const struct record_rules *rules)
{
    pthread_mutex_lock(&self->lock);
    self->rules = *rules;
    self->news = true;
    if (rules->when != RECORD_BY_HAND || self->has_thread)
        wake(self);
    pthread_mutex_unlock(&self->lock);
}

void recorder_set_label(struct recorder *self, const char *label)
{
    pthread_mutex_lock(&self->lock);
    snprintf(self->label, sizeof self->label, "%s", label);
    pthread_mutex_unlock(&self->lock);
}

void recorder_set_layout(struct recorder *self, const char *layout)
{
    pthread_mutex_lock(&self->lock);
    self->layout = layout;
    pthread_mutex_unlock(&self->lock);
}

void recorder_set_by_hand(struct recorder *self, bool on)
{
    pthread_mutex_lock(&self->lock);
    self->by_hand = on;
    self->news = true;
    if (on || self->has_thread)
        wake(self);
    pthread_mutex_unlock(&self->lock);
}

bool recorder_needs_pictures(struct recorder *self)
{
    pthread_mutex_lock(&self->lock);
    const struct record_plan plan = {.rules = self->rules, .by_hand = self->by_hand};
    bool needs = record_plan_needs_pictures(&plan) && !self->stopped;
    pthread_mutex_unlock(&self->lock);
    return needs;
}

void recorder_put(struct recorder *self, const struct record_item *picture)
{
    pthread_mutex_lock(&self->lock);
    if (self->has_thread && !self->stopped && record_queue_put(&self->queue, picture, QUEUE_BYTES))
        wake(self);
    pthread_mutex_unlock(&self->lock);
}

/* Under the lock. */
static void put_event(struct recorder *self, int64_t at_us, const char *type, const json_t *object)
{
    struct pending_event *last =
        self->event_count > 0 ? &self->events[self->event_count - 1] : NULL;
    if (!type && last && !last->type) { /* one is enough */
        last->at_us = at_us;
        return;
    }
    if (self->event_count == MAX_EVENTS || !self->has_thread || self->stopped)
        return;
    self->events[self->event_count++] = (struct pending_event){
        .at_us = at_us, .type = type, .text = object ? json_dumps(object, JSON_COMPACT) : NULL};
    wake(self);
}

void recorder_event(struct recorder *self, int64_t capture_us, const char *type,
                    const json_t *object)
{
    pthread_mutex_lock(&self->lock);
    if (self->rules.when == RECORD_EVENTS || self->status.state == RECORDER_RECORDING)
        put_event(self, capture_us, type, object);
    pthread_mutex_unlock(&self->lock);
}

void recorder_result(struct recorder *self, const char *node_id, int64_t capture_us, int count)
{
    if (count <= 0)
        return;
    pthread_mutex_lock(&self->lock);
    const struct record_rules *rules = &self->rules;
    bool begins = self->seen_us == 0 || capture_us - self->seen_us > UNSEEN_US;
    self->seen_us = capture_us;
    bool tells =
        rules->when == RECORD_DETECTIONS || (rules->when == RECORD_EVENTS && rules->passing_counts);
    if (tells && begins) {
        json_t *object = json_pack("{s:s, s:i}", "node_id", node_id, "count", count);
        put_event(self, capture_us, "detections_event", object);
        json_decref(object);
    } else if (rules->when == RECORD_DETECTIONS) {
        put_event(self, capture_us, NULL, NULL);
    }
    pthread_mutex_unlock(&self->lock);
}

void recorder_read_status(struct recorder *self, struct recorder_status *out)
{
    pthread_mutex_lock(&self->lock);
    *out = self->status;
    out->by_hand = self->by_hand;
    pthread_mutex_unlock(&self->lock);
}

json_t *recorder_describe(const struct recorder_status *status)
{
    static const char *const states[] = {[RECORDER_OFF] = "off",
                                         [RECORDER_READY] = "ready",
                                         [RECORDER_RECORDING] = "recording",
                                         [RECORDER_FAILED] = "error"};
    const struct recording_figures *f = &status->figures;
    return json_pack("{s:s, s:b, s:s, s:f, s:I, s:i, s:I, s:s}", "state", states[status->state],
                     "by_hand", status->by_hand, "name", f->name, "seconds", f->seconds, "bytes",
                     (json_int_t)f->bytes, "events", f->events, "lost", (json_int_t)f->lost,
                     "error", status->error);
}

void recorder_stop(struct recorder *self)
{
    pthread_mutex_lock(&self->lock);
    bool joins = self->has_thread && !self->stopped;
    self->stopped = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (joins)
        pthread_join(self->thread, NULL);
}

void recorder_destroy(struct recorder **recorder)
{
    struct recorder *self = *recorder;
    *recorder = NULL;
    if (!self)
        return;
    recorder_stop(self);
    for (int i = 0; i < self->event_count; i++)
        free(self->events[i].text);
    record_queue_clear(&self->queue);
    record_queue_clear(&self->ring);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
