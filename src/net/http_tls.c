#include "net/http_tls.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "net/http_tls_client.h"
#include "net/media_socket.h"
#include "net/tls_context.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 64,
    TICK_MS = 500,
    HANDSHAKE_US = 10 * 1000 * 1000,
    UNSENT_BYTES = 16 * 1024,
    VANISHED_MS = 20 * 1000,
    DRAIN_US = 300 * 1000,
    DRAIN_TICK_MS = 20,
};

struct http_tls {
    struct http_tls_settings settings;
    char *certificate, *key;
    int epoll_fd, wake_fd;
    pthread_t thread;
    bool thread_started;
    atomic_bool quit;
    pthread_mutex_t lock; /* guards the context */
    SSL_CTX *context;
    struct tls_client *clients; /* of the thread, like all below */
    int client_count;
};

/* Edge-triggered: a client goes as far as it can at every event of either of its descriptors. */
static int watch(void *loop, int fd, struct tls_client *client)
{
    struct http_tls *tls = loop;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = client};
    return epoll_ctl(tls->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? OW_OK : OW_EIO;
}

static void tune(int fd)
{
    int on = 1, unsent = UNSENT_BYTES;
    unsigned vanished = VANISHED_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished, sizeof vanished);
}

static bool has_room(const struct http_tls *tls, const struct address *peer)
{
    const struct http_tls_settings *settings = &tls->settings;
    int same = 0;
    if (settings->max_connections > 0 && tls->client_count >= settings->max_connections)
        return false;
    if (settings->max_per_address <= 0 || address_is_loopback(peer))
        return true;
    for (const struct tls_client *i = tls->clients; i; i = i->next)
        same += address_same_ip(&i->peer, peer);
    return same < settings->max_per_address;
}

static void take(struct http_tls *tls, int fd, const struct sockaddr_storage *name)
{
    struct tls_client *client = calloc(1, sizeof *client);
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    if (!client) {
        close(fd);
        return;
    }
    client->settings = &tls->settings;
    client->fd = fd;
    client->plain = -1;
    client->deadline_us = clock_now_us() + HANDSHAKE_US;
    address_from_sockaddr(&client->peer, name);
    if (getsockname(fd, (struct sockaddr *)&own, &size) == 0)
        address_from_sockaddr(&client->local, &own);
    tune(fd);
    if (!has_room(tls, &client->peer) || watch(tls, fd, client) != OW_OK) {
        tls_client_free(client);
        return;
    }
    client->next = tls->clients;
    tls->clients = client;
    tls->client_count++;
}

static void accept_all(struct http_tls *tls)
{
    for (;;) {
        struct sockaddr_storage name = {0};
        socklen_t size = sizeof name;
        int fd = accept4(tls->settings.listen_fd, (struct sockaddr *)&name, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        take(tls, fd, &name);
    }
}

static void drop(struct http_tls *tls, struct tls_client *client)
{
    struct tls_client **link = &tls->clients;
    while (*link && *link != client)
        link = &(*link)->next;
    if (*link)
        *link = client->next;
    tls->client_count--;
    tls_client_free(client);
}

static void advance(struct http_tls *tls, struct tls_client *client, int64_t now_us)
{
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *context = tls->context;
    SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&tls->lock);
    int rc = tls_client_advance(client, context, now_us, watch, tls);
    SSL_CTX_free(context);
    if (rc != OW_OK)
        client->deadline_us = 0; /* freed by expire(): an event of it may still be in the batch */
}

static void expire(struct http_tls *tls, int64_t now_us)
{
    for (struct tls_client *i = tls->clients, *next; i; i = next) {
        next = i->next;
        if (now_us >= i->deadline_us)
            drop(tls, i);
    }
}

/* Those that had stopped for the others' sake; returns whether one did again. */
static bool go_on(struct http_tls *tls, int64_t now_us)
{
    bool again = false;
    for (struct tls_client *i = tls->clients; i; i = i->next) {
        if (i->again)
            advance(tls, i, now_us);
        again |= i->again;
    }
    return again;
}

