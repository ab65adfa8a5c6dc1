/* Pieces of H.264 and H.265 for nal_join.h. The first byte chooses the codec; each piece then is
 * one byte (low 6 bits: how many bytes of the input; bit 6: a start code in front; bit 7: a new
 * time stamp), one that stretches it (bytes of filling, in units of 8), and the bytes. */
#include "fuzz.h"

#include "source/nal_join.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 4 + 63 + 8 * 255 };

/* What was taken, to be compared with what was given. */
struct tally {
    size_t given, taken;
    int64_t pts; /* the newest */
};

static void take(const struct nal_join *join, struct tally *tally)
{
    static const uint8_t start_code[] = {0, 0, 0, 1};
    const struct nal_unit *unit = nal_join_take(join);
    if (unit->size <= sizeof start_code || unit->size > NAL_UNIT_BYTES_MAX ||
        unit->size > unit->room || unit->slices == 0 || unit->pts > tally->pts ||
        memcmp(unit->bytes, start_code, sizeof start_code) != 0)
        abort();
    if (!join->codec->by_picture && unit->slices != 1)
        abort();
    tally->taken += unit->size;
    if (tally->taken > tally->given) /* nothing comes out twice */
        abort();
    volatile uint8_t last = unit->bytes[unit->size - 1]; /* lent memory can be read */
    (void)last;
}

static void give(struct nal_join *join, const uint8_t *bytes, size_t size, struct tally *tally)
{
    uint8_t *piece = malloc(size > 0 ? size : 1); /* of its own, so that a read past it is seen */
    if (!piece)
        return;
    memcpy(piece, bytes, size);
    tally->given += size;
    (void)nal_codec_afresh(join->codec, piece, size);
    if (nal_join_add(join, piece, size, tally->pts))
        take(join, tally);
    free(piece); /* what was added is a copy */
    if (nal_join_ends(join)) {
        if (join->open.size != 0 || join->distrust)
            abort();
        take(join, tally);
    }
    if (join->open.size > NAL_UNIT_BYTES_MAX || join->open.size > join->open.room)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct nal_join join = {.codec =
                                nal_codec_find(data[0] & 1 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264)};
    struct tally tally = {0};
    for (size_t at = 1; at + 2 <= size;) {
        uint8_t piece[PIECE_MAX] = {0, 0, 0, 1};
        uint8_t kind = data[at];
        size_t filling = (size_t)data[at + 1] * 8, used = kind & 0x40 ? 4 : 0;
        at += 2;
        size_t own = kind & 0x3f;
        if (own > size - at)
            own = size - at;
        memcpy(piece + used, data + at, own);
        memset(piece + used + own, 0x55, filling);
        at += own;
        tally.pts += kind >> 7;
        give(&join, piece, used + own + filling, &tally);
        if (own == 0 && filling == 0 && used == 0)
            nal_join_reset(&join);
    }
    nal_join_free(&join);
    return 0;
}
