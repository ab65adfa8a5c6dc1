#include "rtc/cc.h"

#include "core/error.h"
#include "rtc/cc_acknowledged.h"

#include <string.h>

enum {
    REPORTS_STEP_US = 1000000,
    REPORTS_DECREASE_INTERVAL_US = 300000,
    REPORT_ROUND_TRIP_US = 5000000, /* believed for so long before the one from feedback */
    FEEDBACK_GONE_US = 5000000,     /* then receiver reports tell what to do */
    LOSS_PERIOD_US = 1000000,
    LOSS_MIN_PACKETS = 20,
    MIN_FEEDBACK_INTERVAL_US = 20000,
    MAX_FEEDBACK_INTERVAL_US = 250000,
    FIRST_FEEDBACK_INTERVAL_US = 100000,
    MIN_STALL_US = 200000,
    STALL_HOLD_US = 200000,
    STALL_PAUSE_US = 40000, /* lets a frame through between two holds */
    MAX_STALL_HOLDS = 40,
    LONG_ROUND_TRIP_US = 3000000,
    BACK_OFF_INTERVAL_US = 1000000,
    MAX_ROUND_TRIP_US = 30000000,
    FIRST_PACKET_BYTES = 1000,
    SHARE_FORGOTTEN_US = 8000000,
};

static const double LOW_LOSS = 0.02, HIGH_LOSS = 0.10, INCREASE_PER_S = 0.08;
/* A sender that uses less than this part of its target has not shown that the path takes more. */
static const double USED_PART = 0.5;
static const double SHARE_GAIN = 0.2, SHARE_LOSS = 0.05;
/* What arrived while the path was full is counted without IP and UDP headers, and so is a little
 * less than it takes: only a rate well above that is a hint that it takes more now. */
static const double PROBE_BEYOND = 1.15;
static const double BACK_OFF = 0.8;
static const double OWN_DRAIN = 1.15; /* times the target */
static const double PACING = 1.1, PACING_WITHOUT_FEEDBACK = 2.5;

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static struct cc_settings in_order(const struct cc_settings *settings)
{
    struct cc_settings limits = *settings;
    limits.min_bps = limits.min_bps < 1 ? 1 : limits.min_bps;
    limits.max_bps = limits.max_bps < limits.min_bps ? limits.min_bps : limits.max_bps;
    limits.start_bps = (int)clamp(limits.start_bps, limits.min_bps, limits.max_bps);
    return limits;
}

void cc_init(struct cc *cc, const struct cc_settings *settings, int64_t now_us)
{
    memset(cc, 0, sizeof(*cc));
    cc->settings = in_order(settings);
    cc->remb_bps = UINT64_MAX;
    cc->packet_bytes = FIRST_PACKET_BYTES;
    cc_feedback_init(&cc->feedback);
    cc_on_path_change(cc, now_us);
}

static void keep_within_limits(struct cc *cc)
{
    cc->aimd.bps = clamp(cc->aimd.bps, cc->settings.min_bps, cc->settings.max_bps);
    cc->reports.bps = clamp(cc->reports.bps, cc->settings.min_bps, cc->settings.max_bps);
    cc->estimate_bps = cc->reports.bps;
}

void cc_on_path_change(struct cc *cc, int64_t now_us)
{
    cc_groups_init(&cc->groups);
    cc_trend_init(&cc->trend);
    cc_train_init(&cc->train);
    cc_loss_init(&cc->loss);
    cc_queue_init(&cc->queue, now_us);
    cc_prober_init(&cc->prober, now_us);
    cc_aimd_init(&cc->aimd, now_us, cc->settings.start_bps);
    cc->reports = (struct cc_reports){.bps = cc->settings.start_bps,
                                      .updated_us = now_us,
                                      .decreased_us = now_us - REPORTS_STEP_US};
    cc->remb_bps = UINT64_MAX;
    cc->acknowledged_bps = cc->busy_bps = 0;
    cc->share = 1;
    cc->busy_us = now_us;
    cc->round_trip_us = cc->feedback_round_trip_us = 0;
    cc->reported_round_trip_us = INT64_MIN;
    cc->loss_packets = cc->loss_lost = 0;
    cc->loss_period_us = cc->own_updated_us = cc->backed_off_us = now_us;
    cc->own_us = 0;
    cc->feedback_us = INT64_MIN;
    cc->feedback_interval_us = FIRST_FEEDBACK_INTERVAL_US;
    cc->waiting_us = cc->stall_us = INT64_MAX;
    cc->stall_hold_until_us = now_us;
    cc->stalls = 0;
    cc->outage_us = INT64_MIN;
    cc->path_us = cc->feedback.any_sent ? now_us : INT64_MIN;
    cc->overuse = cc->backed_off = false;
    keep_within_limits(cc);
}

