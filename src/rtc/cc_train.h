/* What the bottleneck lets through, for nothing: the packets of a frame leave back to back, so they
 * arrive as far apart as it takes the bottleneck to pass them on.
 *
 * A hint and no more: a token bucket lets the first packets through at once, Wi-Fi delivers them in
 * lumps, others' packets come in between. So the first bytes do not count, and the median of
 * several frames is taken. It says whether a probe is worthwhile, and, when the path is full, how
 * large a part of it is ours. */
#ifndef OW_RTC_CC_TRAIN_H
#define OW_RTC_CC_TRAIN_H

#include "rtc/cc_feedback.h"

enum { CC_TRAINS = 9, CC_SPACINGS = 5 };

struct cc_train {
    float kbps[CC_TRAINS]; /* ring */
    uint32_t count;        /* ever */
    int64_t measured_us;   /* send time of the newest */
    int64_t last_send_us, last_arrival_us, mark_arrival_us;
    uint32_t bytes, marked_bytes;
    /* Of whole frames, small ones too: never less than what the bottleneck passes. */
    float spacing_kbps[CC_SPACINGS]; /* ring */
    uint32_t spacings;               /* ever */
    int64_t first_arrival_us;
    uint32_t first_bytes;
    uint8_t frame;
};

void cc_train_init(struct cc_train *train);
/* Every packet that arrived, in order of sending. */
void cc_train_add(struct cc_train *train, const struct cc_result *packet);
/* The median; 0 = not known: frames are too small, or are not sent at once. */
double cc_train_last_bps(const struct cc_train *train);
/* Of the newest three: less certain, but quick to show that the capacity fell. */
double cc_train_newest_bps(const struct cc_train *train);
/* No more than this passes, by the spacing of the last frames of two packets and more; 0 = not
 * known. A token bucket lets it seem more. */
double cc_train_most_bps(const struct cc_train *train);
/* cc_train_last_bps() if it is not out of date. */
double cc_train_bps(const struct cc_train *train, int64_t now_us);

#endif
