#include "net/media_tracks.h"

#include <stdlib.h>

enum { FEW = 8 /* so many seats are looked through at each change */ };

void media_tracks_init(struct media_tracks *tracks, const struct ladder_settings *ladder,
                       const struct media_stream_callbacks *callbacks)
{
    *tracks = (struct media_tracks){.callbacks = *callbacks};
    for (int i = 0; i < VIDEO_CODECS; i++)
        ladder_init(&tracks->ladders[i], ladder);
    pthread_mutex_init(&tracks->lock, NULL);
}

void media_tracks_silence(struct media_tracks *tracks)
{
    pthread_mutex_lock(&tracks->lock);
    tracks->callbacks = (struct media_stream_callbacks){0};
    pthread_mutex_unlock(&tracks->lock);
}

void media_tracks_free(struct media_tracks *tracks)
{
    pthread_mutex_destroy(&tracks->lock);
    free(tracks->seats);
    tracks->seats = NULL;
}

/* -- plans -- */

int media_seat_wanted(const struct media_seat *seat)
{
    return rendition_track(seat->codec, seat->place.rung);
}

static void find_least(struct media_tracks *tracks, int track)
{
    int least = 0;
    for (int i = 0; i < tracks->seat_count; i++) {
        const struct media_seat *seat = tracks->seats[i];
        if (media_seat_wanted(seat) == track && (least == 0 || seat->place.target_bps < least))
            least = seat->place.target_bps;
    }
    tracks->tracks[track].least_bps = least;
    tracks->tracks[track].stale = false;
}

/* A target of the track's viewers changed from `before` to `after`; 0 = there was or is none. With
 * thousands of viewers the exact least may wait for the next tick when it is rising; a fall is
 * known at once. */
static void note_target(struct media_tracks *tracks, int track, int before, int after)
{
    struct media_track *self = &tracks->tracks[track];
    if (after != 0 && (self->least_bps == 0 || after < self->least_bps))
        self->least_bps = after;
    else if (before != 0 && before <= self->least_bps)
        self->stale = true;
    if (self->stale && tracks->seat_count <= FEW)
        find_least(tracks, track);
}

static bool same_plan(const struct rendition_plan *a, const struct rendition_plan *b)
{
    return a->viewers == b->viewers && a->target_bps == b->target_bps &&
           a->width_part == b->width_part && a->max_fps == b->max_fps;
}

static int count_seated(const struct ladder *ladder)
{
    int count = 0;
    for (int i = 0; i < RENDITION_RUNGS; i++)
        count += ladder->viewers[i];
    return count;
}

static void make_plan(const struct media_tracks *tracks, int track, struct rendition_plan *plan)
{
    const struct media_track *self = &tracks->tracks[track];
    enum video_codec codec = rendition_codec(track);
    const struct ladder *ladder = &tracks->ladders[codec];
    int rung = rendition_rung(track);
    *plan = (struct rendition_plan){0};
    if (ladder->viewers[rung] > 0) {
        ladder_plan(ladder, rung, self->least_bps, plan);
        plan->viewers = ladder->viewers[rung];
    } else if (self->staying > 0) {
        *plan = self->told; /* as it was, for the few pictures until they have gone */
        plan->viewers = 0;
    } else if (rung == 0 && tracks->connecting[codec] > 0 && count_seated(ladder) == 0) {
        plan->viewers = tracks->connecting[codec];
        plan->target_bps = ladder->settings.start_bps;
    }
    plan->viewers += self->staying;
}

static void tell(struct media_tracks *tracks, enum video_codec codec)
{
    for (int rung = 0; rung < RENDITION_RUNGS; rung++) {
        int track = rendition_track(codec, rung);
        struct rendition_plan plan;
        make_plan(tracks, track, &plan);
        if (same_plan(&plan, &tracks->tracks[track].told))
            continue;
        tracks->tracks[track].told = plan;
        if (tracks->callbacks.plan)
            tracks->callbacks.plan(tracks->callbacks.context, track, &plan);
    }
}

static void count_viewers(struct media_tracks *tracks, int change)
{
    tracks->viewers += change;
    if (tracks->callbacks.viewers)
        tracks->callbacks.viewers(tracks->callbacks.context, tracks->viewers);
}

void media_tracks_configure(struct media_tracks *tracks, const struct ladder_settings *ladder)
{
    pthread_mutex_lock(&tracks->lock);
    for (int i = 0; i < VIDEO_CODECS; i++) {
        ladder_configure(&tracks->ladders[i], ladder);
        tell(tracks, (enum video_codec)i);
    }
    pthread_mutex_unlock(&tracks->lock);
}

