/* The simulation itself: the links keep to their settings, the feedback written is what the
 * product's reader reads, and the TCP-like flow behaves as one. */
#include "core/error.h"
#include "rtc/rtcp.h"
#include "sim_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKETS = 20000, BYTES = 1250, GAP_US = 1000 };

static struct {
    struct sim_clock clock;
    struct sim_link link;
    struct sim_port port;
    int sent, arrived, late;
    int last;
    int64_t arrived_us[PACKETS];
    int64_t sent_us[PACKETS], waited_us;
} test;

static void on_arrival(void *context, const void *data, size_t size)
{
    int number;
    (void)context;
    assert_int_equal(size, sizeof(number));
    memcpy(&number, data, sizeof(number));
    test.arrived++;
    test.late += number < test.last;
    test.last = number > test.last ? number : test.last;
    test.arrived_us[number] = test.clock.now_us;
}

static void on_passed(void *context, size_t bytes, int64_t waited_us)
{
    (void)context;
    assert_int_equal(bytes, BYTES);
    test.waited_us = waited_us > test.waited_us ? waited_us : test.waited_us;
}

static void send_one(void *context, void *argument)
{
    (void)context;
    test.sent_us[test.sent] = test.clock.now_us;
    sim_port_send(&test.port, &test.sent, sizeof(test.sent), BYTES, false);
    if (++test.sent < PACKETS)
        sim_at(&test.clock, test.clock.now_us + GAP_US, send_one, context, argument);
}

/* 10 Mbit/s of packets for 20 s. */
static void offer_10_megabits(const struct sim_link_settings *settings)
{
    memset(&test, 0, sizeof(test));
    sim_link_init(&test.link, &test.clock, settings, 5);
    test.port = (struct sim_port){.link = &test.link, .receive = on_arrival, .passed = on_passed};
    test.last = -1;
    sim_at(&test.clock, 0, send_one, NULL, NULL);
    sim_run_until(&test.clock, 40 * (int64_t)1000000);
    sim_clock_clear(&test.clock, sim_network_drop);
    sim_link_clear(&test.link);
    assert_int_equal(test.sent, PACKETS);
}

static void an_idle_link_only_delays(void **state)
{
    (void)state;
    struct sim_link_settings settings = sim_link_of(20000000, 30000);
    offer_10_megabits(&settings);
    assert_int_equal(test.arrived, PACKETS);
    assert_int_equal(test.late, 0);
    assert_int_equal(test.waited_us, 0);
    for (int i = 0; i < PACKETS; i++)
        assert_int_equal(test.arrived_us[i] - test.sent_us[i], 30500); /* 1250 bytes: 500 µs */
}

static void a_full_link_passes_its_capacity(void **state)
{
    (void)state;
    struct sim_link_settings settings = sim_link_of(5000000, 30000);
    sim_link_add_step(&settings, 10000000, 2500000);
    offer_10_megabits(&settings);
    /* 75 Mbit in 20 s, and what is in the queue then */
    assert_in_range(test.arrived, 7500, 7500 + 190);
    assert_int_equal(test.arrived + (int)test.port.dropped, PACKETS);
    assert_int_equal(test.late, 0);
    /* the queue takes 300 ms at 5 Mbit/s; what is in it when the capacity halves waits 600 */
    assert_in_range(test.waited_us, 550000, 602000);
}

static void an_outage_is_waited_through(void **state)
{
    (void)state;
    struct sim_link_settings settings = sim_link_of(20000000, 0);
    sim_link_add_step(&settings, 5000000, 0);
    sim_link_add_step(&settings, 7000000, 20000000);
    offer_10_megabits(&settings);
    for (int i = 0; i < PACKETS; i++)
        assert_false(test.arrived_us[i] > 5000500 && test.arrived_us[i] < 7000000);
    assert_in_range(test.waited_us, 1990000, 2001000);
    assert_in_range(test.port.dropped, 1300, 1500); /* 300 ms of 20 Mbit/s fit: 600 packets */
}

static void loss_is_as_set(void **state)
{
    (void)state;
    struct sim_link_settings settings = sim_link_of(20000000, 1000);
    settings.loss = 0.05;
    offer_10_megabits(&settings);
    assert_in_range(test.port.lost, 900, 1100);
    assert_int_equal(test.arrived + (int)test.port.lost, PACKETS);
}

static void bursts_are_as_set(void **state)
{
    (void)state;
    struct sim_link_settings settings = sim_link_of(20000000, 1000);
    settings.bursts = (struct sim_bursts){.enter = 0.01, .leave = 0.25, .loss = 1};
    offer_10_megabits(&settings);
    /* a share of enter / (enter + leave) is bad, in bursts of 1 / leave */
    assert_in_range(test.port.lost, PACKETS * 3 / 100, PACKETS * 5 / 100);
    int bursts = 0;
    for (int i = 1; i < PACKETS; i++)
        bursts += test.arrived_us[i] == 0 && test.arrived_us[i - 1] != 0;
    assert_in_range((int)test.port.lost * 10 / bursts, 35, 45);
}

static void reordering_and_duplicates_are_as_set(void **state)
{
    (void)state;
    struct sim_link_settings settings = sim_link_of(20000000, 1000);
    settings.reorder = 0.02;
    settings.reorder_us = 5000;
    settings.duplicate = 0.1;
    offer_10_megabits(&settings);
    assert_in_range(test.arrived - PACKETS, 1850, 2150);
    assert_in_range(test.late, 350, 460);
}

