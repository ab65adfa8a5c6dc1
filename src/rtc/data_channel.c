#include "rtc/data_channel.h"

#include "core/error.h"
#include "rtc/rtp_header.h"

#include <string.h>

enum {
    DCEP_RELIABLE = 0x00,
    DCEP_LIFETIME = 0x02, /* the last of the types that there are */
};

int dcep_parse_open(struct dcep_open *out, const uint8_t *data, size_t size)
{
    if (size < DCEP_OPEN_BYTES || data[0] != DCEP_OPEN)
        return OW_EPARSE;
    uint16_t label = read_u16(data + 8), protocol = read_u16(data + 10);
    uint8_t kind = data[1] & (uint8_t)~DCEP_UNORDERED;
    if (kind > DCEP_LIFETIME || size != DCEP_OPEN_BYTES + (size_t)label + protocol)
        return OW_EPARSE;
    *out = (struct dcep_open){.type = data[1],
                              .unordered = (data[1] & DCEP_UNORDERED) != 0,
                              .unreliable = kind != DCEP_RELIABLE,
                              .label_size = label,
                              .label = data + DCEP_OPEN_BYTES};
    return OW_OK;
}

int record_wish_parse(struct record_wish *out, const uint8_t *data, size_t size)
{
    if (size < RECORD_WISH_BYTES || data[0] != RECORD_WISH_KIND)
        return OW_EPARSE;
    *out = (struct record_wish){.per_10s = read_u16(data + 2),
                                .vector = (data[1] & RECORD_WISH_VECTOR) != 0};
    return OW_OK;
}

int data_channel_begin(struct data_channel *channel, int64_t now_us, uint16_t remote_port)
{
    return sctp_link_create(&channel->link, now_us, remote_port);
}

static const struct record_wish unsaid = {.per_10s = RECORD_WISH_EACH};

static void close_channel(struct data_channel *channel)
{
    channel->open = false;
    channel->wish = unsaid;
}

static void take_open(struct data_channel *channel, int64_t now_us,
                      const struct sctp_message *message)
{
    static const uint8_t ack[] = {DCEP_ACK};
    const struct sctp_manner reliable = {.stream = message->stream, .protocol = DATA_PROTOCOL_DCEP};
    struct dcep_open open;
    if (dcep_parse_open(&open, message->data, message->size) != OW_OK ||
        message->stream >= SCTP_LINK_STREAMS)
        return;
    if (open.label_size != strlen(DATA_CHANNEL_LABEL) ||
        memcmp(open.label, DATA_CHANNEL_LABEL, open.label_size) != 0) {
        sctp_link_reset(channel->link, now_us, message->stream);
        return;
    }
    if (sctp_link_send(channel->link, now_us, &reliable, ack, sizeof(ack)) != OW_OK)
        return;
    channel->open = true;
    channel->wish = unsaid;
    channel->manner = (struct sctp_manner){.stream = message->stream,
                                           .protocol = DATA_PROTOCOL_BINARY,
                                           .unordered = open.unordered,
                                           .unreliable = open.unreliable};
}

static void take(struct data_channel *channel, int64_t now_us, const struct sctp_message *message)
{
    bool ours = channel->open && message->stream == channel->manner.stream;
    if (!message->reset && message->protocol == DATA_PROTOCOL_DCEP) {
        take_open(channel, now_us, message);
    } else if (message->reset && ours) {
        close_channel(channel);
        sctp_link_reset(channel->link, now_us, message->stream);
    } else if (ours && message->protocol == DATA_PROTOCOL_BINARY) {
        (void)record_wish_parse(&channel->wish, message->data, message->size);
    } /* all else says nothing */
}

void data_channel_receive(struct data_channel *channel, int64_t now_us, const uint8_t *packet,
                          size_t size)
{
    struct sctp_message message;
    sctp_link_receive(channel->link, now_us, packet, size);
    int code;
    while ((code = sctp_link_read(channel->link, &message)) == OW_OK)
        take(channel, now_us, &message);
    if (code == OW_ECLOSED)
        close_channel(channel);
}

int data_channel_send(struct data_channel *channel, int64_t now_us, const uint8_t *data,
                      size_t size)
{
    if (!channel->open)
        return OW_EAGAIN;
    return sctp_link_send(channel->link, now_us, &channel->manner, data, size);
}

void data_channel_end(struct data_channel *channel)
{
    sctp_link_destroy(&channel->link);
    close_channel(channel);
}
