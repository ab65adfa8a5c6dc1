#include "swarm_channel.h"

#include "core/error.h"
#include "rtc/data_channel.h"
#include "rtc/rtp_header.h"

#include <string.h>

enum { PROTOCOL_DCEP = 50, PROTOCOL_BINARY = 53, STREAM = 0 /* even: the DTLS client's */ };

bool swarm_channel_begin(struct swarm_channel *channel, int64_t now_us)
{
    return sctp_link_create(&channel->link, now_us, SCTP_LINK_PORT) == OW_OK;
}

void swarm_channel_receive(struct swarm_channel *channel, int64_t now_us, const uint8_t *packet,
                           size_t size)
{
    struct sctp_message message;
    sctp_link_receive(channel->link, now_us, packet, size);
    while (sctp_link_read(channel->link, &message) == OW_OK) {
        if (message.protocol != PROTOCOL_BINARY)
            continue;
        channel->records++;
        channel->bytes += message.size;
    }
}

/* RFC 8832 section 5.1: unordered, no retransmission. */
static bool open_channel(struct swarm_channel *channel)
{
    uint8_t message[12 + sizeof DATA_CHANNEL_LABEL - 1] = {3, 0x81};
    const struct sctp_manner manner = {.stream = STREAM, .protocol = PROTOCOL_DCEP};
    write_u16(message + 8, sizeof DATA_CHANNEL_LABEL - 1);
    memcpy(message + 12, DATA_CHANNEL_LABEL, sizeof DATA_CHANNEL_LABEL - 1);
    return sctp_link_send(channel->link, &manner, message, sizeof message) == OW_OK;
}

static bool say_wish(struct swarm_channel *channel, int per_10s)
{
    uint8_t message[RECORD_WISH_BYTES] = {RECORD_WISH_KIND};
    const struct sctp_manner manner = {.stream = STREAM, .protocol = PROTOCOL_BINARY};
    write_u16(message + 2, (uint16_t)per_10s);
    return sctp_link_send(channel->link, &manner, message, sizeof message) == OW_OK;
}

void swarm_channel_tick(struct swarm_channel *channel, int64_t now_us, int per_10s)
{
    if (now_us >= sctp_link_deadline(channel->link))
        sctp_link_handle_timeout(channel->link, now_us);
    if (!channel->opened)
        channel->opened = open_channel(channel) && say_wish(channel, per_10s);
}

void swarm_channel_end(struct swarm_channel *channel)
{
    sctp_link_destroy(&channel->link);
}
