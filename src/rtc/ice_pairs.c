#include "rtc/ice_agent.h"

#include <string.h>

/* An offer may name any address: none that stands for many hosts, or for no host, is ever sent to.
 */
bool ice_is_usable_remote(const struct address *address)
{
    static const uint8_t unspecified[16];
    if (address->port == 0)
        return false;
    if (address->family == ADDRESS_IPV4)
        return address->ip[0] != 0 && address->ip[0] < 224;
    if (address->family == ADDRESS_IPV6)
        return address->ip[0] != 0xff && memcmp(address->ip, unspecified, 16) != 0;
    return false;
}

/* ---- the table ---- */

struct ice_pair *ice_find_pair(struct ice_agent *agent, const struct address *remote, bool old)
{
    for (int i = 0; i < agent->pair_count; i++)
        if (agent->pairs[i].old == old && address_equal(&agent->pairs[i].remote, remote))
            return &agent->pairs[i];
    return NULL;
}

/* The learned pair that was heard from longest ago: a browser that wanders from network to network
 * leaves such behind. */
static struct ice_pair *find_replaceable(struct ice_agent *agent)
{
    struct ice_pair *oldest = NULL;
    for (int i = 0; i < agent->pair_count; i++) {
        struct ice_pair *pair = &agent->pairs[i];
        if (i == agent->selected || pair->signalled)
            continue;
        if (!oldest || pair->heard_us < oldest->heard_us)
            oldest = pair;
    }
    return oldest;
}

struct ice_pair *ice_add_pair(struct ice_agent *agent, const struct address *remote,
                              uint32_t priority, bool signalled)
{
    struct ice_pair *pair;
    if (agent->pair_count < ICE_MAX_PAIRS)
        pair = &agent->pairs[agent->pair_count++];
    else if (signalled || !(pair = find_replaceable(agent)))
        return NULL;
    *pair = (struct ice_pair){.remote = *remote,
                              .remote_priority = priority,
                              .signalled = signalled,
                              .answered = true,
                              .sent_us = ICE_NEVER_US,
                              .doubted_us = ICE_NEVER_US};
    return pair;
}

void ice_remove_pair(struct ice_agent *agent, int index)
{
    int last = agent->pair_count - 1;
    if (agent->selected == index)
        agent->selected = -1;
    else if (agent->selected == last)
        agent->selected = index;
    if (index != last)
        agent->pairs[index] = agent->pairs[last];
    agent->pair_count--;
}

/* ---- priorities ---- */

/* What our end of each transport is worth as a candidate. */
static uint32_t local_priority(const struct ice_pair *pair)
{
    switch ((enum address_transport)pair->remote.transport) {
    case ADDRESS_TCP:
        return sdp_tcp_priority(0);
    case ADDRESS_RELAY:
        return sdp_relay_priority(0);
    case ADDRESS_UDP:
        break;
    }
    return sdp_host_priority(0);
}

/* RFC 8445 section 6.1.2.3. */
uint64_t ice_pair_priority(const struct ice_agent *agent, const struct ice_pair *pair)
{
    uint64_t local = local_priority(pair), remote = pair->remote_priority;
    uint64_t controlling = agent->role == STUN_ROLE_CONTROLLING ? local : remote;
    uint64_t controlled = agent->role == STUN_ROLE_CONTROLLING ? remote : local;
    uint64_t low = local < remote ? local : remote, high = local < remote ? remote : local;
    return (low << 32) + 2 * high + (controlling > controlled ? 1 : 0);
}

/* What a peer-reflexive candidate learned from the check would have: type preference 110 on UDP;
 * never more than the candidate proper on the others. */
uint32_t ice_check_priority(const struct ice_pair *pair)
{
    uint32_t reflexive = (uint32_t)110 << 24 | 65535 << 8 | 255, local = local_priority(pair);
    return local < reflexive ? local : reflexive;
}

/* ---- candidates ---- */

static int count_signalled(const struct ice_agent *agent, bool direct_only)
{
    int count = 0;
    for (int i = 0; i < agent->pair_count; i++)
        count += agent->pairs[i].signalled &&
                 (!direct_only || agent->pairs[i].remote.transport != ADDRESS_RELAY);
    return count;
}

static int add_signalled(struct ice_agent *agent, const struct address *remote, uint32_t priority)
{
    struct ice_pair *known = ice_find_pair(agent, remote, false);
    if (known) {
        /* Signalled after its check was here: it keeps its state (RFC 8838 section 11). */
        known->remote_priority = priority;
        return OW_OK;
    }
    bool direct = remote->transport != ADDRESS_RELAY;
    if (count_signalled(agent, false) >= ICE_MAX_SIGNALLED ||
        (direct && count_signalled(agent, true) >= ICE_MAX_DIRECT) ||
        !ice_add_pair(agent, remote, priority, true))
        return OW_ELIMIT;
    return OW_OK;
}

/* What has no room is not tried through the relay. */
static void add_relayed(struct ice_agent *agent, const struct address *remote, uint32_t priority)
{
    struct address relayed = *remote;
    relayed.transport = ADDRESS_RELAY;
    if (agent->relay && !agent->lite)
        (void)add_signalled(agent, &relayed, priority);
}

int ice_agent_add_remote_candidate(struct ice_agent *agent, const struct sdp_candidate *candidate)
{
    if (ice_is_over(agent))
        return OW_ESTATE;
    if (!ice_is_usable_remote(&candidate->address) || candidate->address.transport != ADDRESS_UDP)
        return OW_EINVAL; /* nothing is connected from here: a TCP peer comes by itself */
    int err = add_signalled(agent, &candidate->address, candidate->priority);
    if (!err)
        add_relayed(agent, &candidate->address, candidate->priority);
    return err;
}

void ice_agent_set_relay(struct ice_agent *agent, int64_t now_us, bool available)
{
    if (ice_is_over(agent) || agent->relay == available)
        return;
    agent->relay = available;
    agent->now_us = now_us;
    for (int i = agent->pair_count - 1; i >= 0; i--) {
        const struct ice_pair *pair = &agent->pairs[i];
        if (available && pair->signalled && pair->remote.transport == ADDRESS_UDP)
            add_relayed(agent, &pair->remote, pair->remote_priority);
        else if (!available && pair->remote.transport == ADDRESS_RELAY)
            ice_remove_pair(agent, i);
    }
    ice_lost_pairs(agent);
}

void ice_agent_forget(struct ice_agent *agent, int64_t now_us, const struct address *remote)
{
    if (ice_is_over(agent))
        return;
    agent->now_us = now_us;
    for (int i = agent->pair_count - 1; i >= 0; i--) {
        struct ice_pair *pair = &agent->pairs[i];
        if (!address_equal(&pair->remote, remote))
            continue;
        if (!pair->signalled) {
            ice_remove_pair(agent, i);
            continue;
        }
        if (agent->selected == i)
            agent->selected = -1;
        *pair = (struct ice_pair){.remote = *remote,
                                  .remote_priority = pair->remote_priority,
                                  .state = ICE_PAIR_FAILED,
                                  .signalled = true,
                                  .answered = true,
                                  .sent_us = ICE_NEVER_US,
                                  .doubted_us = ICE_NEVER_US};
    }
    ice_lost_pairs(agent);
}
