/* The rate that the delay allows: additive increase, multiplicative decrease (libwebrtc,
 * aimd_rate_control.cc and link_capacity_estimator.cc), with a faster climb when the path shows no
 * queue beyond the capacity it had when it was last full. */
#ifndef OW_RTC_CC_AIMD_H
#define OW_RTC_CC_AIMD_H

#include <stdbool.h>
#include <stdint.h>

enum cc_aimd_state { CC_INCREASE, CC_HOLD, CC_DECREASE };

struct cc_aimd {
    double bps;
    double link_bps;       /* capacity when the path was last full; 0 = not known */
    double link_deviation; /* normalised variance, kbit/s */
    double least_bps;      /* not below it by what is measured during the hold */
    double growth;         /* a second, when nothing tells where the limit is */
    int64_t updated_us;
    int64_t decreased_us;
    enum cc_aimd_state state;
};

/* What the other parts know when the rate is updated. */
struct cc_aimd_input {
    bool overuse, underuse;
    bool shared;             /* with senders that fill any queue: they leave us what we take */
    bool lost;               /* packets, by the last feedback */
    bool standing;           /* a queue stands, though not a long one */
    bool holding;            /* the queue is running empty, nothing new is sent */
    bool drained;            /* a hold lets the queue run empty: no need to go far below */
    double acknowledged_bps; /* 0 = not known */
    double busy_bps;         /* what passed while the queue was never empty; 0 = not known */
    double train_bps;        /* what the bottleneck let through last, whoever's; 0 = not known */
    double newest_train_bps; /* the same of the last frames only */
    double most_bps;         /* the bottleneck passes no more than this; 0 = not known */
    double share;            /* ours of what the bottleneck passes when full; 1 = alone */
    int64_t round_trip_us;   /* 0 = not known */
    double packet_bytes;     /* mean */
};

void cc_aimd_init(struct cc_aimd *aimd, int64_t now_us, double start_bps);
void cc_aimd_update(struct cc_aimd *aimd, int64_t now_us, const struct cc_aimd_input *in);
/* A probe told more. */
void cc_aimd_raise(struct cc_aimd *aimd, int64_t now_us, double bps);
/* Has the rate gone past what the path was known to take? */
bool cc_aimd_beyond_link(const struct cc_aimd *aimd);

#endif