void cc_set_limits(struct cc *cc, int64_t now_us, const struct cc_settings *settings)
{
    (void)now_us;
    double estimate_bps = cc->estimate_bps;
    cc->settings = in_order(settings);
    keep_within_limits(cc);
    cc->estimate_bps = clamp(estimate_bps, cc->settings.min_bps, cc->settings.max_bps);
}

/* Transport-wide feedback comes, so that reports need not be guessed from. */
static bool has_feedback(const struct cc *cc, int64_t now_us)
{
    return cc->feedback_us != INT64_MIN && now_us - cc->feedback_us < FEEDBACK_GONE_US;
}

/* By delay and loss; beside TCP the former has the loss in it. */
static double unreported_bps(const struct cc *cc, int64_t now_us)
{
    bool limited = cc->loss.state != CC_LOSS_FREE && cc->loss.bps < cc->aimd.bps &&
                   !cc_queue_is_shared(&cc->queue, now_us);
    return limited ? cc->loss.bps : cc->aimd.bps;
}

int cc_target_bps(const struct cc *cc, int64_t now_us)
{
    double target = cc->reports.bps;
    if (has_feedback(cc, now_us))
        target = unreported_bps(cc, now_us);
    if ((double)cc->remb_bps < target)
        target = (double)cc->remb_bps;
    return (int)clamp(target, cc->settings.min_bps, cc->settings.max_bps);
}

int cc_pacing_bps(const struct cc *cc, int64_t now_us)
{
    double factor = has_feedback(cc, now_us) ? PACING : PACING_WITHOUT_FEEDBACK;
    return (int)clamp(factor * cc_target_bps(cc, now_us), 1, INT32_MAX);
}

/* ---- sending ---- */

static int64_t stall_after_us(const struct cc *cc)
{
    int64_t wait_us = cc->round_trip_us + 3 * cc->feedback_interval_us;
    return wait_us > MIN_STALL_US ? wait_us : MIN_STALL_US;
}

static void watch_for_stall(struct cc *cc, int64_t send_us)
{
    if (cc->feedback_us == INT64_MIN || cc->waiting_us != INT64_MAX)
        return;
    cc->waiting_us = send_us;
    cc->stall_us = send_us + stall_after_us(cc);
}

void cc_on_packet_sent(struct cc *cc, const struct cc_packet *packet)
{
    double target_bps = cc_target_bps(cc, packet->send_us);
    int64_t step_us = packet->send_us - cc->own_updated_us;
    cc->own_updated_us = packet->send_us;
    cc->own_us = clamp(cc->own_us - (double)step_us, 0, CC_MAX_OWN_MS * 1000);
    cc_feedback_sent(&cc->feedback, packet, (int)(cc->own_us / 1000));
    cc->own_us += packet->bytes * 8e6 / (OWN_DRAIN * target_bps);
    cc->packet_bytes += (packet->bytes - cc->packet_bytes) / 32;
    cc_prober_sent(&cc->prober, packet, target_bps);
    rate_meter_add(&cc->sent, packet->send_us, packet->bytes);
    watch_for_stall(cc, packet->send_us);
}

bool cc_take_probe(struct cc *cc, int64_t now_us, struct cc_probe *out)
{
    return cc_prober_take(&cc->prober, now_us, out);
}

/* ---- transport-wide feedback ---- */

static void on_arrival(struct cc *cc, int64_t now_us, const struct cc_result *result)
{
    if (!cc_groups_add(&cc->groups, result))
        return;
    const struct cc_group *group = cc_groups_at(&cc->groups, 1),
                          *before = cc_groups_at(&cc->groups, 2);
    if (before == NULL || group->probe || before->probe)
        return;
    cc_queue_group(&cc->queue, before, group);
    cc_trend_add(&cc->trend, now_us, group->first_arrival_us, group->send_us - before->send_us,
                 cc_group_waited_us(group));
}

static void end_loss_period(struct cc *cc, int64_t now_us)
{
    if (now_us - cc->loss_period_us < LOSS_PERIOD_US || cc->loss_packets < LOSS_MIN_PACKETS)
        return;
    cc->last_loss = (double)cc->loss_lost / cc->loss_packets;
    cc->loss_period_us = now_us;
    cc->loss_packets = cc->loss_lost = 0;
}

