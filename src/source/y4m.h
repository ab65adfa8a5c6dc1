/* The text headers of YUV4MPEG2 ("Y4M", mjpegtools' yuv4mpeg(5)): pure parsers of untrusted bytes,
 * without input or output, so that they can be fuzzed. */
#ifndef OW_SOURCE_Y4M_H
#define OW_SOURCE_Y4M_H

#include "core/error.h"

#include <libavutil/pixfmt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer headers are malformed. Real ones have some 60 bytes. */
enum { Y4M_HEADER_BYTES_MAX = 1024, Y4M_FRAME_HEADER_BYTES_MAX = 256 };

struct y4m_header {
    int width, height;         /* 1..FRAME_MAX_SIDE */
    int rate_num, rate_den;    /* frames per second; 0/0 = not said */
    enum AVPixelFormat format; /* without C parameter: yuv420p */
    bool full_range;           /* XCOLORRANGE=FULL */
};

/* Parses "YUV4MPEG2 W… H… …\n" at the start of `bytes`; *used is its length with the newline.
 * Unknown parameters are passed over, several blanks and a carriage return are tolerated.
 * OW_EAGAIN: the bytes so far may be the beginning of a header. OW_EPARSE: they are not.
 * OW_EUNSUPPORTED: a pixel format (C parameter) or size that we do not read. */
int y4m_parse_header(struct y4m_header *out, const uint8_t *bytes, size_t size, size_t *used,
                     struct reason *why);

/* Parses "FRAME…\n" in the same way. */
int y4m_parse_frame_header(const uint8_t *bytes, size_t size, size_t *used);

/* True when the bytes so far are a beginning of a stream header (a writer may start a new stream,
 * of another size, where a frame is expected). */
bool y4m_may_be_header(const uint8_t *bytes, size_t size);

#endif
