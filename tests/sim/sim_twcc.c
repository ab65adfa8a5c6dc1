#include "sim_twcc.h"

#include "rtc/rtp_header.h"

#include <string.h>

enum {
    HEADER_BYTES = 20,
    MAX_STATUSES = 400, /* of one packet: with two bytes each and their chunks they fit */
    VECTOR_1_STATUSES = 14,
    VECTOR_2_STATUSES = 7,
    TYPE_TRANSPORT_FEEDBACK = 205,
    FORMAT_TRANSPORT_WIDE = 15,
};

enum symbol { MISSING, SMALL, LARGE };

int64_t sim_unwrap(int64_t near, uint16_t number)
{
    return near + (int16_t)(uint16_t)(number - (uint16_t)near);
}

static int64_t *arrival(struct sim_twcc *twcc, int64_t number)
{
    return &twcc->arrivals_us[(uint64_t)number % SIM_TWCC_PACKETS];
}

void sim_twcc_arrived(struct sim_twcc *twcc, int64_t now_us, uint16_t sequence)
{
    int64_t number =
        twcc->started ? sim_unwrap(twcc->end - 1, sequence) : (int64_t)sequence + 65536;
    if (!twcc->started) {
        twcc->begin = twcc->end = twcc->window = number;
        twcc->started = true;
    }
    if (number < twcc->begin || number - twcc->begin >= SIM_TWCC_PACKETS)
        return;
    for (; twcc->end <= number; twcc->end++)
        *arrival(twcc, twcc->end) = 0;
    if (*arrival(twcc, number) != 0)
        return; /* a duplicate */
    *arrival(twcc, number) = now_us;
    if (number < twcc->window)
        twcc->window = number;
    while (twcc->begin < twcc->window && *arrival(twcc, twcc->begin) < now_us - SIM_TWCC_BACK_US)
        twcc->begin++;
}

/* ---- writing ---- */

struct statuses {
    uint8_t symbols[MAX_STATUSES];
    int16_t deltas[MAX_STATUSES];
    int count;
    int64_t reference_64ms;
};

/* Collects statuses from the window on until one does not fit: too many, or a delta too large. */
static void collect(struct sim_twcc *twcc, struct statuses *out)
{
    out->count = 0;
    int64_t previous_250us = 0;
    bool first = true;
    for (int64_t number = twcc->window; number < twcc->end && out->count < MAX_STATUSES; number++) {
        int64_t arrival_us = *arrival(twcc, number);
        enum symbol symbol = MISSING;
        int64_t delta = 0;
        if (arrival_us != 0) {
            if (first) {
                out->reference_64ms = arrival_us / 64000;
                previous_250us = out->reference_64ms * 256;
                first = false;
            }
            delta = arrival_us / 250 - previous_250us;
            if (delta < INT16_MIN || delta > INT16_MAX)
                return;
            symbol = delta >= 0 && delta <= 255 ? SMALL : LARGE;
            previous_250us += delta;
        }
        out->symbols[out->count] = (uint8_t)symbol;
        out->deltas[out->count++] = (int16_t)delta;
    }
}

/* One chunk that begins at `at`; returns how many statuses it holds. */
static int write_chunk(const struct statuses *statuses, int at, uint8_t *out)
{
    const uint8_t *symbols = statuses->symbols;
    int run = at, small = at, left = statuses->count - at;
    while (run < statuses->count && symbols[run] == symbols[at])
        run++;
    while (small < statuses->count && symbols[small] != LARGE)
        small++;
    if (run - at >= VECTOR_1_STATUSES || (run - at >= VECTOR_2_STATUSES && symbols[at] == LARGE) ||
        run == statuses->count) {
        write_u16(out, (uint16_t)(symbols[at] << 13 | (run - at)));
        return run - at;
    }
    bool one_bit = small - at >= VECTOR_1_STATUSES || small == statuses->count;
    int capacity = one_bit ? VECTOR_1_STATUSES : VECTOR_2_STATUSES;
    uint16_t chunk = one_bit ? 0x8000 : 0xc000;
    for (int i = 0; i < capacity && i < left; i++)
        chunk = (uint16_t)(chunk | symbols[at + i] << (one_bit ? 13 - i : 12 - 2 * i));
    write_u16(out, chunk);
    return capacity < left ? capacity : left;
}

static size_t write_deltas(const struct statuses *statuses, uint8_t *out)
{
    size_t size = 0;
    for (int i = 0; i < statuses->count; i++) {
        if (statuses->symbols[i] == SMALL)
            out[size++] = (uint8_t)statuses->deltas[i];
        if (statuses->symbols[i] != LARGE)
            continue;
        write_u16(out + size, (uint16_t)statuses->deltas[i]);
        size += 2;
    }
    return size;
}

size_t sim_twcc_write(struct sim_twcc *twcc, uint8_t *out, uint32_t sender_ssrc,
                      uint32_t media_ssrc)
{
    struct statuses statuses;
    if (!twcc->started || twcc->window >= twcc->end)
        return 0;
    collect(twcc, &statuses);
    size_t size = HEADER_BYTES;
    for (int at = 0; at < statuses.count; size += 2)
        at += write_chunk(&statuses, at, out + size);
    size += write_deltas(&statuses, out + size);
    while (size % 4 != 0)
        out[size++] = 0;
    out[0] = 0x80 | FORMAT_TRANSPORT_WIDE;
    out[1] = TYPE_TRANSPORT_FEEDBACK;
    write_u16(out + 2, (uint16_t)(size / 4 - 1));
    write_u32(out + 4, sender_ssrc);
    write_u32(out + 8, media_ssrc);
    write_u16(out + 12, (uint16_t)twcc->window);
    write_u16(out + 14, (uint16_t)statuses.count);
    write_u32(out + 16, (uint32_t)statuses.reference_64ms << 8 | twcc->feedback_count++);
    twcc->window += statuses.count;
    return size;
}
