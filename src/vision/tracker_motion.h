/* How a tracked object moves: four Kalman filters of constant velocity, for centre x, centre y,
 * width and height of its box. Pure; time is an argument.
 *
 * It is the filter of SORT and ByteTrack (Bewley et al., 2016; Zhang et al., 2022), whose parts are
 * independent, taken apart, with noise per second instead of per frame (white noise acceleration:
 * Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation", 2001,
 * 6.2.2), so that frames may come at any distance. Noise grows with the object's height: what is
 * near moves and trembles by more pixels. */
#ifndef OW_VISION_TRACKER_MOTION_H
#define OW_VISION_TRACKER_MOTION_H

#include "core/detections.h"

enum { MOTION_AXES = 4 };

struct motion_axis {
    double value, velocity; /* pixels, pixels per second */
    double variance, covariance, velocity_variance;
};

struct motion {
    int64_t at_us; /* of the last sighting */
    struct motion_axis axes[MOTION_AXES];
};

/* An object that is first seen, at rest as far as is known. Boxes have finite sides and an area. */
void motion_begin(struct motion *motion, const struct detection *box, int64_t at_us);

/* Takes in a sighting, not older than the last; its noise is `doubt` times the usual. */
void motion_correct(struct motion *motion, const struct detection *box, double doubt,
                    int64_t at_us);

/* Sets the corners of *box to where the object is at a time, also before the last sighting. A side
 * is at least a pixel long. */
void motion_place(const struct motion *motion, int64_t at_us, struct detection *box);

#endif
