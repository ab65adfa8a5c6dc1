#include "core/bounds.h"
#include "rtc/session_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNCONNECTED_US = 30000000, /* from the offer to media */
    HANDSHAKE_US = 15000000,   /* from the first working path to media */
    KEY_WISH_INTERVAL_US = 200000,
};

/* ---- creation ---- */

/* Letters that mean nothing in SDP, so that a label cannot write lines of its own. */
static void set_label(struct rtc_session *session, const char *label)
{
    size_t size = 0;
    for (const char *at = label == NULL ? "" : label;
         *at != '\0' && size + 1 < sizeof(session->label); at++)
        session->label[size++] = (char)(isalnum((unsigned char)*at) || *at == '_' ? *at : '-');
    if (size == 0)
        session->label[size++] = 'v';
    session->label[size] = '\0';
}

/* Firefox stood still on a playout delay of exactly 0/0 (janus-gateway #2981); it gets 10 ms. */
static bool is_firefox(const char *offer, size_t size)
{
    static const char origin[] = "o=mozilla";
    return memmem(offer, size, origin, sizeof(origin) - 1) != NULL;
}

static bool are_distinct(uint32_t a, uint32_t b, uint32_t c)
{
    return a != 0 && b != 0 && c != 0 && a != b && b != c && a != c;
}

static void draw_numbers(struct rtc_session *session, const struct sdp_offer *offer,
                         struct random_source *random)
{
    session->video.payload_type = offer->codec.payload_type;
    session->rtx.payload_type = offer->codec.rtx_payload_type;
    session->codec = offer->codec.codec;
    session->fec.stream.payload_type = offer->codec.flexfec_payload_type;
    session->has_rtx = offer->codec.rtx && offer->codec.rtx_payload_type != 0;
    do {
        session->video.ssrc = random_u32(random);
        session->rtx.ssrc = random_u32(random);
        session->fec.stream.ssrc = random_u32(random);
    } while (!are_distinct(session->video.ssrc, session->rtx.ssrc, session->fec.stream.ssrc));
    /* In the lower half: SRTP's rollover counter then starts at 0 on both sides even when the first
     * packets are lost (RFC 3711 section 3.3.1). */
    session->video.sequence = (uint16_t)(random_u32(random) & 0x7fff);
    session->rtx.sequence = (uint16_t)(random_u32(random) & 0x7fff);
    session->fec.stream.sequence = (uint16_t)(random_u32(random) & 0x7fff);
    session->transport_sequence = 1;
    session->rtp_offset = random_u32(random);
}

static int write_answer(struct rtc_session *session, const struct rtc_session_settings *settings,
                        const struct sdp_offer *offer)
{
    char track[SESSION_LABEL_BYTES + 8];
    snprintf(track, sizeof(track), "%s-video", session->label);
    struct sdp_answer_settings answer = {
        .ufrag = ice_agent_ufrag(session->ice),
        .pwd = ice_agent_pwd(session->ice),
        .fingerprint = dtls_identity_fingerprint(settings->identity),
        .ice_lite = settings->ice_lite,
        .session_id = random_u64(settings->random) >> 1, /* some readers take it for signed */
        .ssrc = session->video.ssrc,
        .rtx_ssrc = session->rtx.ssrc,
        .sctp_port = SCTP_LINK_PORT,
        .max_message_size = SCTP_LINK_MAX_RECEIVED,
        .flexfec_ssrc = session->fec.stream.ssrc,
        .cname = session->label,
        .stream_id = session->label,
        .track_id = track,
    };
    for (int i = 0; i < settings->local_candidate_count && i < SDP_MAX_LOCAL_CANDIDATES; i++) {
        struct sdp_candidate *candidate = &answer.candidates[answer.candidate_count++];
        *candidate = settings->local_candidates[i];
        if (candidate->priority == 0)
            candidate->priority = sdp_host_priority(i);
    }
    return sdp_write_answer(&session->answer, offer, &answer);
}

