/* Viewers: sessions, their datagrams in and out, their end. */
#include "core/clock.h"
#include "core/log.h"
#include "net/media_internal.h"
#include "net/media_reflexive.h"
#include "net/media_relay.h"
#include "net/media_tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_US = 30 * 1000 * 1000, /* an offer whose browser never comes */
    STUN_HEADER_BYTES = 20,
    STUN_REQUEST = 0x0001,
    STUN_SUCCESS = 0x0101,
    STUN_ERROR = 0x0111,
    /* A browser sends some hundred datagrams a second. What a viewer sends beyond this is not read,
     * so that it does not take the others' time. */
    FLOOD_INTERVAL_US = 10 * 1000,
    FLOOD_DATAGRAMS = 64,
};

static unsigned stun_type(const uint8_t *data, size_t size)
{
    return size < STUN_HEADER_BYTES ? 0 : (unsigned)(data[0] << 8 | data[1]);
}

static const uint8_t *stun_transaction(const uint8_t *data)
{
    return data + 8;
}

/* -- routes: the thread's own, and those of all threads when there are several -- */

static bool has_common_routes(const struct media_server *server)
{
    return server->routes != NULL;
}

int media_viewer_add_ufrag(struct media_viewer *viewer)
{
    struct media_server *server = viewer->thread->server;
    const char *ufrag = rtc_session_local_ufrag(viewer->session);
    int rc = media_routes_add_ufrag(viewer->thread->routes, ufrag, viewer);
    if (rc == OW_OK && has_common_routes(server)) {
        pthread_rwlock_wrlock(&server->routes_lock);
        rc = media_routes_add_ufrag(server->routes, ufrag, viewer);
        pthread_rwlock_unlock(&server->routes_lock);
    }
    return rc;
}

static void learn_transaction(struct media_viewer *viewer, const uint8_t *transaction)
{
    struct media_server *server = viewer->thread->server;
    media_routes_add_transaction(viewer->thread->routes, transaction, viewer);
    if (!has_common_routes(server))
        return;
    pthread_rwlock_wrlock(&server->routes_lock);
    media_routes_add_transaction(server->routes, transaction, viewer);
    pthread_rwlock_unlock(&server->routes_lock);
}

static void learn_address(struct media_viewer *viewer, const struct address *address)
{
    struct media_server *server = viewer->thread->server;
    if (media_routes_by_address(viewer->thread->routes, address) == viewer)
        return;
    media_routes_set_address(viewer->thread->routes, address, viewer);
    if (!has_common_routes(server))
        return;
    pthread_rwlock_wrlock(&server->routes_lock);
    media_routes_set_address(server->routes, address, viewer);
    pthread_rwlock_unlock(&server->routes_lock);
}

static void forget_routes(struct media_viewer *viewer)
{
    struct media_server *server = viewer->thread->server;
    media_routes_forget(viewer->thread->routes, viewer);
    if (!has_common_routes(server))
        return;
    pthread_rwlock_wrlock(&server->routes_lock);
    media_routes_forget(server->routes, viewer);
    pthread_rwlock_unlock(&server->routes_lock);
}

/* Requests go by user fragment, so that a viewer may move; all else by what is validated. */
static struct media_viewer *look_up(const struct media_routes *routes, const struct address *from,
                                    const uint8_t *data, size_t size)
{
    if (ice_is_stun(data, size)) {
        unsigned type = stun_type(data, size);
        char ufrag[SDP_UFRAG_BYTES];
        if (type == STUN_REQUEST)
            return ice_peek_local_ufrag(data, size, ufrag, sizeof ufrag) == OW_OK
                       ? media_routes_by_ufrag(routes, ufrag)
                       : NULL;
        if (type == STUN_SUCCESS || type == STUN_ERROR) {
            struct media_viewer *asker =
                media_routes_by_transaction(routes, stun_transaction(data));
            if (asker)
                return asker;
        }
    }
    return media_routes_by_address(routes, from);
}

/* -- life -- */

static void on_timer(struct media_thread *thread, struct media_timer *timer, int64_t now_us);

int media_viewer_create(struct media_viewer **out, struct media_part *part, const char *id,
                        struct rtc_session *session, int64_t now_us)
{
    struct media_viewer *viewer = calloc(1, sizeof *viewer);
    if (!viewer)
        return OW_ENOMEM;
    viewer->timer.fire = on_timer;
    viewer->thread = part->thread;
    viewer->part = part;
    viewer->session = session;
    viewer->created_us = now_us;
    viewer->shown_at = viewer->waiting_at = viewer->parked_at = -1;
    viewer->seat.codec = rtc_session_codec(session);
    memcpy(viewer->id, id, sizeof viewer->id);
    int rc = media_viewer_add_ufrag(viewer);
    if (rc != OW_OK) {
        forget_routes(viewer);
        free(viewer);
        return rc;
    }
    viewer->link = &part->viewers;
    viewer->next = part->viewers;
    if (viewer->next)
        viewer->next->link = &viewer->next;
    part->viewers = viewer;
    atomic_fetch_add(&part->thread->viewer_count, 1);
    media_sessions_assign(part->thread->server->sessions, id, part->thread->index, viewer);
    media_tracks_expect(&part->stream->tracks, viewer->seat.codec);
    if (media_candidates_has_relay(part->thread->server->candidates))
        rtc_session_set_relay(session, now_us, true);
    media_viewer_drain(viewer, now_us);
    *out = viewer;
    return OW_OK;
}

