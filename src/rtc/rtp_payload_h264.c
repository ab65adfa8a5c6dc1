#include "rtc/rtp_payload.h"

#include "core/error.h"

#include <stdlib.h>
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
    SMALLEST_PAYLOAD = 64,
    LARGEST_PAYLOAD = 0xffff,
    MAX_PAYLOADS = 0x4000, /* a frame must not wrap the sequence numbers around */
};

struct nal {
    const uint8_t *data;
    size_t size;
};

/* What one pass over the access unit yields; with `frame` NULL it only counts. */
struct cutter {
    size_t max_payload;
    struct rtp_frame *frame;
    uint8_t *end; /* where the next payload is written */
    size_t bytes;
    int count;
    struct nal aggregate[MAX_AGGREGATED]; /* parameter sets waiting for their STAP-A */
    int aggregated;
    size_t aggregate_bytes;
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

/* Accounts for a payload of `size` bytes and returns where its bytes go, NULL while counting. */
static uint8_t *add_payload(struct cutter *cutter, size_t size)
{
    uint8_t *data = NULL;
    if (cutter->frame != NULL) {
        data = cutter->end;
        cutter->end += size;
        cutter->frame->payloads[cutter->count] =
            (struct rtp_payload){.size = (uint16_t)size, .data = data};
    }
    cutter->count++;
    cutter->bytes += size;
    return data;
}

/* FU-A (RFC 6184 section 5.8). All fragments have the same size but for the last, which may be
 * smaller: equal datagrams can be handed to the kernel in one piece. */
static void add_fragments(struct cutter *cutter, struct nal nal)
{
    size_t left = nal.size - 1, most = cutter->max_payload - FU_HEADER_BYTES;
    size_t fragments = (left + most - 1) / most;
    size_t each = (left + fragments - 1) / fragments;
    const uint8_t *from = nal.data + 1;
    uint8_t flag = FU_START;
    while (left > 0) {
        size_t size = left < each ? left : each;
        left -= size;
        uint8_t *to = add_payload(cutter, size + FU_HEADER_BYTES);
        if (to != NULL) {
            to[0] = (uint8_t)((nal.data[0] & 0xe0) | NAL_FU_A);
            to[1] = (uint8_t)((nal.data[0] & 0x1f) | flag | (left == 0 ? FU_END : 0));
            memcpy(to + FU_HEADER_BYTES, from, size);
        }
        from += size;
        flag = 0;
    }
}

static void add_single(struct cutter *cutter, struct nal nal)
{
    if (nal.size > cutter->max_payload) {
        add_fragments(cutter, nal);
        return;
    }
    uint8_t *to = add_payload(cutter, nal.size);
    if (to != NULL)
        memcpy(to, nal.data, nal.size);
}

/* Writes the waiting parameter sets: one alone as it is, several as a STAP-A (section 5.7.1). */
static void flush_aggregate(struct cutter *cutter)
{
    if (cutter->aggregated == 1) {
        add_single(cutter, cutter->aggregate[0]);
    } else if (cutter->aggregated > 1) {
        uint8_t *to = add_payload(cutter, cutter->aggregate_bytes);
        uint8_t importance = 0; /* the NRI of a STAP-A is the highest of its units' */
        for (int i = 0; to != NULL && i < cutter->aggregated; i++) {
            uint8_t nri = cutter->aggregate[i].data[0] & 0x60;
            importance = nri > importance ? nri : importance;
        }
        if (to != NULL)
            *to++ = (uint8_t)(importance | NAL_STAP_A);
        for (int i = 0; to != NULL && i < cutter->aggregated; i++) {
            const struct nal *nal = &cutter->aggregate[i];
            *to++ = (uint8_t)(nal->size >> 8);
            *to++ = (uint8_t)nal->size;
            memcpy(to, nal->data, nal->size);
            to += nal->size;
        }
    }
    cutter->aggregated = 0;
    cutter->aggregate_bytes = 1;
}

static void add_nal(struct cutter *cutter, struct nal nal)
{
    int type = nal.data[0] & 0x1f;
    if (type == NAL_ACCESS_UNIT_DELIMITER || type == NAL_FILLER)
        return;
    if (type != NAL_SPS && type != NAL_PPS) {
        flush_aggregate(cutter);
        add_single(cutter, nal);
        return;
    }
    size_t more = nal.size + STAP_LENGTH_BYTES;
    if (cutter->aggregated == MAX_AGGREGATED ||
        cutter->aggregate_bytes + more > cutter->max_payload)
        flush_aggregate(cutter);
    cutter->aggregate[cutter->aggregated++] = nal;
    cutter->aggregate_bytes += more;
}

static void cut(struct cutter *cutter, const struct encoded *unit)
{
    const uint8_t *at = unit->data;
    struct nal nal;
    cutter->aggregate_bytes = 1;
    while (next_nal(&at, unit->data + unit->size, &nal))
        add_nal(cutter, nal);
    flush_aggregate(cutter);
}

int rtp_frame_cut(struct rtp_frame **out, const struct encoded *unit, size_t max_payload)
{
    if (max_payload < SMALLEST_PAYLOAD || max_payload > LARGEST_PAYLOAD)
        return OW_EINVAL;
    struct cutter counted = {.max_payload = max_payload};
    cut(&counted, unit);
    if (counted.count == 0)
        return OW_EPARSE;
    if (counted.count > MAX_PAYLOADS)
        return OW_ELIMIT;
    size_t table = (size_t)counted.count * sizeof(struct rtp_payload);
    struct rtp_frame *frame = malloc(sizeof(*frame) + table + counted.bytes);
    if (frame == NULL)
        return OW_ENOMEM;
    atomic_init(&frame->refs, 1);
    frame->codec = unit->codec;
    frame->key = unit->key;
    frame->capture_us = unit->capture_us;
    frame->sequence = unit->sequence;
    frame->bytes = counted.bytes;
    frame->count = counted.count;
    struct cutter written = {
        .max_payload = max_payload, .frame = frame, .end = (uint8_t *)frame->payloads + table};
    cut(&written, unit);
    *out = frame;
    return OW_OK;
}

struct rtp_frame *rtp_frame_ref(struct rtp_frame *frame)
{
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void rtp_frame_unref(struct rtp_frame **frame)
{
    if (*frame != NULL && atomic_fetch_sub_explicit(&(*frame)->refs, 1, memory_order_acq_rel) == 1)
        free(*frame);
    *frame = NULL;
}
