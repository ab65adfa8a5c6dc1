#include "rtc/dtls_identity.h"
#include "rtc/dtls_srtp.h"
#include "rtc/rtp_header.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/srtp.h>

enum {
    MAX_FLIGHT_DATAGRAMS = 16,
    MAX_FLIGHT_BYTES = 8 * 1024, /* ours has about 1 kB */
    /* Explicit nonce and tag of AES-GCM (RFC 5288 section 3). */
    GCM_BYTES = 8 + 16,
    RECORD_HEADER_BYTES = 13, /* type, version, epoch, sequence number, length; RFC 6347 4.1 */
    RECORD_ALERT = 21,
    MAX_DATA_RECORDS = 16, /* of a datagram; more are dropped */
    FIRST_RESEND_US = 150000,
    LAST_RESEND_US = 2400000,
};

/* Longer than any session waits: OpenSSL reads a clock of its own, so its timer must not fire. */
static const unsigned NEVER_US = 3600u * 1000000u;

/* The datagrams of our latest flight: what is to be sent, and sent again when nothing answers. The
 * very same records are repeated, which a receiver that has them already drops as replays. */
struct flight {
    uint16_t sizes[MAX_FLIGHT_DATAGRAMS];
    uint8_t bytes[MAX_FLIGHT_BYTES];
    size_t used;
    int count, polled;
    size_t polled_bytes;
};

struct dtls_transport {
    SSL *ssl;
    enum dtls_state state;
    uint8_t peer_fingerprint[32];
    bool fingerprint_differs;
    const char *failure;
    uint8_t in[DTLS_MAX_DATAGRAM]; /* the datagram that OpenSSL reads next; then, in its place, … */
    size_t in_size;
    uint16_t data_sizes[MAX_DATA_RECORDS]; /* … the application data that was in it */
    int data_count, data_read;
    size_t data_bytes, data_read_bytes;
    struct flight flight;
    bool answering; /* the next write begins a new flight */
    int64_t resend_at_us, resend_after_us;
};

const char *dtls_state_name(enum dtls_state state)
{
    static const char *const names[] = {"new", "connecting", "connected", "failed", "closed"};
    return names[state];
}

/* ---- the BIO: a read or a write is a datagram ---- */

static int bio_write(BIO *bio, const char *data, int size)
{
    struct dtls_transport *transport = BIO_get_data(bio);
    struct flight *flight = &transport->flight;
    if (transport->answering || flight->polled == flight->count) {
        flight->used = flight->polled_bytes = 0;
        flight->count = flight->polled = 0;
        transport->answering = false;
    }
    if (size <= 0)
        return -1;
    /* What does not fit is lost, as it might be on the wire. */
    if (flight->count == MAX_FLIGHT_DATAGRAMS || flight->used + (size_t)size > MAX_FLIGHT_BYTES)
        return size;
    memcpy(flight->bytes + flight->used, data, (size_t)size);
    flight->used += (size_t)size;
    flight->sizes[flight->count++] = (uint16_t)size;
    return size;
}

