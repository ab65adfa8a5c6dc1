#include "cc_path.h"

#include "core/error.h"
#include "rtc/rtp_header.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_US = 250, PACKET_BYTES = 1200, REVERSE_DELAYS = 1 };

static double random_part(struct path *path)
{
    path->seed = path->seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(path->seed >> 11) / 9007199254740992.0;
}

struct path *path_new(double rate_bps, int64_t base_us, int sender_count,
                      const struct cc_settings *settings)
{
    struct path *path = calloc(1, sizeof(*path));
    *path = (struct path){.seed = 7,
                          .now_us = 1000000,
                          .rate_bps = rate_bps,
                          .burst_bytes = 1600,
                          .queue_limit_us = 300000,
                          .base_us = base_us,
                          .feedback_us = 70000,
                          .sender_count = sender_count};
    for (int i = 0; i < sender_count; i++) {
        struct path_sender *sender = &path->senders[i];
        cc_init(&sender->cc, settings, path->now_us);
        sender->fps = 30;
        sender->start_us = path->now_us + i * 7000;
        sender->stop_us = INT64_MAX;
        sender->sequence = (uint16_t)(65000 + i);
        sender->reported = sender->sequence;
    }
    return path;
}

/* ---- the link ---- */

static void enter_link(struct path *path, struct path_packet packet)
{
    double limit = path->rate_bps / 8e6 * (double)path->queue_limit_us;
    if ((double)(path->queued_bytes + packet.bytes) > limit + path->burst_bytes ||
        path->queue_count == PATH_QUEUE) {
        path->senders[packet.sender].lost++;
        return;
    }
    packet.entered_us = path->now_us;
    path->queue[(path->queue_first + path->queue_count++) % PATH_QUEUE] = packet;
    path->queued_bytes += packet.bytes;
}

static int second_of(int64_t us)
{
    int second = (int)(us / 1000000);
    return second < PATH_SECONDS ? second : PATH_SECONDS - 1;
}

static void arrive(struct path *path, const struct path_packet *packet)
{
    struct path_sender *sender = &path->senders[packet->sender];
    if (random_part(path) < path->loss) {
        sender->lost++;
        return;
    }
    int64_t arrival_us = path->now_us + path->base_us;
    if (path->jitter_us > 0)
        arrival_us += (int64_t)(random_part(path) * (double)path->jitter_us);
    if (sender->arrival_count < PATH_ARRIVALS)
        sender->arrivals[sender->arrival_count++] =
            (struct path_arrival){.sequence = packet->sequence, .arrival_us = arrival_us};
    sender->received_bits[second_of(path->now_us)] += packet->bytes * 8;
    if (sender->queue_count < (int)(sizeof(sender->queue_ms) / sizeof(*sender->queue_ms)))
        sender->queue_ms[sender->queue_count++] =
            (float)((double)(path->now_us - packet->entered_us) / 1e3);
    if (packet->last && sender->frame_count < PATH_SECONDS * 61)
        sender->frames[sender->frame_count++] = (struct path_frame_delay){
            .at_s = (float)((double)packet->capture_us / 1e6),
            .delay_ms = (float)((double)(path->now_us - packet->capture_us) / 1e3)};
}

static void serve_link(struct path *path)
{
    path->tokens += path->rate_bps / 8e6 * TICK_US;
    while (path->queue_count > 0) {
        struct path_packet *head = &path->queue[path->queue_first];
        if (path->tokens < head->bytes)
            break;
        path->tokens -= head->bytes;
        path->queued_bytes -= head->bytes;
        arrive(path, head);
        path->queue_first = (path->queue_first + 1) % PATH_QUEUE;
        path->queue_count--;
    }
    if (path->tokens > path->burst_bytes)
        path->tokens = path->burst_bytes;
}

/* ---- the sender ---- */

static void send_packet(struct path *path, int index, size_t bytes, bool last, int64_t capture_us,
                        bool probe)
{
    struct path_sender *sender = &path->senders[index];
    struct cc_packet packet = {.send_us = path->now_us,
                               .sequence = sender->sequence++,
                               .bytes = (uint16_t)bytes,
                               .probe = probe ? sender->probe.id : 0,
                               .padding = probe,
                               .frame = sender->frame};
    cc_on_packet_sent(&sender->cc, &packet);
    sender->sent++;
    sender->sent_bits[second_of(path->now_us)] += (double)bytes * 8;
    enter_link(path, (struct path_packet){.send_us = path->now_us,
                                          .capture_us = capture_us,
                                          .sequence = packet.sequence,
                                          .bytes = packet.bytes,
                                          .sender = (uint8_t)index,
                                          .last = last});
}

