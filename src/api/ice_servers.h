/* The STUN and TURN servers that viewers are told of: as the iceServers of a page (W3C WebRTC,
 * 4.2.1) and as the Link fields of a WHEP answer (RFC 9725, 4.6). */
#ifndef OW_API_ICE_SERVERS_H
#define OW_API_ICE_SERVERS_H

#include "api/api.h"

#include <jansson.h>

enum {
    /* How long a name made from the shared secret is good for. A relay outlives it only until its
     * next refresh, so this bounds how long one view can be watched through it. */
    ICE_SERVERS_LIFETIME_S = 24 * 60 * 60,
    ICE_SERVERS_LINKS_BYTES = 2048,
};

/* A new list, [] when none are set; NULL = no memory. `wall_s`: seconds since 1970. */
json_t *ice_servers_json(const struct api_ice_servers *servers, int64_t wall_s);

/* "Link: <…>; rel="ice-server"…\r\n" for each URL, "" when none are set. OW_ELIMIT when they do not
 * fit; then "" as well. */
int ice_servers_links(const struct api_ice_servers *servers, int64_t wall_s,
                      char out[ICE_SERVERS_LINKS_BYTES]);

#endif
