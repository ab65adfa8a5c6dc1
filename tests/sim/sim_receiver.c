#include "sim_receiver.h"

#include "rtc/rtcp.h"
#include "rtc/rtp_header.h"

#include <math.h>
#include <string.h>

enum {
    OWN_SSRC = 1,
    TICK_US = 20000,
    REPORT_US = 1000000,
    MAX_NACK_TIMES = 10,
    FIRST_KEY_WAIT_US = 200000,
    KEY_WAIT_US = 3000000,
    MIN_FEEDBACK_US = 50000,
    MAX_FEEDBACK_US = 250000,
    FEEDBACK_WIRE_BYTES = 68, /* what libwebrtc reckons for one */
    REMB_SLOT_US = 100000,
    REMB_REPEAT_US = 1000000,
    REMB_HOLD_US = 300000,
    REMB_OVERUSE_US = 30000,
    MAX_RTCP_BYTES = 1400,
};

/* ---- writing RTCP ---- */

static void send_feedback(struct sim_receiver *receiver, int type, int format, const uint8_t *items,
                          size_t size)
{
    uint8_t data[MAX_RTCP_BYTES] = {(uint8_t)(0x80 | format), (uint8_t)type};
    write_u16(data + 2, (uint16_t)((12 + size) / 4 - 1));
    write_u32(data + 4, OWN_SSRC);
    write_u32(data + 8, receiver->settings.ssrc);
    if (size > 0)
        memcpy(data + 12, items, size);
    receiver->settings.send(receiver->settings.context, data, 12 + size);
}

static void ask_key(struct sim_receiver *receiver)
{
    receiver->asked_us = receiver->clock->now_us;
    receiver->plis_sent++;
    send_feedback(receiver, 206, 1, NULL, 0);
}

static void send_report(struct sim_receiver *receiver)
{
    int64_t expected = receiver->newest - receiver->first + 1;
    int64_t missing = (expected - receiver->reported_expected) -
                      (receiver->received - receiver->reported_received);
    int64_t span = expected - receiver->reported_expected;
    int64_t lost = expected - receiver->received;
    uint8_t data[32] = {0x81, 201, 0, 7, 0, 0, 0, OWN_SSRC};
    write_u32(data + 8, receiver->settings.ssrc);
    write_u32(data + 12, (uint32_t)(lost < 0 ? 0 : lost) & 0xffffff);
    data[12] = (uint8_t)(span > 0 && missing > 0 ? missing * 255 / span : 0);
    write_u32(data + 16, (uint32_t)receiver->newest);
    write_u32(data + 20, (uint32_t)receiver->jitter_90k);
    write_u32(data + 24, receiver->last_report);
    int64_t held_us = receiver->clock->now_us - receiver->report_arrived_us;
    write_u32(data + 28, receiver->last_report == 0 ? 0 : (uint32_t)(held_us * 65536 / 1000000));
    receiver->reported_expected = expected;
    receiver->reported_received = receiver->received;
    receiver->settings.send(receiver->settings.context, data, sizeof(data));
}

static void report_tick(void *context, void *argument)
{
    struct sim_receiver *receiver = context;
    if (receiver->newest != 0)
        send_report(receiver);
    sim_at(receiver->clock, receiver->clock->now_us + REPORT_US, report_tick, receiver, argument);
}

/* ---- transport-wide feedback ---- */

static int64_t feedback_interval_us(const struct sim_receiver *receiver, int64_t last_us)
{
    if (receiver->settings.feedback_us != 0)
        return receiver->settings.feedback_us;
    double rate = (double)receiver->feedback_bytes * 8e6 / (double)last_us;
    double interval = rate > 0 ? FEEDBACK_WIRE_BYTES * 8e6 / (0.05 * rate) : MAX_FEEDBACK_US;
    return interval < MIN_FEEDBACK_US   ? MIN_FEEDBACK_US
           : interval > MAX_FEEDBACK_US ? MAX_FEEDBACK_US
                                        : (int64_t)interval;
}

static void feedback_tick(void *context, void *argument)
{
    struct sim_receiver *receiver = context;
    uint8_t data[SIM_TWCC_MAX_BYTES];
    size_t size;
    while ((size = sim_twcc_write(&receiver->twcc, data, OWN_SSRC, receiver->settings.ssrc)) > 0)
        receiver->settings.send(receiver->settings.context, data, size);
    int64_t interval_us = feedback_interval_us(receiver, (intptr_t)argument);
    receiver->feedback_bytes = 0;
    sim_at(receiver->clock, receiver->clock->now_us + interval_us, feedback_tick, receiver,
           (void *)(intptr_t)interval_us);
}

/* ---- receive side estimate: the rate that arrives, less when the delay grows ---- */

