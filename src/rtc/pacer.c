#include "rtc/pacer.h"

enum { FIRST_INTERVAL_US = 33333, LONGEST_INTERVAL_US = 1000000 };

static void set_burst(struct pacer *pacer)
{
    int64_t span_us = 2 * pacer->frame_interval_us;
    span_us = span_us < PACER_MIN_BURST_US ? PACER_MIN_BURST_US : span_us;
    span_us = span_us > PACER_MAX_BURST_US ? PACER_MAX_BURST_US : span_us;
    double burst = pacer->bytes_per_us * (double)span_us * pacer->burst_part;
    pacer->burst_bytes = burst > PACER_MIN_BURST_BYTES ? burst : PACER_MIN_BURST_BYTES;
}

static void refill(struct pacer *pacer, int64_t now_us)
{
    if (now_us <= pacer->refilled_us)
        return;
    pacer->tokens += (double)(now_us - pacer->refilled_us) * pacer->bytes_per_us;
    if (pacer->tokens > pacer->burst_bytes)
        pacer->tokens = pacer->burst_bytes;
    pacer->refilled_us = now_us;
}

void pacer_init(struct pacer *pacer, int64_t now_us, int pacing_bps)
{
    *pacer = (struct pacer){.refilled_us = now_us,
                            .hold_until_us = now_us,
                            .frame_interval_us = FIRST_INTERVAL_US,
                            .burst_part = 1,
                            .awaiting_key = true};
    pacer_set_rate(pacer, now_us, pacing_bps);
    pacer->tokens = pacer->burst_bytes;
}

void pacer_set_rate(struct pacer *pacer, int64_t now_us, int pacing_bps)
{
    refill(pacer, now_us);
    pacer->bytes_per_us = (pacing_bps > 0 ? pacing_bps : 1) / 8e6;
    set_burst(pacer);
}

void pacer_set_burst_part(struct pacer *pacer, double part)
{
    pacer->burst_part = part;
    set_burst(pacer);
}

void pacer_set_hold(struct pacer *pacer, int64_t until_us)
{
    pacer->hold_until_us = until_us;
}

static struct pacer_entry *entry_at(struct pacer *pacer, int position)
{
    return &pacer->entries[(pacer->first + position) % PACER_FRAMES];
}

static void drop_last(struct pacer *pacer)
{
    struct pacer_entry *entry = entry_at(pacer, --pacer->count);
    for (int i = entry->next; i < entry->frame->count; i++)
        pacer->queued_bytes -= entry->frame->payloads[i].size + PACER_PACKET_BYTES;
    rtp_frame_unref(&entry->frame);
}

int pacer_clear(struct pacer *pacer)
{
    int dropped = pacer->count;
    while (pacer->count > 0)
        drop_last(pacer);
    pacer->awaiting_key = true;
    pacer->catching_up = false;
    return dropped;
}

/* Drops from the end what has not begun to leave; with keep_key only back to the last key frame. */
static int drop_queued(struct pacer *pacer, bool keep_key)
{
    int dropped = 0;
    while (pacer->count > 0) {
        const struct pacer_entry *entry = entry_at(pacer, pacer->count - 1);
        if (entry->next > 0 || (keep_key && entry->frame->key))
            break;
        drop_last(pacer);
        dropped++;
    }
    return dropped;
}

static void learn_interval(struct pacer *pacer, int64_t capture_us)
{
    int64_t interval = capture_us - pacer->last_capture_us;
    if (pacer->last_capture_us != 0 && interval > 0 && interval < LONGEST_INTERVAL_US)
        pacer->frame_interval_us += (interval - pacer->frame_interval_us) / 8;
    pacer->last_capture_us = capture_us;
    set_burst(pacer);
}

