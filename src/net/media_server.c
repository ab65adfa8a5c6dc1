/* The media thread: its loop, and the calls that other threads have it run. */
#include "net/media_server.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "net/media_internal.h"
#include "rtc/dtls_srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    DEFAULT_MAX_SESSIONS = 1000,
    DEFAULT_MAX_UNCONNECTED = 32,
    RECEIVE_ROUNDS = 8, /* batches read before the outgoing side has its turn */
};

/* -- calls from other threads -- */

void media_server_wake(struct media_server *server)
{
    if (atomic_exchange(&server->woken, true))
        return;
    uint64_t one = 1;
    while (write(server->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void media_server_run_call(struct media_server *server,
                           void (*run)(struct media_server *server, void *argument), void *argument)
{
    if (pthread_equal(pthread_self(), server->thread)) {
        run(server, argument);
        return;
    }
    struct media_call call = {.run = run, .argument = argument};
    pthread_mutex_lock(&server->lock);
    *server->calls_end = &call;
    server->calls_end = &call.next;
    media_server_wake(server);
    while (!call.done)
        pthread_cond_wait(&server->call_done, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

static void run_calls(struct media_server *server)
{
    pthread_mutex_lock(&server->lock);
    while (server->calls) {
        struct media_call *call = server->calls;
        server->calls = call->next;
        if (!server->calls)
            server->calls_end = &server->calls;
        pthread_mutex_unlock(&server->lock);
        call->run(server, call->argument);
        pthread_mutex_lock(&server->lock);
        call->done = true; /* from here on it may be gone */
        pthread_cond_broadcast(&server->call_done);
    }
    pthread_mutex_unlock(&server->lock);
}

/* -- the loop -- */

static void receive_datagrams(struct media_server *server)
{
    struct media_datagram datagrams[MEDIA_BATCH];
    for (int round = 0; round < RECEIVE_ROUNDS; round++) {
        int count = media_socket_receive(server->socket, datagrams);
        int64_t now_us = clock_now_us();
        for (int i = 0; i < count; i++)
            media_viewer_receive(server, &datagrams[i], now_us);
        media_socket_flush(server->socket);
        if (count < MEDIA_BATCH)
            return;
    }
}

static void tick_all(struct media_server *server)
{
    int64_t now_us = clock_now_us();
    int64_t deadline_us = INT64_MAX;
    for (struct media_stream *stream = server->streams; stream; stream = stream->next) {
        for (struct media_viewer *i = stream->viewers; i; i = i->next)
            media_viewer_tick(i, now_us);
        media_stream_tick(stream, now_us);
        for (struct media_viewer *i = stream->viewers; i; i = i->next) {
            int64_t next_us = media_viewer_deadline(i);
            deadline_us = next_us < deadline_us ? next_us : deadline_us;
        }
        int64_t next_us = media_stream_deadline(stream);
        deadline_us = next_us < deadline_us ? next_us : deadline_us;
    }
    media_socket_flush(server->socket);
    if (deadline_us == server->armed_us)
        return;
    server->armed_us = deadline_us;
    struct itimerspec at = {0};
    if (deadline_us != INT64_MAX) {
        int64_t fire_us = deadline_us > 0 ? deadline_us : 1;
        at.it_value.tv_sec = fire_us / 1000000;
        at.it_value.tv_nsec = fire_us % 1000000 * 1000;
    }
    timerfd_settime(server->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void drain_counter(int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

static void handle_wake(struct media_server *server)
{
    drain_counter(server->wake_fd);
    atomic_store(&server->woken, false); /* before the work: what comes later wakes again */
    for (struct media_stream *stream = server->streams; stream; stream = stream->next)
        media_stream_work(stream, clock_now_us());
    run_calls(server);
}

static void *media_thread(void *argument)
{
    struct media_server *server = argument;
    thread_introduce("media", THREAD_PICTURE);
    while (!server->quit) {
        struct epoll_event events[3];
        int count = epoll_wait(server->epoll_fd, events, 3, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == server->wake_fd) {
                handle_wake(server);
            } else if (fd == server->timer_fd) {
                drain_counter(fd);
                server->armed_us = INT64_MAX;
            } else {
                receive_datagrams(server);
            }
        }
        tick_all(server);
    }
    return NULL;
}

/* -- start and stop -- */

static int watch(struct media_server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? OW_OK : OW_EIO;
}

static int open_loop(struct media_server *server, struct reason *why)
{
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (server->epoll_fd < 0 || server->wake_fd < 0 || server->timer_fd < 0 ||
        watch(server, server->wake_fd) != OW_OK || watch(server, server->timer_fd) != OW_OK ||
        watch(server, media_socket_fd(server->socket)) != OW_OK)
        return reason_set(why, OW_EIO, "The media loop cannot be made: %s.", strerror(errno));
    return OW_OK;
}

static int read_settings(struct media_server *server, const struct media_server_settings *settings,
                         struct reason *why)
{
    server->settings = *settings;
    if (settings->max_sessions <= 0)
        server->settings.max_sessions = DEFAULT_MAX_SESSIONS;
    if (settings->max_unconnected_per_ip <= 0)
        server->settings.max_unconnected_per_ip = DEFAULT_MAX_UNCONNECTED;
    const char *bind_address = settings->bind_address;
    if (!bind_address && settings->loopback_only)
        bind_address = "127.0.0.1";
    if (bind_address && address_parse(&server->bind_address, bind_address, 0) != OW_OK)
        return reason_set(why, OW_EINVAL, "The media address \"%s\" is not an IP address.",
                          bind_address);
    server->has_public = settings->public_address && settings->public_address[0];
    if (server->has_public &&
        address_parse(&server->public_address, settings->public_address, 0) != OW_OK)
        return reason_set(why, OW_EINVAL,
                          "The public address \"%s\" is not an IP address (--public-address).",
                          settings->public_address);
    return media_socket_open(&server->socket, bind_address, settings->port, why);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void free_server(struct media_server *server)
{
    close_fd(server->epoll_fd);
    close_fd(server->wake_fd);
    close_fd(server->timer_fd);
    media_routes_destroy(&server->routes);
    dtls_identity_destroy(&server->identity);
    media_socket_close(&server->socket);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->call_done);
    free(server);
}

int media_server_start(struct media_server **out, const struct media_server_settings *settings,
                       struct reason *why)
{
    struct media_server *server = calloc(1, sizeof *server);
    if (!server)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    server->epoll_fd = server->wake_fd = server->timer_fd = -1;
    server->calls_end = &server->calls;
    server->armed_us = INT64_MAX;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->call_done, NULL);
    random_system(&server->random);
    int rc = read_settings(server, settings, why);
    if (rc == OW_OK)
        rc = open_loop(server, why);
    if (rc == OW_OK)
        rc = dtls_identity_create(&server->identity, clock_wall_us(), why);
    if (rc == OW_OK && media_routes_create(&server->routes) != OW_OK)
        rc = reason_set(why, OW_ENOMEM, "Out of memory.");
    if (rc == OW_OK && pthread_create(&server->thread, NULL, media_thread, server) != 0)
        rc = reason_set(why, OW_EIO, "The media thread cannot be started.");
    if (rc != OW_OK) {
        free_server(server);
        return rc;
    }
    *out = server;
    return OW_OK;
}

uint16_t media_server_port(const struct media_server *server)
{
    return media_socket_port(server->socket);
}

static void run_stop(struct media_server *server, void *argument)
{
    (void)argument;
    int64_t now_us = clock_now_us();
    for (struct media_stream *stream = server->streams; stream; stream = stream->next) {
        for (struct media_viewer *i = stream->viewers; i; i = i->next)
            media_viewer_close(i, now_us, "the server is stopping");
        media_stream_tick(stream, now_us);
    }
    media_socket_flush(server->socket);
    server->quit = true;
}

void media_server_stop(struct media_server **server)
{
    struct media_server *self = *server;
    if (!self)
        return;
    *server = NULL;
    media_server_run_call(self, run_stop, NULL);
    pthread_join(self->thread, NULL);
    free_server(self);
}

/* -- viewers -- */

struct offer_call {
    const char *stream_id, *offer;
    size_t offer_size;
    const struct address *via, *from;
    struct media_answer *answer;
    struct reason *why;
    int rc;
};

static void run_offer(struct media_server *server, void *argument)
{
    struct offer_call *call = argument;
    struct media_stream *stream = media_stream_find(server, call->stream_id);
    if (!stream)
        call->rc = reason_set(call->why, OW_ENOTFOUND,
                              "There is no running view \"%.64s\": start its workflow first.",
                              call->stream_id);
    else
        call->rc = media_viewer_create(stream, call->offer, call->offer_size, call->via, call->from,
                                       call->answer, call->why);
}

int media_server_offer(struct media_server *server, const char *stream_id, const char *offer,
                       size_t offer_size, const struct address *via, const struct address *from,
                       struct media_answer *out, struct reason *why)
{
    struct offer_call call = {stream_id, offer, offer_size, via, from, out, why, OW_OK};
    media_server_run_call(server, run_offer, &call);
    return call.rc;
}

struct close_call {
    const char *stream_id, *session_id; /* NULL = any */
    int closed;
};

static void run_close(struct media_server *server, void *argument)
{
    struct close_call *call = argument;
    int64_t now_us = clock_now_us();
    for (struct media_stream *stream = server->streams; stream; stream = stream->next) {
        if (call->stream_id && strcmp(stream->id, call->stream_id) != 0)
            continue;
        for (struct media_viewer *i = stream->viewers; i; i = i->next) {
            if (i->closed || (call->session_id && strcmp(i->id, call->session_id) != 0))
                continue;
            media_viewer_close(i, now_us, "closed on request");
            call->closed++;
        }
        media_viewers_sweep(stream);
    }
}

int media_server_close_session(struct media_server *server, const char *session_id)
{
    struct close_call call = {.session_id = session_id};
    media_server_run_call(server, run_close, &call);
    return call.closed > 0 ? OW_OK : OW_ENOTFOUND;
}

int media_server_close_viewers(struct media_server *server, const char *stream_id)
{
    struct close_call call = {.stream_id = stream_id};
    media_server_run_call(server, run_close, &call);
    return call.closed;
}

struct info_call {
    struct media_viewer_info *out;
    int max, count;
};

static void run_info(struct media_server *server, void *argument)
{
    struct info_call *call = argument;
    int64_t now_us = clock_now_us();
    for (struct media_stream *stream = server->streams; stream; stream = stream->next) {
        for (struct media_viewer *i = stream->viewers; i; i = i->next) {
            if (i->closed)
                continue;
            if (call->count < call->max) {
                struct media_viewer_info *info = &call->out[call->count];
                memset(info, 0, sizeof *info);
                memcpy(info->stream_id, stream->id, sizeof info->stream_id);
                memcpy(info->session_id, i->id, sizeof info->session_id);
                info->connected_us = i->connected_us;
                rtc_session_stats(i->session, now_us, &info->stats);
            }
            call->count++;
        }
    }
}

int media_server_viewers(struct media_server *server, struct media_viewer_info *out, int max)
{
    struct info_call call = {.out = out, .max = max};
    media_server_run_call(server, run_info, &call);
    return call.count;
}

static void run_figures(struct media_server *server, void *argument)
{
    send_meter_read(&server->meter, clock_now_us(), argument);
}

void media_server_figures(struct media_server *server, struct send_figures *out)
{
    media_server_run_call(server, run_figures, out);
}
