#include "rtc/cc_loss.h"

#include <math.h>
#include <string.h>

enum {
    OBSERVATION_US = 250000,
    MIN_OBSERVATIONS = 3,
    RAMP_WINDOW_US = 300000,
    FIRST_HOLD_US = 300000,
    MAX_HOLD_US = 60000000,
    HOLD_FACTOR = 2,
    MAX_CANDIDATES = 5,
};

static const double WEIGHT = 0.9, NEWTON_STEP = 0.75;
static const double FIRST_INHERENT = 0.01, MIN_INHERENT = 1e-3;
static const double BALANCE_BPS = 100e3, LOSS_OFFSET = 0.05, CALM_LOSS_OFFSET = 0.15;
static const double BIAS = 0.0002, LOG_BIAS = 0.02, BIAS_OFFSET = 0.15, BIAS_SMOOTHING = 0.002;
static const double RAMP = 1.5, RAMP_AFTER_HOLD = 1.2, HOLD_THRESHOLD = 1.3, RAMP_STEP = 1.3;
static const double NO_LOSS = 0.005;  /* no reason to be below what the delay allows */
static const double BURST_FACTOR = 2; /* a loss at twice the usual rate is not a spike */

struct pair {
    double inherent, limit_bps;
};

void cc_loss_init(struct cc_loss *loss)
{
    memset(loss, 0, sizeof(*loss));
    loss->observed_us = loss->ramp_us = loss->hold_until_us = INT64_MIN;
    loss->first_send_us = INT64_MAX;
    loss->last_send_us = INT64_MIN;
    loss->hold_duration_us = FIRST_HOLD_US;
    loss->inherent = FIRST_INHERENT;
    loss->bps = loss->hold_bps = INFINITY;
}

void cc_loss_packet(struct cc_loss *loss, int64_t send_us, uint32_t bytes, bool received,
                    bool again)
{
    struct cc_loss_observation *partial = &loss->partial;
    if (again) {
        if (partial->lost_bytes >= bytes)
            partial->lost_bytes -= bytes;
        return;
    }
    partial->bytes += bytes;
    partial->lost_bytes += received ? 0 : bytes;
    if (send_us < loss->first_send_us)
        loss->first_send_us = send_us;
    if (send_us > loss->last_send_us)
        loss->last_send_us = send_us;
}

static int seen(const struct cc_loss *loss)
{
    return loss->count < CC_LOSS_WINDOW ? loss->count : CC_LOSS_WINDOW;
}

/* The observation `age` before the newest. */
static const struct cc_loss_observation *observation(const struct cc_loss *loss, int age)
{
    return &loss->window[(loss->count - 1 - age) % CC_LOSS_WINDOW];
}

