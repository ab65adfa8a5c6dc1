/* The receiver model does what a browser does: what it asks for and when, what it shows, and how
 * the figures count it. */
#include "rtc/rtcp.h"
#include "rtc/rtp_header.h"
#include "sim_metrics.h"
#include "sim_receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SSRC = 77, RTX_SSRC = 78, MAX_EVENTS = 256 };

static struct {
    struct sim_clock clock;
    struct sim_receiver receiver;
    int64_t nacks_us[MAX_EVENTS], plis_us[MAX_EVENTS], reports_us[MAX_EVENTS];
    int nacks, plis, reports, shown;
    uint16_t nacked, nacked_mask;
    uint8_t fraction_lost;
    uint32_t shown_timestamp;
} test;

static void on_rtcp(void *context, const uint8_t *data, size_t size)
{
    int64_t now_us = test.clock.now_us;
    (void)context;
    if (data[1] == 205 && (data[0] & 0x1f) == 1) {
        assert_int_equal(size, 16);
        test.nacks_us[test.nacks++] = now_us;
        test.nacked = read_u16(data + 12);
        test.nacked_mask = read_u16(data + 14);
    } else if (data[1] == 206 && (data[0] & 0x1f) == 1) {
        test.plis_us[test.plis++] = now_us;
    } else if (data[1] == 201) {
        test.reports_us[test.reports++] = now_us;
        test.fraction_lost = data[12];
    }
}

static void on_shown(void *context, const struct sim_shown *frame)
{
    (void)context;
    test.shown++;
    test.shown_timestamp = frame->timestamp;
}

static void begin(void)
{
    memset(&test, 0, sizeof(test));
    test.clock.now_us = 1000000;
    struct sim_receiver_settings settings = {.ssrc = SSRC,
                                             .rtx_ssrc = RTX_SSRC,
                                             .feedback = SIM_REPORTS_ONLY,
                                             .nack_repeat_us = 100000,
                                             .send = on_rtcp,
                                             .shown = on_shown};
    sim_receiver_init(&test.receiver, &test.clock, &settings);
}

static void end(void)
{
    sim_clock_clear(&test.clock, NULL);
}

static void wait_ms(int64_t ms)
{
    sim_run_until(&test.clock, test.clock.now_us + ms * 1000);
}

/* A frame of one packet; `original` >= 0: as RTX of that number. */
static void give(uint16_t sequence, uint32_t timestamp, bool key, int original)
{
    uint8_t data[64] = {0x80, 0x80 | 102};
    size_t size = RTP_FIXED_BYTES;
    write_u16(data + 2, sequence);
    write_u32(data + 4, timestamp);
    write_u32(data + 8, original >= 0 ? RTX_SSRC : SSRC);
    if (original >= 0) {
        write_u16(data + size, (uint16_t)original);
        size += 2;
    }
    data[size] = key ? 24 : 1;
    data[size + 3] = 0x67;
    sim_receiver_rtp(&test.receiver, data, size + 20);
}

static void a_gap_is_asked_for_at_once_and_ten_times(void **state)
{
    (void)state;
    begin();
    give(65534, 1, true, -1);
    give(1, 4, false, -1); /* 65535 and 0 are missing */
    assert_int_equal(test.nacks, 1);
    assert_int_equal(test.nacked, 65535);
    assert_int_equal(test.nacked_mask, 1);
    assert_int_equal(test.shown, 1);
    wait_ms(2900);
    assert_int_equal(test.nacks, 10);
    for (int i = 1; i < 10; i++)
        assert_in_range(test.nacks_us[i] - test.nacks_us[i - 1], 100000, 120000);
    assert_int_equal(test.plis, 0);
    wait_ms(200); /* 3 s without a frame */
    assert_int_equal(test.plis, 1);
    end();
}

static void repair_shows_what_waited(void **state)
{
    (void)state;
    begin();
    give(10, 1, true, -1);
    give(12, 3, false, -1);
    give(13, 4, false, -1);
    assert_int_equal(test.shown, 1);
    wait_ms(50);
    give(500, 2, false, 11);
    assert_int_equal(test.shown, 4);
    assert_int_equal(test.shown_timestamp, 4);
    wait_ms(1000);
    assert_int_equal(test.nacks, 1);
    end();
}

