#include "rtc/pacer.h"

static double bytes_per_us(const struct pacer *pacer)
{
    return (double)pacer->target_bps * PACER_RATE_PERCENT / 100 / 8e6;
}

static double burst_bytes(const struct pacer *pacer)
{
    double burst = (double)pacer->target_bps / 8e6 * PACER_BURST_US;
    return burst > PACER_MIN_BURST_BYTES ? burst : PACER_MIN_BURST_BYTES;
}

static void refill(struct pacer *pacer, int64_t now_us)
{
    if (now_us <= pacer->refilled_us)
        return;
    pacer->tokens += (double)(now_us - pacer->refilled_us) * bytes_per_us(pacer);
    if (pacer->tokens > burst_bytes(pacer))
        pacer->tokens = burst_bytes(pacer);
    pacer->refilled_us = now_us;
}

void pacer_init(struct pacer *pacer, int64_t now_us, int target_bps)
{
    *pacer = (struct pacer){.target_bps = target_bps > 0 ? target_bps : 1,
                            .refilled_us = now_us,
                            .frame_interval_us = 33333,
                            .awaiting_key = true};
    pacer->tokens = burst_bytes(pacer);
}

void pacer_set_target(struct pacer *pacer, int64_t now_us, int target_bps)
{
    refill(pacer, now_us);
    pacer->target_bps = target_bps > 0 ? target_bps : 1;
}

static struct pacer_entry *entry_at(struct pacer *pacer, int position)
{
    return &pacer->entries[(pacer->first + position) % PACER_FRAMES];
}

static void drop_last(struct pacer *pacer)
{
    struct pacer_entry *entry = entry_at(pacer, --pacer->count);
    for (int i = entry->next; i < entry->frame->count; i++)
        pacer->queued_bytes -= entry->frame->payloads[i].size;
    rtp_frame_unref(&entry->frame);
}

void pacer_clear(struct pacer *pacer)
{
    while (pacer->count > 0)
        drop_last(pacer);
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
    if (pacer->last_capture_us != 0 && interval > 0 && interval < 1000000)
        pacer->frame_interval_us += (interval - pacer->frame_interval_us) / 8;
    pacer->last_capture_us = capture_us;
}

/* How long a frame that is queued now would wait for its first packet. */
static double wait_us(const struct pacer *pacer)
{
    double ahead = (double)pacer->queued_bytes - pacer->tokens;
    return pacer->queued_bytes == 0 || ahead <= 0 ? 0 : ahead / bytes_per_us(pacer);
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
    } else {
        int64_t limit = pacer->catching_up ? PACER_CATCH_UP_US : pacer->frame_interval_us;
        if (wait_us(pacer) > (double)limit || pacer->count == PACER_FRAMES) {
            pacer->awaiting_key = true;
            return drop_queued(pacer, true) + 1;
        }
    }
    *entry_at(pacer, pacer->count++) = (struct pacer_entry){.frame = rtp_frame_ref(frame)};
    pacer->queued_bytes += frame->bytes;
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
    return pacer->refilled_us + (int64_t)(-pacer->tokens / bytes_per_us(pacer)) + 1;
}

bool pacer_peek(const struct pacer *pacer, struct pacer_packet *out)
{
    if (pacer->count == 0)
        return false;
    const struct pacer_entry *entry = &pacer->entries[pacer->first];
    *out = (struct pacer_packet){.frame = entry->frame,
                                 .index = (uint16_t)entry->next,
                                 .last = entry->next == entry->frame->count - 1};
    return true;
}

void pacer_advance(struct pacer *pacer)
{
    struct pacer_entry *entry = &pacer->entries[pacer->first];
    pacer->queued_bytes -= entry->frame->payloads[entry->next++].size;
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