static void make_frame(struct path *path, struct path_sender *sender)
{
    if (path->now_us < sender->next_frame_us || path->now_us < sender->start_us ||
        path->now_us >= sender->stop_us)
        return;
    sender->next_frame_us = (sender->next_frame_us == 0 ? path->now_us : sender->next_frame_us) +
                            (int64_t)(1e6 / sender->fps);
    if (path->now_us < cc_hold_until_us(&sender->cc)) {
        sender->held_us += (int64_t)(1e6 / sender->fps);
        return;
    }
    double bps = cc_target_bps(&sender->cc, path->now_us);
    if (sender->demand_bps > 0 && sender->demand_bps < bps)
        bps = sender->demand_bps;
    double bytes = bps / 8 / sender->fps * (0.85 + 0.3 * random_part(path));
    if (sender->frame++ == 0)
        bytes *= 4; /* a key frame */
    int at = (sender->pending_first + sender->pending_count) % 64;
    if (sender->pending_count < 64) {
        sender->pending[at] =
            (struct path_burst){.bytes = (size_t)bytes + 100, .capture_us = path->now_us};
        sender->pending_count++;
    }
}

/* Frames up to one and a half times the mean leave at once, larger ones at the pace. */
static void pace(struct path *path, int index)
{
    struct path_sender *sender = &path->senders[index];
    double frame = cc_target_bps(&sender->cc, path->now_us) / 8.0 / sender->fps * 1.5;
    sender->tokens += cc_pacing_bps(&sender->cc, path->now_us) / 8e6 * TICK_US;
    if (sender->tokens > frame)
        sender->tokens = frame;
    while (sender->pending_count > 0 && sender->tokens > 0) {
        struct path_burst *burst = &sender->pending[sender->pending_first];
        size_t bytes = burst->bytes < PACKET_BYTES ? burst->bytes : PACKET_BYTES;
        burst->bytes -= bytes;
        sender->tokens -= (double)bytes;
        bool last = burst->bytes == 0;
        send_packet(path, index, bytes, last, burst->capture_us, false);
        if (last) {
            sender->pending_first = (sender->pending_first + 1) % 64;
            sender->pending_count--;
        }
    }
}

static void send_probe(struct path *path, int index)
{
    struct path_sender *sender = &path->senders[index];
    struct cc_probe *probe = &sender->probe;
    if (path->now_us < sender->start_us || path->now_us >= sender->stop_us)
        return;
    if (probe->id == 0 && cc_take_probe(&sender->cc, path->now_us, probe)) {
        sender->probe_bytes = 0;
        sender->probe_packets = 0;
        sender->probe_start_us = path->now_us;
        sender->probes++;
    }
    while (probe->id != 0) {
        double due = (double)(path->now_us - sender->probe_start_us) / 8e6 * probe->bps;
        if ((double)sender->probe_bytes > due)
            return;
        size_t size = probe->bytes / (size_t)probe->packets + 1;
        size = size < PACKET_BYTES ? size : PACKET_BYTES;
        send_packet(path, index, size, false, 0, true);
        sender->probe_bytes += size;
        if (++sender->probe_packets >= probe->packets && sender->probe_bytes >= probe->bytes)
            probe->id = 0;
    }
}

/* ---- the receiver ---- */

static int by_sequence(const void *a, const void *b)
{
    const struct path_arrival *left = a, *right = b;
    return (int16_t)(left->sequence - right->sequence);
}

static void write_feedback(struct path_sender *sender, int from, int to, struct path_feedback *out)
{
    int64_t reference = sender->arrivals[from].arrival_us / 64000;
    int64_t at_250us = reference * 256;
    uint8_t deltas[PATH_ARRIVALS * 2];
    size_t delta_size = 0, size = 0;
    int symbol_count = 0;
    uint32_t chunk = 0;
    uint16_t sequence = out->base;
    for (int i = from; i < to;) {
        int symbol = 0;
        if (sender->arrivals[i].sequence == sequence) {
            int64_t delta = sender->arrivals[i].arrival_us / 250 - at_250us;
            at_250us += delta;
            symbol = delta >= 0 && delta < 256 ? 1 : 2;
            if (symbol == 2)
                deltas[delta_size++] = (uint8_t)((uint64_t)delta >> 8);
            deltas[delta_size++] = (uint8_t)delta;
            i++;
        }
        chunk = chunk << 2 | (uint32_t)symbol;
        sequence++;
        if (++symbol_count % 7 == 0) {
            write_u16(out->items + size, (uint16_t)(0xc000 | (chunk & 0x3fff)));
            size += 2;
        }
    }
    if (symbol_count % 7 != 0) {
        chunk <<= 2 * (7 - symbol_count % 7);
        write_u16(out->items + size, (uint16_t)(0xc000 | (chunk & 0x3fff)));
        size += 2;
    }
    memcpy(out->items + size, deltas, delta_size);
    out->size = (uint16_t)(size + delta_size);
    out->count = (uint16_t)symbol_count;
    out->reference = (int32_t)(reference & 0xffffff);
    if (out->reference >= 1 << 23)
        out->reference -= 1 << 24;
}

