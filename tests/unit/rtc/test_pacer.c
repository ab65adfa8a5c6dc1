#include "core/encoded.h"
#include "core/error.h"
#include "rtc/pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PAYLOAD = 1000, BPS = 2000000, FRAME_US = 33333 };

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
    while (pacer_may_send(pacer, now_us) && pacer_peek(pacer, &packet)) {
        pacer_charge(pacer, packet.frame->payloads[packet.index].size);
        pacer_advance(pacer);
        count++;
    }
    return count;
}

static void a_small_frame_leaves_at_once(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 1000, BPS);
    assert_int_equal(push(&pacer, 1000, 8, true), 0);
    assert_int_equal(drain(&pacer, 1000), 8);
    assert_int_equal(pacer.queued_bytes, 0);
    for (int i = 1; i < 100; i++) { /* 8 packets every 33 ms are the target: never a wait */
        assert_int_equal(push(&pacer, 1000 + i * FRAME_US, 8, false), 0);
        assert_int_equal(drain(&pacer, 1000 + i * FRAME_US), 8);
    }
    pacer_clear(&pacer);
}

/* Property: in no span of time does more leave than burst + rate x span + one packet. */
static void a_large_frame_is_spread_at_two_and_a_half_times_the_target(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    assert_int_equal(push(&pacer, 0, 100, true), 0);
    int64_t now_us = 0;
    int sent = drain(&pacer, now_us);
    assert_int_equal(sent, PACER_MIN_BURST_BYTES / PAYLOAD);
    while (sent < 100) {
        int64_t ready = pacer_ready_us(&pacer);
        assert_true(ready > now_us);
        assert_false(pacer_may_send(&pacer, ready - 2));
        now_us = ready;
        sent += drain(&pacer, now_us);
        double allowed = PACER_MIN_BURST_BYTES + (double)now_us * BPS / 8e6 * 2.5 + PAYLOAD;
        assert_true(sent * PAYLOAD <= (int)allowed);
    }
    /* 85 packets of 1,000 bytes at 5 Mbit/s */
    assert_in_range(now_us, 130000, 140000);
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

/* An encoder that makes four times the target: the queue stays short, whole runs of frames go, and
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
        double wait_us = (double)pacer.queued_bytes * 8e6 / (2.5 * BPS);
        assert_true(wait_us <= PACER_CATCH_UP_US + 2 * FRAME_US);
    }
    assert_in_range(keys, 5, 30);
    assert_in_range(dropped, 75, 225);
    assert_in_range(sent, 32 * 75, 32 * 225);
    pacer_clear(&pacer);
}

/* Once the queue was empty, the wait allowed is about one frame's time. */
static void a_steady_stream_may_wait_for_one_frame_time(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    assert_int_equal(push(&pacer, 0, 1, true), 0);
    assert_int_equal(drain(&pacer, 0), 1);
    assert_int_equal(push(&pacer, FRAME_US, 60, false), 0);
    assert_int_equal(drain(&pacer, FRAME_US), 15);
    assert_int_equal(push(&pacer, 2 * FRAME_US, 60, false), 1);
    assert_true(pacer.awaiting_key);
    /* the frame that had begun to leave is finished */
    int sent = 0;
    for (int64_t at = 2 * FRAME_US; at < 5 * FRAME_US; at += 1000)
        sent += drain(&pacer, at);
    assert_int_equal(sent, 45);
    assert_int_equal(pacer.count, 0);
    pacer_clear(&pacer);
}

static void a_key_frame_replaces_what_has_not_begun(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_init(&pacer, 0, BPS);
    assert_int_equal(push(&pacer, 0, 40, true), 0);
    assert_int_equal(drain(&pacer, 0), 15);
    assert_int_equal(push(&pacer, 1, 3, false), 0);
    assert_int_equal(push(&pacer, 2, 3, false), 0);
    assert_int_equal(push(&pacer, 3, 3, true), 2);
    assert_int_equal(pacer.count, 2);
    assert_int_equal(pacer.queued_bytes, (40 - 15 + 3) * PAYLOAD);
    pacer_clear(&pacer);
    assert_int_equal(pacer.queued_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_frame_leaves_at_once),
        cmocka_unit_test(a_large_frame_is_spread_at_two_and_a_half_times_the_target),
        cmocka_unit_test(nothing_leaves_before_a_key_frame),
        cmocka_unit_test(a_slow_path_drops_up_to_the_next_key_frame),
        cmocka_unit_test(a_steady_stream_may_wait_for_one_frame_time),
        cmocka_unit_test(a_key_frame_replaces_what_has_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
