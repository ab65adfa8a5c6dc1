/* The URLs of STUN (RFC 7064) and TURN servers (RFC 7065), as options name them. */
#ifndef OW_APP_ICE_URLS_H
#define OW_APP_ICE_URLS_H

#include "core/error.h"

#include <stddef.h>

enum ice_url_kind { ICE_URL_STUN, ICE_URL_TURN };

/* Checks URLs separated by commas or blanks: stun:host[:port] and stuns:…, or turn:host[:port] and
 * turns:… with ?transport=udp or tcp perhaps. `option` is named in the sentence. OW_EINVAL. */
int ice_urls_check(const char *urls, enum ice_url_kind kind, const char *option,
                   struct reason *why);

/* Copies the first URL that begins with `scheme` ("turn" also finds "turns"). OW_ENOTFOUND when
 * there is none. */
int ice_urls_first(const char *urls, const char *scheme, char *out, size_t room);

#endif