static int create_ice(struct rtc_session *session, const struct rtc_session_settings *settings,
                      const struct sdp_offer *offer, int64_t now_us)
{
    struct ice_settings ice = {.lite = settings->ice_lite,
                               .remote_ufrag = offer->ufrag,
                               .remote_pwd = offer->pwd,
                               .remote_lite = offer->peer_ice_lite,
                               .random = settings->random};
    int code = ice_agent_create(&session->ice, &ice, now_us);
    for (int i = 0; code == OW_OK && i < offer->candidate_count; i++)
        (void)ice_agent_add_remote_candidate(session->ice, &offer->candidates[i]);
    return code;
}

static void set_defaults(struct rtc_session *session, const struct rtc_session_settings *settings,
                         int64_t now_us)
{
    struct cc_settings cc = {.min_bps = settings->min_bps,
                             .start_bps = settings->start_bps,
                             .max_bps = settings->max_bps};
    cc_init(&session->cc, &cc, now_us);
    session_rate_init(session, now_us);
    tier_init(&session->tier, now_us);
    session->wall_minus_now_us = settings->wall_minus_now_us;
    session->created_us = now_us;
    session->path_since_us = INT64_MAX;
    session->report_due_us = INT64_MAX;
    session->key_sent_us = session->media_sent_us = INT64_MIN;
    session->heard_us = session->feedback_us = now_us;
    session->key_asked_us = now_us - KEY_WISH_INTERVAL_US;
    session->capture_stamped_us = now_us - 2 * (int64_t)UNCONNECTED_US;
    session->reported_ice_state = ICE_NEW;
    session->fir_number = -1;
    session->loss_average = -1;
    session->queue_seen_us = session->anew_us = INT64_MIN / 2;
    session->copy_sent_us = session->asked_us = session->fec.until_us = INT64_MIN / 2;
    set_label(session, settings->label);
}

int rtc_session_create(struct rtc_session **out, const struct rtc_session_settings *settings,
                       const char *offer_text, size_t offer_size, int64_t now_us,
                       struct reason *why)
{
    struct rtc_session *session = calloc(1, sizeof(*session));
    struct sdp_offer *offer = calloc(1, sizeof(*offer));
    int code = OW_ENOMEM;
    if (session == NULL || offer == NULL)
        goto out;
    code = sdp_parse_offer(offer, offer_text, offer_size, settings->codecs, why);
    if (code != OW_OK)
        goto out;
    if (offer->setup == SDP_SETUP_PASSIVE) {
        code = reason_set(why, OW_EUNSUPPORTED,
                          "The offer wants to be the DTLS server (a=setup:passive); it has to say "
                          "actpass or active.");
        goto out;
    }
    set_defaults(session, settings, now_us);
    session->playout_max_10ms = is_firefox(offer_text, offer_size) ? 1 : 0;
    memcpy(session->extension_id, offer->extension_id, sizeof(session->extension_id));
    memcpy(session->mid, offer->video_mid, sizeof(session->mid));
    session->data.port = offer->data_index >= 0 ? offer->sctp_port : 0;
    session->data.max_message = offer->max_message_size;
    draw_numbers(session, offer, settings->random);
    code = create_ice(session, settings, offer, now_us);
    if (code == OW_OK)
        code = dtls_transport_create(&session->dtls, settings->identity, offer->fingerprint);
    if (code == OW_OK)
        code = write_answer(session, settings, offer);
    if (code != OW_OK)
        reason_set(why, code, "The WebRTC session could not be made: %s.", error_text(code));
out:
    free(offer);
    if (code == OW_OK)
        *out = session;
    else
        rtc_session_destroy(&session);
    return code;
}

void rtc_session_destroy(struct rtc_session **session)
{
    if (*session == NULL)
        return;
    session_data_end(*session);
    (void)pacer_clear(&(*session)->pacer);
    history_clear(&(*session)->history);
    srtp_link_destroy(&(*session)->srtp);
    dtls_transport_destroy(&(*session)->dtls);
    if ((*session)->ice != NULL)
        ice_agent_destroy(&(*session)->ice);
    free((*session)->answer);
    free(*session);
    *session = NULL;
}

const char *rtc_session_answer(const struct rtc_session *session)
{
    return session->answer;
}

const char *rtc_session_local_ufrag(const struct rtc_session *session)
{
    return ice_agent_ufrag(session->ice);
}

enum video_codec rtc_session_codec(const struct rtc_session *session)
{
    return session->codec;
}

uint32_t rtc_session_rtp_offset(const struct rtc_session *session)
{
    return session->rtp_offset;
}

