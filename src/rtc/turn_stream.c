#include "rtc/turn_stream.h"

#include "rtc/stun.h"

#include <string.h>

enum { CHANNEL_HEADER_BYTES = 4 };

/* What a message's first four bytes say. */
struct extent {
    size_t message, padded;
};

static int measure(struct extent *out, const uint8_t head[CHANNEL_HEADER_BYTES])
{
    size_t length = (size_t)head[2] << 8 | head[3];
    if ((head[0] & 0xc0) == 0) {
        if (length % 4 != 0)
            return OW_EPARSE;
        *out = (struct extent){STUN_HEADER_BYTES + length, STUN_HEADER_BYTES + length};
        return OW_OK;
    }
    if ((head[0] & 0xf0) == 0x40) {
        size_t message = CHANNEL_HEADER_BYTES + length;
        *out = (struct extent){message, (message + 3) & ~(size_t)3};
        return OW_OK;
    }
    return OW_EPARSE;
}

static void consume(const uint8_t **data, size_t *size, size_t count)
{
    *data += count;
    *size -= count;
}

static void skip(struct turn_stream_reader *reader, const uint8_t **data, size_t *size)
{
    size_t count = *size < reader->skip ? *size : reader->skip;
    consume(data, size, count);
    reader->skip -= count;
}

/* Adds to what is held until it is `wanted` bytes long; false when the input ended before. */
static bool hold(struct turn_stream_reader *reader, const uint8_t **data, size_t *size,
                 size_t wanted)
{
    size_t missing = wanted - reader->filled, taken = *size < missing ? *size : missing;
    if (taken > 0)
        memcpy(reader->held + reader->filled, *data, taken);
    reader->filled += taken;
    consume(data, size, taken);
    return reader->filled == wanted;
}

int turn_stream_read(struct turn_stream_reader *reader, const uint8_t **data, size_t *size,
                     const uint8_t **message, size_t *message_size)
{
    struct extent extent;
    for (;;) {
        skip(reader, data, size);
        if (*size == 0)
            return OW_EAGAIN;
        if (reader->filled == 0 && *size >= CHANNEL_HEADER_BYTES) {
            if (measure(&extent, *data))
                return OW_EPARSE;
            if (*size >= extent.padded && extent.padded <= TURN_STREAM_HELD_BYTES) {
                *message = *data; /* it lies whole in the input: no copy */
                *message_size = extent.message;
                consume(data, size, extent.padded);
                return OW_OK;
            }
        }
        if (reader->filled < CHANNEL_HEADER_BYTES &&
            !hold(reader, data, size, CHANNEL_HEADER_BYTES))
            return OW_EAGAIN;
        if (measure(&extent, reader->held))
            return OW_EPARSE;
        if (extent.padded > TURN_STREAM_HELD_BYTES) {
            reader->skip = extent.padded - reader->filled;
            reader->filled = 0;
            continue;
        }
        if (!hold(reader, data, size, extent.padded))
            return OW_EAGAIN;
        reader->filled = 0;
        *message = reader->held;
        *message_size = extent.message;
        return OW_OK;
    }
}