/* -- viewers -- */

void media_tracks_expect(struct media_tracks *tracks, enum video_codec codec)
{
    pthread_mutex_lock(&tracks->lock);
    tracks->connecting[codec]++;
    tell(tracks, codec);
    count_viewers(tracks, 1);
    pthread_mutex_unlock(&tracks->lock);
}

void media_tracks_give_up(struct media_tracks *tracks, enum video_codec codec)
{
    pthread_mutex_lock(&tracks->lock);
    tracks->connecting[codec]--;
    tell(tracks, codec);
    count_viewers(tracks, -1);
    pthread_mutex_unlock(&tracks->lock);
}

static bool make_room(struct media_tracks *tracks)
{
    if (tracks->seat_count < tracks->seat_room)
        return true;
    int room = tracks->seat_room ? 2 * tracks->seat_room : 16;
    struct media_seat **seats = realloc(tracks->seats, (size_t)room * sizeof(struct media_seat *));
    if (!seats)
        return false;
    tracks->seats = seats;
    tracks->seat_room = room;
    return true;
}

/* It takes a place on the ladder; target_bps 0: that of who comes. */
static int sit_down(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us,
                    int target_bps)
{
    if (!make_room(tracks))
        return OW_ENOMEM;
    seat->index = tracks->seat_count;
    tracks->seats[tracks->seat_count++] = seat;
    ladder_join(&tracks->ladders[seat->codec], &seat->place, now_us);
    if (target_bps > 0)
        ladder_set_target(&tracks->ladders[seat->codec], &seat->place, now_us, target_bps);
    seat->shown = media_seat_wanted(seat);
    note_target(tracks, seat->shown, 0, seat->place.target_bps);
    return OW_OK;
}

static void stand_up(struct media_tracks *tracks, struct media_seat *seat)
{
    int wanted = media_seat_wanted(seat);
    tracks->seats[seat->index] = tracks->seats[--tracks->seat_count];
    tracks->seats[seat->index]->index = seat->index;
    ladder_leave(&tracks->ladders[seat->codec], &seat->place);
    if (seat->shown != wanted)
        tracks->tracks[seat->shown].staying--;
    note_target(tracks, wanted, seat->place.target_bps, 0);
}

static void count_parked(struct media_tracks *tracks, struct media_seat *seat, int change)
{
    seat->parked = change > 0;
    tracks->parked += change;
    if (tracks->callbacks.records)
        tracks->callbacks.records(tracks->callbacks.context, tracks->parked > 0);
}

int media_tracks_join(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us)
{
    pthread_mutex_lock(&tracks->lock);
    int rc = sit_down(tracks, seat, now_us, 0);
    if (rc == OW_OK) {
        tracks->connecting[seat->codec]--;
        tell(tracks, seat->codec);
    }
    pthread_mutex_unlock(&tracks->lock);
    return rc;
}

void media_tracks_leave(struct media_tracks *tracks, struct media_seat *seat)
{
    pthread_mutex_lock(&tracks->lock);
    if (seat->parked)
        count_parked(tracks, seat, -1);
    else
        stand_up(tracks, seat);
    tell(tracks, seat->codec);
    count_viewers(tracks, -1);
    pthread_mutex_unlock(&tracks->lock);
}

void media_tracks_park(struct media_tracks *tracks, struct media_seat *seat)
{
    pthread_mutex_lock(&tracks->lock);
    if (!seat->parked) {
        stand_up(tracks, seat);
        count_parked(tracks, seat, 1);
        tell(tracks, seat->codec);
    }
    pthread_mutex_unlock(&tracks->lock);
}

int media_tracks_unpark(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us,
                        int target_bps)
{
    int rc = OW_OK;
    pthread_mutex_lock(&tracks->lock);
    if (seat->parked)
        rc = sit_down(tracks, seat, now_us, target_bps);
    if (seat->parked && rc == OW_OK) {
        count_parked(tracks, seat, -1);
        tell(tracks, seat->codec);
    }
    pthread_mutex_unlock(&tracks->lock);
    return rc;
}

/* After the ladder had its say: was `before` the rung, and `target` the target? */
static bool follow(struct media_tracks *tracks, struct media_seat *seat, int before, int target)
{
    int wanted = media_seat_wanted(seat);
    if (wanted == before) {
        if (seat->place.target_bps != target)
            note_target(tracks, wanted, target, seat->place.target_bps);
        return false;
    }
    if (before == seat->shown)
        tracks->tracks[seat->shown].staying++;
    else if (wanted == seat->shown)
        tracks->tracks[seat->shown].staying--;
    note_target(tracks, before, target, 0);
    note_target(tracks, wanted, 0, seat->place.target_bps);
    return true;
}

