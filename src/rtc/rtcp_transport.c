/* The body of transport-wide feedback: status chunks, then one receive delta a received packet.
 *
 *   run length:     0 | S S | length (13 bits)
 *   status vector:  1 0 | 14 symbols of 1 bit        1 1 | 7 symbols of 2 bits
 *   symbols: 0 not received, 1 small delta (1 byte), 2 large or negative delta (2 bytes) */
#include "core/error.h"
#include "rtc/rtcp.h"
#include "rtc/rtp_header.h"

enum { SYMBOL_MISSING, SYMBOL_SMALL, SYMBOL_LARGE, SYMBOL_RESERVED };

static size_t delta_bytes(int symbol)
{
    return symbol == SYMBOL_SMALL ? 1 : symbol == SYMBOL_LARGE ? 2 : 0;
}

/* How many statuses a chunk stands for, and the bytes of deltas that `limit` of them need. False
 * for the reserved symbol. */
static bool measure_chunk(uint16_t chunk, uint32_t limit, uint32_t *statuses, size_t *bytes)
{
    if ((chunk & 0x8000) == 0) {
        int symbol = chunk >> 13 & 3;
        *statuses = chunk & 0x1fff;
        *bytes = delta_bytes(symbol) * (*statuses < limit ? *statuses : limit);
        return symbol != SYMBOL_RESERVED;
    }
    int width = (chunk & 0x4000) != 0 ? 2 : 1;
    *statuses = 14 / (uint32_t)width;
    *bytes = 0;
    for (uint32_t i = 0; i < *statuses && i < limit; i++) {
        int symbol = chunk >> (14 - width * ((int)i + 1)) & (width == 2 ? 3 : 1);
        if (symbol == SYMBOL_RESERVED)
            return false;
        *bytes += delta_bytes(symbol);
    }
    return true;
}

int rtcp_status_reader_init(struct rtcp_status_reader *reader, const struct rtcp_packet *packet)
{
    const uint8_t *at = packet->items, *end = packet->items + packet->items_size;
    uint32_t left = packet->transport.status_count;
    size_t deltas = 0;
    while (left > 0) {
        uint32_t statuses;
        size_t bytes;
        if (end - at < 2 || !measure_chunk(read_u16(at), left, &statuses, &bytes))
            return OW_EPARSE;
        if (statuses == 0)
            return OW_EPARSE; /* an empty run would not move forward */
        at += 2;
        deltas += bytes;
        left -= statuses < left ? statuses : left;
    }
    if ((size_t)(end - at) < deltas)
        return OW_EPARSE;
    *reader = (struct rtcp_status_reader){
        .chunk = packet->items,
        .delta = at,
        .left = packet->transport.status_count,
        .sequence = packet->transport.base_sequence,
        .arrival_250us = (int64_t)packet->transport.reference_64ms * 256,
    };
    return OW_OK;
}

/* The symbol at hand, from the run or vector that is being read. */
static int next_symbol(struct rtcp_status_reader *reader)
{
    if (reader->in_chunk == 0) {
        reader->current = read_u16(reader->chunk);
        reader->chunk += 2;
        if ((reader->current & 0x8000) == 0)
            reader->in_chunk = reader->current & 0x1fff;
        else
            reader->in_chunk = (reader->current & 0x4000) != 0 ? 7 : 14;
    }
    reader->in_chunk--;
    if ((reader->current & 0x8000) == 0)
        return reader->current >> 13 & 3;
    if ((reader->current & 0x4000) != 0)
        return reader->current >> (2 * reader->in_chunk) & 3;
    return reader->current >> reader->in_chunk & 1;
}

bool rtcp_status_next(struct rtcp_status_reader *reader, struct rtcp_status *out)
{
    if (reader->left == 0)
        return false;
    int symbol = next_symbol(reader);
    if (symbol == SYMBOL_SMALL)
        reader->arrival_250us += reader->delta[0];
    else if (symbol == SYMBOL_LARGE)
        reader->arrival_250us += (int16_t)read_u16(reader->delta);
    reader->delta += delta_bytes(symbol);
    *out = (struct rtcp_status){.sequence = reader->sequence,
                                .received = symbol != SYMBOL_MISSING,
                                .arrival_us = reader->arrival_250us * 250};
    reader->sequence++;
    reader->left--;
    return true;
}
