#include "net/http_auth_limit.h"

#include <string.h>

static struct address network_of(const struct address *peer)
{
    struct address network = {.family = peer->family};
    memcpy(network.ip, peer->ip, peer->family == ADDRESS_IPV6 ? 8 : 4);
    return network;
}

static int find(const struct http_limit *limit, const struct address *network)
{
    for (int i = 0; i < limit->count; i++)
        if (address_same_ip(&limit->entries[i].address, network))
            return i;
    return -1;
}

/* A place for a new address: a free one, or that of the fullest bucket. */
static int place(struct http_limit *limit)
{
    if (limit->count < HTTP_LIMIT_ADDRESSES)
        return limit->count++;
    int oldest = 0;
    for (int i = 1; i < limit->count; i++)
        if (limit->entries[i].bucket.full_us < limit->entries[oldest].bucket.full_us)
            oldest = i;
    return oldest;
}

/* Microseconds until one can be taken. */
static int64_t wait_of(const struct http_limit_bucket *bucket, int64_t each_us, int burst,
                       int64_t now_us)
{
    int64_t wait_us = bucket->full_us - now_us - each_us * (burst - 1);
    return wait_us > 0 ? wait_us : 0;
}

static void take(struct http_limit_bucket *bucket, int64_t each_us, int64_t now_us)
{
    if (bucket->full_us < now_us)
        bucket->full_us = now_us;
    bucket->full_us += each_us;
}

int64_t http_limit_take(struct http_limit *limit, const struct address *peer, int64_t now_us)
{
    struct address network = network_of(peer);
    int at = find(limit, &network);
    if (at >= 0) {
        int64_t wait_us =
            wait_of(&limit->entries[at].bucket, HTTP_LIMIT_EACH_US, HTTP_LIMIT_BURST, now_us);
        if (wait_us > 0)
            return wait_us;
    }
    int64_t wait_us = wait_of(&limit->all, HTTP_LIMIT_ALL_EACH_US, HTTP_LIMIT_ALL_BURST, now_us);
    if (wait_us > 0)
        return wait_us;
    if (at < 0) {
        at = place(limit);
        limit->entries[at].address = network;
        limit->entries[at].bucket = (struct http_limit_bucket){0};
    }
    take(&limit->entries[at].bucket, HTTP_LIMIT_EACH_US, now_us);
    take(&limit->all, HTTP_LIMIT_ALL_EACH_US, now_us);
    return 0;
}

void http_limit_give_back(struct http_limit *limit, const struct address *peer)
{
    struct address network = network_of(peer);
    int at = find(limit, &network);
    if (at >= 0)
        limit->entries[at].bucket.full_us -= HTTP_LIMIT_EACH_US;
    limit->all.full_us -= HTTP_LIMIT_ALL_EACH_US;
}
