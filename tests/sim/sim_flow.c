#include "sim_flow.h"

#include "rtc/rtp_header.h"
#include "rtc/session_internal.h" /* what its data channel would have told it */
#include "rtc/stun.h"
#include "sim_offer.h"
#include "unit/rtc/rtc_peer.h"
#include "unit/rtc/sdp_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DTLS_WIRE_BYTES = 600, /* of each DTLS datagram, whatever the size of its keys */
    ENCODE_US = 3000,      /* from capture to the encoded frame */
    CHECK_REPEAT_US = 500000,
    FRAMES_KEPT = 1024,
    DEFAULT_MIN_BPS = 100000,
    DEFAULT_START_BPS = 500000,
    DEFAULT_MAX_BPS = 8000000,
    DEFAULT_FEEDBACK_US = 100000,
    DEFAULT_NACK_REPEAT_US = 100000,
};

/* The session's clock runs ahead of the simulation's, as no machine's begins at 0. */
static const int64_t SESSION_MINUS_CLOCK_US = 100000000, WALL_MINUS_SESSION_US = 1700000000000000;
static const struct address SERVER = {
    .family = ADDRESS_IPV4, .ip = {198, 51, 100, 1}, .port = 8189};

struct sim_flow {
    struct sim_clock *clock;
    struct sim_flow_settings settings;
    struct sim_flow_result result;
    struct sim_port out, back; /* to the viewer, to the server */
    /* server */
    struct dtls_identity *identity;
    struct random_source random;
    struct rtc_session *session;
    struct sim_encoder encoder;
    int64_t armed_us, hold_until_us;
    bool connected, vector;
    int64_t waiting_capture_us; /* of the picture that waits for a hold's end; 0 = none */
    struct sim_made_frame {
        uint32_t timestamp;
        int64_t capture_us;
    } made[FRAMES_KEPT];
    /* viewer */
    struct rtc_peer peer;
    struct address address;
    struct sim_receiver receiver;
    char ufrag[64], pwd[64];
    uint8_t check_id;
    bool heard; /* an answer to a check from the present address */
    bool srtp;
};

static int64_t session_now(const struct sim_flow *flow)
{
    return flow->clock->now_us + SESSION_MINUS_CLOCK_US;
}

/* ---- the viewer ---- */

static bool is_dtls(const uint8_t *data)
{
    return data[0] >= 20 && data[0] <= 63;
}

static size_t wire_bytes(const uint8_t *data, size_t size)
{
    return is_dtls(data) ? DTLS_WIRE_BYTES : size + SIM_IP_UDP_BYTES;
}

static void viewer_send(struct sim_flow *flow, const uint8_t *data, size_t size)
{
    sim_port_send(&flow->back, data, size, wire_bytes(data, size), !flow->connected || !flow->srtp);
}

static void send_dtls(struct sim_flow *flow)
{
    uint8_t data[2048];
    size_t size;
    while ((size = rtc_peer_poll(&flow->peer, data, sizeof(data))) > 0)
        viewer_send(flow, data, size);
}

static void check_again(void *context, void *argument);

/* RFC 8445 section 7.2: a check that nominates, until one is answered. */
static void send_check(struct sim_flow *flow)
{
    uint8_t data[512], transaction[STUN_TRANSACTION_BYTES] = {0xcc, flow->check_id++};
    char username[128];
    struct stun_writer writer;
    snprintf(username, sizeof(username), "%s:%s", flow->ufrag, SIM_OFFER_UFRAG);
    stun_begin(&writer, data, sizeof(data), STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1845501695);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    stun_put_use_candidate(&writer);
    if (stun_finish(&writer, flow->pwd) == OW_OK)
        viewer_send(flow, writer.data, writer.size);
    sim_at(flow->clock, flow->clock->now_us + CHECK_REPEAT_US, check_again, flow, NULL);
}

static void check_again(void *context, void *argument)
{
    struct sim_flow *flow = context;
    (void)argument;
    if (!flow->heard)
        send_check(flow);
}

static void viewer_stun(struct sim_flow *flow, const uint8_t *data, size_t size)
{
    struct stun_message message;
    struct stun_writer writer;
    uint8_t answer[512];
    if (stun_parse(&message, data, size) != OW_OK)
        return;
    if (message.class == STUN_SUCCESS && !flow->heard) {
        flow->heard = true;
        send_dtls(flow); /* the hello, the first time */
    }
    if (message.class != STUN_REQUEST)
        return;
    stun_begin(&writer, answer, sizeof(answer), STUN_SUCCESS, message.transaction);
    stun_put_xor_mapped(&writer, &SERVER);
    if (stun_finish(&writer, SIM_OFFER_PWD) == OW_OK)
        viewer_send(flow, writer.data, writer.size);
}

