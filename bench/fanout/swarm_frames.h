/* Which packet of one viewer is which of another. Every viewer has a sequence of RTP timestamps of
 * its own, so a frame that all of them get is recognised by what is in it: the first viewer reads
 * all of its packets and notes them here, the others look theirs up. */
#ifndef OW_BENCH_SWARM_FRAMES_H
#define OW_BENCH_SWARM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SWARM_FRAMES_ROOM = 1024,  /* packets: some seconds */
    SWARM_TELLING_BYTES = 400, /* smaller ones (parameter sets, skipped pictures) come again */
};

struct swarm_frames {
    int next;
    struct {
        uint64_t hash;
        uint32_t timestamp;
    } noted[SWARM_FRAMES_ROOM];
};

/* Of the payload of a decrypted RTP packet. 0 = none, or too small to be told from others. */
uint64_t swarm_frames_hash(const uint8_t *packet, size_t size);
void swarm_frames_note(struct swarm_frames *frames, uint64_t hash, uint32_t timestamp);
bool swarm_frames_find(const struct swarm_frames *frames, uint64_t hash, uint32_t *timestamp);

#endif
