#include "rtc/tier.h"

enum {
    MOVING_STEPS = 2, /* with fewer it is an outage */
    CALM_QUEUE_US = 100000,
    ANSWER_US = 800000,    /* what is not heard of by then after a stage is taken for lost */
    MISTAKE_US = 20000000, /* back so soon: the return was a mistake */
};

/* Of a probe, in parts of the lowest video's rate. */
static const struct stage {
    double part;
    int packets;
} stages[] = {{0, 0}, {0.6, 8}, {1.25, 32}};

/* So much of the lowest video must have arrived in the last steps. */
static const struct span {
    int steps;
    double part;
} spans[] = {{20, 0.45}, {TIER_STEPS - 1, 0.75}};

static const double choked_part = 0.7; /* of the steps */

enum { LAST_STAGE = sizeof stages / sizeof stages[0] - 1 };

static const double through = 0.85; /* this part of a stage arrived */

/* The datagram of a packet of padding: headers and protection. */
static const double padding_bits = 8.0 * (TIER_PADDING_BYTES + 48);

void tier_init(struct tier *tier, int64_t now_us)
{
    *tier = (struct tier){.step_us = INT64_MIN,
                          .changed_us = now_us - 2 * (int64_t)MISTAKE_US,
                          .pause_us = TIER_PROBE_PAUSE_US};
}

static void forget_steps(struct tier *tier)
{
    tier->steps = 0;
    tier->choked = tier->moving = 0;
    tier->choked_now = false;
    tier->step_us = INT64_MIN;
}

static int count_bits(uint64_t bits)
{
    int count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* arrived[] and the bits are rings by the number of the step. */
static bool is_below(const struct tier *tier, const struct span *span)
{
    if (tier->steps <= span->steps)
        return false;
    uint64_t bytes = tier->arrived[(tier->steps - 1) % TIER_STEPS] -
                     tier->arrived[(tier->steps - 1 - span->steps) % TIER_STEPS];
    uint64_t mask = ((uint64_t)1 << span->steps) - 1;
    double bps = (double)bytes * 8e6 / ((double)span->steps * TIER_STEP_US);
    return bps < span->part * tier->lowest_bps &&
           count_bits(tier->choked & mask) >= choked_part * span->steps &&
           count_bits(tier->moving & mask) >= MOVING_STEPS;
}

static void end_step(struct tier *tier, int64_t now_us, const struct tier_input *in)
{
    bool moved =
        tier->steps > 0 && in->arrived_bytes > tier->arrived[(tier->steps - 1) % TIER_STEPS];
    tier->arrived[tier->steps++ % TIER_STEPS] = in->arrived_bytes;
    tier->moving = tier->moving << 1 | (moved && tier->choked_now);
    tier->choked = tier->choked << 1 | tier->choked_now;
    tier->choked_now = false;
    tier->step_us = now_us;
    tier->narrow = is_below(tier, &spans[0]) || is_below(tier, &spans[1]);
}

static void go_down(struct tier *tier, int64_t now_us)
{
    int64_t stayed_us = now_us - tier->changed_us;
    if (stayed_us > MISTAKE_US)
        tier->pause_us = TIER_PROBE_PAUSE_US;
    else if (tier->pause_us < TIER_PROBE_MAX_PAUSE_US)
        tier->pause_us *= 2;
    tier->vector = true;
    tier->changed_us = now_us;
    tier->probe_us = now_us + tier->pause_us;
    tier->stage = 0;
}

static void go_up(struct tier *tier, int64_t now_us)
{
    tier->vector = tier->narrow = false;
    tier->changed_us = now_us;
    tier->stage = 0;
    forget_steps(tier);
}

/* Steps last as long as what calls makes them: a little longer than they should. */
static bool watch(struct tier *tier, int64_t now_us, const struct tier_input *in)
{
    tier->choked_now |= in->choked;
    if (tier->step_us == INT64_MIN)
        tier->step_us = now_us;
    if (now_us - tier->step_us > TIER_STEPS * TIER_STEP_US)
        forget_steps(tier); /* nobody called: nothing was to be sent */
    else if (now_us - tier->step_us >= TIER_STEP_US)
        end_step(tier, now_us, in);
    if (!tier->narrow || !in->possible)
        return false;
    go_down(tier, now_us);
    return true;
}

static void begin_stage(struct tier *tier, int64_t now_us, const struct tier_input *in, int stage)
{
    tier->stage = stage;
    tier->probe_us = now_us;
    tier->packets = 0;
    tier->bytes = 0;
    tier->arrived_before = in->arrived_bytes;
}

static void fail(struct tier *tier, int64_t now_us)
{
    tier->stage = 0;
    tier->probe_us = now_us + tier->pause_us;
}

/* How long so many packets of the stage take. */
static int64_t padding_us(const struct tier *tier, int packets)
{
    return (int64_t)(packets * padding_bits * 1e6 / (stages[tier->stage].part * tier->lowest_bps));
}

static int64_t stage_us(const struct tier *tier)
{
    return padding_us(tier, stages[tier->stage].packets);
}

static bool probe(struct tier *tier, int64_t now_us, const struct tier_input *in)
{
    if (tier->stage == 0) {
        if (now_us >= tier->probe_us)
            begin_stage(tier, now_us, in, 1);
        return false;
    }
    uint64_t arrived = in->arrived_bytes - tier->arrived_before;
    bool all = tier->packets >= stages[tier->stage].packets;
    if (arrived > 0 && in->queue_us > CALM_QUEUE_US) {
        fail(tier, now_us);
    } else if (all && (double)arrived >= through * (double)tier->bytes) {
        if (tier->stage == LAST_STAGE)
            return true;
        begin_stage(tier, now_us, in, tier->stage + 1);
    } else if (now_us - tier->probe_us > stage_us(tier) + ANSWER_US) {
        fail(tier, now_us);
    }
    return false;
}

bool tier_update(struct tier *tier, int64_t now_us, const struct tier_input *in)
{
    int lowest_bps = in->lowest_bps < TIER_LOWEST_MAX_BPS ? in->lowest_bps : TIER_LOWEST_MAX_BPS;
    tier->lowest_bps = lowest_bps > TIER_LOWEST_MIN_BPS ? lowest_bps : TIER_LOWEST_MIN_BPS;
    if (!tier->vector)
        return watch(tier, now_us, in);
    if (in->possible && !probe(tier, now_us, in))
        return false;
    go_up(tier, now_us);
    return true;
}

static int64_t next_padding_us(const struct tier *tier)
{
    return tier->probe_us + padding_us(tier, tier->packets);
}

bool tier_wants_padding(const struct tier *tier, int64_t now_us)
{
    return tier->vector && tier->stage > 0 && tier->packets < stages[tier->stage].packets &&
           now_us >= next_padding_us(tier);
}

void tier_padding_sent(struct tier *tier, size_t bytes)
{
    tier->packets++;
    tier->bytes += bytes;
}

int64_t tier_deadline(const struct tier *tier)
{
    if (!tier->vector) /* a step ends; without any traffic there is none */
        return tier->choked_now || (tier->choked & 1) != 0 ? tier->step_us + TIER_STEP_US
                                                           : INT64_MAX;
    if (tier->stage == 0)
        return tier->probe_us;
    if (tier->packets < stages[tier->stage].packets)
        return next_padding_us(tier);
    return tier->probe_us + stage_us(tier) + ANSWER_US + 1;
}
