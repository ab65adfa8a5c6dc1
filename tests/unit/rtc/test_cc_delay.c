/* Groups, what arrives, trains, the trend and the queue: what the delay tells. */
#include "rtc/cc_acknowledged.h"
#include "rtc/cc_queue.h"
#include "rtc/cc_train.h"
#include "rtc/cc_trend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cc_groups groups;
static struct cc_queue queue;
static struct cc_train train;
static uint32_t unreported_bytes; /* before the next packet */

static int setup(void **state)
{
    (void)state;
    cc_groups_init(&groups);
    cc_queue_init(&queue, 0);
    cc_train_init(&train);
    unreported_bytes = 0;
    return 0;
}

static void assert_between(double value, double low, double high)
{
    if (!(value >= low && value <= high))
        fail_msg("%g is not within %g and %g", value, low, high);
}

static void packet(int64_t send_us, int64_t delay_us, uint32_t bytes, uint8_t frame, int own_ms)
{
    struct cc_result result = {.send_us = send_us,
                               .arrival_us = send_us + delay_us + 77000000, /* another clock */
                               .bytes = bytes,
                               .frame = frame,
                               .own_ms = (uint8_t)own_ms,
                               .unreported_bytes = unreported_bytes,
                               .received = true};
    unreported_bytes = 0;
    if (cc_groups_add(&groups, &result) && cc_groups_at(&groups, 2) != NULL)
        cc_queue_group(&queue, cc_groups_at(&groups, 2), cc_groups_at(&groups, 1));
    cc_train_add(&train, &result);
}

/* A frame of four packets of 1,000 bytes at `send_us` that finds a queue of queue_us, on a path
 * that takes 5 ms a packet (1.6 Mbit/s). */
static void frame(int64_t send_us, int64_t queue_us)
{
    for (int i = 0; i < 4; i++)
        packet(send_us + i * 100, 20000 + queue_us + i * 5000, 1000, (uint8_t)(send_us / 33000), 0);
}

static void a_frame_is_timed_by_the_packet_that_waited_least(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        frame(i * 33000, i < 5 ? 0 : 30000);
    assert_int_equal(cc_groups_at(&groups, 6)->queue_us, 0);
    assert_int_equal(cc_groups_at(&groups, 1)->queue_us, 30000);
    assert_int_equal(cc_groups_at(&groups, 1)->bytes, 4000);
    assert_int_equal(cc_groups_at(&groups, 0)->queue_us, 30000);
    assert_null(cc_groups_at(&groups, 10));
}

static void own_bursts_explain_a_wait(void **state)
{
    (void)state;
    frame(0, 0);
    packet(33000, 20000 + 50000, 1000, 1, 45);
    assert_int_equal(cc_group_waited_us(cc_groups_at(&groups, 0)), 5000);
    packet(66000, 20000 + 200000, 1000, 1, 250); /* but not without end */
    assert_int_equal(cc_group_waited_us(cc_groups_at(&groups, 0)), 120000);
}

static void a_release_after_a_stall_is_one_group(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        packet(i * 33000, 20000, 1000, (uint8_t)i, 0);
    for (int i = 10; i < 13; i++) /* all arrive at once */
        packet(i * 33000, 20000 + (13 - i) * 33000, 1000, (uint8_t)i, 0);
    assert_int_equal(groups.closed, 10);
    assert_int_equal(cc_groups_at(&groups, 0)->packets, 3);
    assert_int_equal(cc_groups_at(&groups, 0)->queue_us, 33000);
}

static void the_base_follows_a_drifting_clock(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) /* 200 ppm over 100 s: 20 ms */
        packet(i * 33333, 20000 + i * 33333 / 5000, 1000, (uint8_t)i, 0);
    assert_in_range(cc_groups_at(&groups, 0)->queue_us, 1000, 2100);
    packet(110000000, 20000 - 5000000, 1000, 1, 0); /* the clock was set */
    assert_int_equal(cc_groups_at(&groups, 0)->queue_us, 0);
    assert_int_equal(groups.closed, 0);
}

static void rates_are_those_of_arrival(void **state)
{
    (void)state;
    frame(0, 0);
    assert_true(cc_acknowledged_bps(&groups) == 0);
    for (int i = 1; i < 60; i++)
        frame(i * 33000, 0);
    assert_between(cc_acknowledged_bps(&groups), 960e3, 975e3); /* 32 kbit in 33 ms */
    assert_true(cc_busy_bps(&groups, 0) == 0);
    /* 32 kbit in 33 ms come, but take 50 ms to pass: 640 kbit/s. */
    for (int i = 60; i < 72; i++)
        frame(i * 33000, (i - 59) * 17000);
    assert_between(cc_busy_bps(&groups, 0), 630e3, 650e3);
    assert_between(cc_acknowledged_bps(&groups), 640e3, 960e3);
}

