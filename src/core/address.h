/* A transport address without the socket headers, so that src/rtc can speak of it. */
#ifndef OW_CORE_ADDRESS_H
#define OW_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum address_family { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

/* How a peer at an address is reached. A TCP peer is one connection that it opened to us; a relayed
 * one is reached through our allocation on a TURN server. */
enum address_transport { ADDRESS_UDP, ADDRESS_TCP, ADDRESS_RELAY };

struct address {
    uint8_t family;    /* enum address_family */
    uint8_t ip[16];    /* network order; IPv4 uses the first four bytes, the rest is 0 */
    uint8_t transport; /* enum address_transport */
    uint16_t port;     /* host order */
};

enum { ADDRESS_TEXT_BYTES = 56 };

/* The same in all: transport, IP and port. */
bool address_equal(const struct address *a, const struct address *b);
/* Same family and IP, whatever the ports. */
bool address_same_ip(const struct address *a, const struct address *b);
/* A literal IPv4 or IPv6 address (no brackets, no zone, no name). OW_EPARSE. */
int address_parse(struct address *out, const char *ip, uint16_t port);
/* Writes the IP alone, as SDP wants it; returns text. */
const char *address_ip_text(const struct address *address, char text[ADDRESS_TEXT_BYTES]);
/* Writes "1.2.3.4:5" or "[::1]:5"; returns text. */
const char *address_text(const struct address *address, char text[ADDRESS_TEXT_BYTES]);
bool address_is_loopback(const struct address *address);

#endif
