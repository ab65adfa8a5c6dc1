/* Streams: from one publisher to many viewers on several threads. */
#include "core/clock.h"
#include "core/perf.h"
#include "net/media_internal.h"
#include "net/media_tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Viewers served before the socket is looked at again, so that checks and reports do not wait
     * for thousands of others. */
    SERVED_BEFORE_LOOKING = 64,
};

/* -- sets of viewers -- */

static bool set_add(struct media_viewer_set *set, struct media_viewer *viewer, int *place)
{
    if (set->count == set->room) {
        int room = set->room ? 2 * set->room : 8;
        struct media_viewer **items =
            realloc(set->items, (size_t)room * sizeof(struct media_viewer *));
        if (!items)
            return false;
        set->items = items;
        set->room = room;
    }
    *place = set->count;
    set->items[set->count++] = viewer;
    return true;
}

static void shown_remove(struct media_part *part, struct media_viewer *viewer)
{
    if (viewer->shown_at < 0)
        return;
    struct media_viewer_set *set = &part->shown[viewer->seat.shown];
    struct media_viewer *last = set->items[--set->count];
    set->items[viewer->shown_at] = last;
    last->shown_at = viewer->shown_at;
    viewer->shown_at = -1;
}

static void waiting_remove(struct media_part *part, struct media_viewer *viewer)
{
    if (viewer->waiting_at < 0)
        return;
    struct media_viewer_set *set = &part->waiting[viewer->waiting_for];
    struct media_viewer *last = set->items[--set->count];
    set->items[viewer->waiting_at] = last;
    last->waiting_at = viewer->waiting_at;
    viewer->waiting_at = -1;
}

static void parked_remove(struct media_part *part, struct media_viewer *viewer)
{
    if (viewer->parked_at < 0)
        return;
    struct media_viewer_set *set = &part->parked;
    struct media_viewer *last = set->items[--set->count];
    set->items[viewer->parked_at] = last;
    last->parked_at = viewer->parked_at;
    viewer->parked_at = -1;
}

/* -- what a part's viewers want -- */

static void arm(struct media_part *part, int64_t key_us)
{
    int64_t due_us = key_us < part->review_us ? key_us : part->review_us;
    media_timer_set(part->thread, &part->timer, due_us);
}

void media_part_ask_key(struct media_part *part, int track, int64_t now_us, bool urgent)
{
    media_tracks_ask_key(&part->stream->tracks, track, now_us, urgent);
    arm(part, media_tracks_tick(&part->stream->tracks, now_us));
}

int media_part_seat(struct media_part *part, struct media_viewer *viewer, int64_t now_us)
{
    struct media_tracks *tracks = &part->stream->tracks;
    int rc = media_tracks_join(tracks, &viewer->seat, now_us);
    if (rc != OW_OK)
        return rc;
    if (!set_add(&part->shown[viewer->seat.shown], viewer, &viewer->shown_at)) {
        media_tracks_leave(tracks, &viewer->seat);
        media_tracks_expect(tracks, viewer->seat.codec);
        return OW_ENOMEM;
    }
    if (atomic_fetch_add(&part->connected, 1) == 0)
        part->review_us = now_us + MEDIA_REVIEW_US;
    media_part_ask_key(part, viewer->seat.shown, now_us, true);
    return OW_OK;
}

void media_part_follow(struct media_part *part, struct media_viewer *viewer, int64_t now_us)
{
    int wanted = media_seat_wanted(&viewer->seat), shown = viewer->seat.shown;
    waiting_remove(part, viewer);
    if (wanted == shown || viewer->seat.parked)
        return;
    viewer->waiting_for = wanted;
    /* Without memory it stays with its track until the next review asks again. */
    (void)set_add(&part->waiting[wanted], viewer, &viewer->waiting_at);
    media_part_ask_key(part, wanted, now_us, rendition_rung(wanted) > rendition_rung(shown));
}

static void park(struct media_part *part, struct media_viewer *viewer)
{
    waiting_remove(part, viewer);
    shown_remove(part, viewer);
    media_tracks_park(&part->stream->tracks, &viewer->seat);
    /* Without memory it is sent nothing until its path takes video. */
    (void)set_add(&part->parked, viewer, &viewer->parked_at);
}

