#include "sim_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_QUEUE_BYTES = 3000, DUPLICATE_AFTER_US = 500 };

struct sim_packet {
    struct sim_packet *next;
    struct sim_port *port;
    int64_t queued_us, waited_us;
    size_t wire_bytes, size;
    bool sure;
    uint8_t data[];
};

void sim_link_init(struct sim_link *link, struct sim_clock *clock,
                   const struct sim_link_settings *settings, uint64_t seed)
{
    *link = (struct sim_link){.clock = clock, .settings = *settings};
    random_seeded(&link->random, seed);
}

void sim_link_clear(struct sim_link *link)
{
    while (link->first != NULL) {
        struct sim_packet *packet = link->first;
        link->first = packet->next;
        free(packet);
    }
    link->last = NULL;
    link->queued_bytes = 0;
}

/* ---- capacity ---- */

const struct sim_step *sim_link_step(const struct sim_link_settings *settings, int64_t at_us)
{
    int i = 0;
    while (i + 1 < settings->step_count && settings->steps[i + 1].at_us <= at_us)
        i++;
    return &settings->steps[i];
}

static int64_t step_end_us(const struct sim_link_settings *settings, const struct sim_step *step)
{
    const struct sim_step *last = &settings->steps[settings->step_count - 1];
    return step == last ? INT64_MAX : step[1].at_us;
}

double sim_link_capacity_bytes(const struct sim_link_settings *settings, int64_t from_us,
                               int64_t to_us)
{
    double bytes = 0;
    while (from_us < to_us) {
        const struct sim_step *step = sim_link_step(settings, from_us);
        int64_t end_us = step_end_us(settings, step);
        end_us = end_us < to_us ? end_us : to_us;
        bytes += (double)step->bps / 8e6 * (double)(end_us - from_us);
        from_us = end_us;
    }
    return bytes;
}

/* When `bytes` have been sent that begin to be sent at `from_us`. */
static int64_t finish_us(const struct sim_link_settings *settings, int64_t from_us, size_t bytes)
{
    double left = (double)bytes;
    for (;;) {
        const struct sim_step *step = sim_link_step(settings, from_us);
        int64_t end_us = step_end_us(settings, step);
        double per_us = (double)step->bps / 8e6;
        if (end_us == INT64_MAX && step->bps == 0)
            return INT64_MAX;
        if (end_us == INT64_MAX || left <= per_us * (double)(end_us - from_us))
            return from_us + (int64_t)(left / per_us + 0.5);
        left -= per_us * (double)(end_us - from_us);
        from_us = end_us;
    }
}

/* In an outage the queue has the size it had before. */
static size_t queue_limit(const struct sim_link *link)
{
    if (link->settings.queue_bytes != 0)
        return link->settings.queue_bytes;
    const struct sim_step *step = sim_link_step(&link->settings, link->clock->now_us);
    while (step->bps == 0 && step > link->settings.steps)
        step--;
    size_t limit = (size_t)((double)step->bps / 8e6 * (double)link->settings.queue_us);
    return limit < MIN_QUEUE_BYTES ? MIN_QUEUE_BYTES : limit;
}

/* ---- behind the queue ---- */

static void arrive(void *context, void *argument)
{
    struct sim_packet *packet = argument;
    (void)context;
    packet->port->receive(packet->port->context, packet->data, packet->size);
    free(packet);
}

void sim_network_drop(const struct sim_event *event)
{
    if (event->run == arrive)
        free(event->argument);
}

static bool is_lost(struct sim_link *link)
{
    const struct sim_bursts *bursts = &link->settings.bursts;
    if (bursts->enter > 0) {
        double change = random_unit(&link->random);
        link->bad = link->bad ? change >= bursts->leave : change < bursts->enter;
        if (link->bad && random_unit(&link->random) < bursts->loss)
            return true;
    }
    return link->settings.loss > 0 && random_unit(&link->random) < link->settings.loss;
}

