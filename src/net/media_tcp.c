#include "net/media_tcp.h"

#include "core/clock.h"
#include "core/log.h"
#include "net/media_tcp_gate.h"
#include "rtc/stream_frame.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    IDENTIFY_US = 5 * 1000 * 1000, /* for the first packet */
    MAX_PER_VIEWER = 8,            /* a browser opens one for each of its interfaces */
    READ_BYTES = 8192,
    READS = 2, /* in one round, so that the others have their turn */
    FIRST_OUT_BYTES = 16 * 1024,
    MAX_OUT_BYTES = 512 * 1024,
    /* Bytes that the kernel holds without having sent them: what waits there is late. Those in
     * flight do not count, so a long path still has its window. */
    NOT_SENT_BYTES = 16 * 1024,
    BEHIND_US = 250 * 1000, /* of what the path takes: more waiting means to drop frames */
    BEHIND_BYTES = 32 * 1024,
    CAUGHT_UP_BYTES = 8 * 1024,
    USER_TIMEOUT_MS = 30 * 1000, /* as long as consent lasts (RFC 7675) */
    DSCP_AF41 = 34 << 2,
};

struct media_tcp_connection {
    struct media_watch watch;                  /* first: the loop gives it back */
    struct media_timer timer;                  /* until it is identified */
    struct media_tcp_connection *next, **link; /* of its thread */
    struct media_tcp_connection *next_own;     /* of its viewer */
    struct media_tcp_connection *next_broken;
    struct media_thread *thread;
    struct media_viewer *viewer; /* NULL = not identified yet */
    struct media_tcp_gate *gate;
    int pass;
    struct address remote;
    bool broken, overflowed, waiting; /* waiting: for room in the kernel */
    struct stream_frame_reader reader;
    uint8_t *out; /* bytes [sent, filled) are to be sent */
    size_t out_room, sent, filled;
};

static void on_stranger(struct media_thread *thread, struct media_watch *watch, uint32_t events);
static void on_ready(struct media_thread *thread, struct media_watch *watch, uint32_t events);

/* -- life of a connection -- */

static void enlist(struct media_thread *thread, struct media_tcp_connection *self)
{
    self->thread = thread;
    self->link = &thread->connections;
    self->next = thread->connections;
    if (self->next)
        self->next->link = &self->next;
    thread->connections = self;
}

static void delist(struct media_tcp_connection *self)
{
    *self->link = self->next;
    if (self->next)
        self->next->link = self->link;
    media_timer_set(self->thread, &self->timer, INT64_MAX);
    media_thread_unwatch(self->thread, &self->watch);
}

static void connection_free(struct media_tcp_connection *self)
{
    close(self->watch.fd);
    media_tcp_gate_leave(self->gate, self->pass);
    free(self->out);
    free(self);
}

/* It is closed at the end of the round. */
static void break_off(struct media_tcp_connection *self)
{
    if (self->broken)
        return;
    self->broken = true;
    self->next_broken = self->thread->broken;
    self->thread->broken = self;
}

static void leave_viewer(struct media_tcp_connection *self)
{
    struct media_tcp_connection **link = &self->viewer->connections;
    while (*link != self)
        link = &(*link)->next_own;
    *link = self->next_own;
    if (self->viewer->carrier == self)
        self->viewer->carrier = NULL;
    self->viewer = NULL;
}

void media_tcp_sweep(struct media_thread *thread)
{
    while (thread->broken) {
        struct media_tcp_connection *self = thread->broken;
        thread->broken = self->next_broken;
        struct media_viewer *viewer = self->viewer;
        if (viewer)
            leave_viewer(self);
        if (viewer && !viewer->closed) {
            int64_t now_us = clock_now_us();
            rtc_session_forget(viewer->session, now_us, &self->remote);
            media_viewer_drain(viewer, now_us);
        }
        delist(self);
        connection_free(self);
    }
}

void media_tcp_drop_viewer(struct media_viewer *viewer)
{
    media_tcp_flush(viewer);
    while (viewer->connections) {
        struct media_tcp_connection *self = viewer->connections;
        leave_viewer(self);
        break_off(self);
    }
}

void media_tcp_close_all(struct media_thread *thread)
{
    for (struct media_tcp_connection *i = thread->connections; i; i = i->next)
        break_off(i);
    media_tcp_sweep(thread);
}

/* -- whose it is -- */