int rtc_session_add_remote_candidate(struct rtc_session *session, int64_t now_us, const char *text,
                                     size_t size)
{
    (void)now_us;
    struct sdp_candidate candidate;
    int code = sdp_parse_candidate(&candidate, text, size);
    return code != OW_OK ? code : ice_agent_add_remote_candidate(session->ice, &candidate);
}

/* ---- how far it has come ---- */

static enum rtc_step step_of(const struct rtc_session *session)
{
    if (session->heard_report || session->counters.receives_transport_cc)
        return RTC_STEP_PLAYING;
    if (session->srtp != NULL)
        return RTC_STEP_FIRST_PACKET;
    if (session->path_since_us != INT64_MAX)
        return RTC_STEP_DTLS;
    return session->heard_check ? RTC_STEP_CHECKS : RTC_STEP_OFFER;
}

const char *rtc_step_name(enum rtc_step step)
{
    static const char *const names[] = {"offer", "checks", "dtls", "first_packet", "playing"};
    return names[step];
}

const char *rtc_step_advice(enum rtc_step step)
{
    switch (step) {
    case RTC_STEP_OFFER:
        return "No packet of the viewer arrives. Open the media port (UDP) in the firewall, set "
               "--public-address behind a NAT, or set up a TURN server.";
    case RTC_STEP_CHECKS:
        return "The viewer's packets arrive and our answers do not. Let UDP out, or set up a TURN "
               "server.";
    case RTC_STEP_DTLS:
        return "The secure handshake (DTLS) does not end. Something on the way lets only small "
               "packets through, or none but STUN.";
    case RTC_STEP_FIRST_PACKET:
        return "Media is sent and the viewer reports nothing. Look at the browser's console.";
    case RTC_STEP_PLAYING:
        break;
    }
    return "";
}

/* ---- life ---- */

int64_t session_round_trip_us(const struct rtc_session *session)
{
    if (session->report_round_trip_us > 0)
        return session->report_round_trip_us;
    return ice_agent_round_trip_us(session->ice);
}

void session_want_key(struct rtc_session *session)
{
    session->key_wanted = true;
}

static bool is_open(const struct rtc_session *session)
{
    return session->phase == PHASE_CONNECTING || session->phase == PHASE_CONNECTED;
}

void session_close(struct rtc_session *session, const char *reason, bool tell_peer)
{
    if (!is_open(session))
        return;
    bool reachable = tell_peer && ice_agent_selected(session->ice) != NULL;
    session->phase = PHASE_CLOSING;
    session->silent = !reachable;
    session->bye_pending = reachable && session->srtp != NULL;
    snprintf(session->close_text, sizeof(session->close_text), "%s", reason == NULL ? "" : reason);
    session_forget_media(session);
    dtls_transport_close(session->dtls);
}

void rtc_session_close(struct rtc_session *session, int64_t now_us, const char *reason)
{
    (void)now_us;
    session_close(session, reason, true);
}

static void begin_media(struct rtc_session *session, int64_t now_us)
{
    struct srtp_keys keys;
    int code = dtls_transport_keys(session->dtls, &keys);
    if (code == OW_OK)
        code = srtp_link_create(&session->srtp, &keys);
    if (code != OW_OK) {
        session_close(session, "SRTP could not be started", true);
        return;
    }
    session->counters.srtp_profile = srtp_link_profile_name(keys.profile);
    memset(&keys, 0, sizeof(keys));
    session->phase = PHASE_CONNECTED;
    session->connected_pending = true;
    session->key_asked_us = now_us; /* the event says it */
    session_data_begin(session, now_us);
}

static void check_dtls(struct rtc_session *session, int64_t now_us)
{
    switch (dtls_transport_state(session->dtls)) {
    case DTLS_CONNECTED:
        if (session->phase == PHASE_CONNECTING)
            begin_media(session, now_us);
        break;
    case DTLS_FAILED:
        session_close(session, dtls_transport_failure(session->dtls), true);
        break;
    case DTLS_CLOSED:
        session_close(session, "the viewer left", false);
        break;
    case DTLS_NEW:
    case DTLS_CONNECTING:
        break;
    }
}

