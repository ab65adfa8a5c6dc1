/* AIMD, loss and probes: what rate follows from what was seen. */
#include "rtc/cc_aimd.h"
#include "rtc/cc_loss.h"
#include "rtc/cc_probe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_between(double value, double low, double high)
{
    if (!(value >= low && value <= high))
        fail_msg("%g is not within %g and %g", value, low, high);
}

/* ---- AIMD ---- */

/* Updates every 100 ms for `seconds`; what is acknowledged follows the rate. */
static void go_on(struct cc_aimd *aimd, int64_t *now_us, double seconds, struct cc_aimd_input in)
{
    for (int i = 0; i < (int)(seconds * 10); i++) {
        *now_us += 100000;
        in.acknowledged_bps = aimd->bps;
        cc_aimd_update(aimd, *now_us, &in);
    }
}

static const struct cc_aimd_input CALM = {.share = 1, .packet_bytes = 1000, .round_trip_us = 50000};

static void overuse_lowers_to_what_passes(void **state)
{
    (void)state;
    struct cc_aimd aimd;
    struct cc_aimd_input in = CALM;
    cc_aimd_init(&aimd, 0, 2e6);
    in.overuse = in.drained = true;
    in.acknowledged_bps = 1.5e6;
    in.busy_bps = 1e6;
    cc_aimd_update(&aimd, 1000000, &in);
    assert_between(aimd.bps, 0.88e6 - 1, 0.88e6 + 1);
    cc_aimd_update(&aimd, 1010000, &in); /* the same queue */
    assert_between(aimd.bps, 0.88e6 - 1, 0.88e6 + 1);
    in.drained = false;
    in.busy_bps = 0;
    in.acknowledged_bps = 0.8e6;
    cc_aimd_update(&aimd, 2000000, &in);
    assert_between(aimd.bps, 0.85 * 0.8e6 - 5001, 0.85 * 0.8e6 - 4999);
    in.acknowledged_bps = 0;
    double before_bps = aimd.bps;
    cc_aimd_update(&aimd, 3000000, &in);
    assert_between(aimd.bps, before_bps / 2 - 1, before_bps / 2 + 1);
}

static void the_hold_refines_what_was_measured(void **state)
{
    (void)state;
    struct cc_aimd aimd;
    struct cc_aimd_input in = CALM;
    cc_aimd_init(&aimd, 0, 2e6);
    in.overuse = in.drained = true;
    in.busy_bps = in.acknowledged_bps = 1.4e6;
    cc_aimd_update(&aimd, 1000000, &in);
    in.overuse = false;
    in.holding = true;
    in.busy_bps = 1e6;
    cc_aimd_update(&aimd, 1100000, &in);
    assert_between(aimd.bps, 0.88e6 - 1, 0.88e6 + 1);
}

static void near_the_link_the_rate_grows_slowly_and_beyond_it_fast(void **state)
{
    (void)state;
    struct cc_aimd aimd;
    struct cc_aimd_input in = CALM;
    int64_t now_us = 1000000;
    cc_aimd_init(&aimd, 0, 2e6);
    in.overuse = in.drained = true;
    in.busy_bps = in.acknowledged_bps = 1e6;
    cc_aimd_update(&aimd, now_us, &in);
    go_on(&aimd, &now_us, 1, CALM);
    assert_between(aimd.bps, 0.9e6, 0.92e6); /* 9.6 kbit in 300 ms */
    aimd.bps = 1.06e6;
    assert_true(cc_aimd_beyond_link(&aimd));
    go_on(&aimd, &now_us, 1, CALM);
    assert_between(aimd.bps, 1.15e6, 1.4e6);
    go_on(&aimd, &now_us, 2, CALM);
    assert_between(aimd.bps, 2.4e6, 3.8e6);
}

static void nearer_to_a_link_that_frames_still_show_it_grows_slower(void **state)
{
    (void)state;
    struct cc_aimd aimd;
    struct cc_aimd_input in = CALM;
    int64_t now_us = 1000000;
    cc_aimd_init(&aimd, 0, 0.8e6);
    in.overuse = in.drained = true;
    in.busy_bps = in.acknowledged_bps = 0.4e6;
    cc_aimd_update(&aimd, now_us, &in);
    in = CALM;
    in.most_bps = 0.42e6;
    go_on(&aimd, &now_us, 2, in);
    assert_between(aimd.bps, 0.37e6, 0.39e6);
    go_on(&aimd, &now_us, 4, in);
    assert_between(aimd.bps, 0.385e6, 0.405e6);
    in.most_bps = 2e6; /* another link */
    go_on(&aimd, &now_us, 4, in);
    assert_true(cc_aimd_beyond_link(&aimd) && aimd.bps > 0.8e6);
}

