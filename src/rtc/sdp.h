/* SDP offer in, answer out (RFC 8866, RFC 8829, RFC 8843 BUNDLE). No state, no allocation besides
 * the answer's text. */
#ifndef OW_RTC_SDP_H
#define OW_RTC_SDP_H

#include "core/address.h"
#include "core/error.h"
#include "core/rendition.h"

enum {
    SDP_MAX_BYTES = 64 * 1024, /* an offer larger than this is refused */
    SDP_MAX_MEDIA = 32,        /* m-lines; more are refused with a reason */
    SDP_MAX_CANDIDATES = 32,
    SDP_MAX_LOCAL_CANDIDATES = 16,
    SDP_UFRAG_BYTES = 256 + 1, /* RFC 8839: up to 256 characters */
    SDP_PWD_BYTES = 256 + 1,
    SDP_MID_BYTES = 32,
};

enum sdp_extension {
    SDP_EXT_TRANSPORT_CC,  /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
    SDP_EXT_PLAYOUT_DELAY, /* http://www.webrtc.org/experiments/rtp-hdrext/playout-delay */
    SDP_EXT_ABS_SEND_TIME,
    SDP_EXT_MID,
    SDP_EXT_ABS_CAPTURE_TIME,
    SDP_EXT_COUNT
};

/* The URIs of the extensions above (RFC 8285). */
extern const char *const sdp_extension_uris[SDP_EXT_COUNT];

enum sdp_dtls_role { SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE };

struct sdp_candidate {
    struct address address; /* mDNS (.local) and TCP ones are left out by the parser; a local one
                               of ADDRESS_TCP is written as passive (RFC 6544) */
    uint32_t priority;
    char type[8]; /* host, srflx, prflx, relay */
};

/* A chosen codec: one row of the codec table. */
struct sdp_codec {
    enum video_codec codec;
    const char *name; /* "H264" */
    uint8_t payload_type;
    uint8_t rtx_payload_type; /* 0 = RTX was not offered */
    bool rtx;
    uint8_t flexfec_payload_type;            /* 0 = FlexFEC-03 was not offered */
    bool nack, pli, fir, remb, transport_cc; /* feedback offered for it */
    char fmtp[160];                          /* for the answer: of the offer, what applies to us */
    uint8_t profile_level_id[3];             /* profile_idc, constraint flags, level_idc offered */
};

/* What was understood of an offer. */
struct sdp_offer {
    char ufrag[SDP_UFRAG_BYTES], pwd[SDP_PWD_BYTES]; /* of the chosen video section */
    uint8_t fingerprint[32];                         /* sha-256 of the peer's certificate */
    enum sdp_dtls_role setup;
    bool peer_ice_lite;
    bool trickle; /* a=ice-options: more candidates may come (RFC 8840) */
    struct sdp_codec codec;
    uint8_t extension_id[SDP_EXT_COUNT]; /* 0 = not offered; 1..14 (one-byte header) */
    bool rtcp_rsize;                     /* RFC 5506 offered */
    bool mixed_session, mixed_media;     /* extmap-allow-mixed (RFC 8285), and at which level */
    int video_index;                     /* which m-line carries the video */
    char video_mid[SDP_MID_BYTES];       /* "" = the offer names none */
    int candidate_count;
    struct sdp_candidate candidates[SDP_MAX_CANDIDATES];
    int media_count;
    struct {
        char kind[16], protocol[32], mid[SDP_MID_BYTES], formats[128];
        bool bundled;
    } media[SDP_MAX_MEDIA];
    /* The first section of the video's BUNDLE group, when its transport is the one that the video
     * uses and it is audio or another video: it cannot be rejected without taking the transport
     * along (RFC 8843 section 7.3.3; Chromium with bundlePolicy max-bundle refuses such an answer).
     * It is answered as inactive. -1 = every other section is rejected. */
    int kept_index;
    char kept_format[8], kept_rtpmap[48]; /* kept_rtpmap "" = a static payload type */
    /* Data channels (RFC 8841) on the video's transport. data_index -1 = none that can be had. */
    int data_index;
    uint16_t sctp_port;        /* the peer's */
    uint32_t max_message_size; /* that it takes, bytes */
};

/* Parses an offer of `size` bytes. `codecs`: which may be chosen (1 << enum video_codec
 * …, 0 = all). A failure's `why` is a sentence for the page and the log: no
 * video section that wants to receive, no codec in common, no ICE or DTLS parameters, NULs, too
 * large, … */
int sdp_parse_offer(struct sdp_offer *out, const char *text, size_t size, unsigned codecs,
                    struct reason *why);

struct sdp_answer_settings {
    const char *ufrag, *pwd;
    const uint8_t *fingerprint; /* 32 bytes */
    bool ice_lite;
    uint64_t session_id;     /* o= line */
    uint32_t ssrc, rtx_ssrc; /* rtx_ssrc unused when the codec has no RTX */
    uint32_t flexfec_ssrc;   /* unused when FlexFEC was not offered */
    const char *cname, *stream_id, *track_id;
    uint16_t sctp_port;        /* ours; this and the next unused without data channels */
    uint32_t max_message_size; /* that we take, bytes */
    int candidate_count;       /* type "" = host; priority 0 = by type, transport and place */
    struct sdp_candidate candidates[SDP_MAX_LOCAL_CANDIDATES];
};

/* The complete answer (no trickle needed): same m-lines in the same order, rejected ones with port
 * 0, setup:passive, sendonly, rtcp-mux, rtcp-rsize, the offer's payload type, extension ids and
 * feedback, end-of-candidates. *out is malloc'ed text owned by the caller. */
int sdp_write_answer(char **out, const struct sdp_offer *offer,
                     const struct sdp_answer_settings *settings);

/* Reads one "candidate:…" attribute value (with or without "a="), for trickle. OW_EUNSUPPORTED for
 * mDNS and other names, TCP, RTCP's component and unknown types; OW_EPARSE. */
int sdp_parse_candidate(struct sdp_candidate *out, const char *text, size_t size);

enum { SDP_CANDIDATE_TEXT_BYTES = 192 };
/* Writes "candidate:…", what sdp_parse_candidate() reads. Hides the base of non-host ones. */
void sdp_write_candidate(char out[SDP_CANDIDATE_TEXT_BYTES], const struct sdp_candidate *candidate);

/* Priorities of the index-th local candidate of its kind (RFC 8445 section 5.1.2.1; for TCP RFC
 * 6544 section 4.2), index 0..4095: UDP on a host address before server-reflexive before TCP before
 * relayed. */
uint32_t sdp_host_priority(int index);
uint32_t sdp_srflx_priority(int index);
uint32_t sdp_tcp_priority(int index);
uint32_t sdp_relay_priority(int index);

#endif
