/* From the options to who may use the server. */
#ifndef OW_APP_PROTECTION_H
#define OW_APP_PROTECTION_H

#include "app/config.h"
#include "net/http_auth.h"

enum { PROTECTION_TOKEN_BYTES = 41 };

/* *out stays NULL where everybody may do everything: on loopback, when neither a password nor a
 * token is given. On other addresses there is always something: a first token is then made and kept
 * in the data folder, readable by its owner only; it is written to `token` when it is new, else
 * token = "". */
int protection_create(struct http_auth **out, const struct config *config,
                      char token[PROTECTION_TOKEN_BYTES], struct reason *why);

/* Do only programs of this machine reach the address? OW_EINVAL when it is not one. */
int protection_is_local(const char *bind, bool *local, struct reason *why);

/* The command: reads a password from standard input and prints what --password takes instead of it.
 */
int protection_print_hash(struct reason *why);

#endif
