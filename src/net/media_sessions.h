/* The register of sessions: which thread has a session, how many there are, and what became of
 * those that ended. Any thread; behind a lock of its own, which is never held while another is
 * taken. */
#ifndef OW_NET_MEDIA_SESSIONS_H
#define OW_NET_MEDIA_SESSIONS_H

#include "net/media_server.h"

struct media_sessions;
struct media_viewer;

enum { MEDIA_SESSION_ID_BYTES = 33, MEDIA_SESSIONS_REMEMBERED = 128 };

struct media_session_limits {
    int sessions, unconnected_per_ip;
};

int media_sessions_create(struct media_sessions **out, const struct media_session_limits *limits);
void media_sessions_destroy(struct media_sessions **sessions);

/* Takes a place under a new unguessable id, or says that a limit is reached (OW_ELIMIT with a
 * sentence); OW_ENOMEM. `from` NULL or ADDRESS_NONE = not known, not limited. */
int media_sessions_open(struct media_sessions *sessions, const struct address *from,
                        char id[MEDIA_SESSION_ID_BYTES], struct reason *why);
/* It is served by thread number `thread` from now on, as `viewer`. */
void media_sessions_assign(struct media_sessions *sessions, const char *id, int thread,
                           struct media_viewer *viewer);
/* It counts as unconnected no longer. */
void media_sessions_connected(struct media_sessions *sessions, const char *id);
/* It ended; `last` says how and is remembered for a while. NULL = it never began. */
void media_sessions_close(struct media_sessions *sessions, const char *id,
                          const struct media_session_status *last);

/* The thread of an open session, -1 = there is none. */
int media_sessions_thread(struct media_sessions *sessions, const char *id);
/* For that thread alone: others may see it freed. NULL = there is none any more. */
struct media_viewer *media_sessions_viewer(struct media_sessions *sessions, const char *id);
/* What is remembered of a session that ended. OW_ENOTFOUND. */
int media_sessions_last(struct media_sessions *sessions, const char *id,
                        struct media_session_status *out);

#endif
