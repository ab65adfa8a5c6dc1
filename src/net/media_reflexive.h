/* This machine's address behind a NAT, asked of a STUN server from the media port on the first
 * thread; it becomes a server-reflexive candidate. */
#ifndef OW_NET_MEDIA_REFLEXIVE_H
#define OW_NET_MEDIA_REFLEXIVE_H

#include "net/media_internal.h"
#include "net/server_url.h"

struct media_reflexive;

/* On the first thread. OW_ENOMEM. */
int media_reflexive_create(struct media_reflexive **out, struct media_thread *thread,
                           const struct server_url *server);
void media_reflexive_destroy(struct media_reflexive **reflexive);

/* Takes a datagram if it is an answer of the STUN server. Any thread: another one hands it over. */
bool media_reflexive_receive(struct media_thread *thread, const struct address *from,
                             const uint8_t *data, size_t size, int64_t now_us);

#endif
