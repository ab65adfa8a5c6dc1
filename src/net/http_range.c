#include "net/http_range.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Digits up to the next that is none; false when there are none or too many. */
static bool read_number(const char **at, uint64_t *out)
{
    enum { MAX_DIGITS = 18 };
    int digits = 0;
    *out = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, digits++) {
        if (digits == MAX_DIGITS)
            return false;
        *out = *out * 10 + (uint64_t)(**at - '0');
    }
    return digits > 0;
}

enum http_range_kind http_range_read(const char *field, uint64_t size, struct http_range *out)
{
    static const char unit[] = "bytes=";
    const char *at = field + sizeof unit - 1;
    uint64_t first = 0, last = 0;
    *out = (struct http_range){0, size};
    if (strncasecmp(field, unit, sizeof unit - 1) != 0)
        return HTTP_RANGE_ALL;
    bool has_first = read_number(&at, &first);
    if (*at++ != '-')
        return HTTP_RANGE_ALL;
    bool has_last = read_number(&at, &last);
    if (*at != '\0' || (!has_first && !has_last) || (has_first && has_last && last < first))
        return HTTP_RANGE_ALL;
    if (!has_first) { /* so many at the end */
        first = last < size ? size - last : 0;
        if (last == 0 || size == 0)
            return HTTP_RANGE_OUTSIDE;
    } else if (first >= size) {
        return HTTP_RANGE_OUTSIDE;
    }
    if (!has_first || !has_last || last >= size)
        last = size - 1;
    *out = (struct http_range){first, last - first + 1};
    return HTTP_RANGE_PART;
}
