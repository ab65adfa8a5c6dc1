#include "rtc/dtls_srtp.h"
#include "rtc/rtcp.h"
#include "rtc/rtp_header.h"
#include "rtc/rtp_payload.h"
#include "rtc/session.h"
#include "rtc/stun.h"
#include "rtc_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A browser on a simulated link without delay: controlling ICE, DTLS client, SRTP. Time is a
 * variable. */
enum { PAYLOAD_TYPE = 102, RTX_PAYLOAD_TYPE = 103, MAX_PACKETS = 512 };

static const int64_t START_US = 5000000, WALL_MINUS_NOW_US = 1700000000000000;
static const struct address VIEWER = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 7}, .port = 50000};
static const struct address OTHER = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 8}, .port = 50000};

struct media {
    uint8_t data[RTC_MAX_DATAGRAM];
    size_t size;
};

static struct dtls_identity *identity;
static struct random_source random_numbers;

static struct {
    struct rtc_session *session;
    struct rtc_peer peer;
    int64_t now_us;
    bool mute; /* the browser answers no STUN */
    char ufrag[64], pwd[64];
    uint32_t ssrc, rtx_ssrc;
    uint8_t check_id;
    int key_events, connected_events, target_bps, holds;
    int64_t hold_until_us;
    bool closed, bye;
    char close_text[256];
    struct rtcp_sender_report report;
    int reports;
    struct media packets[MAX_PACKETS]; /* decrypted RTP */
    int packet_count;
} test;

static void offer_text(char *out, size_t size, const uint8_t *fingerprint, const char *extra)
{
    char hex[32 * 3 + 1];
    for (int i = 0; i < 32; i++)
        snprintf(hex + i * 3, 4, "%02X%s", fingerprint[i], i < 31 ? ":" : "");
    snprintf(out, size,
             "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
             "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\n"
             "a=ice-ufrag:peer\r\na=ice-pwd:peerpeerpeerpeerpeerpeer\r\n"
             "a=fingerprint:sha-256 %s\r\na=setup:%s\r\na=mid:0\r\n"
             "a=extmap:3 http://www.ietf.org/id/"
             "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
             "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
             "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
             "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
             "a=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
             "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
             "a=rtcp-fb:102 ccm fir\r\na=rtcp-fb:102 goog-remb\r\na=rtcp-fb:102 transport-cc\r\n"
             "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
             "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n",
             hex, extra);
}

static void read_attribute(const char *answer, const char *name, char *out, size_t size)
{
    const char *at = strstr(answer, name);
    assert_non_null(at);
    at += strlen(name);
    size_t length = strcspn(at, "\r\n ");
    assert_true(length < size);
    memcpy(out, at, length);
    out[length] = '\0';
}

static struct rtc_session_settings settings_of(void)
{
    return (struct rtc_session_settings){.identity = identity,
                                         .random = &random_numbers,
                                         .local_candidate_count = 1,
                                         .local_candidates = {{.address = {.family = ADDRESS_IPV4,
                                                                           .ip = {198, 51, 100, 1},
                                                                           .port = 8189}}},
                                         .min_bps = 100000,
                                         .start_bps = 2000000,
                                         .max_bps = 8000000,
                                         .wall_minus_now_us = WALL_MINUS_NOW_US,
                                         .label = "view 1\r\na=evil"};
}

