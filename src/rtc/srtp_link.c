#include "rtc/srtp_link.h"

#include "core/error.h"
#include "rtc/rtp_header.h"
#include "rtc/srtp_cipher.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* libsrtp2 does the same. As Debian builds it, on NSS, it takes 10 to 20 us for a packet of any
 * size, which would be most of what a viewer costs; OpenSSL takes 0.5 us for 1100 bytes. */

enum {
    RTCP_CLEAR_BYTES = 8, /* first header and SSRC */
    INDEX_BYTES = 4,
    MAX_STREAMS = 4, /* video and its retransmissions, and some to spare */
    REPLAY_WINDOW = 64,
};

static const uint32_t encrypted_flag = 0x80000000; /* in front of RTCP's index */

/* Packets that are sent of an SSRC. */
struct stream {
    uint32_t ssrc;
    uint64_t index; /* of the last packet: rollover counter and sequence number */
};

/* Reports that came from an SSRC (RFC 3711 section 3.3.2). */
struct replay {
    uint32_t ssrc, highest;
    uint64_t seen; /* bit i: highest - i */
};

struct srtp_link {
    bool gcm;
    struct srtp_cipher *media, *out, *in; /* RTP outwards, RTCP outwards and inwards */
    int stream_count, remote_count;
    struct stream streams[MAX_STREAMS];
    struct replay remotes[SRTP_LINK_MAX_REMOTE_SSRC];
    uint32_t report_index; /* of the next report */
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

int srtp_link_create(struct srtp_link **out, const struct srtp_keys *keys)
{
    struct srtp_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return OW_ENOMEM;
    link->gcm = keys->profile != SRTP_LINK_CM_SHA1_80;
    int code = srtp_cipher_create(&link->media, keys->profile, keys->local, SRTP_SEND_RTP);
    if (code == OW_OK)
        code = srtp_cipher_create(&link->out, keys->profile, keys->local, SRTP_SEND_RTCP);
    if (code == OW_OK)
        code = srtp_cipher_create(&link->in, keys->profile, keys->remote, SRTP_RECEIVE_RTCP);
    if (code == OW_OK)
        *out = link;
    else
        srtp_link_destroy(&link);
    return code;
}

void srtp_link_destroy(struct srtp_link **link)
{
    if (*link == NULL)
        return;
    srtp_cipher_destroy(&(*link)->media);
    srtp_cipher_destroy(&(*link)->out);
    srtp_cipher_destroy(&(*link)->in);
    free(*link);
    *link = NULL;
}

/* -- RTP outwards -- */

/* Fixed header, contributing sources and extension: what stays readable. 0 = not an RTP packet. */
static size_t header_bytes(const uint8_t *packet, size_t size)
{
    if (size < RTP_FIXED_BYTES || packet[0] >> 6 != 2)
        return 0;
    size_t header = RTP_FIXED_BYTES + 4 * (size_t)(packet[0] & 0x0f);
    if (packet[0] & 0x10) {
        if (header + 4 > size)
            return 0;
        header += 4 + 4 * (size_t)read_u16(packet + header + 2);
    }
    return header <= size ? header : 0;
}

/* The packet's index (RFC 3711 section 3.3.1), which must be higher than any before. */
static int next_index(struct srtp_link *link, uint32_t ssrc, uint16_t sequence, uint64_t *out)
{
    for (int i = 0; i < link->stream_count; i++) {
        struct stream *stream = &link->streams[i];
        if (stream->ssrc != ssrc)
            continue;
        uint16_t ahead = (uint16_t)(sequence - (uint16_t)stream->index);
        if (ahead == 0 || ahead >= 0x8000 || (stream->index + ahead) >> 48 != 0)
            return OW_EIO;
        stream->index += ahead;
        *out = stream->index;
        return OW_OK;
    }
    if (link->stream_count == MAX_STREAMS)
        return OW_ELIMIT;
    link->streams[link->stream_count++] = (struct stream){ssrc, sequence};
    *out = sequence;
    return OW_OK;
}

int srtp_link_protect(struct srtp_link *link, uint8_t *packet, size_t *size)
{
    size_t header = header_bytes(packet, *size);
    if (header == 0 || *size > 0xffff)
        return OW_EINVAL;
    struct srtp_text text = {.ssrc = read_u32(packet + 8),
                             .clear = packet,
                             .clear_size = header,
                             .secret = packet + header,
                             .secret_size = *size - header};
    int code = next_index(link, text.ssrc, read_u16(packet + 2), &text.index);
    if (code != OW_OK)
        return code;
    if (link->gcm) {
        if (!srtp_cipher_gcm_seal(link->media, &text, packet + *size))
            return OW_EIO;
        *size += SRTP_GCM_TAG_BYTES;
        return OW_OK;
    }
    uint8_t rollover[4]; /* RFC 3711 section 4.2 */
    write_u32(rollover, (uint32_t)(text.index >> 16));
    if (!srtp_cipher_cm_apply(link->media, &text) ||
        !srtp_cipher_sha1_tag(link->media, packet, *size, rollover, packet + *size))
        return OW_EIO;
    *size += SRTP_SHA1_TAG_BYTES;
    return OW_OK;
}

/* -- RTCP: RFC 3711 section 3.4 (report, index, tag), RFC 7714 section 9 (report, tag, index) -- */

int srtp_link_protect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size)
{
    if (*size < RTCP_CLEAR_BYTES || *size > 0xffff)
        return OW_EINVAL;
    if (link->report_index >= encrypted_flag)
        return OW_EIO;
    uint8_t word[INDEX_BYTES];
    struct srtp_text text = {.ssrc = read_u32(packet + 4),
                             .index = link->report_index++,
                             .clear = packet,
                             .clear_size = RTCP_CLEAR_BYTES,
                             .word = word,
                             .secret = packet + RTCP_CLEAR_BYTES,
                             .secret_size = *size - RTCP_CLEAR_BYTES};
    write_u32(word, encrypted_flag | (uint32_t)text.index);
    uint8_t *end = packet + *size;
    if (link->gcm) {
        if (!srtp_cipher_gcm_seal(link->out, &text, end))
            return OW_EIO;
        memcpy(end + SRTP_GCM_TAG_BYTES, word, INDEX_BYTES);
        *size += SRTP_GCM_TAG_BYTES + INDEX_BYTES;
        return OW_OK;
    }
    if (!srtp_cipher_cm_apply(link->out, &text))
        return OW_EIO;
    memcpy(end, word, INDEX_BYTES);
    if (!srtp_cipher_sha1_tag(link->out, packet, *size, word, end + INDEX_BYTES))
        return OW_EIO;
    *size += INDEX_BYTES + SRTP_SHA1_TAG_BYTES;
    return OW_OK;
}

