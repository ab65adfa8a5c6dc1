/* Which part of a body a client wants (RFC 9110, 14.2). Pure functions over bytes from strangers.
 */
#ifndef OW_NET_HTTP_RANGE_H
#define OW_NET_HTTP_RANGE_H

#include <stdint.h>

enum http_range_kind {
    HTTP_RANGE_ALL,     /* none was asked for, or in a form that need not be known: several parts */
    HTTP_RANGE_PART,    /* 206 */
    HTTP_RANGE_OUTSIDE, /* 416: there is nothing of it */
};

struct http_range {
    uint64_t first, size; /* all of it, unless it is a part */
};

/* Reads a Range field ("bytes=0-499", "bytes=500-", "bytes=-500") of a body of `size` bytes. */
enum http_range_kind http_range_read(const char *field, uint64_t size, struct http_range *out);

#endif