static void growth_stops_at_what_is_acknowledged_and_at_a_queue(void **state)
{
    (void)state;
    struct cc_aimd aimd;
    struct cc_aimd_input in = CALM;
    cc_aimd_init(&aimd, 0, 1e6);
    in.acknowledged_bps = 0.4e6;
    for (int i = 1; i < 100; i++)
        cc_aimd_update(&aimd, i * 100000, &in);
    assert_between(aimd.bps, 1e6, 1e6); /* more than 1.5 times it already */
    in.acknowledged_bps = 0.8e6;
    for (int i = 100; i < 200; i++)
        cc_aimd_update(&aimd, i * 100000, &in);
    assert_between(aimd.bps, 1.21e6 - 1, 1.21e6 + 1);
    in.acknowledged_bps = 2e6;
    in.standing = true;
    cc_aimd_update(&aimd, 21000000, &in);
    assert_between(aimd.bps, 1.21e6 - 1, 1.21e6 + 1);
    assert_int_equal(aimd.state, CC_HOLD);
}

static void the_larger_part_of_a_shared_path_gives_way_more(void **state)
{
    (void)state;
    double left[2];
    for (int i = 0; i < 2; i++) {
        struct cc_aimd aimd;
        struct cc_aimd_input in = CALM;
        in.share = i == 0 ? 0.75 : 0.25;
        in.overuse = in.drained = true;
        in.busy_bps = in.acknowledged_bps = 1e6;
        cc_aimd_init(&aimd, 0, 1e6);
        cc_aimd_update(&aimd, 1000000, &in);
        left[i] = aimd.bps;
    }
    assert_between(left[0], 0.8e6, 0.86e6);
    assert_between(left[1], 0.9e6, 0.95e6);
}

static void a_burst_of_others_does_not_take_our_part(void **state)
{
    (void)state;
    struct cc_aimd aimd;
    struct cc_aimd_input in = CALM;
    in.overuse = in.drained = true;
    in.acknowledged_bps = 0.8e6;
    in.busy_bps = 0.2e6;
    in.newest_train_bps = 2e6; /* the bottleneck is as fast as ever */
    cc_aimd_init(&aimd, 0, 1e6);
    cc_aimd_update(&aimd, 1000000, &in);
    assert_between(aimd.bps, 0.75e6, 0.9e6);
    in.newest_train_bps = 0.21e6; /* it is not */
    cc_aimd_update(&aimd, 2000000, &in);
    assert_between(aimd.bps, 0.1e6, 0.2e6);
}

static void beside_tcp_only_loss_is_given_way_to(void **state)
{
    (void)state;
    struct cc_aimd aimd;
    struct cc_aimd_input in = CALM;
    int64_t now_us = 0;
    in.shared = in.overuse = true;
    cc_aimd_init(&aimd, 0, 0.3e6);
    go_on(&aimd, &now_us, 2, in);
    assert_between(aimd.bps, 0.5e6, 3e6);
    double before_bps = aimd.bps;
    in.lost = true;
    in.acknowledged_bps = before_bps;
    cc_aimd_update(&aimd, now_us + 100000, &in);
    cc_aimd_update(&aimd, now_us + 200000, &in); /* the same loss */
    assert_between(aimd.bps, 0.85 * before_bps - 1, 0.85 * before_bps + 1);
}

/* ---- loss ---- */

/* Sends at the rate that delay (of `delay_bps`) and loss allow for `seconds`, over a path that lets
 * `capacity_bps` through and loses `random` of the rest; returns the last rate. */
static double send_for(double seconds, double delay_bps, double capacity_bps, double random,
                       bool calm)
{
    struct cc_loss loss;
    uint32_t seed = 11;
    double bps = delay_bps, credit = 0;
    int64_t now_us = 0;
    cc_loss_init(&loss);
    while ((double)now_us < seconds * 1e6) {
        uint32_t received = 0, sent = 0;
        for (int64_t until_us = now_us + 100000; now_us < until_us; sent += 1200) {
            now_us += (int64_t)(1200 * 8e6 / bps);
            credit = fmin(credit + 1200 * capacity_bps / bps, 6000);
            seed = seed * 1664525 + 1013904223;
            bool arrives = credit >= 1200 && (seed >> 8) / 16777216.0 >= random;
            credit -= credit >= 1200 ? 1200 : 0;
            received += arrives ? 1200 : 0;
            cc_loss_packet(&loss, now_us, 1200, arrives, false);
        }
        struct cc_loss_input in = {.delay_bps = delay_bps,
                                   .acknowledged_bps = received * bps / sent,
                                   .min_bps = 100e3,
                                   .max_bps = 10e6,
                                   .calm = calm};
        cc_loss_update(&loss, &in);
        bps = loss.state == CC_LOSS_FREE ? delay_bps : fmin(loss.bps, delay_bps);
    }
    return bps;
}

