/* An encoded picture cut into RTP payloads. Made once per rendition and shared by all its viewers;
 * a session adds only the RTP header and the protection. */
#ifndef OW_RTC_RTP_PAYLOAD_H
#define OW_RTC_RTP_PAYLOAD_H

#include "core/encoded.h"

struct rtp_payload {
    uint16_t size;
    const uint8_t *data; /* inside the rtp_frame */
};

struct rtp_frame {
    atomic_int refs;
    enum video_codec codec;
    bool key;
    int64_t capture_us;
    uint64_t sequence;
    struct metadata *metadata; /* own reference, NULL = none */
    size_t bytes;              /* of all payloads */
    int count;
    struct rtp_payload payloads[]; /* the last one carries the marker bit */
};

/* Cuts a picture as its codec's RTP payload format says, into payloads of at most max_payload
 * bytes. OW_EPARSE when there is nothing in it to send, OW_EINVAL for a max_payload below 64,
 * OW_ELIMIT for more than 16,384 payloads. The result has one reference and does not refer to
 * `unit`. */
int rtp_frame_cut(struct rtp_frame **out, const struct encoded *unit, size_t max_payload);

struct rtp_frame *rtp_frame_ref(struct rtp_frame *frame);
void rtp_frame_unref(struct rtp_frame **frame);

#endif
