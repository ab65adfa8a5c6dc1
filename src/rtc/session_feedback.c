/* What the peer reports: losses, round trip, key frame wishes, rates. */
#include "rtc/session_internal.h"

#include <string.h>

enum {
    /* Each may make us look up 65,535 packets; honest peers send one or two a datagram. */
    MAX_TRANSPORT_FEEDBACKS = 4,
    MAX_ROUND_TRIP_US = 30000000,
};

/* RFC 3550 section 6.4.1: round trip = now - LSR - DLSR, in 1/65536 s. 0 when there is none yet. */
static int64_t report_round_trip(const struct rtc_session *session, int64_t now_us,
                                 const struct rtcp_report_block *block)
{
    if (block->last_sr == 0)
        return 0;
    uint64_t ntp = ntp_from_wall_us(now_us + session->wall_minus_now_us);
    uint32_t elapsed = (uint32_t)(ntp >> 16) - block->last_sr - block->since_last_sr;
    int64_t round_trip_us = (int64_t)(int32_t)elapsed * 1000000 / 65536;
    if (round_trip_us > MAX_ROUND_TRIP_US || round_trip_us < -1000)
        return 0;
    return round_trip_us < 1 ? 1 : round_trip_us; /* a loopback's rounds to nothing or less */
}

static void on_report(struct rtc_session *session, int64_t now_us, const struct rtcp_packet *packet)
{
    for (int i = 0; i < packet->count; i++) {
        struct rtcp_report_block block = rtcp_report_block(packet, i);
        if (block.ssrc != session->video.ssrc)
            continue;
        session->heard_report = true;
        double loss = block.fraction_lost / 256.0;
        session->jitter_ms = block.jitter / 90.0;
        session->loss_average =
            session->loss_average < 0 ? loss : (session->loss_average + loss) / 2;
        session_learn_burst(session, now_us, loss);
        int64_t round_trip_us = report_round_trip(session, now_us, &block);
        if (round_trip_us > 0)
            session->report_round_trip_us = round_trip_us;
        cc_on_receiver_report(&session->cc, now_us, loss, round_trip_us);
    }
}

/* A wish that left the peer before our last key frame can have arrived there is met already, and so
 * is one while a key frame leaves. */
void session_on_key_wish(struct rtc_session *session, int64_t now_us)
{
    if (session->key_sent_us != INT64_MIN &&
        now_us - session->key_sent_us < session_round_trip_us(session))
        return;
    if (!pacer_has_key(&session->pacer))
        session_want_key(session);
}

/* RFC 5104 section 4.3.1: a repeated command carries the number of the first. */
static void on_fir(struct rtc_session *session, int64_t now_us, const struct rtcp_packet *packet)
{
    for (int i = 0; i < packet->count; i++) {
        uint32_t ssrc;
        uint8_t number;
        rtcp_fir_entry(packet, i, &ssrc, &number);
        if (ssrc != session->video.ssrc)
            continue;
        session->counters.firs++;
        if (session->fir_number == number)
            continue;
        session->fir_number = number;
        session_on_key_wish(session, now_us);
    }
}

static void on_packet(struct rtc_session *session, int64_t now_us, const struct rtcp_packet *packet,
                      int *feedbacks)
{
    switch (packet->kind) {
    case RTCP_REPORT:
        on_report(session, now_us, packet);
        break;
    case RTCP_NACK:
        session_on_nack(session, now_us, packet);
        break;
    case RTCP_PLI:
        if (packet->media_ssrc == session->video.ssrc) {
            session->counters.plis++;
            session_on_key_wish(session, now_us);
        }
        break;
    case RTCP_FIR:
        on_fir(session, now_us, packet);
        break;
    case RTCP_REMB:
        cc_on_remb(&session->cc, now_us, packet->remb_bps);
        break;
    case RTCP_TRANSPORT_FEEDBACK:
        if (++*feedbacks <= MAX_TRANSPORT_FEEDBACKS &&
            cc_on_transport_feedback(&session->cc, now_us, packet) == OW_OK) {
            session->counters.receives_transport_cc = true;
            session_on_copies(session, now_us, packet);
        }
        break;
    case RTCP_BYE:
    case RTCP_REFERENCE_TIME:
        break; /* a receiver that leaves says so by DTLS */
    }
}

void session_receive_rtcp(struct rtc_session *session, int64_t now_us, const uint8_t *data,
                          size_t size)
{
    uint8_t plain[RTC_MAX_DATAGRAM];
    if (session->srtp == NULL || size > sizeof(plain)) {
        session->counters.dropped_datagrams++;
        return;
    }
    memcpy(plain, data, size);
    if (srtp_link_unprotect_rtcp(session->srtp, plain, &size) != OW_OK) {
        session->counters.dropped_datagrams++;
        return;
    }
    session_heard(session, now_us);
    session->feedback_us = now_us;
    struct rtcp_reader reader;
    struct rtcp_packet packet;
    int feedbacks = 0;
    rtcp_reader_init(&reader, plain, size);
    while (rtcp_next(&reader, &packet) == OW_OK)
        on_packet(session, now_us, &packet, &feedbacks);
    session_rate_changed(session, now_us);
}
