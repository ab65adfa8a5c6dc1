#include "rtc/rtp_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct rtp_header HEADER = {.payload_type = 102,
                                         .marker = true,
                                         .sequence = 0xfffe,
                                         .timestamp = 0x01020304,
                                         .ssrc = 0xa1b2c3d4};

static void a_header_without_extensions_has_twelve_bytes(void **state)
{
    (void)state;
    static const uint8_t want[] = {0x80, 0xe6, 0xff, 0xfe, 1, 2, 3, 4, 0xa1, 0xb2, 0xc3, 0xd4};
    uint8_t ids[SDP_EXT_COUNT] = {0}, out[RTP_MAX_HEADER_BYTES];
    struct rtp_extensions extensions = {.ids = ids, .mid = "0", .capture_ntp = 1};
    assert_int_equal(rtp_header_write(out, &HEADER, &extensions), sizeof(want));
    assert_memory_equal(out, want, sizeof(want));
}

static void playout_delay_bytes_are_min_then_max(void **state)
{
    (void)state;
    static const struct {
        uint16_t min, max;
        uint8_t want[4];
    } cases[] = {{0, 0, {0x52, 0, 0, 0}},
                 {0, 1, {0x52, 0, 0, 1}},
                 {1, 0, {0x52, 0, 0x10, 0}},
                 {0xabc, 0xdef, {0x52, 0xab, 0xcd, 0xef}}};
    uint8_t ids[SDP_EXT_COUNT] = {[SDP_EXT_PLAYOUT_DELAY] = 5}, out[RTP_MAX_HEADER_BYTES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rtp_extensions extensions = {
            .ids = ids, .playout_min_10ms = cases[i].min, .playout_max_10ms = cases[i].max};
        assert_int_equal(rtp_header_write(out, &HEADER, &extensions), 20);
        static const uint8_t profile[] = {0xbe, 0xde, 0, 1};
        assert_int_equal(out[0], 0x90);
        assert_memory_equal(out + 12, profile, 4);
        assert_memory_equal(out + 16, cases[i].want, 4);
    }
}

static void all_extensions_fit_into_the_room_that_is_kept(void **state)
{
    (void)state;
    static const uint8_t ids[SDP_EXT_COUNT] = {1, 2, 3, 4, 14};
    uint8_t out[RTP_MAX_HEADER_BYTES + 1];
    out[RTP_MAX_HEADER_BYTES] = 0x5a;
    struct rtp_extensions extensions = {.ids = ids,
                                        .transport_sequence = 0x1234,
                                        .send_us = 64000000 + 500000, /* wraps at 64 s: 0.5 s */
                                        .mid = "0123456789abcdef",
                                        .capture_ntp = 0x0102030405060708};
    static const uint8_t want[] = {0xbe, 0xde, 0,   10,  0x11, 0x12, 0x34, 0x22, 0,   0,   0,
                                   0x32, 0x02, 0,   0,   0x4f, '0',  '1',  '2',  '3', '4', '5',
                                   '6',  '7',  '8', '9', 'a',  'b',  'c',  'd',  'e', 'f', 0xe7,
                                   1,    2,    3,   4,   5,    6,    7,    8,    0,   0,   0};
    assert_int_equal(rtp_header_write(out, &HEADER, &extensions), RTP_FIXED_BYTES + sizeof(want));
    assert_memory_equal(out + RTP_FIXED_BYTES, want, sizeof(want));
    assert_int_equal(out[RTP_MAX_HEADER_BYTES], 0x5a);
    extensions.mid = "0123456789abcdefg"; /* too long for one byte of header: left out */
    assert_int_equal(rtp_header_write(out, &HEADER, &extensions), 12 + 4 + 20);
}

static void times_are_converted_exactly(void **state)
{
    (void)state;
    assert_true(ntp_from_wall_us(0) == (uint64_t)2208988800 << 32);
    assert_true(ntp_from_wall_us(1500000) == ((uint64_t)2208988801 << 32 | 0x80000000));
    assert_int_equal(rtp_timestamp_90k(1000000, 0), 90000);
    assert_int_equal(rtp_timestamp_90k(1000000, 0xffffffff), 89999);
    /* a week of uptime, wrapped around several times */
    assert_int_equal(rtp_timestamp_90k(604800000000, 7), (uint32_t)(604800LL * 90000 + 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_without_extensions_has_twelve_bytes),
        cmocka_unit_test(playout_delay_bytes_are_min_then_max),
        cmocka_unit_test(all_extensions_fit_into_the_room_that_is_kept),
        cmocka_unit_test(times_are_converted_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