/* Half a normal distribution (Box and Muller), cut at three sigma. */
static int64_t draw_jitter(struct sim_link *link)
{
    if (link->settings.jitter_us == 0)
        return 0;
    double radius = sqrt(-2 * log(1 - random_unit(&link->random)));
    double deviations = fabs(radius * cos(2 * 3.14159265358979 * random_unit(&link->random)));
    return (int64_t)((deviations < 3 ? deviations / 3 : 1) * (double)link->settings.jitter_us);
}

static struct sim_packet *copy_packet(const struct sim_packet *packet)
{
    struct sim_packet *copy = sim_alloc(sizeof(*copy) + packet->size);
    memcpy(copy, packet, sizeof(*copy) + packet->size);
    return copy;
}

static void propagate(struct sim_link *link, struct sim_packet *packet)
{
    struct sim_port *port = packet->port;
    if (is_lost(link) && !packet->sure) {
        port->lost++;
        free(packet);
        return;
    }
    int64_t now_us = link->clock->now_us;
    int64_t arrival_us = now_us + sim_link_step(&link->settings, now_us)->delay_us +
                         port->extra_us + draw_jitter(link);
    if (link->settings.reorder > 0 && random_unit(&link->random) < link->settings.reorder) {
        arrival_us += link->settings.reorder_us;
    } else {
        if (arrival_us < port->last_arrival_us)
            arrival_us = port->last_arrival_us;
        port->last_arrival_us = arrival_us;
    }
    if (link->settings.duplicate > 0 && random_unit(&link->random) < link->settings.duplicate)
        sim_at(link->clock, arrival_us + DUPLICATE_AFTER_US, arrive, link, copy_packet(packet));
    sim_at(link->clock, arrival_us, arrive, link, packet);
}

/* ---- the queue ---- */

static void leave(void *context, void *argument);

static void begin(struct sim_link *link)
{
    struct sim_packet *packet = link->first;
    int64_t now_us = link->clock->now_us;
    int64_t finished_us = finish_us(&link->settings, now_us, packet->wire_bytes);
    /* What an outage adds to the first packet's way is waiting too. */
    const struct sim_step *step = sim_link_step(&link->settings, finished_us);
    int64_t sending_us = step->bps == 0 ? 0 : (int64_t)packet->wire_bytes * 8000000 / step->bps;
    packet->waited_us = finished_us - sending_us - packet->queued_us;
    if (packet->waited_us < 0)
        packet->waited_us = 0;
    if (finished_us != INT64_MAX)
        sim_at(link->clock, finished_us, leave, link, packet);
}

static void leave(void *context, void *argument)
{
    struct sim_link *link = context;
    struct sim_packet *packet = argument;
    link->first = packet->next;
    link->queued_bytes -= packet->wire_bytes;
    if (link->first == NULL)
        link->last = NULL;
    else
        begin(link);
    if (packet->port->passed != NULL)
        packet->port->passed(packet->port->context, packet->wire_bytes, packet->waited_us);
    propagate(link, packet);
}

void sim_port_send(struct sim_port *port, const void *data, size_t size, size_t wire_bytes,
                   bool sure)
{
    struct sim_link *link = port->link;
    port->sent++;
    if (!sure && link->queued_bytes + wire_bytes > queue_limit(link)) {
        port->dropped++;
        return;
    }
    struct sim_packet *packet = sim_alloc(sizeof(*packet) + size);
    packet->port = port;
    packet->queued_us = link->clock->now_us;
    packet->wire_bytes = wire_bytes;
    packet->size = size;
    packet->sure = sure;
    if (size > 0)
        memcpy(packet->data, data, size);
    link->queued_bytes += wire_bytes;
    bool idle = link->first == NULL;
    if (idle)
        link->first = packet;
    else
        link->last->next = packet;
    link->last = packet;
    if (idle)
        begin(link);
}