static double median_send_bps(const struct cc_loss *loss)
{
    double sorted[CC_LOSS_WINDOW];
    int count = seen(loss);
    for (int i = 0; i < count; i++) {
        double value = loss->window[i].send_bps;
        int at = i;
        for (; at > 0 && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    return count == 0       ? 0
           : count % 2 == 1 ? sorted[count / 2]
                            : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Weighted byte loss without the best and the worst observation, so that a spike is not believed
 * at once. */
static double average_loss(const struct cc_loss *loss)
{
    double bytes = 0, lost = 0, weight = 1, least = 2, most = -1, burst_bps = 0;
    double least_bytes = 0, least_lost = 0, most_bytes = 0, most_lost = 0;
    for (int age = 0; age < seen(loss); age++) {
        const struct cc_loss_observation *at = observation(loss, age);
        double part = at->bytes > 0 ? at->lost_bytes / at->bytes : 0;
        bytes += weight * at->bytes;
        lost += weight * at->lost_bytes;
        if (part > most) {
            most = part;
            most_bytes = weight * at->bytes;
            most_lost = weight * at->lost_bytes;
            burst_bps = at->send_bps;
        } else if (part < least) {
            least = part;
            least_bytes = weight * at->bytes;
            least_lost = weight * at->lost_bytes;
        }
        weight *= WEIGHT;
    }
    double rest = bytes - least_bytes - most_bytes;
    if (bytes <= 0)
        return 0;
    if (loss->count <= MIN_OBSERVATIONS || rest <= 0 ||
        BURST_FACTOR * median_send_bps(loss) <= burst_bps)
        return lost / bytes;
    return fmax(0, lost - least_lost - most_lost) / rest;
}

static bool end_observation(struct cc_loss *loss)
{
    if (loss->last_send_us == INT64_MIN)
        return false;
    if (loss->observed_us == INT64_MIN)
        loss->observed_us = loss->first_send_us;
    int64_t span_us = loss->last_send_us - loss->observed_us;
    if (span_us < OBSERVATION_US)
        return false;
    loss->observed_us = loss->last_send_us;
    loss->partial.send_bps = loss->partial.bytes * 8e6 / (double)span_us;
    loss->window[loss->count % CC_LOSS_WINDOW] = loss->partial;
    /* Counts on without end, in turns of the window. */
    loss->count = loss->count == 2 * CC_LOSS_WINDOW - 1 ? CC_LOSS_WINDOW : loss->count + 1;
    loss->partial = (struct cc_loss_observation){0};
    loss->first_send_us = INT64_MAX;
    loss->last_send_us = INT64_MIN;
    loss->average = average_loss(loss);
    return true;
}

static double loss_probability(const struct pair *pair, double send_bps)
{
    double probability = pair->inherent;
    if (send_bps > pair->limit_bps)
        probability += (1 - pair->inherent) * (send_bps - pair->limit_bps) / send_bps;
    return fmin(fmax(probability, 1e-6), 1 - 1e-6);
}

static double feasible(const struct cc_loss *loss, double inherent, double limit_bps)
{
    double most = limit_bps > 0 ? fmin(1, loss->offset + BALANCE_BPS / limit_bps) : 1;
    return fmin(fmax(inherent, MIN_INHERENT), most);
}

/* One step up the log-likelihood's slope. */
static void newton(const struct cc_loss *loss, struct pair *pair)
{
    double first = 0, second = 0, weight = 1;
    for (int age = 0; age < seen(loss); age++) {
        const struct cc_loss_observation *at = observation(loss, age);
        double p = loss_probability(pair, at->send_bps);
        double lost = at->lost_bytes / 1e3, kept = (at->bytes - at->lost_bytes) / 1e3;
        first += weight * (lost / p - kept / (1 - p));
        second -= weight * (lost / (p * p) + kept / ((1 - p) * (1 - p)));
        weight *= WEIGHT;
    }
    if (second < 0)
        pair->inherent =
            feasible(loss, pair->inherent - NEWTON_STEP * first / second, pair->limit_bps);
}

static double bias(const struct cc_loss *loss, double factor)
{
    double distance = loss->offset + BIAS_OFFSET - loss->average;
    return factor * distance / (BIAS_SMOOTHING + fabs(distance));
}

static double likelihood(const struct cc_loss *loss, const struct pair *pair)
{
    double sum = 0, weight = 1, kbps = pair->limit_bps / 1e3;
    double higher = bias(loss, BIAS) * kbps + bias(loss, LOG_BIAS) * log(1 + kbps);
    for (int age = 0; age < seen(loss); age++) {
        const struct cc_loss_observation *at = observation(loss, age);
        double p = loss_probability(pair, at->send_bps);
        double lost = at->lost_bytes / 1e3, kept = (at->bytes - at->lost_bytes) / 1e3;
        sum += weight * (lost * log(p) + kept * log(1 - p) + higher * (lost + kept));
        weight *= WEIGHT;
    }
    return sum;
}

static bool is_limited(const struct cc_loss *loss)
{
    return loss->state != CC_LOSS_FREE;
}

static struct pair best_pair(const struct cc_loss *loss, const struct cc_loss_input *in)
{
    static const double factors[] = {1.02, 1, 0.95};
    double candidates[MAX_CANDIDATES], best_sum = -INFINITY;
    int count = 0;
    for (int i = 0; i < 3; i++)
        candidates[count++] = factors[i] * loss->limit_bps;
    if (in->acknowledged_bps > 0 && !in->application_limited)
        candidates[count++] = in->acknowledged_bps;
    if (in->delay_bps > loss->limit_bps)
        candidates[count++] = in->delay_bps;
    double most =
        is_limited(loss) && loss->ramp_us != INT64_MIN ? loss->ramp_limit_bps : in->max_bps;
    most = fmax(most, loss->limit_bps);
    struct pair best = {.inherent = loss->inherent, .limit_bps = loss->limit_bps};
    for (int i = 0; i < count; i++) {
        double limit_bps = fmin(candidates[i], most);
        struct pair pair = {.inherent = feasible(loss, loss->inherent, limit_bps),
                            .limit_bps = limit_bps};
        newton(loss, &pair);
        double sum = likelihood(loss, &pair);
        if (sum > best_sum) {
            best_sum = sum;
            best = pair;
        }
    }
    return best;
}

/* How fast the limit may rise again after losses. */
static void bound_ramp(const struct cc_loss *loss, const struct cc_loss_input *in,
                       struct pair *best)
{
    if (loss->average > best->inherent && best->limit_bps > loss->limit_bps)
        best->limit_bps = loss->limit_bps;
    if (!is_limited(loss))
        return;
    if (loss->ramp_us != INT64_MIN && loss->ramp_us + RAMP_WINDOW_US > loss->observed_us)
        best->limit_bps = fmin(best->limit_bps, loss->ramp_limit_bps);
    bool rises = best->limit_bps > loss->limit_bps ||
                 (best->limit_bps >= loss->limit_bps && loss->state == CC_LOSS_INCREASING);
    if (!rises || in->acknowledged_bps <= 0)
        return;
    double factor =
        in->acknowledged_bps < HOLD_THRESHOLD * loss->hold_bps && isfinite(loss->hold_bps)
            ? RAMP_AFTER_HOLD
            : RAMP;
    best->limit_bps = fmax(loss->limit_bps, fmin(best->limit_bps, factor * in->acknowledged_bps));
    if (loss->state == CC_LOSS_DECREASING && best->limit_bps <= loss->limit_bps)
        best->limit_bps = loss->limit_bps + 1; /* the state is to change */
}

static double bounded(const struct cc_loss *loss, const struct cc_loss_input *in, double limit_bps)
{
    double most =
        loss->average > loss->offset ? BALANCE_BPS / (loss->average - loss->offset) : in->max_bps;
    double least = fmax(in->min_bps, in->acknowledged_bps);
    return fmax(least, fmin(fmin(limit_bps, most), in->delay_bps));
}

static void change_state(struct cc_loss *loss, const struct cc_loss_input *in, double bps)
{
    bool limited =
        bps < in->delay_bps && bps < in->max_bps && (is_limited(loss) || loss->average > NO_LOSS);
    bool rises = is_limited(loss) &&
                 (bps > loss->bps || (bps >= loss->bps && loss->state == CC_LOSS_INCREASING));
    if (limited && rises) {
        loss->state = CC_LOSS_INCREASING;
    } else if (limited) {
        if (loss->state != CC_LOSS_DECREASING) {
            loss->hold_until_us = loss->observed_us + loss->hold_duration_us;
            loss->hold_bps = bps;
            loss->hold_duration_us *= HOLD_FACTOR;
            if (loss->hold_duration_us > MAX_HOLD_US)
                loss->hold_duration_us = MAX_HOLD_US;
        }
        loss->state = CC_LOSS_DECREASING;
    } else {
        loss->hold_until_us = INT64_MIN;
        loss->hold_duration_us = FIRST_HOLD_US;
        loss->hold_bps = INFINITY;
        loss->state = CC_LOSS_FREE;
        loss->limit_bps = fmax(loss->limit_bps, in->delay_bps);
    }
    loss->bps = bps;
}

void cc_loss_update(struct cc_loss *loss, const struct cc_loss_input *in)
{
    if (!end_observation(loss))
        return;
    loss->offset = in->calm ? CALM_LOSS_OFFSET : LOSS_OFFSET;
    if (loss->limit_bps <= 0)
        loss->limit_bps = in->delay_bps;
    struct pair best = best_pair(loss, in);
    bound_ramp(loss, in, &best);
    double bps = bounded(loss, in, best.limit_bps);
    double least = fmax(in->min_bps, in->acknowledged_bps);
    if (bps < best.limit_bps) {
        loss->limit_bps = bps;
        loss->inherent = 0;
    } else {
        loss->limit_bps = fmax(best.limit_bps, least);
        loss->inherent = best.inherent;
    }
    if (loss->count < MIN_OBSERVATIONS) {
        loss->bps = INFINITY;
        return;
    }
    if (loss->state == CC_LOSS_DECREASING && loss->hold_until_us > loss->observed_us &&
        bps < in->delay_bps) {
        loss->hold_bps = fmax(loss->hold_bps, least);
        loss->bps = fmin(loss->hold_bps, bps);
        return;
    }
    change_state(loss, in, bps);
    if (is_limited(loss) &&
        (loss->ramp_us == INT64_MIN || loss->ramp_us + RAMP_WINDOW_US < loss->observed_us)) {
        loss->ramp_limit_bps = fmax(in->min_bps, loss->limit_bps * RAMP_STEP);
        loss->ramp_us = loss->observed_us;
    }
}
