#include "net/media_tracks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct rendition_plan plans[RENDITION_TRACKS];
    int keys[RENDITION_TRACKS], holds, viewers;
    bool records;
    int64_t held_until_us;
} told;

static void on_key(void *context, int track)
{
    (void)context;
    told.keys[track]++;
}

static void on_plan(void *context, int track, const struct rendition_plan *plan)
{
    (void)context;
    told.plans[track] = *plan;
}

static void on_hold(void *context, int track, int64_t until_us)
{
    (void)context;
    (void)track;
    told.holds++;
    told.held_until_us = until_us;
}

static void on_records(void *context, bool wanted)
{
    (void)context;
    told.records = wanted;
}

static void on_viewers(void *context, int count)
{
    (void)context;
    told.viewers = count;
}

static void init(struct media_tracks *tracks)
{
    const struct ladder_settings ladder = {
        .min_bps = 100000, .start_bps = 1000000, .max_bps = 4000000, .adaptive = true};
    const struct media_stream_callbacks callbacks = {.key_frame_wanted = on_key,
                                                     .plan = on_plan,
                                                     .hold = on_hold,
                                                     .records = on_records,
                                                     .viewers = on_viewers};
    memset(&told, 0, sizeof told);
    media_tracks_init(tracks, &ladder, &callbacks);
}

static void join(struct media_tracks *tracks, struct media_seat *seat, enum video_codec codec,
                 int64_t now_us)
{
    seat->codec = codec;
    media_tracks_expect(tracks, codec);
    assert_int_equal(media_tracks_join(tracks, seat, now_us), OW_OK);
}

static void the_encoder_starts_while_the_first_viewer_connects(void **state)
{
    (void)state;
    struct media_tracks tracks;
    struct media_seat seat = {0};
    init(&tracks);
    media_tracks_expect(&tracks, VIDEO_H264);
    assert_int_equal(told.plans[0].viewers, 1);
    assert_int_equal(told.plans[0].target_bps, 1000000);
    media_tracks_give_up(&tracks, VIDEO_H264);
    assert_int_equal(told.plans[0].viewers, 0);
    assert_int_equal(told.viewers, 0);
    join(&tracks, &seat, VIDEO_H264, 1000);
    assert_int_equal(told.viewers, 1);
    /* Somebody else who only says that he will come changes nothing for the one who watches. */
    struct rendition_plan before = told.plans[seat.shown];
    media_tracks_expect(&tracks, VIDEO_H264);
    media_tracks_hold(&tracks, &seat, 77);
    assert_int_equal(told.holds, 1);
    assert_int_equal(told.held_until_us, 77);
    assert_int_equal(told.plans[seat.shown].viewers, before.viewers);
    media_tracks_give_up(&tracks, VIDEO_H264);
    media_tracks_leave(&tracks, &seat);
    assert_int_equal(told.plans[seat.shown].viewers, 0);
    media_tracks_free(&tracks);
}

static void a_lone_viewers_fall_is_told_at_once(void **state)
{
    (void)state;
    struct media_tracks tracks;
    struct media_seat seat = {0};
    init(&tracks);
    join(&tracks, &seat, VIDEO_VP8, 1000);
    int track = media_seat_wanted(&seat);
    assert_int_equal(rendition_codec(track), VIDEO_VP8);
    media_tracks_set_target(&tracks, &seat, 2000, 900000);
    assert_int_equal(told.plans[media_seat_wanted(&seat)].target_bps, 900000);
    media_tracks_set_target(&tracks, &seat, 3000, 300000);
    assert_int_equal(told.plans[media_seat_wanted(&seat)].target_bps, 300000);
    media_tracks_set_target(&tracks, &seat, 4000, 500000);
    assert_int_equal(told.plans[media_seat_wanted(&seat)].target_bps, 500000);
    media_tracks_leave(&tracks, &seat);
    media_tracks_free(&tracks);
}

