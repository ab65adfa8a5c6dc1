/* What the files of the media server share. Everything here belongs to the media thread, except
 * where a lock is named. */
#ifndef OW_NET_MEDIA_INTERNAL_H
#define OW_NET_MEDIA_INTERNAL_H

#include "net/media_routes.h"
#include "net/media_server.h"
#include "net/media_socket.h"
#include "net/send_meter.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    STREAM_ID_BYTES = 128,
    SESSION_ID_BYTES = 33,
    STREAM_MAX_PENDING = 8, /* units not yet fanned out before all up to a key frame go */
};

struct media_viewer {
    struct media_viewer *next; /* of its stream */
    struct media_stream *stream;
    struct rtc_session *session;
    char id[SESSION_ID_BYTES];
    struct address from;
    int64_t created_us, connected_us;
    struct ladder_viewer place;
    bool closed, close_asked;
};

struct media_stream {
    struct media_stream *next;
    struct media_server *server;
    char id[STREAM_ID_BYTES];
    struct ladder ladders[VIDEO_CODECS];
    struct media_stream_callbacks callbacks;

    struct media_viewer *viewers;
    int viewer_count;
    int told_viewers;
    struct rendition_plan told[RENDITION_TRACKS];
    int64_t key_asked_us; /* 0 = never */
    bool key_outstanding; /* asked for, and no key frame has come since */
    bool key_again;       /* asked for once more inside the pause */

    pthread_mutex_t lock;                        /* guards the three below */
    struct encoded *pending[STREAM_MAX_PENDING]; /* of track 0 */
    int pending_count;
    bool skip_to_key;
};

/* A function that another thread has the media thread run; it waits for its end. */
struct media_call {
    struct media_call *next;
    void (*run)(struct media_server *server, void *argument);
    void *argument;
    bool done;
};

struct media_server {
    struct media_server_settings settings;
    bool has_public;
    struct address public_address, bind_address;
    struct media_socket *socket;
    struct media_routes *routes;
    struct dtls_identity *identity;
    struct random_source random;
    int epoll_fd, wake_fd, timer_fd;
    pthread_t thread;
    bool quit;
    atomic_bool woken;

    pthread_mutex_t lock; /* guards the list of calls */
    pthread_cond_t call_done;
    struct media_call *calls, **calls_end;

    struct media_stream *streams;
    int viewer_count;
    struct send_meter meter;
    int64_t armed_us; /* what the timer stands at, INT64_MAX = nothing */
};

/* media_server.c */
void media_server_run_call(struct media_server *server,
                           void (*run)(struct media_server *server, void *argument),
                           void *argument);
void media_server_wake(struct media_server *server);

/* media_stream.c */
struct media_stream *media_stream_find(struct media_server *server, const char *id);
/* Fans out what was published. */
void media_stream_work(struct media_stream *stream, int64_t now_us);
/* `urgent`: a viewer has just connected and shall not wait for the pause to end. */
void media_stream_ask_key_frame(struct media_stream *stream, int64_t now_us, bool urgent);
/* The trailing request of the pause; and what changed about viewers and targets is told. */
void media_stream_tick(struct media_stream *stream, int64_t now_us);
int64_t media_stream_deadline(const struct media_stream *stream);

/* media_viewer.c */
int media_viewer_create(struct media_stream *stream, const char *offer, size_t offer_size,
                        const struct address *via, const struct address *from,
                        struct media_answer *out, struct reason *why);
/* Drains a session's outputs after it was touched. */
void media_viewer_drain(struct media_viewer *viewer, int64_t now_us);
void media_viewer_receive(struct media_server *server, const struct media_datagram *datagram,
                          int64_t now_us);
void media_viewer_tick(struct media_viewer *viewer, int64_t now_us);
int64_t media_viewer_deadline(const struct media_viewer *viewer);
void media_viewer_close(struct media_viewer *viewer, int64_t now_us, const char *reason);
/* Frees the closed viewers of a stream. */
void media_viewers_sweep(struct media_stream *stream);

#endif