static void viewer_srtp(struct sim_flow *flow, const uint8_t *data, size_t size)
{
    uint8_t plain[RTC_MAX_DATAGRAM];
    int length = (int)size;
    if (!flow->srtp || size > sizeof(plain))
        return;
    memcpy(plain, data, size);
    bool rtcp = data[1] >= 192 && data[1] <= 223;
    srtp_err_status_t status = rtcp ? srtp_unprotect_rtcp(flow->peer.in, plain, &length)
                                    : srtp_unprotect(flow->peer.in, plain, &length);
    if (status != srtp_err_status_ok)
        return; /* a duplicate */
    if (rtcp)
        sim_receiver_rtcp(&flow->receiver, plain, (size_t)length);
    else
        sim_receiver_rtp(&flow->receiver, plain, (size_t)length);
}

static void viewer_send_rtcp(void *context, const uint8_t *rtcp, size_t size)
{
    struct sim_flow *flow = context;
    uint8_t data[RTC_MAX_DATAGRAM + SRTP_MAX_TRAILER_LEN];
    int length = (int)size;
    memcpy(data, rtcp, size);
    if (srtp_protect_rtcp(flow->peer.out, data, &length) == srtp_err_status_ok)
        viewer_send(flow, data, (size_t)length);
}

static void viewer_shown(void *context, const struct sim_shown *frame)
{
    struct sim_flow *flow = context;
    for (uint64_t i = 0; i < FRAMES_KEPT; i++) {
        const struct sim_made_frame *made = &flow->made[(flow->encoder.sequence - i) % FRAMES_KEPT];
        if (made->timestamp != frame->timestamp)
            continue;
        sim_metrics_shown(&flow->result.metrics, flow->clock->now_us, made->capture_us,
                          frame->bytes);
        return;
    }
}

static void start_receiver(struct sim_flow *flow)
{
    const char *ssrcs = strstr(rtc_session_answer(flow->session), "a=ssrc-group:FID ");
    unsigned long ssrc = 0, rtx_ssrc = 0;
    if (ssrcs == NULL || sscanf(ssrcs, "a=ssrc-group:FID %lu %lu", &ssrc, &rtx_ssrc) != 2) {
        fprintf(stderr, "sim: no ssrc in the answer\n");
        exit(1);
    }
    const char *group = strstr(rtc_session_answer(flow->session), "a=ssrc-group:FEC-FR ");
    unsigned long flexfec_ssrc = 0;
    if (group != NULL)
        sscanf(group, "a=ssrc-group:FEC-FR %*u %lu", &flexfec_ssrc);
    const struct sim_flow_settings *settings = &flow->settings;
    int64_t feedback_us = settings->feedback_us;
    struct sim_receiver_settings receiver = {.ssrc = (uint32_t)ssrc,
                                             .rtx_ssrc = (uint32_t)rtx_ssrc,
                                             .flexfec_ssrc = (uint32_t)flexfec_ssrc,
                                             .feedback = settings->feedback,
                                             .feedback_us = feedback_us < 0    ? 0
                                                            : feedback_us == 0 ? DEFAULT_FEEDBACK_US
                                                                               : feedback_us,
                                             .nack_repeat_us = settings->nack_repeat_us == 0
                                                                   ? DEFAULT_NACK_REPEAT_US
                                                                   : settings->nack_repeat_us,
                                             .send = viewer_send_rtcp,
                                             .shown = viewer_shown,
                                             .context = flow};
    sim_receiver_init(&flow->receiver, flow->clock, &receiver);
}

static void viewer_receive(void *context, const void *bytes, size_t size)
{
    struct sim_flow *flow = context;
    const uint8_t *data = bytes;
    if (ice_is_stun(data, size)) {
        viewer_stun(flow, data, size);
    } else if (is_dtls(data)) {
        rtc_peer_receive(&flow->peer, data, size);
        send_dtls(flow);
        if (flow->peer.connected && !flow->srtp) {
            rtc_peer_start_srtp(&flow->peer);
            flow->srtp = true;
            start_receiver(flow);
        }
    } else {
        viewer_srtp(flow, data, size);
    }
}

/* ---- the server ---- */

static void drain(struct sim_flow *flow);

static void make_frame(struct sim_flow *flow, int64_t capture_us)
{
    struct rtp_frame *frame =
        sim_encoder_encode(&flow->encoder, capture_us + SESSION_MINUS_CLOCK_US);
    flow->made[flow->encoder.sequence % FRAMES_KEPT] = (struct sim_made_frame){
        rtp_timestamp_90k(frame->capture_us, rtc_session_rtp_offset(flow->session)), capture_us};
    flow->result.metrics.frames_made++;
    flow->result.metrics.key_frames_made += frame->key;
    flow->waiting_capture_us = 0;
    rtc_session_send(flow->session, session_now(flow), frame);
    rtp_frame_unref(&frame);
    drain(flow);
}

