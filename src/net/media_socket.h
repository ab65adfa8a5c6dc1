/* The UDP socket of the media port: IPv4 and IPv6 on one descriptor, batched in both directions,
 * never blocking. And the addresses of this machine, which become ICE candidates. */
#ifndef OW_NET_MEDIA_SOCKET_H
#define OW_NET_MEDIA_SOCKET_H

#include "core/address.h"
#include "core/error.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { MEDIA_BATCH = 32, MEDIA_DATAGRAM_BYTES = 2048 };

struct media_datagram {
    struct address from;
    size_t size;
    uint8_t *data; /* inside the socket, until the next receive */
};

struct media_socket;

/* `bind_address` NULL = all addresses. OW_EEXISTS when the port is taken. */
int media_socket_open(struct media_socket **out, const char *bind_address, uint16_t port,
                      struct reason *why);
int media_socket_fd(const struct media_socket *socket);
uint16_t media_socket_port(const struct media_socket *socket);

/* Writes up to MEDIA_BATCH datagrams to `out`; returns how many, 0 = none waiting. Datagrams larger
 * than MEDIA_DATAGRAM_BYTES are cut, none of ours is. */
int media_socket_receive(struct media_socket *socket, struct media_datagram *out);

/* Queues a copy; a full batch leaves at once. Datagrams that the kernel refuses are counted and
 * dropped: a late one is worth less than the next one. */
void media_socket_send(struct media_socket *socket, const struct address *to, const uint8_t *data,
                       size_t size);
void media_socket_flush(struct media_socket *socket);
uint64_t media_socket_refused(const struct media_socket *socket);

void media_socket_close(struct media_socket **socket);

/* Addresses of this machine's interfaces that are up, IPv4 first: loopback only, or all others.
 * IPv6 link-local ones are left out, they mean nothing without a zone. */
int media_local_addresses(struct address *out, int max, bool loopback);

void address_to_sockaddr(const struct address *address, bool as_ipv6, struct sockaddr_storage *out,
                         socklen_t *size);
void address_from_sockaddr(struct address *out, const struct sockaddr_storage *in);

#endif
