/* Whether a viewer is shown video or vectors (tier.h), and what a session that shows vectors sends:
 * records of its own choice, as many as the path takes, and now and then padding to find out
 * whether video would pass again. */
#include "rtc/session_internal.h"

#include <string.h>

enum {
    CHOKED_QUEUE_US = 300000,
    VECTOR_BPS = 15000, /* of datagrams */
    VECTOR_LEAST_US = 100000,
    RECORD_HEADERS = 93, /* of a record: SCTP, DTLS, UDP, IPv4 */
    /* Of a datagram with shapes; larger ones would be too few. Boxes alone are always sent. */
    VECTOR_SHAPES_BYTES = VECTOR_BPS / 8 / 5,
    VECTOR_WAITING = 2, /* records not acknowledged yet, before the next one is left out */
};

static const double CHOKED_LOSS = 0.1;

/* Full, as a sender sees it: frames are held or wait, feedback is late, or more than the lowest
 * video is sent and much of it lost. */
static bool is_choked(const struct rtc_session *session, int64_t now_us)
{
    const struct cc *cc = &session->cc;
    bool losing =
        cc_loss(cc) > CHOKED_LOSS && rate_meter_bps(&session->sent, now_us) > cc->settings.min_bps;
    return losing || now_us < cc_hold_until_us(cc) || session->pacer.count > 0 || cc->stalls > 0 ||
           cc_queue_delay_us(cc) > CHOKED_QUEUE_US;
}

void session_tier_update(struct rtc_session *session, int64_t now_us)
{
    const struct tier_input input = {
        .lowest_bps = session->cc.settings.min_bps,
        .possible = session->data.channel.wish.vector && session->data.informed &&
                    session->has_rtx && session->counters.receives_transport_cc,
        .choked = is_choked(session, now_us),
        .queue_us = cc_queue_delay_us(&session->cc),
        .arrived_bytes = session->cc.arrived_bytes,
    };
    if (session->counters.frames_sent == 0 && session->counters.key_frames_sent == 0 &&
        session->pacer.count == 0)
        return;
    if (!tier_update(&session->tier, now_us, &input))
        return;
    session->tier_pending = true;
    if (!session->tier.vector) {
        session->reported_target_bps = 0; /* to be told to whom encodes for it again */
        cc_prober_returned(&session->cc.prober);
        return;
    }
    session_forget_media(session);
    session->key_wanted = false;
    session->data.due_us = now_us;
}

int session_poll_padding(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    if (!tier_wants_padding(&session->tier, now_us))
        return OW_EAGAIN;
    const struct rtp_header header = {
        .payload_type = session->rtx.payload_type,
        .sequence = session->rtx.sequence++,
        .timestamp = session->timestamp,
        .ssrc = session->rtx.ssrc,
    };
    struct rtp_extensions extensions = session_extensions(session, now_us);
    size_t size = rtp_header_write(out->data, &header, &extensions);
    out->data[0] |= RTP_PADDING_BIT;
    memset(out->data + size, 0, TIER_PADDING_BYTES);
    out->data[size + TIER_PADDING_BYTES - 1] = TIER_PADDING_BYTES;
    out->size = size + TIER_PADDING_BYTES;
    int code = srtp_link_protect(session->srtp, out->data, &out->size);
    if (code != OW_OK)
        return code;
    session_count_datagram(session, now_us, DATAGRAM_PADDING, out->size, 0);
    session->counters.padding_packets++;
    tier_padding_sent(&session->tier, out->size);
    return OW_OK;
}

/* The next one leaves when the path has had time for this one; and not before the last but one was
 * acknowledged, so that none stands in a queue. */
void rtc_session_send_record(struct rtc_session *session, int64_t now_us, struct metadata *metadata)
{
    struct session_data *data = &session->data;
    if (!session->tier.vector || !data->channel.open || now_us < data->due_us ||
        sctp_link_waiting(data->channel.link) >= VECTOR_WAITING)
        return;
    struct metadata_copy copy = {
        .shapes = metadata->bare_size + RECORD_HEADERS <= VECTOR_SHAPES_BYTES,
        .flags = METADATA_VECTOR,
        .rtp_timestamp = rtp_timestamp_90k(metadata_capture_us(metadata), session->rtp_offset),
        .sent_us = now_us,
    };
    size_t size = session_data_send(session, metadata, &copy);
    int64_t pause_us = (int64_t)((double)(size + RECORD_HEADERS) * 8e6 / VECTOR_BPS);
    data->due_us = now_us + (pause_us > VECTOR_LEAST_US ? pause_us : VECTOR_LEAST_US);
}
