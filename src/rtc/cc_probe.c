#include "rtc/cc_probe.h"

#include <string.h>

enum {
    MIN_PACKETS = 5,
    CLUSTER_US = 15000,
    UNSHAPED_BYTES = 3000, /* what a token bucket lets through at once */
    RESULT_TIMEOUT_US = 1000000,
    WANT_TIMEOUT_US = 500000,
    LIMITED_INTERVAL_US = 5000000,
    FIRST_PAUSE_US = 1000000,
    MAX_PAUSE_US = 16000000,
    RECOVERY_US = 5000000,
    RECOVERY_DELAY_US = 500000,
    BUDGET_US = 500000,
    MAX_SPAN_US = 1000000,
    TRUE_AFTER_US = 2000000, /* a raise that was not taken back by then was right */
};

static const double START = 3, NEXT = 2, FURTHER = 0.7; /* on, if that part of it got through */
static const double MIN_PART = 0.8, MAX_SPEED_UP = 2, THROUGH = 0.9, UTILISATION = 0.95;
static const double ALONE = 0.85; /* on a shared path a burst fits between those of the others */
static const double ROOM = 1.5;
static const double MISLED = 0.8;
static const double DROP = 0.66, RECOVERY = 0.85;
static const double LIMITED_USAGE = 0.65, LIMITED_ENTER = 0.80, LIMITED_LEAVE = 0.50;

void cc_prober_init(struct cc_prober *prober, int64_t now_us)
{
    memset(prober, 0, sizeof(*prober));
    prober->ended_us = prober->unused_us = now_us;
    prober->pause_us = FIRST_PAUSE_US;
    prober->raised_us = INT64_MIN;
    prober->limited_since_us = INT64_MAX;
}

bool cc_prober_is_limited(const struct cc_prober *prober)
{
    return prober->limited_since_us != INT64_MAX;
}

static void spend(struct cc_prober *prober, const struct cc_packet *packet, double target_bps)
{
    double bytes_per_us = LIMITED_USAGE * target_bps / 8e6, most = bytes_per_us * BUDGET_US;
    int64_t step_us = packet->send_us - prober->unused_us;
    step_us = step_us < 0 ? 0 : step_us > BUDGET_US ? BUDGET_US : step_us;
    prober->unused_us = packet->send_us;
    prober->unused_bytes += (double)step_us * bytes_per_us - packet->bytes;
    if (prober->unused_bytes > most)
        prober->unused_bytes = most;
    if (prober->unused_bytes < -most)
        prober->unused_bytes = -most;
    if (prober->unused_bytes > LIMITED_ENTER * most) {
        if (!cc_prober_is_limited(prober))
            prober->limited_since_us = packet->send_us;
    } else if (prober->unused_bytes < LIMITED_LEAVE * most) {
        prober->limited_since_us = INT64_MAX;
    }
}

static bool is_ours(const struct cc_prober *prober, uint16_t id)
{
    return prober->phase == CC_PROBE_SENT && id != 0 && (uint8_t)id == (uint8_t)prober->probe.id;
}

/* What leaves in between belongs to the burst, whatever it is. */
void cc_prober_sent(struct cc_prober *prober, const struct cc_packet *packet, double target_bps)
{
    if (packet->probe == 0)
        spend(prober, packet, target_bps);
    if (!is_ours(prober, packet->probe) && (prober->phase != CC_PROBE_SENT || prober->sent == 0 ||
                                            prober->sent_bytes >= prober->probe.bytes))
        return;
    if (prober->sent == 0)
        prober->first_send_us = packet->send_us;
    prober->last_send_us = packet->send_us;
    prober->last_bytes = packet->bytes;
    prober->sent_bytes += packet->bytes;
    prober->sent++;
}

static bool is_in_burst(const struct cc_prober *prober, const struct cc_result *result)
{
    return prober->phase == CC_PROBE_SENT && prober->sent > 0 &&
           result->send_us >= prober->first_send_us && result->send_us <= prober->last_send_us;
}

