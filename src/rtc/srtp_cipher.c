#include "rtc/srtp_cipher.h"

#include "core/error.h"
#include "rtc/rtp_header.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

enum {
    GCM_SALT_BYTES = 12,
    CM_SALT_BYTES = 14,
    SHA1_BYTES = 20,
    MAX_KEY_BYTES = 32,
};

/* RFC 3711 section 4.3.2: what is derived from the master key; RTCP's are three higher. */
enum label { LABEL_ENCRYPTION = 0, LABEL_AUTHENTICATION = 1, LABEL_SALT = 2, LABEL_RTCP = 3 };

struct srtp_cipher {
    enum srtp_link_profile profile;
    enum srtp_use use;
    EVP_CIPHER_CTX *context;
    EVP_MAC_CTX *mac; /* keyed; NULL with GCM */
    uint8_t salt[CM_SALT_BYTES];
};

static bool is_gcm(enum srtp_link_profile profile)
{
    return profile != SRTP_LINK_CM_SHA1_80;
}

static size_t key_bytes(enum srtp_link_profile profile)
{
    return profile == SRTP_LINK_GCM_256 ? 32 : 16;
}

/* -- keys -- */

/* RFC 3711 section 4.3.3: AES in counter mode from (master salt xor label << 48) * 2^16. A GCM salt
 * is two bytes shorter and padded with zeros (RFC 7714 section 11). */
static int derive(const struct srtp_cipher *cipher, const uint8_t *master, enum label label,
                  uint8_t *out, size_t size)
{
    enum srtp_link_profile profile = cipher->profile;
    size_t salt_size = is_gcm(profile) ? GCM_SALT_BYTES : CM_SALT_BYTES;
    uint8_t counter[16] = {0}, zeros[MAX_KEY_BYTES] = {0};
    memcpy(counter, master + key_bytes(profile), salt_size);
    counter[7] ^= (uint8_t)(label + (cipher->use == SRTP_SEND_RTP ? 0 : LABEL_RTCP));
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context == NULL)
        return OW_ENOMEM;
    const EVP_CIPHER *algorithm =
        profile == SRTP_LINK_GCM_256 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    int written;
    bool done = EVP_EncryptInit_ex(context, algorithm, NULL, master, counter) == 1 &&
                EVP_EncryptUpdate(context, out, &written, zeros, (int)size) == 1;
    EVP_CIPHER_CTX_free(context);
    return done ? OW_OK : OW_EUNSUPPORTED;
}

static int start_cipher(struct srtp_cipher *cipher, const uint8_t *master)
{
    static const EVP_CIPHER *(*const algorithms[])(void) = {
        [SRTP_LINK_GCM_128] = EVP_aes_128_gcm,
        [SRTP_LINK_GCM_256] = EVP_aes_256_gcm,
        [SRTP_LINK_CM_SHA1_80] = EVP_aes_128_ctr,
    };
    uint8_t key[MAX_KEY_BYTES];
    size_t salt_size = is_gcm(cipher->profile) ? GCM_SALT_BYTES : CM_SALT_BYTES;
    int code = derive(cipher, master, LABEL_ENCRYPTION, key, key_bytes(cipher->profile));
    if (code == OW_OK)
        code = derive(cipher, master, LABEL_SALT, cipher->salt, salt_size);
    int encrypt = cipher->use != SRTP_RECEIVE_RTCP;
    if (code == OW_OK && EVP_CipherInit_ex(cipher->context, algorithms[cipher->profile](), NULL,
                                           key, NULL, encrypt) != 1)
        code = OW_EUNSUPPORTED;
    OPENSSL_cleanse(key, sizeof(key));
    return code;
}

static int start_mac(struct srtp_cipher *cipher, const uint8_t *master)
{
    uint8_t key[SHA1_BYTES];
    char digest[] = "SHA1";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (algorithm == NULL)
        return OW_EUNSUPPORTED;
    cipher->mac = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    if (cipher->mac == NULL)
        return OW_ENOMEM;
    int code = derive(cipher, master, LABEL_AUTHENTICATION, key, sizeof(key));
    if (code == OW_OK && EVP_MAC_init(cipher->mac, key, sizeof(key), parameters) != 1)
        code = OW_EUNSUPPORTED;
    OPENSSL_cleanse(key, sizeof(key));
    return code;
}