static void on_closed(struct media_viewer *viewer, const char *text)
{
    if (viewer->closed)
        return;
    snprintf(viewer->close_text, sizeof viewer->close_text, "%s",
             text && text[0] ? text : "closed");
    log_info("WebRTC connection state: %s (%s, %s)",
             viewer->connected_us == 0 && !viewer->close_asked ? "failed" : "closed",
             viewer->part->stream->id, viewer->close_text);
    viewer->closed = true;
    viewer->next_closed = viewer->thread->closed;
    viewer->thread->closed = viewer;
}

static void viewer_free(struct media_viewer *viewer)
{
    struct media_thread *thread = viewer->thread;
    struct rtc_session_stats stats;
    rtc_session_stats(viewer->session, clock_now_us(), &stats);
    struct media_session_status last = {.step = stats.step, .closed = true};
    snprintf(last.stream_id, sizeof last.stream_id, "%s", viewer->part->stream->id);
    memcpy(last.text, viewer->close_text, sizeof last.text);
    media_sessions_close(thread->server->sessions, viewer->id, &last);
    if (viewer->connected_us != 0)
        media_part_unseat(viewer->part, viewer);
    else
        media_tracks_give_up(&viewer->part->stream->tracks, viewer->seat.codec);
    media_timer_set(thread, &viewer->timer, INT64_MAX);
    media_tcp_drop_viewer(viewer);
    forget_routes(viewer);
    *viewer->link = viewer->next;
    if (viewer->next)
        viewer->next->link = viewer->link;
    atomic_fetch_sub(&thread->viewer_count, 1);
    rtc_session_destroy(&viewer->session);
    free(viewer);
}

void media_viewers_sweep(struct media_thread *thread)
{
    while (thread->closed) {
        struct media_viewer *viewer = thread->closed;
        thread->closed = viewer->next_closed;
        viewer_free(viewer);
    }
}

static void end(struct media_viewer *viewer, int64_t now_us, const char *reason)
{
    rtc_session_close(viewer->session, now_us, reason);
    media_viewer_drain(viewer, now_us);
    on_closed(viewer, reason);
}

void media_viewer_close(struct media_viewer *viewer, int64_t now_us, const char *reason)
{
    if (viewer->closed)
        return;
    viewer->close_asked = true;
    end(viewer, now_us, reason);
}

/* -- outputs -- */

/* A success response proves that the check it answers had valid integrity: from now on other
 * packets from that address are this viewer's. */
static void send_datagram(struct media_viewer *viewer, const struct rtc_output *output)
{
    if (ice_is_stun(output->data, output->size)) {
        unsigned type = stun_type(output->data, output->size);
        if (type == STUN_REQUEST)
            learn_transaction(viewer, stun_transaction(output->data));
        else if (type == STUN_SUCCESS)
            learn_address(viewer, &output->to);
    }
    if (output->to.transport == ADDRESS_TCP) {
        media_tcp_send(viewer, &output->to, output->data, output->size);
        return;
    }
    viewer->carrier = NULL;
    if (output->to.transport == ADDRESS_RELAY) {
        media_relay_send(viewer->thread, &output->to, output->data, output->size);
        return;
    }
    media_socket_commit(viewer->thread->socket);
}

static void on_connected(struct media_viewer *viewer, int64_t now_us)
{
    if (media_part_seat(viewer->part, viewer, now_us) != OW_OK) {
        rtc_session_close(viewer->session, now_us, "out of memory");
        return;
    }
    viewer->connected_us = now_us;
    media_sessions_connected(viewer->thread->server->sessions, viewer->id);
    log_info("WebRTC connection state: connected (%s, %.0f ms after the offer)",
             viewer->part->stream->id, (double)(now_us - viewer->created_us) / 1000.0);
}

static void on_target(struct media_viewer *viewer, int64_t now_us, int target_bps)
{
    viewer->target_bps = target_bps;
    if (viewer->connected_us != 0 &&
        media_tracks_set_target(&viewer->part->stream->tracks, &viewer->seat, now_us, target_bps))
        media_part_follow(viewer->part, viewer, now_us);
}

static void on_tier(struct media_viewer *viewer, bool vector)
{
    log_info("🎥 %s: %s", viewer->part->stream->id,
             vector ? "a viewer's link is too slow for video; it is shown vectors"
                    : "a viewer's link takes video again");
    viewer->vector = vector; /* at the next review: pictures may be on their way to others now */
}