/* Nothing is encoded for who is parked, and others do not notice. */
static void who_takes_no_video_is_parked(void **state)
{
    (void)state;
    struct media_tracks tracks;
    struct media_seat seat = {0}, other = {0};
    init(&tracks);
    join(&tracks, &seat, VIDEO_H264, 1000);
    media_tracks_park(&tracks, &seat);
    assert_int_equal(told.plans[0].viewers, 0);
    assert_int_equal(told.viewers, 1);
    assert_true(told.records);
    assert_false(media_tracks_set_target(&tracks, &seat, 2000, 100000));
    assert_false(media_tracks_review(&tracks, &seat, 3000));
    media_tracks_hold(&tracks, &seat, 77);
    media_tracks_show(&tracks, &seat);
    assert_int_equal(told.holds, 0);
    join(&tracks, &other, VIDEO_H264, 4000);
    assert_int_equal(told.plans[other.shown].viewers, 1);
    assert_int_equal(told.plans[other.shown].target_bps, 1000000);
    media_tracks_leave(&tracks, &other);
    assert_int_equal(media_tracks_unpark(&tracks, &seat, 5000, 100000), OW_OK);
    assert_false(told.records);
    assert_int_equal(told.plans[seat.shown].viewers, 1);
    assert_int_equal(told.plans[seat.shown].target_bps, 100000);
    media_tracks_park(&tracks, &seat);
    media_tracks_leave(&tracks, &seat);
    assert_false(told.records);
    assert_int_equal(told.viewers, 0);
    media_tracks_free(&tracks);
}

/* Both tracks are encoded until the key frame of the new one is there. */
static void a_viewer_is_shown_its_old_track_until_the_key_frame_of_the_new_one(void **state)
{
    (void)state;
    struct media_tracks tracks;
    struct media_seat seats[3] = {{.index = 0}};
    init(&tracks);
    int64_t now_us = 1000;
    for (int i = 0; i < 3; i++)
        join(&tracks, &seats[i], VIDEO_H264, now_us);
    for (int i = 0; i < 600 && media_seat_wanted(&seats[2]) != 0; i++) {
        now_us += MEDIA_REVIEW_US;
        for (int k = 0; k < 3; k++) {
            media_tracks_set_target(&tracks, &seats[k], now_us, 4000000);
            media_tracks_review(&tracks, &seats[k], now_us);
            media_tracks_show(&tracks, &seats[k]);
        }
        media_tracks_tick(&tracks, now_us);
    }
    for (int k = 0; k < 3; k++)
        assert_int_equal(seats[k].shown, 0);
    assert_int_equal(told.plans[0].viewers, 3);
    assert_true(media_tracks_set_target(&tracks, &seats[2], now_us, 200000));
    int wanted = media_seat_wanted(&seats[2]);
    assert_int_not_equal(wanted, 0);
    assert_int_equal(seats[2].shown, 0);
    assert_int_equal(told.plans[0].viewers, 3); /* still sent to all */
    assert_int_equal(told.plans[wanted].viewers, 1);
    media_tracks_show(&tracks, &seats[2]);
    assert_int_equal(seats[2].shown, wanted);
    assert_int_equal(told.plans[0].viewers, 2);
    /* Two more fall and leave before they were shown anything else. */
    media_tracks_set_target(&tracks, &seats[1], now_us, 200000);
    media_tracks_set_target(&tracks, &seats[0], now_us, 200000);
    assert_int_equal(told.plans[0].viewers, 2);
    assert_true(told.plans[0].target_bps > 0);
    media_tracks_leave(&tracks, &seats[1]);
    assert_int_equal(told.plans[0].viewers, 1);
    media_tracks_leave(&tracks, &seats[0]);
    media_tracks_leave(&tracks, &seats[2]);
    for (int i = 0; i < RENDITION_TRACKS; i++)
        assert_int_equal(told.plans[i].viewers, 0);
    media_tracks_free(&tracks);
}