static void send_remb(struct sim_receiver *receiver)
{
    uint8_t items[12] = {'R', 'E', 'M', 'B', 1};
    uint32_t mantissa = receiver->remb.bps > 4e9 ? UINT32_MAX : (uint32_t)receiver->remb.bps;
    int exponent = 0;
    for (; mantissa > 0x3ffff; mantissa >>= 1)
        exponent++;
    items[5] = (uint8_t)((uint32_t)exponent << 2 | mantissa >> 16);
    write_u16(items + 6, (uint16_t)mantissa);
    write_u32(items + 8, receiver->settings.ssrc);
    receiver->remb.sent_us = receiver->clock->now_us;
    receiver->remb.sent_bps = receiver->remb.bps;
    send_feedback(receiver, 206, 15, items, sizeof(items));
}

static void remb_tick(void *context, void *argument)
{
    struct sim_receiver *receiver = context;
    int64_t now_us = receiver->clock->now_us;
    double received = 0;
    for (int i = 0; i < SIM_REMB_SLOTS; i++)
        received += (double)receiver->remb.slots[i] * 8e6 / (SIM_REMB_SLOTS * REMB_SLOT_US);
    /* A second of packets goes before the first estimate. */
    if (receiver->remb.bps == 0 && receiver->remb.slot >= 2 * SIM_REMB_SLOTS)
        receiver->remb.bps = received;
    bool overuse = receiver->remb.delay_us - receiver->remb.least_delay_us > REMB_OVERUSE_US;
    double most = 1.5 * received + 10000;
    if (overuse && now_us - receiver->remb.decreased_us >= REMB_HOLD_US) {
        receiver->remb.bps = 0.85 * received;
        receiver->remb.decreased_us = now_us;
    } else if (!overuse && receiver->remb.bps * 1.008 <= most) {
        receiver->remb.bps *= 1.008;
    }
    if (receiver->remb.bps > 0 && (receiver->remb.bps < 0.97 * receiver->remb.sent_bps ||
                                   now_us - receiver->remb.sent_us >= REMB_REPEAT_US))
        send_remb(receiver);
    receiver->remb.slots[++receiver->remb.slot % SIM_REMB_SLOTS] = 0;
    sim_at(receiver->clock, now_us + REMB_SLOT_US, remb_tick, receiver, argument);
}

/* abs-send-time: seconds as 6.18 fixed point, modulo 64 s. */
static void note_delay(struct sim_receiver *receiver, uint32_t send_time)
{
    int64_t now_us = receiver->clock->now_us;
    int64_t arrived = (now_us << 18) / 1000000;
    int64_t behind = (arrived - (int64_t)send_time) & 0xffffff;
    int64_t delay_us = behind * 1000000 >> 18;
    if (delay_us > 32000000)
        delay_us -= 64000000;
    receiver->remb.delay_us = delay_us;
    if (receiver->remb.least_delay_us == 0 || delay_us < receiver->remb.least_delay_us)
        receiver->remb.least_delay_us = delay_us;
}

/* ---- negative acknowledgements ---- */

static void forget_nack(struct sim_receiver *receiver, int at)
{
    receiver->nack_count--;
    memmove(&receiver->nacks[at], &receiver->nacks[at + 1],
            (size_t)(receiver->nack_count - at) * sizeof(receiver->nacks[0]));
}

static void clear_nacks_before(struct sim_receiver *receiver, int64_t number)
{
    int count = 0;
    while (count < receiver->nack_count && receiver->nacks[count].number < number)
        count++;
    receiver->nack_count -= count;
    memmove(receiver->nacks, receiver->nacks + count,
            (size_t)receiver->nack_count * sizeof(receiver->nacks[0]));
}

/* Sends those that are due, numbers close together in one item. */
static void send_nacks(struct sim_receiver *receiver, bool repeat)
{
    uint8_t items[1200];
    size_t size = 0;
    int64_t now_us = receiver->clock->now_us, base = 0;
    for (int i = 0; i < receiver->nack_count && size + 4 <= sizeof(items); i++) {
        struct sim_nack *nack = &receiver->nacks[i];
        if (nack->sent_us != 0 &&
            (!repeat || now_us - nack->sent_us < receiver->settings.nack_repeat_us))
            continue;
        if (nack->times >= MAX_NACK_TIMES) {
            forget_nack(receiver, i--);
            continue;
        }
        nack->sent_us = now_us;
        nack->times++;
        if (size > 0 && nack->number - base <= 16) {
            uint16_t mask = read_u16(items + size - 2);
            write_u16(items + size - 2, (uint16_t)(mask | 1 << (nack->number - base - 1)));
            continue;
        }
        base = nack->number;
        write_u16(items + size, (uint16_t)base);
        write_u16(items + size + 2, 0);
        size += 4;
    }
    if (size > 0) {
        receiver->nacks_sent++;
        send_feedback(receiver, 205, 1, items, size);
    }
}

