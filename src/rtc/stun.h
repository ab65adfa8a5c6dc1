/* STUN messages as ICE uses them (RFC 8489, RFC 8445 section 16): a bounded parser that copies
 * nothing, and a writer into the caller's buffer. Binding is the only method.
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
};

enum stun_class { STUN_REQUEST = 0, STUN_INDICATION = 1, STUN_SUCCESS = 2, STUN_ERROR = 3 };

enum { STUN_ERROR_UNKNOWN_ATTRIBUTE = 420, STUN_ERROR_ROLE_CONFLICT = 487 };

enum stun_role { STUN_ROLE_NONE, STUN_ROLE_CONTROLLED, STUN_ROLE_CONTROLLING };

/* What was found. Pointers lead into the parsed bytes. */
struct stun_message {
    const uint8_t *data;
    size_t size;
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
    int unknown_count;       /* comprehension-required attributes that nobody here knows */
    uint16_t unknown[STUN_MAX_UNKNOWN];
};

/* Reads one whole datagram. OW_EPARSE for anything but a well-formed binding message whose
 * FINGERPRINT, if there is one, is right. Integrity is not verified here. */
int stun_parse(struct stun_message *out, const uint8_t *data, size_t size);

/* OW_OK when MESSAGE-INTEGRITY is there and right under the short-term password; else OW_EAUTH. */
int stun_verify(const struct stun_message *message, const char *password, size_t password_size);

/* CRC-32 of ITU-T V.42, before FINGERPRINT's XOR. */
uint32_t stun_crc32(const uint8_t *data, size_t size);

/* A message being written. What does not fit sets `overflow`, and stun_finish() then fails. */
struct stun_writer {
    uint8_t *data;
    size_t capacity, size;
    bool overflow;
};

void stun_begin(struct stun_writer *writer, uint8_t *data, size_t capacity, enum stun_class class,
                const uint8_t transaction[STUN_TRANSACTION_BYTES]);
void stun_put_username(struct stun_writer *writer, const char *username);
void stun_put_priority(struct stun_writer *writer, uint32_t priority);
void stun_put_use_candidate(struct stun_writer *writer);
void stun_put_role(struct stun_writer *writer, enum stun_role role, uint64_t tie_breaker);
void stun_put_xor_mapped(struct stun_writer *writer, const struct address *address);
void stun_put_error(struct stun_writer *writer, int code);
void stun_put_unknown(struct stun_writer *writer, const uint16_t *types, int count);
/* Adds MESSAGE-INTEGRITY (when `password` is not NULL) and FINGERPRINT. OW_ELIMIT when the buffer
 * was too small; the message's size is then undefined. */
int stun_finish(struct stun_writer *writer, const char *password);

#endif
