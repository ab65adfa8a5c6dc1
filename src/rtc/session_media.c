/* What a session sends once it is connected: sender reports, forward error correction of what has
 * just left, retransmissions, video and padding, in this order. */
#include "core/bounds.h"
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
    if (frame->codec != session->codec) {
        session->counters.frames_dropped++;
        return;
    }
    session_rate_changed(session, now_us);
    if (session->tier.vector)
        return; /* it was on its way when the tier changed */
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
    uint32_t timestamp;
    uint16_t index;
    bool repeats; /* RTX: the original's sequence number goes in front of the payload */
    bool padding;
    uint16_t original;
};

struct rtp_extensions session_extensions(const struct rtc_session *session, int64_t now_us)
{
    return (struct rtp_extensions){
        .ids = session->extension_id,
        .transport_sequence = session->transport_sequence,
        .playout_min_10ms = 0,
        .playout_max_10ms = session->playout_max_10ms,
        .send_us = now_us,
    };
}

uint64_t session_capture_ntp(const struct rtc_session *session, const struct rtp_frame *frame)
{
    return ntp_now(session, frame->capture_us);
}

static size_t write_header(struct rtc_session *session, int64_t now_us, const struct packet *packet,
                           uint8_t *out)
{
    struct rtp_header header = {
        .payload_type = packet->stream->payload_type,
        .marker = packet->index == packet->frame->count - 1,
        .sequence = packet->stream->sequence++,
        .timestamp = packet->timestamp,
        .ssrc = packet->stream->ssrc,
    };
    struct rtp_extensions extensions = session_extensions(session, now_us);
    extensions.mid = session->heard_report ? NULL : session->mid;
    if (session->stamp_capture && !packet->repeats)
        extensions.capture_ntp = session_capture_ntp(session, packet->frame);
    size_t size = rtp_header_write(out, &header, &extensions);
    if (packet->repeats) {
        write_u16(out + size, packet->original);
        size += RTX_HEADER_BYTES;
    }
    return size;
}

void session_count_datagram(struct rtc_session *session, int64_t now_us, enum session_datagram kind,
                            size_t bytes, size_t media)
{
    bool probing = session->probe.active, padding = kind == DATAGRAM_PADDING;
    struct cc_packet sent = {.send_us = now_us,
                             .sequence = session->transport_sequence++,
                             .bytes = (uint16_t)bytes,
                             .probe = probing ? session->probe.plan.id : 0,
                             .padding = padding,
                             .frame = session->frame_number};
    cc_on_packet_sent(&session->cc, &sent);
    if (probing)
        session_probe_count(session, now_us, bytes);
    if (!padding) {
        pacer_charge(&session->pacer, bytes);
        session_count_share(session, now_us, bytes, media, kind == DATAGRAM_REPAIR);
    }
    session->media_sent_us = now_us;
    session->counters.packets_sent++;
}

static void count_packet(struct rtc_session *session, int64_t now_us, const struct packet *packet,
                         size_t bytes)
{
    if (packet->repeats && !packet->padding)
        session_copy_sent(session, now_us, session->transport_sequence, packet->original, bytes);
    size_t media = packet->repeats ? 0 : packet->frame->payloads[packet->index].size;
    session_count_datagram(session, now_us,
                           packet->padding   ? DATAGRAM_PADDING
                           : packet->repeats ? DATAGRAM_REPAIR
                                             : DATAGRAM_VIDEO,
                           bytes, media);
}

/* Header, payload and protection, straight into the output. */
static int write_packet(struct rtc_session *session, int64_t now_us, const struct packet *packet,
                        struct rtc_output *out)
{
    const struct rtp_payload *payload = &packet->frame->payloads[packet->index];
    size_t size = write_header(session, now_us, packet, out->data);
    memcpy(out->data + size, payload->data, payload->size);
    out->size = size + payload->size;
    int code = srtp_link_protect(session->srtp, out->data, &out->size);
    if (code == OW_OK)
        count_packet(session, now_us, packet, out->size);
    return code;
}

/* RFC 4588 section 4: own SSRC and sequence numbers, the original number before the payload. */
static int write_repeat(struct rtc_session *session, int64_t now_us,
                        const struct history_packet *held, uint16_t original, bool padding,
                        struct rtc_output *out)
{
    struct packet packet = {.stream = &session->rtx,
                            .frame = held->frame,
                            .timestamp = held->timestamp,
                            .index = held->index,
                            .repeats = true,
                            .padding = padding,
                            .original = original};
    return write_packet(session, now_us, &packet, out);
}

static int poll_resend(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    const struct history_packet *held;
    uint16_t original;
    while (session_take_resend(session, now_us, &held, &original)) {
        if (write_repeat(session, now_us, held, original, false, out) != OW_OK)
            continue;
        session->counters.retransmits++;
        return OW_OK;
    }
    return OW_EAGAIN;
}

