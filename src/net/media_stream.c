/* Streams: from one publisher to many viewers; key frames, targets and presence back. */
#include "core/clock.h"
#include "core/perf.h"
#include "net/media_internal.h"
#include "rtc/rtp_payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_FRAME_PAUSE_US = 300 * 1000,
    /* Of the 1200 bytes of a datagram: 12 RTP header, up to 44 header extensions, 2 RTX sequence
     * number, 16 authentication tag (GCM; 10 with HMAC-SHA1). */
    MAX_PAYLOAD_BYTES = RTC_MTU - 12 - 44 - 2 - 16,
};

struct media_stream *media_stream_find(struct media_server *server, const char *id)
{
    for (struct media_stream *i = server->streams; i; i = i->next)
        if (strcmp(i->id, id) == 0)
            return i;
    return NULL;
}

static void call_key_frame_wanted(struct media_stream *stream, int64_t now_us)
{
    stream->key_asked_us = now_us;
    stream->key_outstanding = true;
    stream->key_again = false;
    if (stream->callbacks.key_frame_wanted)
        stream->callbacks.key_frame_wanted(stream->callbacks.context, 0);
}

static bool in_pause(const struct media_stream *stream, int64_t now_us)
{
    return stream->key_asked_us != 0 && now_us - stream->key_asked_us < KEY_FRAME_PAUSE_US;
}

void media_stream_ask_key_frame(struct media_stream *stream, int64_t now_us, bool urgent)
{
    if (!in_pause(stream, now_us))
        call_key_frame_wanted(stream, now_us);
    else if (stream->key_outstanding)
        return; /* the one on its way serves this viewer too */
    else if (urgent)
        call_key_frame_wanted(stream, now_us);
    else
        stream->key_again = true;
}

static void tell_plan(struct media_stream *stream)
{
    int least = 0;
    for (const struct media_viewer *i = stream->viewers; i; i = i->next)
        if (least == 0 || i->place.target_bps < least)
            least = i->place.target_bps;
    struct rendition_plan plan;
    ladder_plan(&stream->ladders[0], 0, least, &plan);
    if (plan.viewers == stream->told[0].viewers && plan.target_bps == stream->told[0].target_bps)
        return;
    stream->told[0] = plan;
    if (stream->callbacks.plan)
        stream->callbacks.plan(stream->callbacks.context, 0, &plan);
}

static void tell_viewers(struct media_stream *stream)
{
    if (stream->told_viewers == stream->viewer_count)
        return;
    stream->told_viewers = stream->viewer_count;
    if (stream->callbacks.viewers)
        stream->callbacks.viewers(stream->callbacks.context, stream->viewer_count);
}

void media_stream_tick(struct media_stream *stream, int64_t now_us)
{
    media_viewers_sweep(stream);
    tell_viewers(stream);
    tell_plan(stream);
    if (stream->key_again && !in_pause(stream, now_us))
        call_key_frame_wanted(stream, now_us);
}

int64_t media_stream_deadline(const struct media_stream *stream)
{
    return stream->key_again ? stream->key_asked_us + KEY_FRAME_PAUSE_US : INT64_MAX;
}

static void fan_out(struct media_stream *stream, const struct encoded *unit, int64_t now_us)
{
    if (unit->key)
        stream->key_outstanding = false;
    if (!stream->viewers)
        return;
    struct rtp_frame *frame = NULL;
    if (rtp_frame_cut(&frame, unit, MAX_PAYLOAD_BYTES) != OW_OK)
        return;
    int connected = 0;
    for (struct media_viewer *i = stream->viewers; i; i = i->next) {
        if (i->closed)
            continue;
        connected += i->connected_us != 0;
        rtc_session_send(i->session, now_us, frame);
        media_viewer_drain(i, now_us);
    }
    media_socket_flush(stream->server->socket);
    rtp_frame_unref(&frame);
    int64_t sent_us = clock_now_us();
    perf_add(PERF_SEND, sent_us - now_us);
    send_meter_add(&stream->server->meter, sent_us, connected,
                   (uint64_t)connected * (uint64_t)unit->size, sent_us - unit->capture_us);
}

void media_stream_work(struct media_stream *stream, int64_t now_us)
{
    struct encoded *units[STREAM_MAX_PENDING];
    pthread_mutex_lock(&stream->lock);
    int count = stream->pending_count;
    memcpy(units, stream->pending, sizeof units);
    stream->pending_count = 0;
    bool fell_behind = stream->skip_to_key;
    pthread_mutex_unlock(&stream->lock);
    for (int i = 0; i < count; i++) {
        fan_out(stream, units[i], i == 0 ? now_us : clock_now_us());
        encoded_unref(&units[i]);
    }
    if (fell_behind)
        media_stream_ask_key_frame(stream, now_us, false);
}

static void drop_pending(struct media_stream *stream)
{
    for (int i = 0; i < stream->pending_count; i++)
        encoded_unref(&stream->pending[i]);
    stream->pending_count = 0;
}

void media_stream_publish(struct media_stream *stream, int track, struct encoded *unit)
{
    if (track != 0)
        return;
    pthread_mutex_lock(&stream->lock);
    if (stream->pending_count == STREAM_MAX_PENDING) {
        drop_pending(stream);
        stream->skip_to_key = true;
    }
    if (unit->key)
        stream->skip_to_key = false;
    if (!stream->skip_to_key)
        stream->pending[stream->pending_count++] = encoded_ref(unit);
    pthread_mutex_unlock(&stream->lock);
    media_server_wake(stream->server);
}

struct create_call {
    struct media_stream *stream;
    int rc;
};

static void run_create(struct media_server *server, void *argument)
{
    struct create_call *call = argument;
    if (media_stream_find(server, call->stream->id)) {
        call->rc = OW_EEXISTS;
        return;
    }
    call->stream->next = server->streams;
    server->streams = call->stream;
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
    for (int i = 0; i < VIDEO_CODECS; i++)
        ladder_init(&stream->ladders[i], &settings->ladder);
    stream->callbacks = settings->callbacks;
    pthread_mutex_init(&stream->lock, NULL);
    struct create_call call = {.stream = stream};
    media_server_run_call(server, run_create, &call);
    if (call.rc != OW_OK) {
        pthread_mutex_destroy(&stream->lock);
        free(stream);
        return call.rc;
    }
    *out = stream;
    return OW_OK;
}

static void run_destroy(struct media_server *server, void *argument)
{
    struct media_stream *stream = argument;
    int64_t now_us = clock_now_us();
    stream->callbacks = (struct media_stream_callbacks){0};
    for (struct media_viewer *i = stream->viewers; i; i = i->next)
        media_viewer_close(i, now_us, "the workflow was stopped");
    media_viewers_sweep(stream);
    struct media_stream **link = &server->streams;
    while (*link && *link != stream)
        link = &(*link)->next;
    if (*link)
        *link = stream->next;
}

void media_stream_destroy(struct media_stream **stream)
{
    struct media_stream *self = *stream;
    if (!self)
        return;
    *stream = NULL;
    media_server_run_call(self->server, run_destroy, self);
    drop_pending(self);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
