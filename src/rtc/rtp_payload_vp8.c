/* VP8 (RFC 7741). The payload descriptor is its one mandatory byte: neither a picture id nor
 * temporal layers are sent, and libwebrtc then orders frames by sequence numbers
 * (modules/video_coding/rtp_frame_reference_finder.cc). One viewer may so be switched from one
 * encoding to another without numbers to rewrite in the shared payload. */
#include "rtc/rtp_cutter.h"

#include <string.h>

enum {
    DESCRIPTOR_BYTES = 1,
    START_OF_PARTITION = 0x10, /* S bit, partition index 0: the frame is cut as one partition */
};

void rtp_cut_vp8(struct rtp_cutter *cutter, const uint8_t *data, size_t size)
{
    size_t most = cutter->max_payload - DESCRIPTOR_BYTES;
    size_t fragments = (size + most - 1) / most;
    size_t each = fragments > 0 ? (size + fragments - 1) / fragments : 0;
    for (size_t done = 0; done < size; done += each) {
        size_t bytes = size - done < each ? size - done : each;
        uint8_t *to = rtp_cutter_add(cutter, bytes + DESCRIPTOR_BYTES);
        if (to == NULL)
            continue;
        to[0] = done == 0 ? START_OF_PARTITION : 0;
        memcpy(to + DESCRIPTOR_BYTES, data + done, bytes);
    }
}
