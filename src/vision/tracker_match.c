#include "vision/tracker_match.h"

#include "vision/nms.h"

#include <math.h>
#include <stdlib.h>

static bool is_free(const struct match_item *item)
{
    return item->open && item->other < 0;
}

static struct detection grown(const struct detection *box, float margin)
{
    struct detection larger = *box;
    float x = (box->x2 - box->x1) * margin;
    float y = (box->y2 - box->y1) * margin;
    larger.x1 -= x;
    larger.x2 += x;
    larger.y1 -= y;
    larger.y2 += y;
    return larger;
}

static float overlap(const struct detection *track, const struct detection *sighting,
                     const struct match_rule *rule)
{
    if ((track->class_id == sighting->class_id) != rule->same_class)
        return 0;
    struct detection a = grown(track, rule->margin);
    struct detection b = grown(sighting, rule->margin);
    return box_iou(&a, &b);
}

/* How far the lower edges are apart, in heights of the track. Persons who hide each other overlap
 * much, but stand at different distances. */
static float foot_distance(const struct detection *track, const struct detection *sighting)
{
    return fabsf(track->y2 - sighting->y2) / (track->y2 - track->y1);
}

static int by_falling_likeness(const void *left, const void *right)
{
    const struct match_pair *a = left;
    const struct match_pair *b = right;
    if (a->likeness != b->likeness)
        return a->likeness < b->likeness ? 1 : -1;
    if (a->track != b->track)
        return a->track < b->track ? -1 : 1;
    return (a->sighting > b->sighting) - (a->sighting < b->sighting);
}

/* Puts a pair among the best of its sighting; returns how many there are then. */
static int keep_best(struct match_pair *best, int count, const struct match_pair *pair)
{
    if (count == MATCH_CHOICES && best[count - 1].likeness >= pair->likeness)
        return count;
    int at = count < MATCH_CHOICES ? count++ : count - 1;
    for (; at > 0 && best[at - 1].likeness < pair->likeness; at--)
        best[at] = best[at - 1];
    best[at] = *pair;
    return count;
}

/* The pairs of one sighting that a rule allows; how many. */
static int choose(const struct match *match, int sighting, const struct match_rule *rule,
                  struct match_pair best[MATCH_CHOICES])
{
    int count = 0;
    for (int t = 0; t < match->track_count; t++) {
        if (!is_free(&match->tracks[t]))
            continue;
        struct match_pair pair = {.track = t, .sighting = sighting};
        pair.likeness = overlap(&match->tracks[t].box, &match->sightings[sighting].box, rule);
        if (pair.likeness < rule->least_iou)
            continue;
        pair.likeness -= foot_distance(&match->tracks[t].box, &match->sightings[sighting].box);
        count = keep_best(best, count, &pair);
    }
    return count;
}

void match_stage(struct match *match, const struct match_rule *rule)
{
    int count = 0;
    for (int s = 0; s < match->sighting_count; s++)
        if (is_free(&match->sightings[s]))
            count += choose(match, s, rule, &match->pairs[count]);
    qsort(match->pairs, (size_t)count, sizeof *match->pairs, by_falling_likeness);
    for (int i = 0; i < count; i++) {
        struct match_item *track = &match->tracks[match->pairs[i].track];
        struct match_item *sighting = &match->sightings[match->pairs[i].sighting];
        if (track->other >= 0 || sighting->other >= 0)
            continue;
        track->other = match->pairs[i].sighting;
        sighting->other = match->pairs[i].track;
    }
}