static void on_loss_of(struct cc *cc, const struct cc_result *result)
{
    /* What an outage swallowed says nothing of rates. */
    if (result->send_us >= cc->outage_us)
        cc_loss_packet(&cc->loss, result->send_us, result->bytes, result->received, result->again);
    if (result->again)
        cc->loss_lost -= cc->loss_lost > 0; /* it was only late */
    else
        cc->loss_packets++;
    if (!result->received)
        cc->loss_lost++;
}

static void learn_round_trip(struct cc *cc, int64_t now_us, int64_t newest_send_us)
{
    if (newest_send_us < cc->outage_us || newest_send_us == INT64_MIN || newest_send_us > now_us)
        return; /* what fell into an outage was late for that */
    int64_t round_trip_us = now_us - newest_send_us + 1;
    round_trip_us = round_trip_us < MAX_ROUND_TRIP_US ? round_trip_us : MAX_ROUND_TRIP_US;
    if (cc->feedback_round_trip_us == 0)
        cc->feedback_round_trip_us = round_trip_us;
    cc->feedback_round_trip_us += (round_trip_us - cc->feedback_round_trip_us) / 8;
    if (cc->reported_round_trip_us == INT64_MIN ||
        now_us - cc->reported_round_trip_us > REPORT_ROUND_TRIP_US)
        cc->round_trip_us = cc->feedback_round_trip_us;
}

static void on_feedback_time(struct cc *cc, int64_t now_us, int64_t newest_send_us)
{
    learn_round_trip(cc, now_us, newest_send_us);
    if (cc->backed_off && newest_send_us >= cc->outage_us && newest_send_us != INT64_MIN) {
        cc->backed_off = false;
        cc_prober_returned(&cc->prober);
    }
    if (cc->feedback_us != INT64_MIN) {
        int64_t interval_us = now_us - cc->feedback_us;
        if (interval_us > MAX_FEEDBACK_INTERVAL_US)
            interval_us = MAX_FEEDBACK_INTERVAL_US;
        cc->feedback_interval_us += (interval_us - cc->feedback_interval_us) / 8;
        if (cc->feedback_interval_us < MIN_FEEDBACK_INTERVAL_US)
            cc->feedback_interval_us = MIN_FEEDBACK_INTERVAL_US;
    }
    cc->feedback_us = now_us;
    cc->waiting_us = cc->stall_us = INT64_MAX;
    cc->stall_hold_until_us = now_us;
    cc->stalls = 0;
    if (cc->feedback.in_flight_bytes > 0)
        watch_for_stall(cc, now_us);
}

/* `too_long`: the queue is, even though the rate may be right by now. */
static void lower(struct cc *cc, int64_t now_us, const struct cc_aimd_input *in, bool too_long)
{
    double before_bps = cc->aimd.bps;
    cc_aimd_update(&cc->aimd, now_us, in);
    bool fell = cc->aimd.bps < before_bps;
    if (fell)
        cc_prober_dropped(&cc->prober, now_us, before_bps, cc->aimd.bps);
    else if (!too_long)
        return;
    double drain_bps = cc->busy_bps > 0 ? cc->busy_bps : cc->acknowledged_bps;
    cc_queue_drain(&cc->queue, &cc->groups, now_us, cc->feedback.in_flight_bytes, drain_bps);
    cc_trend_restart(&cc->trend);
}

static void learn_share(struct cc *cc, int64_t now_us, double train_bps, bool full)
{
    if (full)
        cc->busy_us = now_us;
    if (cc->busy_bps > 0 && train_bps > 0)
        cc->share += (clamp(cc->busy_bps / train_bps, 0, 1) - cc->share) * SHARE_GAIN;
    if (!cc_queue_is_shared(&cc->queue, now_us) &&
        (train_bps <= 0 || now_us - cc->busy_us > SHARE_FORGOTTEN_US))
        cc->share += (1 - cc->share) * SHARE_LOSS; /* not known; or the others may have left */
    cc_queue_set_share(&cc->queue, cc->share);
}

