#include "core/error.h"
#include "rtc/rtp_payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rtp_frame *cut_of(size_t size, size_t max_payload)
{
    struct encoded *unit = NULL;
    struct rtp_frame *frame = NULL;
    assert_int_equal(encoded_create(&unit, size), OW_OK);
    unit->codec = VIDEO_VP8;
    unit->capture_us = 77;
    for (size_t i = 0; i < size; i++)
        unit->data[i] = (uint8_t)(i * 7);
    assert_int_equal(rtp_frame_cut(&frame, unit, max_payload), OW_OK);
    encoded_unref(&unit);
    return frame;
}

/* RFC 7741 section 4.2: S and partition 0 on the first payload only; put together again, the
 * payloads give the frame. */
static void check_cut(size_t size, size_t max_payload, int payloads)
{
    struct rtp_frame *frame = cut_of(size, max_payload);
    size_t at = 0;
    assert_int_equal(frame->count, payloads);
    assert_int_equal(frame->codec, VIDEO_VP8);
    assert_int_equal(frame->capture_us, 77);
    for (int i = 0; i < frame->count; i++) {
        const struct rtp_payload *payload = &frame->payloads[i];
        assert_in_range(payload->size, 2, max_payload);
        assert_int_equal(payload->data[0], i == 0 ? 0x10 : 0x00);
        if (i + 1 < frame->count) /* equal sizes: one piece for the kernel */
            assert_int_equal(payload->size, frame->payloads[0].size);
        for (size_t k = 1; k < payload->size; k++, at++)
            assert_int_equal(payload->data[k], (uint8_t)(at * 7));
    }
    assert_int_equal(at, size);
    assert_int_equal(frame->bytes, size + (size_t)payloads);
    rtp_frame_unref(&frame);
}

static void a_frame_becomes_equal_fragments(void **state)
{
    (void)state;
    check_cut(1, 1126, 1);
    check_cut(1125, 1126, 1);
    check_cut(1126, 1126, 2);
    check_cut(10000, 1126, 9);
    check_cut(64, 64, 2);
}

static void nothing_is_refused(void **state)
{
    (void)state;
    struct encoded *unit = NULL;
    struct rtp_frame *frame = NULL;
    assert_int_equal(encoded_create(&unit, 0), OW_OK);
    unit->codec = VIDEO_VP8;
    assert_int_equal(rtp_frame_cut(&frame, unit, 1126), OW_EPARSE);
    assert_null(frame);
    encoded_unref(&unit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_becomes_equal_fragments),
        cmocka_unit_test(nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