static void check_path(struct rtc_session *session, int64_t now_us)
{
    const struct address *selected = ice_agent_selected(session->ice);
    if (selected == NULL)
        return;
    if (session->path_since_us == INT64_MAX)
        session->path_since_us = now_us;
    else if (!address_equal(selected, &session->path))
        session_path_changed(session, now_us);
    session->path = *selected;
}

/* The connection does not come about: says how far it came and what to do. */
static void give_up(struct rtc_session *session, bool tell_peer)
{
    char text[SESSION_CLOSE_TEXT_BYTES];
    enum rtc_step step = step_of(session);
    snprintf(text, sizeof(text), "no connection, it stopped at the step %s: %s",
             rtc_step_name(step), rtc_step_advice(step));
    session_close(session, text, tell_peer);
}

static void check_ice(struct rtc_session *session, int64_t now_us)
{
    check_path(session, now_us);
    enum ice_state state = ice_agent_state(session->ice);
    if (state != ICE_FAILED && state != ICE_CLOSED)
        return;
    if (session->phase == PHASE_CONNECTING)
        give_up(session, false);
    else
        session_close(session, "the viewer does not answer any more", false);
}

static int64_t setup_deadline(const struct rtc_session *session)
{
    if (session->phase != PHASE_CONNECTING)
        return INT64_MAX;
    int64_t deadline = session->created_us + UNCONNECTED_US;
    if (session->path_since_us != INT64_MAX && session->path_since_us + HANDSHAKE_US < deadline)
        deadline = session->path_since_us + HANDSHAKE_US;
    return deadline;
}

static void check_all(struct rtc_session *session, int64_t now_us)
{
    check_dtls(session, now_us);
    check_ice(session, now_us);
    if (now_us >= setup_deadline(session))
        give_up(session, true);
}

/* RFC 7983 section 7: the first byte tells the protocol. Only ICE may take datagrams from anywhere.
 */
void rtc_session_receive(struct rtc_session *session, int64_t now_us, const struct address *from,
                         const uint8_t *data, size_t size)
{
    if (session->phase == PHASE_CLOSED || session->phase == PHASE_CLOSING || size == 0)
        return;
    bool taken = true;
    if (ice_is_stun(data, size)) {
        taken = ice_agent_receive(session->ice, now_us, from, data, size) == OW_OK;
        session->heard_check |= taken;
        if (taken)
            session_heard(session, now_us);
    } else if (!ice_agent_is_validated(session->ice, from)) {
        taken = false;
    } else if (data[0] >= 20 && data[0] <= 63) {
        taken = dtls_transport_receive(session->dtls, now_us, data, size) == OW_OK;
        session_data_receive(session, now_us);
    } else if (data[0] >= 128 && data[0] <= 191 && size >= 8 && data[1] >= 192 && data[1] <= 223) {
        session_receive_rtcp(session, now_us, data, size); /* counts for itself */
    } else {
        taken = false;
    }
    if (!taken)
        session->counters.dropped_datagrams++;
    check_all(session, now_us);
}

void rtc_session_handle_timeout(struct rtc_session *session, int64_t now_us)
{
    if (!is_open(session))
        return;
    if (now_us >= ice_agent_deadline(session->ice))
        ice_agent_handle_timeout(session->ice, now_us);
    dtls_transport_handle_timeout(session->dtls, now_us);
    history_expire(&session->history, now_us);
    if (session->phase == PHASE_CONNECTED) {
        if (now_us >= cc_deadline(&session->cc))
            cc_on_timeout(&session->cc, now_us);
        session_rate_changed(session, now_us);
        session_data_timeout(session, now_us);
    }
    check_all(session, now_us);
}

int64_t rtc_session_deadline(const struct rtc_session *session)
{
    if (!is_open(session))
        return INT64_MAX;
    int64_t deadline = min_i64(ice_agent_deadline(session->ice), setup_deadline(session));
    deadline = min_i64(deadline, dtls_transport_deadline(session->dtls));
    if (session->phase == PHASE_CONNECTED)
        deadline = min_i64(min_i64(deadline, session_media_deadline(session)),
                           session_data_deadline(session));
    if (session->phase == PHASE_CONNECTED)
        deadline = min_i64(deadline, tier_deadline(&session->tier));
    if (session->key_wanted && !session->tier.vector)
        deadline = min_i64(deadline, session->key_asked_us + KEY_WISH_INTERVAL_US);
    return deadline;
}

