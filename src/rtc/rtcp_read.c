#include "rtc/rtcp.h"

#include "core/error.h"
#include "rtc/rtp_header.h"

#include <string.h>

enum {
    TYPE_SENDER_REPORT = 200,
    TYPE_RECEIVER_REPORT = 201,
    TYPE_BYE = 203,
    TYPE_TRANSPORT_FEEDBACK = 205,
    TYPE_PAYLOAD_FEEDBACK = 206,
    TYPE_EXTENDED_REPORT = 207,
    FORMAT_NACK = 1,
    FORMAT_TRANSPORT_CC = 15,
    FORMAT_PLI = 1,
    FORMAT_FIR = 4,
    FORMAT_APPLICATION = 15,
    XR_REFERENCE_TIME = 4,
    REPORT_BLOCK_BYTES = 24,
    FEEDBACK_HEADER_BYTES = 12, /* with both SSRCs */
};

/* A packet as the common header (RFC 3550 section 6.1) frames it, padding taken off. */
struct raw {
    int count, type;
    const uint8_t *data;
    size_t size;
};

void rtcp_reader_init(struct rtcp_reader *reader, const uint8_t *data, size_t size)
{
    *reader = (struct rtcp_reader){.data = data, .left = size};
}

static int next_raw(struct rtcp_reader *reader, struct raw *out)
{
    if (reader->left == 0)
        return OW_EAGAIN;
    const uint8_t *data = reader->data;
    if (reader->left < 4 || data[0] >> 6 != 2)
        return OW_EPARSE;
    size_t size = ((size_t)read_u16(data + 2) + 1) * 4;
    if (size > reader->left)
        return OW_EPARSE;
    size_t padding = 0;
    if ((data[0] & 0x20) != 0) {
        padding = data[size - 1];
        if (padding == 0 || padding > size - 4)
            return OW_EPARSE;
    }
    *out = (struct raw){
        .count = data[0] & 0x1f, .type = data[1], .data = data, .size = size - padding};
    reader->data += size;
    reader->left -= size;
    return OW_OK;
}

static bool read_report(const struct raw *raw, struct rtcp_packet *out)
{
    size_t header = raw->type == TYPE_SENDER_REPORT ? RTCP_SENDER_REPORT_BYTES : 8;
    if (raw->size < header + (size_t)raw->count * REPORT_BLOCK_BYTES)
        return false;
    out->kind = RTCP_REPORT;
    out->items = raw->data + header;
    out->items_size = (size_t)raw->count * REPORT_BLOCK_BYTES;
    out->count = raw->count;
    return true;
}

/* Exponent and mantissa of draft-alvestrand-rmcat-remb-03 section 2.2, capped at 64 bits. */
static uint64_t remb_bitrate(const uint8_t *data)
{
    int exponent = data[1] >> 2;
    uint64_t mantissa = (uint64_t)(data[1] & 3) << 16 | read_u16(data + 2);
    if (mantissa != 0 && exponent > 46)
        return UINT64_MAX;
    return mantissa << (exponent > 46 ? 0 : exponent);
}

static bool read_payload_feedback(const struct raw *raw, struct rtcp_packet *out)
{
    const uint8_t *fci = raw->data + FEEDBACK_HEADER_BYTES;
    size_t size = raw->size - FEEDBACK_HEADER_BYTES;
    switch (raw->count) {
    case FORMAT_PLI:
        out->kind = RTCP_PLI;
        return true;
    case FORMAT_FIR:
        out->kind = RTCP_FIR;
        out->items = fci;
        out->items_size = size / 8 * 8;
        out->count = (int)(size / 8);
        return out->count > 0;
    case FORMAT_APPLICATION:
        if (size < 8 || memcmp(fci, "REMB", 4) != 0)
            return false;
        out->kind = RTCP_REMB;
        out->remb_bps = remb_bitrate(fci + 4);
        return true;
    default:
        return false;
    }
}

