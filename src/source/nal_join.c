#include "source/nal_join.h"

#include <stdlib.h>
#include <string.h>

enum {
    START_CODE_BYTES = 4,
    LEARNING_UNITS = 6,       /* parameter sets and the first pictures */
    SMALL_PIECE_BYTES = 1000, /* no packet is full with this, as far as is known */
};

#define TYPE(type) (UINT64_C(1) << (type))
#define TYPES(first, last) ((TYPE((last) - (first) + 1) - 1) << (first))

/* ITU-T H.264 table 7-1; H.265 table 7-1 and section 7.4.2.4.4. */
static const struct nal_codec codecs[] = {
    {.id = AV_CODEC_ID_H264,
     .header_bytes = 1,
     .type_mask = 0x1f,
     .afresh = TYPE(5) | TYPE(7)}, /* IDR slices, and the parameter sets in front of them */
    {.id = AV_CODEC_ID_HEVC,
     .header_bytes = 2,
     .type_shift = 1,
     .type_mask = 0x3f,
     .by_picture = true,
     .slices = TYPES(0, 31),
     .ahead = TYPES(32, 35) | TYPE(39) | TYPES(41, 44) | TYPES(48, 55),
     .afresh = TYPES(16, 21) | TYPES(32, 33)}, /* the same */
};

const struct nal_codec *nal_codec_find(enum AVCodecID id)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
        if (codecs[i].id == id)
            return &codecs[i];
    return NULL;
}

/* Where the header of the next NAL unit behind a start code is, from `at` on; `size`: none. */
static size_t find_nal(const uint8_t *bytes, size_t size, size_t at)
{
    for (; at + 3 < size; at++)
        if (bytes[at] == 0 && bytes[at + 1] == 0 && bytes[at + 2] == 1)
            return at + 3;
    return size;
}

static bool is_one_of(const struct nal_codec *codec, uint64_t types, uint8_t header)
{
    return types >> (header >> codec->type_shift & codec->type_mask) & 1;
}

bool nal_codec_afresh(const struct nal_codec *codec, const uint8_t *bytes, size_t size)
{
    for (size_t at = find_nal(bytes, size, 0); at < size; at = find_nal(bytes, size, at))
        if (is_one_of(codec, codec->afresh, bytes[at]))
            return true;
    return false;
}

/* What a piece brings. */
struct glance {
    bool nal;   /* has a start code */
    bool first; /* begins a unit, unless what begins that unit is open already */
    unsigned slices;
};

/* A picture's first slice says so in its first bit, first_slice_segment_in_pic_flag. NAL units that
 * share a packet are of one picture (RFC 7798 section 4.4.2). */
static struct glance look_at(const struct nal_codec *codec, const uint8_t *bytes, size_t size)
{
    static const uint8_t start_code[START_CODE_BYTES] = {0, 0, 0, 1};
    if (size <= START_CODE_BYTES || memcmp(bytes, start_code, START_CODE_BYTES) != 0)
        return (struct glance){0};
    if (!codec->by_picture)
        return (struct glance){.nal = true, .first = true, .slices = 1};
    struct glance seen = {.nal = true, .first = is_one_of(codec, codec->ahead, bytes[4])};
    for (size_t at = START_CODE_BYTES; at < size; at = find_nal(bytes, size, at)) {
        size_t data = at + codec->header_bytes;
        if (!is_one_of(codec, codec->slices, bytes[at]))
            continue;
        if (data < size && bytes[data] & 0x80)
            seen.first = true;
        seen.slices++;
    }
    return seen;
}

static bool append(struct nal_unit *unit, const uint8_t *bytes, size_t size)
{
    if (size > NAL_UNIT_BYTES_MAX - unit->size)
        return false;
    if (unit->size + size > unit->room) {
        size_t room = 2 * (unit->size + size);
        uint8_t *grown = realloc(unit->bytes, room);
        if (!grown)
            return false;
        unit->bytes = grown;
        unit->room = room;
    }
    memcpy(unit->bytes + unit->size, bytes, size);
    unit->size += size;
    return true;
}

static void forget(struct nal_unit *unit)
{
    unit->size = 0;
    unit->slices = 0;
}

/* The open unit becomes the ready one, and its memory the other way round. */
static void finish(struct nal_join *join)
{
    struct nal_unit unit = join->open;
    join->open = join->ready;
    forget(&join->open);
    join->ready = unit;
    if (unit.slices > join->usual_slices)
        join->usual_slices = unit.slices;
    if (join->units < LEARNING_UNITS)
        join->units++;
}

/* What a piece tells of the ones before it. */
static void learn(struct nal_join *join, const struct glance *seen, int64_t pts)
{
    bool more_nal = !seen->nal;                                 /* of the NAL unit before */
    bool more = more_nal || (!seen->first && seen->slices > 0); /* of the unit before */
    if (more && join->ended_early && pts == join->ended_pts)
        join->distrust = true;
    if (more_nal && join->open.size > 0 && join->last_bytes > join->full_bytes)
        join->full_bytes = join->last_bytes; /* what goes on was in a full packet */
}

bool nal_join_add(struct nal_join *join, const uint8_t *bytes, size_t size, int64_t pts)
{
    struct nal_unit *open = &join->open;
    struct glance seen = look_at(join->codec, bytes, size);
    bool ended = seen.first && open->slices > 0;
    if (ended)
        finish(join);
    learn(join, &seen, pts);
    if (seen.first || !seen.nal)
        join->ended_early = false;
    if (seen.nal && open->slices == 0)
        open->pts = pts;
    /* What belongs to a unit whose beginning was lost, or that was taken for whole, is of no use.
     */
    bool useless = seen.nal ? !seen.first && open->slices == 0 : open->size == 0;
    if (useless || !append(open, bytes, size))
        forget(open);
    else
        open->slices += seen.slices;
    size_t head = START_CODE_BYTES + join->codec->header_bytes;
    join->last_bytes = seen.nal && size >= head ? size - head : size;
    return ended;
}

bool nal_join_ends(struct nal_join *join)
{
    size_t full = join->full_bytes > 0 ? join->full_bytes : SMALL_PIECE_BYTES;
    if (join->distrust || join->units < LEARNING_UNITS || join->open.slices == 0 ||
        join->open.slices < join->usual_slices || join->last_bytes >= full)
        return false;
    join->ended_early = true;
    join->ended_pts = join->open.pts;
    finish(join);
    return true;
}

const struct nal_unit *nal_join_take(const struct nal_join *join)
{
    return &join->ready;
}

void nal_join_reset(struct nal_join *join)
{
    forget(&join->open);
    join->ended_early = false;
}

void nal_join_free(struct nal_join *join)
{
    free(join->open.bytes);
    free(join->ready.bytes);
    *join = (struct nal_join){.codec = join->codec};
}
