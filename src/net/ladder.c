#include "net/ladder.h"

enum {
    PATIENCE_US = 1500000,
    PATIENCE_MAX_US = 24000000,
    CLIMB_FAILED_US = 10000000, /* going down this soon after going up: the climb was a mistake */
    FORGIVEN_US = 30000000,     /* after this long on a rung nobody remembers such mistakes */
    SETTLE_US = 2000000,        /* one viewer for this long is a lone one */
};

/* A viewer stays while its path takes nearly all of its rung, and goes up when it takes more than
 * the better one's. What a target leaves for the encoder never reaches max_bps: a twentieth to a
 * tenth of it are headers and repair. So rungs near that limit ask for a part of the limit, and the
 * rung's rate follows the slowest of its viewers that much. */
static const double stay_part = 0.95, climb_part = 1.1;
static const double stay_limit_part = 0.82, climb_limit_part = 0.88;

/* The rate of a rung is at most this part of the one above it, or it is not worth an encoder. */
static const double step_part = 0.8;

static const struct ladder_rung_settings usual[RENDITION_SHARED] = {
    {1, 1}, {0.4, 0.66}, {0.16, 0.5}};

static double rate_part(const struct ladder_settings *settings, int rung)
{
    double part = settings->rungs[rung].rate_part;
    return part > 0 && part <= 1 ? part : usual[rung].rate_part;
}

static double width_part(const struct ladder_settings *settings, int rung)
{
    double part = settings->rungs[rung].width_part;
    return part > 0 && part <= 1 ? part : usual[rung].width_part;
}

struct ladder_limits ladder_limits(const struct ladder_settings *settings)
{
    /* A stream that is encoded at one rate whatever the paths take is not held back by them either:
     * headers, repair and the unevenness of its pictures have room above that rate. */
    int fixed_bps = settings->max_bps + settings->max_bps / 2;
    if (!settings->adaptive)
        return (struct ladder_limits){fixed_bps, fixed_bps, fixed_bps};
    return (struct ladder_limits){settings->min_bps, settings->start_bps, settings->max_bps};
}

void ladder_init(struct ladder *ladder, const struct ladder_settings *settings)
{
    *ladder = (struct ladder){.shared = false};
    ladder_configure(ladder, settings);
}

void ladder_configure(struct ladder *ladder, const struct ladder_settings *settings)
{
    ladder->settings = *settings;
    for (int i = 0; i < RENDITION_SHARED; i++)
        ladder->rates_bps[i] = 0;
    int count = settings->rung_count;
    if (count < 1 || count > RENDITION_SHARED || !settings->adaptive)
        count = settings->adaptive ? LADDER_DEFAULT : 1;
    int above_bps = 0;
    for (int i = 0; i < count; i++) {
        int bps = (int)(rate_part(settings, i) * settings->max_bps);
        bool worth = bps >= LADDER_LEAST_BPS && bps <= step_part * above_bps;
        if (i == 0 || worth)
            above_bps = ladder->rates_bps[i] = bps;
    }
}

static int total(const struct ladder *ladder)
{
    int count = 0;
    for (int i = 0; i < RENDITION_RUNGS; i++)
        count += ladder->viewers[i];
    return count;
}

/* The best rung that a path of this rate is good for, strictly: one that has just failed is not. */
static int rung_for(const struct ladder *ladder, int bps)
{
    for (int i = 0; i < RENDITION_SHARED; i++)
        if (ladder->rates_bps[i] > 0 && ladder->rates_bps[i] <= bps)
            return i;
    return LADDER_SURVIVAL;
}

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

/* What a path must take for a viewer to stay on a rung, and to go up to it. */
static double stay_bps(const struct ladder *ladder, int rung)
{
    return lesser(stay_part * ladder->rates_bps[rung], stay_limit_part * ladder->settings.max_bps);
}

static double climb_bps(const struct ladder *ladder, int rung)
{
    return lesser(climb_part * ladder->rates_bps[rung],
                  climb_limit_part * ladder->settings.max_bps);
}

/* The best rung better than the viewer's that a path of `bps` is good for; its own when none is. */
static int climb_to(const struct ladder *ladder, const struct ladder_viewer *viewer, int bps)
{
    for (int i = 0; i < viewer->rung; i++)
        if (ladder->rates_bps[i] > 0 && bps >= climb_bps(ladder, i))
            return i;
    return viewer->rung;
}

static bool move(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us, int rung)
{
    viewer->better_us = 0;
    if (viewer->rung == rung)
        return false;
    ladder->viewers[viewer->rung]--;
    ladder->viewers[rung]++;
    viewer->climbed = rung < viewer->rung;
    viewer->rung = rung;
    viewer->since_us = now_us;
    return true;
}