static void note_missing(struct sim_receiver *receiver, int64_t from, int64_t to)
{
    if (receiver->nack_count + to - from > SIM_MAX_NACKS) {
        receiver->nack_count = 0;
        ask_key(receiver);
        return;
    }
    for (int64_t number = from; number < to; number++)
        receiver->nacks[receiver->nack_count++] = (struct sim_nack){.number = number};
}

static void note_arrived(struct sim_receiver *receiver, int64_t number)
{
    for (int i = 0; i < receiver->nack_count; i++)
        if (receiver->nacks[i].number == number) {
            forget_nack(receiver, i);
            return;
        }
}

static void tick(void *context, void *argument)
{
    struct sim_receiver *receiver = context;
    int64_t now_us = receiver->clock->now_us;
    send_nacks(receiver, true);
    int64_t wait_us = receiver->showed ? KEY_WAIT_US : FIRST_KEY_WAIT_US;
    if (now_us - receiver->shown_us >= wait_us && now_us - receiver->asked_us >= wait_us)
        ask_key(receiver);
    sim_at(receiver->clock, now_us + TICK_US, tick, receiver, argument);
}

/* ---- packets ---- */

struct rtp_view {
    uint32_t ssrc, timestamp;
    uint16_t sequence;
    bool marker;
    const uint8_t *payload;
    size_t payload_size;
};

static void on_extension(struct sim_receiver *receiver, int id, const uint8_t *value)
{
    if (id == SIM_EXTENSION_TRANSPORT_CC)
        sim_twcc_arrived(&receiver->twcc, receiver->clock->now_us, read_u16(value));
    if (id == SIM_EXTENSION_SEND_TIME)
        note_delay(receiver, read_u32(value - 1) & 0xffffff);
}

static bool view_rtp(const uint8_t *data, size_t size, struct rtp_view *out)
{
    size_t header = RTP_FIXED_BYTES;
    if (size < header)
        return false;
    if ((data[0] & 0x10) != 0)
        header += RTP_EXTENSION_HEADER_BYTES + (size_t)read_u16(data + header + 2) * 4;
    size_t padding = (data[0] & 0x20) != 0 ? data[size - 1] : 0;
    if (header + padding > size)
        return false;
    *out = (struct rtp_view){.ssrc = read_u32(data + 8),
                             .timestamp = read_u32(data + 4),
                             .sequence = read_u16(data + 2),
                             .marker = (data[1] & 0x80) != 0,
                             .payload = data + header,
                             .payload_size = size - header - padding};
    return true;
}

static void note_extensions(struct sim_receiver *receiver, const uint8_t *data,
                            const uint8_t *payload)
{
    const uint8_t *at = data + RTP_FIXED_BYTES + RTP_EXTENSION_HEADER_BYTES;
    while (at < payload) {
        int id = *at >> 4;
        if (id != 0)
            on_extension(receiver, id, at + 1);
        at += id == 0 ? 1 : 2 + (*at & 0xf);
    }
}

/* A key frame begins with its parameter sets in one packet (STAP-A, first unit an SPS). */
static bool starts_key(const struct rtp_view *rtp)
{
    return rtp->payload_size > 3 && (rtp->payload[0] & 0x1f) == 24 && (rtp->payload[3] & 0x1f) == 7;
}

static void show_frames(struct sim_receiver *receiver)
{
    struct sim_shown frame;
    while (sim_frames_next(&receiver->frames, &frame)) {
        receiver->shown_us = receiver->clock->now_us;
        receiver->showed = true;
        clear_nacks_before(receiver, receiver->frames.next);
        receiver->settings.shown(receiver->settings.context, &frame);
    }
}

static void put_video(struct sim_receiver *receiver, const struct rtp_view *rtp, int64_t number)
{
    struct sim_frames_packet packet = {.number = number,
                                       .timestamp = rtp->timestamp,
                                       .marker = rtp->marker,
                                       .empty = rtp->payload_size == 0,
                                       .key_start = starts_key(rtp),
                                       .bytes = rtp->payload_size};
    if (sim_frames_put(&receiver->frames, &packet))
        show_frames(receiver);
}

/* RFC 3550 section 6.4.1 and appendix A.8. */
static void note_jitter(struct sim_receiver *receiver, const struct rtp_view *rtp)
{
    int64_t transit = receiver->clock->now_us * 9 / 100 - (int64_t)rtp->timestamp;
    if (receiver->received > 1) {
        int32_t change = (int32_t)(uint32_t)(transit - receiver->transit_90k);
        receiver->jitter_90k += (fabs((double)change) - receiver->jitter_90k) / 16;
    }
    receiver->transit_90k = transit;
}

