#include "net/send_meter.h"

#include <stdbool.h>

/* Windows follow each other without a gap while something is sent. */
static void turn(struct send_meter *meter, int64_t now_us)
{
    int64_t age_us = now_us - meter->current.start_us;
    if (meter->current.start_us != 0 && age_us < SEND_METER_WINDOW_US)
        return;
    struct send_window none = {0};
    bool follows = meter->current.start_us != 0 && age_us < 2 * SEND_METER_WINDOW_US;
    meter->last = follows ? meter->current : none;
    meter->current = none;
    meter->current.start_us = follows ? meter->last.start_us + SEND_METER_WINDOW_US : now_us;
}

void send_meter_add(struct send_meter *meter, int64_t now_us, int viewers, uint64_t bytes,
                    int64_t latency_us)
{
    if (viewers <= 0)
        return;
    turn(meter, now_us);
    meter->frames += (uint64_t)viewers;
    meter->bytes += bytes;
    meter->current.frames += (uint64_t)viewers;
    meter->current.bytes += bytes;
    meter->current.latency_us += latency_us * viewers;
    if (latency_us > meter->current.latency_max_us)
        meter->current.latency_max_us = latency_us;
}

void send_meter_read(struct send_meter *meter, int64_t now_us, struct send_figures *out)
{
    turn(meter, now_us);
    const struct send_window *last = &meter->last;
    double seconds = (double)SEND_METER_WINDOW_US / 1e6;
    *out = (struct send_figures){
        .frames = meter->frames,
        .bytes = meter->bytes,
        .fps = (double)last->frames / seconds,
        .kilobytes_per_s = (double)last->bytes / 1000.0 / seconds,
        .latency_max_ms = (double)last->latency_max_us / 1000.0,
    };
    if (last->frames > 0)
        out->latency_ms = (double)last->latency_us / (double)last->frames / 1000.0;
}

void send_figures_add(struct send_figures *sum, const struct send_figures *other)
{
    double fps = sum->fps + other->fps;
    if (fps > 0)
        sum->latency_ms = (sum->latency_ms * sum->fps + other->latency_ms * other->fps) / fps;
    sum->fps = fps;
    sum->frames += other->frames;
    sum->bytes += other->bytes;
    sum->kilobytes_per_s += other->kilobytes_per_s;
    if (other->latency_max_ms > sum->latency_max_ms)
        sum->latency_max_ms = other->latency_max_ms;
}
