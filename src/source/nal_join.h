/* H.264 NAL units from the pieces that libavformat makes of RTP packets. Pure. Internal.
 *
 * A piece that begins a unit has a start code in front; the further pieces of a fragmented unit
 * (RFC 6184 section 5.8) have none, and nothing tells the last one. To wait for the next start code
 * is sure, but for a picture's last unit that means to wait for the next picture. Senders fill
 * their packets, though: a piece smaller than a full one is the last. That is tried, and given up
 * for good when a unit goes on after its supposed end. */
#ifndef OW_SOURCE_NAL_JOIN_H
#define OW_SOURCE_NAL_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAL_UNIT_BYTES_MAX = 8 << 20 };

struct nal_unit {
    uint8_t *bytes; /* with its start code */
    size_t size, room;
    int64_t pts;
};

/* Zero-initialised. */
struct nal_join {
    struct nal_unit open;  /* being joined */
    struct nal_unit ready; /* lent by nal_join_take() */
    size_t full_bytes;     /* largest piece so far that another one followed */
    size_t last_bytes;     /* of the last piece, without start code and header */
    int64_t ended_pts;     /* of the unit that was taken for whole */
    bool ended_early;      /* the last unit was, and nothing has come since */
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
