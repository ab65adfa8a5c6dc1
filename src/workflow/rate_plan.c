#include "workflow/rate_plan.h"

#include <math.h>

/* Bits per pixel at 30 fps below which another level is better: a smaller size (from the full one,
 * from a smaller one), fewer pictures a second. See the table in the header. */
static const double full_size_bits = 0.026, smaller_size_bits = 0.034, fewer_pictures_bits = 0.049;

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
    MUDDLE_US = 500000, /* a rate a little too small is endured for this long */
    FPS_PATIENCE_US = 1000000,
    SIZE_PATIENCE_US = 2000000,
    SIZE_PAUSE_US = 4000000, /* between two key frames for the sake of a better size */
    WIDTH_MIN = 16,
};

/* A measured rate of pictures wavers: less than this is no change. */
static const double fps_step = 0.15;

static const double much_less = 0.75, enough_more = 1.25, plenty_more = 2;

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

static void move(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in,
                 int index)
{
    if (level_at(in, index).part != level_at(in, plan->level).part)
        plan->resized_us = now_us;
    plan->level = index;
    plan->below_us = plan->above_us = 0;
}

static void go_down(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in,
                    double least_bps)
{
    plan->above_us = 0;
    if (plan->below_us == 0)
        plan->below_us = now_us;
    if (in->target_bps < much_less * least_bps || now_us - plan->below_us >= MUDDLE_US)
        move(plan, now_us, in, level_for(in, in->target_bps, 1));
}

static void go_up(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *in)
{
    plan->below_us = 0;
    if (level_for(in, in->target_bps, enough_more) >= plan->level) {
        plan->above_us = 0;
        return;
    }
    if (plan->above_us == 0) {
        plan->above_us = now_us;
        plan->above_bps = in->target_bps;
    }
    if (in->target_bps < plan->above_bps)
        plan->above_bps = in->target_bps;
    int better = level_for(in, plan->above_bps, enough_more);
    bool resize = level_at(in, better).part != level_at(in, plan->level).part;
    bool plenty = level_for(in, plan->above_bps, plenty_more) < plan->level;
    int64_t patience_us = resize && !plenty ? SIZE_PATIENCE_US : FPS_PATIENCE_US;
    if (now_us - plan->above_us < patience_us)
        return;
    if (resize && !plenty && now_us - plan->resized_us < SIZE_PAUSE_US)
        return;
    move(plan, now_us, in, better);
}

/* Another picture or other limits: what was chosen for the old ones says nothing. */
static bool is_another(const struct rate_plan_input *old, const struct rate_plan_input *in)
{
    return in->width != old->width || in->height != old->height ||
           in->width_part != old->width_part || in->max_fps != old->max_fps ||
           in->fixed != old->fixed;
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
    plan->below_us = plan->above_us = 0;
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
        move(plan, now_us, &in, level_for(&in, in.target_bps, 1));
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
