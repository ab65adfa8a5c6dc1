#include "rtc/turn_client.h"

#include "rtc/turn_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a candidate that does not answer is sent (seven checks) is not worth a channel. */
enum { INDICATIONS_BEFORE_CHANNEL = 8 };

int turn_client_create(struct turn_client **out, const struct turn_settings *settings,
                       int64_t now_us)
{
    size_t username_size = strnlen(settings->username, TURN_MAX_USERNAME + 1);
    size_t password_size = strnlen(settings->password, TURN_MAX_PASSWORD + 1);
    if (username_size == 0 || username_size > TURN_MAX_USERNAME || password_size == 0 ||
        password_size > TURN_MAX_PASSWORD)
        return OW_EINVAL;
    struct turn_client *client = calloc(1, sizeof *client);
    if (!client)
        return OW_ENOMEM;
    client->state = TURN_ALLOCATING;
    client->stream = settings->stream;
    client->ipv6 = settings->ipv6;
    client->random = settings->random;
    memcpy(client->username, settings->username, username_size + 1);
    memcpy(client->password, settings->password, password_size + 1);
    client->next_us = client->refresh_us = INT64_MAX;
    turn_grants_init(&client->grants);
    turn_request_start(client, &client->allocation, now_us);
    *out = client;
    return OW_OK;
}

enum turn_state turn_client_state(const struct turn_client *client)
{
    return client->state;
}

const char *turn_client_failure(const struct turn_client *client)
{
    return client->failure;
}

const struct address *turn_client_relayed(const struct turn_client *client)
{
    return client->state == TURN_ALLOCATED ? &client->relayed : NULL;
}

const struct address *turn_client_alternate(const struct turn_client *client, const char **domain)
{
    *domain = client->alternate_domain[0] ? client->alternate_domain : NULL;
    bool known = client->state == TURN_FAILED && client->alternate.family != ADDRESS_NONE;
    return known ? &client->alternate : NULL;
}

const struct address *turn_client_mapped(const struct turn_client *client)
{
    bool known = client->state == TURN_ALLOCATED && client->mapped.family != ADDRESS_NONE;
    return known ? &client->mapped : NULL;
}

static bool is_over(const struct turn_client *client)
{
    return client->state == TURN_FAILED || client->state == TURN_CLOSED;
}

/* ---- from the server ---- */

static int receive_channel_data(struct turn_client *client, int64_t now_us, const uint8_t *message,
                                size_t size, struct turn_datagram *out)
{
    if (size < TURN_CHANNEL_HEADER_BYTES)
        return OW_EAGAIN;
    size_t length = (size_t)message[2] << 8 | message[3];
    struct turn_grant *grant =
        turn_grants_by_channel(&client->grants, (uint16_t)(message[0] << 8 | message[1]));
    if (!grant || length > size - TURN_CHANNEL_HEADER_BYTES)
        return OW_EAGAIN;
    grant->used_us = now_us;
    *out = (struct turn_datagram){grant->peer, message + TURN_CHANNEL_HEADER_BYTES, length};
    return OW_OK;
}

/* OW_OK for a peer's datagram; everything else is OW_EAGAIN. */
static int receive_message(struct turn_client *client, int64_t now_us, const uint8_t *message,
                           size_t size, struct turn_datagram *out)
{
    if (size > 0 && (message[0] & 0xc0) == 0x40)
        return receive_channel_data(client, now_us, message, size, out);
    struct stun_message m;
    if (stun_parse_turn(&m, message, size))
        return OW_EAGAIN;
    if (m.class == STUN_SUCCESS || m.class == STUN_ERROR) {
        turn_request_answered(client, now_us, &m);
        return OW_EAGAIN;
    }
    if (m.class != STUN_INDICATION || m.method != TURN_DATA || m.unknown_count > 0 || !m.payload ||
        m.peer.family == ADDRESS_NONE || m.peer.port == 0)
        return OW_EAGAIN;
    *out = (struct turn_datagram){m.peer, m.payload, m.payload_size};
    out->peer.transport = ADDRESS_RELAY;
    return OW_OK;
}

