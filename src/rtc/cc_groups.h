/* Packet groups of 5 ms (libwebrtc, inter_arrival_delta.cc), how much longer than the least each
 * was on its way, and a short history of them.
 *
 * A group stands for the packet of it that waited least: frames leave as bursts, so the last packet
 * of one says how large the frame was and the first says how long the queue is. */
#ifndef OW_RTC_CC_GROUPS_H
#define OW_RTC_CC_GROUPS_H

#include "rtc/cc_feedback.h"

enum { CC_GROUPS = 128, CC_BASE_SLOTS = 10, CC_BASE_SLOT_US = 1000000 };

struct cc_group {
    int64_t send_us; /* of the packet that waited least */
    int64_t first_arrival_us, last_arrival_us;
    int32_t queue_us; /* how long that packet waited, beyond the base delay */
    int32_t own_us;   /* and how much of it the sender's own burst explains */
    uint32_t bytes;
    uint16_t packets;
    bool probe; /* holds packets of a probe cluster */
};

struct cc_groups {
    struct cc_group history[CC_GROUPS];  /* ring, closed groups */
    uint32_t closed;                     /* ever */
    struct cc_group open;                /* packets == 0: none */
    int64_t open_send_us;                /* of its first packet */
    int64_t open_delay_us;               /* arrival - send of the packet that waited least */
    int64_t base_us;                     /* least arrival - send of the last ten seconds */
    int64_t base_slots[CC_BASE_SLOTS];   /* INT64_MAX = nothing arrived in it */
    int64_t base_slot;                   /* number of the newest */
    int64_t last_send_us, last_queue_us; /* of the newest packet that arrived */
    int reordered;                       /* groups in a row that went backwards */
};

void cc_groups_init(struct cc_groups *groups);
/* True when it closed a group: the newest in the history, cc_groups_at(groups, 1). */
bool cc_groups_add(struct cc_groups *groups, const struct cc_result *packet);
/* The group `back` groups before the open one (0 = the open one); NULL when there is none. */
const struct cc_group *cc_groups_at(const struct cc_groups *groups, uint32_t back);
/* What of a group's wait the sender's own bursts do not explain. */
int32_t cc_group_waited_us(const struct cc_group *group);

#endif
