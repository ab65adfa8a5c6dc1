#include "cc_path.h"

#include "core/error.h"
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

static void assert_between(double value, double low, double high)
{
    if (!(value >= low && value <= high))
        fail_msg("%g is not within %g and %g", value, low, high);
}

/* ---- peers without transport-wide feedback ---- */

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
    assert_int_equal(cc_hold_until_us(cc), 0);
    assert_true(cc_deadline(cc) == INT64_MAX);
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

/* A round trip of more than 3 s, by reports: 0.8 of the rate every second. */
static void a_long_round_trip_backs_off(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        cc_on_receiver_report(cc, i * 1000000, 0.05, 2900000);
    assert_int_equal(cc_target_bps(cc, 3000000), 1000000);
    for (int i = 4; i <= 6; i++)
        cc_on_receiver_report(cc, i * 1000000, 0.05, 3500000);
    assert_int_equal(cc_target_bps(cc, 6000000), 512000);
}

/* ---- limits and hostile input ---- */

static void limits_are_put_in_order(void **state)
{
    (void)state;
    struct cc_settings wrong = {.min_bps = 500, .start_bps = 0, .max_bps = -3};
    cc_init(cc, &wrong, 0);
    assert_int_equal(cc_target_bps(cc, 0), 500);
    cc_init(cc, &LIMITS, 0);
    cc_set_limits(cc, 0, &wrong);
    assert_int_equal(cc_target_bps(cc, 0), 500);
}

/* Feedback on `count` packets: all received, `delta` each after the one before. */
static int feed(uint16_t first, int count, uint8_t delta, int32_t reference, int64_t now_us)
{
    uint8_t items[2048];
    size_t size = 0;
    for (int i = 0; i < count; i += 14, size += 2)
        write_u16(items + size, 0xbfff);
    memset(items + size, delta, (size_t)(count + 13) / 14 * 14);
    struct rtcp_packet packet = {.kind = RTCP_TRANSPORT_FEEDBACK,
                                 .items = items,
                                 .items_size = size + (size_t)(count + 13) / 14 * 14,
                                 .transport = {.base_sequence = first,
                                               .status_count = (uint16_t)count,
                                               .reference_64ms = reference}};
    return cc_on_transport_feedback(cc, now_us, &packet);
}

static void feedback_on_packets_never_sent_has_no_effect(void **state)
{
    (void)state;
    for (int i = 1; i < 30; i++)
        assert_int_equal(feed((uint16_t)(i * 100), 98, 4, i, i * 1000000), OW_OK);
    assert_int_equal(cc_target_bps(cc, 0), 1000000);
    assert_true(cc->acknowledged_bps == 0);
    struct rtcp_packet malformed = {.kind = RTCP_TRANSPORT_FEEDBACK,
                                    .items = (const uint8_t *)"",
                                    .transport = {.status_count = 5}};
    assert_int_equal(cc_on_transport_feedback(cc, 0, &malformed), OW_EPARSE);
}

static void replayed_feedback_has_no_effect(void **state)
{
    (void)state;
    send_second(0, 1000000, 980000);
    assert_int_equal(feed(0, 98, 40, 0, 1000000), OW_OK);
    int target = cc_target_bps(cc, 1000000);
    int64_t queue_us = cc_queue_delay_us(cc);
    for (int i = 0; i < 100; i++)
        assert_int_equal(feed(0, 98, 40, i * 1000, 1000000 + i), OW_OK);
    assert_int_equal(cc_target_bps(cc, 1000100), target);
    assert_true(cc_queue_delay_us(cc) == queue_us);
}

/* Arrival times of any kind, by a receiver that means harm: the target stays within the limits, and
 * no hold lasts. */
static void forged_arrival_times_do_no_harm(void **state)
{
    (void)state;
    uint64_t seed = 3;
    uint16_t sequence = 0;
    for (int i = 1; i <= 2000; i++) {
        int64_t now_us = (int64_t)i * 100000;
        for (int k = 0; k < 14; k++)
            cc_on_packet_sent(cc, &(struct cc_packet){.send_us = now_us - 50000 + k * 1000,
                                                      .sequence = sequence++,
                                                      .bytes = (uint16_t)(seed >> 50),
                                                      .frame = (uint32_t)i});
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int32_t reference = (int32_t)(seed >> 40 & 0xffffff) - (1 << 23);
        reference = i % 3 == 0 ? reference : i * 2;
        assert_int_equal(
            feed((uint16_t)(sequence - 14), 14, (uint8_t)(seed >> 33), reference, now_us), OW_OK);
        if (now_us >= cc_deadline(cc))
            cc_on_timeout(cc, now_us);
        assert_in_range(cc_target_bps(cc, now_us), LIMITS.min_bps, LIMITS.max_bps);
        assert_true(cc_pacing_bps(cc, now_us) > 0);
        assert_true(cc_hold_until_us(cc) <= now_us + 500000);
        struct cc_probe probe;
        if (cc_take_probe(cc, now_us, &probe))
            assert_in_range(probe.bps, 1, LIMITS.max_bps);
    }
}

