/* The entity tags of the WHEP sessions: which ICE session of each is the present one. Used by the
 * HTTP thread alone. */
#ifndef OW_API_WHEP_SESSIONS_H
#define OW_API_WHEP_SESSIONS_H

#include "net/media_server.h"

enum { WHEP_TAG_BYTES = 64 };

struct whep_sessions {
    struct whep_session *entries;
    size_t count, room;
};

/* Remembers, or replaces, the tag of a session, forgetting sessions that have ended. OW_ENOMEM. */
int whep_sessions_put(struct whep_sessions *sessions, struct media_server *media,
                      const char *session_id, const char *tag);
/* NULL = unknown; lent until the next call. */
const char *whep_sessions_tag(const struct whep_sessions *sessions, const char *session_id);
void whep_sessions_remove(struct whep_sessions *sessions, const char *session_id);
void whep_sessions_free(struct whep_sessions *sessions);

/* The tag of an ICE session: the server's user fragment, which each of them has anew, from an
 * answer or a fragment, in quotes as a field wants it. OW_ENOTFOUND when it has none. */
int whep_tag_of(const char *sdp, char tag[WHEP_TAG_BYTES]);

#endif
