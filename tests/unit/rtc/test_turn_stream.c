#include "rtc/turn_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STREAM_BYTES = 32 * 1024, LARGE = TURN_STREAM_HELD_BYTES - 4 };

struct expected {
    size_t length;  /* of the payload */
    bool stun, out; /* not ChannelData; not skipped */
};

static const struct expected messages[] = {
    {1, false, true},          {8, true, true},          {0, false, true}, {LARGE, false, true},
    {LARGE + 1, false, false}, {3, false, true},         {0, true, true},  {5000, true, false},
    {2, false, true},          {LARGE - 16, true, true}, {7, false, true},
};
enum { MESSAGES = sizeof messages / sizeof messages[0] };

static size_t make_stream(uint8_t *stream)
{
    size_t used = 0;
    for (size_t i = 0; i < MESSAGES; i++) {
        size_t length = messages[i].length, head = messages[i].stun ? 20 : 4;
        memset(stream + used, (int)i, head + length + 3);
        stream[used] = messages[i].stun ? 0x00 : 0x40;
        stream[used + 2] = (uint8_t)(length >> 8);
        stream[used + 3] = (uint8_t)length;
        used += (head + length + 3) & ~(size_t)3;
    }
    assert_true(used + 3 < STREAM_BYTES);
    return used;
}

/* Whatever pieces it comes in: the same messages, without padding, and the large ones skipped. */
static void every_way_of_cutting_gives_the_same(void **state)
{
    (void)state;
    uint8_t *stream = malloc(STREAM_BYTES);
    size_t total = make_stream(stream);
    for (size_t piece = 1; piece <= total * 2; piece = piece < 30 ? piece + 1 : piece * 2) {
        struct turn_stream_reader *reader = calloc(1, sizeof *reader);
        size_t next = 0;
        for (size_t at = 0; at < total; at += piece) {
            const uint8_t *data = stream + at, *message;
            size_t size = total - at < piece ? total - at : piece, message_size;
            int err;
            while ((err = turn_stream_read(reader, &data, &size, &message, &message_size)) ==
                   OW_OK) {
                while (next < MESSAGES && !messages[next].out)
                    next++;
                assert_true(next < MESSAGES);
                size_t head = messages[next].stun ? 20 : 4;
                assert_int_equal(message_size, head + messages[next].length);
                assert_int_equal(message[1], next);
                assert_true(message_size == 4 || message[message_size - 1] == next);
                next++;
            }
            assert_int_equal(err, OW_EAGAIN);
            assert_int_equal(size, 0);
        }
        assert_int_equal(next, MESSAGES);
        free(reader);
    }
    free(stream);
}

static void what_is_not_turn(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[5];
        int err;
    } cases[] = {
        {{0x40, 0, 0, 1, 9}, OW_EAGAIN}, {{0x00, 1, 0, 8, 9}, OW_EAGAIN},
        {{0x00, 1, 0, 3, 9}, OW_EPARSE}, {{0x50, 0, 0, 1, 9}, OW_EPARSE},
        {{0x80, 0, 0, 4, 9}, OW_EPARSE}, {{0xff, 0, 0, 4, 9}, OW_EPARSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 1; piece <= 5; piece += 4) {
            struct turn_stream_reader *reader = calloc(1, sizeof *reader);
            int err = OW_EAGAIN;
            for (size_t at = 0; at < 5 && err == OW_EAGAIN; at += piece) {
                const uint8_t *data = cases[i].bytes + at, *message;
                size_t size = piece, message_size;
                err = turn_stream_read(reader, &data, &size, &message, &message_size);
            }
            assert_int_equal(err, cases[i].err);
            free(reader);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_cutting_gives_the_same),
        cmocka_unit_test(what_is_not_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