static int fail_stream(struct turn_client *client)
{
    client->state = TURN_FAILED;
    client->next_us = INT64_MAX;
    snprintf(client->failure, sizeof client->failure,
             "what answers at the TURN server's address does not speak TURN");
    return OW_EPARSE;
}

/* Before there is an allocation a server sends no ChannelData, which other protocols' text could be
 * taken for. */
static bool begins_wrong(const struct turn_client *client, const uint8_t *data, size_t size)
{
    const struct turn_stream_reader *reader = &client->reader;
    if (client->state != TURN_ALLOCATING || (reader->filled == 0 && size == 0))
        return false;
    return ((reader->filled > 0 ? reader->held[0] : data[0]) & 0xc0) != 0;
}

static int receive_stream(struct turn_client *client, int64_t now_us, const uint8_t **data,
                          size_t *size, struct turn_datagram *out)
{
    for (;;) {
        const uint8_t *message;
        size_t message_size;
        if (begins_wrong(client, *data, *size))
            return fail_stream(client);
        int err = turn_stream_read(&client->reader, data, size, &message, &message_size);
        if (err == OW_EPARSE)
            return fail_stream(client);
        if (err)
            return err;
        if (receive_message(client, now_us, message, message_size, out) == OW_OK)
            return OW_OK;
        if (is_over(client))
            return OW_ESTATE;
    }
}

int turn_client_receive(struct turn_client *client, int64_t now_us, const uint8_t **data,
                        size_t *size, struct turn_datagram *out)
{
    if (is_over(client))
        return OW_ESTATE;
    if (client->stream)
        return receive_stream(client, now_us, data, size, out);
    const uint8_t *message = *data;
    size_t message_size = *size;
    *data += message_size;
    *size = 0;
    return receive_message(client, now_us, message, message_size, out);
}

/* ---- to peers ---- */

/* Addresses that stand for many hosts or for none. What else is forbidden is the server's to say.
 */
static bool is_usable_peer(const struct turn_client *client, const struct address *peer)
{
    static const uint8_t unspecified[16];
    if (peer->port == 0 || peer->family != client->relayed.family)
        return false;
    if (peer->family == ADDRESS_IPV4)
        return peer->ip[0] != 0 && peer->ip[0] < 224;
    return peer->ip[0] != 0xff && memcmp(peer->ip, unspecified, sizeof unspecified) != 0;
}

static int permit(struct turn_client *client, int64_t now_us, const struct address *peer)
{
    struct address ip = *peer;
    ip.port = 0;
    struct turn_grant *grant = turn_grants_find(&client->grants, &ip);
    if (!grant)
        grant = turn_grants_add(&client->grants, &ip, now_us);
    if (!grant)
        return OW_ELIMIT;
    grant->used_us = now_us;
    if (grant->state == TURN_GRANT_REFUSED)
        return OW_EAUTH;
    if (grant->state == TURN_GRANT_NONE && !grant->ask.waiting)
        turn_request_grant(client, grant, now_us);
    return OW_OK;
}

int turn_client_permit(struct turn_client *client, int64_t now_us, const struct address *peer)
{
    if (client->state != TURN_ALLOCATED)
        return OW_ESTATE;
    return is_usable_peer(client, peer) ? permit(client, now_us, peer) : OW_EINVAL;
}

static struct turn_queued *queue_place(struct turn_client *client)
{
    if (client->queue_count == TURN_QUEUE)
        return NULL;
    return &client->queue[(client->queue_head + client->queue_count) % TURN_QUEUE];
}

static void queue_channel_data(struct turn_client *client, struct turn_queued *place,
                               uint16_t channel, const uint8_t *data, size_t size)
{
    uint8_t header[TURN_CHANNEL_HEADER_BYTES] = {(uint8_t)(channel >> 8), (uint8_t)channel,
                                                 (uint8_t)(size >> 8), (uint8_t)size};
    memset(place->data + sizeof header + size, 0, 3);
    memcpy(place->data, header, sizeof header);
    if (size > 0)
        memcpy(place->data + sizeof header, data, size);
    place->size = sizeof header + size;
    if (client->stream)
        place->size = (place->size + 3) & ~(size_t)3;
    client->queue_count++;
}

