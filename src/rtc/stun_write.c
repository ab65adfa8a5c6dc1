/* The writer of stun.h. */
#include "rtc/stun.h"
#include "rtc/stun_wire.h"

#include <string.h>

void stun_begin_turn(struct stun_writer *writer, uint8_t *data, size_t capacity,
                     enum stun_method method, enum stun_class class,
                     const uint8_t transaction[STUN_TRANSACTION_BYTES])
{
    *writer = (struct stun_writer){data, capacity, STUN_HEADER_BYTES, capacity < STUN_HEADER_BYTES};
    if (writer->overflow)
        return;
    uint32_t c = (uint32_t) class, m = (uint32_t)method;
    stun_write_u16(data,
                   (m & 0xf) | (m & 0x70) << 1 | (m & 0xf80) << 2 | (c & 1) << 4 | (c & 2) << 7);
    stun_write_u16(data + 2, 0);
    stun_write_u32(data + 4, STUN_MAGIC_COOKIE);
    memcpy(data + 8, transaction, STUN_TRANSACTION_BYTES);
}

void stun_begin(struct stun_writer *writer, uint8_t *data, size_t capacity, enum stun_class class,
                const uint8_t transaction[STUN_TRANSACTION_BYTES])
{
    stun_begin_turn(writer, data, capacity, STUN_BINDING, class, transaction);
}

/* Appends an attribute's header and zeroed, padded value; NULL when it does not fit. */
static uint8_t *put(struct stun_writer *writer, uint32_t type, size_t size)
{
    size_t padded = (size + 3) & ~(size_t)3;
    if (writer->overflow || size > 0xffff ||
        writer->capacity - writer->size < STUN_ATTRIBUTE_HEADER_BYTES + padded) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *at = writer->data + writer->size;
    stun_write_u16(at, type);
    stun_write_u16(at + 2, (uint32_t)size);
    memset(at + STUN_ATTRIBUTE_HEADER_BYTES, 0, padded);
    writer->size += STUN_ATTRIBUTE_HEADER_BYTES + padded;
    stun_write_u16(writer->data + 2, (uint32_t)(writer->size - STUN_HEADER_BYTES));
    return at + STUN_ATTRIBUTE_HEADER_BYTES;
}

static void put_bytes(struct stun_writer *writer, uint32_t type, const void *bytes, size_t size)
{
    uint8_t *value = put(writer, type, size);
    if (value && size > 0)
        memcpy(value, bytes, size);
}

static void put_u32(struct stun_writer *writer, uint32_t type, uint32_t number)
{
    uint8_t *value = put(writer, type, 4);
    if (value)
        stun_write_u32(value, number);
}

void stun_put_username(struct stun_writer *writer, const char *username)
{
    put_bytes(writer, STUN_ATTR_USERNAME, username, strlen(username));
}

void stun_put_realm(struct stun_writer *writer, const char *realm)
{
    put_bytes(writer, STUN_ATTR_REALM, realm, strlen(realm));
}

void stun_put_nonce(struct stun_writer *writer, const uint8_t *nonce, size_t size)
{
    put_bytes(writer, STUN_ATTR_NONCE, nonce, size);
}

void stun_put_payload(struct stun_writer *writer, const uint8_t *data, size_t size)
{
    put_bytes(writer, STUN_ATTR_DATA, data, size);
}

void stun_put_priority(struct stun_writer *writer, uint32_t priority)
{
    put_u32(writer, STUN_ATTR_PRIORITY, priority);
}

void stun_put_lifetime(struct stun_writer *writer, uint32_t seconds)
{
    put_u32(writer, STUN_ATTR_LIFETIME, seconds);
}

/* The number is IANA's of the protocol; RFC 8656 allows UDP only. */
void stun_put_requested_udp(struct stun_writer *writer)
{
    put_u32(writer, STUN_ATTR_REQUESTED_TRANSPORT, (uint32_t)17 << 24);
}

void stun_put_requested_family(struct stun_writer *writer, enum address_family family)
{
    put_u32(writer, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
            (family == ADDRESS_IPV6 ? (uint32_t)2 : (uint32_t)1) << 24);
}

void stun_put_channel(struct stun_writer *writer, uint16_t channel)
{
    put_u32(writer, STUN_ATTR_CHANNEL_NUMBER, (uint32_t)channel << 16);
}

void stun_put_use_candidate(struct stun_writer *writer)
{
    put(writer, STUN_ATTR_USE_CANDIDATE, 0);
}

