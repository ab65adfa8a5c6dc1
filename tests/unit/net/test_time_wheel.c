#include "net/time_wheel.h"

#include "core/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ENTRIES = 3000 };

static void nothing_is_due_before_its_time_nor_missed(void **state)
{
    (void)state;
    struct time_wheel wheel;
    struct time_wheel_entry entry = {0};
    static const int64_t after_us[] = {0,       1,          255,         256,          257,
                                       16383,   16384,      16385,       1048575,      1048576,
                                       1048577, 67108864,   67108865,    4294967296,   4294967297,
                                       -5,      1000000000, 86400000000, 864000000000, 1};
    int64_t now_us = 123456789;
    time_wheel_init(&wheel, now_us);
    assert_true(time_wheel_next(&wheel) == INT64_MAX);
    for (size_t i = 0; i < sizeof after_us / sizeof after_us[0]; i++) {
        int64_t due_us = now_us + after_us[i];
        time_wheel_set(&wheel, &entry, due_us);
        for (int wakes = 0; time_wheel_next(&wheel) < due_us; wakes++) {
            assert_true(wakes < 2 * TIME_WHEEL_LEVELS);
            assert_true(time_wheel_next(&wheel) > now_us);
            now_us = time_wheel_next(&wheel);
            assert_null(time_wheel_pop(&wheel, now_us));
        }
        assert_true(time_wheel_next(&wheel) == due_us);
        now_us = due_us > now_us ? due_us : now_us;
        assert_ptr_equal(time_wheel_pop(&wheel, now_us), &entry);
        assert_null(time_wheel_pop(&wheel, now_us));
        assert_true(time_wheel_next(&wheel) == INT64_MAX);
    }
}

static void an_entry_is_moved_and_taken_out(void **state)
{
    (void)state;
    struct time_wheel wheel;
    struct time_wheel_entry a = {0}, b = {0};
    time_wheel_init(&wheel, 0);
    time_wheel_set(&wheel, &a, 1000000);
    time_wheel_set(&wheel, &b, 500);
    time_wheel_set(&wheel, &a, 400);
    assert_true(time_wheel_next(&wheel) == 400);
    assert_null(time_wheel_pop(&wheel, 399));
    assert_ptr_equal(time_wheel_pop(&wheel, 450), &a);
    assert_null(time_wheel_pop(&wheel, 450));
    time_wheel_set(&wheel, &b, INT64_MAX);
    assert_true(time_wheel_next(&wheel) == INT64_MAX);
    time_wheel_set(&wheel, &b, 700);
    time_wheel_remove(&wheel, &b);
    time_wheel_remove(&wheel, &b);
    assert_null(time_wheel_pop(&wheel, 1000000000));
}

/* Against the obvious: all deadlines in a table. */
static void thousands_fire_exactly_once_each_in_time(void **state)
{
    (void)state;
    static struct time_wheel wheel;
    static struct time_wheel_entry entries[ENTRIES];
    static int64_t due[ENTRIES];
    struct random_source random;
    random_seeded(&random, 4711);
    int64_t now_us = 987654321;
    time_wheel_init(&wheel, now_us);
    for (int i = 0; i < ENTRIES; i++)
        due[i] = INT64_MAX;
    uint64_t fired = 0;
    for (int round = 0; round < 20000; round++) {
        for (int k = 0; k < 3; k++) {
            int i = (int)(random_u32(&random) % ENTRIES);
            int64_t ahead_us = (int64_t)(random_u64(&random) >> (30 + random_u32(&random) % 30));
            due[i] = random_u32(&random) % 16 == 0 ? INT64_MAX : now_us + ahead_us;
            time_wheel_set(&wheel, &entries[i], due[i]);
        }
        now_us += random_u32(&random) % 4096 >> random_u32(&random) % 12;
        for (struct time_wheel_entry *entry; (entry = time_wheel_pop(&wheel, now_us));) {
            ptrdiff_t i = entry - entries;
            assert_true(due[i] <= now_us);
            due[i] = INT64_MAX;
            fired++;
        }
        if (round % 64 == 0)
            for (int i = 0; i < ENTRIES; i++)
                assert_true(due[i] > now_us);
        assert_true(time_wheel_next(&wheel) > now_us);
    }
    assert_true(fired > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_before_its_time_nor_missed),
        cmocka_unit_test(an_entry_is_moved_and_taken_out),
        cmocka_unit_test(thousands_fire_exactly_once_each_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
