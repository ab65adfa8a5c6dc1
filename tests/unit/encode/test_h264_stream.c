#include "encode/h264_stream.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t sps[] = {0x67, 66, 0x40, 31, 0xaa};
static const uint8_t pps[] = {0x68, 0xce, 0x3c, 0x80};

static size_t put(uint8_t *to, size_t at, int zeros, const void *nal, size_t size)
{
    memset(to + at, 0, (size_t)zeros);
    to[at + (size_t)zeros] = 1;
    memcpy(to + at + (size_t)zeros + 1, nal, size);
    return at + (size_t)zeros + 1 + size;
}

static void keeps_slices_and_sets_and_marks_constrained_baseline(void **state)
{
    (void)state;
    uint8_t in[128];
    size_t size = 0;
    size = put(in, size, 3, "\x09\x10", 2); /* delimiter */
    size = put(in, size, 3, sps, sizeof sps);
    size = put(in, size, 2, pps, sizeof pps);
    size = put(in, size, 2, "\x06\x05\x01\x80", 4); /* SEI */
    size = put(in, size, 3, "\x65\x11\x22", 3);
    size = put(in, size, 2, "\x65\x33\x44", 3);
    struct h264_parameter_sets sets = {.sps_size = 0};
    struct encoded *unit = NULL;
    assert_int_equal(h264_stream_pack(&sets, in, size, &unit), OW_OK);
    static const uint8_t expected[] = {
        0,    0, 0, 1, 0x67, 66,   0xe0, 31,   0xaa, 0, 0, 0, 1,    0x68, 0xce, 0x3c,
        0x80, 0, 0, 0, 1,    0x65, 0x11, 0x22, 0,    0, 0, 1, 0x65, 0x33, 0x44};
    assert_true(unit->key);
    assert_int_equal(unit->size, sizeof expected);
    assert_memory_equal(unit->data, expected, sizeof expected);
    encoded_unref(&unit);
}

static void parameter_sets_given_once_stand_before_every_idr(void **state)
{
    (void)state;
    uint8_t in[64], extradata[64];
    size_t size = put(extradata, 0, 3, sps, sizeof sps);
    size = put(extradata, size, 3, pps, sizeof pps);
    struct h264_parameter_sets sets = {.sps_size = 0};
    struct encoded *unit = NULL;
    size_t idr = put(in, 0, 3, "\x65\x11", 2);
    assert_int_equal(h264_stream_pack(&sets, in, idr, &unit), OW_EPARSE); /* undecodable */
    h264_stream_remember(&sets, extradata, size);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(h264_stream_pack(&sets, in, idr, &unit), OW_OK);
        assert_int_equal(unit->size, size + idr);
        assert_int_equal(unit->data[4], 0x67);
        encoded_unref(&unit);
    }
    size_t slice = put(in, 0, 3, "\x41\x11", 2);
    assert_int_equal(h264_stream_pack(&sets, in, slice, &unit), OW_OK);
    assert_false(unit->key);
    assert_int_equal(unit->size, slice);
    encoded_unref(&unit);
}

static void other_profiles_are_not_marked(void **state)
{
    (void)state;
    static const uint8_t main_sps[] = {0x67, 77, 0x40, 31, 0xaa};
    uint8_t in[64];
    size_t size = put(in, 0, 3, main_sps, sizeof main_sps);
    struct h264_parameter_sets sets = {.sps_size = 0};
    h264_stream_remember(&sets, in, size);
    assert_int_equal(sets.sps[2], 0x40);
}

/* Every prefix of a stream, in a buffer of exactly its size, so that the sanitizer sees a read
 * beyond it. */
static void any_bytes_are_safe(void **state)
{
    (void)state;
    uint8_t in[64];
    size_t whole = put(in, 0, 3, sps, sizeof sps);
    whole = put(in, whole, 2, pps, sizeof pps);
    whole = put(in, whole, 2, "\x65\x00\x00\x00", 4);
    whole = put(in, whole, 2, "", 0);
    int packed = 0;
    for (size_t size = 0; size <= whole; size++) {
        uint8_t *exact = malloc(size ? size : 1);
        memcpy(exact, in, size);
        struct h264_parameter_sets sets = {.sps_size = 0};
        struct encoded *unit = NULL;
        int rc = h264_stream_pack(&sets, exact, size, &unit);
        assert_true(rc == OW_OK || rc == OW_EPARSE);
        assert_int_equal(rc == OW_OK, unit != NULL);
        packed += rc == OW_OK;
        if (unit)
            encoded_unref(&unit);
        free(exact);
    }
    assert_int_equal(packed, 7); /* from the slice's first byte on */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_slices_and_sets_and_marks_constrained_baseline),
        cmocka_unit_test(parameter_sets_given_once_stand_before_every_idr),
        cmocka_unit_test(other_profiles_are_not_marked),
        cmocka_unit_test(any_bytes_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
