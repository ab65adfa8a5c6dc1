#include "swarm_viewer.h"

#include "core/error.h"
#include "rtc/rtp_header.h"
#include "rtc/stun.h"

#include <netinet/udp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHECK_US = 200 * 1000,        /* until one is answered */
    CONSENT_US = 5 * 1000 * 1000, /* then */
    FEEDBACK_US = 100 * 1000,     /* libwebrtc's default */
    REPORT_US = 1000 * 1000,
    SENDER_SSRC = 1,
};

static void transmit(struct swarm_viewer *viewer, const uint8_t *data, size_t size)
{
    (void)!send(viewer->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool swarm_viewer_open(struct swarm_viewer *viewer, struct swarm *swarm, const char *ufrag,
                       const char *pwd, const struct sockaddr_in *server, int64_t now_us)
{
    memset(viewer, 0, sizeof *viewer);
    viewer->swarm = swarm;
    viewer->created_us = now_us;
    snprintf(viewer->remote_ufrag, sizeof viewer->remote_ufrag, "%s", ufrag);
    snprintf(viewer->remote_pwd, sizeof viewer->remote_pwd, "%s", pwd);
    viewer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, bytes = 1 << 20;
    if (viewer->fd < 0)
        return false;
    /* Segments that the server's kernel left together stay together: the swarm must not be the
     * slower of the two. */
    (void)setsockopt(viewer->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    (void)setsockopt(viewer->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    (void)setsockopt(viewer->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    if (connect(viewer->fd, (const struct sockaddr *)server, sizeof *server) != 0)
        return false;
    viewer->ssl = SSL_new(swarm->context);
    SSL_set_mtu(viewer->ssl, 1200);
    SSL_set_bio(viewer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(viewer->ssl), -1);
    SSL_set_connect_state(viewer->ssl);
    return true;
}

void swarm_viewer_close(struct swarm_viewer *viewer)
{
    SSL_free(viewer->ssl);
    swarm_channel_end(&viewer->channel);
    srtp_link_destroy(&viewer->reports);
    if (viewer->media)
        srtp_dealloc(viewer->media);
    if (viewer->fd >= 0)
        close(viewer->fd);
    memset(viewer, 0, sizeof *viewer);
    viewer->fd = -1;
}

/* -- ICE -- */

static void send_check(struct swarm_viewer *viewer)
{
    uint8_t data[1024], transaction[STUN_TRANSACTION_BYTES];
    char username[600];
    struct swarm *swarm = viewer->swarm;
    struct stun_writer writer;
    snprintf(username, sizeof username, "%s:%s", viewer->remote_ufrag, swarm->ufrag);
    swarm->random.fill(&swarm->random, transaction, sizeof transaction);
    stun_begin(&writer, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1845501695);
    stun_put_role(&writer, swarm->controlling ? STUN_ROLE_CONTROLLING : STUN_ROLE_CONTROLLED, 77);
    if (swarm->controlling)
        stun_put_use_candidate(&writer);
    if (stun_finish(&writer, viewer->remote_pwd) == OW_OK)
        transmit(viewer, data, writer.size);
}

static void take_stun(struct swarm_viewer *viewer, const uint8_t *data, size_t size)
{
    struct stun_message message;
    uint8_t answer[256];
    struct stun_writer writer;
    if (stun_parse(&message, data, size) != OW_OK)
        return;
    if (message.class == STUN_SUCCESS)
        viewer->answered = true;
    if (message.class != STUN_REQUEST)
        return;
    struct address mapped = {.family = 4, .ip = {127, 0, 0, 1}, .port = 9};
    stun_begin(&writer, answer, sizeof answer, STUN_SUCCESS, message.transaction);
    stun_put_xor_mapped(&writer, &mapped);
    if (stun_finish(&writer, viewer->swarm->pwd) == OW_OK)
        transmit(viewer, answer, writer.size);
}

/* -- DTLS and keys -- */

static bool start_srtp(struct swarm_viewer *viewer)
{
    uint8_t material[60];
    SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(viewer->ssl);
    bool gcm = profile && profile->id == SRTP_AEAD_AES_128_GCM;
    size_t salt = gcm ? 12 : 14;
    struct srtp_keys keys = {.profile = gcm ? SRTP_LINK_GCM_128 : SRTP_LINK_CM_SHA1_80};
    if (!profile || SSL_export_keying_material(viewer->ssl, material, 32 + 2 * salt,
                                               "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) != 1)
        return false;
    memcpy(keys.local, material, 16); /* the client's come first */
    memcpy(keys.local + 16, material + 32, salt);
    memcpy(keys.remote, material + 16, 16);
    memcpy(keys.remote + 16, material + 32 + salt, salt);
    srtp_policy_t policy = {
        .ssrc = {.type = ssrc_any_inbound}, .key = keys.remote, .window_size = 1024};
    if (gcm) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    }
    return srtp_create(&viewer->media, &policy) == srtp_err_status_ok &&
           srtp_link_create(&viewer->reports, &keys) == OW_OK;
}

static void send_records(struct swarm_viewer *viewer)
{
    BIO *out = SSL_get_wbio(viewer->ssl);
    uint8_t data[2048];
    while (BIO_read(out, data, 13) == 13) {
        int size = data[11] << 8 | data[12];
        if (size > (int)sizeof data - 13 || BIO_read(out, data + 13, size) != size)
            return;
        transmit(viewer, data, (size_t)size + 13);
    }
}

static void go_on_with_dtls(struct swarm_viewer *viewer, int64_t now_us)
{
    ERR_clear_error();
    int result = SSL_do_handshake(viewer->ssl);
    send_records(viewer);
    if (result == 1 && start_srtp(viewer)) {
        viewer->swarm->connected++;
        if (viewer->swarm->records_per_10s > 0 && swarm_channel_begin(&viewer->channel, now_us))
            return;
    } else if (result == 1 || SSL_get_error(viewer->ssl, result) != SSL_ERROR_WANT_READ) {
        viewer->swarm->failed++;
    } else {
        return;
    }
    SSL_free(viewer->ssl); /* thousands of them would fill the memory */
    viewer->ssl = NULL;
}

/* What the channel has to say. */
static void send_channel(struct swarm_viewer *viewer)
{
    uint8_t packet[SCTP_LINK_MTU];
    size_t size;
    while (sctp_link_poll(viewer->channel.link, packet, &size) == OW_OK)
        SSL_write(viewer->ssl, packet, (int)size);
    send_records(viewer);
}

static void take_channel(struct swarm_viewer *viewer, int64_t now_us)
{
    struct swarm_channel *channel = &viewer->channel;
    struct swarm_counts *counts = &viewer->swarm->counts;
    uint64_t records = channel->records, bytes = channel->bytes;
    uint8_t packet[2048];
    ERR_clear_error();
    for (int size; (size = SSL_read(viewer->ssl, packet, sizeof packet)) > 0;)
        swarm_channel_receive(channel, now_us, packet, (size_t)size);
    counts->records += channel->records - records;
    counts->record_bytes += channel->bytes - bytes;
    send_channel(viewer);
}

static void take_dtls(struct swarm_viewer *viewer, int64_t now_us, const uint8_t *data, size_t size)
{
    if (!viewer->ssl)
        return;
    BIO_write(SSL_get_rbio(viewer->ssl), data, (int)size);
    if (viewer->channel.link)
        take_channel(viewer, now_us);
    else
        go_on_with_dtls(viewer, now_us);
}

/* -- media -- */

/* RFC 8285 section 4.2: the element of this id in a one-byte header extension. */
static const uint8_t *find_extension(const uint8_t *packet, size_t size, int id, int wanted_size)
{
    size_t at = 12 + 4 * (size_t)(packet[0] & 15);
    if (!(packet[0] & 0x10) || at + 4 > size || read_u16(packet + at) != 0xbede)
        return NULL;
    size_t end = at + 4 + 4 * (size_t)read_u16(packet + at + 2);
    at += 4;
    while (at < end && end <= size) {
        int length = (packet[at] & 15) + 1;
        if (packet[at] == 0) {
            at++;
            continue;
        }
        if (packet[at] >> 4 == id)
            return length == wanted_size && at + 1 + (size_t)length <= end ? packet + at + 1 : NULL;
        at += 1 + (size_t)length;
    }
    return NULL;
}

/* A frame is late against the fastest frame that any viewer ever got: to be served last, every
 * time, is to be late, too. */
static void count_lateness(struct swarm_viewer *viewer, int64_t now_us, uint32_t timestamp)
{
    struct swarm *swarm = viewer->swarm;
    struct swarm_counts *counts = &swarm->counts;
    counts->frames++;
    if (!viewer->aligned)
        return;
    /* RTP time goes round every 13 hours, and begins anywhere. */
    uint32_t age = (uint32_t)(now_us * 9 / 100) - (timestamp - viewer->offset);
    if (!swarm->has_base || (int32_t)(age - swarm->base) < 0)
        swarm->base = age;
    swarm->has_base = true;
    int64_t late_us = (int64_t)(age - swarm->base) * 100 / 9;
    int bucket = (int)(late_us / 500);
    counts->lateness[bucket < SWARM_LATE_BUCKETS ? bucket : SWARM_LATE_BUCKETS - 1]++;
    counts->timed++;
    counts->late += late_us > SWARM_LATE_US;
    counts->latest_us = late_us > counts->latest_us ? late_us : counts->latest_us;
}

static void count_sequence(struct swarm_viewer *viewer, uint16_t sequence)
{
    if (!viewer->has_sequence) {
        viewer->has_sequence = true;
        viewer->highest = (uint16_t)(sequence - 1);
    }
    uint16_t ahead = (uint16_t)(sequence - viewer->highest);
    viewer->received++;
    if (ahead == 0 || ahead >= 0x8000)
        return;
    viewer->extended += ahead;
    viewer->highest = sequence;
    viewer->swarm->counts.lost += ahead - 1u;
}

/* What the first viewer gets is noted; what others get waits to be found there. */
static void recognise(struct swarm_viewer *viewer, int64_t now_us, const uint8_t *packet,
                      size_t size)
{
    struct swarm *swarm = viewer->swarm;
    uint64_t hash = swarm_frames_hash(packet, size);
    if (hash == 0)
        return;
    if (viewer == swarm->first) {
        swarm_frames_note(&swarm->frames, hash, read_u32(packet + 4));
    } else if (viewer->read.hash == 0) {
        viewer->read.hash = hash;
        viewer->read.timestamp = read_u32(packet + 4);
        viewer->read.since_us = now_us;
    }
}

static void look_up(struct swarm_viewer *viewer, int64_t now_us)
{
    uint32_t noted;
    if (viewer->read.hash == 0)
        return;
    if (swarm_frames_find(&viewer->swarm->frames, viewer->read.hash, &noted)) {
        uint32_t offset = viewer->read.timestamp - noted;
        /* Ours may put a timestamp a tick later, to keep them rising. */
        viewer->swarm->counts.broken += viewer->aligned && offset - viewer->offset + 1 > 2;
        viewer->aligned = true;
        viewer->offset = offset;
    } else if (now_us - viewer->read.since_us < SWARM_UNKNOWN_US) {
        return;
    } else {
        const struct swarm_viewer *first = viewer->swarm->first;
        viewer->swarm->counts.broken += first->received >= first->extended; /* it lost none */
    }
    viewer->read.hash = 0;
}

static void spot_check(struct swarm_viewer *viewer, int64_t now_us, const uint8_t *data,
                       size_t size)
{
    uint8_t copy[2048];
    int length = (int)size;
    if (size > sizeof copy)
        return;
    memcpy(copy, data, size);
    if (srtp_unprotect(viewer->media, copy, &length) == srtp_err_status_ok) {
        viewer->swarm->counts.decrypted++;
        recognise(viewer, now_us, copy, (size_t)length);
    } else {
        viewer->swarm->counts.broken++;
    }
}

static void take_media(struct swarm_viewer *viewer, int64_t now_us, const uint8_t *data,
                       size_t size)
{
    if (size < 12 || (data[1] >= 192 && data[1] <= 223) || !viewer->reports)
        return;
    struct swarm *swarm = viewer->swarm;
    uint32_t ssrc = read_u32(data + 8);
    swarm->counts.packets++;
    swarm->counts.bytes += size;
    if (viewer->ssrc == 0)
        viewer->ssrc = ssrc;
    if (!swarm->first) {
        swarm->first = viewer;
        viewer->aligned = true;
    }
    const uint8_t *wide = find_extension(data, size, swarm->transport_cc_id, 2);
    if (wide && viewer->arrival_count < SWARM_ARRIVALS) {
        viewer->arrivals[viewer->arrival_count].sequence = read_u16(wide);
        viewer->arrivals[viewer->arrival_count++].us = now_us;
    }
    if (ssrc != viewer->ssrc)
        return; /* retransmissions and probes */
    count_sequence(viewer, read_u16(data + 2));
    if (data[1] & 0x80)
        count_lateness(viewer, now_us, read_u32(data + 4));
    if (viewer == swarm->first || (!viewer->aligned && viewer->read.hash == 0) ||
        viewer->received % SWARM_DECRYPT_EVERY == 1)
        spot_check(viewer, now_us, data, size);
}

void swarm_viewer_receive(struct swarm_viewer *viewer, int64_t now_us, uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    if (data[0] < 4)
        take_stun(viewer, data, size);
    else if (data[0] >= 20 && data[0] <= 63)
        take_dtls(viewer, now_us, data, size);
    else if (data[0] >= 128 && data[0] <= 191)
        take_media(viewer, now_us, data, size);
}

/* -- reports -- */

static void send_report(struct swarm_viewer *viewer, uint8_t *packet, size_t size)
{
    if (srtp_link_protect_rtcp(viewer->reports, packet, &size) == OW_OK)
        transmit(viewer, packet, size);
}

/* RFC 3550 section 6.4.2, without jitter and times. */
static void send_receiver_report(struct swarm_viewer *viewer)
{
    uint8_t packet[32 + SRTP_LINK_SLACK] = {0x81, 201, 0, 7};
    uint32_t expected = viewer->extended - viewer->expected_before;
    uint32_t received = viewer->received - viewer->received_before;
    uint32_t lost = expected > received ? expected - received : 0;
    viewer->expected_before = viewer->extended;
    viewer->received_before = viewer->received;
    write_u32(packet + 4, SENDER_SSRC);
    write_u32(packet + 8, viewer->ssrc);
    packet[12] = (uint8_t)(expected ? lost * 256 / (expected + 1) : 0);
    write_u32(packet + 16, viewer->highest);
    send_report(viewer, packet, 32);
}

struct feedback {
    uint8_t packet[1400];
    size_t chunks, deltas; /* bytes */
    uint8_t delta[2 * SWARM_ARRIVALS];
    int symbols; /* in the open chunk */
    uint16_t chunk;
    uint16_t count;
};

static void add_symbol(struct feedback *feedback, unsigned symbol)
{
    feedback->chunk = (uint16_t)(feedback->chunk | symbol << (12 - 2 * feedback->symbols));
    feedback->count++;
    if (++feedback->symbols < 7)
        return;
    write_u16(feedback->packet + 20 + feedback->chunks, (uint16_t)(0xc000 | feedback->chunk));
    feedback->chunks += 2;
    feedback->symbols = 0;
    feedback->chunk = 0;
}

static void add_arrival(struct feedback *feedback, int64_t delta)
{
    if (delta >= 0 && delta <= 255) {
        add_symbol(feedback, 1);
        feedback->delta[feedback->deltas++] = (uint8_t)delta;
        return;
    }
    int64_t bounded = delta > 32767 ? 32767 : delta < -32768 ? -32768 : delta;
    add_symbol(feedback, 2);
    write_u16(feedback->delta + feedback->deltas, (uint16_t)bounded);
    feedback->deltas += 2;
}

/* draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1, with chunks of two-bit symbols.
 * Packets are taken to come in order, as they do here. */
static void send_feedback(struct swarm_viewer *viewer)
{
    struct feedback feedback = {.count = 0};
    uint16_t next = viewer->arrivals[0].sequence;
    int64_t reference = viewer->arrivals[0].us / 64000, at = reference * 256; /* 250 us */
    write_u16(feedback.packet + 12, next);
    for (int i = 0; i < viewer->arrival_count && feedback.chunks < 400; i++) {
        uint16_t gap = (uint16_t)(viewer->arrivals[i].sequence - next);
        if (gap > 500)
            continue;
        for (; gap > 0; gap--, next++)
            add_symbol(&feedback, 0);
        int64_t arrived = viewer->arrivals[i].us / 250;
        add_arrival(&feedback, arrived - at);
        at = arrived;
        next++;
    }
    uint16_t count = feedback.count;
    while (feedback.symbols > 0)
        add_symbol(&feedback, 0);
    viewer->arrival_count = 0;
    uint8_t packet[2048 + SRTP_LINK_SLACK];
    memcpy(packet, feedback.packet, 20 + feedback.chunks);
    size_t size = 20 + feedback.chunks;
    memcpy(packet + size, feedback.delta, feedback.deltas);
    size += feedback.deltas;
    while (size % 4 != 0)
        packet[size++] = 0;
    packet[0] = 0x8f;
    packet[1] = 205;
    write_u16(packet + 2, (uint16_t)(size / 4 - 1));
    write_u32(packet + 4, SENDER_SSRC);
    write_u32(packet + 8, viewer->ssrc);
    write_u16(packet + 14, count);
    write_u32(packet + 16, ((uint32_t)reference & 0xffffff) << 8 | viewer->feedback_count++);
    if (size < 1300)
        send_report(viewer, packet, size);
}

void swarm_viewer_tick(struct swarm_viewer *viewer, int64_t now_us)
{
    if (now_us >= viewer->check_us) {
        viewer->check_us = now_us + (viewer->answered ? CONSENT_US : CHECK_US);
        send_check(viewer);
    }
    if (viewer->ssl && viewer->answered && !viewer->channel.link) {
        if (DTLSv1_handle_timeout(viewer->ssl) >= 0)
            go_on_with_dtls(viewer, now_us);
        return;
    }
    if (viewer->channel.link) {
        swarm_channel_tick(&viewer->channel, now_us, viewer->swarm->records_per_10s);
        send_channel(viewer);
    }
    if (!viewer->reports || viewer->ssrc == 0)
        return;
    look_up(viewer, now_us);
    if (viewer->arrival_count > 0 && now_us >= viewer->feedback_us) {
        viewer->feedback_us = now_us + FEEDBACK_US;
        send_feedback(viewer);
    }
    if (now_us >= viewer->report_us) {
        viewer->report_us = now_us + REPORT_US;
        send_receiver_report(viewer);
    }
}
