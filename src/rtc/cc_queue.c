#include "rtc/cc_queue.h"

#include <stdlib.h>
#include <string.h>

enum {
    STANDING_US = 10000,  /* the rate is raised no further */
    OVERUSE_US = 25000,   /* every one of the last groups waited this long */
    SURGE_US = 40000,     /* the last group waited this long, and each longer than the one before */
    SURGE_STEP_US = 4000, /* by this much at least */
    STANDING_SPAN_US = 90000,
    MAX_GROUPS_LOOKED_AT = 32,
    MAX_JITTER_SAMPLE_US = 40000,
    MIN_HOLD_US = 15000,
    MAX_HOLD_US = 450000,
    HOLD_PAUSE_US = 150000, /* between two holds */
    HOLD_MARGIN_US = 5000,
    FRAME_US = 30000, /* between two frames, of most senders */
    NEVER_CALM_US = 4000000,
    SHARED_US = 5000000,
};

static const double JITTER_GAIN = 1.0 / 32;
static const double SECOND_DIFFERENCE = 1.7; /* of noise, to its first */

void cc_queue_init(struct cc_queue *queue, int64_t now_us)
{
    memset(queue, 0, sizeof(*queue));
    queue->ignore_us = queue->hold_until_us = queue->shared_until_us = queue->calm_us = now_us;
    queue->jitter_us = 1000;
}

int32_t cc_queue_noise_us(const struct cc_queue *queue)
{
    return (int32_t)(2 * queue->jitter_us);
}

void cc_queue_set_share(struct cc_queue *queue, double share)
{
    queue->others_us = (int32_t)((1 - share) * FRAME_US);
}

bool cc_queue_is_shared(const struct cc_queue *queue, int64_t now_us)
{
    return now_us < queue->shared_until_us;
}

void cc_queue_group(struct cc_queue *queue, const struct cc_group *before,
                    const struct cc_group *group)
{
    /* What grows or drains steadily is a queue, not jitter: the second difference is blind to it.
     */
    int32_t change_us = cc_group_waited_us(group) - cc_group_waited_us(before);
    double scatter_us = abs(change_us - queue->last_change_us) / SECOND_DIFFERENCE;
    queue->last_change_us = change_us;
    if (before->send_us < queue->ignore_us)
        return; /* the hold emptied the queue in between */
    scatter_us = scatter_us < MAX_JITTER_SAMPLE_US ? scatter_us : MAX_JITTER_SAMPLE_US;
    queue->jitter_us += JITTER_GAIN * (scatter_us - queue->jitter_us);
}

static bool is_news(const struct cc_queue *queue, const struct cc_group *group)
{
    return group != NULL && group->send_us >= queue->ignore_us;
}

/* Did the hold empty the queue? Judged by the first groups that were sent after it. */
static void judge_hold(struct cc_queue *queue, int groups_seen)
{
    if (queue->hold_queue_us == 0 || groups_seen < 3)
        return;
    int64_t enough_us = queue->hold_queue_us / 3 + cc_queue_noise_us(queue);
    queue->in_vain = queue->standing_us > enough_us ? queue->in_vain + 1 : 0;
    queue->hold_queue_us = 0;
}

/* Other senders of our kind give way within a second or so, a TCP transfer does not. */
static void judge_others(struct cc_queue *queue, int64_t now_us, int32_t calm_below_us)
{
    if (queue->standing_us <= calm_below_us)
        queue->calm_us = now_us;
    if (now_us - queue->calm_us > NEVER_CALM_US && queue->in_vain > 0)
        queue->shared_until_us = now_us + SHARED_US;
}

/* The last two groups: each waited clearly longer than the one before it. */
static bool surges(const struct cc_queue *queue, const struct cc_groups *groups)
{
    const struct cc_group *last = cc_groups_at(groups, 0), *before = cc_groups_at(groups, 1),
                          *first = cc_groups_at(groups, 2);
    if (!is_news(queue, last) || !is_news(queue, before) || !is_news(queue, first))
        return false;
    int32_t noise_us = cc_queue_noise_us(queue);
    int32_t a = cc_group_waited_us(first), b = cc_group_waited_us(before),
            c = cc_group_waited_us(last);
    return c > SURGE_US + 2 * noise_us && b > OVERUSE_US / 2 + noise_us && b >= a + SURGE_STEP_US &&
           c >= b + SURGE_STEP_US;
}

