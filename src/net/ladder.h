/* The ladder: which rendition each viewer of a stream is shown, and what each rendition is to be
 * encoded at. Pure: time is an argument, nothing is called back.
 *
 * One viewer alone drives the encoder: its rendition follows its path exactly, down to the smallest
 * rate there is. Several share two or three renditions of fixed rates, each encoded only while it
 * has a viewer, and every viewer gets the best one that its path takes. Whose path takes less than
 * the lowest gets the last rung, which follows the slowest of its viewers: smaller pictures, then
 * fewer of them, down to one a second. So a slow viewer costs the others nothing.
 *
 * Downwards at once, upwards with patience: a better rung is taken after the path has carried it
 * for a while, and when that soon turns out to have been wrong, the next attempt waits twice as
 * long. Who is left alone keeps its rung, which then follows its path, until it is clear that
 * nobody is about to come back; so a page loaded anew does not switch everybody twice.
 *
 * Codecs have ladders of their own: a ladder object serves the viewers of one codec. */
#ifndef OW_NET_LADDER_H
#define OW_NET_LADDER_H

#include "core/rendition.h"

enum {
    LADDER_SURVIVAL = RENDITION_RUNGS - 1, /* the rung that follows its slowest viewer */
    LADDER_DEFAULT = 3,
    LADDER_LEAST_BPS = 150000, /* a shared rendition below this is left to the survival rung */
};

struct ladder_rung_settings {
    double rate_part;  /* of max_bps, 0..1; 0 = as usual for this rung */
    double width_part; /* of the view's width, 0..1; 0 = as usual for this rung */
};

struct ladder_settings {
    int min_bps, start_bps, max_bps; /* limits of a viewer's rate control */
    bool adaptive;                   /* false: one rendition at max_bps whatever the paths take */
    int rung_count;                  /* 1..3 shared renditions; 0 = LADDER_DEFAULT */
    struct ladder_rung_settings rungs[RENDITION_SHARED]; /* the best first; the first has all */
};

struct ladder {
    struct ladder_settings settings;
    int rates_bps[RENDITION_SHARED]; /* falling; 0 = this rung is not used */
    int viewers[RENDITION_RUNGS];
    bool shared;      /* several came, and it is not clear yet that one stays alone */
    int64_t alone_us; /* since when one is left of several, 0 = not known yet */
};

/* What the ladder keeps of a viewer; zero-initialised, then ladder_join(). */
struct ladder_viewer {
    int target_bps;
    int rung;            /* the rendition it is to be shown */
    int64_t since_us;    /* of that rung */
    bool climbed;        /* it came up to that rung */
    int64_t better_us;   /* since when its path would take a better one, 0 = it does not */
    int better_bps;      /* the least that its path has taken since then */
    int64_t patience_us; /* how long that must last */
};

void ladder_init(struct ladder *ladder, const struct ladder_settings *settings);
/* Other settings; viewers stay where they are until they are reviewed. */
void ladder_configure(struct ladder *ladder, const struct ladder_settings *settings);
/* What the rate control of a viewer is to keep to. */
struct ladder_limits {
    int min_bps, start_bps, max_bps;
};
struct ladder_limits ladder_limits(const struct ladder_settings *settings);
/* A viewer comes, at start_bps. Its rung is set; a key frame of it is wanted. */
void ladder_join(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us);
void ladder_leave(struct ladder *ladder, struct ladder_viewer *viewer);
/* A viewer's path takes `target_bps` now. True when its rung changed; then a key frame of the new
 * one is wanted, and the old one is shown until it comes. */
bool ladder_set_target(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us,
                       int target_bps);
/* Call now and then (every 100 ms will do) for each viewer: a better rung is taken only after its
 * path has carried it for a while, and somebody else's coming or leaving may mean another rung.
 * True when the rung changed. */
bool ladder_review(struct ladder *ladder, struct ladder_viewer *viewer, int64_t now_us);
/* Does one viewer drive the encoder, on whatever rung it is? Then holds apply. */
bool ladder_is_lone(const struct ladder *ladder);
/* The plan of a rung; `least_target_bps` is the least of its viewers' targets. */
void ladder_plan(const struct ladder *ladder, int rung, int least_target_bps,
                 struct rendition_plan *out);

#endif
