/* A connected session, behind a real ICE check and DTLS handshake: what the input says arrives as
 * authentic SRTCP, between frames that are sent and time that passes. The session must keep its
 * contract: datagrams fit the MTU, it falls quiet when drained, targets stay within their limits.
 */
#include "fuzz.h"

#include "../unit/rtc/rtc_peer.h"
#include "rtc/dtls_srtp.h"
#include "rtc/rtp_payload.h"
#include "rtc/session.h"
#include "rtc/stun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_OUTPUTS = 20000,
    MIN_BPS = 100000,
    MAX_BPS = 5000000,
    HANDSHAKE_ROUNDS = 20,
    SOURCE_OFFSET = 4, /* where an RTCP packet names its sender and the stream it speaks of */
};

static const struct address VIEWER = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 7}, .port = 50000};
static const char PEER_PWD[] = "peerpeerpeerpeerpeerpeer";

struct run {
    struct rtc_session *session;
    struct rtc_peer peer;
    int64_t now_us;
    uint32_t ssrc;
    uint64_t frames;
    bool connected, closed;
};

static void on_datagram(struct run *run, const struct rtc_output *out)
{
    struct stun_message message;
    struct stun_writer writer;
    uint8_t data[512];
    if (out->size == 0 || out->size > RTC_MTU)
        abort();
    if (out->data[0] >= 20 && out->data[0] <= 63) {
        rtc_peer_receive(&run->peer, out->data, out->size);
    } else if (ice_is_stun(out->data, out->size) &&
               stun_parse(&message, out->data, out->size) == OW_OK &&
               message.class == STUN_REQUEST) {
        stun_begin(&writer, data, sizeof(data), STUN_SUCCESS, message.transaction);
        stun_put_xor_mapped(&writer, &VIEWER);
        if (stun_finish(&writer, PEER_PWD) == OW_OK)
            rtc_session_receive(run->session, run->now_us, &VIEWER, writer.data, writer.size);
    }
}

static void drain(struct run *run)
{
    struct rtc_output out;
    for (int i = 0; rtc_session_poll(run->session, run->now_us, &out) == OW_OK; i++) {
        if (run->closed || i > MAX_OUTPUTS)
            abort();
        if (out.kind == RTC_OUTPUT_DATAGRAM)
            on_datagram(run, &out);
        else if (out.kind == RTC_OUTPUT_TARGET_BPS &&
                 (out.target_bps <= 0 || out.target_bps > MAX_BPS))
            abort();
        run->connected |= out.kind == RTC_OUTPUT_CONNECTED;
        run->closed = out.kind == RTC_OUTPUT_CLOSED;
    }
}

/* The value of an attribute in the answer. */
static void read_answer(const struct run *run, const char *name, char *out, size_t capacity)
{
    const char *at = strstr(rtc_session_answer(run->session), name);
    if (at == NULL)
        abort();
    at += strlen(name);
    size_t length = strcspn(at, "\r\n ");
    if (length >= capacity)
        abort();
    memcpy(out, at, length);
    out[length] = '\0';
}

static void send_check(struct run *run, uint8_t id)
{
    uint8_t data[512], transaction[STUN_TRANSACTION_BYTES] = {id};
    char username[128], password[64];
    struct stun_writer writer;
    read_answer(run, "a=ice-pwd:", password, sizeof(password));
    snprintf(username, sizeof(username), "%s:peer", rtc_session_local_ufrag(run->session));
    stun_begin(&writer, data, sizeof(data), STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1845501695);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    stun_put_use_candidate(&writer);
    if (stun_finish(&writer, password) != OW_OK)
        abort();
    rtc_session_receive(run->session, run->now_us, &VIEWER, writer.data, writer.size);
    drain(run);
}

static void create_session(struct run *run, struct dtls_identity *identity,
                           struct random_source *random)
{
    char offer[2048], fingerprint[3 * 32 + 1];
    for (size_t i = 0; i < 32; i++)
        snprintf(fingerprint + 3 * i, 4, "%02X:", run->peer.fingerprint[i]);
    fingerprint[3 * 32 - 1] = '\0';
    int size = snprintf(
        offer, sizeof(offer),
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\n"
        "a=ice-ufrag:peer\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n"
        "a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
        "a=extmap:3 http://www.ietf.org/id/"
        "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
        "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
        "a=rtcp-fb:102 transport-cc\r\na=rtcp-fb:102 goog-remb\r\na=rtcp-fb:102 ccm fir\r\n"
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
        "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n",
        PEER_PWD, fingerprint);
    struct rtc_session_settings settings = {.identity = identity,
                                            .random = random,
                                            .min_bps = MIN_BPS,
                                            .start_bps = 1000000,
                                            .max_bps = MAX_BPS,
                                            .label = "fuzz"};
    if (rtc_session_create(&run->session, &settings, offer, (size_t)size, run->now_us, NULL) !=
        OW_OK)
        abort();
}

