/* H.264 (RFC 6184, packetization-mode 1): single NAL unit packets, STAP-A for the parameter sets,
 * FU-A in equal-sized fragments. Access unit delimiters and fillers are left out. */
#include "rtc/rtp_cutter.h"

#include <stdbool.h>
#include <string.h>

enum {
    NAL_SPS = 7,
    NAL_PPS = 8,
    NAL_ACCESS_UNIT_DELIMITER = 9,
    NAL_FILLER = 12,
    NAL_STAP_A = 24,
    NAL_FU_A = 28,
    FU_HEADER_BYTES = 2,   /* FU indicator and FU header, RFC 6184 section 5.8 */
    STAP_LENGTH_BYTES = 2, /* before each NAL unit in a STAP-A, section 5.7.1 */
    MAX_AGGREGATED = 16,
    FU_START = 0x80,
    FU_END = 0x40,
};

struct nal {
    const uint8_t *data;
    size_t size;
};

/* Parameter sets waiting for their STAP-A. */
struct aggregate {
    struct nal nal[MAX_AGGREGATED];
    int count;
    size_t bytes;
};

/* The next 00 00 01 at or after `at`, or `end`. */
static const uint8_t *find_start_code(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 3) {
        const uint8_t *one = memchr(at + 2, 1, (size_t)(end - at - 2));
        if (one == NULL)
            return end;
        if (one[-1] == 0 && one[-2] == 0)
            return one - 2;
        at = one - 1;
    }
    return end;
}

/* Takes the next NAL unit of an Annex B stream (ITU-T H.264 B.1) without its start code and its
 * trailing zero bytes. False at the end. */
static bool next_nal(const uint8_t **at, const uint8_t *end, struct nal *nal)
{
    while (*at < end) {
        const uint8_t *code = find_start_code(*at, end);
        if (code == end)
            break;
        const uint8_t *first = code + 3;
        const uint8_t *last = find_start_code(first, end);
        *at = last;
        while (last > first && last[-1] == 0)
            last--;
        if (last == first)
            continue;
        *nal = (struct nal){.data = first, .size = (size_t)(last - first)};
        return true;
    }
    *at = end;
    return false;
}

/* FU-A (RFC 6184 section 5.8). All fragments have the same size but for the last, which may be
 * smaller: equal datagrams can be handed to the kernel in one piece. */
static void add_fragments(struct rtp_cutter *cutter, struct nal nal)
{
    size_t left = nal.size - 1, most = cutter->max_payload - FU_HEADER_BYTES;
    size_t fragments = (left + most - 1) / most;
    size_t each = (left + fragments - 1) / fragments;
    const uint8_t *from = nal.data + 1;
    uint8_t flag = FU_START;
    while (left > 0) {
        size_t size = left < each ? left : each;
        left -= size;
        uint8_t *to = rtp_cutter_add(cutter, size + FU_HEADER_BYTES);
        if (to != NULL) {
            to[0] = (uint8_t)((nal.data[0] & 0xe0) | NAL_FU_A);
            to[1] = (uint8_t)((nal.data[0] & 0x1f) | flag | (left == 0 ? FU_END : 0));
            memcpy(to + FU_HEADER_BYTES, from, size);
        }
        from += size;
        flag = 0;
    }
}

static void add_single(struct rtp_cutter *cutter, struct nal nal)
{
    if (nal.size > cutter->max_payload) {
        add_fragments(cutter, nal);
        return;
    }
    uint8_t *to = rtp_cutter_add(cutter, nal.size);
    if (to != NULL)
        memcpy(to, nal.data, nal.size);
}

/* Writes the waiting parameter sets: one alone as it is, several as a STAP-A (section 5.7.1). */
static void flush_aggregate(struct rtp_cutter *cutter, struct aggregate *waiting)
{
    uint8_t *to = NULL;
    if (waiting->count == 1)
        add_single(cutter, waiting->nal[0]);
    else if (waiting->count > 1)
        to = rtp_cutter_add(cutter, waiting->bytes);
    if (to != NULL) {
        uint8_t importance = 0; /* the NRI of a STAP-A is the highest of its units' */
        for (int i = 0; i < waiting->count; i++) {
            uint8_t nri = waiting->nal[i].data[0] & 0x60;
            importance = nri > importance ? nri : importance;
        }
        *to++ = (uint8_t)(importance | NAL_STAP_A);
        for (int i = 0; i < waiting->count; i++) {
            const struct nal *nal = &waiting->nal[i];
            *to++ = (uint8_t)(nal->size >> 8);
            *to++ = (uint8_t)nal->size;
            memcpy(to, nal->data, nal->size);
            to += nal->size;
        }
    }
    waiting->count = 0;
    waiting->bytes = 1;
}

static void add_nal(struct rtp_cutter *cutter, struct aggregate *waiting, struct nal nal)
{
    int type = nal.data[0] & 0x1f;
    if (type == NAL_ACCESS_UNIT_DELIMITER || type == NAL_FILLER)
        return;
    if (type != NAL_SPS && type != NAL_PPS) {
        flush_aggregate(cutter, waiting);
        add_single(cutter, nal);
        return;
    }
    size_t more = nal.size + STAP_LENGTH_BYTES;
    if (waiting->count == MAX_AGGREGATED || waiting->bytes + more > cutter->max_payload)
        flush_aggregate(cutter, waiting);
    waiting->nal[waiting->count++] = nal;
    waiting->bytes += more;
}

void rtp_cut_h264(struct rtp_cutter *cutter, const uint8_t *data, size_t size)
{
    const uint8_t *at = data;
    struct aggregate waiting = {.count = 0, .bytes = 1};
    struct nal nal;
    while (next_nal(&at, data + size, &nal))
        add_nal(cutter, &waiting, nal);
    flush_aggregate(cutter, &waiting);
}