static void jitter_keeps_the_order(void **state)
{
    (void)state;
    struct sim_link_settings settings = sim_link_of(20000000, 1000);
    settings.jitter_us = 20000;
    offer_10_megabits(&settings);
    assert_int_equal(test.late, 0);
    int64_t most_us = 0, least_us = INT64_MAX;
    for (int i = 0; i < PACKETS; i++) {
        int64_t delay_us = test.arrived_us[i] - test.sent_us[i];
        most_us = delay_us > most_us ? delay_us : most_us;
        least_us = delay_us < least_us ? delay_us : least_us;
    }
    assert_in_range(least_us, 1500, 3000);
    assert_in_range(most_us, 18000, 21500);
}

/* ---- feedback ---- */

static void read_feedback(const uint8_t *data, size_t size, int64_t *arrivals, int count, int first)
{
    struct rtcp_reader reader;
    struct rtcp_packet packet;
    struct rtcp_status_reader statuses;
    struct rtcp_status status;
    rtcp_reader_init(&reader, data, size);
    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_TRANSPORT_FEEDBACK);
    assert_int_equal(rtcp_status_reader_init(&statuses, &packet), OW_OK);
    while (rtcp_status_next(&statuses, &status)) {
        int at = (uint16_t)(status.sequence - first);
        assert_in_range(at, 0, count - 1);
        arrivals[at] = status.received ? status.arrival_us : 0;
    }
}

static void feedback_is_read_as_written(void **state)
{
    (void)state;
    static struct sim_twcc twcc;
    static int64_t expected[3000], read[3000];
    struct random_source random;
    random_seeded(&random, 3);
    int first = 65000; /* wraps */
    int64_t now_us = 1000000;
    for (int i = 0; i < 3000; i++) {
        /* runs of all there, of some missing, of none there, and pauses */
        double missing = i / 300 % 3 == 0 ? 0 : i / 300 % 3 == 1 ? 0.3 : 0.99;
        now_us += random_u32(&random) % (i % 97 == 0 ? 900000 : 4000);
        if (i > 0 && i < 2999 && random_unit(&random) < missing)
            continue;
        expected[i] = now_us;
        sim_twcc_arrived(&twcc, now_us, (uint16_t)(first + i));
    }
    uint8_t data[SIM_TWCC_MAX_BYTES];
    size_t size;
    int packets = 0;
    while ((size = sim_twcc_write(&twcc, data, 1, 2)) > 0) {
        assert_in_range(size, 20, SIM_TWCC_MAX_BYTES);
        read_feedback(data, size, read, 3000, first);
        packets++;
    }
    assert_in_range(packets, 8, 40);
    for (int i = 0; i < 3000; i++)
        if (expected[i] == 0)
            assert_int_equal(read[i], 0);
        else
            assert_in_range(read[i] - expected[i] + 250, 0, 250);
}

/* ---- TCP ---- */

static void tcp_fills_the_link(void **state)
{
    (void)state;
    struct sim_scenario scenario = {.duration_us = 60000000, .seed = 1, .tcp_count = 2};
    scenario.forward = sim_link_of(4000000, 25000);
    scenario.backward = sim_link_of(4000000, 25000);
    struct sim_run *run = sim_run_scenario(&scenario);
    double first = sim_tcp_bps(&run->tcps[0], 10000000, 60000000);
    double second = sim_tcp_bps(&run->tcps[1], 10000000, 60000000);
    double rates[] = {first, second};
    assert_true(first + second > 0.95 * 4e6 && first + second <= 4.01e6);
    assert_true(sim_fairness(rates, 2) > 0.9);
    sim_run_destroy(&run);
}

static void short_transfers_come_and_go(void **state)
{
    (void)state;
    struct sim_scenario scenario = {.duration_us = 300000000, .seed = 1, .tcp_count = 10};
    scenario.forward = sim_link_of(4000000, 25000);
    scenario.backward = sim_link_of(4000000, 25000);
    for (int i = 0; i < scenario.tcp_count; i++)
        scenario.tcps[i] =
            (struct sim_tcp_settings){.min_bytes = 30000, .max_bytes = 50000, .pause_us = 10000000};
    struct sim_run *run = sim_run_scenario(&scenario);
    int transfers = 0;
    double rate = 0;
    for (int i = 0; i < scenario.tcp_count; i++) {
        transfers += run->tcps[i].transfers;
        rate += sim_tcp_bps(&run->tcps[i], 0, 300000000);
    }
    assert_in_range(transfers, 240, 360);
    assert_in_range((int)rate, 250000, 400000);
    sim_run_destroy(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_link_only_delays),
        cmocka_unit_test(a_full_link_passes_its_capacity),
        cmocka_unit_test(an_outage_is_waited_through),
        cmocka_unit_test(loss_is_as_set),
        cmocka_unit_test(bursts_are_as_set),
        cmocka_unit_test(reordering_and_duplicates_are_as_set),
        cmocka_unit_test(jitter_keeps_the_order),
        cmocka_unit_test(feedback_is_read_as_written),
        cmocka_unit_test(tcp_fills_the_link),
        cmocka_unit_test(short_transfers_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
