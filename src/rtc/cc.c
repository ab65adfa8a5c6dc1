#include "rtc/cc.h"

#include "core/error.h"

enum {
    FEEDBACK_PERIOD_US = 1000000,
    FEEDBACK_MIN_PACKETS = 20,
    REPORTS_STOPPED_US = 2500000, /* then feedback tells the loss */
    DECREASE_INTERVAL_US = 300000,
    MAX_STEP_US = 1000000,
};

static const double LOW_LOSS = 0.02, HIGH_LOSS = 0.10, INCREASE_PER_S = 0.08;
/* A sender that uses less than this part of its target has not shown that the path takes more. */
static const double USED_PART = 0.5;

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void cc_init(struct cc *cc, const struct cc_settings *settings, int64_t now_us)
{
    *cc = (struct cc){.settings = *settings, .remb_bps = UINT64_MAX};
    struct cc_settings *limits = &cc->settings;
    limits->min_bps = limits->min_bps < 1 ? 1 : limits->min_bps;
    limits->max_bps = limits->max_bps < limits->min_bps ? limits->min_bps : limits->max_bps;
    limits->start_bps = clamp(limits->start_bps, limits->min_bps, limits->max_bps);
    cc->estimate_bps = limits->start_bps;
    cc->last_loss_us = cc->period_start_us = now_us;
    cc->last_decrease_us = now_us - MAX_STEP_US;
    cc->last_report_us = now_us;
}

void cc_set_limits(struct cc *cc, int64_t now_us, const struct cc_settings *settings)
{
    (void)now_us;
    cc->settings = *settings;
}

void cc_on_packet_sent(struct cc *cc, const struct cc_packet *packet)
{
    cc->records[packet->sequence % CC_RECORDS] = (struct cc_record){.send_us = packet->send_us,
                                                                    .sequence = packet->sequence,
                                                                    .bytes = packet->bytes,
                                                                    .fate = CC_IN_FLIGHT};
    rate_meter_add(&cc->sent, packet->send_us, packet->bytes);
}

static void on_loss(struct cc *cc, int64_t now_us, double loss)
{
    int64_t step_us = now_us - cc->last_loss_us;
    step_us = step_us < 0 ? 0 : step_us > MAX_STEP_US ? MAX_STEP_US : step_us;
    cc->last_loss_us = now_us;
    cc->loss = loss;
    if (loss < LOW_LOSS) {
        double used = (double)rate_meter_bps(&cc->sent, now_us);
        if (used > USED_PART * cc->estimate_bps)
            cc->estimate_bps +=
                (cc->estimate_bps * INCREASE_PER_S + 1000) * ((double)step_us / 1e6);
    } else if (loss > HIGH_LOSS) {
        if (now_us - cc->last_decrease_us >= DECREASE_INTERVAL_US + cc->round_trip_us) {
            cc->estimate_bps *= 1 - 0.5 * loss;
            cc->last_decrease_us = now_us;
        }
    }
    if (cc->estimate_bps < cc->settings.min_bps)
        cc->estimate_bps = cc->settings.min_bps;
    if (cc->estimate_bps > cc->settings.max_bps)
        cc->estimate_bps = cc->settings.max_bps;
}

void cc_on_receiver_report(struct cc *cc, int64_t now_us, double loss, int64_t round_trip_us)
{
    if (round_trip_us > 0)
        cc->round_trip_us = round_trip_us;
    cc->last_report_us = now_us;
    on_loss(cc, now_us, loss);
}

static void end_period(struct cc *cc, int64_t now_us)
{
    int64_t period_us = now_us - cc->period_start_us;
    if (period_us < FEEDBACK_PERIOD_US || cc->period_packets < FEEDBACK_MIN_PACKETS)
        return;
    cc->acknowledged_bps = (int64_t)((double)cc->period_bytes * 8e6 / (double)period_us);
    if (now_us - cc->last_report_us >= REPORTS_STOPPED_US)
        on_loss(cc, now_us, (double)cc->period_lost / cc->period_packets);
    cc->period_start_us = now_us;
    cc->period_packets = cc->period_lost = 0;
    cc->period_bytes = 0;
}

int cc_on_transport_feedback(struct cc *cc, int64_t now_us, const struct rtcp_packet *feedback)
{
    struct rtcp_status_reader reader;
    struct rtcp_status status;
    int code = rtcp_status_reader_init(&reader, feedback);
    if (code != OW_OK)
        return code;
    while (rtcp_status_next(&reader, &status)) {
        struct cc_record *record = &cc->records[status.sequence % CC_RECORDS];
        if (record->sequence != status.sequence || record->fate == CC_EMPTY ||
            record->fate == CC_RECEIVED)
            continue;
        if (status.received) {
            if (record->fate == CC_IN_FLIGHT)
                cc->period_packets++;
            else if (cc->period_lost > 0)
                cc->period_lost--; /* it was only late */
            cc->period_bytes += record->bytes;
            record->fate = CC_RECEIVED;
        } else if (record->fate == CC_IN_FLIGHT) {
            cc->period_packets++;
            cc->period_lost++;
            record->fate = CC_LOST;
        }
    }
    end_period(cc, now_us);
    return OW_OK;
}

void cc_on_remb(struct cc *cc, int64_t now_us, uint64_t bps)
{
    (void)now_us;
    cc->remb_bps = bps;
}

int cc_target_bps(const struct cc *cc, int64_t now_us)
{
    (void)now_us;
    double target = cc->estimate_bps;
    if ((double)cc->remb_bps < target)
        target = (double)cc->remb_bps;
    return clamp((int)target, cc->settings.min_bps, cc->settings.max_bps);
}

double cc_loss(const struct cc *cc)
{
    return cc->loss;
}

void cc_on_path_change(struct cc *cc, int64_t now_us)
{
    struct cc_settings settings = cc->settings;
    cc_init(cc, &settings, now_us);
}

void cc_on_timeout(struct cc *cc, int64_t now_us)
{
    (void)cc;
    (void)now_us;
}

int64_t cc_deadline(const struct cc *cc)
{
    (void)cc;
    return INT64_MAX;
}

int cc_pacing_bps(const struct cc *cc, int64_t now_us)
{
    return cc_target_bps(cc, now_us) / 2 * 5;
}

int64_t cc_hold_until_us(const struct cc *cc)
{
    (void)cc;
    return 0;
}

bool cc_take_probe(struct cc *cc, int64_t now_us, struct cc_probe *out)
{
    (void)cc;
    (void)now_us;
    (void)out;
    return false;
}

int64_t cc_queue_delay_us(const struct cc *cc)
{
    (void)cc;
    return 0;
}

int64_t cc_round_trip_us(const struct cc *cc)
{
    return cc->round_trip_us;
}

const char *cc_state_name(const struct cc *cc)
{
    (void)cc;
    return "increase";
}
