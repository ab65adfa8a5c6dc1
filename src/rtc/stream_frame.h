/* Datagrams on a TCP connection (RFC 4571, as ICE-TCP uses it: RFC 6544 section 10.1): each is
 * preceded by its length in two bytes, network order.
 *
 *  0                   1
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 ...
 * |            LENGTH             |  packet …
 */
#ifndef OW_RTC_STREAM_FRAME_H
#define OW_RTC_STREAM_FRAME_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    STREAM_FRAME_HEADER_BYTES = 2,
    /* A longer one ends the stream: nobody sends such through ICE, and what is announced here is
     * memory of ours. */
    STREAM_FRAME_MAX_BYTES = 2048,
};

/* Of one connection; all zero = nothing read yet. */
struct stream_frame_reader {
    size_t filled; /* of `held`, which keeps a packet that came in pieces, with its header */
    uint8_t held[STREAM_FRAME_HEADER_BYTES + STREAM_FRAME_MAX_BYTES];
};

/* Takes the next packet from *data and moves *data and *size past it. Call until it is not OW_OK:
 *   OW_OK      *packet and *packet_size are it, never empty; lent until the next call or the end of
 *              the caller's bytes (it may lie within them)
 *   OW_EAGAIN  all bytes were taken, the next packet is not complete
 *   OW_EPARSE  a packet larger than STREAM_FRAME_MAX_BYTES was announced: close the connection
 * Packets of length 0 are allowed by the RFC and skipped. */
int stream_frame_read(struct stream_frame_reader *reader, const uint8_t **data, size_t *size,
                      const uint8_t **packet, size_t *packet_size);

/* The header of a packet of 1..STREAM_FRAME_MAX_BYTES bytes, for whoever gathers header and packet.
 */
void stream_frame_header(uint8_t header[STREAM_FRAME_HEADER_BYTES], size_t packet_size);

/* Header and packet into `out`; *written on success. OW_ELIMIT when they do not fit, OW_EINVAL for
 * a packet that is empty or too large. `packet` may already lie at out + 2. */
int stream_frame_write(uint8_t *out, size_t capacity, const uint8_t *packet, size_t packet_size,
                       size_t *written);

#endif
