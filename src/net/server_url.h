/* "stun:host[:port]" (RFC 7064), "turn:host[:port][?transport=udp|tcp]" and "turns:…" (RFC 7065).
 */
#ifndef OW_NET_SERVER_URL_H
#define OW_NET_SERVER_URL_H

#include "core/error.h"

#include <stdbool.h>
#include <stdint.h>

enum server_url_kind { SERVER_STUN, SERVER_TURN_UDP, SERVER_TURN_TCP, SERVER_TURN_TLS };

struct server_url {
    enum server_url_kind kind;
    char host[256]; /* a name, or an address without brackets */
    uint16_t port;
};

/* OW_EPARSE with a sentence that names what is wrong; `turn`: a TURN server is wanted, else a STUN
 * server. */
int server_url_parse(struct server_url *out, const char *text, bool turn, struct reason *why);

#endif
