/* Which sighting continues which track. Boxes must overlap; of those that do, the most alike are
 * joined first (greedily): likeness is the overlap less the distance of the lower edges, where
 * objects stand. It goes in stages, each for what those before have left over. Pure; memory is
 * bounded. */
#ifndef OW_VISION_TRACKER_MATCH_H
#define OW_VISION_TRACKER_MATCH_H

#include "core/detections.h"

#include <stdbool.h>

enum { MATCH_MAX = 1024, MATCH_CHOICES = 8 };

struct match_item {
    struct detection box; /* of a track: where it should be */
    bool open;            /* takes part in the next stage */
    int other;            /* the index of what it was matched with, -1 = nothing yet */
};

struct match_pair {
    float likeness;
    int track, sighting;
};

struct match {
    int track_count, sighting_count;
    struct match_item tracks[MATCH_MAX], sightings[MATCH_MAX];
    struct match_pair pairs[MATCH_MAX * MATCH_CHOICES]; /* scratch */
};

struct match_rule {
    bool same_class; /* else only pairs of different classes */
    float margin;    /* boxes are grown to each side by this part of their size */
    float least_iou; /* above 0 */
};

/* Matches what is open, by a rule. A sighting chooses among the MATCH_CHOICES tracks most
 * like it. The same input gives the same output; of equals the first comes first. */
void match_stage(struct match *match, const struct match_rule *rule);

#endif