/* Serves what has come within the time; returns whether somebody has more to do. */
static bool run_once(struct http_tls *tls, int patience_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(tls->epoll_fd, events, EVENTS, patience_ms);
    int64_t now_us = clock_now_us();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == tls)
            accept_all(tls);
        else if (events[i].data.ptr)
            advance(tls, events[i].data.ptr, now_us);
    }
    bool again = go_on(tls, now_us);
    expire(tls, now_us);
    return again;
}

static bool has_more_to_say(const struct http_tls *tls)
{
    for (const struct tls_client *i = tls->clients; i; i = i->next)
        if (i->phase == TLS_RELAYS && !i->client_told)
            return true;
    return false;
}

static void drain(struct http_tls *tls)
{
    int64_t end_us = clock_now_us() + DRAIN_US;
    (void)epoll_ctl(tls->epoll_fd, EPOLL_CTL_DEL, tls->settings.listen_fd, NULL);
    (void)epoll_ctl(tls->epoll_fd, EPOLL_CTL_DEL, tls->wake_fd, NULL);
    while (has_more_to_say(tls) && clock_now_us() < end_us)
        (void)run_once(tls, DRAIN_TICK_MS);
}

static void *relay_thread(void *argument)
{
    struct http_tls *tls = argument;
    bool again = false;
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE); /* OpenSSL writes without MSG_NOSIGNAL */
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    thread_introduce("tls", THREAD_SERVICE);
    while (!atomic_load(&tls->quit))
        again = run_once(tls, again ? 0 : TICK_MS);
    drain(tls);
    return NULL;
}

static int open_loop(struct http_tls *tls)
{
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = tls};
    struct epoll_event waking = {.events = EPOLLIN};
    tls->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    tls->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (tls->epoll_fd < 0 || tls->wake_fd < 0 ||
        epoll_ctl(tls->epoll_fd, EPOLL_CTL_ADD, tls->settings.listen_fd, &listening) != 0 ||
        epoll_ctl(tls->epoll_fd, EPOLL_CTL_ADD, tls->wake_fd, &waking) != 0)
        return OW_EIO;
    return OW_OK;
}

static void free_tls(struct http_tls *tls)
{
    while (tls->clients)
        drop(tls, tls->clients);
    if (tls->epoll_fd >= 0)
        close(tls->epoll_fd);
    if (tls->wake_fd >= 0)
        close(tls->wake_fd);
    SSL_CTX_free(tls->context);
    pthread_mutex_destroy(&tls->lock);
    free(tls->certificate);
    free(tls->key);
    free(tls);
}

int http_tls_start(struct http_tls **out, const struct http_tls_settings *settings,
                   struct reason *why)
{
    struct http_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    tls->settings = *settings;
    tls->epoll_fd = tls->wake_fd = -1;
    pthread_mutex_init(&tls->lock, NULL);
    tls->certificate = strdup(settings->certificate);
    tls->key = strdup(settings->key);
    int rc = tls->certificate && tls->key
                 ? tls_context_create(&tls->context, tls->certificate, tls->key, why)
                 : reason_set(why, OW_ENOMEM, "Out of memory.");
    if (rc == OW_OK &&
        (open_loop(tls) != OW_OK || pthread_create(&tls->thread, NULL, relay_thread, tls) != 0))
        rc = reason_set(why, OW_EIO, "The TLS thread cannot be started.");
    if (rc != OW_OK) {
        free_tls(tls);
        return rc;
    }
    tls->thread_started = true;
    *out = tls;
    return OW_OK;
}

int http_tls_reload(struct http_tls *tls, struct reason *why)
{
    SSL_CTX *fresh = NULL;
    int rc = tls_context_create(&fresh, tls->certificate, tls->key, why);
    if (rc != OW_OK)
        return rc;
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->context;
    tls->context = fresh;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return OW_OK;
}

void http_tls_stop(struct http_tls **tls)
{
    struct http_tls *self = *tls;
    if (!self)
        return;
    *tls = NULL;
    uint64_t one = 1;
    atomic_store(&self->quit, true);
    (void)!write(self->wake_fd, &one, sizeof one);
    pthread_join(self->thread, NULL);
    close(self->settings.listen_fd);
    free_tls(self);
}
