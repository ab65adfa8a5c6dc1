/* DTLS 1.2 (passive) by OpenSSL on memory BIOs, keys for SRTP exported (RFC 5764), SRTP by libsrtp2.
 * AES-128-GCM preferred, AES_CM_128_HMAC_SHA1_80 always there. */
#ifndef OW_RTC_DTLS_SRTP_H
#define OW_RTC_DTLS_SRTP_H

#include "core/error.h"

#include <stdint.h>

struct dtls_identity;

/* A fresh P-256 key and self-signed certificate, valid from wall_us - 1 day for a year. */
int dtls_identity_create(struct dtls_identity **out, int64_t wall_us, struct reason *why);
/* sha-256 of the certificate, 32 bytes, lent. */
const uint8_t *dtls_identity_fingerprint(const struct dtls_identity *identity);
void dtls_identity_destroy(struct dtls_identity **identity);

#endif