static void begin(bool right_fingerprint)
{
    char offer[4096], ssrcs[64];
    memset(&test, 0, sizeof(test));
    test.now_us = START_US;
    random_seeded(&random_numbers, 42);
    rtc_peer_create(&test.peer, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", 0);
    uint8_t fingerprint[32];
    memcpy(fingerprint, test.peer.fingerprint, sizeof(fingerprint));
    fingerprint[0] ^= !right_fingerprint;
    offer_text(offer, sizeof(offer), fingerprint, "actpass");
    struct rtc_session_settings settings = settings_of();
    struct reason why = {""};
    int code =
        rtc_session_create(&test.session, &settings, offer, strlen(offer), test.now_us, &why);
    if (code != OW_OK)
        fail_msg("%s", why.text);
    const char *answer = rtc_session_answer(test.session);
    read_attribute(answer, "a=ice-ufrag:", test.ufrag, sizeof(test.ufrag));
    read_attribute(answer, "a=ice-pwd:", test.pwd, sizeof(test.pwd));
    read_attribute(answer, "a=ssrc-group:FID ", ssrcs, sizeof(ssrcs));
    test.ssrc = (uint32_t)strtoul(ssrcs, NULL, 10);
    const char *group = strstr(answer, "a=ssrc-group:FID ") + strlen("a=ssrc-group:FID ");
    test.rtx_ssrc = (uint32_t)strtoul(strchr(group, ' '), NULL, 10);
    assert_string_equal(test.ufrag, rtc_session_local_ufrag(test.session));
    assert_null(strstr(answer, "a=evil"));
}

static void end(void)
{
    rtc_session_destroy(&test.session);
    assert_null(test.session);
    rtc_peer_destroy(&test.peer);
}

static void send_check(const struct address *from)
{
    uint8_t data[512], transaction[STUN_TRANSACTION_BYTES] = {0xcc, test.check_id++};
    char username[128];
    struct stun_writer writer;
    snprintf(username, sizeof(username), "%s:peer", test.ufrag);
    stun_begin(&writer, data, sizeof(data), STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1845501695);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    stun_put_use_candidate(&writer);
    assert_int_equal(stun_finish(&writer, test.pwd), OW_OK);
    rtc_session_receive(test.session, test.now_us, from, writer.data, writer.size);
}

static void answer_check(const struct rtc_output *out)
{
    struct stun_message message;
    struct stun_writer writer;
    uint8_t data[512];
    if (test.mute || stun_parse(&message, out->data, out->size) != OW_OK ||
        message.class != STUN_REQUEST)
        return;
    struct address mapped = {.family = ADDRESS_IPV4, .ip = {198, 51, 100, 1}, .port = 8189};
    stun_begin(&writer, data, sizeof(data), STUN_SUCCESS, message.transaction);
    stun_put_xor_mapped(&writer, &mapped);
    assert_int_equal(stun_finish(&writer, "peerpeerpeerpeerpeerpeer"), OW_OK);
    rtc_session_receive(test.session, test.now_us, &out->to, writer.data, writer.size);
}

static void take_rtcp(const struct rtc_output *out)
{
    uint8_t plain[RTC_MAX_DATAGRAM];
    int size = (int)out->size;
    memcpy(plain, out->data, out->size);
    assert_int_equal(srtp_unprotect_rtcp(test.peer.in, plain, &size), srtp_err_status_ok);
    assert_int_equal(plain[1], 200);
    test.reports++;
    test.report = (struct rtcp_sender_report){.ssrc = read_u32(plain + 4),
                                              .ntp = (uint64_t)read_u32(plain + 8) << 32 |
                                                     read_u32(plain + 12),
                                              .rtp_timestamp = read_u32(plain + 16),
                                              .packets = read_u32(plain + 20),
                                              .bytes = read_u32(plain + 24)};
    assert_int_equal(plain[29], 202);
    int behind = 28 + (read_u16(plain + 30) + 1) * 4;
    test.bye = size > behind && plain[behind + 1] == 203;
}

static void take_media(const struct rtc_output *out)
{
    assert_true(test.peer.in != NULL);
    if (out->data[1] >= 192 && out->data[1] <= 223) {
        take_rtcp(out);
        return;
    }
    assert_true(test.packet_count < MAX_PACKETS);
    struct media *packet = &test.packets[test.packet_count++];
    int size = (int)out->size;
    memcpy(packet->data, out->data, out->size);
    assert_int_equal(srtp_unprotect(test.peer.in, packet->data, &size), srtp_err_status_ok);
    packet->size = (size_t)size;
}

static void take_output(const struct rtc_output *out)
{
    switch (out->kind) {
    case RTC_OUTPUT_DATAGRAM:
        assert_in_range(out->size, 1, RTC_MTU);
        assert_true(address_equal(&out->to, &VIEWER));
        if (ice_is_stun(out->data, out->size))
            answer_check(out);
        else if (out->data[0] < 64)
            rtc_peer_receive(&test.peer, out->data, out->size);
        else
            take_media(out);
        if (test.peer.connected && test.peer.in == NULL)
            rtc_peer_start_srtp(&test.peer);
        break;
    case RTC_OUTPUT_CONNECTED:
        test.connected_events++;
        break;
    case RTC_OUTPUT_KEY_FRAME:
        test.key_events++;
        break;
    case RTC_OUTPUT_TARGET_BPS:
        test.target_bps = out->target_bps;
        break;
    case RTC_OUTPUT_HOLD:
        test.holds++;
        test.hold_until_us = out->hold_until_us;
        break;
    case RTC_OUTPUT_TIER:
        fail_msg("no page draws vectors here");
        break;
    case RTC_OUTPUT_CLOSED:
        test.closed = true;
        snprintf(test.close_text, sizeof(test.close_text), "%s", out->text);
        break;
    case RTC_OUTPUT_ICE_STATE:
        break;
    }
}

static void drain(void)
{
    struct rtc_output out;
    int count = 0;
    while (rtc_session_poll(test.session, test.now_us, &out) == OW_OK) {
        assert_false(test.closed); /* nothing comes after CLOSED */
        take_output(&out);
        assert_true(++count < 5000);
    }
}

/* Lets time pass to `until_us`, deadline by deadline. */
static void run_until(int64_t until_us)
{
    drain();
    for (int steps = 0; rtc_session_deadline(test.session) <= until_us; steps++) {
        assert_true(steps < 100000);
        int64_t deadline = rtc_session_deadline(test.session);
        test.now_us = deadline > test.now_us ? deadline : test.now_us;
        rtc_session_handle_timeout(test.session, test.now_us);
        drain();
    }
    test.now_us = until_us;
}

static int send_dtls(const struct address *from)
{
    uint8_t data[2048];
    size_t size;
    int count = 0;
    for (; (size = rtc_peer_poll(&test.peer, data, sizeof(data))) > 0; count++)
        rtc_session_receive(test.session, test.now_us, from, data, size);
    return count;
}

static void handshake(void)
{
    send_check(&VIEWER);
    run_until(test.now_us + 200000);
    for (int i = 0; i < 10; i++) {
        send_dtls(&VIEWER);
        drain();
    }
}

static void connect_viewer(void)
{
    begin(true);
    handshake();
    assert_true(test.peer.connected);
    assert_int_equal(test.connected_events, 1);
    assert_int_equal(test.target_bps, 1900000); /* less what headers take, as it is guessed */
}

static struct rtp_frame *send_frame(bool key, size_t size)
{
    struct encoded *unit = NULL;
    struct rtp_frame *frame = NULL;
    assert_int_equal(encoded_create(&unit, size + 4), OW_OK);
    memset(unit->data, 0xab, unit->size);
    memcpy(unit->data, key ? "\0\0\1\x65" : "\0\0\1\x41", 4);
    unit->key = key;
    unit->capture_us = test.now_us;
    unit->sequence = 1;
    assert_int_equal(rtp_frame_cut(&frame, unit, RTC_MAX_PAYLOAD), OW_OK);
    encoded_unref(&unit);
    rtc_session_send(test.session, test.now_us, frame);
    drain();
    return frame;
}

static void send_and_forget(bool key, size_t size)
{
    struct rtp_frame *frame = send_frame(key, size);
    rtp_frame_unref(&frame);
}

static void send_rtcp(const uint8_t *plain, size_t size, const struct address *from)
{
    uint8_t data[RTC_MAX_DATAGRAM + SRTP_MAX_TRAILER_LEN];
    int length = (int)size;
    memcpy(data, plain, size);
    assert_int_equal(srtp_protect_rtcp(test.peer.out, data, &length), srtp_err_status_ok);
    rtc_session_receive(test.session, test.now_us, from, data, (size_t)length);
    drain();
}

static void send_feedback(int type, int format, const uint8_t *fci, size_t size)
{
    uint8_t data[512] = {(uint8_t)(0x80 | format), (uint8_t)type};
    write_u16(data + 2, (uint16_t)((12 + size) / 4 - 1));
    write_u32(data + 4, 1);
    write_u32(data + 8, test.ssrc);
    if (size > 0)
        memcpy(data + 12, fci, size);
    send_rtcp(data, 12 + size, &VIEWER);
}

static uint16_t transport_sequence(const struct media *packet)
{
    assert_int_equal(packet->data[16], 0x31); /* transport-cc is the first extension */
    return read_u16(packet->data + 17);
}

/* Transport-wide feedback: `lost` packets from `base` on did not arrive, `received` after them did.
 */
static void send_transport_feedback(uint16_t base, int lost, int received)
{
    static uint8_t number;
    uint8_t items[256] = {0};
    size_t size = 8;
    write_u16(items, base);
    write_u16(items + 2, (uint16_t)(lost + received));
    items[5] = (uint8_t)(test.now_us / 64000 >> 8);
    items[6] = (uint8_t)(test.now_us / 64000);
    items[7] = number++;
    if (lost > 0) {
        write_u16(items + size, (uint16_t)lost); /* a run of "not received" */
        size += 2;
    }
    write_u16(items + size, (uint16_t)(0x2000 | received)); /* of "small delta", each 0 */
    size += 2 + (size_t)received;
    assert_true(size + 4 <= sizeof(items));
    send_feedback(205, 15, items, (size + 3) / 4 * 4);
}

static void send_nack(const struct media *packet)
{
    uint8_t nack[4] = {packet->data[2], packet->data[3]};
    send_feedback(205, 1, nack, sizeof(nack));
}

static struct rtc_session_stats stats(void)
{
    struct rtc_session_stats out;
    rtc_session_stats(test.session, test.now_us, &out);
    return out;
}

static void a_viewer_gets_frames(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(false, 500); /* before a key frame: dropped */
    assert_int_equal(test.packet_count, 0);
    struct rtp_frame *frame = send_frame(true, 5000);
    assert_int_equal(test.packet_count, frame->count);
    assert_int_equal(test.reports, 1); /* in front of the first packet */
    assert_int_equal(test.report.packets, 0);
    for (int i = 0; i < frame->count; i++) {
        const uint8_t *data = test.packets[i].data;
        size_t header = 12 + 4 + (size_t)read_u16(data + 14) * 4;
        assert_int_equal(data[0], 0x90);
        assert_int_equal(data[1], PAYLOAD_TYPE | (i == frame->count - 1 ? 0x80 : 0));
        assert_int_equal(read_u16(data + 2), (uint16_t)(read_u16(test.packets[0].data + 2) + i));
        assert_int_equal(
            read_u32(data + 4),
            rtp_timestamp_90k(frame->capture_us, rtc_session_rtp_offset(test.session)));
        assert_int_equal(read_u32(data + 8), test.ssrc);
        static const uint8_t playout_delay[] = {0x52, 0, 0, 0};
        assert_memory_equal(data + 19, playout_delay, 4); /* behind transport-cc's three bytes */
        assert_int_equal(test.packets[i].size - header, frame->payloads[i].size);
        assert_memory_equal(data + header, frame->payloads[i].data, frame->payloads[i].size);
    }
    rtp_frame_unref(&frame);
    struct rtc_session_stats now = stats();
    assert_string_equal(now.dtls_state, "connected");
    assert_string_equal(now.srtp_profile, "AEAD_AES_128_GCM");
    assert_true(address_equal(&now.selected, &VIEWER));
    assert_int_equal(now.frames_sent, 1);
    assert_int_equal(now.key_frames_sent, 1);
    assert_int_equal(now.frames_dropped, 1);
    /* a second later a report says how the clocks fit */
    int64_t before_us = test.now_us;
    run_until(before_us + 1000000);
    assert_int_equal(test.reports, 2);
    assert_true(test.report.ntp == ntp_from_wall_us(before_us + 1000000 + WALL_MINUS_NOW_US));
    assert_int_equal(test.report.rtp_timestamp,
                     rtp_timestamp_90k(before_us + 1000000, rtc_session_rtp_offset(test.session)));
    assert_int_equal(test.report.packets, now.packets_sent);
    end();
}

static void a_nack_is_answered_by_rtx(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 5000);
    int sent = test.packet_count;
    struct media lost = test.packets[1];
    uint8_t nack[4] = {lost.data[2], lost.data[3], 0, 1}; /* the second and the third */
    send_feedback(205, 1, nack, sizeof(nack));
    assert_int_equal(test.packet_count, sent + 2);
    const struct media *again = &test.packets[sent];
    assert_int_equal(again->data[1] & 0x7f, RTX_PAYLOAD_TYPE);
    assert_int_equal(read_u32(again->data + 8), test.rtx_ssrc);
    assert_memory_equal(again->data + 4, lost.data + 4, 4); /* timestamp */
    size_t header = 16 + (size_t)read_u16(again->data + 14) * 4;
    assert_memory_equal(again->data + header, lost.data + 2, 2); /* original number */
    assert_int_equal(again->size, lost.size + 2);
    assert_memory_equal(again->data + header + 2, lost.data + header, lost.size - header);
    for (int i = 0; i < 1000; i++) /* a flood within the round trip: nothing more */
        send_feedback(205, 1, nack, sizeof(nack));
    assert_int_equal(test.packet_count, sent + 2);
    assert_int_equal(stats().retransmits, 2);
    assert_int_equal(stats().nacks, 1001);
    run_until(test.now_us + 40000); /* the first of all losses are repaired twice */
    assert_int_equal(test.packet_count, sent + 4);
    test.now_us += 20000;
    send_feedback(205, 1, nack, sizeof(nack));
    assert_int_equal(test.packet_count, sent + 6);
    end();
}