static void key_frames_are_asked_for_once_per_pause(void **state)
{
    (void)state;
    struct media_tracks tracks;
    init(&tracks);
    int64_t t = 1000000;
    media_tracks_ask_key(&tracks, 1, t, false);
    media_tracks_ask_key(&tracks, 1, t + 1000, false);
    media_tracks_ask_key(&tracks, 1, t + 2000, true);
    assert_int_equal(told.keys[1], 1); /* one is on its way */
    media_tracks_key_came(&tracks, 1);
    media_tracks_ask_key(&tracks, 1, t + 20000, false);
    assert_int_equal(told.keys[1], 1);
    assert_true(media_tracks_tick(&tracks, t + 20000) == t + MEDIA_KEY_FRAME_PAUSE_US);
    media_tracks_ask_key(&tracks, 1, t + 30000, true); /* this one waits the shorter pause */
    assert_true(media_tracks_tick(&tracks, t + 30000) == t + MEDIA_KEY_FRAME_URGENT_US);
    assert_true(media_tracks_tick(&tracks, t + MEDIA_KEY_FRAME_URGENT_US) == INT64_MAX);
    assert_int_equal(told.keys[1], 2);
    media_tracks_ask_key(&tracks, 2, t + 30000, false); /* tracks do not share */
    assert_int_equal(told.keys[2], 1);
    /* One that does not come is asked for again after the pause. */
    media_tracks_ask_key(&tracks, 1, t + 2 * MEDIA_KEY_FRAME_PAUSE_US, false);
    assert_int_equal(told.keys[1], 3);
    media_tracks_silence(&tracks);
    media_tracks_ask_key(&tracks, 1, t + 9 * MEDIA_KEY_FRAME_PAUSE_US, true);
    assert_int_equal(told.keys[1], 3);
    media_tracks_free(&tracks);
}

static void the_slowest_of_thousands_is_known(void **state)
{
    (void)state;
    enum { VIEWERS = 2000 };
    static struct media_seat seats[VIEWERS];
    struct media_tracks tracks;
    init(&tracks);
    for (int i = 0; i < VIEWERS; i++) {
        join(&tracks, &seats[i], VIDEO_H264, 1000);
        media_tracks_set_target(&tracks, &seats[i], 2000, 110000 + i);
        media_tracks_show(&tracks, &seats[i]);
    }
    media_tracks_review(&tracks, &seats[0], 3000); /* it was alone when it came */
    media_tracks_show(&tracks, &seats[0]);
    int survival = rendition_track(VIDEO_H264, RENDITION_RUNGS - 1);
    assert_int_equal(told.plans[survival].viewers, VIEWERS);
    media_tracks_tick(&tracks, 3000);
    assert_int_equal(told.plans[survival].target_bps, 110000);
    media_tracks_set_target(&tracks, &seats[1000], 4000, 105000);
    assert_int_equal(told.plans[survival].target_bps, 105000);
    media_tracks_leave(&tracks, &seats[1000]);
    media_tracks_tick(&tracks, 5000);
    assert_int_equal(told.plans[survival].target_bps, 110000);
    for (int i = 0; i < VIEWERS; i++)
        if (i != 1000)
            media_tracks_leave(&tracks, &seats[i]);
    assert_int_equal(told.plans[survival].viewers, 0);
    assert_int_equal(told.viewers, 0);
    media_tracks_free(&tracks);
}

static void other_rates_are_told_at_once(void **state)
{
    (void)state;
    struct media_tracks tracks;
    struct media_seat a = {0}, b = {0};
    struct ladder_settings ladder = {
        .min_bps = 100000, .start_bps = 500000, .max_bps = 500000, .adaptive = true};
    init(&tracks);
    media_tracks_expect(&tracks, VIDEO_VP8);
    join(&tracks, &a, VIDEO_H264, 0);
    join(&tracks, &b, VIDEO_H264, 0);
    int track = media_seat_wanted(&a), viewers = told.viewers;
    assert_int_equal(told.plans[track].target_bps, 1000000);
    media_tracks_configure(&tracks, &ladder);
    assert_int_equal(told.plans[track].target_bps, 500000);
    assert_int_equal(told.plans[track].viewers, 1);
    ladder.start_bps = 300000; /* of who is about to come */
    media_tracks_configure(&tracks, &ladder);
    assert_int_equal(told.plans[rendition_track(VIDEO_VP8, 0)].target_bps, 300000);
    assert_int_equal(told.viewers, viewers);
    media_tracks_leave(&tracks, &a);
    media_tracks_leave(&tracks, &b);
    media_tracks_give_up(&tracks, VIDEO_VP8);
    media_tracks_free(&tracks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_encoder_starts_while_the_first_viewer_connects),
        cmocka_unit_test(a_lone_viewers_fall_is_told_at_once),
        cmocka_unit_test(who_takes_no_video_is_parked),
        cmocka_unit_test(a_viewer_is_shown_its_old_track_until_the_key_frame_of_the_new_one),
        cmocka_unit_test(key_frames_are_asked_for_once_per_pause),
        cmocka_unit_test(the_slowest_of_thousands_is_known),
        cmocka_unit_test(other_rates_are_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
