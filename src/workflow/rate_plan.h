/* How a rate is spent: as what size and at how many pictures a second a track is encoded. Pure:
 * time is an argument.
 *
 * With fewer bits a smaller picture looks better than a coarse one, and below that fewer pictures
 * look better than mud; so there is a row of levels, each with a rate below which the next one is
 * better. Down at once when the rate falls by much, up with patience: a new size costs a key frame.
 *
 * SSIM of the luma (against the original, at its size) of pedestrians at 960x540, libx264 as in
 * encoder_backends.c, 150 pictures; the footage runs at three times its speed, so it moves a lot:
 *
 *   kbit/s  fps    960    720    480    360    240   wide
 *     2000   30   .974   .956   .927   .882   .805
 *     1000   30   .946   .934   .916   .877   .804
 *      500   30   .889   .885   .881   .858   .799
 *      350   30   .844   .851   .851   .836   .792
 *      200   30   .763   .782   .794   .788   .767
 *            15          .825   .829   .818   .785
 *      100   30   .653   .693   .719   .724   .714
 *            15          .730   .758   .752   .744
 *            10          .763   .776   .776   .760
 *       50   15          .633   .679   .687   .686
 *             5          .724   .745   .747   .740
 *       30   10          .594   .634   .649   .659
 *             5          .639   .686   .696   .700
 *
 * Where the columns cross, a pixel has 0.026 bits (960 to 720 wide), 0.03 to 0.035 (480 to 360) at
 * 30 fps and more at fewer pictures a second, about with the root of the time between them:
 * pictures that are further apart have less in common. */
#ifndef OW_WORKFLOW_RATE_PLAN_H
#define OW_WORKFLOW_RATE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* What there is to encode and what it may cost. */
struct rate_plan_input {
    int width, height; /* of the view's picture */
    double fps;        /* pictures a second that come */
    int target_bps;
    double width_part; /* at most this part of the width; 0 = all */
    double max_fps;    /* 0 = no limit */
    bool fixed;        /* no steps: full size and rate whatever the target */
};

struct rate_plan_output {
    int width; /* even, or the view's own; the height follows the aspect */
    double fps;
};

enum { RATE_PLAN_CLIMBS = 3 };

/* Since when the rate has been good for a better level (0 = it is not), and its least since. */
struct rate_plan_wait {
    int64_t since_us;
    int least_bps;
};

/* Zero-initialised before the first update. */
struct rate_plan {
    struct rate_plan_input input; /* of the last update */
    int level;                    /* 0 = full size and rate */
    int64_t resized_us;           /* when the size last changed */
    int64_t below_us; /* since when the rate is less than the level needs, 0 = it is not */
    struct rate_plan_wait above[RATE_PLAN_CLIMBS]; /* by margin, the widest first */
};

/* To be called before every picture. */
void rate_plan_update(struct rate_plan *plan, int64_t now_us, const struct rate_plan_input *input,
                      struct rate_plan_output *out);

#endif
