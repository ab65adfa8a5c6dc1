/* The relay: an allocation on a TURN server, for a server that nobody can reach directly. It is
 * held by the first thread for all viewers, and made again when it breaks. */
#ifndef OW_NET_MEDIA_RELAY_H
#define OW_NET_MEDIA_RELAY_H

#include "net/media_internal.h"
#include "net/server_url.h"

struct media_relay;

/* On the first thread; the strings of server->settings are lent for the server's life. OW_ENOMEM.
 */
int media_relay_create(struct media_relay **out, struct media_thread *thread,
                       const struct server_url *server);
/* Gives the allocation back. On the first thread. */
void media_relay_destroy(struct media_relay **relay);

/* Sends a datagram to a peer through the relay, if there is one just now. Any thread. */
void media_relay_send(struct media_thread *thread, const struct address *peer, const uint8_t *data,
                      size_t size);

#endif
