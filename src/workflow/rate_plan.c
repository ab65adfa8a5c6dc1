#include "workflow/rate_plan.h"

#include <math.h>

/* Bits per pixel at 30 fps below which another level is better: a smaller size (from the full one,
 * from a smaller one), fewer pictures a second (their better looks must be worth the lost motion).
 * See the table in the header. */
static const double full_size_bits = 0.026, smaller_size_bits = 0.034, fewer_pictures_bits = 0.04;

/* Widths as parts of the full one. The scaler averages or interpolates, any part is as good. */
static const double parts[] = {1, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125, 0.0625};

/* Limits of pictures a second, and how wide (as a 16:9 picture of that many pixels) a picture is
 * made at most before the next limit: motion first, then size, in turns. */
static const struct stage {
    double max_fps, width;
} stages[] = {{INFINITY, INFINITY}, {30, 480}, {15, 360}, {10, 240}, {5, 240}, {2, 240}, {1, 240}};

enum {
    PARTS = sizeof parts / sizeof parts[0],
    STAGES = sizeof stages / sizeof stages[0],
    MUDDLE_US = 500000,      /* a rate a little too small is endured for this long */
    SIZE_PAUSE_US = 4000000, /* between two key frames for the sake of a better size */
    WIDTH_MIN = 16,
};

/* A measured rate of pictures wavers: less than this is no change. */
static const double fps_step = 0.15;

static const double much_less = 0.75;

/* How much more than a better level needs must be there for how long: the thinner, the longer. The
 * last row is for limits that a rate cannot exceed, like a preset's, little above what is needed.
 */
static const struct climb {
    double margin;
    int64_t fps_patience_us, size_patience_us;
} climbs[RATE_PLAN_CLIMBS] = {
    {2, 1000000, 1000000},
    {1.25, 1000000, 2000000},
    {1.05, 4000000, 8000000},
};

/* A level: one step further in one of the two directions than the one before. */
struct level {
    int part, stage;
};

/* Of the size that the plan's limit leaves. */
static double full_width(const struct rate_plan_input *in)
{
    double part = in->width_part > 0 && in->width_part < 1 ? in->width_part : 1;
    return in->width * part;
}

static double pixels(const struct rate_plan_input *in, int part)
{
    double width = full_width(in) * parts[part];
    return width * width * in->height / in->width;
}

/* Every how many-th picture is encoded: whole numbers, so that motion stays even. */
static int divisor(double fps, int stage)
{
    double limit = stages[stage].max_fps;
    return isinf(limit) ? 1 : (int)fmax(ceil(fps / limit - 0.2), 1);
}

static double level_fps(const struct rate_plan_input *in, int stage)
{
    return in->fps / divisor(in->fps, stage);
}

/* The level below; false when there is none. Limits that change nothing are passed over. */
static bool next_level(const struct rate_plan_input *in, struct level *level)
{
    double wide = sqrt(pixels(in, level->part) * 16 / 9);
    if (wide > stages[level->stage].width + 1 && level->part + 1 < PARTS) {
        level->part++;
        return true;
    }
    int now = divisor(in->fps, level->stage);
    for (int stage = level->stage + 1; stage < STAGES; stage++) {
        level->stage = stage;
        wide = sqrt(pixels(in, level->part) * 16 / 9);
        if (divisor(in->fps, stage) > now)
            return true;
        if (wide > stages[stage].width + 1 && level->part + 1 < PARTS) {
            level->part++;
            return true;
        }
    }
    return false;
}

/* The rate below which the level after this one is better; 0 for the last one. */
static double floor_bps(const struct rate_plan_input *in, struct level level)
{
    struct level next = level;
    if (!next_level(in, &next))
        return 0;
    double bits = next.part == level.part ? fewer_pictures_bits
                  : level.part == 0       ? full_size_bits
                                          : smaller_size_bits;
    double fps = level_fps(in, level.stage);
    return bits * sqrt(30 / fps) * fps * pixels(in, level.part);
}

static struct level level_at(const struct rate_plan_input *in, int index)
{
    struct level level = {0, 0};
    for (int i = 0; i < index; i++)
        next_level(in, &level);
    return level;
}

/* The first level that `bps` is enough for, with `margin` to spare for what it needs. */
static int level_for(const struct rate_plan_input *in, double bps, double margin)
{
    struct level level = {0, 0};
    int index = 0;
    while (bps < margin * floor_bps(in, level) && next_level(in, &level))
        index++;
    return index;
}

