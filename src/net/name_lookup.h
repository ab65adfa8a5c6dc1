/* Looks up a host's addresses without making a network thread wait: a helper thread asks the
 * system, and the answer is brought to the network thread. */
#ifndef OW_NET_NAME_LOOKUP_H
#define OW_NET_NAME_LOOKUP_H

#include "core/address.h"
#include "net/media_thread.h"

enum { NAME_LOOKUP_ADDRESSES = 8 };

struct name_lookup;

/* `found` is called on the thread, once, with count 0 when there is no such host; not any more
 * after name_lookup_cancel(). The addresses have the port. OW_ENOMEM, OW_EIO. */
int name_lookup_start(struct name_lookup **out, struct media_thread *thread, const char *host,
                      uint16_t port,
                      void (*found)(void *context, const struct address *addresses, int count),
                      void *context);
/* On the same thread, also after it was found; leaves NULL. */
void name_lookup_cancel(struct name_lookup **lookup);

#endif
