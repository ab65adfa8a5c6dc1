#include "core/encoded.h"
#include "core/error.h"
#include "rtc/pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A packet of 1,000 bytes with its header; 33,333 µs at BPS are eight of them. */
enum { PAYLOAD = 1000, PACKET = PAYLOAD + PACER_PACKET_BYTES, BPS = 2096000, FRAME_US = 33333 };

static struct rtp_frame *make_frame(int count, bool key, int64_t capture_us)
{
    struct encoded *unit = NULL;
    assert_int_equal(encoded_create(&unit, 3 + 1 + (size_t)count * (PAYLOAD - 2)), OW_OK);
    memset(unit->data, key ? 0x65 : 0x41, unit->size);
    memcpy(unit->data, "\0\0\1", 3);
    unit->key = key;
    unit->capture_us = capture_us;
    unit->sequence = 0;
    struct rtp_frame *frame = NULL;
    assert_int_equal(rtp_frame_cut(&frame, unit, PAYLOAD), OW_OK);
    encoded_unref(&unit);
    return frame;
}

static int push(struct pacer *pacer, int64_t now_us, int count, bool key)
{
    struct rtp_frame *frame = make_frame(count, key, now_us);
    int dropped = pacer_push(pacer, now_us, frame);
    rtp_frame_unref(&frame);
    return dropped;
}

/* Sends what may leave now; returns the payloads. */
static int drain(struct pacer *pacer, int64_t now_us)
{
    struct pacer_packet packet;
    int count = 0;
    while (pacer_may_send(pacer, now_us) && pacer_peek(pacer, now_us, &packet)) {
        pacer_charge(pacer, packet.frame->payloads[packet.index].size + PACER_PACKET_BYTES);
        pacer_advance(pacer);
        count++;
    }
    return count;
}

static void a_usual_frame_leaves_at_once(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 1000, BPS);
    assert_int_equal(push(&pacer, 1000, 8, true), 0);
    assert_int_equal(drain(&pacer, 1000), 8);
    assert_int_equal(pacer.queued_bytes, 0);
    for (int i = 1; i < 100; i++) { /* of about the rate, now larger, now smaller: never a wait */
        int count = i % 2 == 1 ? 13 : 3;
        int64_t now_us = 1000 + (int64_t)i * FRAME_US;
        assert_int_equal(push(&pacer, now_us, count, false), 0);
        assert_int_equal(drain(&pacer, now_us), count);
        assert_true(pacer_free_us(&pacer) <= now_us);
    }
    pacer_clear(&pacer);
}

/* Property: in no span of time does more leave than burst + rate x span + one packet. */
static void a_large_frame_is_spread_at_the_pacing_rate(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    assert_int_equal(push(&pacer, 0, 100, true), 0);
    int64_t now_us = 0, free_us = pacer_free_us(&pacer);
    int sent = drain(&pacer, now_us);
    assert_int_equal(sent, 17); /* two frames' time, and the packet that uses it up */
    while (sent < 100) {
        int64_t ready = pacer_next_us(&pacer);
        assert_true(ready > now_us);
        assert_int_equal(ready, pacer_ready_us(&pacer));
        assert_false(pacer_may_send(&pacer, ready - 2));
        now_us = ready;
        sent += drain(&pacer, now_us);
        double allowed = 2 * FRAME_US * (BPS / 8e6) + (double)now_us * (BPS / 8e6) + PACKET;
        assert_true(sent * PACKET <= (int)allowed);
        assert_in_range(pacer_free_us(&pacer), free_us - 10, free_us + 10);
    }
    /* 84 of the packets at the rate, less the one that may go beyond */
    assert_in_range(now_us, 82 * 4000, 84 * 4000);
    assert_int_equal(pacer_next_us(&pacer), INT64_MAX);
    pacer_clear(&pacer);
}

/* At 100 kbit/s the burst is three packets, not a second of the path's time. */
static void a_slow_path_gets_no_large_burst(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, 100000);
    assert_int_equal(push(&pacer, 0, 10, true), 0);
    assert_int_equal(drain(&pacer, 0), 3);
    assert_in_range(pacer_free_us(&pacer), 590000, 610000);
    pacer_clear(&pacer);
}

static void bursts_can_be_made_smaller(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    pacer_set_burst_part(&pacer, 0.25);
    push(&pacer, 1000, 20, true);
    assert_int_equal(drain(&pacer, 1000), 5);
    pacer_set_burst_part(&pacer, 1);
    pacer_set_rate(&pacer, 1000, BPS);
    assert_int_equal(drain(&pacer, 41000), 10);
    pacer_clear(&pacer);
}

static void a_hold_keeps_frames_from_beginning(void **state)
{
    (void)state;
    struct pacer pacer;
    struct pacer_packet packet;
    pacer_init(&pacer, 0, BPS);
    push(&pacer, 0, 20, true);
    assert_int_equal(drain(&pacer, 0), 17);
    pacer_set_hold(&pacer, 200000);
    push(&pacer, 1000, 2, false);
    assert_int_equal(drain(&pacer, 100000), 3); /* what had begun goes on */
    assert_false(pacer_peek(&pacer, 199999, &packet));
    assert_int_equal(pacer_next_us(&pacer), 200000);
    assert_int_equal(pacer_free_us(&pacer), 200000);
    assert_int_equal(drain(&pacer, 199999), 0);
    assert_int_equal(drain(&pacer, 200000), 2);
    push(&pacer, 210000, 2, false);
    pacer_set_hold(&pacer, 500000);
    assert_int_equal(drain(&pacer, 220000), 0);
    pacer_set_hold(&pacer, 230000); /* lifted before its time */
    assert_int_equal(drain(&pacer, 230000), 2);
    pacer_clear(&pacer);
}