static void a_key_frame_ends_the_wait(void **state)
{
    (void)state;
    begin();
    give(10, 1, false, -1); /* nothing to decode it with */
    assert_int_equal(test.shown, 0);
    wait_ms(250);
    assert_int_equal(test.plis, 1);
    give(11, 2, true, -1);
    give(13, 4, false, -1);
    give(14, 5, true, -1);
    assert_int_equal(test.shown, 2);
    assert_int_equal(test.shown_timestamp, 5);
    end();
}

static void reports_tell_the_loss_of_a_second(void **state)
{
    (void)state;
    begin();
    for (uint16_t i = 0; i < 100; i++)
        if (i % 4 != 1)
            give(i, i, true, -1);
    wait_ms(1001);
    assert_int_equal(test.reports, 1);
    assert_in_range(test.fraction_lost, 62, 64);
    give(100, 100, true, -1);
    wait_ms(1000);
    assert_int_equal(test.reports, 2);
    assert_int_equal(test.fraction_lost, 0);
    end();
}

/* ---- figures ---- */

static void freezes_are_gaps_far_above_the_average(void **state)
{
    (void)state;
    struct sim_metrics metrics;
    sim_metrics_init(&metrics, 10000000);
    int64_t now_us = 0;
    static const int64_t gaps_ms[] = {33, 180, 33, 33, 195, 33};
    for (int i = 0; i < 66; i++) {
        now_us += 1000 * (i < 60 ? 33 : gaps_ms[i - 60]);
        sim_metrics_shown(&metrics, now_us, now_us - 20000, 100);
    }
    assert_int_equal(metrics.freezes, 1);
    assert_int_equal(metrics.longest_gap_us, 195000);
    assert_int_equal(metrics.frames_shown, 66);
    assert_int_equal(sim_percentile(&metrics.latency, 0, 10000000, 0.5), 20000);
    sim_metrics_clear(&metrics);
}

static void settling_is_when_the_median_is_back(void **state)
{
    (void)state;
    struct sim_metrics metrics;
    sim_metrics_init(&metrics, 10000000);
    for (int64_t now_us = 0; now_us < 10000000; now_us += 40000) {
        bool slow = now_us >= 4000000 && now_us < 5300000;
        sim_metrics_shown(&metrics, now_us, now_us - (slow ? 90000 : 30000), 100);
        sim_metrics_bin(&metrics, now_us)->sent_bytes += slow ? 1000 : 5000;
        sim_metrics_bin(&metrics, now_us)->passed_bytes += slow ? 1000 : 5000;
    }
    assert_int_equal(sim_settled_below_us(&metrics, 4000000, 10000000, 40000), 1400000);
    assert_int_equal(sim_settled_below_us(&metrics, 4000000, 10000000, 20000), 6000000);
    assert_int_equal(sim_worst_second_us(&metrics, 0, 10000000), 90000);
    assert_int_equal(sim_worst_second_us(&metrics, 6000000, 10000000), 30000);
    assert_int_equal(sim_reached_us(&metrics, 4200000, 10000000, 990000), 2200000);
    assert_true(sim_least_sent_bps(&metrics, 0, 10000000) == 200000);
    assert_true(sim_sent_bps(&metrics, 1000000, 2000000) == 1000000);
    sim_metrics_clear(&metrics);
}

static void fairness_is_jains_index(void **state)
{
    (void)state;
    static const double even[] = {2, 2, 2, 2}, one[] = {1, 0, 0, 0}, uneven[] = {3, 1};
    assert_true(sim_fairness(even, 4) == 1);
    assert_true(sim_fairness(one, 4) == 0.25);
    assert_true(sim_fairness(uneven, 2) == 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_is_asked_for_at_once_and_ten_times),
        cmocka_unit_test(repair_shows_what_waited),
        cmocka_unit_test(a_key_frame_ends_the_wait),
        cmocka_unit_test(reports_tell_the_loss_of_a_second),
        cmocka_unit_test(freezes_are_gaps_far_above_the_average),
        cmocka_unit_test(settling_is_when_the_median_is_back),
        cmocka_unit_test(fairness_is_jains_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
