/* What requests carry to say who they are from, and where a page may send the browser after a
 * log-in. Pure functions over text from strangers. */
#ifndef OW_NET_HTTP_AUTH_FIELDS_H
#define OW_NET_HTTP_AUTH_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

/* The value of one cookie in a Cookie header (RFC 6265, 5.4). Of several with the name the first
 * counts. False, with out = "", when there is none or it does not fit. */
bool http_cookie_find(const char *cookies, const char *name, char *out, size_t room);

/* The token of "Bearer TOKEN" (RFC 6750, 2.1); NULL when it is anything else. */
const char *http_bearer_token(const char *authorization);

/* Is it a path of this very server, as "/view/live?a=b" is, and "//other", "/\other" and
 * "https://other" are not? What browsers make "//" of is refused, too. */
bool http_next_is_local(const char *next);

#endif
