/* STUN messages as ICE and TURN use them (RFC 8489; RFC 8445 section 16; RFC 8656 sections 17 and
 * 18): a bounded parser that copies nothing, and a writer into the caller's buffer. ICE takes the
 * method Binding only, and TURN's attributes mean nothing to it.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |0 0|     type (class, method)  |        length of attributes   |
 * |                     magic cookie 0x2112A442                   |
 * |                    transaction id, 96 bits                    |
 */
#ifndef OW_RTC_STUN_H
#define OW_RTC_STUN_H

#include "core/address.h"
#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STUN_HEADER_BYTES = 20,
    STUN_TRANSACTION_BYTES = 12,
    STUN_MAX_UNKNOWN = 8, /* unknown attributes remembered for the 420 answer */
    STUN_MAX_USERNAME = 513,
    STUN_MAX_REALM = 256,  /* RFC 8489 section 14.9: 128 characters */
    STUN_MAX_NONCE = 763,  /* section 14.10, in bytes */
    STUN_MAX_DOMAIN = 255, /* of a host name: section 14.16 */
};

enum stun_method {
    STUN_BINDING = 0x001,
    TURN_ALLOCATE = 0x003,
    TURN_REFRESH = 0x004,
    TURN_SEND = 0x006,
    TURN_DATA = 0x007,
    TURN_CREATE_PERMISSION = 0x008,
    TURN_CHANNEL_BIND = 0x009,
};

enum stun_class { STUN_REQUEST = 0, STUN_INDICATION = 1, STUN_SUCCESS = 2, STUN_ERROR = 3 };

enum {
    STUN_ERROR_TRY_ALTERNATE = 300,
    STUN_ERROR_BAD_REQUEST = 400,
    STUN_ERROR_UNAUTHORIZED = 401,
    STUN_ERROR_FORBIDDEN = 403,
    STUN_ERROR_UNKNOWN_ATTRIBUTE = 420,
    STUN_ERROR_ALLOCATION_MISMATCH = 437,
    STUN_ERROR_STALE_NONCE = 438,
    STUN_ERROR_FAMILY_UNSUPPORTED = 440,
    STUN_ERROR_WRONG_CREDENTIALS = 441,
    STUN_ERROR_QUOTA_REACHED = 486,
    STUN_ERROR_ROLE_CONFLICT = 487,
    STUN_ERROR_NO_CAPACITY = 508,
};

enum stun_role { STUN_ROLE_NONE, STUN_ROLE_CONTROLLED, STUN_ROLE_CONTROLLING };

/* What was found. Pointers lead into the parsed bytes. */
struct stun_message {
    const uint8_t *data;
    size_t size;
    enum stun_method method;
    enum stun_class class;
    uint8_t transaction[STUN_TRANSACTION_BYTES];
    const uint8_t *username; /* NULL = absent; not NUL-terminated */
    size_t username_size;
    bool has_priority, use_candidate, has_fingerprint;
    uint32_t priority;
    enum stun_role role;
    uint64_t tie_breaker;
    struct address mapped;   /* XOR-MAPPED-ADDRESS; family ADDRESS_NONE = absent */
    int error_code;          /* 0 = absent */
    size_t integrity_offset; /* of the MESSAGE-INTEGRITY attribute; 0 = absent */
    /* TURN's; absent in what stun_parse() gives */
    const uint8_t *realm, *nonce; /* NULL = absent; not NUL-terminated */
    size_t realm_size, nonce_size;
    const uint8_t *payload; /* DATA; NULL = absent, which an empty one is not */
    size_t payload_size;
    struct address peer, relayed;    /* XOR-PEER-ADDRESS, XOR-RELAYED-ADDRESS: the first one */
    struct address alternate;        /* ALTERNATE-SERVER */
    const uint8_t *alternate_domain; /* ALTERNATE-DOMAIN; NULL = absent, not NUL-terminated */
    size_t alternate_domain_size;
    bool has_lifetime;
    uint32_t lifetime_s;
    uint16_t channel;  /* CHANNEL-NUMBER; 0 = absent */
    int unknown_count; /* comprehension-required attributes that nobody here knows */
    uint16_t unknown[STUN_MAX_UNKNOWN];
};