static void unpark(struct media_part *part, struct media_viewer *viewer, int64_t now_us)
{
    parked_remove(part, viewer);
    if (media_tracks_unpark(&part->stream->tracks, &viewer->seat, now_us, viewer->target_bps) !=
            OW_OK ||
        !set_add(&part->shown[viewer->seat.shown], viewer, &viewer->shown_at)) {
        rtc_session_close(viewer->session, now_us, "out of memory");
        return;
    }
    media_part_ask_key(part, viewer->seat.shown, now_us, true);
}

void media_part_unseat(struct media_part *part, struct media_viewer *viewer)
{
    waiting_remove(part, viewer);
    shown_remove(part, viewer);
    parked_remove(part, viewer);
    media_tracks_leave(&part->stream->tracks, &viewer->seat);
    if (atomic_fetch_sub(&part->connected, 1) == 1)
        part->review_us = INT64_MAX;
}

static void review(struct media_part *part, int64_t now_us)
{
    for (struct media_viewer *i = part->viewers; i; i = i->next) {
        if (i->closed || i->connected_us == 0)
            continue;
        if (i->vector && !i->seat.parked)
            park(part, i);
        else if (!i->vector && i->seat.parked)
            unpark(part, i, now_us);
        if (i->seat.parked)
            continue;
        bool changed = media_tracks_review(&part->stream->tracks, &i->seat, now_us);
        if (changed || (i->waiting_at < 0 && i->seat.shown != media_seat_wanted(&i->seat)))
            media_part_follow(part, i, now_us);
        else if (i->waiting_at >= 0) /* its key frame may have been lost on the way here */
            media_part_ask_key(part, i->waiting_for, now_us, false);
    }
    part->review_us = now_us + MEDIA_REVIEW_US;
}

static void on_timer(struct media_thread *thread, struct media_timer *timer, int64_t now_us)
{
    (void)thread;
    struct media_part *part = (struct media_part *)timer;
    if (part->review_us <= now_us)
        review(part, now_us);
    arm(part, media_tracks_tick(&part->stream->tracks, now_us));
}

/* -- fanning out -- */

/* Who waited for this key frame is shown its track from now on. */
static void switch_waiting(struct media_part *part, int track)
{
    struct media_viewer_set *waiting = &part->waiting[track];
    while (waiting->count > 0) {
        struct media_viewer *viewer = waiting->items[waiting->count - 1];
        waiting_remove(part, viewer);
        int place;
        if (!set_add(&part->shown[track], viewer, &place))
            continue; /* the next review asks again */
        shown_remove(part, viewer);
        viewer->shown_at = place;
        media_tracks_show(&part->stream->tracks, &viewer->seat);
    }
}

/* Sets only grow while this runs: who closes or leaves is taken out at the end of the round. */
static void fan_out(struct media_part *part, const struct media_item *item)
{
    struct media_thread *thread = part->thread;
    int64_t start_us = clock_now_us();
    if (item->frame->key) {
        media_tracks_key_came(&part->stream->tracks, item->track);
        switch_waiting(part, item->track);
    }
    const struct media_viewer_set *shown = &part->shown[item->track];
    int sent = 0;
    for (int i = 0; i < shown->count; i++) {
        struct media_viewer *viewer = shown->items[i];
        if (viewer->closed)
            continue;
        int64_t now_us = clock_now_us(); /* with thousands of them time goes by */
        if (!media_tcp_admits(viewer, item->frame, now_us))
            continue;
        rtc_session_send(viewer->session, now_us, item->frame);
        media_viewer_drain(viewer, now_us);
        if (++sent % SERVED_BEFORE_LOOKING == 0)
            media_thread_receive(thread);
    }
    media_socket_flush(thread->socket);
    int64_t sent_us = clock_now_us();
    perf_add(PERF_SEND, sent_us - start_us);
    send_meter_add(&thread->meter, sent_us, sent, (uint64_t)sent * item->unit_bytes,
                   sent_us - item->frame->capture_us);
}

/* To who is sent nothing else. Sets only grow while this runs, as above. */
static void fan_out_record(struct media_part *part, struct metadata *record)
{
    for (int i = 0; i < part->parked.count; i++) {
        struct media_viewer *viewer = part->parked.items[i];
        if (viewer->closed)
            continue;
        int64_t now_us = clock_now_us();
        rtc_session_send_record(viewer->session, now_us, record);
        media_viewer_drain(viewer, now_us);
    }
    media_socket_flush(part->thread->socket);
}