static bool read_transport_feedback(const struct raw *raw, struct rtcp_packet *out)
{
    const uint8_t *fci = raw->data + FEEDBACK_HEADER_BYTES;
    size_t size = raw->size - FEEDBACK_HEADER_BYTES;
    if (raw->count == FORMAT_NACK) {
        out->kind = RTCP_NACK;
        out->items = fci;
        out->items_size = size / 4 * 4;
        out->count = (int)(size / 4);
        return out->count > 0;
    }
    if (raw->count != FORMAT_TRANSPORT_CC || size < 8)
        return false;
    out->kind = RTCP_TRANSPORT_FEEDBACK;
    out->transport.base_sequence = read_u16(fci);
    out->transport.status_count = read_u16(fci + 2);
    uint32_t word = read_u32(fci + 4);
    out->transport.reference_64ms = (int32_t)((word >> 8) ^ 0x800000) - 0x800000;
    out->transport.feedback_count = (uint8_t)word;
    out->items = fci + 8;
    out->items_size = size - 8;
    return true;
}

/* RFC 3611: of the report blocks only the reference time (section 4.4) is of use. */
static bool read_extended(const struct raw *raw, struct rtcp_packet *out)
{
    size_t at = 8;
    while (at + 4 <= raw->size) {
        size_t size = ((size_t)read_u16(raw->data + at + 2) + 1) * 4;
        if (size > raw->size - at)
            return false;
        if (raw->data[at] == XR_REFERENCE_TIME && size >= 12) {
            out->kind = RTCP_REFERENCE_TIME;
            out->ntp = (uint64_t)read_u32(raw->data + at + 4) << 32 | read_u32(raw->data + at + 8);
            return true;
        }
        at += size;
    }
    return false;
}

static bool read_packet(const struct raw *raw, struct rtcp_packet *out)
{
    *out = (struct rtcp_packet){0};
    if (raw->size < 8)
        return false;
    out->sender_ssrc = read_u32(raw->data + 4);
    switch (raw->type) {
    case TYPE_SENDER_REPORT:
    case TYPE_RECEIVER_REPORT:
        return read_report(raw, out);
    case TYPE_BYE:
        out->kind = RTCP_BYE;
        return raw->count > 0;
    case TYPE_EXTENDED_REPORT:
        return read_extended(raw, out);
    case TYPE_TRANSPORT_FEEDBACK:
    case TYPE_PAYLOAD_FEEDBACK:
        if (raw->size < FEEDBACK_HEADER_BYTES)
            return false;
        out->media_ssrc = read_u32(raw->data + 8);
        return raw->type == TYPE_TRANSPORT_FEEDBACK ? read_transport_feedback(raw, out)
                                                    : read_payload_feedback(raw, out);
    default:
        return false;
    }
}

int rtcp_next(struct rtcp_reader *reader, struct rtcp_packet *out)
{
    struct raw raw;
    struct rtcp_packet packet;
    int code;
    while ((code = next_raw(reader, &raw)) == OW_OK) {
        if (!read_packet(&raw, &packet))
            continue; /* whole but of no use: the compound goes on behind it */
        *out = packet;
        return OW_OK;
    }
    reader->left = 0;
    return code;
}

struct rtcp_report_block rtcp_report_block(const struct rtcp_packet *packet, int index)
{
    const uint8_t *at = packet->items + (size_t)index * REPORT_BLOCK_BYTES;
    uint32_t lost = read_u32(at + 4);
    return (struct rtcp_report_block){
        .ssrc = read_u32(at),
        .fraction_lost = (uint8_t)(lost >> 24),
        .cumulative_lost = (int32_t)((lost & 0xffffff) ^ 0x800000) - 0x800000,
        .highest_sequence = read_u32(at + 8),
        .jitter = read_u32(at + 12),
        .last_sr = read_u32(at + 16),
        .since_last_sr = read_u32(at + 20),
    };
}

void rtcp_nack_item(const struct rtcp_packet *packet, int index, uint16_t *sequence,
                    uint16_t *following)
{
    const uint8_t *at = packet->items + (size_t)index * 4;
    *sequence = read_u16(at);
    *following = read_u16(at + 2);
}

void rtcp_fir_entry(const struct rtcp_packet *packet, int index, uint32_t *ssrc, uint8_t *number)
{
    const uint8_t *at = packet->items + (size_t)index * 8;
    *ssrc = read_u32(at);
    *number = at[4];
}