static void random_loss_does_not_lower_the_rate(void **state)
{
    (void)state;
    assert_between(send_for(30, 2e6, 20e6, 0, false), 2e6, 2e6);
    assert_between(send_for(30, 2e6, 20e6, 0.02, false), 1.8e6, 2e6);
    assert_between(send_for(60, 2e6, 20e6, 0.05, true), 1.7e6, 2e6);
    assert_between(send_for(60, 2e6, 20e6, 0.10, true), 1.4e6, 2e6);
}

static void loss_of_congestion_does(void **state)
{
    (void)state;
    assert_between(send_for(20, 4e6, 1e6, 0, false), 0.8e6, 1.4e6);
    assert_between(send_for(20, 2e6, 1e6, 0, true), 0.8e6, 1.5e6);
}

static void a_packet_that_was_only_late_is_not_lost(void **state)
{
    (void)state;
    struct cc_loss loss;
    struct cc_loss_input in = {.delay_bps = 1e6, .acknowledged_bps = 1e6, .max_bps = 9e6};
    cc_loss_init(&loss);
    for (int i = 0; i < 400; i++) {
        cc_loss_packet(&loss, i * 10000, 1250, i % 2 == 0, false);
        if (i % 2 == 1)
            cc_loss_packet(&loss, i * 10000, 1250, true, true);
        cc_loss_update(&loss, &in);
    }
    assert_true(loss.average < 0.03);
    assert_int_equal(loss.state, CC_LOSS_FREE);
}

/* ---- probes ---- */

static struct cc_prober prober;
static int64_t now_us;
static const struct cc_prober_input ROOM = {
    .target_bps = 1e6, .max_bps = 10e6, .start_bps = 1e6, .calm = true, .share = 1};

static int setup(void **state)
{
    (void)state;
    now_us = 0;
    cc_prober_init(&prober, 0);
    return 0;
}

/* Sends the wanted cluster over a bottleneck whose token bucket holds 3,000 bytes; returns what it
 * is found to have shown. */
static double probe_over(double capacity_bps, int lose_every)
{
    struct cc_probe probe;
    assert_true(cc_prober_take(&prober, now_us, &probe));
    struct cc_probe none;
    assert_false(cc_prober_take(&prober, now_us, &none));
    size_t sent = 0;
    double free_us = 0, tokens = 3000;
    struct cc_result results[64];
    int count = 0;
    while (sent < probe.bytes || count < probe.packets) {
        int64_t send_us = now_us + (int64_t)((double)sent * 8e6 / probe.bps);
        struct cc_packet packet = {
            .send_us = send_us, .bytes = 1000, .probe = probe.id, .padding = true};
        cc_prober_sent(&prober, &packet, 1e6);
        sent += 1000;
        double leaves_us = fmax((double)send_us, free_us);
        if (tokens > 0)
            tokens -= 1000;
        else
            leaves_us = free_us = leaves_us + 8e9 / capacity_bps;
        results[count++] = (struct cc_result){.send_us = send_us,
                                              .arrival_us = (int64_t)leaves_us,
                                              .bytes = 1000,
                                              .probe = (uint8_t)probe.id,
                                              .received = true};
    }
    for (int i = 0; i < count; i++) {
        results[i].received = lose_every == 0 || i % lose_every != 0;
        cc_prober_result(&prober, &results[i]);
    }
    now_us += 200000;
    double bps = cc_prober_update(&prober, now_us, &ROOM);
    if (prober.phase == CC_PROBE_SENT) { /* incomplete */
        now_us += 2000000;
        bps = cc_prober_update(&prober, now_us, &ROOM);
    }
    return bps;
}

static void a_start_is_probed_three_fold_and_then_on(void **state)
{
    (void)state;
    assert_true(cc_prober_update(&prober, now_us, &ROOM) == 0);
    assert_int_equal(prober.probe.bps, 3000000);
    assert_between(probe_over(50e6, 0), 2.7e6, 3.1e6);
    assert_between(prober.probe.bps, 5.4e6, 6.2e6);
    assert_between(probe_over(4e6, 0), 3.4e6, 4.2e6); /* there it ends */
    struct cc_probe probe;
    assert_false(cc_prober_take(&prober, now_us, &probe));
}

static void a_full_path_shows_its_capacity(void **state)
{
    (void)state;
    cc_prober_update(&prober, now_us, &ROOM);
    assert_between(probe_over(1e6, 0), 0.8e6, 1.3e6);
    assert_true(prober.last_failed);
}

