#include "rtc/cc_trend.h"

#include <math.h>
#include <string.h>

enum { MIN_DELTAS = 2, MAX_DELTAS = 60, MAX_ADAPT_STEP_MS = 100 };

static const double SMOOTHING = 0.9, GAIN = 4, OVERUSE_MS = 10;
static const double THRESHOLD = 12.5, MIN_THRESHOLD = 6, MAX_THRESHOLD = 600;
static const double K_UP = 0.0087, K_DOWN = 0.039, MAX_EXCESS = 15;

void cc_trend_init(struct cc_trend *trend)
{
    memset(trend, 0, sizeof(*trend));
    trend->threshold = THRESHOLD;
    trend->adapted_us = INT64_MIN;
    trend->over_ms = -1;
}

void cc_trend_restart(struct cc_trend *trend)
{
    double threshold = trend->threshold;
    int64_t adapted_us = trend->adapted_us;
    cc_trend_init(trend);
    trend->threshold = threshold;
    trend->adapted_us = adapted_us;
}

/* Least squares; false when all arrived at once. */
static bool fit(const struct cc_trend *trend, double *slope)
{
    double mean_x = 0, mean_y = 0, numerator = 0, denominator = 0;
    for (int i = 0; i < CC_TREND_WINDOW; i++) {
        mean_x += trend->arrival_ms[i] / CC_TREND_WINDOW;
        mean_y += trend->delay_ms[i] / CC_TREND_WINDOW;
    }
    for (int i = 0; i < CC_TREND_WINDOW; i++) {
        double x = trend->arrival_ms[i] - mean_x;
        numerator += x * (trend->delay_ms[i] - mean_y);
        denominator += x * x;
    }
    if (denominator == 0)
        return false;
    *slope = numerator / denominator;
    return true;
}

static void adapt(struct cc_trend *trend, double modified, int64_t now_us)
{
    double excess = fabs(modified) - trend->threshold;
    double step_ms =
        trend->adapted_us == INT64_MIN ? 0 : (double)(now_us - trend->adapted_us) / 1e3;
    trend->adapted_us = now_us;
    if (excess > MAX_EXCESS)
        return; /* a sudden spike, not the path's habit */
    step_ms = step_ms < MAX_ADAPT_STEP_MS ? step_ms : MAX_ADAPT_STEP_MS;
    trend->threshold += (excess < 0 ? K_DOWN : K_UP) * excess * step_ms;
    trend->threshold = fmin(fmax(trend->threshold, MIN_THRESHOLD), MAX_THRESHOLD);
}

static void detect(struct cc_trend *trend, double slope, double send_delta_ms, int64_t now_us)
{
    if (trend->count < MIN_DELTAS) {
        trend->usage = CC_NORMAL;
        return;
    }
    double deltas = trend->count < MAX_DELTAS ? trend->count : MAX_DELTAS;
    double modified = deltas * slope * GAIN;
    if (modified > trend->threshold) {
        trend->over_ms = trend->over_ms < 0 ? send_delta_ms / 2 : trend->over_ms + send_delta_ms;
        trend->over_count++;
        if (trend->over_ms > OVERUSE_MS && trend->over_count > 1 && slope >= trend->slope) {
            trend->over_ms = 0;
            trend->over_count = 0;
            trend->usage = CC_OVERUSE;
        }
    } else {
        trend->over_ms = -1;
        trend->over_count = 0;
        trend->usage = modified < -trend->threshold ? CC_UNDERUSE : CC_NORMAL;
    }
    trend->slope = slope;
    adapt(trend, modified, now_us);
}

void cc_trend_add(struct cc_trend *trend, int64_t now_us, int64_t arrival_us, int64_t send_delta_us,
                  int32_t waited_us)
{
    if (trend->count == 0) {
        trend->first_arrival_us = arrival_us;
        trend->smoothed_ms = waited_us / 1e3;
    }
    trend->smoothed_ms = SMOOTHING * trend->smoothed_ms + (1 - SMOOTHING) * (waited_us / 1e3);
    int at = trend->count % CC_TREND_WINDOW;
    trend->arrival_ms[at] = (double)(arrival_us - trend->first_arrival_us) / 1e3;
    trend->delay_ms[at] = trend->smoothed_ms;
    /* Turns stay aligned with the ring, and the count never overflows. */
    trend->count =
        trend->count == 50 * CC_TREND_WINDOW - 1 ? 49 * CC_TREND_WINDOW : trend->count + 1;
    double slope = trend->slope;
    if (trend->count >= CC_TREND_WINDOW)
        (void)fit(trend, &slope);
    detect(trend, slope, (double)send_delta_us / 1e3, now_us);
}