/* Feedback that all copies of a packet were lost is as good as the next NACK. */
static void a_lost_repetition_is_sent_again(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 5000);
    send_transport_feedback(transport_sequence(&test.packets[0]), 0, 1);
    run_until(test.now_us + 100000); /* the probe that follows it */
    int sent = test.packet_count;
    send_nack(&test.packets[1]);
    run_until(test.now_us + 20000);
    int copies = test.packet_count - sent;
    assert_in_range(copies, 1, 2);
    send_transport_feedback(transport_sequence(&test.packets[sent]), 0, 1); /* one arrived */
    if (copies > 1)
        send_transport_feedback(transport_sequence(&test.packets[sent + 1]), 1, 0);
    run_until(test.now_us + 20000);
    assert_int_equal(test.packet_count, sent + copies);
    send_nack(&test.packets[2]);
    run_until(test.now_us + 20000);
    copies = test.packet_count - sent - copies;
    sent = test.packet_count;
    assert_in_range(copies, 1, 2);
    send_transport_feedback(transport_sequence(&test.packets[sent - copies]), copies, 0);
    assert_true(test.packet_count > sent);
    const struct media *again = &test.packets[sent];
    assert_int_equal(again->data[1] & 0x7f, RTX_PAYLOAD_TYPE);
    size_t header = 16 + (size_t)read_u16(again->data + 14) * 4;
    assert_memory_equal(again->data + header, test.packets[2].data + 2, 2);
    end();
}

