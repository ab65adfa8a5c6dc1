#include "rtc/stun.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <string.h>

enum {
    MAGIC_COOKIE = 0x2112A442,
    INTEGRITY_BYTES = 20,
    ATTRIBUTE_HEADER_BYTES = 4,
    FINGERPRINT_XOR = 0x5354554e,
    /* The largest message that is written or verified here: everything ICE sends, and a TURN
     * request with the longest name, realm and nonce, is smaller. */
    MAX_VERIFIED_BYTES = 2048,
};

enum attribute_type {
    ATTR_MAPPED_ADDRESS = 0x0001,
    ATTR_USERNAME = 0x0006,
    ATTR_MESSAGE_INTEGRITY = 0x0008,
    ATTR_ERROR_CODE = 0x0009,
    ATTR_UNKNOWN_ATTRIBUTES = 0x000A,
    ATTR_CHANNEL_NUMBER = 0x000C,
    ATTR_LIFETIME = 0x000D,
    ATTR_XOR_PEER_ADDRESS = 0x0012,
    ATTR_DATA = 0x0013,
    ATTR_REALM = 0x0014,
    ATTR_NONCE = 0x0015,
    ATTR_XOR_RELAYED_ADDRESS = 0x0016,
    ATTR_REQUESTED_ADDRESS_FAMILY = 0x0017,
    ATTR_REQUESTED_TRANSPORT = 0x0019,
    ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001C,
    ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    ATTR_PRIORITY = 0x0024,
    ATTR_USE_CANDIDATE = 0x0025,
    ATTR_FINGERPRINT = 0x8028,
    ATTR_ICE_CONTROLLED = 0x8029,
    ATTR_ICE_CONTROLLING = 0x802A,
};

static uint16_t read_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)read_u16(p) << 16 | read_u16(p + 2);
}

static void write_u16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void write_u32(uint8_t *p, uint32_t value)
{
    write_u16(p, value >> 16);
    write_u16(p + 2, value & 0xffff);
}

/* Half-byte steps: 16 entries are read faster from a cold cache than 256, and are easier to check.
 */
uint32_t stun_crc32(const uint8_t *data, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* ---- reading: one row per attribute, one small handler per row ---- */

struct attribute {
    uint16_t type;
    const uint8_t *value;
    size_t size;
};

static int read_username(struct stun_message *m, const struct attribute *a)
{
    if (a->size > STUN_MAX_USERNAME)
        return OW_EPARSE;
    if (!m->username) {
        m->username = a->value;
        m->username_size = a->size;
    }
    return OW_OK;
}

static int read_priority(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 4)
        return OW_EPARSE;
    if (!m->has_priority)
        m->priority = read_u32(a->value);
    m->has_priority = true;
    return OW_OK;
}

static int read_use_candidate(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 0)
        return OW_EPARSE;
    m->use_candidate = true;
    return OW_OK;
}

static int read_role(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 8)
        return OW_EPARSE;
    if (m->role == STUN_ROLE_NONE) {
        m->role = a->type == ATTR_ICE_CONTROLLED ? STUN_ROLE_CONTROLLED : STUN_ROLE_CONTROLLING;
        m->tie_breaker = (uint64_t)read_u32(a->value) << 32 | read_u32(a->value + 4);
    }
    return OW_OK;
}

/* RFC 8489 section 14.2: the port is hidden by the cookie's first half, the address by the cookie
 * and, for IPv6, the transaction id, so that no NAT rewrites them. The first of a kind counts. */
static int read_xor_address(struct address *out, const struct stun_message *m,
                            const struct attribute *a)
{
    if (a->size < 4)
        return OW_EPARSE;
    size_t ip_bytes = a->value[1] == 1 ? 4 : a->value[1] == 2 ? 16 : 0;
    if (ip_bytes == 0 || a->size != 4 + ip_bytes)
        return OW_EPARSE;
    if (out->family != ADDRESS_NONE)
        return OW_OK;
    out->family = ip_bytes == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6;
    out->port = read_u16(a->value + 2) ^ (MAGIC_COOKIE >> 16);
    for (size_t i = 0; i < ip_bytes && i < sizeof out->ip; i++)
        out->ip[i] = a->value[4 + i] ^ m->data[4 + i];
    return OW_OK;
}