static void hold_ended(void *context, void *argument)
{
    struct sim_flow *flow = context;
    (void)argument;
    if (!flow->vector && flow->waiting_capture_us != 0 && session_now(flow) >= flow->hold_until_us)
        make_frame(flow, flow->waiting_capture_us);
}

/* A picture is ready to be encoded, ENCODE_US after its capture (the encoding's time included). */
static void frame_due(void *context, void *argument)
{
    struct sim_flow *flow = context;
    const struct sim_flow_settings *settings = &flow->settings;
    int64_t now_us = flow->clock->now_us;
    (void)argument;
    if (settings->stop_us != 0 && now_us >= settings->stop_us)
        return;
    int64_t interval_us = (int64_t)(1e6 / flow->encoder.settings.fps);
    sim_at(flow->clock, now_us + interval_us, frame_due, flow, NULL);
    if (flow->vector || (now_us >= settings->pause_from_us && now_us < settings->pause_until_us))
        return;
    flow->waiting_capture_us = now_us - ENCODE_US;
    if (session_now(flow) >= flow->hold_until_us)
        make_frame(flow, flow->waiting_capture_us);
}

/* Without a viewer of video nothing is encoded. */
static void change_tier(struct sim_flow *flow, bool vector)
{
    struct sim_flow_result *result = &flow->result;
    flow->vector = vector;
    flow->encoder.key_wanted |= !vector;
    if (result->tier_count < SIM_TIERS)
        result->tiers[result->tier_count++] = (struct sim_tier_change){flow->clock->now_us, vector};
}

static void take_output(struct sim_flow *flow, const struct rtc_output *out)
{
    struct sim_bin *bin = sim_metrics_bin(&flow->result.metrics, flow->clock->now_us);
    switch (out->kind) {
    case RTC_OUTPUT_DATAGRAM:
        if (!address_equal(&out->to, &flow->address))
            break; /* to where the viewer is no more */
        bin->sent_bytes += wire_bytes(out->data, out->size);
        sim_port_send(&flow->out, out->data, out->size, wire_bytes(out->data, out->size),
                      !flow->connected || !flow->srtp);
        break;
    case RTC_OUTPUT_CONNECTED:
        flow->connected = flow->result.connected = true;
        flow->result.connected_us = flow->clock->now_us;
        flow->encoder.key_wanted = true;
        sim_at(flow->clock, flow->clock->now_us + ENCODE_US, frame_due, flow, NULL);
        flow->session->data.channel.wish.vector = flow->settings.vectors;
        flow->session->data.informed = true;
        break;
    case RTC_OUTPUT_TIER:
        change_tier(flow, out->vector);
        break;
    case RTC_OUTPUT_KEY_FRAME:
        flow->encoder.key_wanted = true;
        break;
    case RTC_OUTPUT_TARGET_BPS:
        flow->encoder.target_bps = out->target_bps;
        break;
    case RTC_OUTPUT_HOLD:
        flow->hold_until_us = out->hold_until_us;
        sim_at(flow->clock, out->hold_until_us - SESSION_MINUS_CLOCK_US, hold_ended, flow, NULL);
        break;
    case RTC_OUTPUT_CLOSED:
        flow->result.closed = true;
        break;
    case RTC_OUTPUT_ICE_STATE:
        break;
    }
    bin->target_bps = flow->encoder.target_bps;
}

static void wake(void *context, void *argument)
{
    struct sim_flow *flow = context;
    (void)argument;
    if (flow->clock->now_us < flow->armed_us)
        return; /* an earlier wish, met already */
    flow->armed_us = INT64_MAX;
    rtc_session_handle_timeout(flow->session, session_now(flow));
    drain(flow);
}

static void drain(struct sim_flow *flow)
{
    struct rtc_output out;
    while (rtc_session_poll(flow->session, session_now(flow), &out) == OW_OK)
        take_output(flow, &out);
    int64_t deadline_us = rtc_session_deadline(flow->session);
    if (deadline_us == INT64_MAX || deadline_us - SESSION_MINUS_CLOCK_US >= flow->armed_us)
        return;
    flow->armed_us = deadline_us - SESSION_MINUS_CLOCK_US;
    if (flow->armed_us <= flow->clock->now_us)
        flow->armed_us = flow->clock->now_us + 1; /* time passes, even if the session forgets to */
    sim_at(flow->clock, flow->armed_us, wake, flow, NULL);
}

static void server_receive(void *context, const void *data, size_t size)
{
    struct sim_flow *flow = context;
    rtc_session_receive(flow->session, session_now(flow), &flow->address, data, size);
    drain(flow);
}

/* ---- life ---- */

