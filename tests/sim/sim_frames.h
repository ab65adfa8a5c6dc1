/* How a browser makes frames of packets: a frame is complete when all its packets are there, and
 * decodable when it is a key frame or follows the one shown last. It is shown at once: no jitter
 * buffer, as with a playout delay of 0. */
#ifndef OW_TESTS_SIM_FRAMES_H
#define OW_TESTS_SIM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_FRAMES_PACKETS = 4096, SIM_FRAMES_KEYS = 8 };

struct sim_frames_packet {
    int64_t number; /* unwrapped sequence number */
    uint32_t timestamp;
    bool filled, marker;
    bool key_start; /* the first packet of a key frame */
    bool empty;     /* padding: no part of a frame */
    size_t bytes;
};

struct sim_frames {
    struct sim_frames_packet packets[SIM_FRAMES_PACKETS];
    int64_t next;                  /* the frame after the last shown one begins here */
    bool awaiting_key;             /* only a key frame can be shown */
    int64_t keys[SIM_FRAMES_KEYS]; /* where the latest key frames begin */
    int key_count;
};

struct sim_shown {
    uint32_t timestamp;
    size_t bytes;
    bool key;
};

void sim_frames_init(struct sim_frames *frames);
/* False when it is there already or its frame has gone. */
bool sim_frames_put(struct sim_frames *frames, const struct sim_frames_packet *packet);
/* The next frame that can be shown, in order; to be called until false. */
bool sim_frames_next(struct sim_frames *frames, struct sim_shown *out);

#endif
