/* Which viewer a datagram belongs to: tables from remote address, local ICE user fragment and STUN
 * transaction to a viewer. Addresses enter only after a check with valid integrity, so that nobody
 * draws another viewer's packets to himself by a forged one.
 *
 * The tables grow; every call costs the same however many viewers there are. Not locked. */
#ifndef OW_NET_MEDIA_ROUTES_H
#define OW_NET_MEDIA_ROUTES_H

#include "core/address.h"
#include "core/error.h"

struct media_viewer;
struct media_routes;

enum { MEDIA_TRANSACTION_BYTES = 12, MEDIA_ROUTES_PER_VIEWER = 8 };

int media_routes_create(struct media_routes **out);
void media_routes_destroy(struct media_routes **routes);

/* The fragment is copied. A viewer has at most MEDIA_ROUTES_PER_VIEWER, after as many ICE restarts
 * the oldest goes. OW_ENOMEM; OW_EEXISTS when another viewer has it; OW_EINVAL when it is longer
 * than RFC 8839 allows. */
int media_routes_add_ufrag(struct media_routes *routes, const char *ufrag,
                           struct media_viewer *viewer);
struct media_viewer *media_routes_by_ufrag(const struct media_routes *routes, const char *ufrag);

/* The newest validation wins: a browser may use a port again for its next connection. A viewer has
 * at most MEDIA_ROUTES_PER_VIEWER addresses, the oldest goes. */
void media_routes_set_address(struct media_routes *routes, const struct address *address,
                              struct media_viewer *viewer);
struct media_viewer *media_routes_by_address(const struct media_routes *routes,
                                             const struct address *address);

/* Remembers who sent a binding request, for the response from an address not yet validated. The
 * table is bounded; an entry that is overwritten costs one retransmission. Only of viewers that
 * have a fragment or an address. */
void media_routes_add_transaction(struct media_routes *routes, const uint8_t *transaction,
                                  struct media_viewer *viewer);
struct media_viewer *media_routes_by_transaction(const struct media_routes *routes,
                                                 const uint8_t *transaction);

/* Forgets all that leads to a viewer. */
void media_routes_forget(struct media_routes *routes, const struct media_viewer *viewer);

#endif