void media_part_work(struct media_part *part)
{
    struct media_item items[STREAM_MAX_PENDING];
    pthread_mutex_lock(&part->lock);
    int count = part->pending_count;
    memcpy(items, part->pending, (size_t)count * sizeof items[0]);
    part->pending_count = 0;
    uint32_t fell_behind = part->skip_to_key;
    struct metadata *record = part->record;
    part->record = NULL;
    pthread_mutex_unlock(&part->lock);
    for (int i = 0; i < count; i++) {
        fan_out(part, &items[i]);
        rtp_frame_unref(&items[i].frame);
    }
    if (record)
        fan_out_record(part, record);
    metadata_unref(&record);
    for (int track = 0; fell_behind && track < RENDITION_TRACKS; track++)
        if (fell_behind >> track & 1 && part->shown[track].count > 0)
            media_part_ask_key(part, track, clock_now_us(), false);
}

static void drop_pending(struct media_part *part)
{
    for (int i = 0; i < part->pending_count; i++)
        rtp_frame_unref(&part->pending[i].frame);
    part->pending_count = 0;
}

static void put(struct media_part *part, int track, struct rtp_frame *frame, size_t unit_bytes)
{
    pthread_mutex_lock(&part->lock);
    if (part->pending_count == STREAM_MAX_PENDING) {
        drop_pending(part);
        part->skip_to_key = ~(uint32_t)0;
    }
    if (frame->key)
        part->skip_to_key &= ~((uint32_t)1 << track);
    if (!(part->skip_to_key >> track & 1))
        part->pending[part->pending_count++] =
            (struct media_item){rtp_frame_ref(frame), track, unit_bytes};
    pthread_mutex_unlock(&part->lock);
    media_thread_wake(part->thread);
}

void media_stream_publish(struct media_stream *stream, int track, struct encoded *unit)
{
    if (track < 0 || track >= RENDITION_TRACKS)
        return;
    struct rtp_frame *frame = NULL;
    for (int i = 0; i < stream->server->thread_count; i++) {
        struct media_part *part = stream->parts[i];
        if (atomic_load(&part->connected) == 0)
            continue;
        if (!frame && rtp_frame_cut(&frame, unit, RTC_MAX_PAYLOAD) != OW_OK)
            return;
        put(part, track, frame, unit->size);
    }
    rtp_frame_unref(&frame);
}

static void put_record(struct media_part *part, struct metadata *record)
{
    pthread_mutex_lock(&part->lock);
    metadata_unref(&part->record);
    part->record = metadata_ref(record);
    pthread_mutex_unlock(&part->lock);
    media_thread_wake(part->thread);
}

void media_stream_publish_record(struct media_stream *stream, struct metadata *record)
{
    for (int i = 0; i < stream->server->thread_count; i++)
        if (atomic_load(&stream->parts[i]->connected) > 0)
            put_record(stream->parts[i], record);
}

/* -- life -- */

struct media_part *media_part_find(struct media_thread *thread, const char *id)
{
    for (struct media_part *i = thread->parts; i; i = i->next)
        if (strcmp(i->stream->id, id) == 0)
            return i;
    return NULL;
}

static void part_destroy(struct media_part **part)
{
    struct media_part *self = *part;
    if (!self)
        return;
    drop_pending(self);
    metadata_unref(&self->record);
    free(self->parked.items);
    for (int i = 0; i < RENDITION_TRACKS; i++) {
        free(self->shown[i].items);
        free(self->waiting[i].items);
    }
    pthread_mutex_destroy(&self->lock);
    free(self);
    *part = NULL;
}

static int part_create(struct media_part **out, struct media_stream *stream,
                       struct media_thread *thread)
{
    struct media_part *part = calloc(1, sizeof *part);
    if (!part)
        return OW_ENOMEM;
    part->timer.fire = on_timer;
    part->thread = thread;
    part->stream = stream;
    part->review_us = INT64_MAX;
    pthread_mutex_init(&part->lock, NULL);
    *out = part;
    return OW_OK;
}