static void on_video(struct sim_receiver *receiver, const struct rtp_view *rtp)
{
    if (receiver->newest == 0) {
        receiver->first = (int64_t)rtp->sequence + 65536;
        receiver->newest = receiver->first - 1;
    }
    int64_t number = sim_unwrap(receiver->newest, rtp->sequence);
    receiver->received++;
    note_jitter(receiver, rtp);
    if (number > receiver->newest) {
        note_missing(receiver, receiver->newest + 1, number);
        receiver->newest = number;
    } else {
        note_arrived(receiver, number);
    }
    put_video(receiver, rtp, number);
    send_nacks(receiver, false);
}

/* Packets that were restored do not count as received: libwebrtc reports them as lost, too. */
static void take_restored(struct sim_receiver *receiver)
{
    const struct sim_flexfec_packet *packet;
    while ((packet = sim_flexfec_take(&receiver->fec)) != NULL) {
        struct rtp_view rtp;
        if (!view_rtp(packet->data, packet->size, &rtp))
            continue;
        int64_t number = sim_unwrap(receiver->newest, rtp.sequence);
        note_arrived(receiver, number);
        put_video(receiver, &rtp, number);
    }
}

static void on_repair(struct sim_receiver *receiver, const struct rtp_view *rtp)
{
    if (receiver->newest == 0)
        return;
    sim_flexfec_repair(&receiver->fec, rtp->payload, rtp->payload_size);
    take_restored(receiver);
}

/* RFC 4588 section 4: the original sequence number is in front of the payload. */
static void on_rtx(struct sim_receiver *receiver, struct rtp_view *rtp)
{
    if (rtp->payload_size < RTX_HEADER_BYTES || receiver->newest == 0)
        return; /* padding */
    int64_t number = sim_unwrap(receiver->newest, read_u16(rtp->payload));
    rtp->payload += RTX_HEADER_BYTES;
    rtp->payload_size -= RTX_HEADER_BYTES;
    receiver->recovered++;
    note_arrived(receiver, number);
    put_video(receiver, rtp, number);
}

void sim_receiver_rtp(struct sim_receiver *receiver, const uint8_t *data, size_t size)
{
    struct rtp_view rtp;
    receiver->received_bytes += size;
    receiver->feedback_bytes += size;
    receiver->remb.slots[receiver->remb.slot % SIM_REMB_SLOTS] += size;
    if (!view_rtp(data, size, &rtp))
        return;
    note_extensions(receiver, data, rtp.payload);
    if ((data[0] & RTP_PADDING_BIT) != 0)
        return; /* nothing else is in it */
    if (rtp.ssrc == receiver->settings.ssrc) {
        on_video(receiver, &rtp);
        sim_flexfec_video(&receiver->fec, data, size);
        take_restored(receiver);
    } else if (rtp.ssrc == receiver->settings.flexfec_ssrc) {
        on_repair(receiver, &rtp);
    } else if (rtp.ssrc == receiver->settings.rtx_ssrc) {
        on_rtx(receiver, &rtp);
    }
}

void sim_receiver_rtcp(struct sim_receiver *receiver, const uint8_t *data, size_t size)
{
    if (size < RTCP_SENDER_REPORT_BYTES || data[1] != 200)
        return;
    receiver->last_report = read_u32(data + 10); /* the middle of the NTP time */
    receiver->report_arrived_us = receiver->clock->now_us;
}

void sim_receiver_init(struct sim_receiver *receiver, struct sim_clock *clock,
                       const struct sim_receiver_settings *settings)
{
    memset(receiver, 0, sizeof(*receiver));
    receiver->clock = clock;
    receiver->settings = *settings;
    sim_frames_init(&receiver->frames);
    sim_flexfec_init(&receiver->fec, settings->ssrc, SIM_EXTENSION_TRANSPORT_CC,
                     SIM_EXTENSION_SEND_TIME);
    int64_t now_us = clock->now_us;
    receiver->shown_us = receiver->asked_us = now_us;
    receiver->remb.sent_us = receiver->remb.decreased_us = now_us;
    sim_at(clock, now_us + TICK_US, tick, receiver, NULL);
    sim_at(clock, now_us + REPORT_US, report_tick, receiver, NULL);
    if (settings->feedback == SIM_TRANSPORT_CC) {
        int64_t first_us = settings->feedback_us != 0 ? settings->feedback_us : 100000;
        sim_at(clock, now_us + first_us, feedback_tick, receiver, (void *)(intptr_t)first_us);
    } else if (settings->feedback == SIM_REMB) {
        sim_at(clock, now_us + REMB_SLOT_US, remb_tick, receiver, NULL);
    }
}
