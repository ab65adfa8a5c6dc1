/* The target, holds, bursts and probes. */
#include "session_viewer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_encoder_is_told_when_a_frame_would_only_wait(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 5000);
    viewer_run_until(viewer.now_us + 33000);
    viewer_send_and_forget(false, 5000);
    assert_int_equal(viewer.holds, 0);
    int64_t begun_us = viewer.now_us;
    viewer_send_and_forget(true, 200000);
    int sent = viewer.packet_count;
    assert_int_equal(viewer.holds, 1);
    assert_in_range(viewer.hold_until_us, begun_us + 100000, begun_us + 1600000);
    int64_t hold_until_us = viewer.hold_until_us;
    viewer_run_until(hold_until_us);
    assert_in_range(viewer.packet_count - sent, 90, 190); /* it has left in the meantime */
    sent = viewer.packet_count;
    viewer_run_until(hold_until_us + 10000);
    assert_true(viewer.packet_count > sent);
    sent = viewer.packet_count;
    viewer_run_until(hold_until_us + 100000);
    assert_int_equal(viewer.packet_count, sent);
    viewer_end();
}

static void send_loss_report(uint8_t fraction)
{
    uint8_t report[32] = {0x81, 201, 0, 7, 0, 0, 0, 1};
    write_u32(report + 8, viewer.ssrc);
    report[12] = fraction;
    viewer_send_rtcp(report, sizeof(report), &VIEWER);
}

/* How many packets of a frame of twelve leave at once, a second after the last. */
static int burst(void)
{
    viewer.now_us += 1000000;
    int sent = viewer.packet_count;
    viewer_send_and_forget(false, 12000);
    sent = viewer.packet_count - sent;
    viewer_run_until(viewer.now_us + 500000);
    return sent;
}

/* Loss without a queue: bursts are made small for a while, and stay so if that helped. */
static void a_path_that_drops_bursts_gets_small_ones(void **state)
{
    (void)state;
    for (int helps = 0; helps < 2; helps++) {
        viewer_connect();
        viewer_send_and_forget(true, 500);
        viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[0]), 0, 1);
        assert_int_equal(burst(), 11);
        send_loss_report(20);
        assert_in_range(burst(), 2, 5);
        send_loss_report(20);
        send_loss_report(helps ? 4 : 20);
        send_loss_report(helps ? 4 : 20);
        int whole = burst();
        assert_in_range(whole, helps ? 2 : 11, helps ? 5 : 11);
        viewer_end();
    }
}

/* Probes take padding when there is nothing else: copies of what was sent, on the RTX stream. */
static void a_probe_is_filled_with_copies(void **state)
{
    (void)state;
    viewer_connect();
    viewer_run_until(viewer.now_us + 100000);
    assert_int_equal(viewer_stats().probes, 0);
    viewer_send_and_forget(true, 3000);
    int sent = viewer.packet_count;
    viewer.now_us += 40000;
    viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[0]), 0, sent);
    int64_t begun_us = viewer.now_us;
    viewer_run_until(begun_us + 100000);
    struct rtc_session_stats now = viewer_stats();
    assert_int_equal(now.probes, 1);
    assert_int_equal(now.retransmits, 0);
    assert_int_equal(now.padding_packets, viewer.packet_count - sent);
    assert_in_range(now.padding_packets, 5, 60);
    for (int i = sent; i < viewer.packet_count; i++)
        assert_int_equal(viewer.packets[i].data[1] & 0x7f, RTX_PAYLOAD_TYPE);
    viewer_end();
}

static void reports_move_the_target(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 500);
    uint8_t report[32] = {0x81, 201, 0, 7, 0, 0, 0, 1};
    write_u32(report + 8, viewer.ssrc);
    report[12] = 128; /* half is lost */
    write_u32(report + 20, 900);
    write_u32(report + 24, (uint32_t)(viewer.report.ntp >> 16));
    viewer.now_us += 400000;
    write_u32(report + 28, 65536 / 10 * 3); /* held for 300 ms: 100 ms on the way */
    viewer_send_rtcp(report, sizeof(report), &VIEWER);
    assert_in_range(viewer.target_bps, 1425000 - 20000, 1425000 + 5000);
    struct rtc_session_stats now = viewer_stats();
    assert_in_range(now.round_trip_us, 99900, 100200);
    assert_true(now.jitter_ms == 10);
    assert_true(now.loss_fraction == 0.5);
    static const uint8_t remb[] = {0x8f, 206, 0,   5,   0, 0, 0, 1, 0, 0, 0, 0,
                                   'R',  'E', 'M', 'B', 1, 0, 0, 0, 0, 0, 0, 1};
    viewer.now_us += 200000;
    viewer_send_rtcp(remb, sizeof(remb), &VIEWER);
    assert_in_range(viewer.target_bps, 94000, 96000); /* 0 is brought to the minimum */
    viewer_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_encoder_is_told_when_a_frame_would_only_wait),
        cmocka_unit_test(a_path_that_drops_bursts_gets_small_ones),
        cmocka_unit_test(a_probe_is_filled_with_copies),
        cmocka_unit_test(reports_move_the_target),
    };
    return cmocka_run_group_tests(tests, viewer_set_up, viewer_tear_down);
}
