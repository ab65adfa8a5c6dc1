/* What a session sends once it is connected: sender reports, retransmissions, video, in this order.
 */
#include "rtc/session_internal.h"

#include <string.h>

enum {
    REPORT_INTERVAL_US = 1000000,
    CAPTURE_STAMP_INTERVAL_US = 1000000,
};

_Static_assert((int)RTC_MAX_PAYLOAD + (int)RTP_MAX_HEADER_BYTES + (int)RTX_HEADER_BYTES +
                       (int)SRTP_LINK_RTP_TRAILER <=
                   (int)RTC_MTU,
               "a full payload fits into a datagram");
_Static_assert((int)RTC_MTU + (int)SRTP_LINK_SLACK <= (int)RTC_MAX_DATAGRAM,
               "libsrtp has its slack behind every packet");

void rtc_session_send(struct rtc_session *session, int64_t now_us, struct rtp_frame *frame)
{
    if (session->phase != PHASE_CONNECTED)
        return;
    int dropped = pacer_push(&session->pacer, now_us, frame);
    session->counters.frames_dropped += (uint64_t)dropped;
    if (session->pacer.awaiting_key)
        session_want_key(session);
    else if (frame->key)
        session->key_wanted = false;
    if (session->report_due_us == INT64_MAX && session->pacer.count > 0)
        session->report_due_us = now_us;
}

/* ---- reports ---- */

static uint64_t ntp_now(const struct rtc_session *session, int64_t now_us)
{
    return ntp_from_wall_us(now_us + session->wall_minus_now_us);
}

static size_t write_report(const struct rtc_session *session, int64_t now_us, uint8_t *out)
{
    struct rtcp_sender_report report = {
        .ssrc = session->video.ssrc,
        .ntp = ntp_now(session, now_us),
        .rtp_timestamp = rtp_timestamp_90k(now_us, session->rtp_offset),
        .packets = session->report_packets,
        .bytes = session->report_bytes,
    };
    size_t size = rtcp_write_sender_report(out, &report);
    return size + rtcp_write_cname(out + size, session->video.ssrc, session->label);
}

static int protect_rtcp(struct rtc_session *session, struct rtc_output *out, size_t size)
{
    out->size = size;
    return srtp_link_protect_rtcp(session->srtp, out->data, &out->size);
}

static int poll_report(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    if (now_us < session->report_due_us)
        return OW_EAGAIN;
    session->report_due_us = now_us + REPORT_INTERVAL_US;
    return protect_rtcp(session, out, write_report(session, now_us, out->data));
}

int session_poll_bye(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    if (!session->bye_pending)
        return OW_EAGAIN;
    session->bye_pending = false;
    size_t size = write_report(session, now_us, out->data);
    size += rtcp_write_bye(out->data + size, session->video.ssrc);
    return protect_rtcp(session, out, size);
}

/* ---- packets ---- */

struct packet {
    struct rtp_stream *stream;
    const struct rtp_frame *frame;
    uint16_t index;
    const uint8_t *original_sequence; /* RTX: two bytes in front of the payload, else NULL */
};