static void set_low_mark(int fd, int bytes)
{
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

static void on_identify_timeout(struct media_thread *thread, struct media_timer *timer,
                                int64_t now_us)
{
    (void)thread;
    (void)now_us;
    size_t offset = offsetof(struct media_tcp_connection, timer);
    break_off((struct media_tcp_connection *)(void *)((char *)timer - offset));
}

/* Reads the first packet without taking it, so that whoever it is for can read it. OW_EAGAIN: it is
 * not complete; until it is the descriptor stays silent. */
static int peek_ufrag(const struct media_tcp_connection *self, char *ufrag, size_t room)
{
    uint8_t data[STREAM_FRAME_HEADER_BYTES + STREAM_FRAME_MAX_BYTES];
    ssize_t size = recv(self->watch.fd, data, sizeof data, MSG_PEEK);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? OW_EAGAIN : OW_ECLOSED;
    if (size == 0)
        return OW_ECLOSED;
    if (size < STREAM_FRAME_HEADER_BYTES)
        return OW_EAGAIN;
    int packet_size = data[0] << 8 | data[1];
    if (packet_size == 0 || packet_size > STREAM_FRAME_MAX_BYTES)
        return OW_EPARSE;
    if (size < STREAM_FRAME_HEADER_BYTES + packet_size) {
        set_low_mark(self->watch.fd, STREAM_FRAME_HEADER_BYTES + packet_size);
        return OW_EAGAIN;
    }
    const uint8_t *packet = data + STREAM_FRAME_HEADER_BYTES;
    if (!ice_is_stun(packet, (size_t)packet_size))
        return OW_EPARSE;
    return ice_peek_local_ufrag(packet, (size_t)packet_size, ufrag, room);
}

static void become_viewers(struct media_tcp_connection *self, struct media_viewer *viewer)
{
    int count = 0;
    for (const struct media_tcp_connection *i = viewer->connections; i; i = i->next_own)
        count++;
    if (count >= MAX_PER_VIEWER || viewer->closed) {
        break_off(self);
        return;
    }
    self->viewer = viewer;
    self->next_own = viewer->connections;
    viewer->connections = self;
    media_timer_set(self->thread, &self->timer, INT64_MAX);
    media_tcp_gate_know(self->gate, self->pass);
    set_low_mark(self->watch.fd, 1);
    self->watch.ready = on_ready;
    on_ready(self->thread, &self->watch, EPOLLIN);
}

static void run_adopt(struct media_thread *thread, void *argument)
{
    struct media_tcp_connection *self = argument;
    if (thread->quit) {
        connection_free(self);
        return;
    }
    enlist(thread, self);
    media_timer_set(thread, &self->timer, clock_now_us() + IDENTIFY_US);
    if (media_thread_watch(thread, &self->watch, EPOLLIN) != OW_OK)
        break_off(self);
}

static void move_to(struct media_tcp_connection *self, struct media_thread *owner)
{
    delist(self);
    if (media_thread_post(owner, run_adopt, self) != OW_OK)
        connection_free(self);
}

static void on_stranger(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    (void)events;
    struct media_tcp_connection *self = (struct media_tcp_connection *)watch;
    char ufrag[SDP_UFRAG_BYTES];
    if (self->broken)
        return;
    int rc = peek_ufrag(self, ufrag, sizeof ufrag);
    if (rc == OW_EAGAIN)
        return;
    if (rc != OW_OK) {
        break_off(self);
        return;
    }
    struct media_viewer *viewer = media_routes_by_ufrag(thread->routes, ufrag);
    struct media_thread *owner = viewer ? thread : media_viewer_thread(thread->server, ufrag);
    if (!owner || (!viewer && owner == thread))
        break_off(self);
    else if (viewer)
        become_viewers(self, viewer);
    else
        move_to(self, owner);
}

/* -- inwards -- */

/* Takes the packets out of the bytes; false = close it. */
static bool take_packets(struct media_tcp_connection *self, const uint8_t *data, size_t size)
{
    int64_t now_us = clock_now_us();
    for (;;) {
        const uint8_t *packet;
        size_t packet_size;
        int rc = stream_frame_read(&self->reader, &data, &size, &packet, &packet_size);
        if (rc != OW_OK)
            return rc == OW_EAGAIN;
        media_viewer_input(self->viewer, &self->remote, packet, packet_size, now_us);
        if (self->viewer->closed)
            return true;
    }
}

static void read_some(struct media_tcp_connection *self)
{
    uint8_t data[READ_BYTES];
    for (int i = 0; i < READS && !self->broken; i++) {
        ssize_t size = recv(self->watch.fd, data, sizeof data, 0);
        if (size > 0 && take_packets(self, data, (size_t)size)) {
            if ((size_t)size < sizeof data)
                return;
            continue;
        }
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        break_off(self);
    }
}

/* -- outwards -- */

static bool make_room(struct media_tcp_connection *self, size_t size)
{
    if (self->filled + size <= self->out_room)
        return true;
    size_t waiting = self->filled - self->sent;
    if (self->sent > 0 && waiting + size <= self->out_room) {
        memmove(self->out, self->out + self->sent, waiting);
    } else {
        size_t room = self->out_room ? self->out_room : FIRST_OUT_BYTES;
        while (room < waiting + size)
            room *= 2;
        if (room > MAX_OUT_BYTES)
            return false;
        uint8_t *out = malloc(room);
        if (!out)
            return false;
        if (waiting > 0)
            memcpy(out, self->out + self->sent, waiting);
        free(self->out);
        self->out = out;
        self->out_room = room;
    }
    self->sent = 0;
    self->filled = waiting;
    return true;
}

static void watch_for(struct media_tcp_connection *self, bool waiting)
{
    if (waiting == self->waiting)
        return;
    self->waiting = waiting;
    uint32_t events = waiting ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (media_thread_watch(self->thread, &self->watch, events) != OW_OK)
        break_off(self);
}

static void write_some(struct media_tcp_connection *self)
{
    while (self->sent < self->filled && !self->broken) {
        ssize_t size = send(self->watch.fd, self->out + self->sent, self->filled - self->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size > 0) {
            self->sent += (size_t)size;
        } else if (size < 0 && errno == EINTR) {
            continue;
        } else if (size < 0 && errno == EAGAIN) {
            watch_for(self, true);
            return;
        } else {
            break_off(self);
        }
    }
    if (self->sent == self->filled) {
        self->sent = self->filled = 0;
        watch_for(self, false);
    }
}

static void on_ready(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    (void)thread;
    struct media_tcp_connection *self = (struct media_tcp_connection *)watch;
    if (self->broken)
        return;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_some(self);
    if (events & EPOLLOUT && !self->broken)
        write_some(self);
}

void media_tcp_send(struct media_viewer *viewer, const struct address *to, const uint8_t *data,
                    size_t size)
{
    struct media_tcp_connection *self = viewer->connections;
    while (self && !address_equal(&self->remote, to))
        self = self->next_own;
    if (!self || self->broken)
        return;
    if (!ice_is_stun(data, size))
        viewer->carrier = self;
    size_t written;
    if (!make_room(self, STREAM_FRAME_HEADER_BYTES + size) ||
        stream_frame_write(self->out + self->filled, self->out_room - self->filled, data, size,
                           &written) != OW_OK) {
        self->overflowed = true;
        return;
    }
    self->filled += written;
}

void media_tcp_flush(struct media_viewer *viewer)
{
    for (struct media_tcp_connection *i = viewer->connections; i; i = i->next_own)
        if (i->filled > i->sent && !i->waiting)
            write_some(i);
}

bool media_tcp_admits(struct media_viewer *viewer, const struct rtp_frame *frame, int64_t now_us)
{
    struct media_tcp_connection *self = viewer->carrier;
    if (!self)
        return true;
    size_t waiting = self->filled - self->sent;
    size_t most = (size_t)((int64_t)viewer->seat.place.target_bps / 8 * BEHIND_US / 1000000);
    if (self->overflowed || waiting > (most > BEHIND_BYTES ? most : BEHIND_BYTES))
        viewer->skip_to_key = true;
    if (!viewer->skip_to_key)
        return true;
    if (waiting > CAUGHT_UP_BYTES)
        return false;
    self->overflowed = false;
    if (frame->key) {
        viewer->skip_to_key = false;
        return true;
    }
    media_part_ask_key(viewer->part, viewer->seat.shown, now_us, false);
    return false;
}

/* -- the listener -- */

struct media_tcp_listener {
    struct media_watch watch; /* first: the loop gives it back */
    struct media_timer timer;
    struct media_thread *thread;
    struct media_tcp_gate *gate;
};

enum {
    ACCEPTS = 16,
    BACKLOG = 128,
    /* Without descriptors to spare the listener would be ready for ever. */
    PAUSE_US = 1000 * 1000,
};

static void prepare(int fd)
{
    int on = 1, not_sent = NOT_SENT_BYTES, timeout = USER_TIMEOUT_MS, traffic_class = DSCP_AF41;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &not_sent, sizeof not_sent);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
    set_low_mark(fd, STREAM_FRAME_HEADER_BYTES);
}