void cc_prober_result(struct cc_prober *prober, const struct cc_result *result)
{
    if (!result->received || !is_in_burst(prober, result))
        return;
    if (prober->received == 0) {
        prober->first_arrival_us = result->arrival_us;
        prober->first_bytes = result->bytes;
    }
    size_t unshaped = prober->probe.bytes / 2;
    unshaped = unshaped < UNSHAPED_BYTES ? unshaped : UNSHAPED_BYTES;
    if (prober->received_bytes < unshaped) {
        prober->mark_arrival_us = result->arrival_us;
        prober->marked_bytes = 0;
    } else {
        prober->marked_bytes += result->bytes;
    }
    if (prober->received == 0 || result->arrival_us > prober->last_arrival_us)
        prober->last_arrival_us = result->arrival_us;
    prober->received_bytes += result->bytes;
    prober->received++;
}

static void want(struct cc_prober *prober, int64_t now_us, double bps, double max_bps)
{
    bps = bps < max_bps ? bps : max_bps;
    uint16_t id = (uint16_t)(prober->last_id % 255 + 1); /* fits into a record */
    prober->last_id = id;
    prober->probe = (struct cc_probe){.id = id, .bps = (int)bps, .packets = MIN_PACKETS};
    prober->probe.bytes = UNSHAPED_BYTES + (size_t)(bps / 8e6 * CLUSTER_US);
    prober->phase = CC_PROBE_WANTED;
    prober->asked_us = now_us;
}

bool cc_prober_take(struct cc_prober *prober, int64_t now_us, struct cc_probe *out)
{
    if (prober->phase != CC_PROBE_WANTED)
        return false;
    *out = prober->probe;
    prober->phase = CC_PROBE_SENT;
    prober->asked_us = now_us;
    prober->sent = prober->received = 0;
    prober->sent_bytes = prober->received_bytes = prober->marked_bytes = 0;
    return true;
}

/* What the cluster showed: 0 = it is not complete yet, or not valid. */
static double measured_bps(const struct cc_prober *prober)
{
    if (prober->sent < MIN_PACKETS || prober->sent_bytes < prober->probe.bytes ||
        prober->received < MIN_PART * prober->sent ||
        prober->received_bytes < MIN_PART * prober->sent_bytes)
        return 0;
    int64_t send_us = prober->last_send_us - prober->first_send_us;
    int64_t arrival_us = prober->last_arrival_us - prober->first_arrival_us;
    int64_t rest_us = prober->last_arrival_us - prober->mark_arrival_us;
    if (send_us <= 0 || send_us > MAX_SPAN_US || arrival_us > MAX_SPAN_US)
        return 0;
    double send_bps = (prober->sent_bytes - prober->last_bytes) * 8e6 / (double)send_us;
    double arrival_bps = MAX_SPEED_UP * send_bps;
    if (arrival_us > 0)
        arrival_bps = (prober->received_bytes - prober->first_bytes) * 8e6 / (double)arrival_us;
    if (rest_us > 0 && prober->marked_bytes > 0) {
        double rest_bps = prober->marked_bytes * 8e6 / (double)rest_us;
        arrival_bps = rest_bps < arrival_bps ? rest_bps : arrival_bps;
    }
    if (arrival_bps > MAX_SPEED_UP * send_bps && arrival_us > 0)
        return 0;
    if (arrival_bps < THROUGH * send_bps)
        return UTILISATION * arrival_bps;
    return arrival_bps < send_bps ? arrival_bps : send_bps;
}

static void double_pause(struct cc_prober *prober)
{
    prober->pause_us = prober->pause_us * 2 < MAX_PAUSE_US ? prober->pause_us * 2 : MAX_PAUSE_US;
}

