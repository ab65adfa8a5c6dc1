/* How fast packets arrive: over the last second, and while the path's queue was never empty. */
#ifndef OW_RTC_CC_ACKNOWLEDGED_H
#define OW_RTC_CC_ACKNOWLEDGED_H

#include "rtc/cc_groups.h"

/* Bits per second that arrived over the last second, without the longest pause and not more than
 * was sent (libwebrtc, robust_throughput_estimator.cc); 0 = too little is known. */
double cc_acknowledged_bps(const struct cc_groups *groups);

/* What passed while packets queued all the time, up to now: the path's capacity, or our part of it
 * when others share it. 0 = it does not queue now, or not long enough. `noise_us`: how much of a
 * wait may be jitter. */
double cc_busy_bps(const struct cc_groups *groups, int32_t noise_us);

#endif
