/* How often a log-in may be tried: per address and by all together. A pure table; time is an
 * argument. An address that has used up its own tries takes none of the others'. */
#ifndef OW_NET_HTTP_AUTH_LIMIT_H
#define OW_NET_HTTP_AUTH_LIMIT_H

#include "core/address.h"

enum {
    HTTP_LIMIT_ADDRESSES = 256, /* remembered: who was here longest ago is forgotten */
    HTTP_LIMIT_BURST = 5,       /* tries of an address at once, then one each … */
    HTTP_LIMIT_EACH_US = 12 * 1000 * 1000,
    HTTP_LIMIT_ALL_BURST = 30,
    HTTP_LIMIT_ALL_EACH_US = 1000 * 1000,
};

/* When a bucket would be full again: one time says how much is in it. */
struct http_limit_bucket {
    int64_t full_us;
};

struct http_limit { /* zeroed before use */
    struct http_limit_bucket all;
    int count;
    struct {
        struct address address;
        struct http_limit_bucket bucket;
    } entries[HTTP_LIMIT_ADDRESSES];
};

/* Takes one try. 0: it may be made; else microseconds until the next one. IPv6 addresses count by
 * their first 64 bits. */
int64_t http_limit_take(struct http_limit *limit, const struct address *peer, int64_t now_us);
/* The try was a good one and does not count. */
void http_limit_give_back(struct http_limit *limit, const struct address *peer);

#endif
