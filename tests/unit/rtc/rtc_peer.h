/* A browser's transport for tests: DTLS client by OpenSSL and SRTP by libsrtp2, without ICE. */
#ifndef OW_TESTS_RTC_PEER_H
#define OW_TESTS_RTC_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>
#include <srtp2/srtp.h>

struct rtc_peer {
    SSL_CTX *context;
    SSL *ssl;
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t fingerprint[32];
    bool connected, closed;
    bool refused; /* the handshake ended with an error */
    srtp_t in, out;
    void (*on_data)(const uint8_t *data, size_t size); /* application data; NULL = let it be */
};

/* `profiles` in OpenSSL's notation, the peer's order; mtu 0 = 1200. */
void rtc_peer_create(struct rtc_peer *peer, const char *profiles, int mtu);
/* Feeds one datagram (NULL = only go on). */
void rtc_peer_receive(struct rtc_peer *peer, const uint8_t *data, size_t size);
/* Application data, a record to be polled. */
void rtc_peer_write(struct rtc_peer *peer, const uint8_t *data, size_t size);
/* Takes the next record to send, each a datagram of its own. 0 = none. */
size_t rtc_peer_poll(struct rtc_peer *peer, uint8_t *data, size_t capacity);
void rtc_peer_start_srtp(struct rtc_peer *peer);
void rtc_peer_destroy(struct rtc_peer *peer);

#endif