static void connect_peer(struct run *run)
{
    char group[32];
    uint8_t record[2048];
    read_answer(run, "a=ssrc-group:FID ", group, sizeof(group));
    run->ssrc = (uint32_t)strtoul(group, NULL, 10);
    rtc_session_handle_timeout(run->session, run->now_us);
    drain(run);
    send_check(run, 1);
    for (int i = 0; i < HANDSHAKE_ROUNDS && !(run->connected && run->peer.connected); i++) {
        size_t size;
        while ((size = rtc_peer_poll(&run->peer, record, sizeof(record))) > 0) {
            rtc_session_receive(run->session, run->now_us, &VIEWER, record, size);
            drain(run);
        }
    }
    if (!run->connected || !run->peer.connected)
        abort();
    rtc_peer_start_srtp(&run->peer);
}

static void send_rtcp(struct run *run, const uint8_t *data, size_t size, bool about_us)
{
    uint8_t packet[1200 + SRTP_MAX_TRAILER_LEN + 4];
    int length = size > 1100 ? 1100 : (int)size;
    if (length < 8)
        return;
    memcpy(packet, data, (size_t)length);
    packet[0] = (uint8_t)((packet[0] & 0x1f) | 0x80);
    packet[1] = (uint8_t)(200 + packet[1] % 8);
    if (about_us && length >= 2 * SOURCE_OFFSET + 4) { /* so that the input need not guess it */
        uint8_t ssrc[] = {(uint8_t)(run->ssrc >> 24), (uint8_t)(run->ssrc >> 16),
                          (uint8_t)(run->ssrc >> 8), (uint8_t)run->ssrc};
        memcpy(packet + 2 * SOURCE_OFFSET, ssrc, sizeof(ssrc));
    }
    if (srtp_protect_rtcp(run->peer.out, packet, &length) == srtp_err_status_ok)
        rtc_session_receive(run->session, run->now_us, &VIEWER, packet, (size_t)length);
}

static void send_frame(struct run *run, uint8_t argument)
{
    struct encoded *unit = NULL;
    struct rtp_frame *frame = NULL;
    if (encoded_create(&unit, 4 + (size_t)argument * 64) != OW_OK)
        return;
    memset(unit->data, 0xab, unit->size);
    memcpy(unit->data, "\0\0\1\x65", 4);
    unit->key = run->frames == 0 || (argument & 7) == 0;
    unit->capture_us = run->now_us;
    unit->sequence = run->frames++;
    if (rtp_frame_cut(&frame, unit, RTC_MAX_PAYLOAD) == OW_OK)
        rtc_session_send(run->session, run->now_us, frame);
    rtp_frame_unref(&frame);
    encoded_unref(&unit);
}

/* Operation, argument and, for RTCP, that many bytes; returns the bytes used. */
static size_t step(struct run *run, const uint8_t *data, size_t size)
{
    uint8_t operation = data[0] % 8, argument = size > 1 ? data[1] : 0;
    size_t used = size > 1 ? 2 : 1;
    switch (operation) {
    case 0:
    case 1: {
        size_t length = argument < size - used ? argument : size - used;
        send_rtcp(run, data + used, length, operation == 1);
        used += length;
        break;
    }
    case 2:
    case 3:
        send_frame(run, argument);
        break;
    case 4:
        run->now_us += argument * 1000;
        break;
    case 5:
        run->now_us += argument * 100000;
        break;
    case 6: {
        int64_t deadline = rtc_session_deadline(run->session);
        if (deadline != INT64_MAX && deadline > run->now_us)
            run->now_us = deadline;
        break;
    }
    default:
        send_check(run, argument);
        break;
    }
    rtc_session_handle_timeout(run->session, run->now_us);
    drain(run);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dtls_identity *identity; /* made once a process: a key costs time */
    struct random_source random;
    struct run run = {.now_us = 1000000};
    if (identity == NULL && dtls_identity_create(&identity, 1700000000000000, NULL) != OW_OK)
        abort();
    random_seeded(&random, 5);
    rtc_peer_create(&run.peer, "SRTP_AEAD_AES_128_GCM", 0);
    create_session(&run, identity, &random);
    connect_peer(&run);
    while (size > 0 && !run.closed) {
        size_t used = step(&run, data, size);
        data += used;
        size -= used;
    }
    rtc_session_destroy(&run.session);
    rtc_peer_destroy(&run.peer);
    return 0;
}
