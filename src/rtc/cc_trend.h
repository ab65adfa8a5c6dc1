/* Is the queue growing? The slope of a line through the delays of the last twenty groups against a
 * threshold that adapts (libwebrtc, trendline_estimator.cc). */
#ifndef OW_RTC_CC_TREND_H
#define OW_RTC_CC_TREND_H

#include <stdbool.h>
#include <stdint.h>

enum { CC_TREND_WINDOW = 20 };

enum cc_usage { CC_NORMAL, CC_UNDERUSE, CC_OVERUSE };

struct cc_trend {
    double arrival_ms[CC_TREND_WINDOW], delay_ms[CC_TREND_WINDOW]; /* ring */
    int count;                                                     /* groups since the reset */
    int64_t first_arrival_us, last_arrival_us;
    double smoothed_ms;
    double threshold;
    double slope;   /* ms of delay a ms */
    double over_ms; /* for how long the threshold was exceeded; < 0: not at all */
    int over_count;
    int64_t adapted_us; /* when the threshold was adapted; INT64_MIN = never */
    enum cc_usage usage;
};

void cc_trend_init(struct cc_trend *trend);
/* Forgets the line, keeps the threshold: the queue was emptied on purpose. */
void cc_trend_restart(struct cc_trend *trend);
/* A group that waited waited_us, sent send_delta_us after the one before it. */
void cc_trend_add(struct cc_trend *trend, int64_t now_us, int64_t arrival_us, int64_t send_delta_us,
                  int32_t waited_us);

#endif
