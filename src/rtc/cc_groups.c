#include "rtc/cc_groups.h"

#include <string.h>

enum {
    GROUP_US = 5000,
    MAX_BURST_US = 100000,
    CLOCK_JUMP_US = 3000000,
    MAX_REORDERED = 3,
    /* A release after a stall: each packet that waited this much less than the one before it. */
    RELEASE_STEP_US = 5000,
    MAX_EXPLAINED_US = 80000,
    MAX_QUEUE_US = 10000000,
};

void cc_groups_init(struct cc_groups *groups)
{
    memset(groups, 0, sizeof(*groups));
    groups->base_us = INT64_MAX;
    for (int i = 0; i < CC_BASE_SLOTS; i++)
        groups->base_slots[i] = INT64_MAX;
}

const struct cc_group *cc_groups_at(const struct cc_groups *groups, uint32_t back)
{
    if (back == 0)
        return groups->open.packets > 0 ? &groups->open : NULL;
    if (back > CC_GROUPS || back > groups->closed)
        return NULL;
    return &groups->history[(groups->closed - back) % CC_GROUPS];
}

int32_t cc_group_waited_us(const struct cc_group *group)
{
    int32_t own = group->own_us < MAX_EXPLAINED_US ? group->own_us : MAX_EXPLAINED_US;
    return group->queue_us > own ? group->queue_us - own : 0;
}

/* The least of the last slots: a clock that drifts, or a path that became longer, is forgiven after
 * ten seconds. */
static void learn_base(struct cc_groups *groups, int64_t send_us, int64_t delay_us)
{
    int64_t slot = send_us / CC_BASE_SLOT_US;
    if (slot > groups->base_slot) {
        int64_t from = slot - CC_BASE_SLOTS + 1;
        from = from > groups->base_slot + 1 ? from : groups->base_slot + 1;
        for (int64_t i = from; i <= slot; i++)
            groups->base_slots[i % CC_BASE_SLOTS] = INT64_MAX;
        groups->base_slot = slot;
    }
    int64_t *newest = &groups->base_slots[groups->base_slot % CC_BASE_SLOTS];
    if (delay_us < *newest)
        *newest = delay_us;
    groups->base_us = INT64_MAX;
    for (int i = 0; i < CC_BASE_SLOTS; i++)
        if (groups->base_slots[i] < groups->base_us)
            groups->base_us = groups->base_slots[i];
}

static int32_t above_base(const struct cc_groups *groups, int64_t delay_us)
{
    int64_t queue_us = delay_us - groups->base_us;
    return (int32_t)(queue_us < MAX_QUEUE_US ? queue_us : MAX_QUEUE_US);
}

static bool belongs_to_open(const struct cc_groups *groups, const struct cc_result *packet,
                            int64_t delay_us)
{
    const struct cc_group *open = &groups->open;
    if (packet->send_us - groups->open_send_us <= GROUP_US)
        return true;
    return packet->arrival_us - open->last_arrival_us <= GROUP_US &&
           packet->arrival_us - open->first_arrival_us < MAX_BURST_US &&
           delay_us < groups->open_delay_us - RELEASE_STEP_US;
}

static void begin_group(struct cc_groups *groups, const struct cc_result *packet, int64_t delay_us)
{
    groups->open = (struct cc_group){.send_us = packet->send_us,
                                     .first_arrival_us = packet->arrival_us,
                                     .last_arrival_us = packet->arrival_us,
                                     .own_us = packet->own_ms * 1000};
    groups->open_send_us = packet->send_us;
    groups->open_delay_us = delay_us;
}

static void join_group(struct cc_groups *groups, const struct cc_result *packet, int64_t delay_us)
{
    struct cc_group *open = &groups->open;
    open->bytes += packet->bytes;
    open->packets++;
    open->probe |= packet->probe != 0;
    if (packet->arrival_us > open->last_arrival_us)
        open->last_arrival_us = packet->arrival_us;
    if (delay_us < groups->open_delay_us) {
        groups->open_delay_us = delay_us;
        open->send_us = packet->send_us;
        open->own_us = packet->own_ms * 1000;
    }
    open->queue_us = above_base(groups, groups->open_delay_us);
}

/* False when a clock jumped, or groups keep going backwards: then what was learned is void. */
static bool is_plausible(struct cc_groups *groups, const struct cc_result *packet, int64_t delay_us)
{
    int64_t change = delay_us - (groups->base_us + groups->last_queue_us);
    if (change > CLOCK_JUMP_US || change < -CLOCK_JUMP_US)
        return false;
    if (packet->arrival_us >= groups->open.first_arrival_us)
        groups->reordered = 0;
    else if (packet->send_us - groups->open_send_us > GROUP_US)
        groups->reordered++;
    return groups->reordered <= MAX_REORDERED;
}

bool cc_groups_add(struct cc_groups *groups, const struct cc_result *packet)
{
    int64_t delay_us = packet->arrival_us - packet->send_us;
    bool closed = false;
    if (groups->open.packets > 0 && !is_plausible(groups, packet, delay_us))
        cc_groups_init(groups);
    learn_base(groups, packet->send_us, delay_us);
    if (groups->open.packets > 0)
        groups->open.bytes += packet->unreported_bytes; /* most of it arrived since */
    if (groups->open.packets > 0 && packet->send_us < groups->open_send_us) {
        groups->open.bytes += packet->bytes; /* late: it counts, but tells no delay */
        return false;
    }
    if (groups->open.packets > 0 && !belongs_to_open(groups, packet, delay_us)) {
        groups->history[groups->closed++ % CC_GROUPS] = groups->open;
        groups->open.packets = 0;
        closed = true;
    }
    if (groups->open.packets == 0)
        begin_group(groups, packet, delay_us);
    join_group(groups, packet, delay_us);
    groups->last_send_us = packet->send_us;
    groups->last_queue_us = above_base(groups, delay_us);
    return closed;
}
