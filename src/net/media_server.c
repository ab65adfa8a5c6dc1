/* The media port as the rest of the program sees it: start and stop, and what is asked of it. */
#include "net/media_server.h"

#include "core/clock.h"
#include "core/log.h"
#include "net/media_internal.h"
#include "net/media_reflexive.h"
#include "net/media_relay.h"
#include "net/media_tcp.h"
#include "net/turn_link.h"
#include "rtc/dtls_srtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_MAX_SESSIONS = 4096, DEFAULT_MAX_UNCONNECTED = 32 };

/* -- start and stop -- */

static int choose_thread_count(const struct media_server_settings *settings)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long count = settings->threads > 0 ? settings->threads : cores / 2;
    if (count < 1)
        count = 1;
    return count > MEDIA_MAX_THREADS ? MEDIA_MAX_THREADS : (int)count;
}

/* NULL = all. */
static const char *bind_address(const struct media_server *server)
{
    const struct media_server_settings *settings = &server->settings;
    return !settings->bind_address && settings->loopback_only ? "127.0.0.1"
                                                              : settings->bind_address;
}

/* The first socket alone finds out whether the port is free, the others join it. */
static int open_socket(struct media_server *server, int index, struct media_socket **out,
                       struct reason *why)
{
    struct media_socket_settings settings = {.bind_address = bind_address(server),
                                             .port =
                                                 index == 0 ? server->settings.port : server->port,
                                             .shared = index > 0};
    int rc = media_socket_open(out, &settings, why);
    if (rc != OW_OK || index > 0)
        return rc;
    server->port = media_socket_port(*out);
    if (server->thread_count > 1 && media_socket_share(*out) != OW_OK)
        server->thread_count = 1;
    return OW_OK;
}

static int open_threads(struct media_server *server, struct reason *why)
{
    for (int i = 0; i < server->thread_count; i++) {
        struct media_socket *socket = NULL;
        int rc = open_socket(server, i, &socket, why);
        if (rc == OW_OK)
            rc = media_thread_create(&server->threads[i], server, i, socket, why);
        if (rc != OW_OK)
            return rc;
    }
    return OW_OK;
}

/* OW_EEXISTS when the number is free for UDP only. */
static int open_listener(struct media_server *server, struct reason *why)
{
    if (server->settings.no_tcp)
        return OW_OK;
    return media_tcp_listen(&server->listener, server->threads[0], bind_address(server),
                            server->port, why);
}

static void close_threads(struct media_server *server)
{
    for (int i = 0; i < MEDIA_MAX_THREADS; i++)
        media_thread_destroy(&server->threads[i]);
}

/* Without TCP the media port serves all the same; but a number that the system chooses is one that
 * is free for both. */
static int open_port(struct media_server *server, struct reason *why)
{
    enum { ATTEMPTS = 32 };
    for (int attempt = 1;; attempt++) {
        server->thread_count = choose_thread_count(&server->settings);
        int rc = open_threads(server, why);
        if (rc != OW_OK)
            return rc;
        struct reason no_tcp = {""};
        rc = open_listener(server, &no_tcp);
        if (rc == OW_EEXISTS && server->settings.port == 0 && attempt < ATTEMPTS) {
            close_threads(server);
            continue;
        }
        if (rc != OW_OK)
            log_warn("Viewers cannot come by TCP: %s", no_tcp.text);
        return OW_OK;
    }
}

static int make_tables(struct media_server *server, struct reason *why)
{
    const struct media_server_settings *settings = &server->settings;
    struct media_session_limits limits = {settings->max_sessions, settings->max_unconnected_per_ip};
    if (media_sessions_create(&server->sessions, &limits) != OW_OK ||
        (server->thread_count > 1 && media_routes_create(&server->routes) != OW_OK))
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    struct media_candidates_settings candidates = {
        .bind_address = bind_address(server),
        .public_address = settings->public_address,
        .port = server->port,
        .tcp = server->listener != NULL,
    };
    return media_candidates_create(&server->candidates, &candidates, why);
}

/* -- candidates that come later -- */

