/* The data channel of a viewer of the swarm: opened and told what is wanted as the player's page
 * does it (docs/api.md, "The record"); what comes is counted. */
#ifndef OW_BENCH_SWARM_CHANNEL_H
#define OW_BENCH_SWARM_CHANNEL_H

#include "rtc/sctp_link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct swarm_channel {
    struct sctp_link *link; /* NULL = it wants none */
    bool opened;
    uint64_t records, bytes;
};

bool swarm_channel_begin(struct swarm_channel *channel, int64_t now_us);
/* What DTLS had in it. */
void swarm_channel_receive(struct swarm_channel *channel, int64_t now_us, const uint8_t *packet,
                           size_t size);
/* Opens the channel once there is a connection. `per_10s` as in struct record_wish. */
void swarm_channel_tick(struct swarm_channel *channel, int64_t now_us, int per_10s);
void swarm_channel_end(struct swarm_channel *channel);

#endif
