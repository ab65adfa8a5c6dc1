#include "net/media_thread.h"

#include "core/clock.h"
#include "core/thread.h"
#include "net/media_internal.h"
#include "net/media_relay.h"
#include "net/media_tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    EVENTS = 64,
    RECEIVE_ROUNDS = 4, /* batches read before the outgoing side has its turn */
    /* With thousands of viewers there is always a deadline: they are looked at together, a few
     * thousand times a second. The first after a pause is met exactly. */
    LOOK_PAUSE_US = 400,
};

/* -- calls from other threads -- */

void media_thread_wake(struct media_thread *thread)
{
    if (atomic_exchange(&thread->woken, true))
        return;
    uint64_t one = 1;
    while (write(thread->wake.fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

/* The lock is held. */
static void enqueue(struct media_thread *thread, struct media_call *call)
{
    *thread->calls_end = call;
    thread->calls_end = &call->next;
    media_thread_wake(thread);
}

void media_thread_call(struct media_thread *thread, media_run *run, void *argument)
{
    if (pthread_equal(pthread_self(), thread->id)) {
        run(thread, argument);
        return;
    }
    struct media_call call = {.run = run, .argument = argument};
    pthread_mutex_lock(&thread->lock);
    enqueue(thread, &call);
    while (!call.done)
        pthread_cond_wait(&thread->call_done, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}

int media_thread_post(struct media_thread *thread, media_run *run, void *argument)
{
    struct media_call *call = calloc(1, sizeof *call);
    if (!call)
        return OW_ENOMEM;
    call->run = run;
    call->argument = argument;
    call->posted = true;
    pthread_mutex_lock(&thread->lock);
    enqueue(thread, call);
    pthread_mutex_unlock(&thread->lock);
    return OW_OK;
}

static void run_calls(struct media_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    while (thread->calls) {
        struct media_call *call = thread->calls;
        thread->calls = call->next;
        if (!thread->calls)
            thread->calls_end = &thread->calls;
        bool posted = call->posted;
        pthread_mutex_unlock(&thread->lock);
        call->run(thread, call->argument);
        if (posted)
            free(call);
        pthread_mutex_lock(&thread->lock);
        if (!posted) {
            call->done = true; /* from here on it may be gone */
            pthread_cond_broadcast(&thread->call_done);
        }
    }
    pthread_mutex_unlock(&thread->lock);
}

/* -- datagrams -- */

void media_thread_hand_over(struct media_thread *from, struct media_thread *to,
                            enum media_handover_kind kind, const struct address *peer,
                            const uint8_t *data, size_t size)
{
    if (media_handover_put(to->from[from->index], kind, peer, data, size))
        media_thread_wake(to);
}

static void take_handed_over(struct media_thread *thread)
{
    int64_t now_us = clock_now_us();
    for (int i = 0; i < thread->server->thread_count; i++) {
        if (!thread->from[i])
            continue;
        /* No more than fits in: the writer may be faster than we are. */
        for (int k = 0; k < MEDIA_HANDOVER_SLOTS; k++) {
            const struct media_handover_slot *slot = media_handover_peek(thread->from[i]);
            if (!slot)
                break;
            if (slot->kind == MEDIA_HANDOVER_RELAY)
                media_relay_send(thread, &slot->peer, slot->data, slot->size);
            else
                media_viewer_receive(thread, &slot->peer, slot->data, slot->size, now_us, true);
            media_handover_next(thread->from[i]);
        }
    }
}

static int receive_batch(struct media_thread *thread)
{
    struct media_datagram datagrams[MEDIA_BATCH];
    int count = media_socket_receive(thread->socket, datagrams);
    int64_t now_us = clock_now_us();
    for (int i = 0; i < count; i++)
        media_viewer_receive(thread, &datagrams[i].from, datagrams[i].data, datagrams[i].size,
                             now_us, false);
    return count;
}

void media_thread_receive(struct media_thread *thread)
{
    for (int round = 0; round < RECEIVE_ROUNDS; round++)
        if (receive_batch(thread) < MEDIA_BATCH)
            return;
}

/* -- deadlines -- */

void media_timer_set(struct media_thread *thread, struct media_timer *timer, int64_t due_us)
{
    time_wheel_set(&thread->wheel, &timer->entry, due_us);
}

static void fire_timers(struct media_thread *thread)
{
    int64_t now_us = clock_now_us();
    thread->looked_us = now_us;
    struct time_wheel_entry *entry;
    while ((entry = time_wheel_pop(&thread->wheel, now_us))) {
        struct media_timer *timer = (struct media_timer *)entry;
        timer->fire(thread, timer, now_us);
    }
}

static void arm(struct media_thread *thread)
{
    int64_t deadline_us = time_wheel_next(&thread->wheel);
    if (deadline_us < thread->looked_us + LOOK_PAUSE_US)
        deadline_us = thread->looked_us + LOOK_PAUSE_US;
    if (deadline_us == thread->armed_us)
        return;
    thread->armed_us = deadline_us;
    struct itimerspec at = {0};
    if (deadline_us != INT64_MAX) {
        at.it_value.tv_sec = deadline_us / 1000000;
        at.it_value.tv_nsec = deadline_us % 1000000 * 1000;
    }
    timerfd_settime(thread->timer.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* -- the loop -- */

static void drain_counter(int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

static void on_wake(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    (void)events;
    drain_counter(watch->fd);
    atomic_store(&thread->woken, false); /* before the work: what comes later wakes again */
    for (struct media_part *part = thread->parts; part; part = part->next)
        media_part_work(part);
    take_handed_over(thread);
    run_calls(thread);
}

static void on_timer(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    (void)events;
    drain_counter(watch->fd);
    thread->armed_us = INT64_MAX;
}

static void on_udp(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
    media_thread_receive(thread);
}

static void *media_thread_main(void *argument)
{
    struct media_thread *thread = argument;
    char name[16];
    snprintf(name, sizeof name, thread->index == 0 ? "media" : "media-%d", thread->index);
    thread_introduce(name, THREAD_PICTURE);
    while (!thread->quit) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(thread->epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct media_watch *watch = events[i].data.ptr;
            watch->ready(thread, watch, events[i].events);
        }
        fire_timers(thread);
        media_tcp_sweep(thread);
        media_viewers_sweep(thread);
        media_tcp_sweep(thread); /* what the viewers that went have had */
        media_socket_flush(thread->socket);
        arm(thread);
    }
    return NULL;
}

/* -- start and end -- */

int media_thread_watch(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(thread->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) == 0)
        return OW_OK;
    return epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0 ? OW_OK : OW_EIO;
}

void media_thread_unwatch(struct media_thread *thread, const struct media_watch *watch)
{
    (void)epoll_ctl(thread->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

static int open_loop(struct media_thread *thread, struct reason *why)
{
    thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    thread->wake = (struct media_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_wake};
    thread->timer =
        (struct media_watch){timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), on_timer};
    thread->udp = (struct media_watch){media_socket_fd(thread->socket), on_udp};
    if (thread->epoll_fd < 0 || thread->wake.fd < 0 || thread->timer.fd < 0 ||
        media_thread_watch(thread, &thread->wake, EPOLLIN) != OW_OK ||
        media_thread_watch(thread, &thread->timer, EPOLLIN) != OW_OK ||
        media_thread_watch(thread, &thread->udp, EPOLLIN) != OW_OK)
        return reason_set(why, OW_EIO, "The media loop cannot be made: %s.", strerror(errno));
    return OW_OK;
}

int media_thread_create(struct media_thread **out, struct media_server *server, int index,
                        struct media_socket *socket, struct reason *why)
{
    struct media_thread *thread = calloc(1, sizeof *thread);
    if (!thread) {
        media_socket_close(&socket);
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    }
    thread->server = server;
    thread->index = index;
    thread->socket = socket;
    thread->calls_end = &thread->calls;
    thread->armed_us = INT64_MAX;
    thread->epoll_fd = thread->wake.fd = thread->timer.fd = -1;
    pthread_mutex_init(&thread->lock, NULL);
    pthread_cond_init(&thread->call_done, NULL);
    time_wheel_init(&thread->wheel, clock_now_us());
    int rc = open_loop(thread, why);
    if (rc == OW_OK && media_routes_create(&thread->routes) != OW_OK)
        rc = reason_set(why, OW_ENOMEM, "Out of memory.");
    for (int i = 0; rc == OW_OK && i < server->thread_count; i++)
        if (i != index && media_handover_create(&thread->from[i]) != OW_OK)
            rc = reason_set(why, OW_ENOMEM, "Out of memory.");
    if (rc != OW_OK)
        media_thread_destroy(&thread);
    else
        *out = thread;
    return rc;
}

int media_thread_start(struct media_thread *thread)
{
    thread->started = pthread_create(&thread->id, NULL, media_thread_main, thread) == 0;
    return thread->started ? OW_OK : OW_EIO;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void media_thread_join(struct media_thread *thread)
{
    if (thread->started)
        pthread_join(thread->id, NULL);
    thread->started = false;
}

void media_thread_destroy(struct media_thread **thread)
{
    struct media_thread *self = *thread;
    if (!self)
        return;
    run_calls(self); /* what was posted while it ended: the functions see thread->quit */
    close_fd(self->epoll_fd);
    close_fd(self->wake.fd);
    close_fd(self->timer.fd);
    media_routes_destroy(&self->routes);
    for (int i = 0; i < MEDIA_MAX_THREADS; i++)
        media_handover_destroy(&self->from[i]);
    media_socket_close(&self->socket);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->call_done);
    free(self);
    *thread = NULL;
}
