/* The way to a TURN server: a connected UDP socket, a TCP connection or TLS on one. Never blocks.
 * Used by one thread. */
#ifndef OW_NET_TURN_LINK_H
#define OW_NET_TURN_LINK_H

#include "core/address.h"
#include "core/error.h"
#include "net/server_url.h"

#include <stddef.h>

struct turn_link;

enum turn_link_state { TURN_LINK_CONNECTING, TURN_LINK_OPEN, TURN_LINK_FAILED };

/* Begins to connect. With TLS the server must have a certificate for `host` (a name or an address)
 * that an authority in the PEM file `ca_file` vouches for; NULL = the system's authorities.
 * OW_EIO, OW_ENOMEM. */
int turn_link_create(struct turn_link **out, enum server_url_kind kind,
                     const struct address *server, const char *host, const char *ca_file);
/* Whether authorities can be read from the file; OW_EINVAL with a sentence. */
int turn_link_check_ca(const char *ca_file, struct reason *why);
void turn_link_destroy(struct turn_link **link);
int turn_link_fd(const struct turn_link *link);
/* What epoll is to watch for now. */
uint32_t turn_link_events(const struct turn_link *link);
/* Goes on after the descriptor became ready: connects, shakes hands, sends what waits. */
enum turn_link_state turn_link_go_on(struct turn_link *link);
const char *turn_link_failure(const struct turn_link *link); /* a sentence */
/* Whether what is read is a stream, not datagrams. */
bool turn_link_is_stream(const struct turn_link *link);

/* OW_OK with one datagram or a stretch of the stream, OW_EAGAIN, OW_ECLOSED (the link has failed).
 */
int turn_link_read(struct turn_link *link, uint8_t *data, size_t room, size_t *size);
/* Sends, or keeps what a stream does not take yet; what does not fit is dropped as a whole. */
void turn_link_write(struct turn_link *link, const uint8_t *data, size_t size);

#endif
