#include "core/encoded.h"
#include "core/error.h"
#include "rtc/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A frame of `count` payloads of 1,000 bytes. */
static struct rtp_frame *make_frame(int count)
{
    struct encoded *unit = NULL;
    size_t nal = 1 + (size_t)count * 998;
    assert_int_equal(encoded_create(&unit, nal + 3), OW_OK);
    memset(unit->data, 0x41, unit->size);
    memcpy(unit->data, "\0\0\1", 3);
    unit->key = false;
    unit->capture_us = 0;
    unit->sequence = 0;
    struct rtp_frame *frame = NULL;
    assert_int_equal(rtp_frame_cut(&frame, unit, 1000), OW_OK);
    assert_int_equal(frame->count, count);
    encoded_unref(&unit);
    return frame;
}

static struct history *history;

static int setup(void **state)
{
    (void)state;
    history = calloc(1, sizeof(*history));
    return history == NULL;
}

static int teardown(void **state)
{
    (void)state;
    history_clear(history);
    free(history);
    return 0;
}

static void sequence_numbers_wrap_around(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(8);
    for (int i = 0; i < 8; i++)
        history_add(history, 100, (uint16_t)(0xfffc + i), 90, frame, (uint16_t)i, false);
    assert_int_equal(atomic_load(&frame->refs), 9);
    for (int i = 0; i < 8; i++) {
        const struct history_packet *packet =
            history_resend(history, 200, (uint16_t)(0xfffc + i), 50);
        assert_non_null(packet);
        assert_int_equal(packet->index, i);
        assert_ptr_equal(packet->frame, frame);
    }
    assert_null(history_resend(history, 200, 0xfffb, 50));
    assert_null(history_resend(history, 200, 4, 50));
    history_clear(history);
    assert_int_equal(atomic_load(&frame->refs), 1);
    assert_null(history_resend(history, 200, 0, 50));
    rtp_frame_unref(&frame);
}

static void a_packet_is_resent_once_a_round_trip(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(1);
    history_add(history, 0, 7, 90, frame, 0, false);
    assert_non_null(history_resend(history, 1000, 7, 40000));
    assert_null(history_resend(history, 1000, 7, 40000));
    assert_null(history_resend(history, 40999, 7, 40000));
    assert_non_null(history_resend(history, 41000, 7, 40000));
    assert_non_null(history_find(history, 7));
    rtp_frame_unref(&frame);
}

static void packets_older_than_a_second_go(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(2);
    history_add(history, 0, 1, 90, frame, 0, false);
    history_add(history, 600000, 2, 90, frame, 1, false);
    assert_null(history_resend(history, HISTORY_US + 1, 1, 1));
    assert_non_null(history_resend(history, HISTORY_US + 1, 2, 1));
    history_expire(history, HISTORY_US + 1);
    assert_int_equal(atomic_load(&frame->refs), 2);
    assert_int_equal(history->bytes, frame->payloads[1].size);
    rtp_frame_unref(&frame);
}

static void packets_and_bytes_are_bounded(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(1);
    for (int i = 0; i < 70000; i++) {
        history_add(history, 0, (uint16_t)i, 90, frame, 0, false);
        assert_true(history->bytes <= HISTORY_BYTES);
    }
    assert_int_equal(atomic_load(&frame->refs), 1 + HISTORY_PACKETS);
    assert_int_equal(history->bytes, HISTORY_PACKETS * 999); /* a single NAL unit */
    rtp_frame_unref(&frame);
}

static void a_jump_begins_anew(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(1);
    history_add(history, 0, 10, 90, frame, 0, false);
    history_add(history, 0, 500, 90, frame, 0, false);
    assert_null(history_resend(history, 1, 10, 1));
    assert_null(history_resend(history, 1, 499, 1));
    assert_non_null(history_resend(history, 1, 500, 1));
    rtp_frame_unref(&frame);
}

/* Small viewers take little memory, and what they hold survives the growth. */
static void the_ring_grows_with_what_is_held(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(8);
    for (int i = 0; i < 60; i++)
        history_add(history, 0, (uint16_t)(65500 + i), (uint32_t)i, frame, (uint16_t)(i % 8),
                    false);
    assert_int_equal(history->capacity, HISTORY_FIRST_PACKETS);
    for (int i = 60; i < 300; i++)
        history_add(history, 0, (uint16_t)(65500 + i), (uint32_t)i, frame, (uint16_t)(i % 8),
                    false);
    assert_int_equal(history->capacity, 512);
    for (int i = 0; i < 300; i++) {
        const struct history_packet *packet = history_find(history, (uint16_t)(65500 + i));
        assert_non_null(packet);
        assert_int_equal(packet->timestamp, i);
        assert_int_equal(packet->index, i % 8);
    }
    assert_int_equal(atomic_load(&frame->refs), 301);
    rtp_frame_unref(&frame);
}

static void copies_that_are_all_lost_are_known(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(1);
    history_add(history, 0, 7, 90, frame, 0, false);
    assert_null(history_copy_fate(history, 10, 7, false)); /* none left */
    assert_non_null(history_resend(history, 10, 7, 50));
    history_copy_left(history, 7);
    history_copy_left(history, 7);
    assert_null(history_copy_fate(history, 20, 7, false)); /* one may arrive yet */
    assert_non_null(history_copy_fate(history, 30, 7, false));
    history_copy_left(history, 7);
    assert_null(history_copy_fate(history, 40, 7, true));
    assert_true(history_find(history, 7)->arrived);
    for (int i = 0; i < 2 * HISTORY_MAX_RESENDS; i++)
        (void)history_resend(history, 1000 + 100 * i, 7, 50);
    assert_int_equal(history_find(history, 7)->resends, HISTORY_MAX_RESENDS);
    rtp_frame_unref(&frame);
}

static void the_age_can_be_set(void **state)
{
    (void)state;
    struct rtp_frame *frame = make_frame(1);
    history_set_age(history, 3 * (int64_t)HISTORY_US);
    history_add(history, 0, 7, 90, frame, 0, false);
    history_expire(history, 3 * (int64_t)HISTORY_US);
    assert_non_null(history_resend(history, 3 * (int64_t)HISTORY_US, 7, 50));
    history_expire(history, 3 * (int64_t)HISTORY_US + 1);
    assert_null(history_find(history, 7));
    rtp_frame_unref(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sequence_numbers_wrap_around, setup, teardown),
        cmocka_unit_test_setup_teardown(a_packet_is_resent_once_a_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(packets_older_than_a_second_go, setup, teardown),
        cmocka_unit_test_setup_teardown(packets_and_bytes_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_jump_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(the_ring_grows_with_what_is_held, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_that_are_all_lost_are_known, setup, teardown),
        cmocka_unit_test_setup_teardown(the_age_can_be_set, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
