/* Whether the path's queue stands or shoots up, and for how long nothing new should be sent so that
 * it runs empty. libwebrtc has no such thing: it owns no encoder, so it drains a queue by sending a
 * little less for a long time.
 *
 * A hold that did not empty the queue was paid for by others: after two of them the queue counts as
 * somebody else's (a long TCP transfer fills it whatever we do) and only the trend and the loss
 * are listened to, for a while. */
#ifndef OW_RTC_CC_QUEUE_H
#define OW_RTC_CC_QUEUE_H

#include "rtc/cc_groups.h"

struct cc_queue {
    double jitter_us;       /* how much groups' waits scatter around their course */
    int32_t last_change_us; /* from one group's wait to the next one's */
    int64_t held_from_us;   /* when the last hold began */
    int64_t ignore_us;     /* groups sent before this time are no news: they left before we acted */
    int64_t hold_until_us; /* of the last hold */
    int64_t hold_queue_us; /* what it was to drain; 0 = found out about */
    int in_vain;           /* holds in a row that emptied nothing */
    int64_t calm_us;       /* when the queue was as good as empty last */
    int64_t shared_until_us; /* the queue is somebody else's */
    int32_t others_us;       /* how much of a wait others' frames may make */
    int32_t standing_us;     /* the least that the last groups waited */
};

enum cc_queue_event {
    CC_QUEUE_CALM,     /* as good as empty */
    CC_QUEUE_STANDING, /* long enough to raise the rate no further */
    CC_QUEUE_OVERUSE   /* too long, or growing fast: less must be sent, at once */
};

void cc_queue_init(struct cc_queue *queue, int64_t now_us);
/* Takes note of a group that was closed and the one before it. */
void cc_queue_group(struct cc_queue *queue, const struct cc_group *before,
                    const struct cc_group *group);
/* Judges what the feedback brought. */
enum cc_queue_event cc_queue_judge(struct cc_queue *queue, const struct cc_groups *groups,
                                   int64_t now_us);
/* The rate was lowered: holds until what is on its way has left the queue, if that is worthwhile.
 * busy_bps: what the path lets through. */
void cc_queue_drain(struct cc_queue *queue, const struct cc_groups *groups, int64_t now_us,
                    uint32_t in_flight_bytes, double busy_bps);
/* The same with what feedback told during the hold; it ends when the queue is gone already.
 * busy_bps 0 = nothing queues now, or not long enough to tell. */
void cc_queue_refine(struct cc_queue *queue, const struct cc_groups *groups, int64_t now_us,
                     uint32_t in_flight_bytes, double busy_bps);
/* Ours of what the bottleneck passes when it is full: others' frames are waited for, too. */
void cc_queue_set_share(struct cc_queue *queue, double share);
/* How much of a group's wait may be jitter. */
int32_t cc_queue_noise_us(const struct cc_queue *queue);
bool cc_queue_is_shared(const struct cc_queue *queue, int64_t now_us);

#endif
