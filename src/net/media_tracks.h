/* What the viewers of a stream want of its encoders: the ladder of each codec, the plan and the key
 * frames of each track. Here the network threads meet, so everything is behind one lock; none of it
 * is done per packet. Callbacks are called with the lock held, one at a time. */
#ifndef OW_NET_MEDIA_TRACKS_H
#define OW_NET_MEDIA_TRACKS_H

#include "net/ladder.h"
#include "net/media_server.h"

#include <pthread.h>

/* A connected viewer. Only the thread that owns the viewer calls for it, and may read `shown` and
 * `place.rung` without the lock. */
struct media_seat {
    struct ladder_viewer place;
    enum video_codec codec;
    bool parked; /* its path takes no video: it has no place, and wants no track */
    int shown;   /* the track that it is sent */
    int index;   /* in the table of seats */
};

struct media_track {
    struct rendition_plan told;
    int staying;   /* viewers that are sent it until the key frame of another comes */
    int least_bps; /* of its viewers' targets; may be too low while `stale` */
    bool stale;
    int64_t key_asked_us; /* 0 = never */
    bool key_outstanding; /* asked for, and no key frame has come since */
    int64_t key_due_us;   /* asked for inside the pause: to be asked for then; 0 = not */
};

struct media_tracks {
    pthread_mutex_t lock;
    struct media_stream_callbacks callbacks;
    struct ladder ladders[VIDEO_CODECS];
    struct media_track tracks[RENDITION_TRACKS];
    int connecting[VIDEO_CODECS];
    int viewers; /* connected or connecting */
    int parked;  /* of these */
    struct media_seat **seats;
    int seat_count, seat_room;
};

enum {
    MEDIA_KEY_FRAME_PAUSE_US = 300 * 1000,  /* between two key frames of a track */
    MEDIA_KEY_FRAME_URGENT_US = 100 * 1000, /* the same for who has no picture yet */
    MEDIA_REVIEW_US = 100 * 1000,
};

void media_tracks_init(struct media_tracks *tracks, const struct ladder_settings *ladder,
                       const struct media_stream_callbacks *callbacks);
/* Other rates and renditions, from the next review of each viewer on. */
void media_tracks_configure(struct media_tracks *tracks, const struct ladder_settings *ladder);
/* No callback runs after this. */
void media_tracks_silence(struct media_tracks *tracks);
void media_tracks_free(struct media_tracks *tracks);

/* A viewer is connecting, or gives up: its encoder starts early, so that the first picture is there
 * at once. It has no say in what is encoded for others yet. */
void media_tracks_expect(struct media_tracks *tracks, enum video_codec codec);
void media_tracks_give_up(struct media_tracks *tracks, enum video_codec codec);
/* It is connected: takes the place on the ladder of seat->codec and is shown that track at once.
 * OW_ENOMEM; then it is as before. */
int media_tracks_join(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us);
/* A viewer that had joined is gone. */
void media_tracks_leave(struct media_tracks *tracks, struct media_seat *seat);

/* A viewer that had joined wants no video for now, only records; or video again, at the rate that
 * its path takes. OW_ENOMEM; then it stays parked. */
void media_tracks_park(struct media_tracks *tracks, struct media_seat *seat);
int media_tracks_unpark(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us,
                        int target_bps);

/* The track that a viewer is to be shown. Of the functions below, none does anything for one that
 * is parked. */
int media_seat_wanted(const struct media_seat *seat);
/* Its path takes target_bps now. True when it wants another track. */
bool media_tracks_set_target(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us,
                             int target_bps);
/* Every MEDIA_REVIEW_US. True when it wants another track. */
bool media_tracks_review(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us);
/* The key frame of the track that it wants is there: it is sent that from now on. */
void media_tracks_show(struct media_tracks *tracks, struct media_seat *seat);
/* A frame encoded before until_us would only wait, says a viewer's path. */
void media_tracks_hold(struct media_tracks *tracks, const struct media_seat *seat,
                       int64_t until_us);

/* Asks for a key frame, merged with what others ask for. `urgent`: a viewer has no picture yet, or
 * one that is too large for its path, and waits only the shorter pause. Follow it by a tick. */
void media_tracks_ask_key(struct media_tracks *tracks, int track, int64_t now_us, bool urgent);
void media_tracks_key_came(struct media_tracks *tracks, int track);
/* Asks for what had to wait for the end of the pause, and mends what review made stale. Returns
 * when to call again for a key frame's sake, INT64_MAX = not. */
int64_t media_tracks_tick(struct media_tracks *tracks, int64_t now_us);

#endif
