#include "rtc_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

static int accept_any(X509_STORE_CTX *store, void *unused)
{
    (void)store;
    (void)unused;
    return 1;
}

static void make_certificate(struct rtc_peer *peer)
{
    peer->key = EVP_EC_gen("P-256");
    peer->certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(peer->certificate), 1);
    ASN1_TIME_set(X509_getm_notBefore(peer->certificate), 0);
    ASN1_TIME_set(X509_getm_notAfter(peer->certificate), 4000000000);
    X509_set_pubkey(peer->certificate, peer->key);
    assert_true(X509_sign(peer->certificate, peer->key, EVP_sha256()) > 0);
    assert_int_equal(X509_digest(peer->certificate, EVP_sha256(), peer->fingerprint, NULL), 1);
}

void rtc_peer_create(struct rtc_peer *peer, const char *profiles, int mtu)
{
    memset(peer, 0, sizeof(*peer));
    make_certificate(peer);
    peer->context = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_options(peer->context, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_verify(peer->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(peer->context, accept_any, NULL);
    SSL_CTX_use_certificate(peer->context, peer->certificate);
    SSL_CTX_use_PrivateKey(peer->context, peer->key);
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(peer->context, profiles), 0);
    peer->ssl = SSL_new(peer->context);
    SSL_set_mtu(peer->ssl, mtu == 0 ? 1200 : mtu);
    SSL_set_bio(peer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(peer->ssl), -1);
    SSL_set_connect_state(peer->ssl);
    char long_name[250]; /* a ClientHello larger than a small MTU */
    memset(long_name, 'a', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    if (mtu != 0)
        SSL_set_tlsext_host_name(peer->ssl, long_name);
    rtc_peer_receive(peer, NULL, 0);
}

void rtc_peer_receive(struct rtc_peer *peer, const uint8_t *data, size_t size)
{
    uint8_t scratch[2048];
    if (data != NULL)
        BIO_write(SSL_get_rbio(peer->ssl), data, (int)size);
    ERR_clear_error();
    if (!peer->connected) {
        int result = SSL_do_handshake(peer->ssl);
        peer->connected = result == 1;
        if (result != 1 && SSL_get_error(peer->ssl, result) != SSL_ERROR_WANT_READ)
            peer->refused = true;
    }
    if (peer->connected && !peer->closed) {
        int result = SSL_read(peer->ssl, scratch, sizeof(scratch));
        if (result > 0 && peer->on_data != NULL)
            peer->on_data(scratch, (size_t)result);
        peer->closed = result <= 0 && SSL_get_error(peer->ssl, result) == SSL_ERROR_ZERO_RETURN;
    }
    ERR_clear_error();
}

void rtc_peer_write(struct rtc_peer *peer, const uint8_t *data, size_t size)
{
    assert_int_equal(SSL_write(peer->ssl, data, (int)size), size);
}

size_t rtc_peer_poll(struct rtc_peer *peer, uint8_t *data, size_t capacity)
{
    BIO *out = SSL_get_wbio(peer->ssl);
    if (BIO_read(out, data, 13) != 13)
        return 0;
    size_t size = 13 + ((size_t)data[11] << 8 | data[12]);
    assert_true(size <= capacity);
    assert_int_equal(BIO_read(out, data + 13, (int)size - 13), size - 13);
    return size;
}

static void start_direction(srtp_t *out, srtp_ssrc_type_t type, const uint8_t *key,
                            const uint8_t *salt, bool gcm)
{
    uint8_t master[30];
    memcpy(master, key, 16);
    memcpy(master + 16, salt, gcm ? 12 : 14);
    srtp_policy_t policy = {.ssrc = {.type = type}, .key = master, .window_size = 128};
    if (gcm) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    }
    assert_int_equal(srtp_create(out, &policy), srtp_err_status_ok);
}

void rtc_peer_start_srtp(struct rtc_peer *peer)
{
    uint8_t material[60];
    SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(peer->ssl);
    assert_non_null(profile);
    static bool started; /* libsrtp does not like to be started twice */
    if (!started)
        assert_int_equal(srtp_init(), srtp_err_status_ok);
    started = true;
    bool gcm = profile->id == SRTP_AEAD_AES_128_GCM;
    size_t salt = gcm ? 12 : 14;
    assert_int_equal(SSL_export_keying_material(peer->ssl, material, 32 + 2 * salt,
                                                "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0),
                     1);
    start_direction(&peer->out, ssrc_any_outbound, material, material + 32, gcm);
    start_direction(&peer->in, ssrc_any_inbound, material + 16, material + 32 + salt, gcm);
}

void rtc_peer_destroy(struct rtc_peer *peer)
{
    if (peer->in != NULL)
        srtp_dealloc(peer->in);
    if (peer->out != NULL)
        srtp_dealloc(peer->out);
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->context);
    X509_free(peer->certificate);
    EVP_PKEY_free(peer->key);
    memset(peer, 0, sizeof(*peer));
}