/* Too old to be repeated: a key frame helps. Older than the last key frame: nothing is needed. */
static void an_old_loss_costs_a_key_frame_and_a_useless_one_nothing(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 500);
    for (int i = 0; i < 90; i++) {
        run_until(test.now_us + 33000);
        send_and_forget(false, 500);
    }
    assert_int_equal(test.packet_count, 91);
    assert_int_equal(test.key_events, 0);
    send_nack(&test.packets[10]);
    assert_int_equal(test.packet_count, 91);
    assert_int_equal(test.key_events, 1);
    send_nack(&test.packets[85]);
    run_until(test.now_us + 40000);
    assert_int_equal(test.packet_count, 93); /* the first of all losses goes twice */
    send_and_forget(true, 500);
    run_until(test.now_us + 300000);
    int sent = test.packet_count;
    send_nack(&test.packets[10]);
    send_nack(&test.packets[88]);
    run_until(test.now_us + 300000);
    assert_int_equal(test.packet_count, sent);
    assert_int_equal(test.key_events, 1);
    end();
}

static void a_viewer_that_was_away_starts_anew(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 500);
    send_transport_feedback(transport_sequence(&test.packets[0]), 0, 1);
    test.mute = true;
    for (int i = 0; i < 90; i++) {
        run_until(test.now_us + 33000);
        send_and_forget(false, 500);
    }
    assert_int_equal(test.key_events, 0);
    int sent = test.packet_count;
    send_check(&VIEWER);
    drain();
    assert_int_equal(test.key_events, 1);
    send_nack(&test.packets[sent - 1]); /* of what nobody needs any more */
    send_and_forget(false, 500);
    assert_int_equal(test.packet_count, sent);
    send_and_forget(true, 500);
    assert_int_equal(test.packet_count, sent + 1);
    end();
}