/* As above, but the report on every third frame was lost. */
static void a_lost_report_does_not_lower_what_arrived(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++)
        frame(i * 33000, 0);
    for (int i = 60; i < 72; i++) {
        if (i % 3 == 1)
            unreported_bytes = 4000;
        else
            frame(i * 33000, (i - 59) * 17000);
    }
    assert_between(cc_busy_bps(&groups, 0), 600e3, 670e3);
    assert_between(cc_acknowledged_bps(&groups), 640e3, 960e3);
}

static void a_pause_does_not_lower_what_is_acknowledged(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++)
        frame(i * 33000, i > 45 && i < 50 ? (50 - i) * 33000 : 0); /* four frames in a lump */
    assert_between(cc_acknowledged_bps(&groups), 930e3, 975e3);
}

static void trains_tell_the_bottleneck(void **state)
{
    (void)state;
    assert_true(cc_train_bps(&train, 0) == 0);
    for (int i = 0; i < 12; i++)
        frame(i * 33000, 0);
    assert_between(cc_train_bps(&train, 400000), 1550e3, 1600e3);
    assert_true(cc_train_bps(&train, 9000000) == 0); /* too long ago */
    assert_between(cc_train_last_bps(&train), 1550e3, 1600e3);
    for (int i = 0; i < 40; i++) /* spread by the sender: no train */
        packet(500000 + i * 3000, 20000, 1000, 5, 0);
    assert_int_equal(train.count, 12);
}

static void small_frames_tell_what_the_bottleneck_passes_at_most(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_true(cc_train_most_bps(&train) == 0);
        packet(i * 33000, 20000, 850, (uint8_t)i, 0);
        packet(i * 33000 + 100, 36900, 850, (uint8_t)i, 0); /* 17 ms after the first */
    }
    packet(5 * 33000, 20000, 850, 5, 0); /* alone: tells nothing */
    packet(6 * 33000, 20000, 850, 6, 0);
    assert_between(cc_train_most_bps(&train), 399e3, 401e3);
    assert_true(cc_train_last_bps(&train) == 0);
}

/* Waits of a path with 10 ms of jitter and a queue that grows at `slope` ms a ms. */
static struct cc_trend trend_of(double slope, int count)
{
    struct cc_trend trend;
    uint32_t seed = 5;
    cc_trend_init(&trend);
    for (int i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        int32_t jitter_us = (int32_t)(seed >> 18) % 10000;
        cc_trend_add(&trend, i * 33000, i * 33000, 33000, (int32_t)(i * 33000 * slope) + jitter_us);
    }
    return trend;
}

static void a_growing_queue_is_overuse(void **state)
{
    (void)state;
    assert_int_equal(trend_of(0, 200).usage, CC_NORMAL);
    assert_int_equal(trend_of(0.2, 40).usage, CC_OVERUSE);
    assert_int_equal(trend_of(-0.2, 40).usage, CC_UNDERUSE);
    assert_between(trend_of(0.2, 40).slope, 0.17, 0.23);
    assert_between(trend_of(0, 200).threshold, 6, 12.5);
}

static enum cc_queue_event judge(int64_t now_us)
{
    return cc_queue_judge(&queue, &groups, now_us);
}

static void a_queue_that_shoots_up_is_overuse_within_three_frames(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        frame(i * 33000, 0);
    assert_int_equal(judge(660000), CC_QUEUE_CALM);
    frame(20 * 33000, 16000);
    frame(21 * 33000, 32000);
    assert_int_equal(judge(720000), CC_QUEUE_CALM);
    frame(22 * 33000, 48000);
    assert_int_equal(judge(760000), CC_QUEUE_OVERUSE);
}

static void a_queue_that_stands_is_overuse_and_a_short_one_stops_the_growth(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        frame(i * 33000, 0);
    for (int i = 20; i < 28; i++)
        frame(i * 33000, 18000);
    assert_int_equal(judge(920000), CC_QUEUE_STANDING);
    for (int i = 28; i < 36; i++)
        frame(i * 33000, 35000);
    assert_int_equal(judge(1200000), CC_QUEUE_OVERUSE);
}

