/* What the rate control says, carried out: how fast packets leave, what the encoder is told, and
 * the clusters that probe. */
#include "rtc/session_internal.h"

enum {
    TARGET_INTERVAL_US = 100000, /* between two rises */
    TARGET_SETTLE_US = 1000000,  /* then differences too small to hurry for are told, too */
    TARGET_STEP_PERCENT = 2,
    HOLD_TOLERANCE_US = 5000, /* about what a picture takes from the encoder to here */
    HOLD_GROWN_US = 3000,
    HOLD_SHRUNK_US = 10000,
    CALM_QUEUE_US = 10000,
    PROBE_PATIENCE_US = 200000, /* for packets, where there is no padding */
    SHARE_HALVING_US = 1000000,
};

/* A path that takes the most we ever send, without a queue, is not the bottleneck: large frames
 * need not wait as if it were. What libwebrtc paces at where it knows no better. */
static const double UNLIMITED_PACING = 2.5;
static const double LOSING_PACING = 1.1;
/* Before anything was measured: 60 bytes of header and protection with 1,140 of video. */
static const double FIRST_MEDIA_BYTES = 9500, FIRST_HEADER_BYTES = 500;
static const double LEAST_MEDIA_PART = 0.3;

void session_rate_init(struct rtc_session *session, int64_t now_us)
{
    session->share = (struct session_share){
        .media = FIRST_MEDIA_BYTES, .headers = FIRST_HEADER_BYTES, .halved_us = now_us};
    session->reported_hold_us = now_us;
    pacer_init(&session->pacer, now_us, cc_pacing_bps(&session->cc, now_us));
}

static int pacing_bps(const struct rtc_session *session, int64_t now_us)
{
    int pacing = cc_pacing_bps(&session->cc, now_us);
    double target = cc_target_bps(&session->cc, now_us);
    bool reported = session->heard_report || session->counters.receives_transport_cc;
    bool unlimited = reported && target >= session->cc.settings.max_bps &&
                     cc_queue_delay_us(&session->cc) < CALM_QUEUE_US;
    /* Without transport-wide feedback nobody sees the queue that repair at such a pace makes. */
    if (!session->counters.receives_transport_cc && session_is_losing(session, now_us) &&
        pacing > LOSING_PACING * target)
        pacing = (int)(LOSING_PACING * target);
    if (unlimited && pacing < UNLIMITED_PACING * target)
        pacing =
            UNLIMITED_PACING * target < INT32_MAX ? (int)(UNLIMITED_PACING * target) : INT32_MAX;
    return pacing;
}

static void take_probe(struct rtc_session *session, int64_t now_us)
{
    struct session_probe *probe = &session->probe;
    if (probe->active && now_us - probe->taken_us > PROBE_PATIENCE_US)
        probe->active = false;
    if (probe->active || session->counters.frames_sent == 0 ||
        !cc_take_probe(&session->cc, now_us, &probe->plan))
        return;
    probe->active = true;
    probe->taken_us = now_us;
    probe->bytes = 0;
    probe->packets = 0;
    probe->padding_back = 0;
    session->counters.probes++;
}

void session_rate_changed(struct rtc_session *session, int64_t now_us)
{
    if (session->phase != PHASE_CONNECTED)
        return;
    pacer_set_rate(&session->pacer, now_us, pacing_bps(session, now_us));
    pacer_set_hold(&session->pacer, session->returning ? now_us : cc_hold_until_us(&session->cc));
    session_watch_queue(session, now_us);
    session_tier_update(session, now_us);
    if (!session->tier.vector)
        take_probe(session, now_us);
}

void rtc_session_set_limits(struct rtc_session *session, int64_t now_us, int min_bps, int start_bps,
                            int max_bps)
{
    const struct cc_settings limits = {
        .min_bps = min_bps, .start_bps = start_bps, .max_bps = max_bps};
    cc_set_limits(&session->cc, now_us, &limits);
    session_rate_changed(session, now_us);
}

/* ---- what the encoder is told ---- */

