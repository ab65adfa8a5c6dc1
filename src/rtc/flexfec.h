/* FlexFEC as libwebrtc reads it: draft-ietf-payload-flexible-fec-scheme-03 with one protected
 * stream and flexible masks (libwebrtc modules/rtp_rtcp/source/flexfec_03_header_reader_writer.cc,
 * forward_error_correction.cc, mid-2025). A repair packet is the exclusive or of the packets that
 * it protects; with it a receiver restores any one of them that was lost, without asking.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |R|F|P|X|  CC   |M| PT recovery |        length recovery        |
 * |                          TS recovery                          |
 * |   SSRCCount   |                   reserved                    |
 * |                             SSRC                              |
 * |           SN base             |k|          mask [0-14]        |
 * |  what follows the fixed 12 bytes of the protected packets …   |
 *
 * R = F = 0, SSRCCount = 1; k = 1 ends the mask, so a group is of at most 15 packets. */
#ifndef OW_RTC_FLEXFEC_H
#define OW_RTC_FLEXFEC_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    FLEXFEC_HEADER_BYTES = 20,
    FLEXFEC_MAX_GROUP = 15, /* packets that the mask has room for */
    FLEXFEC_MAX_ROWS = 4,   /* repair packets of one group */
};

/* How many repair packets a group of 1..FLEXFEC_MAX_GROUP packets needs where this part of all
 * packets is lost, 1..FLEXFEC_MAX_ROWS. Of groups of up to ten packets about one in a thousand is
 * then not restored at 1 %, one to five in a thousand at 5 %. */
int flexfec_rows(int packets, double loss);

/* Which packets of the group the row-th of `rows` repair packets protects: bit i = the packet with
 * the sequence number base + i. Every packet is in one row at least, in two where there are rows
 * enough, and few packets are in the same rows: any one loss and most of two are restored. */
uint16_t flexfec_mask(int rows, int row, int packets);

/* A repair packet's payload in the making. */
struct flexfec_writer {
    uint8_t *data;
    size_t capacity, size;
    uint16_t length_recovery;
};

/* Writes into `data`, which stays the caller's. OW_ELIMIT below FLEXFEC_HEADER_BYTES. */
int flexfec_begin(struct flexfec_writer *writer, uint8_t *data, size_t capacity);
/* Adds a packet: its RTP header (at least 12 bytes) with the extensions that change on the way
 * (transport-wide sequence number, abs-send-time) zeroed as receivers do, and its payload.
 * OW_ELIMIT when it does not fit; then the repair packet is of no use. */
int flexfec_add(struct flexfec_writer *writer, const uint8_t *header, size_t header_size,
                const uint8_t *payload, size_t payload_size);
/* Completes it: the SSRC and the lowest sequence number of the group, and the mask from there. */
void flexfec_finish(struct flexfec_writer *writer, uint32_t ssrc, uint16_t base, uint16_t mask);

#endif
