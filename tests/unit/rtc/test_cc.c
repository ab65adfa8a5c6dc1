#include "core/error.h"
#include "rtc/cc.h"
#include "rtc/rtp_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cc *cc;
static const struct cc_settings LIMITS = {
    .min_bps = 100000, .start_bps = 1000000, .max_bps = 4000000};

static int setup(void **state)
{
    (void)state;
    cc = malloc(sizeof(*cc));
    cc_init(cc, &LIMITS, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(cc);
    return 0;
}

/* Sends 1,250-byte packets evenly at `bps` for one second up to `until_us`. */
static uint16_t send_second(uint16_t sequence, int64_t until_us, int bps)
{
    int count = bps / 10000;
    for (int i = 0; i < count; i++)
        cc_on_packet_sent(
            cc, &(struct cc_packet){.send_us = until_us - 1000000 + (int64_t)i * 1000000 / count,
                                    .sequence = sequence++,
                                    .bytes = 1250});
    return sequence;
}

static void low_loss_grows_by_eight_percent_a_second(void **state)
{
    (void)state;
    assert_int_equal(cc_target_bps(cc, 0), 1000000);
    send_second(0, 1000000, 1000000);
    cc_on_receiver_report(cc, 1000000, 0.01, 20000);
    assert_in_range(cc_target_bps(cc, 1000000), 1079000, 1082000);
    for (int i = 2; i < 40; i++) {
        send_second(0, i * 1000000, cc_target_bps(cc, 0));
        cc_on_receiver_report(cc, i * 1000000, 0, 20000);
    }
    assert_int_equal(cc_target_bps(cc, 40000000), 4000000);
}

static void an_idle_sender_does_not_grow(void **state)
{
    (void)state;
    for (int i = 1; i < 20; i++) {
        send_second(0, i * 1000000, 100000);
        cc_on_receiver_report(cc, i * 1000000, 0, 20000);
    }
    assert_int_equal(cc_target_bps(cc, 0), 1000000);
}

static void medium_loss_holds_and_high_loss_shrinks(void **state)
{
    (void)state;
    send_second(0, 1000000, 1000000);
    cc_on_receiver_report(cc, 1000000, 0.05, 20000);
    assert_int_equal(cc_target_bps(cc, 1000000), 1000000);
    cc_on_receiver_report(cc, 2000000, 0.4, 20000);
    assert_int_equal(cc_target_bps(cc, 2000000), 800000);
    cc_on_receiver_report(cc, 2100000, 0.4, 20000); /* too soon for another step */
    assert_int_equal(cc_target_bps(cc, 2100000), 800000);
    for (int i = 3; i < 30; i++)
        cc_on_receiver_report(cc, i * 1000000, 1.0, 20000);
    assert_int_equal(cc_target_bps(cc, 30000000), 100000);
}

static void remb_caps_within_the_limits(void **state)
{
    (void)state;
    cc_on_remb(cc, 0, 500000);
    assert_int_equal(cc_target_bps(cc, 0), 500000);
    cc_on_remb(cc, 0, 0);
    assert_int_equal(cc_target_bps(cc, 0), 100000);
    cc_on_remb(cc, 0, UINT64_MAX);
    assert_int_equal(cc_target_bps(cc, 0), 1000000);
}

/* Feedback on `count` packets: all received, or every fourth missing. */
static int feed(uint16_t first, int count, bool lossy, int64_t now_us)
{
    uint8_t items[1024];
    size_t size = 0, deltas = 0;
    for (int i = 0; i < count; i += 14) {
        uint16_t chunk = lossy ? 0x8000 | 0x1ddd : 0xbfff; /* 0 1 1101 1101 1101 */
        write_u16(items + size, chunk);
        size += 2;
    }
    for (int i = 0; i < count; i += 14)
        for (int bit = 13; bit >= 0; bit--)
            deltas += lossy ? 0x1ddd >> bit & 1 : 1;
    memset(items + size, 4, deltas);
    struct rtcp_packet packet = {
        .kind = RTCP_TRANSPORT_FEEDBACK,
        .items = items,
        .items_size = size + deltas,
        .transport = {.base_sequence = first, .status_count = (uint16_t)count}};
    return cc_on_transport_feedback(cc, now_us, &packet);
}

static void feedback_tells_the_loss_when_reports_stop(void **state)
{
    (void)state;
    uint16_t sequence = 65500; /* wraps around */
    for (int i = 1; i <= 6; i++) {
        uint16_t first = sequence;
        sequence = send_second(sequence, i * 1000000, 980000);
        assert_int_equal(feed(first, 98, true, i * 1000000), OW_OK);
    }
    assert_in_range((int)(cc_loss(cc) * 100), 25, 40);
    assert_in_range(cc_target_bps(cc, 0), 400000, 650000);
    assert_in_range(cc->acknowledged_bps, 500000, 800000);
    cc_init(cc, &LIMITS, 0);
    for (int i = 1; i <= 6; i++) {
        uint16_t first = sequence;
        sequence = send_second(sequence, i * 1000000, 980000);
        assert_int_equal(feed(first, 98, false, i * 1000000), OW_OK);
    }
    assert_true(cc_loss(cc) == 0);
    assert_in_range(cc_target_bps(cc, 0), 1150000, 1500000);
    assert_in_range(cc->acknowledged_bps, 970000, 990000);
}

static void feedback_on_packets_never_sent_has_no_effect(void **state)
{
    (void)state;
    for (int i = 1; i < 30; i++)
        assert_int_equal(feed((uint16_t)(i * 100), 98, true, i * 1000000), OW_OK);
    assert_int_equal(cc_target_bps(cc, 0), 1000000);
    assert_int_equal(cc->acknowledged_bps, 0);
    struct rtcp_packet malformed = {.kind = RTCP_TRANSPORT_FEEDBACK,
                                    .items = (const uint8_t *)"",
                                    .transport = {.status_count = 5}};
    assert_int_equal(cc_on_transport_feedback(cc, 0, &malformed), OW_EPARSE);
}

static void limits_are_put_in_order(void **state)
{
    (void)state;
    struct cc_settings wrong = {.min_bps = 500, .start_bps = 0, .max_bps = -3};
    cc_init(cc, &wrong, 0);
    assert_int_equal(cc_target_bps(cc, 0), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(low_loss_grows_by_eight_percent_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(an_idle_sender_does_not_grow, setup, teardown),
        cmocka_unit_test_setup_teardown(medium_loss_holds_and_high_loss_shrinks, setup, teardown),
        cmocka_unit_test_setup_teardown(remb_caps_within_the_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(feedback_tells_the_loss_when_reports_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(feedback_on_packets_never_sent_has_no_effect, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(limits_are_put_in_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