static void run_candidates(struct media_thread *thread, void *argument)
{
    (void)argument;
    struct sdp_candidate candidates[SDP_MAX_LOCAL_CANDIDATES];
    int count = media_candidates_list(thread->server->candidates, NULL, candidates,
                                      SDP_MAX_LOCAL_CANDIDATES);
    for (struct media_part *part = thread->parts; part; part = part->next)
        for (struct media_viewer *i = part->viewers; i; i = i->next)
            for (int k = 0; k < count && !i->closed; k++)
                if (strcmp(candidates[k].type, "host") != 0)
                    (void)rtc_session_add_local_candidate(i->session, &candidates[k]);
}

void media_server_offer_candidates(struct media_server *server)
{
    for (int i = 0; i < server->thread_count; i++)
        (void)media_thread_post(server->threads[i], run_candidates, NULL);
}

/* Before the threads run. */
static int open_reach(struct media_server *server, struct reason *why)
{
    const struct media_server_settings *settings = &server->settings;
    struct media_thread *first = server->threads[0];
    struct server_url url;
    int rc = OW_OK;
    if (settings->stun_url && settings->stun_url[0]) {
        rc = server_url_parse(&url, settings->stun_url, false, why);
        if (rc == OW_OK && media_reflexive_create(&server->reflexive, first, &url) != OW_OK)
            rc = reason_set(why, OW_ENOMEM, "Out of memory.");
    }
    if (rc == OW_OK && settings->turn_url && settings->turn_url[0]) {
        rc = server_url_parse(&url, settings->turn_url, true, why);
        if (rc == OW_OK && settings->turn_ca_file)
            rc = turn_link_check_ca(settings->turn_ca_file, why);
        if (rc == OW_OK && media_relay_create(&server->relay, first, &url) != OW_OK)
            rc = reason_set(why, OW_ENOMEM, "Out of memory.");
    }
    return rc;
}

static void run_quit(struct media_thread *thread, void *argument)
{
    (void)argument;
    int64_t now_us = clock_now_us();
    for (struct media_part *part = thread->parts; part; part = part->next)
        for (struct media_viewer *i = part->viewers; i; i = i->next)
            media_viewer_close(i, now_us, "the server is stopping");
    media_socket_flush(thread->socket);
    media_viewers_sweep(thread);
    media_tcp_close_all(thread);
    thread->quit = true;
}