bool media_tracks_set_target(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us,
                             int target_bps)
{
    if (seat->parked)
        return false;
    pthread_mutex_lock(&tracks->lock);
    int before = media_seat_wanted(seat), target = seat->place.target_bps;
    ladder_set_target(&tracks->ladders[seat->codec], &seat->place, now_us, target_bps);
    bool changed = follow(tracks, seat, before, target);
    tell(tracks, seat->codec);
    pthread_mutex_unlock(&tracks->lock);
    return changed;
}

bool media_tracks_review(struct media_tracks *tracks, struct media_seat *seat, int64_t now_us)
{
    if (seat->parked)
        return false;
    pthread_mutex_lock(&tracks->lock);
    int before = media_seat_wanted(seat), target = seat->place.target_bps;
    bool changed = ladder_review(&tracks->ladders[seat->codec], &seat->place, now_us) &&
                   follow(tracks, seat, before, target);
    if (changed)
        tell(tracks, seat->codec);
    pthread_mutex_unlock(&tracks->lock);
    return changed;
}

void media_tracks_show(struct media_tracks *tracks, struct media_seat *seat)
{
    if (seat->parked)
        return;
    pthread_mutex_lock(&tracks->lock);
    int wanted = media_seat_wanted(seat);
    if (seat->shown != wanted) {
        tracks->tracks[seat->shown].staying--;
        seat->shown = wanted;
        tell(tracks, seat->codec);
    }
    pthread_mutex_unlock(&tracks->lock);
}

void media_tracks_hold(struct media_tracks *tracks, const struct media_seat *seat, int64_t until_us)
{
    if (seat->parked)
        return;
    pthread_mutex_lock(&tracks->lock);
    if (tracks->callbacks.hold && ladder_is_lone(&tracks->ladders[seat->codec]))
        tracks->callbacks.hold(tracks->callbacks.context, media_seat_wanted(seat), until_us);
    pthread_mutex_unlock(&tracks->lock);
}

/* -- key frames -- */

static void call_key_frame_wanted(struct media_tracks *tracks, int track, int64_t now_us)
{
    struct media_track *self = &tracks->tracks[track];
    self->key_asked_us = now_us;
    self->key_outstanding = true;
    self->key_due_us = 0;
    if (tracks->callbacks.key_frame_wanted)
        tracks->callbacks.key_frame_wanted(tracks->callbacks.context, track);
}

void media_tracks_ask_key(struct media_tracks *tracks, int track, int64_t now_us, bool urgent)
{
    pthread_mutex_lock(&tracks->lock);
    struct media_track *self = &tracks->tracks[track];
    int64_t due_us =
        self->key_asked_us + (urgent ? MEDIA_KEY_FRAME_URGENT_US : MEDIA_KEY_FRAME_PAUSE_US);
    bool on_its_way =
        self->key_outstanding && now_us < self->key_asked_us + MEDIA_KEY_FRAME_PAUSE_US;
    if (on_its_way)
        ; /* it serves this viewer too */
    else if (self->key_asked_us == 0 || now_us >= due_us)
        call_key_frame_wanted(tracks, track, now_us);
    else if (self->key_due_us == 0 || due_us < self->key_due_us)
        self->key_due_us = due_us;
    pthread_mutex_unlock(&tracks->lock);
}

void media_tracks_key_came(struct media_tracks *tracks, int track)
{
    pthread_mutex_lock(&tracks->lock);
    tracks->tracks[track].key_outstanding = false;
    pthread_mutex_unlock(&tracks->lock);
}

int64_t media_tracks_tick(struct media_tracks *tracks, int64_t now_us)
{
    int64_t next_us = INT64_MAX;
    bool mended[VIDEO_CODECS] = {false};
    pthread_mutex_lock(&tracks->lock);
    for (int i = 0; i < RENDITION_TRACKS; i++) {
        struct media_track *self = &tracks->tracks[i];
        if (self->stale) {
            find_least(tracks, i);
            mended[rendition_codec(i)] = true;
        }
        if (self->key_due_us != 0 && now_us >= self->key_due_us)
            call_key_frame_wanted(tracks, i, now_us);
        if (self->key_due_us != 0 && self->key_due_us < next_us)
            next_us = self->key_due_us;
    }
    for (int i = 0; i < VIDEO_CODECS; i++)
        if (mended[i])
            tell(tracks, (enum video_codec)i);
    pthread_mutex_unlock(&tracks->lock);
    return next_us;
}
