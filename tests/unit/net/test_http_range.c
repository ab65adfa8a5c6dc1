#include "net/http_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void ranges_of_rfc_9110(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        uint64_t size;
        enum http_range_kind kind;
        uint64_t first, length;
    } cases[] = {
        {"", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=0-", 100, HTTP_RANGE_PART, 0, 100},
        {"bytes=0-0", 100, HTTP_RANGE_PART, 0, 1},
        {"Bytes=10-19", 100, HTTP_RANGE_PART, 10, 10},
        {"bytes=90-500", 100, HTTP_RANGE_PART, 90, 10},
        {"bytes=-30", 100, HTTP_RANGE_PART, 70, 30},
        {"bytes=-300", 100, HTTP_RANGE_PART, 0, 100},
        {"bytes=99-", 100, HTTP_RANGE_PART, 99, 1},
        {"bytes=100-", 100, HTTP_RANGE_OUTSIDE, 0, 100},
        {"bytes=100-200", 100, HTTP_RANGE_OUTSIDE, 0, 100},
        {"bytes=-0", 100, HTTP_RANGE_OUTSIDE, 0, 100},
        {"bytes=0-", 0, HTTP_RANGE_OUTSIDE, 0, 0},
        {"bytes=-5", 0, HTTP_RANGE_OUTSIDE, 0, 0},
        {"bytes=5000000000-5000000009", 6000000000, HTTP_RANGE_PART, 5000000000, 10},
        /* what is not well formed, or not known, is as if it were not there */
        {"bytes=", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=-", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=5", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=9-5", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=0-1,5-6", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes= 0-1", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=+1-2", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=--5", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=0-1x", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=99999999999999999999-", 100, HTTP_RANGE_ALL, 0, 100},
        {"bytes=-99999999999999999999", 100, HTTP_RANGE_ALL, 0, 100},
        {"items=0-1", 100, HTTP_RANGE_ALL, 0, 100},
        {"byte", 100, HTTP_RANGE_ALL, 0, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_range range;
        enum http_range_kind kind = http_range_read(cases[i].field, cases[i].size, &range);
        if (kind != cases[i].kind || range.first != cases[i].first || range.size != cases[i].length)
            fail_msg("\"%s\": %d, %llu, %llu", cases[i].field, (int)kind,
                     (unsigned long long)range.first, (unsigned long long)range.size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_of_rfc_9110)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