/* ---- on a path ---- */

static struct path *stepped(double from_bps, double to_bps, int64_t base_us)
{
    struct path *path = path_new(from_bps, base_us, 1, &LIMITS);
    path_run(path, 21000000);
    path->rate_bps = to_bps;
    path_run(path, 41000000);
    return path;
}

static void half_the_capacity_costs_one_short_hold(void **state)
{
    (void)state;
    struct path *path = stepped(2e6, 1e6, 10000);
    assert_between(path_rate(path, 0, 11, 21), 1.7e6, 2e6);
    assert_between(path_worst_second(path, 0, 20, 31), 20, 90);
    assert_between(path_settled(path, 0, 21, 23, 60), 0.1, 1.0);
    assert_between(path_lowest(path, 0, 21, 31), 0.7e6, 0.95e6);
    assert_between(path_rate(path, 0, 31, 41), 0.85e6, 1e6);
    assert_between((double)path->senders[0].held_us, 100e3, 1500e3);
    free(path);
}

static void less_than_half_the_capacity_does_not_starve(void **state)
{
    (void)state;
    struct path *path = stepped(1e6, 0.4e6, 10000);
    assert_between(path_worst_second(path, 0, 20, 31), 20, 200);
    assert_between(path_settled(path, 0, 21, 24, 100), 0.1, 1.5);
    assert_between(path_lowest(path, 0, 21, 31), 0.3e6, 0.4e6);
    for (int second = 21; second < 31; second++)
        assert_between(path_rate(path, 0, second, second + 1), 0.25e6, 0.45e6);
    assert_between(path_rate(path, 0, 31, 41), 0.34e6, 0.4e6);
    free(path);
}

static void five_times_the_capacity_is_found_at_once(void **state)
{
    (void)state;
    struct path *path = stepped(0.4e6, 2e6, 10000);
    assert_between(path_reached(path, 0, 21, 1.5e6), 0.1, 5.0);
    assert_between(path_rate(path, 0, 31, 41), 1.7e6, 2e6);
    free(path);
}

static void random_loss_leaves_the_capacity_in_use(void **state)
{
    (void)state;
    struct path *path = path_new(2e6, 25000, 1, &LIMITS);
    path->loss = 0.05;
    path_run(path, 61000000);
    assert_between(path_rate(path, 0, 11, 61), 0.8 * 0.95 * 2e6, 0.95 * 2e6);
    assert_between(path_frame_delay(path, 0, 11, 61, 0.95), 20, 70);
    free(path);
}

static void jitter_is_no_reason_to_stop(void **state)
{
    (void)state;
    struct path *path = path_new(2e6, 25000, 1, &LIMITS);
    path->jitter_us = 30000;
    path_run(path, 61000000);
    assert_between(path_rate(path, 0, 11, 61), 0.75 * 2e6, 2e6);
    assert_between(path_frame_delay(path, 0, 11, 61, 0.95), 20, 90);
    assert_between((double)path->senders[0].held_us, 0, 2e6);
    free(path);
}

static void two_share_evenly(void **state)
{
    (void)state;
    struct path *path = path_new(2e6, 50000, 2, &LIMITS);
    path->senders[1].start_us = 21000000;
    path->senders[1].fps = 29;
    path_run(path, 101000000);
    double first = path_rate(path, 0, 61, 101), second = path_rate(path, 1, 61, 101);
    assert_between(first + second, 1.65e6, 2e6);
    assert_between(first / second, 0.6, 1.6);
    assert_between(path_rate(path, 0, 11, 21), 1.6e6, 2e6); /* it was alone then */
    free(path);
}