/* Frames that the encoder had begun when the hold came are kept, those after them are not. */
static void a_long_hold_costs_no_key_frame_unless_frames_go_on_coming(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    push(&pacer, 0, 1, true);
    assert_int_equal(drain(&pacer, 0), 1);
    pacer_set_hold(&pacer, 600000);
    assert_int_equal(push(&pacer, 10000, 2, false), 0);
    assert_int_equal(push(&pacer, 43000, 2, false), 0);
    assert_int_equal(drain(&pacer, 599000), 0);
    assert_int_equal(drain(&pacer, 600000), 4);
    pacer_set_hold(&pacer, 1200000);
    assert_int_equal(push(&pacer, 610000, 2, false), 0);
    assert_int_equal(push(&pacer, 643000, 2, false), 0);
    assert_int_equal(push(&pacer, 676000, 2, false), 3);
    assert_true(pacer.awaiting_key);
    pacer_clear(&pacer);
}

static void nothing_leaves_before_a_key_frame(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    assert_true(pacer.awaiting_key);
    assert_int_equal(push(&pacer, 0, 1, false), 1);
    assert_int_equal(drain(&pacer, 0), 0);
    assert_int_equal(push(&pacer, 1, 1, true), 0);
    assert_false(pacer.awaiting_key);
    assert_int_equal(drain(&pacer, 1), 1);
    pacer_clear(&pacer);
}

/* An encoder that makes four times the rate: the queue stays short, whole runs of frames go, and
 * every drop asks for a key frame. */
static void a_slow_path_drops_up_to_the_next_key_frame(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    int dropped = 0, sent = 0, keys = 0;
    for (int i = 0; i < 300; i++) {
        int64_t now_us = (int64_t)i * FRAME_US;
        bool key = i == 0 || (pacer.awaiting_key && i % 10 == 0);
        keys += key;
        int went = push(&pacer, now_us, 32, key);
        if (went > 0 && !key)
            assert_true(pacer.awaiting_key);
        dropped += went;
        for (int64_t at = now_us; at < now_us + FRAME_US; at += 1000)
            sent += drain(&pacer, at);
        assert_true(pacer_free_us(&pacer) - now_us <= PACER_CATCH_UP_US + 5 * FRAME_US);
    }
    assert_in_range(keys, 5, 30);
    assert_in_range(dropped, 200, 250);
    assert_in_range(sent, 8 * 270, 8 * 305); /* the path stays full */
    pacer_clear(&pacer);
}

/* Once the queue was empty, the wait allowed is short. */
static void a_steady_stream_may_wait_for_a_moment(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    assert_int_equal(push(&pacer, 0, 1, true), 0);
    assert_int_equal(drain(&pacer, 0), 1);
    assert_int_equal(push(&pacer, FRAME_US, 60, false), 0); /* 180 ms beyond the burst */
    assert_int_equal(drain(&pacer, FRAME_US), 17);
    assert_int_equal(push(&pacer, FRAME_US + 1000, 1, false), 0);
    assert_int_equal(push(&pacer, FRAME_US + 2000, 1, false), 0);
    assert_int_equal(push(&pacer, FRAME_US + 3000, 1, false), 3);
    assert_true(pacer.awaiting_key);
    /* the frame that had begun to leave is finished */
    int sent = 0;
    for (int64_t at = 2 * FRAME_US; at < 8 * FRAME_US; at += 1000)
        sent += drain(&pacer, at);
    assert_int_equal(sent, 43);
    assert_int_equal(pacer.count, 0);
    pacer_clear(&pacer);
}

static void a_key_frame_replaces_what_has_not_begun(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    assert_int_equal(push(&pacer, 0, 40, true), 0);
    assert_int_equal(drain(&pacer, 0), 17);
    assert_int_equal(push(&pacer, 1, 3, false), 0);
    assert_int_equal(push(&pacer, 2, 3, false), 0);
    assert_int_equal(push(&pacer, 3, 3, true), 2);
    assert_int_equal(pacer.count, 2);
    assert_int_equal(pacer.queued_bytes, (40 - 17 + 3) * PACKET);
    assert_int_equal(pacer_clear(&pacer), 2);
    assert_int_equal(pacer.queued_bytes, 0);
    assert_int_equal(push(&pacer, 5, 1, false), 1); /* needs a key frame now */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usual_frame_leaves_at_once),
        cmocka_unit_test(a_large_frame_is_spread_at_the_pacing_rate),
        cmocka_unit_test(a_slow_path_gets_no_large_burst),
        cmocka_unit_test(bursts_can_be_made_smaller),
        cmocka_unit_test(a_hold_keeps_frames_from_beginning),
        cmocka_unit_test(a_long_hold_costs_no_key_frame_unless_frames_go_on_coming),
        cmocka_unit_test(nothing_leaves_before_a_key_frame),
        cmocka_unit_test(a_slow_path_drops_up_to_the_next_key_frame),
        cmocka_unit_test(a_steady_stream_may_wait_for_a_moment),
        cmocka_unit_test(a_key_frame_replaces_what_has_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