static void timestamps_count_up_whatever_the_captures_do(void **state)
{
    (void)state;
    connect_viewer();
    int64_t now_us = test.now_us;
    send_and_forget(true, 500);
    send_and_forget(true, 500); /* of another rendition, of the same picture */
    test.now_us = now_us - 10000;
    send_and_forget(true, 500);
    test.now_us = now_us + 33000;
    send_and_forget(false, 500);
    assert_int_equal(test.packet_count, 4);
    uint32_t first = read_u32(test.packets[0].data + 4);
    assert_int_equal(first, rtp_timestamp_90k(now_us, rtc_session_rtp_offset(test.session)));
    assert_int_equal(read_u32(test.packets[1].data + 4), (uint32_t)(first + 1));
    assert_int_equal(read_u32(test.packets[2].data + 4), (uint32_t)(first + 2));
    assert_int_equal(read_u32(test.packets[3].data + 4), (uint32_t)(first + 2970));
    send_nack(&test.packets[2]);
    assert_memory_equal(test.packets[4].data + 4, test.packets[2].data + 4, 4);
    end();
}

static void a_frame_of_another_codec_is_dropped(void **state)
{
    (void)state;
    connect_viewer();
    struct rtp_frame *frame = send_frame(true, 500);
    int sent = test.packet_count;
    frame->codec = VIDEO_VP8;
    rtc_session_send(test.session, test.now_us, frame);
    drain();
    assert_int_equal(test.packet_count, sent);
    assert_int_equal(stats().frames_dropped, 1);
    rtp_frame_unref(&frame);
    end();
}