int srtp_cipher_create(struct srtp_cipher **out, enum srtp_link_profile profile,
                       const uint8_t master[SRTP_KEY_BYTES], enum srtp_use use)
{
    struct srtp_cipher *cipher = calloc(1, sizeof(*cipher));
    if (cipher == NULL)
        return OW_ENOMEM;
    cipher->profile = profile;
    cipher->use = use;
    cipher->context = EVP_CIPHER_CTX_new();
    int code = cipher->context == NULL ? OW_ENOMEM : start_cipher(cipher, master);
    if (code == OW_OK && !is_gcm(profile))
        code = start_mac(cipher, master);
    if (code == OW_OK)
        *out = cipher;
    else
        srtp_cipher_destroy(&cipher);
    return code;
}

void srtp_cipher_destroy(struct srtp_cipher **cipher)
{
    if (*cipher == NULL)
        return;
    EVP_CIPHER_CTX_free((*cipher)->context);
    EVP_MAC_CTX_free((*cipher)->mac);
    OPENSSL_cleanse(*cipher, sizeof(**cipher));
    free(*cipher);
    *cipher = NULL;
}

/* -- packets -- */

static void mix_index(uint8_t to[6], uint64_t index)
{
    for (int i = 0; i < 6; i++)
        to[i] ^= (uint8_t)(index >> (40 - 8 * i));
}

/* RFC 7714 sections 8.1 and 9.1: two zero bytes, SSRC and index, xor salt. */
static bool gcm_begin(struct srtp_cipher *cipher, const struct srtp_text *text)
{
    uint8_t iv[GCM_SALT_BYTES] = {0};
    write_u32(iv + 2, text->ssrc);
    mix_index(iv + 6, text->index);
    for (int i = 0; i < GCM_SALT_BYTES; i++)
        iv[i] ^= cipher->salt[i];
    EVP_CIPHER_CTX *context = cipher->context;
    int written;
    return EVP_CipherInit_ex(context, NULL, NULL, NULL, iv, -1) == 1 &&
           EVP_CipherUpdate(context, NULL, &written, text->clear, (int)text->clear_size) == 1 &&
           (text->word == NULL || EVP_CipherUpdate(context, NULL, &written, text->word, 4) == 1) &&
           EVP_CipherUpdate(context, text->secret, &written, text->secret,
                            (int)text->secret_size) == 1;
}

bool srtp_cipher_gcm_seal(struct srtp_cipher *cipher, const struct srtp_text *text,
                          uint8_t tag[SRTP_GCM_TAG_BYTES])
{
    uint8_t none[16];
    int written;
    return gcm_begin(cipher, text) && EVP_CipherFinal_ex(cipher->context, none, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher->context, EVP_CTRL_AEAD_GET_TAG, SRTP_GCM_TAG_BYTES, tag) ==
               1;
}

bool srtp_cipher_gcm_open(struct srtp_cipher *cipher, const struct srtp_text *text,
                          const uint8_t tag[SRTP_GCM_TAG_BYTES])
{
    uint8_t none[16], expected[SRTP_GCM_TAG_BYTES];
    int written;
    memcpy(expected, tag, sizeof(expected));
    return gcm_begin(cipher, text) &&
           EVP_CIPHER_CTX_ctrl(cipher->context, EVP_CTRL_AEAD_SET_TAG, SRTP_GCM_TAG_BYTES,
                               expected) == 1 &&
           EVP_CipherFinal_ex(cipher->context, none, &written) == 1;
}

/* RFC 3711 section 4.1.1: from salt, SSRC and index. */
bool srtp_cipher_cm_apply(struct srtp_cipher *cipher, const struct srtp_text *text)
{
    uint8_t counter[16] = {0}, ssrc[4];
    memcpy(counter, cipher->salt, CM_SALT_BYTES);
    write_u32(ssrc, text->ssrc);
    for (int i = 0; i < 4; i++)
        counter[4 + i] ^= ssrc[i];
    mix_index(counter + 8, text->index);
    int written;
    return EVP_CipherInit_ex(cipher->context, NULL, NULL, NULL, counter, -1) == 1 &&
           EVP_CipherUpdate(cipher->context, text->secret, &written, text->secret,
                            (int)text->secret_size) == 1;
}

bool srtp_cipher_sha1_tag(struct srtp_cipher *cipher, const uint8_t *data, size_t size,
                          const uint8_t word[4], uint8_t tag[SRTP_SHA1_TAG_BYTES])
{
    uint8_t digest[SHA1_BYTES];
    size_t written;
    if (EVP_MAC_init(cipher->mac, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(cipher->mac, data, size) != 1 || EVP_MAC_update(cipher->mac, word, 4) != 1 ||
        EVP_MAC_final(cipher->mac, digest, &written, sizeof(digest)) != 1)
        return false;
    memcpy(tag, digest, SRTP_SHA1_TAG_BYTES);
    return true;
}
