#include "swarm_channel.h"

#include "core/error.h"
#include "rtc/data_channel.h"
#include "rtc/rtp_header.h"

#include <string.h>

enum { STREAM = 0 /* even: the DTLS client's */ };

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
        if (message.protocol != DATA_PROTOCOL_BINARY)
            continue;
        channel->records++;
        channel->bytes += message.size;
    }
}

/* RFC 8832 section 5.1: unordered, no retransmission. */
static bool open_channel(struct swarm_channel *channel, int64_t now_us)
{
    const uint8_t type = DCEP_UNORDERED | DCEP_REXMIT;
    uint8_t message[DCEP_OPEN_BYTES + sizeof DATA_CHANNEL_LABEL - 1] = {DCEP_OPEN, type};
    const struct sctp_manner manner = {.stream = STREAM, .protocol = DATA_PROTOCOL_DCEP};
    write_u16(message + 8, sizeof DATA_CHANNEL_LABEL - 1);
    memcpy(message + DCEP_OPEN_BYTES, DATA_CHANNEL_LABEL, sizeof DATA_CHANNEL_LABEL - 1);
    return sctp_link_send(channel->link, now_us, &manner, message, sizeof message) == OW_OK;
}

static bool say_wish(struct swarm_channel *channel, int64_t now_us, int per_10s)
{
    uint8_t message[RECORD_WISH_BYTES] = {RECORD_WISH_KIND};
    const struct sctp_manner manner = {.stream = STREAM, .protocol = DATA_PROTOCOL_BINARY};
    write_u16(message + 2, (uint16_t)per_10s);
    return sctp_link_send(channel->link, now_us, &manner, message, sizeof message) == OW_OK;
}

void swarm_channel_tick(struct swarm_channel *channel, int64_t now_us, int per_10s)
{
    if (now_us >= sctp_link_deadline(channel->link))
        sctp_link_handle_timeout(channel->link, now_us);
    if (!channel->opened)
        channel->opened = open_channel(channel, now_us) && say_wish(channel, now_us, per_10s);
}

void swarm_channel_end(struct swarm_channel *channel)
{
    sctp_link_destroy(&channel->link);
}
