#include "rtc/cc_aimd.h"

#include <math.h>
#include <string.h>

enum {
    DEFAULT_ROUND_TRIP_US = 200000,
    RESPONSE_EXTRA_US = 100000,
    COMPETING_ROUND_TRIP_US = 300000,
    MIN_REDUCE_INTERVAL_US = 10000,
    MAX_REDUCE_INTERVAL_US = 200000,
    MAX_STEP_US = 1000000,
};

static const double DECREASE = 0.85, DRAINED_DECREASE = 0.88, DECREASE_BPS = 5000;
static const double ALONE = 0.85, SHARED_DECREASE = 0.96, SHARED_DECREASE_STEP = 0.16;
static const double MIN_GROWTH = 0.08, MAX_GROWTH = 0.5, GROWTH_DOUBLES_US = 400e3;
static const double LARGE_PACKET_BYTES = 1200; /* a slow sender has small ones only */
static const double CAP_FACTOR = 1.5, CAP_BPS = 10000;
static const double LINK_GAIN = 0.05, MIN_DEVIATION = 0.4, MAX_DEVIATION = 2.5;
static const double COMPETING_DECREASE = 0.85, COMPETING_LEAST = 0.5, COMPETING_SHARE = 0.6;
static const double SHARED_INCREASE = 0.02; /* of what the bottleneck lets through, a second */
static const double CROWDED_LEAST = 0.8;    /* of the rate, at one step */
/* Quickly up to this part of the known capacity, in about this time, then slowly … */
static const double NEAR_LINK = 0.97, NEAR_LINK_S = 1, NEAR_LINK_GROWTH = 0.01;
/* … while the bottleneck passes no more than this part of it. */
static const double STILL_LINK = 1.25;
static const double BEYOND_LINK = 1.05;

void cc_aimd_init(struct cc_aimd *aimd, int64_t now_us, double start_bps)
{
    memset(aimd, 0, sizeof(*aimd));
    aimd->bps = start_bps;
    aimd->link_deviation = MIN_DEVIATION;
    aimd->growth = MIN_GROWTH;
    aimd->updated_us = now_us;
    aimd->decreased_us = now_us - MAX_STEP_US;
}

static double link_spread_bps(const struct cc_aimd *aimd)
{
    return 3e3 * sqrt(aimd->link_deviation * aimd->link_bps / 1e3);
}

static void learn_link(struct cc_aimd *aimd, double bps)
{
    if (aimd->link_bps > 0 && fabs(bps - aimd->link_bps) > link_spread_bps(aimd)) {
        aimd->link_bps = 0; /* another link, in effect */
        aimd->link_deviation = MIN_DEVIATION;
    }
    double error = aimd->link_bps == 0 ? 0 : bps - aimd->link_bps;
    aimd->link_bps = aimd->link_bps == 0 ? bps : aimd->link_bps + LINK_GAIN * error;
    double normal = error * error / fmax(aimd->link_bps, 1) / 1e3;
    aimd->link_deviation += LINK_GAIN * (normal - aimd->link_deviation);
    aimd->link_deviation = fmin(fmax(aimd->link_deviation, MIN_DEVIATION), MAX_DEVIATION);
}

bool cc_aimd_beyond_link(const struct cc_aimd *aimd)
{
    return aimd->link_bps == 0 || aimd->bps > BEYOND_LINK * aimd->link_bps;
}

/* Not again for the same queue: a decrease shows in the feedback a round trip later. */
static bool may_decrease(const struct cc_aimd *aimd, int64_t now_us, const struct cc_aimd_input *in)
{
    int64_t wait_us = in->round_trip_us;
    wait_us = wait_us < MIN_REDUCE_INTERVAL_US ? MIN_REDUCE_INTERVAL_US : wait_us;
    wait_us = wait_us > MAX_REDUCE_INTERVAL_US ? MAX_REDUCE_INTERVAL_US : wait_us;
    return now_us - aimd->decreased_us >= wait_us ||
           (in->acknowledged_bps > 0 && in->acknowledged_bps < aimd->bps / 2);
}

/* Of a full path the larger flow gives way more, so that flows come to share it evenly. */
static double decrease_factor(const struct cc_aimd_input *in)
{
    if (in->share < ALONE)
        return SHARED_DECREASE - SHARED_DECREASE_STEP * in->share;
    return in->drained ? DRAINED_DECREASE : DECREASE;
}

/* The bottleneck is as fast as ever, only others' packets came in between: many a burst is over
 * soon, so our part of it is not what is ours from now on. */
static bool is_crowded(const struct cc_aimd_input *in)
{
    return in->busy_bps > 0 && in->busy_bps < ALONE * in->newest_train_bps;
}

static void decrease(struct cc_aimd *aimd, int64_t now_us, const struct cc_aimd_input *in)
{
    double measured = in->busy_bps > 0 ? in->busy_bps : in->acknowledged_bps;
    double factor = decrease_factor(in);
    double bps =
        measured > 0 ? factor * measured - (in->drained ? 0 : DECREASE_BPS) : aimd->bps / 2;
    aimd->least_bps = is_crowded(in) ? CROWDED_LEAST * aimd->bps : 0;
    bps = fmax(bps, aimd->least_bps);
    if (bps > aimd->bps && aimd->link_bps > 0)
        bps = factor * aimd->link_bps;
    if (bps < aimd->bps)
        aimd->bps = bps;
    if (measured > 0)
        learn_link(aimd, measured);
    aimd->decreased_us = now_us;
    aimd->growth = MIN_GROWTH;
    aimd->state = CC_HOLD;
}

