#include "rtc/stun.h"

#include "rtc/stun_wire.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <string.h>

enum {
    /* The largest message that is written or verified here: everything ICE sends, and a TURN
     * request with the longest name, realm and nonce, is smaller. */
    MAX_VERIFIED_BYTES = 2048,
};

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
        m->priority = stun_read_u32(a->value);
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
        m->role =
            a->type == STUN_ATTR_ICE_CONTROLLED ? STUN_ROLE_CONTROLLED : STUN_ROLE_CONTROLLING;
        m->tie_breaker = (uint64_t)stun_read_u32(a->value) << 32 | stun_read_u32(a->value + 4);
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
    out->port = stun_read_u16(a->value + 2) ^ (STUN_MAGIC_COOKIE >> 16);
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

/* RFC 8489 section 14.15: as MAPPED-ADDRESS, in the clear. */
static int read_alternate_server(struct stun_message *m, const struct attribute *a)
{
    if (a->size < 4)
        return OW_EPARSE;
    size_t ip_bytes = a->value[1] == 1 ? 4 : a->value[1] == 2 ? 16 : 0;
    if (ip_bytes == 0 || a->size != 4 + ip_bytes)
        return OW_EPARSE;
    if (m->alternate.family != ADDRESS_NONE)
        return OW_OK;
    m->alternate.family = ip_bytes == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6;
    m->alternate.port = stun_read_u16(a->value + 2);
    memcpy(m->alternate.ip, a->value + 4, ip_bytes);
    return OW_OK;
}

static int read_alternate_domain(struct stun_message *m, const struct attribute *a)
{
    if (a->size == 0 || a->size > STUN_MAX_DOMAIN)
        return OW_EPARSE;
    if (!m->alternate_domain) {
        m->alternate_domain = a->value;
        m->alternate_domain_size = a->size;
    }
    return OW_OK;
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
        m->lifetime_s = stun_read_u32(a->value);
    m->has_lifetime = true;
    return OW_OK;
}

static int read_channel(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 4)
        return OW_EPARSE;
    if (m->channel == 0)
        m->channel = stun_read_u16(a->value);
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
    if (a->size != STUN_INTEGRITY_BYTES)
        return OW_EPARSE;
    m->integrity_offset = (size_t)(a->value - m->data) - STUN_ATTRIBUTE_HEADER_BYTES;
    return OW_OK;
}

static int read_fingerprint(struct stun_message *m, const struct attribute *a)
{
    if (a->size != 4 || a->value + 4 != m->data + m->size)
        return OW_EPARSE; /* it must be the last attribute */
    size_t covered = (size_t)(a->value - m->data) - STUN_ATTRIBUTE_HEADER_BYTES;
    if (stun_read_u32(a->value) != (stun_crc32(m->data, covered) ^ STUN_FINGERPRINT_XOR))
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
    {STUN_ATTR_USERNAME, read_username},
    {STUN_ATTR_PRIORITY, read_priority},
    {STUN_ATTR_USE_CANDIDATE, read_use_candidate},
    {STUN_ATTR_ICE_CONTROLLED, read_role},
    {STUN_ATTR_ICE_CONTROLLING, read_role},
    {STUN_ATTR_XOR_MAPPED_ADDRESS, read_xor_mapped},
    {STUN_ATTR_ERROR_CODE, read_error_code},
    {STUN_ATTR_MESSAGE_INTEGRITY, read_integrity},
    {STUN_ATTR_FINGERPRINT, read_fingerprint},
    {STUN_ATTR_MAPPED_ADDRESS, read_ignored},
    {STUN_ATTR_UNKNOWN_ATTRIBUTES, read_ignored},
    {STUN_ATTR_REALM, read_ignored},
    {STUN_ATTR_NONCE, read_ignored},
    {STUN_ATTR_MESSAGE_INTEGRITY_SHA256, read_ignored},
};

/* Looked at first, and only on behalf of TURN. */
static const struct reader turn_attribute_table[] = {
    {STUN_ATTR_XOR_PEER_ADDRESS, read_xor_peer},
    {STUN_ATTR_XOR_RELAYED_ADDRESS, read_xor_relayed},
    {STUN_ATTR_DATA, read_data},
    {STUN_ATTR_LIFETIME, read_lifetime},
    {STUN_ATTR_CHANNEL_NUMBER, read_channel},
    {STUN_ATTR_ALTERNATE_SERVER, read_alternate_server},
    {STUN_ATTR_ALTERNATE_DOMAIN, read_alternate_domain},
    {STUN_ATTR_REALM, read_realm},
    {STUN_ATTR_NONCE, read_nonce},
    {STUN_ATTR_REQUESTED_TRANSPORT, read_ignored},
    {STUN_ATTR_REQUESTED_ADDRESS_FAMILY, read_ignored},
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
    if (m->integrity_offset != 0 && a->type != STUN_ATTR_FINGERPRINT)
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
    if (size < STUN_HEADER_BYTES || (data[0] & 0xc0) != 0 ||
        stun_read_u32(data + 4) != STUN_MAGIC_COOKIE)
        return OW_EPARSE;
    size_t length = stun_read_u16(data + 2);
    uint32_t type = stun_read_u16(data);
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
        if (size - at < STUN_ATTRIBUTE_HEADER_BYTES)
            return OW_EPARSE;
        struct attribute a = {stun_read_u16(data + at), data + at + STUN_ATTRIBUTE_HEADER_BYTES,
                              stun_read_u16(data + at + 2)};
        size_t padded = (a.size + 3) & ~(size_t)3;
        if (padded > size - at - STUN_ATTRIBUTE_HEADER_BYTES)
            return OW_EPARSE;
        int err = read_attribute(&m, &a, turn);
        if (err)
            return err;
        at += STUN_ATTRIBUTE_HEADER_BYTES + padded;
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

int stun_compute_integrity(uint8_t out[STUN_INTEGRITY_BYTES], const uint8_t *data, size_t covered,
                           const void *password, size_t password_size)
{
    uint8_t copy[MAX_VERIFIED_BYTES];
    if (covered > sizeof copy || covered < STUN_HEADER_BYTES || password_size > 512)
        return OW_ELIMIT;
    memcpy(copy, data, covered);
    stun_write_u16(copy + 2, (uint32_t)(covered + STUN_ATTRIBUTE_HEADER_BYTES +
                                        STUN_INTEGRITY_BYTES - STUN_HEADER_BYTES));
    unsigned int written = 0;
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (!HMAC(EVP_sha1(), password, (int)password_size, copy, covered, digest, &written) ||
        written != STUN_INTEGRITY_BYTES)
        return OW_ENOMEM;
    memcpy(out, digest, STUN_INTEGRITY_BYTES);
    return OW_OK;
}

int stun_verify(const struct stun_message *message, const void *password, size_t password_size)
{
    uint8_t expected[STUN_INTEGRITY_BYTES];
    if (message->integrity_offset == 0 ||
        stun_compute_integrity(expected, message->data, message->integrity_offset, password,
                               password_size))
        return OW_EAUTH;
    const uint8_t *found = message->data + message->integrity_offset + STUN_ATTRIBUTE_HEADER_BYTES;
    return CRYPTO_memcmp(expected, found, STUN_INTEGRITY_BYTES) == 0 ? OW_OK : OW_EAUTH;
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
