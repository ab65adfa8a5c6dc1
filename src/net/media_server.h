/* The media port: one UDP port for all viewers, and one or a few network threads, each with a
 * socket on it and sessions of its own.
 *
 * Streams are fan-out points: what is published on a stream goes to each of its viewers. All
 * functions may be called from any thread that is none of these; they hand over to a network thread
 * and never block it. Publishing never blocks the caller. Callbacks run on a network thread, one at
 * a time per stream, must be quick and call nothing of this header. */
#ifndef OW_NET_MEDIA_SERVER_H
#define OW_NET_MEDIA_SERVER_H

#include "core/address.h"
#include "core/encoded.h"
#include "core/error.h"
#include "core/rendition.h"
#include "net/ladder.h"
#include "net/send_meter.h"
#include "rtc/session.h"

struct media_server;
struct media_stream;

struct media_server_settings {
    uint16_t port;            /* UDP; 0 = one that is free for TCP, too */
    const char *bind_address; /* NULL = all addresses, or loopback only with loopback_only */
    bool loopback_only;
    const char *public_address; /* 1:1 NAT and containers; NULL = none */
    unsigned codecs;            /* that viewers may be sent: 1 << enum video_codec …, 0 = all */
    bool ice_lite;
    int max_sessions;           /* 0 = 4096 */
    int max_unconnected_per_ip; /* 0 = 32 */
    bool no_tcp;                /* no ICE-TCP on the media port's number */
    int threads;                /* network threads, at most 8; 0 = half as many as cores */
    /* "stun:host[:port]": asked for this machine's address behind a NAT. NULL = none. */
    const char *stun_url;
    /* "turn:host[:port][?transport=udp|tcp]" or "turns:…": a relay for this server, for the case
     * that nobody can reach it directly. NULL = none. Either name and password, or the secret that
     * the TURN server shares (time-limited credentials, draft-uberti-behave-turn-rest-00). */
    const char *turn_url, *turn_username, *turn_password, *turn_secret;
    const char *turn_ca_file; /* PEM, who vouches for a "turns:" server; NULL = the system's */
};

/* A port already taken: OW_EEXISTS with a `why` that names the port and the option. */
int media_server_start(struct media_server **out, const struct media_server_settings *settings,
                       struct reason *why);
uint16_t media_server_port(const struct media_server *server);
void media_server_stop(struct media_server **server); /* viewers are told; within 1 s */

struct media_stream_callbacks {
    void *context;
    /* Of a track (core/rendition.h); shared by its viewers and throttled: one per 300 ms. */
    void (*key_frame_wanted)(void *context, int track);
    /* What a track is to be encoded at from now on; told only when it changed. */
    void (*plan)(void *context, int track, const struct rendition_plan *plan);
    /* A frame of a track that has one viewer and is encoded before `until_us` would only wait. */
    void (*hold)(void *context, int track, int64_t until_us);
    /* Are records of pictures wanted without a picture: media_stream_publish_record()? */
    void (*records)(void *context, bool wanted);
    void (*viewers)(void *context, int count); /* of all tracks, connected or connecting */
};

struct media_stream_settings {
    const char *id;                /* node id; copied */
    struct ladder_settings ladder; /* rates, and the renditions that there may be */
    struct media_stream_callbacks callbacks;
};

int media_stream_create(struct media_stream **out, struct media_server *server,
                        const struct media_stream_settings *settings);
/* Other rates and renditions, for those who watch, too, without a pause. */
void media_stream_configure(struct media_stream *stream, const struct ladder_settings *ladder);
/* Takes its own reference. Access units of a track arrive at its viewers in the order published. */
void media_stream_publish(struct media_stream *stream, int track, struct encoded *unit);
/* What is known of a picture, for viewers whose path takes no video. Takes its own reference. */
void media_stream_publish_record(struct media_stream *stream, struct metadata *record);
/* Closes its viewers; after return no callback runs any more. */
void media_stream_destroy(struct media_stream **stream);

struct media_answer {
    char *sdp;           /* malloc'ed, owned by the caller */
    char session_id[33]; /* hexadecimal, unguessable */
    uint32_t rtp_offset; /* rtc_session_rtp_offset() */
};

/* Creates a viewer. `via` is the local address by which the browser reached the HTTP port (family
 * ADDRESS_NONE = unknown): it becomes a candidate too. `from` is the browser's address, for limits.
 */
int media_server_offer(struct media_server *server, const char *stream_id, const char *offer,
                       size_t offer_size, const struct address *via, const struct address *from,
                       struct media_answer *out, struct reason *why);

/* Trickle ICE and ICE restart: rtc_session_trickle(). OW_ENOTFOUND when there is no such session.
 */
int media_server_trickle(struct media_server *server, const char *session_id, const char *fragment,
                         size_t size, char **out, struct reason *why);

/* How far a connection has come: for who helps somebody whose connection does not come about. Those
 * that ended stay known for a while. OW_ENOTFOUND. */
struct media_session_status {
    char stream_id[128];
    enum rtc_step step;
    bool closed;
    char text[160]; /* why it was closed; "" while open */
};
int media_server_session_status(struct media_server *server, const char *session_id,
                                struct media_session_status *out);

/* Where this server can be reached, as it knows by now (gathered at start and kept fresh). Returns
 * how many were written. */
int media_server_candidates(struct media_server *server, struct sdp_candidate *out, int max);

/* OW_ENOTFOUND when there is no such session. */
int media_server_close_session(struct media_server *server, const char *session_id);
/* Closes all viewers of a stream (NULL = of all streams); returns how many. */
int media_server_close_viewers(struct media_server *server, const char *stream_id);

struct media_viewer_info {
    char stream_id[128], session_id[33];
    int64_t connected_us; /* clock_now_us() base, 0 = not connected yet */
    int track;            /* the rendition that it is shown; -1 = none, but vectors */
    struct rtc_session_stats stats;
};
/* Copies at most `max` entries; returns how many viewers there are. */
int media_server_viewers(struct media_server *server, struct media_viewer_info *out, int max);
/* There are never more. */
int media_server_max_viewers(const struct media_server *server);
/* One viewer, by its session. OW_ENOTFOUND when there is none (any more). */
int media_server_viewer(struct media_server *server, const char *session_id,
                        struct media_viewer_info *out);
/* What all connected viewers were sent (access units: without packets' headers and repetition). */
void media_server_figures(struct media_server *server, struct send_figures *out);

#endif
