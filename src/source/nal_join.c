#include "source/nal_join.h"

#include <stdlib.h>
#include <string.h>

enum {
    START_CODE_BYTES = 4,
    HEADER_BYTES = START_CODE_BYTES + 1, /* what a first piece has more than the others */
    LEARNING_UNITS = 6,                  /* parameter sets and the first pictures */
    SMALL_PIECE_BYTES = 1000,            /* no packet is full with this, as far as is known */
};

static bool begins_unit(const uint8_t *bytes, size_t size)
{
    static const uint8_t start_code[START_CODE_BYTES] = {0, 0, 0, 1};
    return size > START_CODE_BYTES && memcmp(bytes, start_code, START_CODE_BYTES) == 0;
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

/* The open unit becomes the ready one, and its memory the other way round. */
static void finish(struct nal_join *join)
{
    struct nal_unit unit = join->open;
    join->open = join->ready;
    join->open.size = 0;
    join->ready = unit;
    if (join->units < LEARNING_UNITS)
        join->units++;
}

bool nal_join_add(struct nal_join *join, const uint8_t *bytes, size_t size, int64_t pts)
{
    bool begins = begins_unit(bytes, size), ended = false;
    if (begins && join->open.size > 0) {
        finish(join);
        ended = true;
    }
    if (!begins) {
        if (join->ended_early && pts == join->ended_pts)
            join->distrust = true;
        if (join->open.size > 0 && join->last_bytes > join->full_bytes)
            join->full_bytes = join->last_bytes; /* what goes on was in a full packet */
    }
    join->ended_early = false;
    /* A piece without its beginning, which was lost or taken for whole, is of no use. */
    if ((begins || join->open.size > 0) && !append(&join->open, bytes, size))
        join->open.size = 0;
    if (begins)
        join->open.pts = pts;
    join->last_bytes = begins && size >= HEADER_BYTES ? size - HEADER_BYTES : size;
    return ended;
}

bool nal_join_ends(struct nal_join *join)
{
    size_t full = join->full_bytes > 0 ? join->full_bytes : SMALL_PIECE_BYTES;
    if (join->distrust || join->units < LEARNING_UNITS || join->open.size == 0 ||
        join->last_bytes >= full)
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
    join->open.size = 0;
    join->ended_early = false;
}

void nal_join_free(struct nal_join *join)
{
    free(join->open.bytes);
    free(join->ready.bytes);
    memset(join, 0, sizeof *join);
}
