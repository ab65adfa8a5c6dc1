#include "vision/tracker_motion.h"

#include <math.h>

/* Standard deviations: of a sighting and of the velocity at first in heights of the object (a
 * second), of the velocity's change in heights a second and root second. Chosen by bench/tracker:
 * calmer tracks keep their identity better through occlusions, livelier ones follow turns. */
static const struct noise {
    double sighting, first_velocity, acceleration;
} position_noise = {0.035, 1.0, 0.25}, size_noise = {0.08, 0.1, 0.1};

static const double smallest_side = 1;

static const struct noise *noise_of(int axis)
{
    return axis < 2 ? &position_noise : &size_noise;
}

static double square(double x)
{
    return x * x;
}

static void measure(const struct detection *box, double value[MOTION_AXES])
{
    value[0] = ((double)box->x1 + (double)box->x2) / 2;
    value[1] = ((double)box->y1 + (double)box->y2) / 2;
    value[2] = (double)box->x2 - (double)box->x1;
    value[3] = (double)box->y2 - (double)box->y1;
}

void motion_begin(struct motion *motion, const struct detection *box, int64_t at_us)
{
    double seen[MOTION_AXES];
    measure(box, seen);
    *motion = (struct motion){.at_us = at_us};
    for (int k = 0; k < MOTION_AXES; k++)
        motion->axes[k] = (struct motion_axis){
            .value = seen[k],
            .variance = square(noise_of(k)->sighting * seen[3]),
            .velocity_variance = square(noise_of(k)->first_velocity * seen[3]),
        };
}

/* Moves an axis on by t seconds; q is the spectral density of its acceleration. */
static void move(struct motion_axis *axis, double t, double q)
{
    axis->value += axis->velocity * t;
    axis->variance +=
        2 * t * axis->covariance + t * t * axis->velocity_variance + q * t * t * t / 3;
    axis->covariance += t * axis->velocity_variance + q * t * t / 2;
    axis->velocity_variance += q * t;
}

/* Takes in a measurement with variance r. */
static void correct(struct motion_axis *axis, double measured, double r)
{
    double residual = measured - axis->value;
    double gain = axis->variance / (axis->variance + r);
    double velocity_gain = axis->covariance / (axis->variance + r);
    axis->value += gain * residual;
    axis->velocity += velocity_gain * residual;
    axis->velocity_variance -= velocity_gain * axis->covariance;
    axis->covariance -= gain * axis->covariance;
    axis->variance -= gain * axis->variance;
}

void motion_correct(struct motion *motion, const struct detection *box, double doubt, int64_t at_us)
{
    double seen[MOTION_AXES];
    double seconds = (double)(at_us - motion->at_us) / 1e6;
    double height = fmax(motion->axes[3].value, smallest_side);
    measure(box, seen);
    motion->at_us = at_us;
    for (int k = 0; k < MOTION_AXES; k++) {
        const struct noise *noise = noise_of(k);
        move(&motion->axes[k], seconds, square(noise->acceleration * height));
        correct(&motion->axes[k], seen[k], square(noise->sighting * height * doubt));
    }
}

void motion_place(const struct motion *motion, int64_t at_us, struct detection *box)
{
    double seconds = (double)(at_us - motion->at_us) / 1e6;
    double value[MOTION_AXES];
    for (int k = 0; k < MOTION_AXES; k++)
        value[k] = motion->axes[k].value + motion->axes[k].velocity * seconds;
    double width = fmax(value[2], smallest_side);
    double height = fmax(value[3], smallest_side);
    box->x1 = (float)(value[0] - width / 2);
    box->y1 = (float)(value[1] - height / 2);
    box->x2 = (float)(value[0] + width / 2);
    box->y2 = (float)(value[1] + height / 2);
}