static void a_lossy_cluster_shows_nothing(void **state)
{
    (void)state;
    cc_prober_update(&prober, now_us, &ROOM);
    assert_true(probe_over(50e6, 3) == 0);
}

static bool wants(struct cc_prober_input in)
{
    struct cc_probe probe;
    now_us += 6000000;
    prober.started = true;
    cc_prober_update(&prober, now_us, &in);
    bool wanted = cc_prober_take(&prober, now_us, &probe);
    prober.phase = CC_PROBE_NONE;
    prober.ended_us = now_us;
    return wanted;
}

static void there_is_a_probe_for_a_reason_only(void **state)
{
    (void)state;
    struct cc_prober_input in = ROOM;
    assert_false(wants(in));
    in.train_bps = 2.5e6;
    assert_true(wants(in));
    in.share = 0.5;
    assert_false(wants(in));
    in.share = 1;
    in.calm = false;
    assert_false(wants(in));
    in.calm = true;
    in.train_bps = 1.1e6;
    in.beyond_link = true;
    assert_false(wants(in)); /* trains know better */
    in.train_bps = 0;
    assert_true(wants(in));
    in.target_bps = in.max_bps;
    assert_false(wants(in));
}

static void a_path_that_is_back_is_probed_once(void **state)
{
    (void)state;
    struct cc_prober_input in = ROOM;
    cc_prober_returned(&prober);
    in.calm = false;
    assert_false(wants(in));
    assert_true(wants(ROOM));
    assert_int_equal(prober.probe.bps, 2000000);
    assert_false(wants(ROOM));
}

static void a_limited_sender_probes_every_five_seconds(void **state)
{
    (void)state;
    int probes = 0;
    prober.started = true;
    for (int i = 0; i < 400; i++) {
        struct cc_probe probe;
        struct cc_packet packet = {.send_us = now_us, .bytes = 1000};
        cc_prober_sent(&prober, &packet, 1e6); /* 160 of 1000 kbit/s */
        cc_prober_update(&prober, now_us, &ROOM);
        if (cc_prober_take(&prober, now_us, &probe)) {
            probes++;
            prober.phase = CC_PROBE_NONE;
            prober.ended_us = now_us;
        }
        now_us += 50000;
    }
    assert_true(cc_prober_is_limited(&prober));
    assert_in_range(probes, 3, 4);
    for (int i = 0; i < 200; i++) {
        struct cc_packet packet = {.send_us = now_us += 10000, .bytes = 1250};
        cc_prober_sent(&prober, &packet, 1e6);
    }
    assert_false(cc_prober_is_limited(&prober));
}

static void what_was_lost_at_once_is_tried_again(void **state)
{
    (void)state;
    struct cc_probe probe;
    prober.started = true;
    cc_prober_dropped(&prober, 0, 3e6, 1e6);
    cc_prober_update(&prober, 100000, &ROOM);
    assert_false(cc_prober_take(&prober, 100000, &probe));
    cc_prober_update(&prober, 1000000, &ROOM);
    assert_true(cc_prober_take(&prober, 1000000, &probe));
    assert_int_equal(probe.bps, 2550000);
    prober.phase = CC_PROBE_NONE;
    cc_prober_update(&prober, 2000000, &ROOM);
    assert_false(cc_prober_take(&prober, 2000000, &probe));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overuse_lowers_to_what_passes),
        cmocka_unit_test(the_hold_refines_what_was_measured),
        cmocka_unit_test(near_the_link_the_rate_grows_slowly_and_beyond_it_fast),
        cmocka_unit_test(nearer_to_a_link_that_frames_still_show_it_grows_slower),
        cmocka_unit_test(growth_stops_at_what_is_acknowledged_and_at_a_queue),
        cmocka_unit_test(the_larger_part_of_a_shared_path_gives_way_more),
        cmocka_unit_test(a_burst_of_others_does_not_take_our_part),
        cmocka_unit_test(beside_tcp_only_loss_is_given_way_to),
        cmocka_unit_test(random_loss_does_not_lower_the_rate),
        cmocka_unit_test(loss_of_congestion_does),
        cmocka_unit_test(a_packet_that_was_only_late_is_not_lost),
        cmocka_unit_test_setup(a_start_is_probed_three_fold_and_then_on, setup),
        cmocka_unit_test_setup(a_full_path_shows_its_capacity, setup),
        cmocka_unit_test_setup(a_lossy_cluster_shows_nothing, setup),
        cmocka_unit_test_setup(there_is_a_probe_for_a_reason_only, setup),
        cmocka_unit_test_setup(a_path_that_is_back_is_probed_once, setup),
        cmocka_unit_test_setup(a_limited_sender_probes_every_five_seconds, setup),
        cmocka_unit_test_setup(what_was_lost_at_once_is_tried_again, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
