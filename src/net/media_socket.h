/* The UDP socket of the media port: IPv4 and IPv6 on one descriptor, batched in both directions,
 * never blocking.
 *
 * Outwards, a datagram is written where it is sent from (media_socket_next), and datagrams to one
 * address that follow each other with equal sizes (the last may be shorter) leave as one message
 * that the kernel or the network card cuts (UDP_SEGMENT, Linux 4.18). Where that is refused they
 * leave one by one. Nothing is allocated. Used by one thread. */
#ifndef OW_NET_MEDIA_SOCKET_H
#define OW_NET_MEDIA_SOCKET_H

#include "core/address.h"
#include "core/error.h"
#include "net/socket_address.h"
#include "rtc/session.h"

enum { MEDIA_BATCH = 32, MEDIA_DATAGRAM_BYTES = 2048 };

struct media_datagram {
    struct address from;
    size_t size;
    uint8_t *data; /* inside the socket, until the next receive */
};

struct media_socket;

struct media_socket_settings {
    const char *bind_address; /* NULL = all addresses */
    uint16_t port;            /* 0 = chosen by the system */
    /* More sockets on the same address and port follow or went before (media_socket_share()): the
     * kernel deals out what comes in by remote address. */
    bool shared;
};

/* OW_EEXISTS when the port is taken. */
int media_socket_open(struct media_socket **out, const struct media_socket_settings *settings,
                      struct reason *why);
/* From now on sockets may be opened `shared` with this one, which is not: so the first one has
 * found out whether another program has the port. OW_EUNSUPPORTED. */
int media_socket_share(struct media_socket *socket);
int media_socket_fd(const struct media_socket *socket);
uint16_t media_socket_port(const struct media_socket *socket);

/* Writes up to MEDIA_BATCH datagrams to `out`; returns how many, 0 = none waiting. Datagrams larger
 * than MEDIA_DATAGRAM_BYTES are cut, none of ours is. */
int media_socket_receive(struct media_socket *socket, struct media_datagram *out);

/* Where the next datagram (to, data, size) is to be written; media_socket_commit() queues it. It
 * may be asked for and left alone, and holds until the next call but one of this file's. */
struct rtc_output *media_socket_next(struct media_socket *socket);
void media_socket_commit(struct media_socket *socket);
/* Queues a copy; at most RTC_MAX_DATAGRAM bytes. */
void media_socket_send(struct media_socket *socket, const struct address *to, const uint8_t *data,
                       size_t size);
/* Sends what is queued; a full queue is sent by itself. Datagrams that the kernel refuses are
 * counted and dropped: a late one is worth less than the next one. */
void media_socket_flush(struct media_socket *socket);

struct media_socket_figures {
    uint64_t datagrams, messages; /* sent; fewer messages than datagrams by segmentation */
    uint64_t refused;             /* by the kernel, or no address to send to */
    uint64_t full;                /* of these: the send buffer was full */
    bool segmentation;            /* in use, or at least not refused yet */
};
void media_socket_figures(const struct media_socket *socket, struct media_socket_figures *out);

void media_socket_close(struct media_socket **socket);

#endif
