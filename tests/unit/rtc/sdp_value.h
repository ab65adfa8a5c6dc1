/* What stands in an answer, for those who play its other side. */
#ifndef OW_TESTS_SDP_VALUE_H
#define OW_TESTS_SDP_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The word behind the first `name` ("a=ice-ufrag:"); false when there is none, or no room for it.
 */
static inline bool sdp_read_value(const char *sdp, const char *name, char *out, size_t size)
{
    const char *found = strstr(sdp, name);
    if (!found)
        return false;
    found += strlen(name);
    size_t length = strcspn(found, "\r\n ");
    if (length >= size)
        return false;
    memcpy(out, found, length);
    out[length] = '\0';
    return true;
}

#endif
