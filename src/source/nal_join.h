/* Units for a decoder from the pieces that libavformat makes of RTP packets. Pure. Internal.
 *
 * What the decoder takes as a unit is one NAL unit for H.264 and all NAL units of a picture for
 * H.265. A piece that begins a NAL unit has a start code in front (several NAL units that came in
 * one packet have one each); the further pieces of a fragmented one (RFC 6184 section 5.8, RFC 7798
 * section 4.4.3) have none, and nothing tells the last one. To wait for the start of the next unit
 * is sure, but for a picture's last it means to wait for the next picture. Two habits of senders
 * tell more: they fill their packets, so a piece smaller than a full one is the last of its NAL
 * unit; and they cut all pictures into as many slices. That is tried, and given up for good when a
 * unit goes on after its supposed end. */
#ifndef OW_SOURCE_NAL_JOIN_H
#define OW_SOURCE_NAL_JOIN_H

#include <libavcodec/codec_id.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAL_UNIT_BYTES_MAX = 8 << 20 };

/* How a codec's NAL units are told apart. Sets of types have one bit for each. */
struct nal_codec {
    enum AVCodecID id;
    size_t header_bytes;
    int type_shift; /* of the type in the header's first byte */
    uint8_t type_mask;
    uint64_t afresh; /* begin what can be decoded without what came before */
    bool by_picture; /* the decoder wants all slices of a picture at once; then also: */
    uint64_t slices;
    uint64_t ahead; /* stand only in front of a picture's first slice */
};

/* NULL: pieces of this codec are not understood here. */
const struct nal_codec *nal_codec_find(enum AVCodecID id);

/* Does this piece begin what can be decoded without what came before? */
bool nal_codec_afresh(const struct nal_codec *codec, const uint8_t *bytes, size_t size);

struct nal_unit {
    uint8_t *bytes; /* with start codes */
    size_t size, room;
    int64_t pts;
    unsigned slices; /* begun; a unit that is one NAL unit has one, whatever it is */
};

/* Zero but for the codec at first. */
struct nal_join {
    const struct nal_codec *codec;
    struct nal_unit open;  /* being joined */
    struct nal_unit ready; /* lent by nal_join_take() */
    size_t full_bytes;     /* largest piece so far that another one followed */
    size_t last_bytes;     /* of the last piece, without start code and header */
    unsigned usual_slices; /* the most that a unit has had */
    int64_t ended_pts;     /* of the unit that was taken for whole */
    bool ended_early;      /* the last unit was, and no other has begun */
    bool distrust;
    unsigned units;
};

/* Adds a piece. True: a unit that was open ended with it; take it with nal_join_take() before
 * the next call. */
bool nal_join_add(struct nal_join *join, const uint8_t *bytes, size_t size, int64_t pts);

/* True: the open unit is taken for whole; take it. Asked after every nal_join_add(). */
bool nal_join_ends(struct nal_join *join);

/* The unit that one of the two told of, lent until the next call. */
const struct nal_unit *nal_join_take(const struct nal_join *join);

/* Forgets the open unit. */
void nal_join_reset(struct nal_join *join);

void nal_join_free(struct nal_join *join);

#endif
