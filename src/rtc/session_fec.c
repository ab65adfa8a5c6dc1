/* Forward error correction: where packets are lost at random and a question takes long, repair
 * packets follow every group of packets unasked (flexfec.h). On a round trip of 600 ms each lost
 * packet would be a freeze otherwise.
 *
 * A group is what leaves in a frame or, of frames of few packets, in 75 ms: one repair packet for
 * each of them would double the rate. */
#include "rtc/flexfec.h"
#include "rtc/session_internal.h"

enum {
    GROUP_PACKETS = 10,    /* at most */
    GROUP_ENOUGH = 4,      /* of a frame's last group */
    GROUP_US = 75000,      /* half of what is seen as a freeze */
    KEEP_UP_US = 10000000, /* after the last loss that called for it */
    /* With their header, padded: transport-cc and abs-send-time of a repair packet; these, playout
     * delay and capture time of a protected one. */
    OWN_EXTENSIONS_BYTES = 12,
    PROTECTED_EXTENSIONS_BYTES = 24,
};

static const double ENOUGH_LOSS = 0.005, TOO_MUCH_LOSS = 0.2;

bool session_fec_in_use(const struct rtc_session *session, int64_t now_us)
{
    return session->fec.stream.payload_type != 0 && now_us < session->fec.until_us;
}

/* Losses must have been random to begin with; after that a queue now and then changes nothing: what
 * repair takes is taken from the encoder, not from the path. Not before the first report: until
 * then packets carry a mid, and a protected one would not fit. */
static void watch(struct rtc_session *session, int64_t now_us)
{
    double loss = session_loss(session);
    bool random = session_loses_at_random(session, now_us) ||
                  (session_fec_in_use(session, now_us) && loss >= ENOUGH_LOSS);
    if (session->heard_report && session_is_far(session) && random && loss < TOO_MUCH_LOSS)
        session->fec.until_us = now_us + KEEP_UP_US;
}

static void complete(struct rtc_session *session)
{
    session->fec.rows = flexfec_rows(session->fec.packets, session_loss(session));
    session->fec.next_row = 0;
}

static void give_up(struct rtc_session *session)
{
    session->fec.packets = session->fec.rows = 0;
}

void session_fec_sent(struct rtc_session *session, int64_t now_us, uint16_t sequence, bool last)
{
    struct session_fec *fec = &session->fec;
    watch(session, now_us);
    if (!session_fec_in_use(session, now_us) || !session->has_rtx) {
        give_up(session);
        return;
    }
    if (fec->rows > 0 || (uint16_t)(fec->base + fec->packets) != sequence)
        give_up(session);
    if (fec->packets++ == 0) {
        fec->base = sequence;
        fec->begun_us = now_us;
    }
    if (fec->packets == GROUP_PACKETS || (last && fec->packets >= GROUP_ENOUGH))
        complete(session);
}

/* The header under which a packet left, but for what receivers take out of it. */
static size_t rebuild_header(const struct rtc_session *session, const struct history_packet *held,
                             uint16_t sequence, uint8_t *out)
{
    struct rtp_header header = {
        .payload_type = session->video.payload_type,
        .marker = held->index == held->frame->count - 1,
        .sequence = sequence,
        .timestamp = held->timestamp,
        .ssrc = session->video.ssrc,
    };
    struct rtp_extensions extensions = session_extensions(session, 0);
    extensions.transport_sequence = 0;
    if (held->stamped)
        extensions.capture_ntp = session_capture_ntp(session, held->frame);
    return rtp_header_write(out, &header, &extensions);
}

/* The exclusive or of the packets in the mask. */
static int add_packets(const struct rtc_session *session, struct flexfec_writer *writer,
                       uint16_t mask)
{
    const struct session_fec *fec = &session->fec;
    int code = OW_OK;
    for (int i = 0; i < fec->packets && code == OW_OK; i++) {
        uint16_t sequence = (uint16_t)(fec->base + i);
        if ((mask >> i & 1) == 0)
            continue;
        const struct history_packet *held = history_find(&session->history, sequence);
        if (held == NULL)
            return OW_EINVAL; /* forgotten already */
        const struct rtp_payload *payload = &held->frame->payloads[held->index];
        uint8_t header[RTP_MAX_HEADER_BYTES];
        size_t size = rebuild_header(session, held, sequence, header);
        code = flexfec_add(writer, header, size, payload->data, payload->size);
    }
    return code;
}

static size_t write_own_header(struct rtc_session *session, int64_t now_us, uint8_t *out)
{
    uint8_t ids[SDP_EXT_COUNT] = {
        [SDP_EXT_TRANSPORT_CC] = session->extension_id[SDP_EXT_TRANSPORT_CC],
        [SDP_EXT_ABS_SEND_TIME] = session->extension_id[SDP_EXT_ABS_SEND_TIME],
    };
    struct rtp_header header = {
        .payload_type = session->fec.stream.payload_type,
        .sequence = session->fec.stream.sequence++,
        .timestamp = session->timestamp,
        .ssrc = session->fec.stream.ssrc,
    };
    struct rtp_extensions extensions = session_extensions(session, now_us);
    extensions.ids = ids;
    return rtp_header_write(out, &header, &extensions);
}

_Static_assert((int)RTP_FIXED_BYTES + (int)OWN_EXTENSIONS_BYTES + (int)FLEXFEC_HEADER_BYTES +
                       (int)PROTECTED_EXTENSIONS_BYTES + (int)RTC_MAX_PAYLOAD +
                       (int)SRTP_LINK_RTP_TRAILER <=
                   (int)RTC_MTU,
               "what protects a full payload fits into a datagram");

static int write_row(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    const struct session_fec *fec = &session->fec;
    uint16_t mask = flexfec_mask(fec->rows, fec->next_row, fec->packets);
    size_t header = write_own_header(session, now_us, out->data);
    struct flexfec_writer writer;
    int code = flexfec_begin(&writer, out->data + header,
                             (size_t)RTC_MTU - SRTP_LINK_RTP_TRAILER - header);
    if (code == OW_OK)
        code = add_packets(session, &writer, mask);
    if (code != OW_OK)
        return code;
    flexfec_finish(&writer, session->video.ssrc, fec->base, mask);
    out->size = header + writer.size;
    return srtp_link_protect(session->srtp, out->data, &out->size);
}

int session_poll_fec(struct rtc_session *session, int64_t now_us, struct rtc_output *out)
{
    struct session_fec *fec = &session->fec;
    if (fec->packets > 0 && fec->rows == 0 && now_us - fec->begun_us >= GROUP_US)
        complete(session);
    if (fec->rows == 0)
        return OW_EAGAIN;
    /* The path's queue is full: what leaves now arrives too late. */
    int code = now_us < session->pacer.hold_until_us ? OW_EAGAIN : write_row(session, now_us, out);
    fec->next_row++;
    if (code != OW_OK || fec->next_row == fec->rows)
        give_up(session);
    if (code != OW_OK)
        return OW_EAGAIN;
    session_count_datagram(session, now_us, DATAGRAM_REPAIR, out->size, 0);
    session->counters.fec_packets++;
    return OW_OK;
}

int64_t session_fec_deadline(const struct rtc_session *session)
{
    const struct session_fec *fec = &session->fec;
    if (fec->packets == 0)
        return INT64_MAX;
    return fec->rows > 0 ? fec->begun_us : fec->begun_us + GROUP_US;
}
