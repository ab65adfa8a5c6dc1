/* A stream of any content in RFC 4571 framing and in TURN's own: the same packets come out, and the
 * same end, in whatever pieces it arrives. The first byte is the size of the pieces. */
#include "fuzz.h"

#include "rtc/stream_frame.h"
#include "rtc/turn_stream.h"

#include <stdbool.h>
#include <stdlib.h>

struct result {
    int err;
    size_t packets, bytes;
    uint32_t hash;
};

struct readers {
    struct stream_frame_reader frame;
    struct turn_stream_reader turn;
};

static int read_next(struct readers *readers, bool turn, const uint8_t **data, size_t *size,
                     const uint8_t **packet, size_t *packet_size)
{
    return turn ? turn_stream_read(&readers->turn, data, size, packet, packet_size)
                : stream_frame_read(&readers->frame, data, size, packet, packet_size);
}

static void add(struct result *result, const uint8_t *packet, size_t size)
{
    result->packets++;
    result->bytes += size;
    for (size_t i = 0; i < size; i++)
        result->hash = (result->hash ^ packet[i]) * 16777619u;
}

static struct result read_all(const uint8_t *data, size_t size, size_t piece, bool turn)
{
    struct result result = {.err = OW_EAGAIN};
    struct readers *readers = calloc(1, sizeof *readers);
    for (size_t at = 0; at < size && result.err == OW_EAGAIN && readers; at += piece) {
        const uint8_t *next = data + at, *packet;
        size_t rest = size - at < piece ? size - at : piece, packet_size;
        while ((result.err = read_next(readers, turn, &next, &rest, &packet, &packet_size)) ==
               OW_OK)
            add(&result, packet, packet_size);
        if (result.err == OW_EAGAIN && rest != 0)
            abort();
    }
    free(readers);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece = (size_t)data[0] + 1;
    for (int turn = 0; turn < 2; turn++) {
        struct result whole = read_all(data + 1, size - 1, size, turn);
        struct result parts = read_all(data + 1, size - 1, piece, turn);
        if (whole.err != parts.err || whole.packets != parts.packets ||
            whole.bytes != parts.bytes || whole.hash != parts.hash)
            abort();
    }
    return 0;
}
