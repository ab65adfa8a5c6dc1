/* DTLS 1.2 (passive) by OpenSSL, keys for SRTP exported (RFC 5764). AES-128-GCM preferred,
 * AES_CM_128_HMAC_SHA1_80 always there.
 *
 * The transport owns no socket, clock or thread: datagrams go in by dtls_transport_receive() and
 * are pulled by dtls_transport_poll(). OpenSSL draws its own keys; its retransmission timer, which
 * reads a clock, is kept from firing, and a lost flight is sent again from here. The caller feeds
 * only datagrams from addresses that ICE has validated, which is why no cookie exchange is made. */
#ifndef OW_RTC_DTLS_SRTP_H
#define OW_RTC_DTLS_SRTP_H

#include "core/error.h"
#include "rtc/srtp_link.h"

#include <stdint.h>

struct dtls_identity;
struct dtls_transport;

/* A fresh P-256 key and self-signed certificate, valid from wall_us - 1 day for a year. Also starts
 * usrsctp: the first identity is to be made before any session, by one thread. */
int dtls_identity_create(struct dtls_identity **out, int64_t wall_us, struct reason *why);
/* sha-256 of the certificate, 32 bytes, lent. */
const uint8_t *dtls_identity_fingerprint(const struct dtls_identity *identity);
void dtls_identity_destroy(struct dtls_identity **identity);

enum dtls_state { DTLS_NEW, DTLS_CONNECTING, DTLS_CONNECTED, DTLS_FAILED, DTLS_CLOSED };
const char *dtls_state_name(enum dtls_state state);

enum {
    DTLS_MTU = 1200,
    DTLS_MAX_DATAGRAM = 2048, /* larger ones are dropped unread */
    /* What fits into a datagram of DTLS_MTU with header, explicit nonce and tag of the record. */
    DTLS_MAX_DATA = DTLS_MTU - 13 - 8 - 16,
};

/* The server's side of one connection. `peer_fingerprint`: 32 bytes, sha-256 of the certificate
 * that the peer's offer promised; a peer that shows another one is refused. The identity is lent.
 */
int dtls_transport_create(struct dtls_transport **out, struct dtls_identity *identity,
                          const uint8_t *peer_fingerprint);

/* A datagram whose first byte is 20..63 (RFC 7983). Malformed and unauthenticated records are
 * dropped; alerts in the clear are not believed. OW_OK, or OW_EPARSE when nothing in it was fit to
 * be read. */
int dtls_transport_receive(struct dtls_transport *transport, int64_t now_us, const uint8_t *data,
                           size_t size);

/* Application data (SCTP packets, RFC 8261) of the datagram that was received last, a record at a
 * time, lent until the next one is received. OW_EAGAIN when there is no more. */
int dtls_transport_read(struct dtls_transport *transport, const uint8_t **data, size_t *size);
/* Application data to the peer, a record of at most DTLS_MAX_DATA bytes; dtls_transport_poll() has
 * its datagram. OW_ESTATE before DTLS_CONNECTED and after its end, OW_EINVAL, OW_EIO. */
int dtls_transport_write(struct dtls_transport *transport, const uint8_t *data, size_t size);

void dtls_transport_handle_timeout(struct dtls_transport *transport, int64_t now_us);
int64_t dtls_transport_deadline(const struct dtls_transport *transport); /* INT64_MAX = none */

/* The next datagram to send, lent until the next call. OW_EAGAIN when there is none. */
int dtls_transport_poll(struct dtls_transport *transport, const uint8_t **data, size_t *size);

enum dtls_state dtls_transport_state(const struct dtls_transport *transport);
/* Why it failed; a sentence, "" when it did not. Lent. */
const char *dtls_transport_failure(const struct dtls_transport *transport);

/* The keys for SRTP, local = server. OW_ESTATE before DTLS_CONNECTED. */
int dtls_transport_keys(const struct dtls_transport *transport, struct srtp_keys *out);

/* Queues a close_notify; the state becomes DTLS_CLOSED. */
void dtls_transport_close(struct dtls_transport *transport);
void dtls_transport_destroy(struct dtls_transport **transport);

#endif
