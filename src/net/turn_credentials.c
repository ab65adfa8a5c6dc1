#include "net/turn_credentials.h"

#include "core/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

int turn_credentials(const char *secret, int64_t wall_s, int lifetime_s,
                     char username[TURN_CREDENTIAL_BYTES], char password[TURN_CREDENTIAL_BYTES])
{
    if (!secret || !secret[0] || lifetime_s <= 0)
        return OW_EINVAL;
    char name[TURN_CREDENTIAL_BYTES];
    int length = snprintf(name, sizeof name, "%" PRId64, wall_s + lifetime_s);
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    if (!HMAC(EVP_sha1(), secret, (int)strlen(secret), (const uint8_t *)name, (size_t)length, mac,
              &mac_size))
        return OW_EIO;
    _Static_assert(20 / 3 * 4 + 4 + 1 <= TURN_CREDENTIAL_BYTES, "SHA-1 in base64");
    EVP_EncodeBlock((uint8_t *)password, mac, (int)mac_size);
    memcpy(username, name, sizeof name);
    return OW_OK;
}
