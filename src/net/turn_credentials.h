/* Time-limited credentials for a TURN server that shares a secret with us, as coturn's
 * use-auth-secret reads them (draft-uberti-behave-turn-rest-00): the user name is the time at which
 * they end, the password an HMAC of it. */
#ifndef OW_NET_TURN_CREDENTIALS_H
#define OW_NET_TURN_CREDENTIALS_H

#include <stdint.h>

enum { TURN_CREDENTIAL_BYTES = 64 };

/* `wall_s`: seconds since 1970 now; they end lifetime_s later. OW_EINVAL for an empty secret or a
 * lifetime that is not positive, OW_EIO when the HMAC cannot be computed. */
int turn_credentials(const char *secret, int64_t wall_s, int lifetime_s,
                     char username[TURN_CREDENTIAL_BYTES], char password[TURN_CREDENTIAL_BYTES]);

#endif
