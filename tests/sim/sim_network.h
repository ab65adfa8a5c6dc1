/* A bottleneck link of the simulated network: capacity and delay that change in steps, a drop-tail
 * queue of bytes, and behind it what else happens to packets: jitter, random and bursty loss,
 * reordering, duplicates. Senders put packets in by ports, one per flow and direction, which add
 * the flow's own delay and hand the packets to its receiver. */
#ifndef OW_TESTS_SIM_NETWORK_H
#define OW_TESTS_SIM_NETWORK_H

#include "core/random.h"
#include "sim_clock.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SIM_MAX_STEPS = 128,
    SIM_IP_UDP_BYTES = 28, /* IPv4 and UDP headers, which take capacity as well */
};

/* From `at_us` on: 0 bps is an outage, in which the queue waits. */
struct sim_step {
    int64_t at_us, bps, delay_us;
};

struct sim_link_settings {
    struct sim_step steps[SIM_MAX_STEPS]; /* in order; the first is at 0 */
    int step_count;
    int64_t queue_us;   /* how much the queue takes, in time at the present capacity … */
    size_t queue_bytes; /* … or, when not 0, in bytes */
    int64_t jitter_us;  /* added delay, |normal| with this as 3 sigma, cut there; keeps order */
    double loss;        /* of each packet, 0..1 */
    struct sim_bursts { /* Gilbert and Elliott: the state changes before each packet */
        double enter, leave; /* probability of good → bad, bad → good; enter 0 = none */
        double loss;         /* in the bad state */
    } bursts;
    double reorder; /* part of the packets that come `reorder_us` late, overtaken by others */
    int64_t reorder_us;
    double duplicate; /* part of the packets that come twice */
};

struct sim_packet;

struct sim_link {
    struct sim_clock *clock;
    struct sim_link_settings settings;
    struct random_source random;
    struct sim_packet *first, *last; /* the queue; the first is being sent */
    size_t queued_bytes;
    bool bad; /* state of the bursts */
};

/* Everything that a flow's packets meet on one link. Zero-initialised but for the fields above the
 * line. */
struct sim_port {
    struct sim_link *link;
    int64_t extra_us; /* delay of this flow alone */
    void (*receive)(void *context, const void *data, size_t size);
    /* May be NULL: a packet leaves the queue in which it has waited. */
    void (*passed)(void *context, size_t wire_bytes, int64_t waited_us);
    void *context;
    /* ---- */
    int64_t last_arrival_us;
    uint64_t sent, dropped, lost; /* packets: put in, refused by the queue, lost behind it */
};

void sim_link_init(struct sim_link *link, struct sim_clock *clock,
                   const struct sim_link_settings *settings, uint64_t seed);
void sim_link_clear(struct sim_link *link);
/* Drops a packet that is on its way, for sim_clock_clear(). */
void sim_network_drop(const struct sim_event *event);

/* Copies the packet. wire_bytes: what it takes of the capacity. A `sure` one is never dropped. */
void sim_port_send(struct sim_port *port, const void *data, size_t size, size_t wire_bytes,
                   bool sure);

/* The step in force at a time. */
const struct sim_step *sim_link_step(const struct sim_link_settings *settings, int64_t at_us);
/* Bytes that the capacity allows in a time. */
double sim_link_capacity_bytes(const struct sim_link_settings *settings, int64_t from_us,
                               int64_t to_us);

#endif
