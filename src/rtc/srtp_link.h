/* SRTP and SRTCP of one session (RFC 3711, RFC 7714): media outwards, reports in both directions.
 */
#ifndef OW_RTC_SRTP_LINK_H
#define OW_RTC_SRTP_LINK_H

#include <stddef.h>
#include <stdint.h>

enum srtp_link_profile { SRTP_LINK_GCM_128, SRTP_LINK_GCM_256, SRTP_LINK_CM_SHA1_80 };
const char *srtp_link_profile_name(enum srtp_link_profile profile);

enum {
    SRTP_KEY_BYTES = 32 + 14,       /* longest key and salt */
    SRTP_LINK_SLACK = 16 + 128 + 4, /* room behind every packet: more than any trailer */
    SRTP_LINK_RTP_TRAILER = 16,     /* what protection really adds, at most: RTP … */
    SRTP_LINK_RTCP_TRAILER = 20,    /* … and RTCP, with the index */
    SRTP_LINK_MAX_REMOTE_SSRC = 8   /* more are refused: each costs memory */
};

/* Master key followed by master salt, for each direction. */
struct srtp_keys {
    enum srtp_link_profile profile;
    uint8_t local[SRTP_KEY_BYTES], remote[SRTP_KEY_BYTES];
};

struct srtp_link;

/* OW_EUNSUPPORTED when OpenSSL has not got the profile, OW_ENOMEM. */
int srtp_link_create(struct srtp_link **out, const struct srtp_keys *keys);

/* Protect in place; the buffer has SRTP_LINK_SLACK bytes behind *size, which grows by the trailer.
 * OW_EINVAL for what is no RTP or RTCP packet, OW_ELIMIT for one SSRC too many, OW_EIO when the
 * cipher fails. Sequence numbers of an SSRC must rise (modulo 2^16, by less than 2^15 at once): a
 * key stream must not be used twice, OW_EIO. */
int srtp_link_protect(struct srtp_link *link, uint8_t *packet, size_t *size);
int srtp_link_protect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size);

/* Verifies and decrypts in place. OW_EAUTH for forged, OW_EEXISTS for replayed packets, OW_EPARSE,
 * OW_ELIMIT for one sender too many. What a forged packet held is lost. */
int srtp_link_unprotect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size);

void srtp_link_destroy(struct srtp_link **link);

#endif
