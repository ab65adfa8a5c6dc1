#include "net/tls_context.h"

#include "core/log.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

/* Nobody types a passphrase into a server that starts by itself. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

/* HTTP/1.1 is all that is spoken behind it (RFC 7301). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned in_size, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)context;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int fault(struct reason *why, const char *what, const char *path)
{
    unsigned long code = ERR_peek_last_error();
    const char *detail = code ? ERR_reason_error_string(code) : NULL;
    int rc = reason_set(why, OW_EINVAL, "%s %.150s cannot be used: %s", what, path,
                        detail ? detail : "not a PEM file");
    ERR_clear_error();
    return rc;
}

static int load(SSL_CTX *context, const char *certificate_path, const char *key_path,
                struct reason *why)
{
    if (access(certificate_path, R_OK) != 0)
        return reason_set(why, OW_EIO, "the TLS certificate %.150s cannot be read: %s",
                          certificate_path, strerror(errno));
    if (access(key_path, R_OK) != 0)
        return reason_set(why, OW_EIO, "the TLS key %.150s cannot be read: %s", key_path,
                          strerror(errno));
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1)
        return fault(why, "the TLS certificate", certificate_path);
    if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1)
        return fault(why, "the TLS key", key_path);
    if (SSL_CTX_check_private_key(context) != 1)
        return fault(why, "the TLS key", key_path);
    X509 *certificate = SSL_CTX_get0_certificate(context);
    if (certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        log_warn("the TLS certificate %s has expired: browsers will refuse it", certificate_path);
    return OW_OK;
}

int tls_context_create(SSL_CTX **out, const char *certificate_path, const char *key_path,
                       struct reason *why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return reason_set(why, OW_ENOMEM, "%s", error_text(OW_ENOMEM));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    static const unsigned char id[] = "overwatch";
    SSL_CTX_set_session_id_context(context, id, sizeof id - 1);
    int rc = load(context, certificate_path, key_path, why);
    if (rc == OW_OK)
        *out = context;
    else
        SSL_CTX_free(context);
    return rc;
}
