#include "rtc/rtp_header.h"

#include <assert.h>
#include <string.h>

enum { RTP_VERSION_2 = 0x80, RTP_HAS_EXTENSION = 0x10, RTP_MARKER = 0x80 };

static const uint16_t ONE_BYTE_PROFILE = 0xbede;       /* RFC 8285 section 4.2 */
static const int64_t UNIX_TO_NTP_SECONDS = 2208988800; /* 1900 to 1970 */

/* An element is its id in the upper and its length less one in the lower four bits, then the data.
 */
static uint8_t *put_element(uint8_t *to, uint8_t id, const void *data, size_t size)
{
    *to++ = (uint8_t)(id << 4 | (uint8_t)(size - 1));
    memcpy(to, data, size);
    return to + size;
}

static uint8_t *put_u24(uint8_t *to, uint8_t id, uint32_t value)
{
    uint8_t bytes[3] = {(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    return put_element(to, id, bytes, sizeof(bytes));
}

static uint8_t *put_capture_time(uint8_t *to, uint8_t id, uint64_t ntp)
{
    uint8_t bytes[8];
    write_u32(bytes, (uint32_t)(ntp >> 32));
    write_u32(bytes + 4, (uint32_t)ntp);
    return put_element(to, id, bytes, sizeof(bytes));
}

static uint8_t *put_elements(uint8_t *to, const struct rtp_extensions *values)
{
    const uint8_t *ids = values->ids;
    if (ids[SDP_EXT_TRANSPORT_CC] != 0) {
        uint8_t sequence[2];
        write_u16(sequence, values->transport_sequence);
        to = put_element(to, ids[SDP_EXT_TRANSPORT_CC], sequence, sizeof(sequence));
    }
    /* Two 12-bit numbers side by side: min in the upper half of the 24 bits. */
    if (ids[SDP_EXT_PLAYOUT_DELAY] != 0)
        to = put_u24(to, ids[SDP_EXT_PLAYOUT_DELAY],
                     (values->playout_min_10ms & 0xfffu) << 12 |
                         (values->playout_max_10ms & 0xfffu));
    /* 6.18 fixed-point seconds, wraps every 64 s. */
    if (ids[SDP_EXT_ABS_SEND_TIME] != 0)
        to = put_u24(to, ids[SDP_EXT_ABS_SEND_TIME],
                     (uint32_t)((((uint64_t)values->send_us << 18) / 1000000) & 0xffffff));
    size_t mid_size = values->mid == NULL ? 0 : strlen(values->mid);
    if (ids[SDP_EXT_MID] != 0 && mid_size > 0 && mid_size <= RTP_MAX_MID_BYTES)
        to = put_element(to, ids[SDP_EXT_MID], values->mid, mid_size);
    if (ids[SDP_EXT_ABS_CAPTURE_TIME] != 0 && values->capture_ntp != 0)
        to = put_capture_time(to, ids[SDP_EXT_ABS_CAPTURE_TIME], values->capture_ntp);
    return to;
}

size_t rtp_header_write(uint8_t *out, const struct rtp_header *header,
                        const struct rtp_extensions *extensions)
{
    assert(header->payload_type < 128);
    uint8_t *first = out + RTP_FIXED_BYTES + RTP_EXTENSION_HEADER_BYTES;
    uint8_t *end = put_elements(first, extensions);
    bool extended = end > first;
    out[0] = extended ? RTP_VERSION_2 | RTP_HAS_EXTENSION : RTP_VERSION_2;
    out[1] = (uint8_t)(header->payload_type | (header->marker ? RTP_MARKER : 0));
    write_u16(out + 2, header->sequence);
    write_u32(out + 4, header->timestamp);
    write_u32(out + 8, header->ssrc);
    if (!extended)
        return RTP_FIXED_BYTES;
    while ((end - first) % 4 != 0)
        *end++ = 0; /* padding elements */
    write_u16(out + RTP_FIXED_BYTES, ONE_BYTE_PROFILE);
    write_u16(out + RTP_FIXED_BYTES + 2, (uint16_t)((end - first) / 4));
    return (size_t)(end - out);
}

uint64_t ntp_from_wall_us(int64_t wall_us)
{
    uint64_t seconds = (uint64_t)(wall_us / 1000000 + UNIX_TO_NTP_SECONDS);
    uint64_t micros = (uint64_t)(wall_us % 1000000);
    return seconds << 32 | ((micros << 32) / 1000000);
}

uint32_t rtp_timestamp_90k(int64_t time_us, uint32_t offset)
{
    return (uint32_t)((uint64_t)time_us * 9 / 100) + offset;
}