static void free_stream(struct media_stream *stream)
{
    for (int i = 0; i < MEDIA_MAX_THREADS; i++)
        part_destroy(&stream->parts[i]);
    media_tracks_free(&stream->tracks);
    free(stream);
}

/* Takes the name; OW_EEXISTS when there is a stream of that name. */
static int enlist(struct media_server *server, struct media_stream *stream)
{
    int rc = OW_OK;
    pthread_mutex_lock(&server->lock);
    for (struct media_stream *i = server->streams; i; i = i->next)
        if (strcmp(i->id, stream->id) == 0)
            rc = OW_EEXISTS;
    if (rc == OW_OK) {
        stream->next = server->streams;
        server->streams = stream;
    }
    pthread_mutex_unlock(&server->lock);
    return rc;
}

static void delist(struct media_server *server, const struct media_stream *stream)
{
    pthread_mutex_lock(&server->lock);
    struct media_stream **link = &server->streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    pthread_mutex_unlock(&server->lock);
}

static void run_add(struct media_thread *thread, void *argument)
{
    struct media_stream *stream = argument;
    struct media_part *part = stream->parts[thread->index];
    part->next = thread->parts;
    thread->parts = part;
}

int media_stream_create(struct media_stream **out, struct media_server *server,
                        const struct media_stream_settings *settings)
{
    if (!settings->id || strlen(settings->id) >= STREAM_ID_BYTES)
        return OW_EINVAL;
    struct media_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return OW_ENOMEM;
    snprintf(stream->id, sizeof stream->id, "%s", settings->id);
    stream->server = server;
    stream->ladder = settings->ladder;
    media_tracks_init(&stream->tracks, &settings->ladder, &settings->callbacks);
    int rc = OW_OK;
    for (int i = 0; rc == OW_OK && i < server->thread_count; i++)
        rc = part_create(&stream->parts[i], stream, server->threads[i]);
    if (rc == OW_OK)
        rc = enlist(server, stream);
    if (rc != OW_OK) {
        free_stream(stream);
        return rc;
    }
    for (int i = 0; i < server->thread_count; i++)
        media_thread_call(server->threads[i], run_add, stream);
    *out = stream;
    return OW_OK;
}

static void run_configure(struct media_thread *thread, void *argument)
{
    const struct media_stream *stream = argument;
    struct media_part *part = stream->parts[thread->index];
    struct ladder_limits limits = ladder_limits(&stream->ladder);
    int64_t now_us = clock_now_us();
    for (struct media_viewer *i = part->viewers; i; i = i->next) {
        if (i->closed)
            continue;
        rtc_session_set_limits(i->session, now_us, limits.min_bps, limits.start_bps,
                               limits.max_bps);
        media_viewer_drain(i, now_us);
    }
    if (atomic_load(&part->connected) > 0) {
        part->review_us = now_us;
        arm(part, now_us);
    }
}

void media_stream_configure(struct media_stream *stream, const struct ladder_settings *ladder)
{
    pthread_mutex_lock(&stream->server->lock);
    stream->ladder = *ladder;
    pthread_mutex_unlock(&stream->server->lock);
    media_tracks_configure(&stream->tracks, ladder);
    for (int i = 0; i < stream->server->thread_count; i++)
        media_thread_call(stream->server->threads[i], run_configure, stream);
}

static void run_remove(struct media_thread *thread, void *argument)
{
    const struct media_stream *stream = argument;
    struct media_part *part = stream->parts[thread->index];
    int64_t now_us = clock_now_us();
    for (struct media_viewer *i = part->viewers; i; i = i->next)
        media_viewer_close(i, now_us, "the workflow was stopped");
    media_viewers_sweep(thread);
    media_timer_set(thread, &part->timer, INT64_MAX);
    struct media_part **link = &thread->parts;
    while (*link != part)
        link = &(*link)->next;
    *link = part->next;
}

void media_stream_destroy(struct media_stream **stream)
{
    struct media_stream *self = *stream;
    if (!self)
        return;
    *stream = NULL;
    media_tracks_silence(&self->tracks);
    for (int i = 0; i < self->server->thread_count; i++)
        media_thread_call(self->server->threads[i], run_remove, self);
    delist(self->server, self);
    free_stream(self);
}