static void update_rate(struct cc *cc, int64_t now_us)
{
    enum cc_queue_event event = cc_queue_judge(&cc->queue, &cc->groups, now_us);
    cc->acknowledged_bps = cc_acknowledged_bps(&cc->groups);
    cc->busy_bps = cc_busy_bps(&cc->groups, cc_queue_noise_us(&cc->queue));
    double train_bps = cc_train_bps(&cc->train, now_us);
    double newest_train_bps = cc_train_newest_bps(&cc->train);
    if (newest_train_bps < train_bps)
        train_bps = newest_train_bps; /* a fall is believed sooner than a rise */
    learn_share(cc, now_us, train_bps, event != CC_QUEUE_CALM || cc->trend.usage == CC_OVERUSE);
    cc->overuse = event == CC_QUEUE_OVERUSE || cc->trend.usage == CC_OVERUSE;
    struct cc_aimd_input in = {
        .overuse = cc->overuse,
        .underuse = cc->trend.usage == CC_UNDERUSE,
        .shared = cc_queue_is_shared(&cc->queue, now_us),
        .lost = cc->just_lost,
        .holding = now_us < cc->queue.hold_until_us,
        .standing = event == CC_QUEUE_STANDING,
        .drained = !cc_queue_is_shared(&cc->queue, now_us) && cc->busy_bps > 0,
        .acknowledged_bps = cc->acknowledged_bps,
        .busy_bps = cc->busy_bps,
        .train_bps = cc_train_last_bps(&cc->train),
        .newest_train_bps = newest_train_bps,
        .most_bps = cc_train_most_bps(&cc->train),
        .share = cc->share,
        .round_trip_us = cc->feedback_round_trip_us,
        .packet_bytes = cc->packet_bytes,
    };
    if (cc->overuse)
        lower(cc, now_us, &in, event == CC_QUEUE_OVERUSE);
    else
        cc_aimd_update(&cc->aimd, now_us, &in);
    cc_queue_refine(&cc->queue, &cc->groups, now_us, cc->feedback.in_flight_bytes, cc->busy_bps);
    keep_within_limits(cc);
    struct cc_loss_input loss = {
        .delay_bps = cc->aimd.bps,
        .acknowledged_bps = cc->acknowledged_bps,
        .min_bps = cc->settings.min_bps,
        .max_bps = cc->settings.max_bps,
        .application_limited = cc_prober_is_limited(&cc->prober),
        .calm = event == CC_QUEUE_CALM && !cc->overuse && !cc_queue_is_shared(&cc->queue, now_us),
    };
    cc_loss_update(&cc->loss, &loss);
    struct cc_prober_input probe = {
        .target_bps = cc_target_bps(cc, now_us),
        .max_bps = cc->settings.max_bps,
        .start_bps = cc->settings.start_bps,
        .calm = !cc->overuse && event == CC_QUEUE_CALM && cc->loss.state == CC_LOSS_FREE &&
                !cc_queue_is_shared(&cc->queue, now_us) && now_us >= cc->queue.hold_until_us,
        .beyond_link =
            cc->aimd.link_bps == 0 || cc->estimate_bps > PROBE_BEYOND * cc->aimd.link_bps,
        .train_bps = train_bps,
        .share = cc->share,
    };
    double shown_bps = cc_prober_update(&cc->prober, now_us, &probe);
    if (shown_bps > 0 && !cc->overuse)
        cc_aimd_raise(&cc->aimd, now_us, shown_bps);
    cc->reports.bps = unreported_bps(cc, now_us);
    keep_within_limits(cc);
}

int cc_on_transport_feedback(struct cc *cc, int64_t now_us, const struct rtcp_packet *feedback)
{
    struct rtcp_status_reader reader;
    struct cc_result result;
    int code = cc_feedback_begin(&cc->feedback, &reader, feedback);
    if (code != OW_OK)
        return code;
    int64_t newest_send_us = INT64_MIN;
    uint32_t unreported_bytes = 0;
    bool news = false;
    if (cc->stalls > 0)
        cc->outage_us = now_us;
    cc->just_lost = false;
    while (cc_feedback_next(&cc->feedback, &reader, &result)) {
        news = true;
        if (result.send_us < cc->path_us)
            continue; /* it took another path */
        on_loss_of(cc, &result);
        unreported_bytes += result.unreported_bytes;
        if (!result.received) {
            cc->just_lost = true;
            continue;
        }
        result.unreported_bytes = unreported_bytes;
        unreported_bytes = 0;
        cc->arrived_bytes += result.bytes;
        cc_prober_result(&cc->prober, &result);
        cc_train_add(&cc->train, &result);
        on_arrival(cc, now_us, &result);
        newest_send_us = result.send_us > newest_send_us ? result.send_us : newest_send_us;
    }
    if (!news)
        return OW_OK;
    on_feedback_time(cc, now_us, newest_send_us);
    end_loss_period(cc, now_us);
    update_rate(cc, now_us);
    return OW_OK;
}

