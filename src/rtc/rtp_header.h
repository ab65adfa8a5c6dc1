/* RTP packet headers (RFC 3550 section 5.1) with one-byte header extensions (RFC 8285 section 4.2),
 * and RTX (RFC 4588 section 4). */
#ifndef OW_RTC_RTP_HEADER_H
#define OW_RTC_RTP_HEADER_H

#include "rtc/sdp.h"

enum {
    RTP_FIXED_BYTES = 12,
    RTP_PADDING_BIT = 0x20, /* of the first byte: the last byte says how many of them are padding */
    RTP_EXTENSION_HEADER_BYTES = 4,
    RTP_MAX_MID_BYTES = 16, /* longest data of a one-byte extension; longer mids are not sent */
    /* transport-cc 1+2, playout-delay 1+3, abs-send-time 1+3, mid 1+16, abs-capture-time 1+8,
       padded */
    RTP_MAX_EXTENSION_BYTES = 40,
    RTP_MAX_HEADER_BYTES = RTP_FIXED_BYTES + RTP_EXTENSION_HEADER_BYTES + RTP_MAX_EXTENSION_BYTES,
    RTX_HEADER_BYTES = 2, /* original sequence number */
};

/* Which extensions the peer takes (their ids, 0 = not), and their values for one packet. */
struct rtp_extensions {
    const uint8_t *ids; /* SDP_EXT_COUNT of them, lent */
    uint16_t transport_sequence;
    uint16_t playout_min_10ms, playout_max_10ms; /* 12 bits each, units of 10 ms */
    int64_t send_us;                             /* for abs-send-time */
    const char *mid;                             /* NULL = leave out */
    uint64_t capture_ntp;                        /* UQ32.32, 0 = leave out */
};

struct rtp_header {
    uint8_t payload_type;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
};

/* Writes the header with the extensions that have an id; `out` holds RTP_MAX_HEADER_BYTES. Returns
 * the bytes written, a multiple of four. */
size_t rtp_header_write(uint8_t *out, const struct rtp_header *header,
                        const struct rtp_extensions *extensions);

/* 64-bit NTP time (RFC 3550 section 4) of microseconds since 1970. */
uint64_t ntp_from_wall_us(int64_t wall_us);

/* The RTP timestamp of a time: 90 kHz ticks of the microsecond clock plus an offset, modulo 2^32.
 */
uint32_t rtp_timestamp_90k(int64_t time_us, uint32_t offset);

static inline void write_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static inline void write_u32(uint8_t *to, uint32_t value)
{
    write_u16(to, (uint16_t)(value >> 16));
    write_u16(to + 2, (uint16_t)value);
}

static inline uint16_t read_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static inline uint32_t read_u32(const uint8_t *from)
{
    return (uint32_t)read_u16(from) << 16 | read_u16(from + 2);
}

#endif