static int read_xor_mapped(struct stun_message *m, const struct attribute *a)
{
    return read_xor_address(&m->mapped, m, a);
}

static int read_xor_peer(struct stun_message *m, const struct attribute *a)
{
    return read_xor_address(&m->peer, m, a);
}

static int read_xor_relayed(struct stun_message *m, const struct attribute *a)
{
    return read_xor_address(&m->relayed, m, a);
}

static int read_realm(struct stun_message *m, const struct attribute *a)
{
    if (a->size == 0 || a->size > STUN_MAX_REALM)
        return OW_EPARSE;
    if (!m->realm) {
        m->realm = a->value;
        m->realm_size = a->size;
    }
    return OW_OK;
}

static int read_nonce(struct stun_message *m, const struct attribute *a)
{
    if (a->size == 0 || a->size > STUN_MAX_NONCE)
        return OW_EPARSE;
    if (!m->nonce) {
        m->nonce = a->value;
        m->nonce_size = a->size;
    }
    return OW_OK;
}

static int read_data(struct stun_message *m, const struct attribute *a)
{
    if (!m->payload) {
        m->payload = a->value;
        m->payload_size = a->size;
    }
    return OW_OK;
}

static int read_lifetime(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 4)
        return OW_EPARSE;
    if (!m->has_lifetime)
        m->lifetime_s = read_u32(a->value);
    m->has_lifetime = true;
    return OW_OK;
}

static int read_channel(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 4)
        return OW_EPARSE;
    if (m->channel == 0)
        m->channel = read_u16(a->value);
    return OW_OK;
}

static int read_error_code(struct stun_message *m, const struct attribute *a)
{
    if (a->size < 4)
        return OW_EPARSE;
    int hundreds = a->value[2] & 7, rest = a->value[3];
    if (hundreds < 3 || hundreds > 6 || rest > 99)
        return OW_EPARSE;
    if (m->error_code == 0)
        m->error_code = hundreds * 100 + rest;
    return OW_OK;
}

static int read_integrity(struct stun_message *m, const struct attribute *a)
{
    if (a->size != INTEGRITY_BYTES)
        return OW_EPARSE;
    m->integrity_offset = (size_t)(a->value - m->data) - ATTRIBUTE_HEADER_BYTES;
    return OW_OK;
}

static int read_fingerprint(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 4 || a->value + 4 != m->data + m->size)
        return OW_EPARSE; /* it must be the last attribute */
    size_t covered = (size_t)(a->value - m->data) - ATTRIBUTE_HEADER_BYTES;
    if (read_u32(a->value) != (stun_crc32(m->data, covered) ^ FINGERPRINT_XOR))
        return OW_EPARSE;
    m->has_fingerprint = true;
    return OW_OK;
}

static int read_ignored(struct stun_message *m, const struct attribute *a)
{
    (void)m;
    (void)a;
    return OW_OK;
}

struct reader {
    uint16_t type;
    int (*read)(struct stun_message *, const struct attribute *);
};

static const struct reader attribute_table[] = {
    {ATTR_USERNAME, read_username},
    {ATTR_PRIORITY, read_priority},
    {ATTR_USE_CANDIDATE, read_use_candidate},
    {ATTR_ICE_CONTROLLED, read_role},
    {ATTR_ICE_CONTROLLING, read_role},
    {ATTR_XOR_MAPPED_ADDRESS, read_xor_mapped},
    {ATTR_ERROR_CODE, read_error_code},
    {ATTR_MESSAGE_INTEGRITY, read_integrity},
    {ATTR_FINGERPRINT, read_fingerprint},
    {ATTR_MAPPED_ADDRESS, read_ignored},
    {ATTR_UNKNOWN_ATTRIBUTES, read_ignored},
    {ATTR_REALM, read_ignored},
    {ATTR_NONCE, read_ignored},
    {ATTR_MESSAGE_INTEGRITY_SHA256, read_ignored},
};

