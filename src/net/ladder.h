/* The ladder: which rendition each viewer of a stream is shown, and what each rendition is to be
 * encoded at. Pure: time is an argument, nothing is called back.
 *
 * One viewer alone drives the encoder: its rendition follows its path exactly, down to the smallest
 * rate there is. Several share two or three renditions of fixed rates, each encoded only while it
 * has a viewer, and every viewer gets the best one that its path takes. Whose path takes less than
 * the lowest gets the last rung, which follows the slowest of its viewers: smaller pictures, then
 * fewer of them, down to one a second. So a slow viewer costs the others nothing.
 *
 * Codecs have ladders of their own: a ladder object serves the viewers of one codec. */
#ifndef OW_NET_LADDER_H
#define OW_NET_LADDER_H

#include "core/rendition.h"

struct ladder_rung_settings {
    double rate_part;  /* of max_bps, 0..1 */
    double width_part; /* of the view's width, 0..1 */
};

struct ladder_settings {
    int min_bps, start_bps, max_bps; /* limits of a viewer's rate control */
    bool adaptive;                   /* false: one rendition at max_bps whatever the paths take */
    int view_width;                  /* 0 = not known: width limits are left out */
    int rung_count;                  /* 1..3 shared renditions; 0 = LADDER_DEFAULT */
    struct ladder_rung_settings rungs[RENDITION_RUNGS - 1]; /* the best first */
};

struct ladder {
    struct ladder_settings settings;
    int viewers[RENDITION_RUNGS];
};

/* What the ladder keeps of a viewer; zero-initialised, then ladder_join(). */
struct ladder_viewer {
    int target_bps;
    int rung;          /* the rendition it is to be shown */
    int64_t since_us;  /* of that rung */
    int64_t better_us; /* since when its path would take a better one, 0 = it does not */
};

void ladder_init(struct ladder *ladder, const struct ladder_settings *settings);
void ladder_join(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us);
void ladder_leave(struct ladder *ladder, struct ladder_viewer *viewer);
/* A viewer's path takes `target_bps` now. True when its rung changed; then a key frame of the new
 * one is wanted. */
bool ladder_set_target(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us,
                       int target_bps);
/* Call now and then (every 100 ms will do) for each viewer: a better rung is taken only after its
 * path has carried it for a while. True when the rung changed. */
bool ladder_review(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us);
/* Does the one viewer drive the encoder? Then holds apply. */
bool ladder_is_lone(const struct ladder *ladder);
/* The plan of a rung; `least_target_bps` is the least of its viewers' targets. */
void ladder_plan(const struct ladder *ladder, int rung, int least_target_bps,
                 struct rendition_plan *out);

#endif