static int bio_read(BIO *bio, char *data, int size)
{
    struct dtls_transport *transport = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (transport->in_size == 0 || size <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t taken = transport->in_size < (size_t)size ? transport->in_size : (size_t)size;
    memcpy(data, transport->in, taken);
    transport->in_size = 0;
    return (int)taken;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return DTLS_MTU;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *dtls_datagram_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
    if (method == NULL)
        return NULL;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    BIO_meth_set_create(method, bio_create);
    return method;
}

/* ---- handshake ---- */

/* The peer is who signed the offer: its certificate has the offered fingerprint (RFC 8122 section
 * 6.2). Names, dates and issuers of the self-signed certificate mean nothing. */
int dtls_verify_peer(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct dtls_transport *transport = SSL_get_app_data(ssl);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    if (certificate != NULL && X509_digest(certificate, EVP_sha256(), digest, &size) == 1 &&
        size == sizeof(transport->peer_fingerprint) &&
        CRYPTO_memcmp(digest, transport->peer_fingerprint, size) == 0)
        return 1;
    transport->fingerprint_differs = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static unsigned never(SSL *ssl, unsigned timer_us)
{
    (void)ssl;
    (void)timer_us;
    return NEVER_US;
}

int dtls_transport_create(struct dtls_transport **out, struct dtls_identity *identity,
                          const uint8_t *peer_fingerprint)
{
    struct dtls_transport *transport = calloc(1, sizeof(*transport));
    BIO *bio = BIO_new(identity->datagram_method);
    SSL *ssl = SSL_new(identity->context);
    if (transport == NULL || bio == NULL || ssl == NULL) {
        free(transport);
        BIO_free(bio);
        SSL_free(ssl);
        return OW_ENOMEM;
    }
    memcpy(transport->peer_fingerprint, peer_fingerprint, sizeof(transport->peer_fingerprint));
    transport->ssl = ssl;
    transport->failure = "";
    transport->resend_at_us = INT64_MAX;
    BIO_set_data(bio, transport);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_app_data(ssl, transport);
    SSL_set_mtu(ssl, DTLS_MTU);
    DTLS_set_timer_cb(ssl, never);
    SSL_set_accept_state(ssl);
    *out = transport;
    return OW_OK;
}

static void fail(struct dtls_transport *transport, const char *failure)
{
    transport->state = DTLS_FAILED;
    transport->failure = failure;
    transport->resend_at_us = INT64_MAX;
}

static void shake_hands(struct dtls_transport *transport)
{
    transport->state = DTLS_CONNECTING;
    ERR_clear_error();
    int result = SSL_do_handshake(transport->ssl);
    if (result == 1) {
        transport->resend_at_us = INT64_MAX;
        if (SSL_get_selected_srtp_profile(transport->ssl) == NULL)
            fail(transport, "the browser and the server have no SRTP profile in common");
        else
            transport->state = DTLS_CONNECTED;
    } else if (SSL_get_error(transport->ssl, result) != SSL_ERROR_WANT_READ) {
        fail(transport, transport->fingerprint_differs
                            ? "the browser's certificate is not the one its offer announced"
                            : "the DTLS handshake failed");
    }
    ERR_clear_error();
}

/* Reading is also how alerts are noticed. OpenSSL takes the datagram with the first call, so that
 * there is room for what was in it. */
static void read_records(struct dtls_transport *transport)
{
    ERR_clear_error();
    for (int result = 1; result > 0;) {
        size_t room = sizeof(transport->in) - transport->data_bytes;
        result = SSL_read(transport->ssl, transport->in + transport->data_bytes, (int)room);
        if (result > 0 && transport->data_count < MAX_DATA_RECORDS) {
            transport->data_sizes[transport->data_count++] = (uint16_t)result;
            transport->data_bytes += (size_t)result;
        }
        if (result > 0)
            continue;
        int error = SSL_get_error(transport->ssl, result);
        if (error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SSL)
            transport->state = DTLS_CLOSED;
    }
    ERR_clear_error();
}

/* Copies the records that OpenSSL may see. Left out: alerts in the clear, which anybody could have
 * written, everything in the clear once keys are there, and what does not hold together. During the
 * handshake also what is too short to be encrypted: OpenSSL 3.0 keeps such a record until there are
 * keys, and then fails for it. What is forged and longer it drops by itself. */
static void filter_records(struct dtls_transport *transport, const uint8_t *data, size_t size)
{
    bool encrypted_only = transport->state == DTLS_CONNECTED;
    while (size >= RECORD_HEADER_BYTES) {
        size_t record = RECORD_HEADER_BYTES + (size_t)read_u16(data + 11);
        if (record > size)
            return;
        bool in_the_clear = read_u16(data + 3) == 0; /* epoch */
        bool wanted = in_the_clear ? data[0] != RECORD_ALERT && !encrypted_only
                                   : encrypted_only || record >= RECORD_HEADER_BYTES + GCM_BYTES;
        if (wanted) {
            memcpy(transport->in + transport->in_size, data, record);
            transport->in_size += record;
        }
        data += record;
        size -= record;
    }
}

int dtls_transport_receive(struct dtls_transport *transport, int64_t now_us, const uint8_t *data,
                           size_t size)
{
    if (transport->state == DTLS_FAILED || transport->state == DTLS_CLOSED)
        return OW_ECLOSED;
    if (size > sizeof(transport->in))
        return OW_EPARSE;
    transport->in_size = 0;
    transport->data_count = transport->data_read = 0;
    transport->data_bytes = transport->data_read_bytes = 0;
    filter_records(transport, data, size);
    if (transport->in_size == 0)
        return OW_EPARSE;
    transport->answering = true;
    if (transport->state != DTLS_CONNECTED)
        shake_hands(transport);
    if (transport->state == DTLS_CONNECTED)
        read_records(transport);
    if (!transport->answering && transport->state == DTLS_CONNECTING) {
        transport->resend_after_us = FIRST_RESEND_US;
        transport->resend_at_us = now_us + transport->resend_after_us;
    }
    transport->answering = false;
    transport->in_size = 0;
    return OW_OK;
}

int dtls_transport_read(struct dtls_transport *transport, const uint8_t **data, size_t *size)
{
    if (transport->data_read == transport->data_count)
        return OW_EAGAIN;
    *data = transport->in + transport->data_read_bytes;
    *size = transport->data_sizes[transport->data_read++];
    transport->data_read_bytes += *size;
    return OW_OK;
}

int dtls_transport_write(struct dtls_transport *transport, const uint8_t *data, size_t size)
{
    if (transport->state != DTLS_CONNECTED)
        return OW_ESTATE;
    if (size == 0 || size > DTLS_MAX_DATA)
        return OW_EINVAL;
    ERR_clear_error();
    int written = SSL_write(transport->ssl, data, (int)size);
    ERR_clear_error();
    return written == (int)size ? OW_OK : OW_EIO;
}

void dtls_transport_handle_timeout(struct dtls_transport *transport, int64_t now_us)
{
    if (now_us < transport->resend_at_us)
        return;
    transport->flight.polled = 0;
    transport->flight.polled_bytes = 0;
    if (transport->resend_after_us < LAST_RESEND_US)
        transport->resend_after_us *= 2;
    transport->resend_at_us = now_us + transport->resend_after_us;
}

int64_t dtls_transport_deadline(const struct dtls_transport *transport)
{
    return transport->resend_at_us;
}

int dtls_transport_poll(struct dtls_transport *transport, const uint8_t **data, size_t *size)
{
    struct flight *flight = &transport->flight;
    if (flight->polled == flight->count)
        return OW_EAGAIN;
    *data = flight->bytes + flight->polled_bytes;
    *size = flight->sizes[flight->polled++];
    flight->polled_bytes += *size;
    return OW_OK;
}

enum dtls_state dtls_transport_state(const struct dtls_transport *transport)
{
    return transport->state;
}

const char *dtls_transport_failure(const struct dtls_transport *transport)
{
    return transport->failure;
}

/* ---- keys ---- */

struct profile_row {
    unsigned long id;
    enum srtp_link_profile profile;
    size_t key_bytes, salt_bytes;
};

static const struct profile_row PROFILES[] = {
    {SRTP_AEAD_AES_128_GCM, SRTP_LINK_GCM_128, 16, 12},
    {SRTP_AEAD_AES_256_GCM, SRTP_LINK_GCM_256, 32, 12},
    {SRTP_AES128_CM_SHA1_80, SRTP_LINK_CM_SHA1_80, 16, 14},
};

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
static int export_keys(SSL *ssl, const struct profile_row *row, struct srtp_keys *out)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[2 * SRTP_KEY_BYTES];
    size_t size = 2 * (row->key_bytes + row->salt_bytes);
    if (SSL_export_keying_material(ssl, material, size, label, sizeof(label) - 1, NULL, 0, 0) != 1)
        return OW_EIO;
    const uint8_t *salts = material + 2 * row->key_bytes;
    *out = (struct srtp_keys){.profile = row->profile};
    memcpy(out->remote, material, row->key_bytes);
    memcpy(out->remote + row->key_bytes, salts, row->salt_bytes);
    memcpy(out->local, material + row->key_bytes, row->key_bytes);
    memcpy(out->local + row->key_bytes, salts + row->salt_bytes, row->salt_bytes);
    OPENSSL_cleanse(material, sizeof(material));
    return OW_OK;
}

int dtls_transport_keys(const struct dtls_transport *transport, struct srtp_keys *out)
{
    if (transport->state != DTLS_CONNECTED)
        return OW_ESTATE;
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(transport->ssl);
    for (size_t i = 0; i < sizeof(PROFILES) / sizeof(PROFILES[0]); i++)
        if (PROFILES[i].id == chosen->id)
            return export_keys(transport->ssl, &PROFILES[i], out);
    return OW_EUNSUPPORTED;
}

void dtls_transport_close(struct dtls_transport *transport)
{
    if (transport->state == DTLS_CONNECTED) {
        ERR_clear_error();
        (void)SSL_shutdown(transport->ssl);
        ERR_clear_error();
    }
    if (transport->state != DTLS_FAILED)
        transport->state = DTLS_CLOSED;
    transport->resend_at_us = INT64_MAX;
}

void dtls_transport_destroy(struct dtls_transport **transport)
{
    if (*transport == NULL)
        return;
    SSL_free((*transport)->ssl);
    OPENSSL_cleanse(*transport, sizeof(**transport));
    free(*transport);
    *transport = NULL;
}