static void free_server(struct media_server *server)
{
    for (int i = MEDIA_MAX_THREADS - 1; i >= 0; i--)
        if (server->threads[i] && server->threads[i]->started)
            media_thread_call(server->threads[i], run_quit, NULL);
    for (int i = 0; i < MEDIA_MAX_THREADS; i++)
        if (server->threads[i])
            media_thread_join(server->threads[i]);
    media_reflexive_destroy(&server->reflexive);
    media_relay_destroy(&server->relay);
    close_threads(server);
    media_tcp_listener_destroy(&server->listener);
    media_candidates_destroy(&server->candidates);
    media_sessions_destroy(&server->sessions);
    media_routes_destroy(&server->routes);
    dtls_identity_destroy(&server->identity);
    pthread_rwlock_destroy(&server->routes_lock);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

static int start_threads(struct media_server *server, struct reason *why)
{
    for (int i = 0; i < server->thread_count; i++)
        if (media_thread_start(server->threads[i]) != OW_OK)
            return reason_set(why, OW_EIO, "The media thread cannot be started.");
    return OW_OK;
}

int media_server_start(struct media_server **out, const struct media_server_settings *settings,
                       struct reason *why)
{
    struct media_server *server = calloc(1, sizeof *server);
    if (!server)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    server->settings = *settings;
    if (settings->max_sessions <= 0)
        server->settings.max_sessions = DEFAULT_MAX_SESSIONS;
    if (settings->max_unconnected_per_ip <= 0)
        server->settings.max_unconnected_per_ip = DEFAULT_MAX_UNCONNECTED;
    pthread_mutex_init(&server->lock, NULL);
    pthread_rwlock_init(&server->routes_lock, NULL);
    random_system(&server->random);
    int rc = open_port(server, why);
    if (rc == OW_OK)
        rc = make_tables(server, why);
    if (rc == OW_OK)
        rc = dtls_identity_create(&server->identity, clock_wall_us(), why);
    if (rc == OW_OK)
        rc = open_reach(server, why);
    if (rc == OW_OK)
        rc = start_threads(server, why);
    if (rc != OW_OK) {
        free_server(server);
        return rc;
    }
    *out = server;
    return OW_OK;
}

uint16_t media_server_port(const struct media_server *server)
{
    return server->port;
}

void media_server_stop(struct media_server **server)
{
    if (!*server)
        return;
    free_server(*server);
    *server = NULL;
}

/* -- offers -- */

struct offer_call {
    const char *stream_id, *session_id;
    struct rtc_session *session; /* NULL once it was taken over */
    int64_t now_us;
    struct reason *why;
    int rc;
};

static void run_offer(struct media_thread *thread, void *argument)
{
    struct offer_call *call = argument;
    struct media_part *part = media_part_find(thread, call->stream_id);
    struct media_viewer *viewer;
    if (!part)
        call->rc = reason_set(call->why, OW_ENOTFOUND,
                              "There is no running view \"%.64s\": start its workflow first.",
                              call->stream_id);
    else if (thread->quit || media_viewer_create(&viewer, part, call->session_id, call->session,
                                                 call->now_us) != OW_OK)
        call->rc = reason_set(call->why, OW_ENOMEM, "Out of memory.");
    else
        call->session = NULL;
}

static int find_stream(struct media_server *server, const char *id, struct ladder_settings *ladder,
                       struct reason *why)
{
    bool found = false;
    pthread_mutex_lock(&server->lock);
    for (const struct media_stream *i = server->streams; i && !found; i = i->next) {
        found = strcmp(i->id, id) == 0;
        if (found)
            *ladder = i->ladder;
    }
    pthread_mutex_unlock(&server->lock);
    return found ? OW_OK
                 : reason_set(why, OW_ENOTFOUND,
                              "There is no running view \"%.64s\": start its workflow first.", id);
}

/* On the caller's thread: reading an offer and making certificates' contexts takes a while. */
static int make_session(struct media_server *server, const char *stream_id, const char *offer,
                        size_t offer_size, const struct address *via, int64_t now_us,
                        struct rtc_session **out, struct reason *why)
{
    struct ladder_settings ladder = {0};
    int rc = find_stream(server, stream_id, &ladder, why);
    if (rc != OW_OK)
        return rc;
    struct ladder_limits limits = ladder_limits(&ladder);
    struct rtc_session_settings settings = {
        .identity = server->identity,
        .random = &server->random,
        .codecs = server->settings.codecs,
        .ice_lite = server->settings.ice_lite,
        .min_bps = limits.min_bps,
        .start_bps = limits.start_bps,
        .max_bps = limits.max_bps,
        .wall_minus_now_us = clock_wall_us() - clock_now_us(),
        .label = stream_id,
    };
    settings.local_candidate_count = media_candidates_list(
        server->candidates, via, settings.local_candidates, SDP_MAX_LOCAL_CANDIDATES);
    return rtc_session_create(out, &settings, offer, offer_size, now_us, why);
}

static struct media_thread *least_busy(const struct media_server *server)
{
    struct media_thread *best = server->threads[0];
    for (int i = 1; i < server->thread_count; i++)
        if (atomic_load(&server->threads[i]->viewer_count) < atomic_load(&best->viewer_count))
            best = server->threads[i];
    return best;
}

int media_server_offer(struct media_server *server, const char *stream_id, const char *offer,
                       size_t offer_size, const struct address *via, const struct address *from,
                       struct media_answer *out, struct reason *why)
{
    struct media_answer answer = {0};
    struct offer_call call = {.stream_id = stream_id,
                              .session_id = answer.session_id,
                              .why = why,
                              .now_us = clock_now_us()};
    int rc = media_sessions_open(server->sessions, from, answer.session_id, why);
    if (rc != OW_OK)
        return rc;
    rc = make_session(server, stream_id, offer, offer_size, via, call.now_us, &call.session, why);
    if (rc == OW_OK) {
        answer.rtp_offset = rtc_session_rtp_offset(call.session);
        answer.sdp = strdup(rtc_session_answer(call.session));
        if (!answer.sdp)
            rc = reason_set(why, OW_ENOMEM, "Out of memory.");
    }
    if (rc == OW_OK) {
        media_thread_call(least_busy(server), run_offer, &call);
        rc = call.rc;
    }
    if (rc == OW_OK) {
        *out = answer;
        return OW_OK;
    }
    media_sessions_close(server->sessions, answer.session_id, NULL);
    rtc_session_destroy(&call.session);
    free(answer.sdp);
    return rc;
}

/* -- one session -- */

/* Runs a function on the thread that has a session; OW_ENOTFOUND. */
static int call_session(struct media_server *server, const char *session_id, media_run *run,
                        void *argument)
{
    int thread = media_sessions_thread(server->sessions, session_id);
    if (thread < 0)
        return OW_ENOTFOUND;
    media_thread_call(server->threads[thread], run, argument);
    return OW_OK;
}

static struct media_viewer *open_viewer(struct media_thread *thread, const char *session_id)
{
    struct media_viewer *viewer = media_sessions_viewer(thread->server->sessions, session_id);
    return viewer && viewer->thread == thread && !viewer->closed ? viewer : NULL;
}

struct trickle_call {
    const char *session_id, *fragment;
    size_t size;
    char **out;
    struct reason *why;
    int rc;
};

static void run_trickle(struct media_thread *thread, void *argument)
{
    struct trickle_call *call = argument;
    struct media_viewer *viewer = open_viewer(thread, call->session_id);
    if (!viewer)
        return;
    int64_t now_us = clock_now_us();
    char *answer = NULL;
    call->rc = rtc_session_trickle(viewer->session, now_us, call->fragment, call->size, &answer,
                                   call->why);
    if (call->rc == OW_OK && media_viewer_add_ufrag(viewer) != OW_OK) {
        free(answer);
        answer = NULL;
        call->rc = reason_set(call->why, OW_ENOMEM, "Out of memory.");
    }
    if (call->rc == OW_OK)
        *call->out = answer;
    media_viewer_drain(viewer, now_us);
}

int media_server_trickle(struct media_server *server, const char *session_id, const char *fragment,
                         size_t size, char **out, struct reason *why)
{
    struct trickle_call call = {session_id, fragment, size, out, why, OW_ENOTFOUND};
    if (call_session(server, session_id, run_trickle, &call) != OW_OK)
        call.rc = OW_ENOTFOUND;
    if (call.rc == OW_ENOTFOUND)
        return reason_set(why, OW_ENOTFOUND, "There is no such session (any more).");
    return call.rc;
}

struct status_call {
    const char *session_id;
    struct media_session_status *out;
    int rc;
};

static void run_status(struct media_thread *thread, void *argument)
{
    struct status_call *call = argument;
    const struct media_viewer *viewer = open_viewer(thread, call->session_id);
    if (!viewer)
        return;
    struct rtc_session_stats stats;
    rtc_session_stats(viewer->session, clock_now_us(), &stats);
    *call->out = (struct media_session_status){.step = stats.step};
    snprintf(call->out->stream_id, sizeof call->out->stream_id, "%s", viewer->part->stream->id);
    call->rc = OW_OK;
}

int media_server_session_status(struct media_server *server, const char *session_id,
                                struct media_session_status *out)
{
    struct status_call call = {session_id, out, OW_ENOTFOUND};
    if (call_session(server, session_id, run_status, &call) == OW_OK && call.rc == OW_OK)
        return OW_OK;
    return media_sessions_last(server->sessions, session_id, out);
}

int media_server_candidates(struct media_server *server, struct sdp_candidate *out, int max)
{
    return media_candidates_list(server->candidates, NULL, out, max);
}

struct close_call {
    const char *stream_id, *session_id; /* NULL = any */
    int closed;
};

static void run_close_session(struct media_thread *thread, void *argument)
{
    struct close_call *call = argument;
    struct media_viewer *viewer = open_viewer(thread, call->session_id);
    if (!viewer)
        return;
    media_viewer_close(viewer, clock_now_us(), "closed on request");
    call->closed++;
    media_viewers_sweep(thread);
}

int media_server_close_session(struct media_server *server, const char *session_id)
{
    struct close_call call = {.session_id = session_id};
    int rc = call_session(server, session_id, run_close_session, &call);
    return rc == OW_OK && call.closed > 0 ? OW_OK : OW_ENOTFOUND;
}

/* -- all sessions -- */

static void run_close(struct media_thread *thread, void *argument)
{
    struct close_call *call = argument;
    int64_t now_us = clock_now_us();
    for (struct media_part *part = thread->parts; part; part = part->next) {
        if (call->stream_id && strcmp(part->stream->id, call->stream_id) != 0)
            continue;
        for (struct media_viewer *i = part->viewers; i; i = i->next) {
            if (i->closed)
                continue;
            media_viewer_close(i, now_us, "closed on request");
            call->closed++;
        }
    }
    media_viewers_sweep(thread);
}

int media_server_close_viewers(struct media_server *server, const char *stream_id)
{
    struct close_call call = {.stream_id = stream_id};
    for (int i = 0; i < server->thread_count; i++)
        media_thread_call(server->threads[i], run_close, &call);
    return call.closed;
}

static void describe(struct media_viewer_info *out, const struct media_viewer *viewer,
                     int64_t now_us)
{
    memset(out, 0, sizeof *out);
    memcpy(out->stream_id, viewer->part->stream->id, sizeof out->stream_id);
    memcpy(out->session_id, viewer->id, sizeof out->session_id);
    out->connected_us = viewer->connected_us;
    out->track = viewer->connected_us == 0 ? 0 : viewer->seat.parked ? -1 : viewer->seat.shown;
    rtc_session_stats(viewer->session, now_us, &out->stats);
}

struct info_call {
    struct media_viewer_info *out;
    int max, count;
};

static void run_info(struct media_thread *thread, void *argument)
{
    struct info_call *call = argument;
    int64_t now_us = clock_now_us();
    for (struct media_part *part = thread->parts; part; part = part->next) {
        for (struct media_viewer *i = part->viewers; i; i = i->next) {
            if (i->closed)
                continue;
            if (call->count < call->max)
                describe(&call->out[call->count], i, now_us);
            call->count++;
        }
    }
}

int media_server_viewers(struct media_server *server, struct media_viewer_info *out, int max)
{
    struct info_call call = {.out = out, .max = max};
    for (int i = 0; i < server->thread_count; i++)
        media_thread_call(server->threads[i], run_info, &call);
    return call.count;
}

int media_server_max_viewers(const struct media_server *server)
{
    return server->settings.max_sessions;
}

struct viewer_call {
    const char *session_id;
    struct media_viewer_info *out;
    int rc;
};

static void run_viewer(struct media_thread *thread, void *argument)
{
    struct viewer_call *call = argument;
    const struct media_viewer *viewer = open_viewer(thread, call->session_id);
    if (!viewer)
        return;
    describe(call->out, viewer, clock_now_us());
    call->rc = OW_OK;
}

int media_server_viewer(struct media_server *server, const char *session_id,
                        struct media_viewer_info *out)
{
    struct viewer_call call = {session_id, out, OW_ENOTFOUND};
    int rc = call_session(server, session_id, run_viewer, &call);
    return rc == OW_OK ? call.rc : rc;
}

static void run_figures(struct media_thread *thread, void *argument)
{
    send_meter_read(&thread->meter, clock_now_us(), argument);
}

void media_server_figures(struct media_server *server, struct send_figures *out)
{
    *out = (struct send_figures){0};
    for (int i = 0; i < server->thread_count; i++) {
        struct send_figures one;
        media_thread_call(server->threads[i], run_figures, &one);
        send_figures_add(out, &one);
    }
}
