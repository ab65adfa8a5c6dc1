/* Makes what back ends emit alike: one Annex B access unit as this program sends it. Internal to
 * this room.
 *
 * - Only slices, SPS and PPS stay. Supplemental information (SEI) and delimiters say nothing that a
 *   live viewer needs and cost bytes in the first frame.
 * - SPS and PPS stand before every IDR, also where the back end gives them once.
 * - An SPS of the Baseline profile carries constraint_set0..2 = 1 (constrained baseline, what the
 *   session description promises as 42e0xx): ITU-T H.264 7.4.2.1.1. None of the back ends uses
 *   slice groups, arbitrary slice order or redundant slices, the tools that the flags rule out. */
#ifndef OW_ENCODE_H264_STREAM_H
#define OW_ENCODE_H264_STREAM_H

#include "core/encoded.h"

enum { H264_PARAMETER_SET_BYTES = 256 };

struct h264_parameter_sets {
    uint8_t sps[H264_PARAMETER_SET_BYTES], pps[H264_PARAMETER_SET_BYTES];
    size_t sps_size, pps_size; /* without start code; 0 = not seen */
};

/* Finds the next NAL unit in an Annex B stream at or after *offset; *offset then stands behind it.
 * False when there is none. Trailing zero bytes are not part of a unit. */
bool h264_stream_next(const uint8_t *stream, size_t size, size_t *offset, const uint8_t **nal,
                      size_t *nal_size);

/* Keeps the parameter sets found in a stream (an access unit, or FFmpeg's extradata). */
void h264_stream_remember(struct h264_parameter_sets *sets, const uint8_t *stream, size_t size);

/* Writes the access unit as described above; size, data and key of the result are set.
 * OW_EPARSE when there is no slice in it, or an IDR has no parameter sets. OW_ENOMEM. */
int h264_stream_pack(struct h264_parameter_sets *sets, const uint8_t *stream, size_t size,
                     struct encoded **out);

#endif