static struct replay *find_remote(struct srtp_link *link, uint32_t ssrc)
{
    for (int i = 0; i < link->remote_count; i++)
        if (link->remotes[i].ssrc == ssrc)
            return &link->remotes[i];
    return NULL;
}

static bool is_replayed(const struct replay *replay, uint32_t index)
{
    if (index > replay->highest)
        return false;
    uint32_t age = replay->highest - index;
    return age >= REPLAY_WINDOW || (replay->seen >> age & 1) != 0;
}

static void note_index(struct replay *replay, uint32_t index)
{
    if (index <= replay->highest) {
        replay->seen |= (uint64_t)1 << (replay->highest - index);
        return;
    }
    uint32_t ahead = index - replay->highest;
    replay->seen = ahead >= REPLAY_WINDOW ? 0 : replay->seen << ahead;
    replay->seen |= 1;
    replay->highest = index;
}

static bool open_report(struct srtp_link *link, const struct srtp_text *text, const uint8_t *end)
{
    if (link->gcm)
        return srtp_cipher_gcm_open(link->in, text, end);
    uint8_t tag[SRTP_SHA1_TAG_BYTES];
    size_t size = text->clear_size + text->secret_size;
    return srtp_cipher_sha1_tag(link->in, text->clear, size, text->word, tag) &&
           CRYPTO_memcmp(tag, end + INDEX_BYTES, sizeof(tag)) == 0 &&
           srtp_cipher_cm_apply(link->in, text);
}

int srtp_link_unprotect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size)
{
    size_t trailer = INDEX_BYTES + (size_t)(link->gcm ? SRTP_GCM_TAG_BYTES : SRTP_SHA1_TAG_BYTES);
    if (*size < RTCP_CLEAR_BYTES + trailer || *size > 0xffff)
        return OW_EPARSE;
    uint8_t *end = packet + *size - trailer; /* of the report */
    uint8_t word[INDEX_BYTES];
    memcpy(word, link->gcm ? end + SRTP_GCM_TAG_BYTES : end, INDEX_BYTES);
    if ((read_u32(word) & encrypted_flag) == 0)
        return OW_EAUTH; /* reports in clear were not agreed on */
    uint32_t index = read_u32(word) & ~encrypted_flag;
    struct srtp_text text = {.ssrc = read_u32(packet + 4),
                             .index = index,
                             .clear = packet,
                             .clear_size = RTCP_CLEAR_BYTES,
                             .word = word,
                             .secret = packet + RTCP_CLEAR_BYTES,
                             .secret_size = (size_t)(end - packet) - RTCP_CLEAR_BYTES};
    struct replay *remote = find_remote(link, text.ssrc);
    if (remote == NULL && link->remote_count == SRTP_LINK_MAX_REMOTE_SSRC)
        return OW_ELIMIT;
    if (remote != NULL && is_replayed(remote, index))
        return OW_EEXISTS;
    if (!open_report(link, &text, end))
        return OW_EAUTH;
    if (remote == NULL) {
        remote = &link->remotes[link->remote_count++];
        *remote = (struct replay){.ssrc = text.ssrc, .highest = index};
    }
    note_index(remote, index);
    *size -= trailer;
    return OW_OK;
}
