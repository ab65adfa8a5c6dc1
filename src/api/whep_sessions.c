#include "api/whep_sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct whep_session {
    char id[33], tag[WHEP_TAG_BYTES];
};

static struct whep_session *find(const struct whep_sessions *sessions, const char *session_id)
{
    for (size_t i = 0; i < sessions->count; i++)
        if (strcmp(sessions->entries[i].id, session_id) == 0)
            return &sessions->entries[i];
    return NULL;
}

static bool has_ended(struct media_server *media, const char *session_id)
{
    struct media_session_status status;
    return media_server_session_status(media, session_id, &status) != OW_OK || status.closed;
}

/* Viewers leave without a word, too: whoever is gone makes room before more is taken. */
static int make_room(struct whep_sessions *sessions, struct media_server *media)
{
    if (sessions->count < sessions->room)
        return OW_OK;
    for (size_t i = sessions->count; i-- > 0;)
        if (has_ended(media, sessions->entries[i].id))
            sessions->entries[i] = sessions->entries[--sessions->count];
    if (sessions->count < sessions->room / 2)
        return OW_OK;
    size_t room = sessions->room ? sessions->room * 2 : 64;
    struct whep_session *entries = realloc(sessions->entries, room * sizeof *entries);
    if (!entries)
        return sessions->count < sessions->room ? OW_OK : OW_ENOMEM;
    sessions->entries = entries;
    sessions->room = room;
    return OW_OK;
}

int whep_sessions_put(struct whep_sessions *sessions, struct media_server *media,
                      const char *session_id, const char *tag)
{
    struct whep_session *entry = find(sessions, session_id);
    if (!entry) {
        if (make_room(sessions, media) != OW_OK)
            return OW_ENOMEM;
        entry = &sessions->entries[sessions->count++];
        snprintf(entry->id, sizeof entry->id, "%s", session_id);
    }
    snprintf(entry->tag, sizeof entry->tag, "%s", tag);
    return OW_OK;
}

const char *whep_sessions_tag(const struct whep_sessions *sessions, const char *session_id)
{
    const struct whep_session *entry = find(sessions, session_id);
    return entry ? entry->tag : NULL;
}

void whep_sessions_remove(struct whep_sessions *sessions, const char *session_id)
{
    struct whep_session *entry = find(sessions, session_id);
    if (entry)
        *entry = sessions->entries[--sessions->count];
}

void whep_sessions_free(struct whep_sessions *sessions)
{
    free(sessions->entries);
    *sessions = (struct whep_sessions){0};
}

int whep_tag_of(const char *sdp, char tag[WHEP_TAG_BYTES])
{
    static const char name[] = "a=ice-ufrag:";
    const char *line = strstr(sdp, name);
    if (!line)
        return OW_ENOTFOUND;
    line += sizeof name - 1;
    size_t size = strcspn(line, "\r\n \"");
    if (size == 0 || size + 3 > WHEP_TAG_BYTES)
        return OW_ENOTFOUND;
    snprintf(tag, WHEP_TAG_BYTES, "\"%.*s\"", (int)size, line);
    return OW_OK;
}
