/* A network thread of the media port: its loop, its socket, its deadlines and the viewers that it
 * owns. What a thread owns it alone touches; others have it run functions (media_thread_call,
 * media_thread_post), hand it datagrams (media_handover.h) and put frames into its streams. */
#ifndef OW_NET_MEDIA_THREAD_H
#define OW_NET_MEDIA_THREAD_H

#include "net/media_handover.h"
#include "net/media_routes.h"
#include "net/media_socket.h"
#include "net/send_meter.h"
#include "net/time_wheel.h"

#include <pthread.h>
#include <stdatomic.h>

struct media_part;
struct media_server;
struct media_thread;

enum { MEDIA_MAX_THREADS = 8 };

/* A descriptor that the loop watches; embedded in what owns it. */
struct media_watch {
    int fd;
    void (*ready)(struct media_thread *thread, struct media_watch *watch, uint32_t events);
};

/* A deadline; embedded in what owns it. The entry comes first. */
struct media_timer {
    struct time_wheel_entry entry;
    void (*fire)(struct media_thread *thread, struct media_timer *timer, int64_t now_us);
};

typedef void media_run(struct media_thread *thread, void *argument);

struct media_call {
    struct media_call *next;
    media_run *run;
    void *argument;
    bool posted; /* nobody waits: the call is freed by who ran it */
    bool done;
};

struct media_thread {
    struct media_server *server;
    int index;
    struct media_socket *socket;
    struct media_routes *routes; /* to its own viewers */
    struct time_wheel wheel;
    int64_t armed_us;  /* what the timer stands at, INT64_MAX = nothing */
    int64_t looked_us; /* when the wheel was looked at last */
    int epoll_fd;
    struct media_watch wake, timer, udp;
    pthread_t id;
    bool started, quit;

    struct media_part *parts;    /* of all streams */
    struct media_viewer *closed; /* to be freed at the end of the round */
    struct media_tcp_connection *connections, *broken;
    atomic_int viewer_count; /* for who chooses a thread */
    struct send_meter meter;

    atomic_bool woken;
    struct media_handover *from[MEDIA_MAX_THREADS]; /* written by that thread */
    pthread_mutex_t lock;                           /* guards the list of calls */
    pthread_cond_t call_done;
    struct media_call *calls, **calls_end;
};

/* Makes all but the socket, which is there before. OW_ENOMEM, OW_EIO with a sentence. */
int media_thread_create(struct media_thread **out, struct media_server *server, int index,
                        struct media_socket *socket, struct reason *why);
int media_thread_start(struct media_thread *thread);
/* Waits for its end, after thread->quit was set by a call. */
void media_thread_join(struct media_thread *thread);
/* Frees it with its socket; it has been joined or was never started. */
void media_thread_destroy(struct media_thread **thread);

/* Runs a function on the thread and waits for its end. Any thread. */
void media_thread_call(struct media_thread *thread, media_run *run, void *argument);
/* The same without waiting; OW_ENOMEM. */
int media_thread_post(struct media_thread *thread, media_run *run, void *argument);
void media_thread_wake(struct media_thread *thread);
/* A datagram for another thread; dropped when that one cannot keep up. */
void media_thread_hand_over(struct media_thread *from, struct media_thread *to,
                            enum media_handover_kind kind, const struct address *peer,
                            const uint8_t *data, size_t size);
/* Takes in what waits at the socket, a bounded number of datagrams: to be called in long work. */
void media_thread_receive(struct media_thread *thread);

/* OW_EIO. */
int media_thread_watch(struct media_thread *thread, struct media_watch *watch, uint32_t events);
void media_thread_unwatch(struct media_thread *thread, const struct media_watch *watch);
/* INT64_MAX = never. */
void media_timer_set(struct media_thread *thread, struct media_timer *timer, int64_t due_us);

#endif