/* Looked at first, and only on behalf of TURN. */
static const struct reader turn_attribute_table[] = {
    {ATTR_XOR_PEER_ADDRESS, read_xor_peer},
    {ATTR_XOR_RELAYED_ADDRESS, read_xor_relayed},
    {ATTR_DATA, read_data},
    {ATTR_LIFETIME, read_lifetime},
    {ATTR_CHANNEL_NUMBER, read_channel},
    {ATTR_REALM, read_realm},
    {ATTR_NONCE, read_nonce},
    {ATTR_REQUESTED_TRANSPORT, read_ignored},
    {ATTR_REQUESTED_ADDRESS_FAMILY, read_ignored},
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct reader *find_reader(const struct reader *table, size_t count, uint16_t type)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].type == type)
            return &table[i];
    return NULL;
}

static int read_attribute(struct stun_message *m, const struct attribute *a, bool turn)
{
    /* RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY is not protected, hence ignored. */
    if (m->integrity_offset != 0 && a->type != ATTR_FINGERPRINT)
        return OW_OK;
    const struct reader *reader = NULL;
    if (turn)
        reader = find_reader(turn_attribute_table, COUNT(turn_attribute_table), a->type);
    if (!reader)
        reader = find_reader(attribute_table, COUNT(attribute_table), a->type);
    if (reader)
        return reader->read(m, a);
    if (a->type < 0x8000 && m->unknown_count < STUN_MAX_UNKNOWN)
        m->unknown[m->unknown_count++] = a->type;
    return OW_OK;
}

