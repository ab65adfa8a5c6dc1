/* The cryptography of SRTP and SRTCP (RFC 3711; AES-GCM: RFC 7714) by OpenSSL, one context for each
 * direction and kind of packet. What the packets look like is srtp_link.c's. */
#ifndef OW_RTC_SRTP_CIPHER_H
#define OW_RTC_SRTP_CIPHER_H

#include "rtc/srtp_link.h"

#include <stdbool.h>

struct srtp_cipher;

enum srtp_use { SRTP_SEND_RTP, SRTP_SEND_RTCP, SRTP_RECEIVE_RTCP };

enum { SRTP_GCM_TAG_BYTES = 16, SRTP_SHA1_TAG_BYTES = 10 };

/* `master` is master key and salt as in struct srtp_keys. OW_ENOMEM, OW_EUNSUPPORTED when OpenSSL
 * has not got what the profile wants. */
int srtp_cipher_create(struct srtp_cipher **out, enum srtp_link_profile profile,
                       const uint8_t master[SRTP_KEY_BYTES], enum srtp_use use);
void srtp_cipher_destroy(struct srtp_cipher **cipher);

/* A packet taken apart. */
struct srtp_text {
    uint32_t ssrc;
    uint64_t index; /* 48 bits: of RTP with its rollover counter, or of RTCP */
    const uint8_t *clear;
    size_t clear_size;   /* authenticated */
    const uint8_t *word; /* four more authenticated bytes, NULL = none */
    uint8_t *secret;
    size_t secret_size; /* authenticated, and encrypted or decrypted in place */
};

/* AES-GCM. `open` is false when the tag is wrong; the text is then worth nothing. */
bool srtp_cipher_gcm_seal(struct srtp_cipher *cipher, const struct srtp_text *text,
                          uint8_t tag[SRTP_GCM_TAG_BYTES]);
bool srtp_cipher_gcm_open(struct srtp_cipher *cipher, const struct srtp_text *text,
                          const uint8_t tag[SRTP_GCM_TAG_BYTES]);

/* AES counter mode (the same in both directions: text->secret alone) and HMAC-SHA1 over `data` and
 * four more bytes. */
bool srtp_cipher_cm_apply(struct srtp_cipher *cipher, const struct srtp_text *text);
bool srtp_cipher_sha1_tag(struct srtp_cipher *cipher, const uint8_t *data, size_t size,
                          const uint8_t word[4], uint8_t tag[SRTP_SHA1_TAG_BYTES]);

#endif