int64_t pacer_free_us(const struct pacer *pacer)
{
    double ahead = (double)pacer->queued_bytes - pacer->tokens;
    int64_t free_us = pacer->refilled_us;
    if (ahead > 0)
        free_us += (int64_t)(ahead / pacer->bytes_per_us) + 1;
    /* What is held leaves after the hold; tokens are there by then. */
    return free_us > pacer->hold_until_us ? free_us : pacer->hold_until_us;
}

/* Frames that have not begun to leave. */
static int waiting(const struct pacer *pacer)
{
    bool begun = pacer->count > 0 && pacer->entries[pacer->first].next > 0;
    return pacer->count - begun;
}

static bool comes_too_late(const struct pacer *pacer, int64_t now_us)
{
    if (pacer->count == PACER_FRAMES)
        return true;
    int64_t limit_us = pacer->catching_up ? PACER_CATCH_UP_US : PACER_WAIT_US;
    if (waiting(pacer) < PACER_LATE_FRAMES)
        limit_us = PACER_LATE_US;
    return pacer_free_us(pacer) - now_us > limit_us;
}

int pacer_push(struct pacer *pacer, int64_t now_us, struct rtp_frame *frame)
{
    int dropped = 0;
    refill(pacer, now_us);
    learn_interval(pacer, frame->capture_us);
    if (frame->key) {
        dropped = drop_queued(pacer, false);
        pacer->awaiting_key = false;
        pacer->catching_up = true;
    } else if (pacer->awaiting_key) {
        return 1;
    } else if (comes_too_late(pacer, now_us)) {
        pacer->awaiting_key = true;
        return drop_queued(pacer, true) + 1;
    }
    *entry_at(pacer, pacer->count++) = (struct pacer_entry){.frame = rtp_frame_ref(frame)};
    pacer->queued_bytes += frame->bytes + (size_t)frame->count * PACER_PACKET_BYTES;
    return dropped;
}

bool pacer_may_send(struct pacer *pacer, int64_t now_us)
{
    refill(pacer, now_us);
    return pacer->tokens > 0;
}

int64_t pacer_ready_us(const struct pacer *pacer)
{
    if (pacer->tokens > 0)
        return pacer->refilled_us;
    return pacer->refilled_us + (int64_t)(-pacer->tokens / pacer->bytes_per_us) + 1;
}

static bool is_held(const struct pacer *pacer, int64_t now_us)
{
    return pacer->entries[pacer->first].next == 0 && now_us < pacer->hold_until_us;
}

bool pacer_peek(const struct pacer *pacer, int64_t now_us, struct pacer_packet *out)
{
    if (pacer->count == 0 || is_held(pacer, now_us))
        return false;
    const struct pacer_entry *entry = &pacer->entries[pacer->first];
    *out = (struct pacer_packet){.frame = entry->frame,
                                 .index = (uint16_t)entry->next,
                                 .last = entry->next == entry->frame->count - 1};
    return true;
}

int64_t pacer_next_us(const struct pacer *pacer)
{
    if (pacer->count == 0)
        return INT64_MAX;
    int64_t ready_us = pacer_ready_us(pacer);
    return is_held(pacer, ready_us) ? pacer->hold_until_us : ready_us;
}

bool pacer_has_key(const struct pacer *pacer)
{
    for (int i = 0; i < pacer->count; i++)
        if (pacer->entries[(pacer->first + i) % PACER_FRAMES].frame->key)
            return true;
    return false;
}

void pacer_advance(struct pacer *pacer)
{
    struct pacer_entry *entry = &pacer->entries[pacer->first];
    pacer->queued_bytes -= entry->frame->payloads[entry->next++].size + PACER_PACKET_BYTES;
    if (entry->next < entry->frame->count)
        return;
    rtp_frame_unref(&entry->frame);
    pacer->first = (pacer->first + 1) % PACER_FRAMES;
    if (--pacer->count == 0)
        pacer->catching_up = false;
}

void pacer_charge(struct pacer *pacer, size_t bytes)
{
    pacer->tokens -= (double)bytes;
}
