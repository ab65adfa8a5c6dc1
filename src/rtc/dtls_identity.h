/* What dtls_identity.c shares with dtls_transport.c alone. */
#ifndef OW_RTC_DTLS_IDENTITY_H
#define OW_RTC_DTLS_IDENTITY_H

#include <stdint.h>

#include <openssl/ssl.h>

struct dtls_identity {
    EVP_PKEY *key;
    X509 *certificate;
    SSL_CTX *context;
    BIO_METHOD *datagram_method; /* of dtls_transport.c */
    uint8_t fingerprint[32];
};

/* Made by dtls_transport.c: one read or write is one datagram. NULL when out of memory. */
BIO_METHOD *dtls_datagram_method(void);
/* The check of the peer's certificate against its offer, for SSL_CTX_set_cert_verify_callback(). */
int dtls_verify_peer(X509_STORE_CTX *store, void *unused);

#endif
