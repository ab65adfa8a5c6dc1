#include "core/error.h"
#include "rtc/cc_feedback.h"
#include "rtc/rtp_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cc_feedback *feedback;
static struct cc_result results[64];
static int result_count;

static int setup(void **state)
{
    (void)state;
    feedback = malloc(sizeof(*feedback));
    cc_feedback_init(feedback);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(feedback);
    return 0;
}

static void sent(uint16_t sequence, int64_t send_us)
{
    struct cc_packet packet = {
        .send_us = send_us, .sequence = sequence, .bytes = 100, .probe = 7, .frame = 300};
    cc_feedback_sent(feedback, &packet, 12);
}

/* One chunk of up to 14 statuses, bit 13 first; 2 ms between arrivals. */
static void report(uint16_t base, int count, uint16_t received, int32_t reference)
{
    uint8_t items[32];
    struct rtcp_status_reader reader;
    struct rtcp_packet packet = {.kind = RTCP_TRANSPORT_FEEDBACK,
                                 .items = items,
                                 .items_size = 16,
                                 .transport = {.base_sequence = base,
                                               .status_count = (uint16_t)count,
                                               .reference_64ms = reference}};
    memset(items, 8, sizeof(items));
    write_u16(items, (uint16_t)(0x8000 | received));
    assert_int_equal(cc_feedback_begin(feedback, &reader, &packet), OW_OK);
    result_count = 0;
    while (cc_feedback_next(feedback, &reader, &results[result_count]))
        result_count++;
}

static void tells_what_became_of_each_packet(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        sent((uint16_t)(65534 + i), 5000000000 + i * 1000); /* both counters wrap around */
    assert_int_equal(feedback->in_flight_bytes, 400);
    report(65534, 3, 0x2800, 10); /* 1 0 1 */
    assert_int_equal(result_count, 3);
    assert_true(results[0].received && !results[1].received && results[2].received);
    assert_true(results[0].send_us == 5000000000 && results[2].send_us == 5000002000);
    assert_true(results[0].arrival_us == 642000 && results[2].arrival_us == 644000);
    assert_int_equal(results[0].probe, 7);
    assert_int_equal(results[0].frame, 300 % 256);
    assert_int_equal(results[0].own_ms, 12);
    assert_int_equal(feedback->in_flight_bytes, 100);
}

static void nothing_is_told_twice(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        sent((uint16_t)i, i * 1000);
    report(0, 3, 0x2800, 10);
    assert_int_equal(result_count, 3);
    report(0, 3, 0x2800, 10);
    assert_int_equal(result_count, 0);
    report(0, 3, 0x3800, 10); /* the missing one came after all */
    assert_int_equal(result_count, 1);
    assert_true(results[0].received && results[0].again);
    report(500, 14, 0x3fff, 10); /* never sent */
    assert_int_equal(result_count, 0);
    assert_int_equal(feedback->in_flight_bytes, 0);
}

static void a_lost_report_ends_the_flight_of_its_packets(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        sent((uint16_t)i, i * 1000);
    report(0, 1, 0x2000, 10);
    assert_int_equal(results[0].unreported_bytes, 0);
    report(8, 1, 0x2000, 10);
    assert_int_equal(results[0].unreported_bytes, 700);
    assert_int_equal(feedback->in_flight_bytes, 100);
    report(2, 1, 0x2000, 10); /* out of order: still news */
    assert_int_equal(results[0].unreported_bytes, 0);
    assert_int_equal(result_count, 1);
    assert_int_equal(feedback->in_flight_bytes, 100);
    for (int i = 0; i < 3 * CC_RECORDS; i++)
        sent((uint16_t)(100 + i), 20000 + i);
    assert_true(feedback->in_flight_bytes <= (CC_RECORDS + 1) * 100);
}

static void the_reference_time_goes_around(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        sent((uint16_t)i, i * 1000);
    report(0, 1, 0x2000, (1 << 23) - 1);
    int64_t before_us = results[0].arrival_us;
    report(1, 1, 0x2000, -(1 << 23));
    assert_true(results[0].arrival_us - before_us == 64000);
    report(2, 1, 0x2000, (1 << 23) - 1); /* and back: an older report that comes late */
    assert_true(results[0].arrival_us == before_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_became_of_each_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_told_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_report_ends_the_flight_of_its_packets, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_reference_time_goes_around, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
