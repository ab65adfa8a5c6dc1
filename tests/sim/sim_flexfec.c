#include "sim_flexfec.h"

#include <string.h>

enum { FIXED = 12, HEADER = 20, TRACKED = 192 }; /* libwebrtc's kMaxTrackedMediaPackets */

static unsigned read16(const uint8_t *from)
{
    return (unsigned)(from[0] << 8 | from[1]);
}

void sim_flexfec_init(struct sim_flexfec *fec, uint32_t ssrc, uint8_t transport_cc,
                      uint8_t send_time)
{
    memset(fec, 0, sizeof(*fec));
    fec->ssrc = ssrc;
    fec->mutable_extensions[0] = transport_cc;
    fec->mutable_extensions[1] = send_time;
}

/* Receivers and senders agree on zeros for what changes while a packet waits to be sent. */
static void zero_mutable(const struct sim_flexfec *fec, uint8_t *data, size_t size)
{
    if ((data[0] & 0x10) == 0 || size < FIXED + 4)
        return;
    size_t at = FIXED + 4, end = at + read16(data + FIXED + 2) * 4;
    while (at < end && end <= size) {
        int id = data[at] >> 4;
        size_t length = id == 0 ? 0 : (data[at] & 0xfu) + 1;
        if (id != 0 && (id == fec->mutable_extensions[0] || id == fec->mutable_extensions[1]))
            memset(data + at + 1, 0, length);
        at += 1 + length;
    }
}

static struct sim_flexfec_packet *slot(struct sim_flexfec *fec, uint16_t sequence)
{
    return &fec->packets[sequence % SIM_FLEXFEC_PACKETS];
}

static const struct sim_flexfec_packet *find(struct sim_flexfec *fec, uint16_t sequence)
{
    const struct sim_flexfec_packet *packet = slot(fec, sequence);
    return packet->filled && packet->sequence == sequence ? packet : NULL;
}

/* The one packet of the group that is missing; false when it is none or more. */
static bool missing_one(struct sim_flexfec *fec, const uint8_t *header, uint16_t *out)
{
    uint16_t base = (uint16_t)read16(header + 16);
    unsigned mask = read16(header + 18);
    int missing = 0;
    for (int i = 0; i < 15; i++) {
        uint16_t sequence = (uint16_t)(base + i);
        if ((mask >> (14 - i) & 1) == 0 || find(fec, sequence) != NULL)
            continue;
        *out = sequence;
        missing++;
    }
    return missing == 1;
}

static void exclude(const struct sim_flexfec_packet *known, uint8_t *data, unsigned *length)
{
    data[0] ^= known->data[0];
    data[1] ^= known->data[1];
    *length ^= (unsigned)(known->size - FIXED);
    for (int i = 4; i < 8; i++)
        data[i] ^= known->data[i];
    for (size_t i = FIXED; i < known->size; i++)
        data[i] ^= known->data[i];
}

static bool restore(struct sim_flexfec *fec, const struct sim_flexfec_packet *repair)
{
    const uint8_t *header = repair->data;
    struct sim_flexfec_packet made = {.filled = true, .restored = true};
    unsigned length = read16(header + 2);
    uint16_t base = (uint16_t)read16(header + 16);
    if ((uint16_t)(fec->newest - base) > TRACKED && (uint16_t)(base - fec->newest) > TRACKED)
        return false; /* its packets have been forgotten */
    if (!missing_one(fec, header, &made.sequence))
        return false;
    memcpy(made.data, header, 2);
    memcpy(made.data + 4, header + 4, 4);
    memcpy(made.data + FIXED, header + HEADER, repair->size - HEADER);
    for (int i = 0; i < 15; i++) {
        uint16_t sequence = (uint16_t)(base + i);
        if ((read16(header + 18) >> (14 - i) & 1) != 0 && sequence != made.sequence)
            exclude(find(fec, sequence), made.data, &length);
    }
    if (FIXED + length > SIM_FLEXFEC_BYTES) {
        fec->malformed++;
        return false;
    }
    made.size = FIXED + length;
    made.data[0] = (uint8_t)((made.data[0] & 0x3f) | 0x80);
    made.data[2] = (uint8_t)(made.sequence >> 8);
    made.data[3] = (uint8_t)made.sequence;
    memcpy(made.data + 8, header + 12, 4);
    *slot(fec, made.sequence) = made;
    fec->restored++;
    return true;
}

static void restore_all(struct sim_flexfec *fec)
{
    bool further = true;
    while (further) {
        further = false;
        for (int i = 0; i < SIM_FLEXFEC_REPAIRS; i++)
            if (fec->repairs[i].filled)
                further |= restore(fec, &fec->repairs[i]);
    }
}

void sim_flexfec_video(struct sim_flexfec *fec, const uint8_t *packet, size_t size)
{
    if (size < FIXED || size > SIM_FLEXFEC_BYTES)
        return;
    uint16_t sequence = (uint16_t)read16(packet + 2);
    if (find(fec, sequence) != NULL)
        return;
    if (!fec->started || (int16_t)(sequence - fec->newest) > 0)
        fec->newest = sequence;
    fec->started = true;
    struct sim_flexfec_packet *kept = slot(fec, sequence);
    *kept = (struct sim_flexfec_packet){.filled = true, .sequence = sequence, .size = size};
    memcpy(kept->data, packet, size);
    zero_mutable(fec, kept->data, size);
    restore_all(fec);
}

static bool is_ours(const struct sim_flexfec *fec, const uint8_t *payload, size_t size)
{
    static const uint8_t reserved[3];
    return size >= HEADER && size - HEADER <= SIM_FLEXFEC_BYTES - FIXED &&
           (payload[0] & 0xc0) == 0 && payload[8] == 1 && memcmp(payload + 9, reserved, 3) == 0 &&
           (payload[18] & 0x80) != 0 &&
           (uint32_t)(read16(payload + 12) << 16 | read16(payload + 14)) == fec->ssrc;
}

void sim_flexfec_repair(struct sim_flexfec *fec, const uint8_t *payload, size_t size)
{
    fec->received++;
    if (!is_ours(fec, payload, size) || size > SIM_FLEXFEC_BYTES) {
        fec->malformed++;
        return;
    }
    struct sim_flexfec_packet *kept = &fec->repairs[fec->next_repair];
    fec->next_repair = (fec->next_repair + 1) % SIM_FLEXFEC_REPAIRS;
    *kept = (struct sim_flexfec_packet){.filled = true, .size = size};
    memcpy(kept->data, payload, size);
    restore_all(fec);
}

const struct sim_flexfec_packet *sim_flexfec_take(struct sim_flexfec *fec)
{
    for (int i = 0; i < SIM_FLEXFEC_PACKETS; i++)
        if (fec->packets[i].restored) {
            fec->packets[i].restored = false;
            return &fec->packets[i];
        }
    return NULL;
}
