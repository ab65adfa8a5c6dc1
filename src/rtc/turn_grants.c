#include "rtc/turn_grants.h"

#include <string.h>

/* Longer than the checks of a candidate that does not answer (RFC 8489 section 6.2.1: 39.5 s). */
#define IDLE_US ((int64_t)45000000)

void turn_grants_init(struct turn_grants *grants)
{
    *grants = (struct turn_grants){0};
}

static uint32_t bucket_of(const struct address *peer)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < sizeof peer->ip; i++)
        hash = (hash ^ peer->ip[i]) * 16777619u;
    hash = (hash ^ (peer->port & 0xffu)) * 16777619u;
    hash = (hash ^ (uint32_t)(peer->port >> 8)) * 16777619u;
    return (hash ^ hash >> 16) % TURN_GRANT_BUCKETS;
}

static bool is_for(const struct turn_grant *grant, const struct address *peer)
{
    return grant->peer.port == peer->port && address_same_ip(&grant->peer, peer);
}

struct turn_grant *turn_grants_find(struct turn_grants *grants, const struct address *peer)
{
    for (int i = grants->bucket[bucket_of(peer)] - 1; i >= 0; i = grants->rows[i].next)
        if (is_for(&grants->rows[i], peer))
            return &grants->rows[i];
    return NULL;
}

struct turn_grant *turn_grants_by_channel(struct turn_grants *grants, uint16_t channel)
{
    if (channel < TURN_FIRST_CHANNEL || channel >= TURN_FIRST_CHANNEL + TURN_CHANNELS)
        return NULL;
    int index = grants->by_channel[channel - TURN_FIRST_CHANNEL] - 1;
    return index < 0 ? NULL : &grants->rows[index];
}

/* A place that was never used, a free one, or that of the grant which has been idle for longest. */
static struct turn_grant *find_place(struct turn_grants *grants, int64_t now_us)
{
    if (grants->count < TURN_MAX_GRANTS)
        return &grants->rows[grants->count++];
    struct turn_grant *oldest = NULL;
    for (int i = 0; i < grants->count; i++) {
        struct turn_grant *grant = &grants->rows[i];
        if (grant->peer.family == ADDRESS_NONE)
            return grant;
        if (!oldest || grant->used_us < oldest->used_us)
            oldest = grant;
    }
    if (!oldest || now_us - oldest->used_us < IDLE_US)
        return NULL;
    turn_grants_remove(grants, oldest);
    return oldest;
}

struct turn_grant *turn_grants_add(struct turn_grants *grants, const struct address *peer,
                                   int64_t now_us)
{
    struct turn_grant *grant = find_place(grants, now_us);
    if (!grant)
        return NULL;
    int *bucket = &grants->bucket[bucket_of(peer)];
    *grant = (struct turn_grant){.peer = *peer, .used_us = now_us, .next = *bucket - 1};
    grant->peer.transport = ADDRESS_RELAY;
    *bucket = (int)(grant - grants->rows) + 1;
    return grant;
}

/* Numbers go round, so that one is not given to another address while the server still remembers
 * the first. */
bool turn_grants_number(struct turn_grants *grants, struct turn_grant *grant)
{
    for (int i = 0; i < TURN_CHANNELS; i++) {
        int number = grants->next_channel;
        grants->next_channel = (number + 1) % TURN_CHANNELS;
        if (grants->by_channel[number] != 0)
            continue;
        grants->by_channel[number] = (int16_t)(grant - grants->rows + 1);
        grant->channel = (uint16_t)(TURN_FIRST_CHANNEL + number);
        return true;
    }
    return false;
}

void turn_grants_remove(struct turn_grants *grants, struct turn_grant *grant)
{
    int *bucket = &grants->bucket[bucket_of(&grant->peer)], index = (int)(grant - grants->rows);
    if (*bucket - 1 == index) {
        *bucket = grant->next + 1;
    } else {
        for (int i = *bucket - 1; i >= 0; i = grants->rows[i].next)
            if (grants->rows[i].next == index)
                grants->rows[i].next = grant->next;
    }
    if (grant->channel != 0)
        grants->by_channel[grant->channel - TURN_FIRST_CHANNEL] = 0;
    *grant = (struct turn_grant){.next = -1};
}