/* A probe that lacks packets gets copies of what was sent last: receivers know repetitions. */
static int poll_padding(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    const struct history_packet *held;
    uint16_t original;
    if (!session_take_padding(session, &held, &original) ||
        write_repeat(session, now_us, held, original, true, out) != OW_OK)
        return OW_EAGAIN;
    session->counters.padding_packets++;
    return OW_OK;
}

/* Timestamps count up whatever the capture times do: another rendition's key frame may be of the
 * same picture as the frame before it. */
static void set_timestamp(struct rtc_session *session, int64_t capture_us)
{
    uint32_t timestamp = rtp_timestamp_90k(capture_us, session->rtp_offset);
    bool later = (int32_t)(timestamp - session->timestamp) > 0;
    session->timestamp = session->frame_number == 0 || later ? timestamp : session->timestamp + 1;
}

static void begin_frame(struct rtc_session *session, int64_t now_us, const struct rtp_frame *frame)
{
    set_timestamp(session, frame->capture_us);
    session->frame_number++;
    if (frame->key) {
        session->key_begun_at = session->video_packets;
        session->returning = false;
    }
    session->stamp_capture = session->extension_id[SDP_EXT_ABS_CAPTURE_TIME] != 0 &&
                             now_us - session->capture_stamped_us >= CAPTURE_STAMP_INTERVAL_US;
    if (session->stamp_capture)
        session->capture_stamped_us = now_us;
}

static void end_frame(struct rtc_session *session, int64_t now_us, const struct rtp_frame *frame,
                      uint16_t sequence)
{
    session->counters.frames_sent++;
    session_repair_frame(session, now_us, frame, sequence);
    session_data_frame(session, now_us, frame);
    if (!frame->key)
        return;
    session->counters.key_frames_sent++;
    session->key_sent_us = now_us;
    session->key_at = session->key_begun_at;
}

static bool send_video(struct rtc_session *session, int64_t now_us, const struct pacer_packet *next,
                       struct rtc_output *out)
{
    uint16_t sequence = session->video.sequence;
    size_t bytes = next->frame->payloads[next->index].size;
    struct packet packet = {.stream = &session->video,
                            .frame = next->frame,
                            .timestamp = session->timestamp,
                            .index = next->index};
    if (bytes > RTC_MAX_PAYLOAD)
        return false;
    session->video_packets++;
    if (write_packet(session, now_us, &packet, out) != OW_OK)
        return false;
    if (session->has_rtx)
        history_add(&session->history, now_us, sequence, session->timestamp, next->frame,
                    next->index, session->stamp_capture);
    session_fec_sent(session, now_us, sequence, next->last);
    session->report_packets++;
    session->report_bytes += (uint32_t)bytes;
    return true;
}

static int poll_video(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    struct pacer_packet next;
    while (pacer_peek(&session->pacer, now_us, &next)) {
        if (next.index == 0)
            begin_frame(session, now_us, next.frame);
        uint16_t sequence = session->video.sequence;
        bool sent = send_video(session, now_us, &next, out);
        if (next.last)
            end_frame(session, now_us, next.frame, sequence);
        pacer_advance(&session->pacer);
        if (sent)
            return OW_OK;
    }
    return OW_EAGAIN;
}

/* A probe never makes a packet wait; it sends what would have waited, and then padding. What is
 * sent again waits for the end of a hold, too: behind the path's queue it would arrive no sooner,
 * and by then it is known whether a key frame is the smaller repair. */
int session_poll_media(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    if (poll_report(session, now_us, out) == OW_OK)
        return OW_OK;
    if (session->tier.vector)
        return session_poll_padding(session, now_us, out);
    bool probing = session_probe_is_due(session, now_us);
    if (!probing && !pacer_may_send(&session->pacer, now_us))
        return OW_EAGAIN;
    bool held = now_us < session->pacer.hold_until_us;
    if (session_poll_fec(session, now_us, out) == OW_OK ||
        (!held && poll_resend(session, now_us, out) == OW_OK) ||
        poll_video(session, now_us, out) == OW_OK)
        return OW_OK;
    return probing ? poll_padding(session, now_us, out) : OW_EAGAIN;
}

int64_t session_media_deadline(const struct rtc_session *session)
{
    int64_t deadline = min_i64(session->report_due_us, cc_deadline(&session->cc));
    if (session->tier.vector)
        return deadline;
    int64_t repair_us = session_repair_deadline(session);
    if (repair_us != INT64_MAX) {
        repair_us = max_i64(repair_us, pacer_ready_us(&session->pacer));
        deadline = min_i64(deadline, max_i64(repair_us, session->pacer.hold_until_us));
    }
    int64_t fec_us = session_fec_deadline(session);
    if (fec_us != INT64_MAX)
        deadline = min_i64(deadline, max_i64(fec_us, pacer_ready_us(&session->pacer)));
    deadline = min_i64(deadline, pacer_next_us(&session->pacer));
    return min_i64(deadline, session_probe_deadline(session));
}
