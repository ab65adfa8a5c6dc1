/* The rate that losses allow: the most likely pair of (loss that is there at any rate, rate beyond
 * which the path loses) for what was seen (libwebrtc, loss_based_bwe_v2.cc, its defaults). Random
 * loss does not lower the rate, loss that grows with the rate does. */
#ifndef OW_RTC_CC_LOSS_H
#define OW_RTC_CC_LOSS_H

#include <stdbool.h>
#include <stdint.h>

enum { CC_LOSS_WINDOW = 15 };

struct cc_loss_observation {
    double bytes, lost_bytes, send_bps;
};

struct cc_loss {
    struct cc_loss_observation window[CC_LOSS_WINDOW]; /* ring */
    int count;                                         /* observations ever, kept small */
    struct cc_loss_observation partial;
    int64_t observed_us;                 /* send time up to which was observed; INT64_MIN = none */
    int64_t first_send_us, last_send_us; /* of the partial observation */
    double inherent, limit_bps;          /* the best pair; limit 0 = not known yet */
    double offset;                       /* loss up to which no rate is too high */
    double average;                      /* byte loss over the window */
    double bps;                          /* the result; INFINITY = no limit by loss */
    enum cc_loss_state { CC_LOSS_FREE, CC_LOSS_INCREASING, CC_LOSS_DECREASING } state;
    int64_t ramp_us; /* since when ramp_limit_bps holds; INT64_MIN = never */
    double ramp_limit_bps;
    int64_t hold_until_us, hold_duration_us;
    double hold_bps;
};

/* What the others know when an observation is complete. */
struct cc_loss_input {
    double delay_bps;        /* what the delay allows */
    double acknowledged_bps; /* 0 = not known */
    double min_bps, max_bps;
    bool application_limited;
    bool calm; /* no queue stands: what is lost now is lost at any rate, more likely than not */
};

void cc_loss_init(struct cc_loss *loss);
/* One packet's fate. `again`: it had been counted as lost before and arrived after all. */
void cc_loss_packet(struct cc_loss *loss, int64_t send_us, uint32_t bytes, bool received,
                    bool again);
/* After each feedback. */
void cc_loss_update(struct cc_loss *loss, const struct cc_loss_input *in);

#endif
