/* Addresses between the program's form and the kernel's, and those of this machine. */
#ifndef OW_NET_SOCKET_ADDRESS_H
#define OW_NET_SOCKET_ADDRESS_H

#include "core/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* `as_ipv6`: for a descriptor that speaks IPv6, where IPv4 addresses are mapped. */
void address_to_sockaddr(const struct address *address, bool as_ipv6, struct sockaddr_storage *out,
                         socklen_t *size);
/* The transport is ADDRESS_UDP. */
void address_from_sockaddr(struct address *out, const struct sockaddr_storage *in);

/* Addresses of this machine's interfaces that are up, IPv4 first: loopback only, or all others.
 * IPv6 link-local ones are left out, they mean nothing without a zone. */
int media_local_addresses(struct address *out, int max, bool loopback);

#endif