static void the_encoder_is_told_when_a_frame_would_only_wait(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 5000);
    run_until(test.now_us + 33000);
    send_and_forget(false, 5000);
    assert_int_equal(test.holds, 0);
    int64_t begun_us = test.now_us;
    send_and_forget(true, 200000);
    int sent = test.packet_count;
    assert_int_equal(test.holds, 1);
    assert_in_range(test.hold_until_us, begun_us + 100000, begun_us + 1600000);
    int64_t hold_until_us = test.hold_until_us;
    run_until(hold_until_us);
    assert_in_range(test.packet_count - sent, 90, 190); /* it has left in the meantime */
    sent = test.packet_count;
    run_until(hold_until_us + 10000);
    assert_true(test.packet_count > sent);
    sent = test.packet_count;
    run_until(hold_until_us + 100000);
    assert_int_equal(test.packet_count, sent);
    end();
}

static void send_loss_report(uint8_t fraction)
{
    uint8_t report[32] = {0x81, 201, 0, 7, 0, 0, 0, 1};
    write_u32(report + 8, test.ssrc);
    report[12] = fraction;
    send_rtcp(report, sizeof(report), &VIEWER);
}

/* How many packets of a frame of twelve leave at once, a second after the last. */
static int burst(void)
{
    test.now_us += 1000000;
    int sent = test.packet_count;
    send_and_forget(false, 12000);
    sent = test.packet_count - sent;
    run_until(test.now_us + 500000);
    return sent;
}

/* Loss without a queue: bursts are made small for a while, and stay so if that helped. */
static void a_path_that_drops_bursts_gets_small_ones(void **state)
{
    (void)state;
    for (int helps = 0; helps < 2; helps++) {
        connect_viewer();
        send_and_forget(true, 500);
        send_transport_feedback(transport_sequence(&test.packets[0]), 0, 1);
        assert_int_equal(burst(), 11);
        send_loss_report(20);
        assert_in_range(burst(), 2, 5);
        send_loss_report(20);
        send_loss_report(helps ? 4 : 20);
        send_loss_report(helps ? 4 : 20);
        int whole = burst();
        assert_in_range(whole, helps ? 2 : 11, helps ? 5 : 11);
        end();
    }
}

/* Probes take padding when there is nothing else: copies of what was sent, on the RTX stream. */
static void a_probe_is_filled_with_copies(void **state)
{
    (void)state;
    connect_viewer();
    run_until(test.now_us + 100000);
    assert_int_equal(stats().probes, 0);
    send_and_forget(true, 3000);
    int sent = test.packet_count;
    test.now_us += 40000;
    send_transport_feedback(transport_sequence(&test.packets[0]), 0, sent);
    int64_t begun_us = test.now_us;
    run_until(begun_us + 100000);
    struct rtc_session_stats now = stats();
    assert_int_equal(now.probes, 1);
    assert_int_equal(now.retransmits, 0);
    assert_int_equal(now.padding_packets, test.packet_count - sent);
    assert_in_range(now.padding_packets, 5, 60);
    for (int i = sent; i < test.packet_count; i++)
        assert_int_equal(test.packets[i].data[1] & 0x7f, RTX_PAYLOAD_TYPE);
    end();
}

static void steps_say_how_far_it_came(void **state)
{
    (void)state;
    begin(true);
    run_until(test.now_us + 200000);
    assert_int_equal(stats().step, RTC_STEP_OFFER);
    test.mute = true;
    send_check(&VIEWER);
    run_until(test.now_us + 200000);
    assert_int_equal(stats().step, RTC_STEP_CHECKS);
    run_until(START_US + 60000000);
    assert_true(test.closed);
    assert_non_null(strstr(test.close_text, "checks"));
    assert_non_null(strstr(test.close_text, "TURN"));
    end();
    begin(true);
    send_check(&VIEWER);
    run_until(test.now_us + 200000);
    assert_int_equal(stats().step, RTC_STEP_DTLS);
    handshake();
    assert_int_equal(stats().step, RTC_STEP_FIRST_PACKET);
    send_and_forget(true, 500);
    assert_int_equal(stats().step, RTC_STEP_FIRST_PACKET);
    send_transport_feedback(transport_sequence(&test.packets[0]), 0, 1);
    assert_int_equal(stats().step, RTC_STEP_PLAYING);
    end();
}

