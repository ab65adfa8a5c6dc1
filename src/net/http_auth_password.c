#include "net/http_auth_password.h"

#include "core/random.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SALT_BYTES = 16,
    KEY_BYTES = 32,
    LOG2_N = 14, /* with r = 8: 16 MB; what OWASP names as the least is 2^17, too much for the small
                    machines this runs on, so that attempts are few (http_auth_limit.h) */
    R = 8,
    P = 1,
    MAX_LOG2_N = 17,
    MAX_R = 16,
    MAX_P = 8,
    MAX_MEMORY_BYTES = 320 * 1024 * 1024,
};

struct hash {
    unsigned log2_n, r, p;
    uint8_t salt[SALT_BYTES], key[KEY_BYTES];
};

static int derive(const char *password, const struct hash *hash, uint8_t key[KEY_BYTES])
{
    int fine = EVP_PBE_scrypt(password, strlen(password), hash->salt, SALT_BYTES,
                              (uint64_t)1 << hash->log2_n, hash->r, hash->p, MAX_MEMORY_BYTES, key,
                              KEY_BYTES);
    return fine == 1 ? OW_OK : OW_ENOMEM;
}

static void write_hex(char *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Exactly `size` bytes, ended by `end`. */
static bool read_hex(const char *text, uint8_t *bytes, size_t size, char end)
{
    for (size_t i = 0; i < 2 * size; i++) {
        char c = text[i];
        int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (value < 0)
            return false;
        bytes[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : bytes[i / 2] | value);
    }
    return text[2 * size] == end;
}

static bool read_number(const char **text, unsigned max, unsigned *out)
{
    char *end;
    if (**text < '1' || **text > '9')
        return false;
    unsigned long value = strtoul(*text, &end, 10);
    if (*end != ':' || value > max)
        return false;
    *out = (unsigned)value;
    *text = end + 1;
    return true;
}

static bool read_hash(const char *text, struct hash *out)
{
    if (strncmp(text, "scrypt:", 7) != 0)
        return false;
    text += 7;
    return read_number(&text, MAX_LOG2_N, &out->log2_n) && read_number(&text, MAX_R, &out->r) &&
           read_number(&text, MAX_P, &out->p) && read_hex(text, out->salt, SALT_BYTES, ':') &&
           read_hex(text + 2 * SALT_BYTES + 1, out->key, KEY_BYTES, '\0');
}

int http_password_hash(const char *password, char out[HTTP_PASSWORD_HASH_BYTES])
{
    struct random_source source;
    struct hash hash = {.log2_n = LOG2_N, .r = R, .p = P};
    char salt[2 * SALT_BYTES + 1], key[2 * KEY_BYTES + 1];
    random_system(&source);
    source.fill(&source, hash.salt, SALT_BYTES);
    int rc = derive(password, &hash, hash.key);
    if (rc != OW_OK)
        return rc;
    write_hex(salt, hash.salt, SALT_BYTES);
    write_hex(key, hash.key, KEY_BYTES);
    snprintf(out, HTTP_PASSWORD_HASH_BYTES, "scrypt:%u:%u:%u:%s:%s", hash.log2_n, hash.r, hash.p,
             salt, key);
    return OW_OK;
}

bool http_password_is_hash(const char *text)
{
    struct hash hash;
    return read_hash(text, &hash);
}

bool http_password_verify(const char *password, const char *text)
{
    struct hash hash;
    uint8_t key[KEY_BYTES];
    if (!read_hash(text, &hash) || derive(password, &hash, key) != OW_OK)
        return false;
    bool same = CRYPTO_memcmp(key, hash.key, KEY_BYTES) == 0;
    OPENSSL_cleanse(key, sizeof key);
    return same;
}