static void passed(void *context, size_t bytes, int64_t waited_us)
{
    struct sim_flow *flow = context;
    struct sim_bin *bin = sim_metrics_bin(&flow->result.metrics, flow->clock->now_us);
    bin->passed_bytes += bytes;
    if (waited_us > bin->queue_us)
        bin->queue_us = waited_us;
    sim_samples_add(&flow->result.metrics.queue, flow->clock->now_us, waited_us);
}

static void move(void *context, void *argument)
{
    struct sim_flow *flow = context;
    (void)argument;
    flow->address.port++;
    flow->heard = false;
    send_check(flow);
}

static int or_default(int value, int otherwise)
{
    return value == 0 ? otherwise : value;
}

static void start(void *context, void *argument)
{
    struct sim_flow *flow = context;
    const struct sim_flow_settings *settings = &flow->settings;
    char offer[4096];
    (void)argument;
    rtc_peer_create(&flow->peer, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80", 0);
    sim_offer_write(offer, sizeof(offer), flow->peer.fingerprint, settings->feedback,
                    settings->feedback == SIM_TRANSPORT_CC && !settings->no_flexfec);
    struct rtc_session_settings session = {
        .identity = flow->identity,
        .random = &flow->random,
        .local_candidate_count = 1,
        .local_candidates = {{.address = SERVER}},
        .min_bps = or_default(settings->min_bps, DEFAULT_MIN_BPS),
        .start_bps = or_default(settings->start_bps, DEFAULT_START_BPS),
        .max_bps = or_default(settings->max_bps, DEFAULT_MAX_BPS),
        .wall_minus_now_us = WALL_MINUS_SESSION_US,
        .label = "sim"};
    struct reason why = {""};
    if (rtc_session_create(&flow->session, &session, offer, strlen(offer), session_now(flow),
                           &why) != OW_OK) {
        fprintf(stderr, "sim: %s\n", why.text);
        exit(1);
    }
    const char *answer = rtc_session_answer(flow->session);
    if (!sdp_read_value(answer, "a=ice-ufrag:", flow->ufrag, sizeof(flow->ufrag)) ||
        !sdp_read_value(answer, "a=ice-pwd:", flow->pwd, sizeof(flow->pwd))) {
        fprintf(stderr, "sim: an answer without credentials\n");
        exit(1);
    }
    send_check(flow);
    drain(flow);
    if (settings->move_us != 0)
        sim_at(flow->clock, settings->move_us, move, flow, NULL);
}

struct sim_flow *sim_flow_create(struct sim_clock *clock, struct dtls_identity *identity,
                                 struct sim_link *forward, struct sim_link *backward,
                                 const struct sim_flow_settings *settings, int64_t duration_us,
                                 uint64_t seed)
{
    struct sim_flow *flow = sim_alloc(sizeof(*flow));
    flow->clock = clock;
    flow->identity = identity;
    flow->settings = *settings;
    flow->armed_us = INT64_MAX;
    flow->address = (struct address){.family = ADDRESS_IPV4, .ip = {192, 0, 2, 7}, .port = 50000};
    flow->out = (struct sim_port){.link = settings->reversed ? backward : forward,
                                  .extra_us = settings->extra_us,
                                  .receive = viewer_receive,
                                  .passed = passed,
                                  .context = flow};
    flow->back = (struct sim_port){.link = settings->reversed ? forward : backward,
                                   .extra_us = settings->extra_us,
                                   .receive = server_receive,
                                   .context = flow};
    random_seeded(&flow->random, seed);
    struct sim_encoder_settings encoder = {.fps = settings->fps == 0 ? 30 : settings->fps,
                                           .noise = 0.2,
                                           .limit_bps = settings->limit_bps,
                                           .start_bps =
                                               or_default(settings->start_bps, DEFAULT_START_BPS)};
    sim_encoder_init(&flow->encoder, &encoder, seed + 1);
    sim_metrics_init(&flow->result.metrics, duration_us);
    sim_at(clock, settings->start_us, start, flow, NULL);
    return flow;
}

struct sim_flow_result *sim_flow_result(struct sim_flow *flow)
{
    flow->result.sent_packets = flow->out.sent;
    flow->result.dropped_packets = flow->out.dropped;
    flow->result.lost_packets = flow->out.lost;
    flow->result.nacks_sent = flow->receiver.nacks_sent;
    flow->result.plis_sent = flow->receiver.plis_sent;
    flow->result.recovered = flow->receiver.recovered;
    flow->result.repairs = flow->receiver.fec.received;
    flow->result.restored = flow->receiver.fec.restored;
    flow->result.malformed_repairs = flow->receiver.fec.malformed;
    return &flow->result;
}

void sim_flow_destroy(struct sim_flow **flow)
{
    if ((*flow)->session != NULL) {
        rtc_session_destroy(&(*flow)->session);
        rtc_peer_destroy(&(*flow)->peer);
    }
    sim_metrics_clear(&(*flow)->result.metrics);
    free(*flow);
    *flow = NULL;
}
