#include "rtc/srtp_link.h"

#include "core/error.h"
#include "rtc/rtp_header.h"

#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

_Static_assert(SRTP_LINK_SLACK >= SRTP_MAX_TRAILER_LEN + 4, "libsrtp writes behind the packet");

struct srtp_link {
    srtp_t out, in;
    uint32_t remote_ssrc[SRTP_LINK_MAX_REMOTE_SSRC];
    int remote_count;
};

const char *srtp_link_profile_name(enum srtp_link_profile profile)
{
    switch (profile) {
    case SRTP_LINK_GCM_128:
        return "AEAD_AES_128_GCM";
    case SRTP_LINK_GCM_256:
        return "AEAD_AES_256_GCM";
    case SRTP_LINK_CM_SHA1_80:
        return "AES_CM_128_HMAC_SHA1_80";
    }
    return "";
}

int srtp_link_start(void)
{
    /* Per process like the library's own kernel, which some builds refuse to start twice. */
    static bool started;
    if (!started)
        started = srtp_init() == srtp_err_status_ok;
    return started ? OW_OK : OW_EIO;
}

static void set_profile(srtp_crypto_policy_t *policy, enum srtp_link_profile profile)
{
    switch (profile) {
    case SRTP_LINK_GCM_128:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(policy);
        break;
    case SRTP_LINK_GCM_256:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(policy);
        break;
    case SRTP_LINK_CM_SHA1_80:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(policy);
        break;
    }
}

static int create_direction(srtp_t *out, const struct srtp_keys *keys, srtp_ssrc_type_t direction)
{
    uint8_t key[SRTP_KEY_BYTES];
    memcpy(key, direction == ssrc_any_outbound ? keys->local : keys->remote, sizeof(key));
    srtp_policy_t policy = {
        .ssrc = {.type = direction}, .key = key, .window_size = 1024, .allow_repeat_tx = 0};
    set_profile(&policy.rtp, keys->profile);
    set_profile(&policy.rtcp, keys->profile);
    srtp_err_status_t status = srtp_create(out, &policy);
    memset(key, 0, sizeof(key));
    if (status == srtp_err_status_ok)
        return OW_OK;
    return status == srtp_err_status_alloc_fail ? OW_ENOMEM : OW_EUNSUPPORTED;
}

int srtp_link_create(struct srtp_link **out, const struct srtp_keys *keys)
{
    struct srtp_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return OW_ENOMEM;
    int code = create_direction(&link->out, keys, ssrc_any_outbound);
    if (code == OW_OK)
        code = create_direction(&link->in, keys, ssrc_any_inbound);
    if (code != OW_OK) {
        srtp_link_destroy(&link);
        return code;
    }
    *out = link;
    return OW_OK;
}

int srtp_link_protect(struct srtp_link *link, uint8_t *packet, size_t *size)
{
    int length = (int)*size;
    if (srtp_protect(link->out, packet, &length) != srtp_err_status_ok)
        return OW_EIO;
    *size = (size_t)length;
    return OW_OK;
}

int srtp_link_protect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size)
{
    int length = (int)*size;
    if (srtp_protect_rtcp(link->out, packet, &length) != srtp_err_status_ok)
        return OW_EIO;
    *size = (size_t)length;
    return OW_OK;
}

static bool knows_remote(const struct srtp_link *link, uint32_t ssrc)
{
    for (int i = 0; i < link->remote_count; i++)
        if (link->remote_ssrc[i] == ssrc)
            return true;
    return false;
}

int srtp_link_unprotect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size)
{
    if (*size < 8 || *size > 0xffff)
        return OW_EPARSE;
    uint32_t ssrc = read_u32(packet + 4);
    bool known = knows_remote(link, ssrc);
    if (!known && link->remote_count == SRTP_LINK_MAX_REMOTE_SSRC)
        return OW_ELIMIT;
    int length = (int)*size;
    srtp_err_status_t status = srtp_unprotect_rtcp(link->in, packet, &length);
    if (status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old)
        return OW_EEXISTS;
    if (status != srtp_err_status_ok || length < 0)
        return OW_EAUTH;
    if (!known)
        link->remote_ssrc[link->remote_count++] = ssrc;
    *size = (size_t)length;
    return OW_OK;
}

void srtp_link_destroy(struct srtp_link **link)
{
    if (*link == NULL)
        return;
    if ((*link)->out != NULL)
        (void)srtp_dealloc((*link)->out);
    if ((*link)->in != NULL)
        (void)srtp_dealloc((*link)->in);
    free(*link);
    *link = NULL;
}