static int queue_indication(struct turn_client *client, struct turn_queued *place,
                            const struct address *peer, const uint8_t *data, size_t size)
{
    uint8_t id[STUN_TRANSACTION_BYTES];
    client->random->fill(client->random, id, sizeof id);
    struct stun_writer writer;
    stun_begin_turn(&writer, place->data, sizeof place->data, TURN_SEND, STUN_INDICATION, id);
    stun_put_peer(&writer, peer);
    stun_put_payload(&writer, data, size);
    if (writer.overflow)
        return OW_ELIMIT;
    place->size = writer.size;
    client->queue_count++;
    return OW_OK;
}

/* A channel saves 32 bytes of each datagram; asked for once it is clear that much will be sent. */
static void consider_channel(struct turn_client *client, int64_t now_us, const struct address *peer,
                             struct turn_grant *grant)
{
    if (!grant)
        grant = turn_grants_add(&client->grants, peer, now_us);
    if (!grant)
        return;
    grant->used_us = now_us;
    if (grant->sent < INDICATIONS_BEFORE_CHANNEL) {
        grant->sent++;
        return;
    }
    if (grant->state != TURN_GRANT_NONE || grant->ask.waiting)
        return;
    if (grant->channel != 0 || turn_grants_number(&client->grants, grant))
        turn_request_grant(client, grant, now_us);
}

int turn_client_send(struct turn_client *client, int64_t now_us, const struct address *peer,
                     const uint8_t *data, size_t size)
{
    if (client->state != TURN_ALLOCATED)
        return OW_ESTATE;
    if (!is_usable_peer(client, peer))
        return OW_EINVAL;
    struct turn_queued *place = queue_place(client);
    if (!place || size > TURN_MAX_PAYLOAD)
        return OW_ELIMIT;
    struct turn_grant *grant = turn_grants_find(&client->grants, peer);
    if (grant && grant->state == TURN_GRANT_GIVEN) {
        grant->used_us = now_us;
        queue_channel_data(client, place, grant->channel, data, size);
        return OW_OK;
    }
    int err = permit(client, now_us, peer);
    if (err)
        return err;
    consider_channel(client, now_us, peer, grant);
    return queue_indication(client, place, peer, data, size);
}

/* ---- output and time ---- */

int turn_client_poll(struct turn_client *client, uint8_t *data, size_t *size)
{
    if (client->state == TURN_FAILED)
        return OW_EAGAIN;
    int err = turn_request_poll(client, data, size);
    if (err != OW_EAGAIN || client->queue_count == 0)
        return err;
    const struct turn_queued *first = &client->queue[client->queue_head];
    memcpy(data, first->data, first->size);
    *size = first->size;
    client->queue_head = (client->queue_head + 1) % TURN_QUEUE;
    client->queue_count--;
    return OW_OK;
}

void turn_client_handle_timeout(struct turn_client *client, int64_t now_us)
{
    if (!is_over(client) && now_us >= client->next_us)
        turn_request_run(client, now_us);
}

int64_t turn_client_deadline(const struct turn_client *client)
{
    return is_over(client) ? INT64_MAX : client->next_us;
}

void turn_client_close(struct turn_client *client, int64_t now_us)
{
    if (is_over(client))
        return;
    bool allocated = client->state == TURN_ALLOCATED;
    client->state = TURN_CLOSED;
    client->queue_count = 0;
    client->allocation.send_pending = false;
    if (allocated)
        turn_request_start(client, &client->allocation, now_us);
}

void turn_client_destroy(struct turn_client **client)
{
    if (!*client)
        return;
    explicit_bzero(*client, sizeof **client);
    free(*client);
    *client = NULL;
}
