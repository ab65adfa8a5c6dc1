/* What the files of the media server share. */
#ifndef OW_NET_MEDIA_INTERNAL_H
#define OW_NET_MEDIA_INTERNAL_H

#include "net/media_candidates.h"
#include "net/media_server.h"
#include "net/media_sessions.h"
#include "net/media_thread.h"
#include "net/media_tracks.h"
#include "rtc/rtp_payload.h"

enum {
    STREAM_ID_BYTES = 128,
    STREAM_MAX_PENDING = 16, /* frames not yet fanned out before all up to a key frame go */
};

/* Viewers in no order; each knows its place. */
struct media_viewer_set {
    struct media_viewer **items;
    int count, room;
};

/* A viewer belongs to one thread. */
struct media_viewer {
    struct media_timer timer;          /* first, see media_timer */
    struct media_viewer *next, **link; /* of its part: all viewers */
    struct media_viewer *next_closed;
    struct media_thread *thread;
    struct media_part *part;
    struct rtc_session *session;
    char id[MEDIA_SESSION_ID_BYTES];
    int64_t created_us, connected_us;
    bool closed, close_asked;
    char close_text[160];
    struct media_seat seat;                   /* once connected */
    bool vector;                              /* its path takes no video: to be parked */
    int target_bps;                           /* that its path takes; 0 = not told yet */
    int shown_at, waiting_at, parked_at;      /* places in the sets of the part; -1 = in none */
    int waiting_for;                          /* track */
    struct media_tcp_connection *connections; /* by TCP */
    struct media_tcp_connection *carrier;     /* that the last media went by, NULL = none */
    bool skip_to_key; /* the carrier was behind: frames are left out up to a key frame */
    int64_t flood_us; /* start of the interval in which datagrams are counted */
    int flood_count;
};

/* The viewers of a stream that one thread has. */
struct media_part {
    struct media_timer timer; /* first, see media_timer */
    struct media_part *next;  /* of its thread */
    struct media_thread *thread;
    struct media_stream *stream;
    struct media_viewer *viewers;
    struct media_viewer_set shown[RENDITION_TRACKS];   /* sent this track */
    struct media_viewer_set waiting[RENDITION_TRACKS]; /* for a key frame of this track */
    struct media_viewer_set parked;                    /* sent records alone */
    int64_t review_us;                                 /* next, INT64_MAX = no viewers */
    atomic_int connected;                              /* viewers that want frames */

    pthread_mutex_t lock; /* guards the rest */
    struct media_item {
        struct rtp_frame *frame; /* own reference */
        int track;
        size_t unit_bytes;
    } pending[STREAM_MAX_PENDING];
    int pending_count;
    uint32_t skip_to_key;    /* tracks, as bits */
    struct metadata *record; /* the newest, not yet fanned out; own reference, NULL = none */
};

struct media_stream {
    struct media_stream *next; /* of the server, behind its lock */
    struct media_server *server;
    char id[STREAM_ID_BYTES];
    struct ladder_settings ladder;
    struct media_tracks tracks;
    struct media_part *parts[MEDIA_MAX_THREADS];
};

struct media_server {
    struct media_server_settings settings;
    struct media_sessions *sessions;
    struct media_candidates *candidates;
    struct dtls_identity *identity;
    struct random_source random; /* the system's: has no state */
    uint16_t port;
    int thread_count;
    struct media_thread *threads[MEDIA_MAX_THREADS];

    struct media_tcp_listener *listener; /* NULL = no TCP */
    struct media_reflexive *reflexive;   /* of the first thread; NULL = no STUN server */
    struct media_relay *relay;           /* of the first thread; NULL = no TURN server */

    pthread_rwlock_t routes_lock; /* guards the next one */
    struct media_routes *routes;  /* to all viewers; with one thread there is none */
    pthread_mutex_t lock;         /* guards the list of streams */
    struct media_stream *streams;
};

/* media_server.c: tells all sessions of candidates that were found after their answers. On a
 * network thread. */
void media_server_offer_candidates(struct media_server *server);

/* media_stream.c */
/* The thread's part of a stream, NULL = there is no such stream. */
struct media_part *media_part_find(struct media_thread *thread, const char *id);
/* Fans out what was published. */
void media_part_work(struct media_part *part);
void media_part_ask_key(struct media_part *part, int track, int64_t now_us, bool urgent);
/* Its viewer is connected; or wants another track; or is gone. OW_ENOMEM. */
int media_part_seat(struct media_part *part, struct media_viewer *viewer, int64_t now_us);
void media_part_follow(struct media_part *part, struct media_viewer *viewer, int64_t now_us);
void media_part_unseat(struct media_part *part, struct media_viewer *viewer);

/* media_viewer.c */
/* Takes over a session that was just made, on the thread that is to own it. OW_ENOMEM; then the
 * session is still the caller's. */
int media_viewer_create(struct media_viewer **out, struct media_part *part, const char *id,
                        struct rtc_session *session, int64_t now_us);
/* Drains a session's outputs after it was touched. */
void media_viewer_drain(struct media_viewer *viewer, int64_t now_us);
/* A datagram from wherever; handed over when another thread has its viewer, unless it was already.
 */
void media_viewer_receive(struct media_thread *thread, const struct address *from,
                          const uint8_t *data, size_t size, int64_t now_us, bool handed_over);
/* A datagram for a viewer, on its thread. */
void media_viewer_input(struct media_viewer *viewer, const struct address *from,
                        const uint8_t *data, size_t size, int64_t now_us);
/* The thread that has the viewer of a local user fragment, NULL = there is none. */
struct media_thread *media_viewer_thread(struct media_server *server, const char *ufrag);
/* After a restart the session has another fragment. OW_ENOMEM. */
int media_viewer_add_ufrag(struct media_viewer *viewer);
void media_viewer_close(struct media_viewer *viewer, int64_t now_us, const char *reason);
/* Frees the viewers of a thread that were closed. */
void media_viewers_sweep(struct media_thread *thread);

#endif