/* RFC 8489 section 5: the class is bits 4 and 8 of the type, the method the others. */
static enum stun_method method_of(uint32_t type)
{
    return (enum stun_method)((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

static bool is_known_method(enum stun_method method, bool turn)
{
    switch (method) {
    case STUN_BINDING:
        return true;
    case TURN_ALLOCATE:
    case TURN_REFRESH:
    case TURN_SEND:
    case TURN_DATA:
    case TURN_CREATE_PERMISSION:
    case TURN_CHANNEL_BIND:
        return turn;
    }
    return false;
}

static int parse(struct stun_message *out, const uint8_t *data, size_t size, bool turn)
{
    if (size < STUN_HEADER_BYTES || (data[0] & 0xc0) != 0 || read_u32(data + 4) != MAGIC_COOKIE)
        return OW_EPARSE;
    size_t length = read_u16(data + 2);
    uint32_t type = read_u16(data);
    if (length % 4 != 0 || length + STUN_HEADER_BYTES != size)
        return OW_EPARSE;
    struct stun_message m = {.data = data,
                             .size = size,
                             .method = method_of(type),
                             .class = (enum stun_class)((type >> 4 & 1) | (type >> 7 & 2))};
    if (!is_known_method(m.method, turn))
        return OW_EPARSE;
    memcpy(m.transaction, data + 8, STUN_TRANSACTION_BYTES);
    for (size_t at = STUN_HEADER_BYTES; at < size;) {
        if (size - at < ATTRIBUTE_HEADER_BYTES)
            return OW_EPARSE;
        struct attribute a = {read_u16(data + at), data + at + ATTRIBUTE_HEADER_BYTES,
                              read_u16(data + at + 2)};
        size_t padded = (a.size + 3) & ~(size_t)3;
        if (padded > size - at - ATTRIBUTE_HEADER_BYTES)
            return OW_EPARSE;
        int err = read_attribute(&m, &a, turn);
        if (err)
            return err;
        at += ATTRIBUTE_HEADER_BYTES + padded;
    }
    *out = m;
    return OW_OK;
}

int stun_parse(struct stun_message *out, const uint8_t *data, size_t size)
{
    return parse(out, data, size, false);
}

int stun_parse_turn(struct stun_message *out, const uint8_t *data, size_t size)
{
    return parse(out, data, size, true);
}

/* HMAC-SHA1 over the message up to MESSAGE-INTEGRITY, with the header's length counting up to and
 * including that attribute (RFC 8489 section 14.5). */
static int compute_integrity(uint8_t out[INTEGRITY_BYTES], const uint8_t *data, size_t covered,
                             const void *password, size_t password_size)
{
    uint8_t copy[MAX_VERIFIED_BYTES];
    if (covered > sizeof copy || covered < STUN_HEADER_BYTES || password_size > 512)
        return OW_ELIMIT;
    memcpy(copy, data, covered);
    write_u16(copy + 2,
              (uint32_t)(covered + ATTRIBUTE_HEADER_BYTES + INTEGRITY_BYTES - STUN_HEADER_BYTES));
    unsigned int written = 0;
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (!HMAC(EVP_sha1(), password, (int)password_size, copy, covered, digest, &written) ||
        written != INTEGRITY_BYTES)
        return OW_ENOMEM;
    memcpy(out, digest, INTEGRITY_BYTES);
    return OW_OK;
}

int stun_verify(const struct stun_message *message, const void *password, size_t password_size)
{
    uint8_t expected[INTEGRITY_BYTES];
    if (message->integrity_offset == 0 ||
        compute_integrity(expected, message->data, message->integrity_offset, password,
                          password_size))
        return OW_EAUTH;
    const uint8_t *found = message->data + message->integrity_offset + ATTRIBUTE_HEADER_BYTES;
    return CRYPTO_memcmp(expected, found, INTEGRITY_BYTES) == 0 ? OW_OK : OW_EAUTH;
}

int stun_long_term_key(uint8_t key[STUN_KEY_BYTES], const char *username, const char *realm,
                       const char *password)
{
    char text[2048];
    int size = snprintf(text, sizeof text, "%s:%s:%s", username, realm, password);
    if (size < 0 || (size_t)size >= sizeof text)
        return OW_ELIMIT;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int written = 0;
    int done = EVP_Digest(text, (size_t)size, digest, &written, EVP_md5(), NULL);
    explicit_bzero(text, sizeof text);
    if (done != 1 || written != STUN_KEY_BYTES)
        return OW_ENOMEM;
    memcpy(key, digest, STUN_KEY_BYTES);
    return OW_OK;
}

/* ---- writing ---- */

void stun_begin_turn(struct stun_writer *writer, uint8_t *data, size_t capacity,
                     enum stun_method method, enum stun_class class,
                     const uint8_t transaction[STUN_TRANSACTION_BYTES])
{
    *writer = (struct stun_writer){data, capacity, STUN_HEADER_BYTES, capacity < STUN_HEADER_BYTES};
    if (writer->overflow)
        return;
    uint32_t c = (uint32_t) class, m = (uint32_t)method;
    write_u16(data, (m & 0xf) | (m & 0x70) << 1 | (m & 0xf80) << 2 | (c & 1) << 4 | (c & 2) << 7);
    write_u16(data + 2, 0);
    write_u32(data + 4, MAGIC_COOKIE);
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
        writer->capacity - writer->size < ATTRIBUTE_HEADER_BYTES + padded) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *at = writer->data + writer->size;
    write_u16(at, type);
    write_u16(at + 2, (uint32_t)size);
    memset(at + ATTRIBUTE_HEADER_BYTES, 0, padded);
    writer->size += ATTRIBUTE_HEADER_BYTES + padded;
    write_u16(writer->data + 2, (uint32_t)(writer->size - STUN_HEADER_BYTES));
    return at + ATTRIBUTE_HEADER_BYTES;
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
        write_u32(value, number);
}

void stun_put_username(struct stun_writer *writer, const char *username)
{
    put_bytes(writer, ATTR_USERNAME, username, strlen(username));
}

void stun_put_realm(struct stun_writer *writer, const char *realm)
{
    put_bytes(writer, ATTR_REALM, realm, strlen(realm));
}

void stun_put_nonce(struct stun_writer *writer, const uint8_t *nonce, size_t size)
{
    put_bytes(writer, ATTR_NONCE, nonce, size);
}

void stun_put_payload(struct stun_writer *writer, const uint8_t *data, size_t size)
{
    put_bytes(writer, ATTR_DATA, data, size);
}

void stun_put_priority(struct stun_writer *writer, uint32_t priority)
{
    put_u32(writer, ATTR_PRIORITY, priority);
}

void stun_put_lifetime(struct stun_writer *writer, uint32_t seconds)
{
    put_u32(writer, ATTR_LIFETIME, seconds);
}

/* The number is IANA's of the protocol; RFC 8656 allows UDP only. */
void stun_put_requested_udp(struct stun_writer *writer)
{
    put_u32(writer, ATTR_REQUESTED_TRANSPORT, (uint32_t)17 << 24);
}

void stun_put_requested_family(struct stun_writer *writer, enum address_family family)
{
    put_u32(writer, ATTR_REQUESTED_ADDRESS_FAMILY,
            (family == ADDRESS_IPV6 ? (uint32_t)2 : (uint32_t)1) << 24);
}

void stun_put_channel(struct stun_writer *writer, uint16_t channel)
{
    put_u32(writer, ATTR_CHANNEL_NUMBER, (uint32_t)channel << 16);
}

void stun_put_use_candidate(struct stun_writer *writer)
{
    put(writer, ATTR_USE_CANDIDATE, 0);
}

void stun_put_role(struct stun_writer *writer, enum stun_role role, uint64_t tie_breaker)
{
    uint32_t type = role == STUN_ROLE_CONTROLLED ? ATTR_ICE_CONTROLLED : ATTR_ICE_CONTROLLING;
    uint8_t *value = put(writer, type, 8);
    if (value) {
        write_u32(value, (uint32_t)(tie_breaker >> 32));
        write_u32(value + 4, (uint32_t)tie_breaker);
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
    write_u16(value + 2, address->port ^ (uint32_t)(MAGIC_COOKIE >> 16));
    for (size_t i = 0; i < ip_bytes; i++)
        value[4 + i] = address->ip[i] ^ writer->data[4 + i];
}

void stun_put_xor_mapped(struct stun_writer *writer, const struct address *address)
{
    put_xor_address(writer, ATTR_XOR_MAPPED_ADDRESS, address);
}

void stun_put_peer(struct stun_writer *writer, const struct address *address)
{
    put_xor_address(writer, ATTR_XOR_PEER_ADDRESS, address);
}

void stun_put_relayed(struct stun_writer *writer, const struct address *address)
{
    put_xor_address(writer, ATTR_XOR_RELAYED_ADDRESS, address);
}

void stun_put_error(struct stun_writer *writer, int code)
{
    const char *text = code == STUN_ERROR_ROLE_CONFLICT       ? "Role Conflict"
                       : code == STUN_ERROR_UNKNOWN_ATTRIBUTE ? "Unknown Attribute"
                                                              : "Error";
    size_t size = strlen(text);
    uint8_t *value = put(writer, ATTR_ERROR_CODE, 4 + size);
    if (!value)
        return;
    value[2] = (uint8_t)(code / 100);
    value[3] = (uint8_t)(code % 100);
    memcpy(value + 4, text, size);
}

void stun_put_unknown(struct stun_writer *writer, const uint16_t *types, int count)
{
    uint8_t *value = put(writer, ATTR_UNKNOWN_ATTRIBUTES, (size_t)count * 2);
    for (int i = 0; value && i < count; i++)
        write_u16(value + 2 * i, types[i]);
}

static int put_integrity(struct stun_writer *writer, const void *password, size_t password_size)
{
    size_t covered = writer->size;
    uint8_t *value = put(writer, ATTR_MESSAGE_INTEGRITY, INTEGRITY_BYTES);
    if (!value)
        return OW_ELIMIT;
    return compute_integrity(value, writer->data, covered, password, password_size);
}

int stun_finish(struct stun_writer *writer, const char *password)
{
    int err = password ? put_integrity(writer, password, strlen(password)) : OW_OK;
    if (err)
        return err;
    size_t covered = writer->size;
    uint8_t *value = put(writer, ATTR_FINGERPRINT, 4);
    if (!value)
        return OW_ELIMIT;
    write_u32(value, stun_crc32(writer->data, covered) ^ FINGERPRINT_XOR);
    return OW_OK;
}

int stun_finish_key(struct stun_writer *writer, const uint8_t key[STUN_KEY_BYTES])
{
    return put_integrity(writer, key, STUN_KEY_BYTES);
}
