/* How many TCP connections may stand at the media port: in all, from one address, and of those how
 * many that have not said yet whose they are. Any thread. */
#ifndef OW_NET_MEDIA_TCP_GATE_H
#define OW_NET_MEDIA_TCP_GATE_H

#include "core/address.h"

enum {
    MEDIA_TCP_CONNECTIONS = 4096,
    MEDIA_TCP_PER_ADDRESS = 256, /* an office behind one address */
    MEDIA_TCP_STRANGERS = 256,
    MEDIA_TCP_STRANGERS_PER_ADDRESS = 16,
};

struct media_tcp_gate;

int media_tcp_gate_create(struct media_tcp_gate **out);
void media_tcp_gate_destroy(struct media_tcp_gate **gate);

/* Lets a stranger in: returns its pass, -1 = a limit is reached. */
int media_tcp_gate_enter(struct media_tcp_gate *gate, const struct address *from);
/* It is a viewer's connection: a stranger no longer. */
void media_tcp_gate_know(struct media_tcp_gate *gate, int pass);
void media_tcp_gate_leave(struct media_tcp_gate *gate, int pass);

#endif