static void jitter_is_not_a_queue(void **state)
{
    (void)state;
    uint32_t seed = 9;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525 + 1013904223;
        frame(i * 33000, (int64_t)(seed >> 16) % 30000);
        if (i > 100)
            assert_int_not_equal(judge(i * 33000 + 60000), CC_QUEUE_OVERUSE);
    }
    assert_between(queue.jitter_us, 5000, 15000);
}

static void a_hold_lasts_until_the_queue_is_empty(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        frame(i * 33000, i < 10 ? 0 : (i - 10) * 10000);
    /* The newest packet left 627.3 ms and waited 105 ms; 10 kB of 800 kbit/s are behind it. */
    cc_queue_drain(&queue, &groups, 660000, 10000, 800e3);
    assert_between((double)queue.hold_until_us, 820000, 830000);
    int64_t until_us = queue.hold_until_us;
    frame(20 * 33000, 100000); /* sent before: no news */
    assert_int_equal(judge(700000), CC_QUEUE_CALM);
    cc_queue_refine(&queue, &groups, 700000, 30000, 800e3);
    assert_true(queue.hold_until_us > until_us + 100000);
    assert_true(queue.hold_until_us <= 660000 + 450000);
    until_us = queue.hold_until_us;
    cc_queue_drain(&queue, &groups, until_us + 50000, 90000, 800e3); /* not back to back */
    assert_true(queue.hold_until_us == until_us);
}

static void a_hold_ends_when_a_burst_of_others_has_passed(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        frame(i * 33000, i < 15 ? 0 : (i - 15) * 25000);
    /* What others put in between makes our part so small that the rest seems to take long. */
    cc_queue_drain(&queue, &groups, 660000, 12000, 240e3);
    assert_true(queue.hold_until_us > 1000000);
    cc_queue_refine(&queue, &groups, 700000, 9000, 0); /* it still queues */
    assert_true(queue.hold_until_us > 1000000);
    packet(20 * 33000, 20000, 1000, 20, 0);
    cc_queue_refine(&queue, &groups, 760000, 6000, 0);
    assert_true(queue.hold_until_us == 760000);
}

static void a_queue_that_is_never_calm_is_somebody_elses(void **state)
{
    (void)state;
    int64_t now_us = 0;
    for (int i = 0; i < 30; i++, now_us += 33000)
        frame(now_us, 0);
    for (int i = 0; i < 300 && !cc_queue_is_shared(&queue, now_us); i++, now_us += 33000) {
        frame(now_us, 100000 + i % 3 * 3000);
        if (judge(now_us + 30000) == CC_QUEUE_OVERUSE && now_us > queue.hold_until_us)
            cc_queue_drain(&queue, &groups, now_us + 30000, 4000, 800e3);
    }
    assert_between((double)now_us, 4e6, 7e6);
    assert_true(queue.in_vain > 0);
    frame(now_us, 100000);
    assert_int_equal(judge(now_us), CC_QUEUE_CALM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_frame_is_timed_by_the_packet_that_waited_least, setup),
        cmocka_unit_test_setup(own_bursts_explain_a_wait, setup),
        cmocka_unit_test_setup(a_release_after_a_stall_is_one_group, setup),
        cmocka_unit_test_setup(the_base_follows_a_drifting_clock, setup),
        cmocka_unit_test_setup(rates_are_those_of_arrival, setup),
        cmocka_unit_test_setup(a_lost_report_does_not_lower_what_arrived, setup),
        cmocka_unit_test_setup(a_pause_does_not_lower_what_is_acknowledged, setup),
        cmocka_unit_test_setup(trains_tell_the_bottleneck, setup),
        cmocka_unit_test_setup(small_frames_tell_what_the_bottleneck_passes_at_most, setup),
        cmocka_unit_test_setup(a_growing_queue_is_overuse, setup),
        cmocka_unit_test_setup(a_queue_that_shoots_up_is_overuse_within_three_frames, setup),
        cmocka_unit_test_setup(a_queue_that_stands_is_overuse_and_a_short_one_stops_the_growth,
                               setup),
        cmocka_unit_test_setup(jitter_is_not_a_queue, setup),
        cmocka_unit_test_setup(a_hold_lasts_until_the_queue_is_empty, setup),
        cmocka_unit_test_setup(a_hold_ends_when_a_burst_of_others_has_passed, setup),
        cmocka_unit_test_setup(a_queue_that_is_never_calm_is_somebody_elses, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
