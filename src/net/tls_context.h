/* A certificate and its key, for a server of TLS 1.2 and 1.3. */
#ifndef OW_NET_TLS_CONTEXT_H
#define OW_NET_TLS_CONTEXT_H

#include "core/error.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* Reads PEM files: the certificate with the chain behind it, and the key, without a passphrase. A
 * sentence says which of both is wrong, and why. The result goes back by SSL_CTX_free(). */
int tls_context_create(struct ssl_ctx_st **out, const char *certificate_path, const char *key_path,
                       struct reason *why);

#endif