static bool go_down(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us)
{
    int64_t stayed_us = now_us - viewer->since_us;
    if (viewer->climbed && stayed_us < CLIMB_FAILED_US)
        viewer->patience_us =
            viewer->patience_us < PATIENCE_MAX_US / 2 ? 2 * viewer->patience_us : PATIENCE_MAX_US;
    else if (stayed_us >= FORGIVEN_US)
        viewer->patience_us = PATIENCE_US;
    return move(ladder, viewer, now_us, rung_for(ladder, viewer->target_bps));
}

static bool go_up(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us)
{
    int bps = viewer->target_bps;
    if (climb_to(ladder, viewer, bps) == viewer->rung) {
        viewer->better_us = 0;
        return false;
    }
    if (viewer->better_us == 0) {
        viewer->better_us = now_us;
        viewer->better_bps = bps;
    }
    if (bps < viewer->better_bps)
        viewer->better_bps = bps;
    if (now_us - viewer->better_us < viewer->patience_us)
        return false;
    return move(ladder, viewer, now_us, climb_to(ladder, viewer, viewer->better_bps));
}

/* One viewer: it may keep the rung that it had among others, until it is clear that it stays alone.
 */
static bool settle(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us)
{
    viewer->better_us = 0;
    if (!ladder->shared)
        return move(ladder, viewer, now_us, 0);
    if (ladder->alone_us == 0)
        ladder->alone_us = now_us;
    if (now_us - ladder->alone_us < SETTLE_US)
        return false;
    ladder->shared = false;
    return move(ladder, viewer, now_us, 0);
}

void ladder_join(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us)
{
    int others = total(ladder);
    bool choice = ladder->settings.adaptive && others > 0;
    ladder->shared = choice;
    ladder->alone_us = 0;
    *viewer = (struct ladder_viewer){
        .target_bps = ladder->settings.start_bps,
        .rung = choice ? rung_for(ladder, ladder->settings.start_bps) : 0,
        .since_us = now_us,
        .patience_us = PATIENCE_US,
    };
    ladder->viewers[viewer->rung]++;
}

void ladder_leave(struct ladder *ladder, struct ladder_viewer *viewer)
{
    ladder->viewers[viewer->rung]--;
}

bool ladder_set_target(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us,
                       int target_bps)
{
    viewer->target_bps = target_bps;
    return ladder_review(ladder, viewer, now_us);
}

bool ladder_review(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us)
{
    if (!ladder->settings.adaptive)
        return move(ladder, viewer, now_us, 0);
    if (total(ladder) == 1)
        return settle(ladder, viewer, now_us);
    ladder->alone_us = 0;
    if (viewer->rung != LADDER_SURVIVAL && ladder->rates_bps[viewer->rung] == 0) /* no more */
        return move(ladder, viewer, now_us, rung_for(ladder, viewer->target_bps));
    if (viewer->rung != LADDER_SURVIVAL && viewer->target_bps < stay_bps(ladder, viewer->rung))
        return go_down(ladder, viewer, now_us);
    return go_up(ladder, viewer, now_us);
}

bool ladder_is_lone(const struct ladder *ladder)
{
    return ladder->settings.adaptive && total(ladder) == 1;
}

static int lowest_shared(const struct ladder *ladder)
{
    int rung = RENDITION_SHARED - 1;
    while (rung > 0 && ladder->rates_bps[rung] == 0)
        rung--;
    return rung;
}

void ladder_plan(const struct ladder *ladder, int rung, int least_target_bps,
                 struct rendition_plan *out)
{
    const struct ladder_settings *settings = &ladder->settings;
    struct rendition_plan plan = {.viewers = ladder->viewers[rung]};
    int shared = lowest_shared(ladder);
    if (rung >= 0 && rung < shared)
        shared = rung;
    double part = width_part(settings, shared);
    bool first = rung == 0 && (total(ladder) == 1 || settings->rungs[0].width_part <= 0);
    plan.width_part = first || part >= 1 ? 0 : part;
    if (!settings->adaptive)
        plan.target_bps = settings->max_bps;
    else if (total(ladder) == 1)
        plan.target_bps = least_target_bps;
    else /* those who take most of a rung make it a little smaller, never larger */
        plan.target_bps = least_target_bps < ladder->rates_bps[shared] ? least_target_bps
                                                                       : ladder->rates_bps[shared];
    if (plan.viewers > 0)
        *out = plan;
    else
        *out = (struct rendition_plan){0};
}
