#include "rtc/tier.h"

enum {
    CHOKED_STEPS = 14,   /* of TIER_STEPS */
    SILENT_US = 1500000, /* nothing heard for this long: an outage */
    CALM_QUEUE_US = 100000,
    ANSWER_US = 800000,    /* what is not heard of by then after a stage is taken for lost */
    MISTAKE_US = 20000000, /* back so soon: the return was a mistake */
};

/* What a path must take for video to return: the second stage is more than the lowest video. */
static const struct stage {
    int bps, packets;
} stages[] = {{0, 0}, {48000, 8}, {96000, 24}};

enum { LAST_STAGE = sizeof stages / sizeof stages[0] - 1 };

static const double through = 0.85; /* this part of a stage arrived */

/* The datagram of a packet of padding: headers and protection. */
static const double padding_bits = 8.0 * (TIER_PADDING_BYTES + 48);

void tier_init(struct tier *tier, int64_t now_us)
{
    *tier =
        (struct tier){.step_us = INT64_MIN, .changed_us = now_us, .pause_us = TIER_PROBE_PAUSE_US};
}

static void forget_steps(struct tier *tier)
{
    tier->steps = 0;
    tier->choked = 0;
    tier->choked_now = false;
    tier->step_us = INT64_MIN;
}

static int count_bits(uint32_t bits)
{
    int count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* arrived[] is a ring by the number of the step; what stood at the beginning of the oldest one. */
static void end_step(struct tier *tier, int64_t now_us, const struct tier_input *in)
{
    uint64_t oldest = tier->arrived[tier->steps % TIER_STEPS];
    bool full = tier->steps >= TIER_STEPS;
    tier->arrived[tier->steps++ % TIER_STEPS] = in->arrived_bytes;
    tier->choked = (tier->choked << 1 | tier->choked_now) & ((1u << TIER_STEPS) - 1);
    tier->choked_now = false;
    tier->step_us = now_us;
    double seconds = (double)TIER_STEPS * TIER_STEP_US / 1e6;
    double bps = (double)(in->arrived_bytes - oldest) * 8 / seconds;
    tier->narrow = full && in->feedback_us > now_us - SILENT_US &&
                   count_bits(tier->choked) >= CHOKED_STEPS && bps < TIER_FLOOR_BPS;
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

static int64_t stage_us(const struct tier *tier)
{
    const struct stage *stage = &stages[tier->stage];
    return (int64_t)(stage->packets * padding_bits * 1e6 / stage->bps);
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
    if (!tier->vector)
        return watch(tier, now_us, in);
    if (in->possible && !probe(tier, now_us, in))
        return false;
    go_up(tier, now_us);
    return true;
}

static int64_t next_padding_us(const struct tier *tier)
{
    const struct stage *stage = &stages[tier->stage];
    return tier->probe_us + (int64_t)(tier->packets * padding_bits * 1e6 / stage->bps);
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