/* Frames still arrive as far apart as a path of the known capacity makes them. */
static bool is_still_the_link(const struct cc_aimd *aimd, const struct cc_aimd_input *in)
{
    return in->most_bps > 0 && in->most_bps < STILL_LINK * aimd->link_bps;
}

/* How much more a second: the less, the nearer to the known capacity, for what goes beyond it
 * stands in the queue until that is noticed. At a low rate a packet more is much. */
static double near_link_bps(const struct cc_aimd *aimd)
{
    return fmax(NEAR_LINK_GROWTH * aimd->link_bps,
                (NEAR_LINK * aimd->link_bps - aimd->bps) / NEAR_LINK_S);
}

static void increase(struct cc_aimd *aimd, double step_s, const struct cc_aimd_input *in)
{
    double more;
    if (!cc_aimd_beyond_link(aimd)) {
        int64_t round_trip_us = in->round_trip_us > 0 ? in->round_trip_us : DEFAULT_ROUND_TRIP_US;
        double response_s = 2 * (double)(round_trip_us + RESPONSE_EXTRA_US) / 1e6;
        more = fmax(in->packet_bytes, LARGE_PACKET_BYTES) * 8 / response_s;
        if (is_still_the_link(aimd, in))
            more = fmin(more, near_link_bps(aimd));
        /* The same for all who share it, so that they come to share it evenly. */
        if (in->share < ALONE)
            more = fmax(more, SHARED_INCREASE * in->train_bps);
        aimd->growth = MIN_GROWTH;
    } else {
        more = aimd->bps * aimd->growth;
        aimd->growth = fmin(MAX_GROWTH, aimd->growth * exp2(step_s * 1e6 / GROWTH_DOUBLES_US));
    }
    double bps = aimd->bps + more * step_s;
    if (in->acknowledged_bps > 0)
        bps = fmin(bps, CAP_FACTOR * in->acknowledged_bps + CAP_BPS);
    aimd->bps = fmax(aimd->bps, bps);
}

/* Against senders that only give way to loss: rise and give way as they do. */
static void compete(struct cc_aimd *aimd, int64_t now_us, double step_s,
                    const struct cc_aimd_input *in)
{
    int64_t round_trip_us = in->round_trip_us > 0 ? in->round_trip_us : DEFAULT_ROUND_TRIP_US;
    if (in->lost) {
        if (now_us - aimd->decreased_us < round_trip_us + MAX_REDUCE_INTERVAL_US)
            return;
        aimd->bps = fmin(aimd->bps, fmax(COMPETING_DECREASE * aimd->bps,
                                         COMPETING_LEAST * in->acknowledged_bps));
        aimd->decreased_us = now_us;
        aimd->state = CC_HOLD;
        return;
    }
    /* Cubic's growth does not slow down with a long round trip as Reno's does. */
    double round_trip_s =
        fmin(fmax((double)round_trip_us, RESPONSE_EXTRA_US), COMPETING_ROUND_TRIP_US) / 1e6;
    double bps = aimd->bps + in->packet_bytes * 8 / round_trip_s / round_trip_s * step_s;
    if (in->acknowledged_bps > 0)
        bps = fmin(bps, CAP_FACTOR * in->acknowledged_bps + CAP_BPS);
    if (in->train_bps == 0 || aimd->bps < COMPETING_SHARE * in->train_bps)
        aimd->bps = fmax(aimd->bps, bps);
    aimd->state = CC_INCREASE;
}

void cc_aimd_update(struct cc_aimd *aimd, int64_t now_us, const struct cc_aimd_input *in)
{
    int64_t step_us = now_us - aimd->updated_us;
    step_us = step_us < 0 ? 0 : step_us > MAX_STEP_US ? MAX_STEP_US : step_us;
    aimd->updated_us = now_us;
    if (in->shared) {
        compete(aimd, now_us, (double)step_us / 1e6, in);
        return;
    }
    if (in->overuse) {
        if (may_decrease(aimd, now_us, in))
            decrease(aimd, now_us, in);
        return;
    }
    if (in->holding) {
        /* What is arriving now was sent before: it tells the capacity, more exactly by the time. */
        double bps = decrease_factor(in) * in->busy_bps;
        if (!is_crowded(in))
            aimd->least_bps = 0;
        bps = fmax(bps, aimd->least_bps);
        if (in->busy_bps > 0 && bps < aimd->bps) {
            aimd->bps = bps;
            aimd->link_bps = in->busy_bps;
        }
        return;
    }
    if (in->underuse || in->standing) {
        aimd->state = CC_HOLD;
        aimd->growth = MIN_GROWTH;
        return;
    }
    aimd->state = CC_INCREASE;
    increase(aimd, (double)step_us / 1e6, in);
}

void cc_aimd_raise(struct cc_aimd *aimd, int64_t now_us, double bps)
{
    if (bps <= aimd->bps)
        return;
    aimd->bps = bps;
    aimd->updated_us = now_us;
    if (bps > aimd->link_bps)
        aimd->link_bps = 0;
}
