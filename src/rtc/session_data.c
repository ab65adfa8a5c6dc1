/* The data channel of a session: SCTP over its DTLS, and a record for each frame that has left
 * (core/metadata.h). A record leaves right behind the last packet of its frame. When too much is on
 * its way already it is left out: it would be of use no more. */
#include "rtc/session_internal.h"

/* Names and zones are lost like all else, so they are told again, and at once when they are others.
 */
static const int TOLD_INTERVAL = 30;

static void forget_told(struct session_data *data)
{
    metadata_unref(&data->names.record);
    metadata_unref(&data->zones.record);
}

void session_data_begin(struct rtc_session *session, int64_t now_us)
{
    if (session->data.port != 0)
        (void)data_channel_begin(&session->data.channel, now_us, session->data.port);
}

void session_data_end(struct rtc_session *session)
{
    data_channel_end(&session->data.channel);
    forget_told(&session->data);
}

void session_data_receive(struct rtc_session *session, int64_t now_us)
{
    const uint8_t *packet;
    size_t size;
    while (dtls_transport_read(session->dtls, &packet, &size) == OW_OK)
        if (session->data.channel.link != NULL)
            data_channel_receive(&session->data.channel, now_us, packet, size);
    if (!session->data.channel.open)
        forget_told(&session->data);
}

static bool is_due(const struct told_part *told, const struct metadata *metadata,
                   bool (*same)(const struct metadata *a, const struct metadata *b))
{
    return told->record == NULL || told->since >= TOLD_INTERVAL || !same(told->record, metadata);
}

static void count_told(struct told_part *told, struct metadata *metadata, bool sent)
{
    told->since++;
    if (!sent)
        return;
    metadata_unref(&told->record);
    told->record = metadata_ref(metadata);
    told->since = 0;
}

size_t session_data_send(struct rtc_session *session, struct metadata *metadata,
                         struct metadata_copy *copy)
{
    struct session_data *data = &session->data;
    uint8_t record[SCTP_LINK_MAX_SENT];
    size_t room = data->max_message < sizeof(record) ? data->max_message : sizeof(record);
    copy->names = is_due(&data->names, metadata, metadata_same_names);
    copy->zones = is_due(&data->zones, metadata, metadata_same_zones);
    size_t size = metadata_write(metadata, copy, record, room);
    if (size == 0 || data_channel_send(&data->channel, copy->sent_us, record, size) != OW_OK) {
        session->counters.records_dropped++;
        return size;
    }
    session->counters.records_sent++;
    count_told(&data->names, metadata, copy->names);
    count_told(&data->zones, metadata, copy->zones);
    return size;
}

/* Evenly: the next one is due an interval after this one was. */
static bool is_wanted(struct session_data *data, int64_t now_us)
{
    int tenths = data->channel.wish.per_10s;
    if (tenths == RECORD_WISH_EACH || tenths == 0)
        return tenths != 0;
    int64_t interval_us = RECORD_WISH_SPAN_US / tenths;
    if (now_us < data->due_us)
        return false;
    data->due_us += interval_us;
    if (data->due_us < now_us)
        data->due_us = now_us + interval_us;
    return true;
}

void session_data_frame(struct rtc_session *session, int64_t now_us, const struct rtp_frame *frame)
{
    struct session_data *data = &session->data;
    if (frame->metadata == NULL)
        return;
    data->informed = frame->metadata->informs;
    if (!data->channel.open || !is_wanted(data, now_us))
        return;
    struct metadata_copy copy = {
        .shapes = true,
        .flags = session->tier.narrow ? METADATA_NARROW : 0,
        .rtp_timestamp = session->timestamp,
        .sent_us = now_us,
    };
    (void)session_data_send(session, frame->metadata, &copy);
}

/* Its bytes are the path's: video gives way by them. */
int session_poll_data(struct rtc_session *session, int64_t now_us)
{
    uint8_t packet[SCTP_LINK_MTU];
    size_t size;
    if (session->phase != PHASE_CONNECTED || session->data.channel.link == NULL ||
        sctp_link_poll(session->data.channel.link, packet, &size) != OW_OK)
        return OW_EAGAIN;
    int code = dtls_transport_write(session->dtls, packet, size);
    if (code == OW_OK) {
        size_t datagram = size + DTLS_MTU - DTLS_MAX_DATA;
        pacer_charge(&session->pacer, datagram);
        session_count_share(session, now_us, datagram, 0, false);
    }
    return code;
}

void session_data_timeout(struct rtc_session *session, int64_t now_us)
{
    if (session->data.channel.link != NULL)
        sctp_link_handle_timeout(session->data.channel.link, now_us);
}

int64_t session_data_deadline(const struct rtc_session *session)
{
    return session->data.channel.link == NULL ? INT64_MAX
                                              : sctp_link_deadline(session->data.channel.link);
}