/* Header, payload and protection, straight into the output. */
static int write_packet(struct rtc_session *session, int64_t now_us, const struct packet *packet,
                        struct rtc_output *out)
{
    const struct rtp_payload *payload = &packet->frame->payloads[packet->index];
    struct rtp_header header = {
        .payload_type = packet->stream->payload_type,
        .marker = packet->index == packet->frame->count - 1,
        .sequence = packet->stream->sequence++,
        .timestamp = rtp_timestamp_90k(packet->frame->capture_us, session->rtp_offset),
        .ssrc = packet->stream->ssrc,
    };
    struct rtp_extensions extensions = {
        .ids = session->extension_id,
        .transport_sequence = session->transport_sequence,
        .playout_min_10ms = 0,
        .playout_max_10ms = session->playout_max_10ms,
        .send_us = now_us,
        .mid = session->heard_report ? NULL : session->mid,
    };
    if (session->stamp_capture)
        extensions.capture_ntp = ntp_now(session, packet->frame->capture_us);
    size_t size = rtp_header_write(out->data, &header, &extensions);
    if (packet->original_sequence != NULL) {
        memcpy(out->data + size, packet->original_sequence, RTX_HEADER_BYTES);
        size += RTX_HEADER_BYTES;
    }
    memcpy(out->data + size, payload->data, payload->size);
    out->size = size + payload->size;
    int code = srtp_link_protect(session->srtp, out->data, &out->size);
    if (code != OW_OK)
        return code;
    struct cc_packet sent = {.send_us = now_us,
                             .sequence = session->transport_sequence++,
                             .bytes = (uint16_t)out->size,
                             .frame = (uint32_t)packet->frame->sequence};
    cc_on_packet_sent(&session->cc, &sent);
    pacer_charge(&session->pacer, out->size);
    session->counters.packets_sent++;
    return OW_OK;
}

/* RFC 4588 section 4: own SSRC and sequence numbers, the original number before the payload. */
static int poll_resend(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    while (session->resend_count > 0) {
        uint16_t sequence = session->resend[session->resend_first];
        session->resend_first = (session->resend_first + 1) % SESSION_RESEND_QUEUE;
        session->resend_count--;
        const struct history_packet *held = history_find(&session->history, sequence);
        if (held == NULL)
            continue;
        uint8_t original[RTX_HEADER_BYTES];
        write_u16(original, sequence);
        struct packet packet = {.stream = &session->rtx,
                                .frame = held->frame,
                                .index = held->index,
                                .original_sequence = original};
        if (write_packet(session, now_us, &packet, out) != OW_OK)
            continue;
        session->counters.retransmits++;
        return OW_OK;
    }
    return OW_EAGAIN;
}

static void begin_frame(struct rtc_session *session, int64_t now_us)
{
    session->stamp_capture = session->extension_id[SDP_EXT_ABS_CAPTURE_TIME] != 0 &&
                             now_us - session->capture_stamped_us >= CAPTURE_STAMP_INTERVAL_US;
    if (session->stamp_capture)
        session->capture_stamped_us = now_us;
}

static void end_frame(struct rtc_session *session, int64_t now_us, const struct rtp_frame *frame)
{
    session->counters.frames_sent++;
    if (!frame->key)
        return;
    session->counters.key_frames_sent++;
    session->key_sent_us = now_us;
}

static int poll_video(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    struct pacer_packet next;
    while (pacer_peek(&session->pacer, &next)) {
        if (next.index == 0)
            begin_frame(session, now_us);
        uint16_t sequence = session->video.sequence;
        struct packet packet = {
            .stream = &session->video, .frame = next.frame, .index = next.index};
        size_t bytes = next.frame->payloads[next.index].size;
        bool sent =
            bytes <= RTC_MAX_PAYLOAD && write_packet(session, now_us, &packet, out) == OW_OK;
        if (sent) {
            history_add(&session->history, now_us, sequence, next.frame, next.index);
            session->report_packets++;
            session->report_bytes += (uint32_t)bytes;
        }
        if (next.last)
            end_frame(session, now_us, next.frame);
        pacer_advance(&session->pacer);
        if (sent)
            return OW_OK;
    }
    return OW_EAGAIN;
}

int session_poll_media(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    if (poll_report(session, now_us, out) == OW_OK)
        return OW_OK;
    if (!pacer_may_send(&session->pacer, now_us))
        return OW_EAGAIN;
    if (poll_resend(session, now_us, out) == OW_OK)
        return OW_OK;
    return poll_video(session, now_us, out);
}

int64_t session_media_deadline(const struct rtc_session *session)
{
    int64_t deadline = session->report_due_us;
    if (session->resend_count > 0 || session->pacer.count > 0) {
        int64_t ready = pacer_ready_us(&session->pacer);
        deadline = ready < deadline ? ready : deadline;
    }
    return deadline;
}