static void welcome(struct media_tcp_listener *listener, int fd,
                    const struct sockaddr_storage *name)
{
    struct address remote;
    address_from_sockaddr(&remote, name);
    remote.transport = ADDRESS_TCP;
    int pass = media_tcp_gate_enter(listener->gate, &remote);
    struct media_tcp_connection *self = pass < 0 ? NULL : calloc(1, sizeof *self);
    if (!self) {
        if (pass >= 0)
            media_tcp_gate_leave(listener->gate, pass);
        close(fd);
        return;
    }
    prepare(fd);
    self->watch = (struct media_watch){fd, on_stranger};
    self->timer.fire = on_identify_timeout;
    self->gate = listener->gate;
    self->pass = pass;
    self->remote = remote;
    enlist(listener->thread, self);
    media_timer_set(listener->thread, &self->timer, clock_now_us() + IDENTIFY_US);
    if (media_thread_watch(listener->thread, &self->watch, EPOLLIN) != OW_OK)
        break_off(self);
}

static void on_resume(struct media_thread *thread, struct media_timer *timer, int64_t now_us)
{
    size_t offset = offsetof(struct media_tcp_listener, timer);
    struct media_tcp_listener *listener =
        (struct media_tcp_listener *)(void *)((char *)timer - offset);
    if (media_thread_watch(thread, &listener->watch, EPOLLIN) != OW_OK)
        media_timer_set(thread, &listener->timer, now_us + PAUSE_US);
}

