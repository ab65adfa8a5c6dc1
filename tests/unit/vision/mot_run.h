/* Our tracker at work on stored detections. For tests and bench/tracker. */
#ifndef OW_TESTS_MOT_RUN_H
#define OW_TESTS_MOT_RUN_H

#include "mot.h"

/* What our tracker says of each frame. */
struct mot_result {
    struct mot_sequence reported; /* detections with the ids that tracker_update() gave them */
    struct mot_sequence filtered; /* the tracks of those, where tracker_predict() has them */
    struct mot_sequence drawn;    /* all that tracker_predict() gives for the frame */
};

/* Adds to *out, which was all zero. A sure detection has a score of `confidence` or more. */
void mot_run(const struct mot_sequence *seen, float confidence, struct mot_result *out);

struct mot_foresight {
    int count;
    double median, low; /* IoU; `low` is undercut by a tenth */
};

enum mot_foreseer {
    MOT_TRACKER,  /* the tracker's prediction */
    MOT_STILL,    /* boxes stay where they were last seen */
    MOT_TRUE_WAY, /* boxes as they were last seen, moved as the true track moves */
    MOT_TRUTH     /* the true box of that later frame */
};

/* How well boxes that are moved forward meet persons who walk (0.3 of their height a second or
 * faster): the tracker is shown each `every`-th frame, and boxes for `ahead` frames later are held
 * against the sure detections of those. A box that is not there counts as 0. */
void mot_foresee(const struct mot_sequence *truth, const struct mot_sequence *seen,
                 float confidence, int every, int ahead, enum mot_foreseer foreseer,
                 struct mot_foresight *out);

#endif
