#include "rtc/flexfec.h"

#include "rtc/rtp_header.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    LENGTH_AT = 2,
    SSRC_COUNT_AT = 8,
    SSRC_AT = 12,
    BASE_AT = 16,
    MASK_AT = 18,
    MASK_ENDS = 0x8000,    /* k */
    TYPE_AND_FLAGS = 0x3f, /* of the first byte: what R and F leave of V, P, X, CC */
};

static const double MUCH_LOSS = 0.025;

int flexfec_rows(int packets, double loss)
{
    bool much = loss >= MUCH_LOSS;
    int per_row = much ? 2 : 4;
    int rows = (packets + per_row - 1) / per_row + much;
    return rows < FLEXFEC_MAX_ROWS ? rows : FLEXFEC_MAX_ROWS;
}

/* The rows that a packet is in, bit r = row r; the packets of a group take them in turn. Those of
 * two rows come first: such a packet outlives the loss of one repair packet. */
static const struct pattern_set {
    int count;
    uint8_t patterns[14];
} PATTERNS[FLEXFEC_MAX_ROWS] = {
    {1, {1}},
    {3, {3, 1, 2}},
    {7, {3, 5, 6, 7, 1, 2, 4}},
    {14, {3, 5, 6, 9, 10, 12, 7, 11, 13, 14, 1, 2, 4, 8}},
};

uint16_t flexfec_mask(int rows, int row, int packets)
{
    assert(rows >= 1 && rows <= FLEXFEC_MAX_ROWS && row < rows && packets <= FLEXFEC_MAX_GROUP);
    const struct pattern_set *set = &PATTERNS[rows - 1];
    uint16_t mask = 0;
    for (int i = 0; i < packets; i++)
        if ((set->patterns[i % set->count] >> row & 1) != 0)
            mask |= (uint16_t)(1 << i);
    return mask;
}

int flexfec_begin(struct flexfec_writer *writer, uint8_t *data, size_t capacity)
{
    if (capacity < FLEXFEC_HEADER_BYTES)
        return OW_ELIMIT;
    *writer =
        (struct flexfec_writer){.data = data, .capacity = capacity, .size = FLEXFEC_HEADER_BYTES};
    memset(data, 0, FLEXFEC_HEADER_BYTES);
    return OW_OK;
}

static void add_bytes(struct flexfec_writer *writer, size_t at, const uint8_t *from, size_t size)
{
    if (at + size > writer->size) {
        memset(writer->data + writer->size, 0, at + size - writer->size);
        writer->size = at + size;
    }
    for (size_t i = 0; i < size; i++)
        writer->data[at + i] ^= from[i];
}

int flexfec_add(struct flexfec_writer *writer, const uint8_t *header, size_t header_size,
                const uint8_t *payload, size_t payload_size)
{
    size_t extra = header_size - RTP_FIXED_BYTES;
    assert(header_size >= RTP_FIXED_BYTES);
    if (FLEXFEC_HEADER_BYTES + extra + payload_size > writer->capacity)
        return OW_ELIMIT;
    writer->data[0] ^= header[0];
    writer->data[1] ^= header[1];
    writer->length_recovery ^= (uint16_t)(extra + payload_size);
    for (int i = 4; i < 8; i++) /* the timestamp */
        writer->data[i] ^= header[i];
    add_bytes(writer, FLEXFEC_HEADER_BYTES, header + RTP_FIXED_BYTES, extra);
    add_bytes(writer, FLEXFEC_HEADER_BYTES + extra, payload, payload_size);
    return OW_OK;
}

/* Bit 0 of the mask is the packet `base`, which the wire has on the left. */
static uint16_t mirrored(uint16_t mask)
{
    uint16_t out = 0;
    for (int i = 0; i < FLEXFEC_MAX_GROUP; i++)
        if ((mask >> i & 1) != 0)
            out |= (uint16_t)(1 << (FLEXFEC_MAX_GROUP - 1 - i));
    return out;
}

void flexfec_finish(struct flexfec_writer *writer, uint32_t ssrc, uint16_t base, uint16_t mask)
{
    writer->data[0] &= TYPE_AND_FLAGS;
    write_u16(writer->data + LENGTH_AT, writer->length_recovery);
    writer->data[SSRC_COUNT_AT] = 1;
    write_u32(writer->data + SSRC_AT, ssrc);
    write_u16(writer->data + BASE_AT, base);
    write_u16(writer->data + MASK_AT, (uint16_t)(MASK_ENDS | mirrored(mask)));
}
