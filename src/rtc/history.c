#include "rtc/history.h"

static struct history_packet *slot(struct history *history, uint16_t sequence)
{
    return &history->packets[sequence % HISTORY_PACKETS];
}

static void forget_oldest(struct history *history)
{
    struct history_packet *packet = slot(history, history->oldest);
    history->bytes -= packet->frame->payloads[packet->index].size;
    rtp_frame_unref(&packet->frame);
    history->oldest++;
}

void history_clear(struct history *history)
{
    while (history->oldest != history->next)
        forget_oldest(history);
}

void history_expire(struct history *history, int64_t now_us)
{
    while (history->oldest != history->next &&
           now_us - slot(history, history->oldest)->sent_us > HISTORY_US)
        forget_oldest(history);
}

void history_add(struct history *history, int64_t now_us, uint16_t sequence,
                 struct rtp_frame *frame, uint16_t index)
{
    if (!history->used || history->next != sequence) {
        history_clear(history);
        history->oldest = history->next = sequence;
        history->used = true;
    }
    history_expire(history, now_us);
    size_t size = frame->payloads[index].size;
    while (history->oldest != history->next &&
           ((uint16_t)(history->next - history->oldest) >= HISTORY_PACKETS ||
            history->bytes + size > HISTORY_BYTES))
        forget_oldest(history);
    *slot(history, sequence) = (struct history_packet){.frame = rtp_frame_ref(frame),
                                                       .sent_us = now_us,
                                                       .resent_us = INT64_MIN,
                                                       .sequence = sequence,
                                                       .index = index};
    history->bytes += size;
    history->next++;
}

static struct history_packet *find(struct history *history, uint16_t sequence)
{
    uint16_t age = (uint16_t)(history->next - sequence);
    bool held = age != 0 && age <= (uint16_t)(history->next - history->oldest);
    return held ? slot(history, sequence) : NULL;
}

const struct history_packet *history_find(struct history *history, uint16_t sequence)
{
    return find(history, sequence);
}

const struct history_packet *history_resend(struct history *history, int64_t now_us,
                                            uint16_t sequence, int64_t round_trip_us)
{
    struct history_packet *packet = find(history, sequence);
    if (packet == NULL || now_us - packet->sent_us > HISTORY_US)
        return NULL;
    if (packet->resent_us != INT64_MIN && now_us - packet->resent_us < round_trip_us)
        return NULL;
    packet->resent_us = now_us;
    return packet;
}