enum cc_queue_event cc_queue_judge(struct cc_queue *queue, const struct cc_groups *groups,
                                   int64_t now_us)
{
    const struct cc_group *newest = cc_groups_at(groups, 0), *group;
    int32_t least_us = INT32_MAX, noise_us = cc_queue_noise_us(queue) + queue->others_us;
    int64_t span_us = 0;
    int seen = 0;
    for (uint32_t back = 0; back < MAX_GROUPS_LOOKED_AT; back++) {
        group = cc_groups_at(groups, back);
        if (!is_news(queue, group))
            break;
        span_us = newest->send_us - group->send_us;
        if (seen >= 3 && span_us > STANDING_SPAN_US)
            break;
        int32_t waited_us = cc_group_waited_us(group);
        least_us = waited_us < least_us ? waited_us : least_us;
        seen++;
    }
    if (seen == 0)
        return CC_QUEUE_CALM;
    queue->standing_us = least_us;
    judge_hold(queue, seen);
    judge_others(queue, now_us, STANDING_US + noise_us);
    if (cc_queue_is_shared(queue, now_us))
        return CC_QUEUE_CALM;
    bool falls = seen > 1 && newest->queue_us < least_us + 1000 &&
                 cc_group_waited_us(cc_groups_at(groups, 1)) > newest->queue_us + OVERUSE_US;
    if ((seen >= 3 && !falls && least_us > OVERUSE_US + noise_us) || surges(queue, groups))
        return CC_QUEUE_OVERUSE;
    return seen >= 2 && least_us > STANDING_US + noise_us ? CC_QUEUE_STANDING : CC_QUEUE_CALM;
}

/* When the newest packet known of had left the queue, and what came after it. */
static int64_t empty_at_us(const struct cc_groups *groups, uint32_t in_flight_bytes,
                           double busy_bps)
{
    return groups->last_send_us + groups->last_queue_us +
           (int64_t)((double)in_flight_bytes * 8e6 / busy_bps) - HOLD_MARGIN_US;
}

void cc_queue_drain(struct cc_queue *queue, const struct cc_groups *groups, int64_t now_us,
                    uint32_t in_flight_bytes, double busy_bps)
{
    queue->ignore_us = now_us;
    if (cc_queue_is_shared(queue, now_us) || busy_bps <= 0 ||
        now_us < queue->hold_until_us + HOLD_PAUSE_US)
        return;
    int64_t empty_us = empty_at_us(groups, in_flight_bytes, busy_bps);
    if (empty_us < now_us + MIN_HOLD_US)
        return;
    queue->held_from_us = now_us;
    queue->hold_until_us = empty_us < now_us + MAX_HOLD_US ? empty_us : now_us + MAX_HOLD_US;
    queue->hold_queue_us = empty_us - now_us;
    queue->ignore_us = queue->hold_until_us;
}

void cc_queue_refine(struct cc_queue *queue, const struct cc_groups *groups, int64_t now_us,
                     uint32_t in_flight_bytes, double busy_bps)
{
    if (now_us >= queue->hold_until_us)
        return;
    if (busy_bps <= 0) {
        /* A burst of others has passed: the bottleneck was much faster than our part of it. */
        if (groups->last_queue_us < STANDING_US + cc_queue_noise_us(queue))
            queue->hold_until_us = queue->ignore_us = now_us;
        return;
    }
    int64_t until_us = empty_at_us(groups, in_flight_bytes, busy_bps);
    int64_t most_us = queue->held_from_us + MAX_HOLD_US;
    until_us = until_us < most_us ? until_us : most_us;
    queue->hold_until_us = queue->ignore_us = until_us > now_us ? until_us : now_us;
}
