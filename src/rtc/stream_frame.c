#include "rtc/stream_frame.h"

#include <stdbool.h>
#include <string.h>

static size_t announced(const uint8_t header[STREAM_FRAME_HEADER_BYTES])
{
    return (size_t)header[0] << 8 | header[1];
}

static void consume(const uint8_t **data, size_t *size, size_t count)
{
    *data += count;
    *size -= count;
}

/* Adds to what is held until it is `wanted` bytes long; false when the input ended before. */
static bool hold(struct stream_frame_reader *reader, const uint8_t **data, size_t *size,
                 size_t wanted)
{
    size_t missing = wanted - reader->filled, taken = *size < missing ? *size : missing;
    if (taken > 0)
        memcpy(reader->held + reader->filled, *data, taken);
    reader->filled += taken;
    consume(data, size, taken);
    return reader->filled == wanted;
}

/* A packet that lies whole in the input is not copied. OW_EAGAIN when it has to be held. */
static int read_in_place(const uint8_t **data, size_t *size, const uint8_t **packet,
                         size_t *packet_size)
{
    while (*size >= STREAM_FRAME_HEADER_BYTES) {
        size_t length = announced(*data);
        if (length > STREAM_FRAME_MAX_BYTES)
            return OW_EPARSE;
        if (*size < STREAM_FRAME_HEADER_BYTES + length)
            return OW_EAGAIN;
        const uint8_t *found = *data + STREAM_FRAME_HEADER_BYTES;
        consume(data, size, STREAM_FRAME_HEADER_BYTES + length);
        if (length == 0)
            continue;
        *packet = found;
        *packet_size = length;
        return OW_OK;
    }
    return OW_EAGAIN;
}

int stream_frame_read(struct stream_frame_reader *reader, const uint8_t **data, size_t *size,
                      const uint8_t **packet, size_t *packet_size)
{
    for (;;) {
        if (reader->filled == 0) {
            int err = read_in_place(data, size, packet, packet_size);
            if (err != OW_EAGAIN || *size == 0)
                return err;
        }
        if (reader->filled < STREAM_FRAME_HEADER_BYTES &&
            !hold(reader, data, size, STREAM_FRAME_HEADER_BYTES))
            return OW_EAGAIN;
        size_t length = announced(reader->held);
        if (length > STREAM_FRAME_MAX_BYTES)
            return OW_EPARSE;
        if (!hold(reader, data, size, STREAM_FRAME_HEADER_BYTES + length))
            return OW_EAGAIN;
        reader->filled = 0;
        if (length == 0)
            continue;
        *packet = reader->held + STREAM_FRAME_HEADER_BYTES;
        *packet_size = length;
        return OW_OK;
    }
}

void stream_frame_header(uint8_t header[STREAM_FRAME_HEADER_BYTES], size_t packet_size)
{
    header[0] = (uint8_t)(packet_size >> 8);
    header[1] = (uint8_t)packet_size;
}

int stream_frame_write(uint8_t *out, size_t capacity, const uint8_t *packet, size_t packet_size,
                       size_t *written)
{
    if (packet_size == 0 || packet_size > STREAM_FRAME_MAX_BYTES)
        return OW_EINVAL;
    if (capacity < STREAM_FRAME_HEADER_BYTES + packet_size)
        return OW_ELIMIT;
    memmove(out + STREAM_FRAME_HEADER_BYTES, packet, packet_size);
    stream_frame_header(out, packet_size);
    *written = STREAM_FRAME_HEADER_BYTES + packet_size;
    return OW_OK;
}