static void a_stalled_path_is_noticed_and_tried_again(void **state)
{
    (void)state;
    struct path *path = path_new(2e6, 25000, 1, &LIMITS);
    path_run(path, 11000000);
    path->lose_feedback = true;
    path_run(path, 13000000);
    /* Most frames are held, some are let through. */
    assert_between((double)path->senders[0].held_us, 1e6, 1.8e6);
    assert_between(path->senders[0].sent_bits[12], 50e3, 0.8e6);
    path->lose_feedback = false;
    path_run(path, 14000000);
    assert_int_equal(path->senders[0].cc.stalls, 0);
    assert_true(cc_hold_until_us(&path->senders[0].cc) < path->now_us + 500000);
    path_run(path, 24000000);
    assert_between(path_rate(path, 0, 14, 24), 1.4e6, 2e6);
    free(path);
}

static void the_rate_is_found_again_soon_after_a_long_outage(void **state)
{
    (void)state;
    struct path *path = path_new(2e6, 25000, 1, &LIMITS);
    path_run(path, 10000000);
    path->lose_feedback = true;
    path_run(path, 22000000);
    const struct cc *estimate = &path->senders[0].cc;
    assert_between(cc_target_bps(estimate, path->now_us), 100e3, 0.7e6);
    path->lose_feedback = false;
    path_run(path, 23500000);
    assert_between(cc_target_bps(estimate, path->now_us), 1.4e6, 2e6);
    assert_between((double)estimate->feedback_round_trip_us, 50e3, 200e3);
    free(path);
}

static void little_to_send_raises_the_target_by_probes_only(void **state)
{
    (void)state;
    struct path *path = path_new(4e6, 25000, 1, &LIMITS);
    path->senders[0].demand_bps = 300e3;
    path_run(path, 31000000);
    assert_between(path_lowest(path, 0, 20, 31), 1e6, 4e6);
    assert_between(path_rate(path, 0, 11, 31), 250e3, 400e3);
    assert_in_range(path->senders[0].probes, 1, 10);
    free(path);
}

static void a_changed_path_is_learned_anew(void **state)
{
    (void)state;
    struct path *path = path_new(3e6, 25000, 1, &LIMITS);
    path_run(path, 11000000);
    struct cc *changed = &path->senders[0].cc;
    cc_on_path_change(changed, path->now_us);
    assert_int_equal(cc_target_bps(changed, path->now_us), LIMITS.start_bps);
    assert_true(cc_queue_delay_us(changed) == 0);
    assert_true(cc_round_trip_us(changed) == 0);
    path_run(path, 21000000);
    assert_between(path_rate(path, 0, 14, 21), 2.2e6, 3e6);
    free(path);
}

/* Thousands of viewers have one each. */
static void it_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct cc) < 36 * 1024);
}

static void frames_of_a_fixed_rate_are_never_held(void **state)
{
    (void)state;
    static const struct cc_settings fixed = {
        .min_bps = 1500000, .start_bps = 1500000, .max_bps = 1500000};
    struct path *path = path_new(1e6, 25000, 1, &fixed);
    path_run(path, 5000000);
    assert_int_equal(path->senders[0].held_us, 0);
    assert_int_equal(cc_target_bps(&path->senders[0].cc, path->now_us), 1500000);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(low_loss_grows_by_eight_percent_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(an_idle_sender_does_not_grow, setup, teardown),
        cmocka_unit_test_setup_teardown(medium_loss_holds_and_high_loss_shrinks, setup, teardown),
        cmocka_unit_test_setup_teardown(remb_caps_within_the_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_round_trip_backs_off, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_are_put_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(feedback_on_packets_never_sent_has_no_effect, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(replayed_feedback_has_no_effect, setup, teardown),
        cmocka_unit_test_setup_teardown(forged_arrival_times_do_no_harm, setup, teardown),
        cmocka_unit_test(half_the_capacity_costs_one_short_hold),
        cmocka_unit_test(less_than_half_the_capacity_does_not_starve),
        cmocka_unit_test(five_times_the_capacity_is_found_at_once),
        cmocka_unit_test(random_loss_leaves_the_capacity_in_use),
        cmocka_unit_test(jitter_is_no_reason_to_stop),
        cmocka_unit_test(two_share_evenly),
        cmocka_unit_test(a_stalled_path_is_noticed_and_tried_again),
        cmocka_unit_test(frames_of_a_fixed_rate_are_never_held),
        cmocka_unit_test(the_rate_is_found_again_soon_after_a_long_outage),
        cmocka_unit_test(little_to_send_raises_the_target_by_probes_only),
        cmocka_unit_test(a_changed_path_is_learned_anew),
        cmocka_unit_test(it_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
