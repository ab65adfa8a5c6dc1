#include "core/error.h"
#include "core/random.h"
#include "rtc/rtp_payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct encoded *unit_of(const uint8_t *bytes, size_t size)
{
    struct encoded *unit = NULL;
    assert_int_equal(encoded_create(&unit, size), OW_OK);
    memcpy(unit->data, bytes, size);
    unit->key = true;
    unit->capture_us = 77;
    unit->sequence = 5;
    return unit;
}

static struct rtp_frame *cut_of(const uint8_t *bytes, size_t size, size_t max_payload)
{
    struct encoded *unit = unit_of(bytes, size);
    struct rtp_frame *frame = NULL;
    assert_int_equal(rtp_frame_cut(&frame, unit, max_payload), OW_OK);
    encoded_unref(&unit);
    return frame;
}

static void parameter_sets_share_a_stap_a(void **state)
{
    (void)state;
    static const uint8_t unit[] = {0, 0,    0, 1,    0x09, 0xf0, /* delimiter: left out */
                                   0, 0,    0, 1,    0x67, 1,    2, 3, 0, 0,
                                   1, 0x28, 4, 5,                             /* SPS, PPS */
                                   0, 0,    1, 0x0c, 0xff, 0x80,              /* filler */
                                   0, 0,    1, 0x65, 6,    7,    8, 0, 0, 0}; /* zeros behind */
    static const uint8_t stap[] = {0x78, 0, 4, 0x67, 1, 2, 3, 0, 3, 0x28, 4, 5};
    static const uint8_t idr[] = {0x65, 6, 7, 8};
    struct rtp_frame *frame = cut_of(unit, sizeof(unit), 1126);
    assert_int_equal(frame->count, 2);
    assert_int_equal(frame->payloads[0].size, sizeof(stap));
    assert_memory_equal(frame->payloads[0].data, stap, sizeof(stap));
    assert_int_equal(frame->payloads[1].size, sizeof(idr));
    assert_memory_equal(frame->payloads[1].data, idr, sizeof(idr));
    assert_int_equal(frame->bytes, sizeof(stap) + sizeof(idr));
    assert_true(frame->key);
    assert_int_equal(frame->capture_us, 77);
    assert_int_equal(frame->sequence, 5);
    rtp_frame_unref(&frame);
    assert_null(frame);
}

static void a_large_unit_becomes_equal_fragments(void **state)
{
    (void)state;
    uint8_t unit[3 + 1 + 300] = {0, 0, 1, 0x65};
    memset(unit + 4, 0xaa, 300);
    struct rtp_frame *frame = cut_of(unit, sizeof(unit), 100);
    assert_int_equal(frame->count, 4); /* 300 bytes, at most 98 in each: 4 x 75 */
    static const uint8_t flags[] = {0x85, 0x05, 0x05, 0x45};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(frame->payloads[i].size, 77);
        assert_int_equal(frame->payloads[i].data[0], 0x7c);
        assert_int_equal(frame->payloads[i].data[1], flags[i]);
    }
    rtp_frame_unref(&frame);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    static const uint8_t nothing[] = {1, 2, 3, 4, 5};
    static const uint8_t delimiter[] = {0, 0, 1, 9, 0xf0};
    static const uint8_t codes[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 1};
    static const uint8_t good[] = {0, 0, 1, 0x41, 1};
    struct rtp_frame *frame = NULL;
    struct {
        const uint8_t *bytes;
        size_t size, max;
        int code;
    } cases[] = {{nothing, sizeof(nothing), 1126, OW_EPARSE},
                 {nothing, 0, 1126, OW_EPARSE},
                 {delimiter, sizeof(delimiter), 1126, OW_EPARSE},
                 {codes, sizeof(codes), 1126, OW_EPARSE},
                 {good, sizeof(good), 63, OW_EINVAL},
                 {good, sizeof(good), 70000, OW_EINVAL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct encoded *unit = unit_of(cases[i].bytes, cases[i].size);
        assert_int_equal(rtp_frame_cut(&frame, unit, cases[i].max), cases[i].code);
        assert_null(frame);
        encoded_unref(&unit);
    }
}

/* Writes the NAL units of the payloads one after the other with 3-byte start codes, checking sizes:
 * the fragments of one unit are equal but for the last, which is not larger. */
static size_t join(const struct rtp_frame *frame, size_t max_payload, uint8_t *out)
{
    static const uint8_t code[] = {0, 0, 1};
    size_t at = 0, first_fragment = 0;
    for (int i = 0; i < frame->count; i++) {
        const uint8_t *data = frame->payloads[i].data;
        size_t size = frame->payloads[i].size;
        assert_in_range(size, 1, max_payload);
        int type = data[0] & 0x1f;
        if (type == 24) {
            for (size_t from = 1; from < size;) {
                size_t length = (size_t)data[from] << 8 | data[from + 1];
                memcpy(out + at, code, 3);
                memcpy(out + at + 3, data + from + 2, length);
                at += 3 + length;
                from += 2 + length;
                assert_true(from <= size);
            }
        } else if (type == 28) {
            bool start = (data[1] & 0x80) != 0, end = (data[1] & 0x40) != 0;
            assert_false(start && end);
            if (start) {
                first_fragment = size;
                memcpy(out + at, code, 3);
                out[at + 3] = (uint8_t)((data[0] & 0xe0) | (data[1] & 0x1f));
                at += 4;
            } else if (!end) {
                assert_int_equal(size, first_fragment);
            } else {
                assert_in_range(size, 3, first_fragment);
            }
            memcpy(out + at, data + 2, size - 2);
            at += size - 2;
        } else {
            memcpy(out + at, code, 3);
            memcpy(out + at + 3, data, size);
            at += 3 + size;
        }
    }
    return at;
}

static void joining_what_was_cut_is_identity(void **state)
{
    (void)state;
    static const uint8_t types[] = {0x67, 0x68, 0x06, 0x65, 0x41, 0x01};
    uint64_t seed = 20240607;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct random_source random;
    random_seeded(&random, seed);
    uint8_t *unit = malloc(200000), *joined = malloc(200000);
    for (int round = 0; round < 2000; round++) {
        size_t size = 0;
        size_t max_payload = 64 + random_u32(&random) % 1400;
        int nals = 1 + (int)(random_u32(&random) % 6);
        for (int i = 0; i < nals; i++) {
            size_t length = 1 + random_u32(&random) % (i == nals - 1 ? 20000 : 90);
            memcpy(unit + size, "\0\0\1", 3);
            unit[size + 3] = types[random_u32(&random) % sizeof(types)];
            for (size_t j = 1; j < length; j++)
                unit[size + 3 + j] = (uint8_t)(2 + random_u32(&random) % 250);
            size += 3 + length;
        }
        struct rtp_frame *frame = cut_of(unit, size, max_payload);
        assert_int_equal(join(frame, max_payload, joined), size);
        assert_memory_equal(joined, unit, size);
        rtp_frame_unref(&frame);
    }
    free(unit);
    free(joined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_sets_share_a_stap_a),
        cmocka_unit_test(a_large_unit_becomes_equal_fragments),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(joining_what_was_cut_is_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
