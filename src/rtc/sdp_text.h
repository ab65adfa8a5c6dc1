/* Stretches of text inside an offer, neither copied nor terminated: what sdp_*.c read with. */
#ifndef OW_RTC_SDP_TEXT_H
#define OW_RTC_SDP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *text; /* NULL = absent */
    size_t size;
};

/* The text up to the next `separator`, which is consumed; NULL text at the end. Runs of blanks
 * count as one when the separator is a blank. */
struct span span_next(struct span *rest, char separator);
struct span span_next_line(struct span *rest); /* ends in LF or CRLF; the last needs no end */
struct span span_trim(struct span s);
bool span_is(struct span s, const char *text);
bool span_is_nocase(struct span s, const char *text);
bool span_equal(struct span a, struct span b);
/* A decimal number without sign in 0..max. */
bool span_number(struct span s, uint32_t max, uint32_t *out);
/* Copies with a terminator; false when it is empty, too long or not visible ASCII. */
bool span_copy(struct span s, char *out, size_t capacity);

#endif
