/* Passwords as they are kept: by scrypt (RFC 7914), as "scrypt:LOG2_N:R:P:SALT:KEY", the last two
 * in hexadecimal digits. */
#ifndef OW_NET_HTTP_AUTH_PASSWORD_H
#define OW_NET_HTTP_AUTH_PASSWORD_H

#include "core/error.h"

#include <stdbool.h>

enum { HTTP_PASSWORD_HASH_BYTES = 160 };

/* Hashes with a new salt; takes about 50 ms and 16 MB. OW_ENOMEM. */
int http_password_hash(const char *password, char out[HTTP_PASSWORD_HASH_BYTES]);
/* Is the text such a hash, with parameters that this program is willing to compute? */
bool http_password_is_hash(const char *text);
/* Compares in constant time. A text that is no hash equals nothing. */
bool http_password_verify(const char *password, const char *hash);

#endif
