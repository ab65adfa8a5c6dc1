/* Inside the STUN parser and writer: numbers of the wire (RFC 8489 section 18, RFC 8656 section 18,
 * RFC 8445 section 16), and what both need. */
#ifndef OW_RTC_STUN_WIRE_H
#define OW_RTC_STUN_WIRE_H

#include "rtc/stun.h"

enum {
    STUN_MAGIC_COOKIE = 0x2112A442,
    STUN_INTEGRITY_BYTES = 20,
    STUN_ATTRIBUTE_HEADER_BYTES = 4,
    STUN_FINGERPRINT_XOR = 0x5354554e,
};

enum stun_attribute_type {
    STUN_ATTR_MAPPED_ADDRESS = 0x0001,
    STUN_ATTR_USERNAME = 0x0006,
    STUN_ATTR_MESSAGE_INTEGRITY = 0x0008,
    STUN_ATTR_ERROR_CODE = 0x0009,
    STUN_ATTR_UNKNOWN_ATTRIBUTES = 0x000A,
    STUN_ATTR_CHANNEL_NUMBER = 0x000C,
    STUN_ATTR_LIFETIME = 0x000D,
    STUN_ATTR_XOR_PEER_ADDRESS = 0x0012,
    STUN_ATTR_DATA = 0x0013,
    STUN_ATTR_REALM = 0x0014,
    STUN_ATTR_NONCE = 0x0015,
    STUN_ATTR_XOR_RELAYED_ADDRESS = 0x0016,
    STUN_ATTR_REQUESTED_ADDRESS_FAMILY = 0x0017,
    STUN_ATTR_REQUESTED_TRANSPORT = 0x0019,
    STUN_ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001C,
    STUN_ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_ATTR_PRIORITY = 0x0024,
    STUN_ATTR_USE_CANDIDATE = 0x0025,
    STUN_ATTR_ALTERNATE_DOMAIN = 0x8003,
    STUN_ATTR_ALTERNATE_SERVER = 0x8023,
    STUN_ATTR_FINGERPRINT = 0x8028,
    STUN_ATTR_ICE_CONTROLLED = 0x8029,
    STUN_ATTR_ICE_CONTROLLING = 0x802A,
};

static inline uint16_t stun_read_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t stun_read_u32(const uint8_t *p)
{
    return (uint32_t)stun_read_u16(p) << 16 | stun_read_u16(p + 2);
}

static inline void stun_write_u16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void stun_write_u32(uint8_t *p, uint32_t value)
{
    stun_write_u16(p, value >> 16);
    stun_write_u16(p + 2, value & 0xffff);
}

/* HMAC-SHA1 over the message up to MESSAGE-INTEGRITY, with the header's length counting up to and
 * including that attribute (RFC 8489 section 14.5). OW_ELIMIT, OW_ENOMEM. */
int stun_compute_integrity(uint8_t out[STUN_INTEGRITY_BYTES], const uint8_t *data, size_t covered,
                           const void *password, size_t password_size);

#endif