/* ---- outputs ---- */

static int poll_dtls(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    const uint8_t *data;
    size_t size;
    if (dtls_transport_poll(session->dtls, &data, &size) != OW_OK &&
        (session_poll_data(session, now_us) != OW_OK ||
         dtls_transport_poll(session->dtls, &data, &size) != OW_OK))
        return OW_EAGAIN;
    memcpy(out->data, data, size);
    out->size = size;
    return OW_OK;
}

static int poll_datagram(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    out->kind = RTC_OUTPUT_DATAGRAM;
    if (is_open(session) && ice_agent_poll(session->ice, &out->to, out->data, &out->size) == OW_OK)
        return OW_OK;
    const struct address *to = ice_agent_selected(session->ice);
    if (to == NULL || session->silent)
        return OW_EAGAIN;
    out->to = *to;
    /* Once close_notify has arrived a peer reads no RTCP: BYE goes first. */
    int code = session_poll_bye(session, now_us, out);
    if (code != OW_OK)
        code = poll_dtls(session, now_us, out);
    if (code != OW_OK && session->phase == PHASE_CONNECTED && !session->connected_pending)
        code = session_poll_media(session, now_us, out);
    if (code != OW_OK)
        return OW_EAGAIN;
    session->counters.bytes_sent += out->size;
    rate_meter_add(&session->sent, now_us, out->size);
    return OW_OK;
}

static int poll_connected_event(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    if (session->connected_pending) {
        session->connected_pending = false;
        out->kind = RTC_OUTPUT_CONNECTED;
        return OW_OK;
    }
    if (session->tier_pending) {
        session->tier_pending = false;
        out->kind = RTC_OUTPUT_TIER;
        out->vector = session->tier.vector;
        return OW_OK;
    }
    if (session->tier.vector)
        return OW_EAGAIN; /* nothing is encoded for it */
    if (session->key_wanted && now_us - session->key_asked_us >= KEY_WISH_INTERVAL_US) {
        session->key_wanted = false;
        session->key_asked_us = now_us;
        out->kind = RTC_OUTPUT_KEY_FRAME;
        return OW_OK;
    }
    return session_poll_rate(session, now_us, out);
}

static int poll_event(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    enum ice_state state = ice_agent_state(session->ice);
    if (state != session->reported_ice_state) {
        session->reported_ice_state = state;
        out->kind = RTC_OUTPUT_ICE_STATE;
        out->ice_state = state;
        return OW_OK;
    }
    if (session->phase == PHASE_CONNECTED)
        return poll_connected_event(session, now_us, out);
    if (session->phase != PHASE_CLOSING)
        return OW_EAGAIN;
    session->phase = PHASE_CLOSED;
    out->kind = RTC_OUTPUT_CLOSED;
    out->text = session->close_text;
    return OW_OK;
}

int rtc_session_poll(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    if (session->phase == PHASE_CLOSED)
        return OW_EAGAIN;
    if (poll_datagram(session, now_us, out) == OW_OK)
        return OW_OK;
    return poll_event(session, now_us, out);
}

void rtc_session_stats(const struct rtc_session *session, int64_t now_us,
                       struct rtc_session_stats *out)
{
    *out = session->counters;
    out->ice_state = ice_agent_state(session->ice);
    out->data_channel = session->data.channel.open;
    out->vector = session->tier.vector;
    out->step = step_of(session);
    out->rate_state = cc_state_name(&session->cc);
    out->queue_delay_us = cc_queue_delay_us(&session->cc);
    out->dtls_state = dtls_state_name(dtls_transport_state(session->dtls));
    if (out->srtp_profile == NULL)
        out->srtp_profile = "";
    const struct address *selected = ice_agent_selected(session->ice);
    if (selected != NULL)
        out->selected = *selected;
    out->round_trip_us = session_round_trip_us(session);
    out->loss_fraction = cc_loss(&session->cc);
    out->jitter_ms = session->jitter_ms;
    out->estimate_bps = (int)session->cc.estimate_bps;
    out->target_bps = cc_target_bps(&session->cc, now_us);
    out->sent_bps = (int)rate_meter_bps(&session->sent, now_us);
}