static void key_frame_wishes_become_events(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 500);
    run_until(test.now_us + 300000);
    assert_int_equal(test.key_events, 0);
    for (int i = 0; i < 50; i++)
        send_feedback(206, 1, NULL, 0); /* PLI */
    assert_int_equal(test.key_events, 1);
    assert_int_equal(stats().plis, 50);
    send_and_forget(true, 500);
    run_until(test.now_us + 300000);
    assert_int_equal(test.key_events, 1); /* met by the key frame */
    uint8_t fir[8] = {0, 0, 0, 0, 9};
    write_u32(fir, test.ssrc);
    send_feedback(206, 4, fir, sizeof(fir));
    assert_int_equal(test.key_events, 2);
    run_until(test.now_us + 300000);
    send_feedback(206, 4, fir, sizeof(fir)); /* a repetition of the same command */
    run_until(test.now_us + 300000);
    assert_int_equal(test.key_events, 2);
    end();
}

static void reports_move_the_target(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 500);
    uint8_t report[32] = {0x81, 201, 0, 7, 0, 0, 0, 1};
    write_u32(report + 8, test.ssrc);
    report[12] = 128; /* half is lost */
    write_u32(report + 20, 900);
    write_u32(report + 24, (uint32_t)(test.report.ntp >> 16));
    test.now_us += 400000;
    write_u32(report + 28, 65536 / 10 * 3); /* held for 300 ms: 100 ms on the way */
    send_rtcp(report, sizeof(report), &VIEWER);
    assert_in_range(test.target_bps, 1425000 - 20000, 1425000 + 5000);
    struct rtc_session_stats now = stats();
    assert_in_range(now.round_trip_us, 99900, 100200);
    assert_true(now.jitter_ms == 10);
    assert_true(now.loss_fraction == 0.5);
    static const uint8_t remb[] = {0x8f, 206, 0,   5,   0, 0, 0, 1, 0, 0, 0, 0,
                                   'R',  'E', 'M', 'B', 1, 0, 0, 0, 0, 0, 0, 1};
    test.now_us += 200000;
    send_rtcp(remb, sizeof(remb), &VIEWER);
    assert_in_range(test.target_bps, 94000, 96000); /* 0 is brought to the minimum */
    end();
}

static void datagrams_from_elsewhere_are_ignored(void **state)
{
    (void)state;
    begin(true);
    send_check(&VIEWER);
    run_until(test.now_us + 200000);
    uint64_t before = stats().dropped_datagrams;
    assert_true(send_dtls(&OTHER) > 0);
    drain();
    assert_string_equal(stats().dtls_state, "new");
    assert_int_equal(stats().dropped_datagrams, before + 1);
    end();
    connect_viewer();
    send_and_forget(true, 500);
    static const uint8_t pli_header[12] = {0x81, 206, 0, 2, 0, 0, 0, 1};
    uint8_t pli[12];
    memcpy(pli, pli_header, sizeof(pli));
    write_u32(pli + 8, test.ssrc);
    run_until(test.now_us + 300000);
    send_rtcp(pli, sizeof(pli), &OTHER);
    assert_int_equal(test.key_events, 0);
    rtc_session_receive(test.session, test.now_us, &VIEWER, pli, sizeof(pli)); /* in the clear */
    drain();
    assert_int_equal(test.key_events, 0);
    send_rtcp(pli, sizeof(pli), &VIEWER);
    assert_int_equal(test.key_events, 1);
    end();
}

static void garbage_is_counted_and_dropped(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 500);
    uint64_t before = stats().dropped_datagrams;
    struct random_source noise;
    random_seeded(&noise, 7);
    for (int i = 0; i < 3000; i++) {
        uint8_t data[1600];
        size_t size = random_u32(&noise) % sizeof(data);
        noise.fill(&noise, data, sizeof(data));
        data[0] = (uint8_t)(i & 0xff);
        rtc_session_receive(test.session, test.now_us, (i & 256) ? &VIEWER : &OTHER, data, size);
        drain();
    }
    assert_true(stats().dropped_datagrams - before > 2500);
    assert_false(test.closed);
    int packets = test.packet_count;
    send_and_forget(false, 500);
    assert_int_equal(test.packet_count, packets + 1);
    end();
}

