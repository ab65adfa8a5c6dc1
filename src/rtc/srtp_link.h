/* SRTP and SRTCP of one session by libsrtp2 (RFC 3711, RFC 7714). */
#ifndef OW_RTC_SRTP_LINK_H
#define OW_RTC_SRTP_LINK_H

#include <stddef.h>
#include <stdint.h>

enum srtp_link_profile { SRTP_LINK_GCM_128, SRTP_LINK_GCM_256, SRTP_LINK_CM_SHA1_80 };
const char *srtp_link_profile_name(enum srtp_link_profile profile);

enum {
    SRTP_KEY_BYTES = 32 + 14,       /* longest key and salt */
    SRTP_LINK_SLACK = 16 + 128 + 4, /* room that libsrtp wants behind every packet it protects */
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

/* Starts the library; calling it again does nothing. OW_EIO. Not to be called by two threads. */
int srtp_link_start(void);

/* OW_EUNSUPPORTED when the library has not got the profile, OW_ENOMEM. */
int srtp_link_create(struct srtp_link **out, const struct srtp_keys *keys);

/* Protects in place; the buffer has SRTP_LINK_SLACK bytes behind *size, which grows by the trailer.
 * OW_EIO when the packet cannot be protected (a sequence number used before). */
int srtp_link_protect(struct srtp_link *link, uint8_t *packet, size_t *size);
int srtp_link_protect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size);

/* Verifies and decrypts in place. OW_EAUTH for forged, OW_EEXISTS for replayed packets, OW_EPARSE,
 * OW_ELIMIT for one sender too many. */
int srtp_link_unprotect_rtcp(struct srtp_link *link, uint8_t *packet, size_t *size);

void srtp_link_destroy(struct srtp_link **link);

#endif