void stun_put_role(struct stun_writer *writer, enum stun_role role, uint64_t tie_breaker)
{
    uint32_t type =
        role == STUN_ROLE_CONTROLLED ? STUN_ATTR_ICE_CONTROLLED : STUN_ATTR_ICE_CONTROLLING;
    uint8_t *value = put(writer, type, 8);
    if (value) {
        stun_write_u32(value, (uint32_t)(tie_breaker >> 32));
        stun_write_u32(value + 4, (uint32_t)tie_breaker);
    }
}

static void put_xor_address(struct stun_writer *writer, uint32_t type,
                            const struct address *address)
{
    size_t ip_bytes = address->family == ADDRESS_IPV6 ? 16 : 4;
    uint8_t *value = put(writer, type, 4 + ip_bytes);
    if (!value)
        return;
    value[1] = ip_bytes == 4 ? 1 : 2;
    stun_write_u16(value + 2, address->port ^ (uint32_t)(STUN_MAGIC_COOKIE >> 16));
    for (size_t i = 0; i < ip_bytes; i++)
        value[4 + i] = address->ip[i] ^ writer->data[4 + i];
}

void stun_put_alternate(struct stun_writer *writer, const struct address *server,
                        const char *domain)
{
    size_t ip_bytes = server->family == ADDRESS_IPV6 ? 16 : 4;
    uint8_t *value = put(writer, STUN_ATTR_ALTERNATE_SERVER, 4 + ip_bytes);
    if (value) {
        value[1] = ip_bytes == 4 ? 1 : 2;
        stun_write_u16(value + 2, server->port);
        memcpy(value + 4, server->ip, ip_bytes);
    }
    if (domain)
        put_bytes(writer, STUN_ATTR_ALTERNATE_DOMAIN, domain, strlen(domain));
}

void stun_put_xor_mapped(struct stun_writer *writer, const struct address *address)
{
    put_xor_address(writer, STUN_ATTR_XOR_MAPPED_ADDRESS, address);
}

void stun_put_peer(struct stun_writer *writer, const struct address *address)
{
    put_xor_address(writer, STUN_ATTR_XOR_PEER_ADDRESS, address);
}

void stun_put_relayed(struct stun_writer *writer, const struct address *address)
{
    put_xor_address(writer, STUN_ATTR_XOR_RELAYED_ADDRESS, address);
}

void stun_put_error(struct stun_writer *writer, int code)
{
    const char *text = code == STUN_ERROR_ROLE_CONFLICT       ? "Role Conflict"
                       : code == STUN_ERROR_UNKNOWN_ATTRIBUTE ? "Unknown Attribute"
                                                              : "Error";
    size_t size = strlen(text);
    uint8_t *value = put(writer, STUN_ATTR_ERROR_CODE, 4 + size);
    if (!value)
        return;
    value[2] = (uint8_t)(code / 100);
    value[3] = (uint8_t)(code % 100);
    memcpy(value + 4, text, size);
}

void stun_put_unknown(struct stun_writer *writer, const uint16_t *types, int count)
{
    uint8_t *value = put(writer, STUN_ATTR_UNKNOWN_ATTRIBUTES, (size_t)count * 2);
    for (int i = 0; value && i < count; i++)
        stun_write_u16(value + 2 * i, types[i]);
}

static int put_integrity(struct stun_writer *writer, const void *password, size_t password_size)
{
    size_t covered = writer->size;
    uint8_t *value = put(writer, STUN_ATTR_MESSAGE_INTEGRITY, STUN_INTEGRITY_BYTES);
    if (!value)
        return OW_ELIMIT;
    return stun_compute_integrity(value, writer->data, covered, password, password_size);
}

int stun_finish(struct stun_writer *writer, const char *password)
{
    int err = password ? put_integrity(writer, password, strlen(password)) : OW_OK;
    if (err)
        return err;
    size_t covered = writer->size;
    uint8_t *value = put(writer, STUN_ATTR_FINGERPRINT, 4);
    if (!value)
        return OW_ELIMIT;
    stun_write_u32(value, stun_crc32(writer->data, covered) ^ STUN_FINGERPRINT_XOR);
    return OW_OK;
}

int stun_finish_key(struct stun_writer *writer, const uint8_t key[STUN_KEY_BYTES])
{
    return put_integrity(writer, key, STUN_KEY_BYTES);
}
