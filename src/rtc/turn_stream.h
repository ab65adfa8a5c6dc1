/* TURN over TCP or TLS (RFC 8656 sections 3.1 and 12.5): STUN messages and ChannelData follow each
 * other and tell their own length; ChannelData is padded to four bytes. */
#ifndef OW_RTC_TURN_STREAM_H
#define OW_RTC_TURN_STREAM_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

enum { TURN_STREAM_HELD_BYTES = 4096 };

/* Of one connection; all zero = nothing read yet. */
struct turn_stream_reader {
    size_t filled, skip; /* of `held`; bytes that are still to be thrown away */
    uint8_t held[TURN_STREAM_HELD_BYTES];
};

/* Takes the next message from *data and moves *data and *size past it:
 *   OW_OK      *message and *message_size are it, without padding; lent until the next call or the
 *              end of the caller's bytes
 *   OW_EAGAIN  all bytes were taken, the next message is not complete
 *   OW_EPARSE  this is not TURN: the connection is of no use any more
 * A message that is larger than TURN_STREAM_HELD_BYTES is skipped: any peer may send such a
 * datagram to the relay. */
int turn_stream_read(struct turn_stream_reader *reader, const uint8_t **data, size_t *size,
                     const uint8_t **message, size_t *message_size);

#endif
