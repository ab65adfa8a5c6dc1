/* Stretches of SDP that travel after offer and answer: candidates one by one, and the credentials
 * of an ICE restart (application/trickle-ice-sdpfrag, RFC 8840 section 9; over HTTP RFC 9725
 * section 4.3). */
#ifndef OW_RTC_SDP_FRAGMENT_H
#define OW_RTC_SDP_FRAGMENT_H

#include "rtc/sdp.h"

enum {
    SDP_FRAGMENT_MAX_BYTES = 16 * 1024, /* a larger one is refused */
    SDP_FRAGMENT_BYTES = 8 * 1024,      /* what is written is not larger */
};

/* What was understood of the peer's. */
struct sdp_fragment {
    char ufrag[SDP_UFRAG_BYTES], pwd[SDP_PWD_BYTES]; /* "" = not named */
    bool end_of_candidates;
    int candidate_count;
    struct sdp_candidate candidates[SDP_MAX_CANDIDATES];
};

/* Candidates that cannot be used (names, TCP, RTCP's component, those that their "ufrag" extension
 * gives to another generation) are left out in silence, as are unknown attributes and those above
 * the number that there is room for. OW_ELIMIT too large, OW_EPARSE with a sentence: malformed
 * credentials or two different ones, a malformed candidate, NULs, no SDP at all. */
int sdp_parse_fragment(struct sdp_fragment *out, const char *text, size_t size, struct reason *why);

/* Ours: of an answer the section with the candidates, and of it what ICE needs. The text is
 * terminated. OW_ELIMIT when it does not fit, OW_ENOTFOUND when the answer has no such section. */
int sdp_write_fragment(char out[SDP_FRAGMENT_BYTES], const char *answer);

#endif
