#include "swarm_frames.h"

#include "rtc/rtp_header.h"

/* FNV-1a of 64 bits. */
static uint64_t hash_bytes(const uint8_t *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 0x100000001b3;
    return hash;
}

uint64_t swarm_frames_hash(const uint8_t *packet, size_t size)
{
    size_t at = RTP_FIXED_BYTES + 4 * (size_t)(packet[0] & 15);
    if ((packet[0] & 0x10) && at + RTP_EXTENSION_HEADER_BYTES <= size)
        at += RTP_EXTENSION_HEADER_BYTES + 4 * (size_t)read_u16(packet + at + 2);
    return at + SWARM_TELLING_BYTES <= size ? hash_bytes(packet + at, size - at) : 0;
}

void swarm_frames_note(struct swarm_frames *frames, uint64_t hash, uint32_t timestamp)
{
    frames->noted[frames->next].hash = hash;
    frames->noted[frames->next].timestamp = timestamp;
    frames->next = (frames->next + 1) % SWARM_FRAMES_ROOM;
}

bool swarm_frames_find(const struct swarm_frames *frames, uint64_t hash, uint32_t *timestamp)
{
    for (int i = 1; i <= SWARM_FRAMES_ROOM; i++) { /* the latest first */
        int at = (frames->next - i + SWARM_FRAMES_ROOM) % SWARM_FRAMES_ROOM;
        if (frames->noted[at].hash != hash)
            continue;
        *timestamp = frames->noted[at].timestamp;
        return true;
    }
    return false;
}
