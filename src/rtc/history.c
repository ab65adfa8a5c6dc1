#include "rtc/history.h"

#include <stdlib.h>

static struct history_packet *slot(const struct history *history, uint16_t sequence)
{
    return &history->packets[sequence & (history->capacity - 1)];
}

static uint16_t held_count(const struct history *history)
{
    return (uint16_t)(history->next - history->oldest);
}

static int64_t age_limit(const struct history *history)
{
    return history->age_us == 0 ? HISTORY_US : history->age_us;
}

static void forget_oldest(struct history *history)
{
    struct history_packet *packet = slot(history, history->oldest);
    history->bytes -= packet->frame->payloads[packet->index].size;
    rtp_frame_unref(&packet->frame);
    history->oldest++;
}

static void forget_all(struct history *history)
{
    while (history->oldest != history->next)
        forget_oldest(history);
}

void history_clear(struct history *history)
{
    forget_all(history);
    free(history->packets);
    history->packets = NULL;
    history->capacity = 0;
}

void history_set_age(struct history *history, int64_t age_us)
{
    history->age_us = age_us;
}

void history_expire(struct history *history, int64_t now_us)
{
    while (history->oldest != history->next &&
           now_us - slot(history, history->oldest)->sent_us > age_limit(history))
        forget_oldest(history);
}

/* Twice as large; without memory it stays as it is. */
static void grow(struct history *history)
{
    uint32_t capacity = history->capacity == 0 ? HISTORY_FIRST_PACKETS : history->capacity * 2;
    struct history_packet *packets = malloc(capacity * sizeof(*packets));
    if (packets == NULL)
        return;
    for (uint16_t sequence = history->oldest; sequence != history->next; sequence++)
        packets[sequence & (capacity - 1)] = *slot(history, sequence);
    free(history->packets);
    history->packets = packets;
    history->capacity = capacity;
}

/* Makes room for one more. False when there is no memory at all. */
static bool make_room(struct history *history, size_t size)
{
    if (held_count(history) == history->capacity && history->capacity < HISTORY_PACKETS)
        grow(history);
    if (history->capacity == 0)
        return false;
    while (history->oldest != history->next &&
           (held_count(history) >= history->capacity || history->bytes + size > HISTORY_BYTES))
        forget_oldest(history);
    return true;
}

void history_add(struct history *history, int64_t now_us, uint16_t sequence, uint32_t timestamp,
                 struct rtp_frame *frame, uint16_t index, bool stamped)
{
    if (!history->used || history->next != sequence) {
        forget_all(history);
        history->oldest = history->next = sequence;
        history->used = true;
    }
    history_expire(history, now_us);
    size_t size = frame->payloads[index].size;
    if (!make_room(history, size)) {
        history->used = false;
        return;
    }
    *slot(history, sequence) = (struct history_packet){.frame = rtp_frame_ref(frame),
                                                       .sent_us = now_us,
                                                       .timestamp = timestamp,
                                                       .index = index,
                                                       .stamped = stamped};
    history->bytes += size;
    history->next++;
}

static struct history_packet *find(const struct history *history, uint16_t sequence)
{
    uint16_t age = (uint16_t)(history->next - sequence);
    return age != 0 && age <= held_count(history) ? slot(history, sequence) : NULL;
}

const struct history_packet *history_find(const struct history *history, uint16_t sequence)
{
    return find(history, sequence);
}

static const struct history_packet *resend(const struct history *history, int64_t now_us,
                                           struct history_packet *packet)
{
    int64_t age_us = now_us - packet->sent_us;
    if (age_us > age_limit(history) || packet->resends >= HISTORY_MAX_RESENDS)
        return NULL;
    packet->resends++;
    packet->resent_after = age_us < 0 ? 0 : (uint32_t)age_us;
    return packet;
}

const struct history_packet *history_resend(struct history *history, int64_t now_us,
                                            uint16_t sequence, int64_t pause_us)
{
    struct history_packet *packet = find(history, sequence);
    if (packet == NULL)
        return NULL;
    if (packet->resends > 0 && now_us - packet->sent_us - packet->resent_after < pause_us)
        return NULL;
    return resend(history, now_us, packet);
}

void history_copy_left(struct history *history, uint16_t sequence)
{
    struct history_packet *packet = find(history, sequence);
    if (packet != NULL && packet->copies_out < UINT8_MAX)
        packet->copies_out++;
}

const struct history_packet *history_copy_fate(struct history *history, int64_t now_us,
                                               uint16_t sequence, bool received)
{
    struct history_packet *packet = find(history, sequence);
    if (packet == NULL || packet->copies_out == 0)
        return NULL;
    packet->copies_out--;
    packet->arrived |= received;
    if (packet->arrived || packet->copies_out > 0 || packet->resends == 0)
        return NULL;
    return resend(history, now_us, packet);
}