/* ---- missing feedback ---- */

/* The path stands still: what is sent now only makes the queue longer. But a frame is let through
 * now and then, so that it is noticed when the path is back. */
static void on_stall(struct cc *cc, int64_t now_us)
{
    if (cc->stalls >= MAX_STALL_HOLDS) {
        cc->stall_us = INT64_MAX;
        return;
    }
    cc->stalls++;
    cc->stall_hold_until_us = now_us + STALL_HOLD_US;
    cc->stall_us = cc->stall_hold_until_us + STALL_PAUSE_US;
}

static void back_off(struct cc *cc, int64_t now_us)
{
    int64_t silent_us = cc->waiting_us == INT64_MAX ? 0 : now_us - cc->waiting_us;
    if (silent_us + cc->round_trip_us < LONG_ROUND_TRIP_US ||
        now_us - cc->backed_off_us < BACK_OFF_INTERVAL_US)
        return;
    cc->backed_off_us = now_us;
    cc->backed_off = true;
    cc->aimd.bps *= BACK_OFF;
    cc->reports.bps *= BACK_OFF;
    keep_within_limits(cc);
}

void cc_on_timeout(struct cc *cc, int64_t now_us)
{
    if (now_us >= cc->stall_us)
        on_stall(cc, now_us);
    back_off(cc, now_us);
}

int64_t cc_deadline(const struct cc *cc)
{
    return cc->stall_us;
}

int64_t cc_hold_until_us(const struct cc *cc)
{
    if (cc->settings.min_bps == cc->settings.max_bps)
        return 0; /* the rate is not ours to choose, nor are the frames */
    return cc->queue.hold_until_us > cc->stall_hold_until_us ? cc->queue.hold_until_us
                                                             : cc->stall_hold_until_us;
}

/* ---- peers without transport-wide feedback ---- */

/* libwebrtc, send_side_bandwidth_estimation.cc. */
static void on_reported_loss(struct cc *cc, int64_t now_us, double loss)
{
    struct cc_reports *reports = &cc->reports;
    int64_t step_us = now_us - reports->updated_us;
    step_us = step_us < 0 ? 0 : step_us > REPORTS_STEP_US ? REPORTS_STEP_US : step_us;
    reports->updated_us = now_us;
    if (loss < LOW_LOSS) {
        double used = (double)rate_meter_bps(&cc->sent, now_us);
        if (used > USED_PART * reports->bps)
            reports->bps += (reports->bps * INCREASE_PER_S + 1000) * ((double)step_us / 1e6);
    } else if (loss > HIGH_LOSS &&
               now_us - reports->decreased_us >= REPORTS_DECREASE_INTERVAL_US + cc->round_trip_us) {
        /* From what was really sent: a REMB may have kept it below. */
        if ((double)cc->remb_bps < reports->bps)
            reports->bps = (double)cc->remb_bps;
        reports->bps *= 1 - 0.5 * loss;
        reports->decreased_us = now_us;
    }
    keep_within_limits(cc);
}

void cc_on_receiver_report(struct cc *cc, int64_t now_us, double loss, int64_t round_trip_us)
{
    if (round_trip_us > 0) {
        cc->round_trip_us = round_trip_us < MAX_ROUND_TRIP_US ? round_trip_us : MAX_ROUND_TRIP_US;
        cc->reported_round_trip_us = now_us;
    }
    cc->last_loss = clamp(loss, 0, 1);
    if (!has_feedback(cc, now_us))
        on_reported_loss(cc, now_us, cc->last_loss);
    back_off(cc, now_us);
}

void cc_on_remb(struct cc *cc, int64_t now_us, uint64_t bps)
{
    (void)now_us;
    cc->remb_bps = bps;
}

/* ---- for the page and the log ---- */

double cc_loss(const struct cc *cc)
{
    return cc->last_loss;
}

int64_t cc_queue_delay_us(const struct cc *cc)
{
    return cc->groups.last_queue_us;
}

int64_t cc_round_trip_us(const struct cc *cc)
{
    return cc->round_trip_us;
}

const char *cc_state_name(const struct cc *cc)
{
    static const char *const names[] = {"increase", "hold", "decrease"};
    if (cc->overuse)
        return "decrease";
    if (cc->loss.state == CC_LOSS_DECREASING)
        return "loss";
    return names[cc->aimd.state];
}