static void on_accept(struct media_thread *thread, struct media_watch *watch, uint32_t events)
{
    (void)events;
    struct media_tcp_listener *listener = (struct media_tcp_listener *)watch;
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage name = {0};
        socklen_t size = sizeof name;
        int fd = accept4(watch->fd, (struct sockaddr *)&name, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(listener, fd, &name);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            media_thread_unwatch(thread, watch);
            media_timer_set(thread, &listener->timer, clock_now_us() + PAUSE_US);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static int bind_listener(const char *bind_address, uint16_t port)
{
    struct address address = {.family = ADDRESS_IPV6, .port = port};
    int families[2] = {AF_INET6, AF_INET}, on = 1, off = 0;
    if (bind_address && address_parse(&address, bind_address, port) != OW_OK)
        return -1;
    for (int i = 0; i < 2; i++) {
        if (families[i] == AF_INET && !bind_address)
            address.family = ADDRESS_IPV4;
        if (families[i] == AF_INET && address.family != ADDRESS_IPV4)
            return -1;
        int fd = socket(families[i], SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        struct sockaddr_storage name;
        socklen_t size;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (families[i] == AF_INET6)
            (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        address_to_sockaddr(&address, families[i] == AF_INET6, &name, &size);
        if (bind(fd, (struct sockaddr *)&name, size) == 0 && listen(fd, BACKLOG) == 0)
            return fd;
        int error = errno;
        close(fd);
        errno = error;
        if (error == EADDRINUSE)
            return -1;
    }
    return -1;
}

int media_tcp_listen(struct media_tcp_listener **out, struct media_thread *thread,
                     const char *bind_address, uint16_t port, struct reason *why)
{
    struct media_tcp_listener *self = calloc(1, sizeof *self);
    if (!self)
        return reason_set(why, OW_ENOMEM, "Out of memory.");
    self->thread = thread;
    self->timer.fire = on_resume;
    self->watch = (struct media_watch){bind_listener(bind_address, port), on_accept};
    if (self->watch.fd < 0) {
        int rc = errno == EADDRINUSE ? OW_EEXISTS : OW_EIO;
        free(self);
        return reason_set(why, rc, "TCP port %u cannot be opened: %s.", port, strerror(errno));
    }
    if (media_tcp_gate_create(&self->gate) != OW_OK ||
        media_thread_watch(thread, &self->watch, EPOLLIN) != OW_OK) {
        media_tcp_listener_destroy(&self);
        return reason_set(why, OW_EIO, "TCP port %u cannot be watched.", port);
    }
    *out = self;
    return OW_OK;
}

void media_tcp_listener_destroy(struct media_tcp_listener **listener)
{
    if (!*listener)
        return;
    close((*listener)->watch.fd);
    media_tcp_gate_destroy(&(*listener)->gate);
    free(*listener);
    *listener = NULL;
}
