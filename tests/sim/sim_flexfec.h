/* The receiver's side of FlexFEC-03, as libwebrtc's: keeps the packets of one stream and their
 * repair packets, and restores what is missing where a repair packet lacks one packet only, as
 * often as that leads further. Written from the draft, without the sender's code. */
#ifndef OW_TESTS_SIM_FLEXFEC_H
#define OW_TESTS_SIM_FLEXFEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIM_FLEXFEC_PACKETS = 256, /* of video kept */
    SIM_FLEXFEC_REPAIRS = 48,  /* libwebrtc's kMaxFecPackets */
    SIM_FLEXFEC_BYTES = 1500,
};

struct sim_flexfec_packet {
    bool filled;
    bool restored; /* and not taken yet */
    uint16_t sequence;
    size_t size;
    uint8_t data[SIM_FLEXFEC_BYTES];
};

struct sim_flexfec {
    uint32_t ssrc;                 /* of the protected stream */
    uint8_t mutable_extensions[2]; /* ids of those that are zeroed: 2 or 3 bytes of data */
    struct sim_flexfec_packet packets[SIM_FLEXFEC_PACKETS];
    struct sim_flexfec_packet repairs[SIM_FLEXFEC_REPAIRS]; /* payloads */
    int next_repair;
    bool started;
    uint16_t newest; /* sequence number of a protected packet */
    uint64_t received, malformed, restored;
};

void sim_flexfec_init(struct sim_flexfec *fec, uint32_t ssrc, uint8_t transport_cc,
                      uint8_t send_time);
/* A packet of the protected stream as it came. */
void sim_flexfec_video(struct sim_flexfec *fec, const uint8_t *packet, size_t size);
/* The payload of a repair packet. */
void sim_flexfec_repair(struct sim_flexfec *fec, const uint8_t *payload, size_t size);
/* The next packet that was restored, lent until the next call; NULL when there is none. */
const struct sim_flexfec_packet *sim_flexfec_take(struct sim_flexfec *fec);

#endif