static void forget_waits(struct rate_plan *plan)
{
    plan->below_us = 0;
    for (int i = 0; i < RATE_PLAN_CLIMBS; i++)
        plan->above[i].since_us = 0;
}

static void move(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in,
                 int index)
{
    if (level_at(in, index).part != level_at(in, plan->level).part)
        plan->resized_us = now_us;
    plan->level = index; /* waits for a level better still go on */
}

static void go_down(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in,
                    double least_bps)
{
    int64_t below_us = plan->below_us ? plan->below_us : now_us;
    forget_waits(plan);
    plan->below_us = below_us;
    if (in->target_bps >= much_less * least_bps && now_us - below_us < MUDDLE_US)
        return;
    move(plan, now_us, in, level_for(in, in->target_bps, 1));
    plan->below_us = 0;
}

/* The level that the rate has been good for with this margin, for as long as it must. */
static int climb_to(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in,
                    int row)
{
    const struct climb *climb = &climbs[row];
    struct rate_plan_wait *wait = &plan->above[row];
    if (level_for(in, in->target_bps, climb->margin) >= plan->level) {
        wait->since_us = 0;
        return plan->level;
    }
    if (wait->since_us == 0)
        *wait = (struct rate_plan_wait){now_us, in->target_bps};
    if (in->target_bps < wait->least_bps)
        wait->least_bps = in->target_bps;
    int better = level_for(in, wait->least_bps, climb->margin);
    bool resize = level_at(in, better).part != level_at(in, plan->level).part;
    int64_t patience_us = resize ? climb->size_patience_us : climb->fps_patience_us;
    bool pause = resize && row > 0 && now_us - plan->resized_us < SIZE_PAUSE_US;
    return now_us - wait->since_us < patience_us || pause ? plan->level : better;
}

static void go_up(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in)
{
    plan->below_us = 0;
    for (int row = 0; row < RATE_PLAN_CLIMBS; row++) {
        int better = climb_to(plan, now_us, in, row);
        if (better < plan->level) {
            move(plan, now_us, in, better);
            return;
        }
    }
}

/* Another picture or other limits: what was chosen for the old ones says nothing. */
static bool is_another(const struct rate_plan_input *old, const struct rate_plan_input *in)
{
    return in->width != old->width || in->height != old->height ||
           in->width_part != old->width_part || in->max_fps != old->max_fps ||
           in->fixed != old->fixed;
}

static void start_anew(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in)
{
    forget_waits(plan);
    plan->level = level_for(in, in->target_bps, 1);
    plan->resized_us = now_us;
}

/* More or fewer pictures come than before. A smaller size is taken if it needs be, but a larger one
 * with patience as always: the rate of pictures may waver. */
static void follow_fps(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in,
                       int old_part)
{
    int index = level_for(in, in->target_bps, 1);
    struct level level = level_at(in, index);
    while (level.part < old_part && next_level(in, &level))
        index++;
    plan->level = index;
    forget_waits(plan);
    if (level.part != old_part)
        plan->resized_us = now_us;
}

static void choose(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in)
{
    double least_bps = floor_bps(in, level_at(in, plan->level));
    if (in->target_bps < least_bps)
        go_down(plan, now_us, in, least_bps);
    else
        go_up(plan, now_us, in);
}

void rate_plan_update(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *input,
                      struct rate_plan_output *out)
{
    struct rate_plan_input in = *input, old = plan->input;
    if (!(in.fps > 0))
        in.fps = 30;
    if (in.max_fps > 0 && in.fps > in.max_fps)
        in.fps = in.max_fps;
    bool other_fps = fabs(in.fps - old.fps) > fps_step * old.fps;
    if (!other_fps)
        in.fps = old.fps;
    plan->input = in;
    if (in.fixed)
        plan->level = 0;
    else if (is_another(&old, &in))
        start_anew(plan, now_us, &in);
    else if (other_fps)
        follow_fps(plan, now_us, &in, level_at(&old, plan->level).part);
    else
        choose(plan, now_us, &in);
    struct level level = level_at(&in, plan->level);
    int width = 2 * (int)(full_width(&in) * parts[level.part] / 2 + 0.5);
    bool own = level.part == 0 && !(in.width_part > 0 && in.width_part < 1);
    *out = (struct rate_plan_output){
        .width = own                 ? in.width
                 : width > WIDTH_MIN ? width
                                     : WIDTH_MIN,
        .fps = fmax(level_fps(&in, level.stage), fmin(in.fps, 1)),
    };
}
