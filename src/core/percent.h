/* Percent-encoding of addresses (RFC 3986 section 2.1). */
#ifndef OW_CORE_PERCENT_H
#define OW_CORE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/* Encodes all but unreserved characters and those in `plain`; false when it does not fit. */
bool percent_encode(const char *text, const char *plain, char *out, size_t room);

/* The byte, 1..255, that the first three of `size` characters encode; -1: they encode none. */
int percent_byte(const char *text, size_t size);

#endif
