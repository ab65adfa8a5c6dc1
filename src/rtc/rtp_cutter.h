/* Inside rtp_payload*.c: cutting is done twice, first to count and then to write into one piece of
 * memory of the right size. A codec has one function that does both, and a row in rtp_payload.c. */
#ifndef OW_RTC_RTP_CUTTER_H
#define OW_RTC_RTP_CUTTER_H

#include "rtc/rtp_payload.h"

/* What one pass yields; with `frame` NULL it only counts. */
struct rtp_cutter {
    size_t max_payload;
    struct rtp_frame *frame;
    uint8_t *end; /* where the next payload is written */
    size_t bytes;
    int count;
};

/* Accounts for a payload of `size` bytes and returns where its bytes go, NULL while counting. */
uint8_t *rtp_cutter_add(struct rtp_cutter *cutter, size_t size);

/* rtp_payload_h264.c: an Annex B access unit. */
void rtp_cut_h264(struct rtp_cutter *cutter, const uint8_t *data, size_t size);
/* rtp_payload_vp8.c: a frame. */
void rtp_cut_vp8(struct rtp_cutter *cutter, const uint8_t *data, size_t size);

#endif
