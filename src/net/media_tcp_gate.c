#include "net/media_tcp_gate.h"

#include "core/error.h"

#include <pthread.h>
#include <stdlib.h>

enum state { FREE, STRANGER, KNOWN };

struct media_tcp_gate {
    pthread_mutex_t lock;
    int used; /* passes [0, used) may be in use */
    struct {
        enum state state;
        struct address from;
    } passes[MEDIA_TCP_CONNECTIONS];
};

int media_tcp_gate_create(struct media_tcp_gate **out)
{
    struct media_tcp_gate *gate = calloc(1, sizeof *gate);
    if (!gate)
        return OW_ENOMEM;
    pthread_mutex_init(&gate->lock, NULL);
    *out = gate;
    return OW_OK;
}

void media_tcp_gate_destroy(struct media_tcp_gate **gate)
{
    if (!*gate)
        return;
    pthread_mutex_destroy(&(*gate)->lock);
    free(*gate);
    *gate = NULL;
}

/* A free pass if the limits allow it. The lock is held. */
static int find_pass(const struct media_tcp_gate *gate, const struct address *from)
{
    int pass = -1, strangers = 0, same = 0, same_strangers = 0;
    for (int i = 0; i < gate->used; i++) {
        bool free_pass = gate->passes[i].state == FREE;
        bool stranger = gate->passes[i].state == STRANGER;
        bool same_ip = !free_pass && address_same_ip(&gate->passes[i].from, from);
        if (free_pass && pass < 0)
            pass = i;
        strangers += stranger;
        same += same_ip;
        same_strangers += stranger && same_ip;
    }
    if (strangers >= MEDIA_TCP_STRANGERS || same >= MEDIA_TCP_PER_ADDRESS ||
        same_strangers >= MEDIA_TCP_STRANGERS_PER_ADDRESS)
        return -1;
    if (pass < 0 && gate->used < MEDIA_TCP_CONNECTIONS)
        pass = gate->used;
    return pass;
}

int media_tcp_gate_enter(struct media_tcp_gate *gate, const struct address *from)
{
    pthread_mutex_lock(&gate->lock);
    int pass = find_pass(gate, from);
    if (pass >= 0) {
        gate->passes[pass].state = STRANGER;
        gate->passes[pass].from = *from;
        if (pass == gate->used)
            gate->used++;
    }
    pthread_mutex_unlock(&gate->lock);
    return pass;
}

void media_tcp_gate_know(struct media_tcp_gate *gate, int pass)
{
    pthread_mutex_lock(&gate->lock);
    gate->passes[pass].state = KNOWN;
    pthread_mutex_unlock(&gate->lock);
}

void media_tcp_gate_leave(struct media_tcp_gate *gate, int pass)
{
    pthread_mutex_lock(&gate->lock);
    gate->passes[pass].state = FREE;
    while (gate->used > 0 && gate->passes[gate->used - 1].state == FREE)
        gate->used--;
    pthread_mutex_unlock(&gate->lock);
}
