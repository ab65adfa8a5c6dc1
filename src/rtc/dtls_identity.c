#include "rtc/dtls_identity.h"

#include "rtc/dtls_srtp.h"
#include "rtc/sctp_link.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>

static const int64_t DAY_S = 24 * 60 * 60;

/* The serial is made from the public key: unique per key without another draw of randomness. */
static int set_serial(X509 *certificate, EVP_PKEY *key)
{
    uint8_t digest[EVP_MAX_MD_SIZE], *public_key = NULL;
    unsigned digest_size = 0;
    int size = i2d_PUBKEY(key, &public_key);
    if (size <= 0)
        return 0;
    int ok = EVP_Digest(public_key, (size_t)size, digest, &digest_size, EVP_sha256(), NULL);
    OPENSSL_free(public_key);
    digest[0] = (uint8_t)((digest[0] & 0x7f) | 0x40); /* positive, of constant length */
    BIGNUM *number = ok ? BN_bin2bn(digest, 16, NULL) : NULL;
    ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return ok;
}

static int fill_certificate(X509 *certificate, EVP_PKEY *key, int64_t wall_us)
{
    time_t from = (time_t)(wall_us / 1000000 - DAY_S);
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, 2) && set_serial(certificate, key) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), from) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), from + (time_t)(366 * DAY_S)) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"overwatch", -1,
                                      -1, 0) &&
           X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

/* SRTP profiles in our order; OpenSSL's server takes the first of its own that the client offers.
 */
static const char SRTP_PROFILES[] =
    "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM";

static int fill_context(struct dtls_identity *identity)
{
    SSL_CTX *context = identity->context;
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, 16 * 1024L);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, dtls_verify_peer, NULL);
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL") &&
           SSL_CTX_use_certificate(context, identity->certificate) == 1 &&
           SSL_CTX_use_PrivateKey(context, identity->key) == 1 &&
           SSL_CTX_set_tlsext_use_srtp(context, SRTP_PROFILES) == 0; /* 0 is success here */
}

int dtls_identity_create(struct dtls_identity **out, int64_t wall_us, struct reason *why)
{
    struct dtls_identity *identity = calloc(1, sizeof(*identity));
    if (identity == NULL)
        return OW_ENOMEM;
    sctp_link_start();
    identity->key = EVP_EC_gen("P-256"); /* the curve that RFC 8827 section 6.5 requires */
    identity->certificate = X509_new();
    identity->context = SSL_CTX_new(DTLS_server_method());
    identity->datagram_method = dtls_datagram_method();
    if (identity->key == NULL || identity->certificate == NULL || identity->context == NULL ||
        identity->datagram_method == NULL ||
        !fill_certificate(identity->certificate, identity->key, wall_us) ||
        !fill_context(identity) ||
        !X509_digest(identity->certificate, EVP_sha256(), identity->fingerprint, NULL)) {
        char text[160];
        ERR_error_string_n(ERR_get_error(), text, sizeof(text));
        ERR_clear_error();
        dtls_identity_destroy(&identity);
        return reason_set(why, OW_EIO, "The WebRTC certificate could not be made: %s.", text);
    }
    *out = identity;
    return OW_OK;
}

const uint8_t *dtls_identity_fingerprint(const struct dtls_identity *identity)
{
    return identity->fingerprint;
}

void dtls_identity_destroy(struct dtls_identity **identity)
{
    if (*identity == NULL)
        return;
    SSL_CTX_free((*identity)->context);
    X509_free((*identity)->certificate);
    EVP_PKEY_free((*identity)->key);
    BIO_meth_free((*identity)->datagram_method);
    free(*identity);
    *identity = NULL;
}