/* Reads one whole datagram. OW_EPARSE for anything but a well-formed binding message whose
 * FINGERPRINT, if there is one, is right. Integrity is not verified here. */
int stun_parse(struct stun_message *out, const uint8_t *data, size_t size);
/* The same for a message of TURN's methods, or a binding message, with TURN's attributes read. */
int stun_parse_turn(struct stun_message *out, const uint8_t *data, size_t size);

/* OW_OK when MESSAGE-INTEGRITY is there and right under the short-term password (or the key of a
 * long-term credential); else OW_EAUTH. */
int stun_verify(const struct stun_message *message, const void *password, size_t password_size);

enum { STUN_KEY_BYTES = 16 };
/* The key of a long-term credential (RFC 8489 section 9.2.2): MD5 of "username:realm:password",
 * which the protocol leaves no choice about. OW_ENOMEM, OW_ELIMIT. */
int stun_long_term_key(uint8_t key[STUN_KEY_BYTES], const char *username, const char *realm,
                       const char *password);

/* CRC-32 of ITU-T V.42, before FINGERPRINT's XOR. */
uint32_t stun_crc32(const uint8_t *data, size_t size);

/* A message being written. What does not fit sets `overflow`, and stun_finish() then fails. */
struct stun_writer {
    uint8_t *data;
    size_t capacity, size;
    bool overflow;
};

/* A binding message. */
void stun_begin(struct stun_writer *writer, uint8_t *data, size_t capacity, enum stun_class class,
                const uint8_t transaction[STUN_TRANSACTION_BYTES]);
void stun_begin_turn(struct stun_writer *writer, uint8_t *data, size_t capacity,
                     enum stun_method method, enum stun_class class,
                     const uint8_t transaction[STUN_TRANSACTION_BYTES]);
void stun_put_username(struct stun_writer *writer, const char *username);
void stun_put_priority(struct stun_writer *writer, uint32_t priority);
void stun_put_use_candidate(struct stun_writer *writer);
void stun_put_role(struct stun_writer *writer, enum stun_role role, uint64_t tie_breaker);
void stun_put_xor_mapped(struct stun_writer *writer, const struct address *address);
void stun_put_peer(struct stun_writer *writer, const struct address *address);
void stun_put_relayed(struct stun_writer *writer, const struct address *address);
void stun_put_realm(struct stun_writer *writer, const char *realm);
void stun_put_nonce(struct stun_writer *writer, const uint8_t *nonce, size_t size);
void stun_put_lifetime(struct stun_writer *writer, uint32_t seconds);
void stun_put_requested_udp(struct stun_writer *writer); /* REQUESTED-TRANSPORT */
void stun_put_requested_family(struct stun_writer *writer, enum address_family family);
void stun_put_channel(struct stun_writer *writer, uint16_t channel);
void stun_put_payload(struct stun_writer *writer, const uint8_t *data, size_t size);
/* ALTERNATE-SERVER, and ALTERNATE-DOMAIN when `domain` is not NULL. */
void stun_put_alternate(struct stun_writer *writer, const struct address *server,
                        const char *domain);
void stun_put_error(struct stun_writer *writer, int code);
void stun_put_unknown(struct stun_writer *writer, const uint16_t *types, int count);
/* Adds MESSAGE-INTEGRITY (when `password` is not NULL) and FINGERPRINT. OW_ELIMIT when the buffer
 * was too small; the message's size is then undefined. */
int stun_finish(struct stun_writer *writer, const char *password);
/* The same with MESSAGE-INTEGRITY by the key of a long-term credential, and no FINGERPRINT. A
 * message that needs neither, an indication, is finished without a call when it did not overflow.
 */
int stun_finish_key(struct stun_writer *writer, const uint8_t key[STUN_KEY_BYTES]);

#endif