static void make_feedback(struct path *path, struct path_sender *sender)
{
    if (path->now_us < sender->next_feedback_us)
        return;
    sender->next_feedback_us = path->now_us + path->feedback_us;
    int64_t here_us = path->now_us;
    int count = 0;
    qsort(sender->arrivals, (size_t)sender->arrival_count, sizeof(*sender->arrivals), by_sequence);
    while (count < sender->arrival_count && sender->arrivals[count].arrival_us <= here_us)
        count++;
    for (int from = 0; from < count;) {
        int to = from + 200 < count ? from + 200 : count;
        struct path_feedback *out =
            &sender->feedback[(sender->feedback_first + sender->feedback_count) % 16];
        if (sender->feedback_count == 16 || path->lose_feedback)
            break;
        /* Reordered across two feedbacks: begin there again. */
        int16_t behind = (int16_t)(sender->arrivals[from].sequence - sender->reported);
        out->base = behind < 0 ? sender->arrivals[from].sequence : sender->reported;
        write_feedback(sender, from, to, out);
        out->due_us = path->now_us + path->base_us;
        sender->feedback_count++;
        uint16_t next = (uint16_t)(sender->arrivals[to - 1].sequence + 1);
        if ((int16_t)(next - sender->reported) > 0)
            sender->reported = next;
        from = to;
    }
    memmove(sender->arrivals, sender->arrivals + count,
            (size_t)(sender->arrival_count - count) * sizeof(*sender->arrivals));
    sender->arrival_count -= count;
}

static void deliver_feedback(struct path *path, struct path_sender *sender)
{
    while (sender->feedback_count > 0) {
        struct path_feedback *feedback = &sender->feedback[sender->feedback_first];
        if (feedback->due_us > path->now_us)
            break;
        struct rtcp_packet packet = {.kind = RTCP_TRANSPORT_FEEDBACK,
                                     .items = feedback->items,
                                     .items_size = feedback->size,
                                     .transport = {.base_sequence = feedback->base,
                                                   .status_count = feedback->count,
                                                   .reference_64ms = feedback->reference}};
        int code = cc_on_transport_feedback(&sender->cc, path->now_us, &packet);
        assert(code == OW_OK);
        (void)code;
        sender->feedback_first = (sender->feedback_first + 1) % 16;
        sender->feedback_count--;
    }
    if (path->now_us >= cc_deadline(&sender->cc))
        cc_on_timeout(&sender->cc, path->now_us);
}

void path_run(struct path *path, int64_t until_us)
{
    for (; path->now_us < until_us; path->now_us += TICK_US) {
        for (int i = 0; i < path->sender_count; i++) {
            struct path_sender *sender = &path->senders[i];
            deliver_feedback(path, sender);
            make_frame(path, sender);
            pace(path, i);
            send_probe(path, i);
            if (path->now_us % 100000 == 0 && path->now_us / 100000 < PATH_SECONDS * 10)
                sender->target_trace[path->now_us / 100000] =
                    cc_target_bps(&sender->cc, path->now_us);
        }
        serve_link(path);
        for (int i = 0; i < path->sender_count; i++)
            make_feedback(path, &path->senders[i]);
    }
}

/* ---- what was seen ---- */

double path_rate(const struct path *path, int index, int from_s, int to_s)
{
    double bits = 0;
    for (int i = from_s; i < to_s; i++)
        bits += path->senders[index].received_bits[i];
    return bits / (to_s - from_s);
}

static int by_value(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return left < right ? -1 : left > right;
}

double path_frame_delay(const struct path *path, int index, double from_s, double to_s,
                        double quantile)
{
    const struct path_sender *sender = &path->senders[index];
    float *values = malloc(sizeof(float) * (size_t)(sender->frame_count + 1));
    int count = 0;
    for (int i = 0; i < sender->frame_count; i++)
        if (sender->frames[i].at_s >= from_s && sender->frames[i].at_s < to_s)
            values[count++] = sender->frames[i].delay_ms;
    qsort(values, (size_t)count, sizeof(*values), by_value);
    double result = count == 0 ? 0 : values[(int)(quantile * (count - 1))];
    free(values);
    return result;
}

double path_worst_second(const struct path *path, int index, double from_s, double to_s)
{
    double worst = 0;
    for (double at = from_s; at + 1 <= to_s; at += 0.1)
        worst = fmax(worst, path_frame_delay(path, index, at, at + 1, 0.5));
    return worst;
}

double path_settled(const struct path *path, int index, double from_s, double to_s, double limit_ms)
{
    double settled = 0;
    for (double at = from_s; at + 0.25 <= to_s; at += 0.05)
        if (path_frame_delay(path, index, at, at + 0.25, 0.5) > limit_ms)
            settled = at + 0.25 - from_s;
    return settled;
}

double path_reached(const struct path *path, int index, double from_s, double bps)
{
    for (int i = (int)(from_s * 10); i < PATH_SECONDS * 10; i++)
        if (path->senders[index].target_trace[i] >= bps)
            return i / 10.0 - from_s;
    return 1e9;
}

double path_lowest(const struct path *path, int index, double from_s, double to_s)
{
    double least = 1e18;
    for (int i = (int)(from_s * 10); i < (int)(to_s * 10) && i < PATH_SECONDS * 10; i++)
        least = fmin(least, path->senders[index].target_trace[i]);
    return least;
}