static void handle_output(struct media_viewer *viewer, const struct rtc_output *output,
                          int64_t now_us)
{
    switch (output->kind) {
    case RTC_OUTPUT_DATAGRAM:
        send_datagram(viewer, output);
        break;
    case RTC_OUTPUT_ICE_STATE:
        log_info("WebRTC ICE state: %s (%s)", ice_state_name(output->ice_state),
                 viewer->part->stream->id);
        break;
    case RTC_OUTPUT_CONNECTED:
        on_connected(viewer, now_us);
        break;
    case RTC_OUTPUT_KEY_FRAME:
        if (viewer->connected_us != 0)
            media_part_ask_key(viewer->part, media_seat_wanted(&viewer->seat), now_us, false);
        break;
    case RTC_OUTPUT_TARGET_BPS:
        on_target(viewer, now_us, output->target_bps);
        break;
    case RTC_OUTPUT_HOLD:
        if (viewer->connected_us != 0)
            media_tracks_hold(&viewer->part->stream->tracks, &viewer->seat, output->hold_until_us);
        break;
    case RTC_OUTPUT_TIER:
        on_tier(viewer, output->vector);
        break;
    case RTC_OUTPUT_CLOSED:
        on_closed(viewer, output->text);
        break;
    }
}

static int64_t deadline(const struct media_viewer *viewer)
{
    if (viewer->closed)
        return INT64_MAX;
    int64_t next_us = rtc_session_deadline(viewer->session);
    int64_t give_up_us = viewer->created_us + CONNECT_TIMEOUT_US;
    return viewer->connected_us == 0 && give_up_us < next_us ? give_up_us : next_us;
}

void media_viewer_drain(struct media_viewer *viewer, int64_t now_us)
{
    struct media_socket *socket = viewer->thread->socket;
    while (!viewer->closed) {
        struct rtc_output *output = media_socket_next(socket);
        if (rtc_session_poll(viewer->session, now_us, output) != OW_OK)
            break;
        handle_output(viewer, output, now_us);
    }
    if (viewer->connections)
        media_tcp_flush(viewer);
    media_timer_set(viewer->thread, &viewer->timer, deadline(viewer));
}

static void on_timer(struct media_thread *thread, struct media_timer *timer, int64_t now_us)
{
    (void)thread;
    struct media_viewer *viewer = (struct media_viewer *)timer;
    if (viewer->closed)
        return;
    if (viewer->connected_us == 0 && now_us - viewer->created_us >= CONNECT_TIMEOUT_US) {
        end(viewer, now_us, "no connection within 30 s");
        return;
    }
    rtc_session_handle_timeout(viewer->session, now_us);
    media_viewer_drain(viewer, now_us);
}

/* -- inputs -- */

static bool is_flooding(struct media_viewer *viewer, int64_t now_us)
{
    if (now_us - viewer->flood_us >= FLOOD_INTERVAL_US) {
        viewer->flood_us = now_us;
        viewer->flood_count = 0;
    }
    return ++viewer->flood_count > FLOOD_DATAGRAMS;
}

void media_viewer_input(struct media_viewer *viewer, const struct address *from,
                        const uint8_t *data, size_t size, int64_t now_us)
{
    if (viewer->closed || size > RTC_MAX_DATAGRAM || is_flooding(viewer, now_us))
        return;
    rtc_session_receive(viewer->session, now_us, from, data, size);
    media_viewer_drain(viewer, now_us);
}

struct media_thread *media_viewer_thread(struct media_server *server, const char *ufrag)
{
    if (!has_common_routes(server))
        return NULL;
    pthread_rwlock_rdlock(&server->routes_lock);
    const struct media_viewer *viewer = media_routes_by_ufrag(server->routes, ufrag);
    struct media_thread *thread = viewer ? viewer->thread : NULL;
    pthread_rwlock_unlock(&server->routes_lock);
    return thread;
}

/* To the thread that has the viewer, if there is one. */
static void pass_on(struct media_thread *thread, const struct address *from, const uint8_t *data,
                    size_t size)
{
    struct media_server *server = thread->server;
    pthread_rwlock_rdlock(&server->routes_lock);
    const struct media_viewer *viewer = look_up(server->routes, from, data, size);
    struct media_thread *owner = viewer ? viewer->thread : NULL;
    pthread_rwlock_unlock(&server->routes_lock);
    if (owner && owner != thread)
        media_thread_hand_over(thread, owner, MEDIA_HANDOVER_IN, from, data, size);
}

void media_viewer_receive(struct media_thread *thread, const struct address *from,
                          const uint8_t *data, size_t size, int64_t now_us, bool handed_over)
{
    if (size == 0 || size > RTC_MAX_DATAGRAM)
        return;
    if (media_reflexive_receive(thread, from, data, size, now_us))
        return;
    struct media_viewer *viewer = look_up(thread->routes, from, data, size);
    if (!viewer && !handed_over && has_common_routes(thread->server))
        pass_on(thread, from, data, size);
    if (viewer)
        media_viewer_input(viewer, from, data, size, now_us);
}