void session_count_share(struct rtc_session *session, int64_t now_us, size_t bytes, size_t media,
                         bool repair)
{
    struct session_share *share = &session->share;
    if (now_us - share->halved_us >= SHARE_HALVING_US) {
        share->media /= 2;
        share->headers /= 2;
        share->repair /= 2;
        share->halved_us = now_us;
    }
    share->media += (double)media;
    if (repair)
        share->repair += (double)(bytes - media);
    else
        share->headers += (double)(bytes - media);
}

static int encoder_target(const struct rtc_session *session, int64_t now_us)
{
    const struct session_share *share = &session->share;
    double part = share->media / (share->media + share->headers + share->repair);
    if (part < LEAST_MEDIA_PART)
        part = LEAST_MEDIA_PART;
    return (int)(cc_target_bps(&session->cc, now_us) * part);
}

static bool target_changed(const struct rtc_session *session, int64_t now_us, int target)
{
    int64_t change = (int64_t)target - session->reported_target_bps;
    int64_t since_us = now_us - session->target_reported_us;
    bool small = (change < 0 ? -change : change) * 100 <
                 (int64_t)session->reported_target_bps * TARGET_STEP_PERCENT;
    if (session->reported_target_bps == 0 || change == 0)
        return change != 0;
    if (small)
        return since_us >= TARGET_SETTLE_US;
    return change < 0 || since_us >= TARGET_INTERVAL_US;
}

/* Until when a frame that is encoded now would only wait: now = it would not. */
static int64_t hold_until(const struct rtc_session *session, int64_t now_us)
{
    int64_t until_us = pacer_free_us(&session->pacer) - HOLD_TOLERANCE_US;
    return until_us > now_us ? until_us : now_us;
}

static bool hold_changed(const struct rtc_session *session, int64_t now_us, int64_t until_us)
{
    int64_t told_us = session->reported_hold_us > now_us ? session->reported_hold_us : now_us;
    return until_us > told_us + HOLD_GROWN_US || until_us < told_us - HOLD_SHRUNK_US;
}

int session_poll_rate(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    int target = encoder_target(session, now_us);
    if (target_changed(session, now_us, target)) {
        session->reported_target_bps = target;
        session->target_reported_us = now_us;
        out->kind = RTC_OUTPUT_TARGET_BPS;
        out->target_bps = target;
        return OW_OK;
    }
    int64_t until_us = hold_until(session, now_us);
    if (hold_changed(session, now_us, until_us)) {
        session->reported_hold_us = until_us;
        out->kind = RTC_OUTPUT_HOLD;
        out->hold_until_us = until_us;
        return OW_OK;
    }
    return OW_EAGAIN;
}

/* ---- probes ---- */

static int64_t next_probe_us(const struct session_probe *probe)
{
    if (probe->bytes == 0)
        return probe->taken_us;
    return probe->start_us + (int64_t)((double)probe->bytes * 8e6 / probe->plan.bps);
}

bool session_probe_is_due(const struct rtc_session *session, int64_t now_us)
{
    return session->probe.active && now_us >= next_probe_us(&session->probe);
}

/* From when on there is something to send for a probe. */
static int64_t packets_from_us(const struct rtc_session *session)
{
    const struct pacer *pacer = &session->pacer;
    bool padding = session->has_rtx && session->history.oldest != session->history.next;
    bool begun = pacer->count > 0 && pacer->entries[pacer->first].next > 0;
    if (padding || begun)
        return INT64_MIN;
    return pacer->count > 0 || session->resends.count > 0 ? pacer->hold_until_us : INT64_MAX;
}

int64_t session_probe_deadline(const struct rtc_session *session)
{
    const struct session_probe *probe = &session->probe;
    if (!probe->active)
        return INT64_MAX;
    int64_t next_us = next_probe_us(probe), from_us = packets_from_us(session);
    int64_t end_us = probe->taken_us + PROBE_PATIENCE_US + 1;
    next_us = next_us > from_us ? next_us : from_us;
    return next_us < end_us ? next_us : end_us;
}

void session_probe_count(struct rtc_session *session, int64_t now_us, size_t bytes)
{
    struct session_probe *probe = &session->probe;
    if (probe->bytes == 0)
        probe->start_us = now_us;
    probe->bytes += bytes;
    probe->packets++;
    if (probe->bytes >= probe->plan.bytes && probe->packets >= probe->plan.packets)
        probe->active = false;
}
