#include "sim_frames.h"

#include <string.h>

void sim_frames_init(struct sim_frames *frames)
{
    memset(frames, 0, sizeof(*frames));
    frames->awaiting_key = true;
}

static struct sim_frames_packet *slot(struct sim_frames *frames, int64_t number)
{
    return &frames->packets[(uint64_t)number % SIM_FRAMES_PACKETS];
}

static const struct sim_frames_packet *find(struct sim_frames *frames, int64_t number)
{
    const struct sim_frames_packet *packet = slot(frames, number);
    return packet->filled && packet->number == number ? packet : NULL;
}

bool sim_frames_put(struct sim_frames *frames, const struct sim_frames_packet *packet)
{
    if (!frames->awaiting_key && packet->number < frames->next)
        return false;
    if (find(frames, packet->number) != NULL)
        return false;
    *slot(frames, packet->number) = *packet;
    slot(frames, packet->number)->filled = true;
    if (packet->key_start)
        frames->keys[frames->key_count++ % SIM_FRAMES_KEYS] = packet->number;
    return true;
}

/* Takes the frame that begins at `begin` if all of it is there. */
static bool take(struct sim_frames *frames, int64_t begin, struct sim_shown *out)
{
    const struct sim_frames_packet *first = find(frames, begin), *packet = first;
    size_t bytes = 0;
    int64_t number = begin;
    for (; packet != NULL; packet = find(frames, ++number)) {
        if (packet->empty)
            continue;
        if (packet->timestamp != first->timestamp)
            return false;
        bytes += packet->bytes;
        if (packet->marker)
            break;
    }
    if (packet == NULL)
        return false;
    *out =
        (struct sim_shown){.timestamp = first->timestamp, .bytes = bytes, .key = first->key_start};
    frames->next = number + 1;
    frames->awaiting_key = false;
    return true;
}

bool sim_frames_next(struct sim_frames *frames, struct sim_shown *out)
{
    if (!frames->awaiting_key) {
        const struct sim_frames_packet *packet;
        while ((packet = find(frames, frames->next)) != NULL && packet->empty)
            frames->next++;
        if (packet != NULL && take(frames, frames->next, out))
            return true;
    }
    /* A key frame that is whole ends the wait for older frames. */
    int kept = frames->key_count < SIM_FRAMES_KEYS ? frames->key_count : SIM_FRAMES_KEYS;
    for (int i = 0; i < kept; i++) {
        int64_t begin = frames->keys[i];
        if ((frames->awaiting_key || begin > frames->next) && take(frames, begin, out))
            return true;
    }
    return false;
}
