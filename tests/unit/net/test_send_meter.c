#include "net/send_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void means_are_of_the_last_whole_second(void **state)
{
    (void)state;
    struct send_meter meter = {0};
    struct send_figures read;
    int64_t start_us = 5000000;
    for (int i = 0; i < 30; i++) /* one second: 30 pictures to two viewers each */
        send_meter_add(&meter, start_us + i * 33000, 2, 2000, i == 7 ? 29000 : 5000);
    send_meter_read(&meter, start_us + 999999, &read);
    assert_int_equal(read.frames, 60);
    assert_int_equal(read.bytes, 60000);
    assert_true(read.fps < 0.1); /* the second is not over */
    send_meter_read(&meter, start_us + 1000000, &read);
    assert_true(read.fps > 59.9 && read.fps < 60.1);
    assert_true(read.kilobytes_per_s > 59.9 && read.kilobytes_per_s < 60.1);
    assert_true(read.latency_ms > 5.7 && read.latency_ms < 5.9);
    assert_true(read.latency_max_ms > 28.9 && read.latency_max_ms < 29.1);
    send_meter_add(&meter, start_us + 1500000, 1, 10, 1000);
    send_meter_read(&meter, start_us + 2000000, &read); /* seconds follow each other */
    assert_true(read.fps > 0.9 && read.fps < 1.1);
    send_meter_read(&meter, start_us + 9000000, &read); /* nothing sent: nothing shown */
    assert_true(read.fps < 0.1 && read.latency_ms < 0.1);
    assert_int_equal(read.frames, 61);
}

static void nobody_counts_nothing(void **state)
{
    (void)state;
    struct send_meter meter = {0};
    struct send_figures read;
    send_meter_add(&meter, 1000, 0, 500, 100);
    send_meter_read(&meter, 2000, &read);
    assert_int_equal(read.frames, 0);
    assert_int_equal(read.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_of_the_last_whole_second),
        cmocka_unit_test(nobody_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
