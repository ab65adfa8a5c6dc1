/* Inside the SDP parser: which of a section's formats is answered. */
#ifndef OW_RTC_SDP_CODEC_H
#define OW_RTC_SDP_CODEC_H

#include "rtc/sdp.h"
#include "rtc/sdp_text.h"

enum { SDP_PAYLOAD_TYPES = 128 };

enum sdp_feedback {
    SDP_FB_NACK = 1,
    SDP_FB_PLI = 2,
    SDP_FB_FIR = 4,
    SDP_FB_REMB = 8,
    SDP_FB_TRANSPORT_CC = 16
};

/* One payload type of the section. */
struct sdp_format {
    struct span name; /* of rtpmap; NULL text = static or unknown */
    uint32_t clock_rate;
    struct span fmtp;
    unsigned feedback; /* of enum sdp_feedback */
};

struct sdp_formats {
    struct span order; /* the m-line's format list */
    unsigned feedback; /* of "a=rtcp-fb:*" */
    struct sdp_format format[SDP_PAYLOAD_TYPES];
};

/* Values of a=rtpmap, a=fmtp, a=rtcp-fb. What cannot be read is skipped. */
void sdp_formats_rtpmap(struct sdp_formats *formats, struct span value);
void sdp_formats_fmtp(struct sdp_formats *formats, struct span value);
void sdp_formats_feedback(struct sdp_formats *formats, struct span value);

/* The best of the codecs that we send and may choose (bits 1 << enum video_codec). OW_EUNSUPPORTED
 * with a sentence when the section offers none of them. */
int sdp_choose_codec(struct sdp_codec *out, const struct sdp_formats *formats, unsigned allowed,
                     struct reason *why);

#endif