/* The cluster under way is over: its result, or none came. */
static double finish(struct cc_prober *prober, int64_t now_us, const struct cc_prober_input *in)
{
    if (prober->phase == CC_PROBE_WANTED && now_us - prober->asked_us > WANT_TIMEOUT_US)
        prober->phase = CC_PROBE_NONE;
    if (prober->phase != CC_PROBE_SENT)
        return 0;
    bool all = prober->sent > 0 && prober->received >= prober->sent &&
               prober->sent_bytes >= prober->probe.bytes;
    bool late = now_us - prober->asked_us > RESULT_TIMEOUT_US;
    if (!all && !late)
        return 0;
    double bps = measured_bps(prober);
    prober->phase = CC_PROBE_NONE;
    prober->ended_us = now_us;
    prober->last_failed = bps < FURTHER * prober->probe.bps;
    if (prober->last_failed) {
        if (bps <= in->target_bps)
            double_pause(prober);
    } else {
        prober->raised_us = now_us;
        prober->raised_bps = bps;
        if (in->calm && in->share >= ALONE && bps < in->max_bps && prober->probe.bps < in->max_bps)
            want(prober, now_us, NEXT * bps, in->max_bps);
    }
    return bps;
}

/* A hint that the path takes more, and long enough after the last probe? A rate that passed the
 * known capacity without a queue is a better hint than trains: those have to wait the longer the
 * more often they were wrong. */
static bool has_room(const struct cc_prober *prober, const struct cc_prober_input *in,
                     int64_t rest_us)
{
    if (in->train_bps > 0)
        return in->train_bps > ROOM * in->target_bps && rest_us >= prober->pause_us;
    return in->beyond_link && rest_us >= (prober->misled ? prober->pause_us : FIRST_PAUSE_US);
}

double cc_prober_update(struct cc_prober *prober, int64_t now_us, const struct cc_prober_input *in)
{
    double bps = finish(prober, now_us, in);
    if (prober->phase != CC_PROBE_NONE || bps > 0 || !in->calm || in->share < ALONE ||
        in->target_bps >= in->max_bps)
        return bps;
    if (prober->raised_us != INT64_MIN && now_us - prober->raised_us > TRUE_AFTER_US) {
        prober->raised_us = INT64_MIN;
        prober->pause_us = FIRST_PAUSE_US;
        prober->misled = false;
    }
    int64_t rest_us = now_us - prober->ended_us;
    if (!prober->started) {
        prober->started = true;
        want(prober, now_us, START * in->start_bps, in->max_bps);
    } else if (prober->returned) {
        prober->returned = false;
        want(prober, now_us, NEXT * in->target_bps, in->max_bps);
    } else if (prober->before_drop_bps > 0 && now_us - prober->dropped_us > RECOVERY_DELAY_US) {
        if (now_us - prober->dropped_us < RECOVERY_US &&
            RECOVERY * prober->before_drop_bps > in->target_bps &&
            (in->train_bps == 0 || in->train_bps > RECOVERY * prober->before_drop_bps))
            want(prober, now_us, RECOVERY * prober->before_drop_bps, in->max_bps);
        prober->before_drop_bps = 0;
    } else if (cc_prober_is_limited(prober)) {
        if (rest_us >= LIMITED_INTERVAL_US && now_us - prober->limited_since_us >= FIRST_PAUSE_US)
            want(prober, now_us, NEXT * in->target_bps, in->max_bps);
    } else if (has_room(prober, in, rest_us)) {
        want(prober, now_us, NEXT * in->target_bps, in->max_bps);
    }
    return bps;
}

void cc_prober_returned(struct cc_prober *prober)
{
    prober->returned = true;
}

void cc_prober_dropped(struct cc_prober *prober, int64_t now_us, double before_bps,
                       double after_bps)
{
    if (prober->phase == CC_PROBE_WANTED)
        prober->phase = CC_PROBE_NONE;
    if (prober->raised_us != INT64_MIN && after_bps < MISLED * prober->raised_bps) {
        prober->raised_us = INT64_MIN;
        prober->misled = true;
        double_pause(prober);
    }
    if (after_bps >= DROP * before_bps)
        return;
    prober->before_drop_bps = before_bps;
    prober->dropped_us = now_us;
}
