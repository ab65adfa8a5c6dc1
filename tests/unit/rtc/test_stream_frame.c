#include "rtc/stream_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKETS = 6 };
static const size_t sizes[PACKETS] = {1, 1200, 0, 2, STREAM_FRAME_MAX_BYTES, 17};

/* Packets of the sizes above, one after the other; the empty one by hand. */
static size_t make_stream(uint8_t *stream, size_t capacity)
{
    size_t used = 0;
    for (size_t i = 0; i < PACKETS; i++) {
        uint8_t packet[STREAM_FRAME_MAX_BYTES];
        size_t written;
        memset(packet, (int)i + 1, sizeof packet);
        if (sizes[i] == 0) {
            stream[used++] = 0;
            stream[used++] = 0;
            continue;
        }
        assert_int_equal(
            stream_frame_write(stream + used, capacity - used, packet, sizes[i], &written), OW_OK);
        assert_int_equal(written, sizes[i] + STREAM_FRAME_HEADER_BYTES);
        used += written;
    }
    return used;
}

/* Whatever pieces a stream comes in, the same packets come out. */
static void every_way_of_cutting_gives_the_same(void **state)
{
    (void)state;
    static uint8_t stream[8192];
    size_t total = make_stream(stream, sizeof stream);
    for (size_t piece = 1; piece <= total; piece = piece < 40 ? piece + 1 : piece * 2) {
        struct stream_frame_reader reader = {0};
        size_t next = 0;
        for (size_t at = 0; at < total; at += piece) {
            size_t size = total - at < piece ? total - at : piece, packet_size;
            uint8_t *copy = malloc(size); /* exactly as long, for the address sanitizer */
            memcpy(copy, stream + at, size);
            const uint8_t *data = copy, *packet;
            int err;
            while ((err = stream_frame_read(&reader, &data, &size, &packet, &packet_size)) ==
                   OW_OK) {
                while (sizes[next] == 0)
                    next++;
                assert_int_equal(packet_size, sizes[next]);
                for (size_t i = 0; i < packet_size; i++)
                    assert_int_equal(packet[i], next + 1);
                next++;
            }
            assert_int_equal(err, OW_EAGAIN);
            assert_int_equal(size, 0);
            free(copy);
        }
        assert_int_equal(next, PACKETS);
    }
}

static void too_large_ends_the_stream(void **state)
{
    (void)state;
    static const uint8_t stream[] = {
        0, 1, 7, (STREAM_FRAME_MAX_BYTES + 1) >> 8, (STREAM_FRAME_MAX_BYTES + 1) & 0xff, 1, 2, 3};
    for (size_t piece = 1; piece <= sizeof stream; piece++) {
        struct stream_frame_reader reader = {0};
        const uint8_t *packet;
        size_t packet_size;
        int err = OW_EAGAIN, packets = 0;
        for (size_t at = 0; at < sizeof stream && err == OW_EAGAIN; at += piece) {
            const uint8_t *data = stream + at;
            size_t size = sizeof stream - at < piece ? sizeof stream - at : piece;
            while ((err = stream_frame_read(&reader, &data, &size, &packet, &packet_size)) == OW_OK)
                packets++;
        }
        assert_int_equal(err, OW_EPARSE);
        assert_int_equal(packets, 1);
    }
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    static const uint8_t packet[STREAM_FRAME_MAX_BYTES + 1] = {9};
    static uint8_t out[STREAM_FRAME_MAX_BYTES + 8];
    size_t written = 99;
    assert_int_equal(stream_frame_write(out, sizeof out, packet, 0, &written), OW_EINVAL);
    assert_int_equal(stream_frame_write(out, sizeof out, packet, sizeof packet, &written),
                     OW_EINVAL);
    assert_int_equal(stream_frame_write(out, 11, packet, 10, &written), OW_ELIMIT);
    assert_int_equal(written, 99);
    assert_int_equal(stream_frame_write(out, 12, packet, 10, &written), OW_OK);
    assert_int_equal(written, 12);
    /* In place. */
    memcpy(out + STREAM_FRAME_HEADER_BYTES, "abc", 3);
    assert_int_equal(stream_frame_write(out, 5, out + STREAM_FRAME_HEADER_BYTES, 3, &written),
                     OW_OK);
    assert_memory_equal(out, "\0\003abc", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_cutting_gives_the_same),
        cmocka_unit_test(too_large_ends_the_stream),
        cmocka_unit_test(what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