static void a_wrong_fingerprint_is_refused(void **state)
{
    (void)state;
    begin(false);
    handshake();
    assert_false(test.peer.connected);
    assert_int_equal(test.connected_events, 0);
    assert_true(test.closed);
    assert_non_null(strstr(test.close_text, "certificate"));
    assert_string_equal(stats().dtls_state, "failed");
    assert_true(rtc_session_deadline(test.session) == INT64_MAX);
    end();
}

static void a_close_says_goodbye(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 500);
    rtc_session_close(test.session, test.now_us, "The view was removed.");
    drain();
    assert_true(test.bye);
    assert_true(test.peer.closed);
    assert_true(test.closed);
    assert_string_equal(test.close_text, "The view was removed.");
    int packets = test.packet_count;
    send_and_forget(true, 500);
    assert_int_equal(test.packet_count, packets);
    end();
}

static void a_viewer_that_leaves_closes_the_session(void **state)
{
    (void)state;
    connect_viewer();
    SSL_shutdown(test.peer.ssl);
    send_dtls(&VIEWER);
    drain();
    assert_true(test.closed);
    assert_string_equal(stats().dtls_state, "closed");
    end();
}

static void silence_ends_consent(void **state)
{
    (void)state;
    connect_viewer();
    send_and_forget(true, 500);
    run_until(test.now_us + 60000000);
    assert_false(test.closed); /* consent checks are answered */
    test.mute = true;
    int64_t muted_us = test.now_us;
    run_until(muted_us + 20000000);
    assert_false(test.closed);
    run_until(muted_us + 60000000);
    assert_true(test.closed);
    end();
}

static void who_does_not_connect_is_dropped(void **state)
{
    (void)state;
    begin(true);
    run_until(START_US + 29000000);
    assert_false(test.closed);
    run_until(START_US + 31000000);
    assert_true(test.closed);
    end();
    begin(true); /* ICE works, DTLS never comes */
    send_check(&VIEWER);
    run_until(START_US + 14000000);
    assert_false(test.closed);
    run_until(START_US + 17000000);
    assert_true(test.closed);
    assert_non_null(strstr(test.close_text, "DTLS"));
    end();
}

static void bad_offers_leave_a_sentence(void **state)
{
    (void)state;
    struct rtc_session_settings settings = settings_of();
    struct rtc_session *session = NULL;
    struct reason why = {""};
    char offer[4096];
    static const uint8_t fingerprint[32];
    assert_int_not_equal(rtc_session_create(&session, &settings, "v=0\r\n", 5, 0, &why), OW_OK);
    assert_null(session);
    assert_true(strlen(why.text) > 10);
    offer_text(offer, sizeof(offer), fingerprint, "passive");
    why.text[0] = '\0';
    assert_int_not_equal(rtc_session_create(&session, &settings, offer, strlen(offer), 0, &why),
                         OW_OK);
    assert_null(session);
    assert_true(strlen(why.text) > 10);
}

static int make_identity(void **state)
{
    (void)state;
    random_seeded(&random_numbers, 1);
    return dtls_identity_create(&identity, WALL_MINUS_NOW_US, NULL);
}

static int drop_identity(void **state)
{
    (void)state;
    dtls_identity_destroy(&identity);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_viewer_gets_frames),
        cmocka_unit_test(a_nack_is_answered_by_rtx),
        cmocka_unit_test(a_lost_repetition_is_sent_again),
        cmocka_unit_test(an_old_loss_costs_a_key_frame_and_a_useless_one_nothing),
        cmocka_unit_test(a_viewer_that_was_away_starts_anew),
        cmocka_unit_test(timestamps_count_up_whatever_the_captures_do),
        cmocka_unit_test(a_frame_of_another_codec_is_dropped),
        cmocka_unit_test(the_encoder_is_told_when_a_frame_would_only_wait),
        cmocka_unit_test(a_path_that_drops_bursts_gets_small_ones),
        cmocka_unit_test(a_probe_is_filled_with_copies),
        cmocka_unit_test(steps_say_how_far_it_came),
        cmocka_unit_test(key_frame_wishes_become_events),
        cmocka_unit_test(reports_move_the_target),
        cmocka_unit_test(datagrams_from_elsewhere_are_ignored),
        cmocka_unit_test(garbage_is_counted_and_dropped),
        cmocka_unit_test(a_wrong_fingerprint_is_refused),
        cmocka_unit_test(a_close_says_goodbye),
        cmocka_unit_test(a_viewer_that_leaves_closes_the_session),
        cmocka_unit_test(silence_ends_consent),
        cmocka_unit_test(who_does_not_connect_is_dropped),
        cmocka_unit_test(bad_offers_leave_a_sentence),
    };
    return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
