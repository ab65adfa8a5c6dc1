#include "session_viewer.h"

#include "sdp_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct address VIEWER = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 7}, .port = 50000};
const struct address OTHER = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 8}, .port = 50000};

static struct dtls_identity *identity;
static struct random_source random_numbers;

struct session_viewer viewer;

void viewer_offer(char *out, size_t size, const uint8_t *fingerprint, const char *extra)
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

struct rtc_session_settings viewer_settings(void)
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

void viewer_begin(bool right_fingerprint)
{
    char offer[4096], ssrcs[64];
    memset(&viewer, 0, sizeof(viewer));
    viewer.now_us = START_US;
    random_seeded(&random_numbers, 42);
    rtc_peer_create(&viewer.peer, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", 0);
    uint8_t fingerprint[32];
    memcpy(fingerprint, viewer.peer.fingerprint, sizeof(fingerprint));
    fingerprint[0] ^= !right_fingerprint;
    viewer_offer(offer, sizeof(offer), fingerprint, "actpass");
    struct rtc_session_settings settings = viewer_settings();
    struct reason why = {""};
    int code =
        rtc_session_create(&viewer.session, &settings, offer, strlen(offer), viewer.now_us, &why);
    if (code != OW_OK)
        fail_msg("%s", why.text);
    const char *answer = rtc_session_answer(viewer.session);
    assert_true(sdp_read_value(answer, "a=ice-ufrag:", viewer.ufrag, sizeof(viewer.ufrag)));
    assert_true(sdp_read_value(answer, "a=ice-pwd:", viewer.pwd, sizeof(viewer.pwd)));
    assert_true(sdp_read_value(answer, "a=ssrc-group:FID ", ssrcs, sizeof(ssrcs)));
    viewer.ssrc = (uint32_t)strtoul(ssrcs, NULL, 10);
    const char *group = strstr(answer, "a=ssrc-group:FID ") + strlen("a=ssrc-group:FID ");
    viewer.rtx_ssrc = (uint32_t)strtoul(strchr(group, ' '), NULL, 10);
    assert_string_equal(viewer.ufrag, rtc_session_local_ufrag(viewer.session));
    assert_null(strstr(answer, "a=evil"));
}

void viewer_end(void)
{
    rtc_session_destroy(&viewer.session);
    assert_null(viewer.session);
    rtc_peer_destroy(&viewer.peer);
}

void viewer_send_check(const struct address *from)
{
    uint8_t data[512], transaction[STUN_TRANSACTION_BYTES] = {0xcc, viewer.check_id++};
    char username[128];
    struct stun_writer writer;
    snprintf(username, sizeof(username), "%s:peer", viewer.ufrag);
    stun_begin(&writer, data, sizeof(data), STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1845501695);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    stun_put_use_candidate(&writer);
    assert_int_equal(stun_finish(&writer, viewer.pwd), OW_OK);
    rtc_session_receive(viewer.session, viewer.now_us, from, writer.data, writer.size);
}

static void answer_check(const struct rtc_output *out)
{
    struct stun_message message;
    struct stun_writer writer;
    uint8_t data[512];
    if (viewer.mute || stun_parse(&message, out->data, out->size) != OW_OK ||
        message.class != STUN_REQUEST)
        return;
    struct address mapped = {.family = ADDRESS_IPV4, .ip = {198, 51, 100, 1}, .port = 8189};
    stun_begin(&writer, data, sizeof(data), STUN_SUCCESS, message.transaction);
    stun_put_xor_mapped(&writer, &mapped);
    assert_int_equal(stun_finish(&writer, "peerpeerpeerpeerpeerpeer"), OW_OK);
    rtc_session_receive(viewer.session, viewer.now_us, &out->to, writer.data, writer.size);
}

static void take_rtcp(const struct rtc_output *out)
{
    uint8_t plain[RTC_MAX_DATAGRAM];
    int size = (int)out->size;
    memcpy(plain, out->data, out->size);
    assert_int_equal(srtp_unprotect_rtcp(viewer.peer.in, plain, &size), srtp_err_status_ok);
    assert_int_equal(plain[1], 200);
    viewer.reports++;
    viewer.report = (struct rtcp_sender_report){.ssrc = read_u32(plain + 4),
                                                .ntp = (uint64_t)read_u32(plain + 8) << 32 |
                                                       read_u32(plain + 12),
                                                .rtp_timestamp = read_u32(plain + 16),
                                                .packets = read_u32(plain + 20),
                                                .bytes = read_u32(plain + 24)};
    assert_int_equal(plain[29], 202);
    int behind = 28 + (read_u16(plain + 30) + 1) * 4;
    viewer.bye = size > behind && plain[behind + 1] == 203;
}

static void take_media(const struct rtc_output *out)
{
    assert_true(viewer.peer.in != NULL);
    if (out->data[1] >= 192 && out->data[1] <= 223) {
        take_rtcp(out);
        return;
    }
    assert_true(viewer.packet_count < MAX_PACKETS);
    struct media *packet = &viewer.packets[viewer.packet_count++];
    int size = (int)out->size;
    memcpy(packet->data, out->data, out->size);
    assert_int_equal(srtp_unprotect(viewer.peer.in, packet->data, &size), srtp_err_status_ok);
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
            rtc_peer_receive(&viewer.peer, out->data, out->size);
        else
            take_media(out);
        if (viewer.peer.connected && viewer.peer.in == NULL)
            rtc_peer_start_srtp(&viewer.peer);
        break;
    case RTC_OUTPUT_CONNECTED:
        viewer.connected_events++;
        break;
    case RTC_OUTPUT_KEY_FRAME:
        viewer.key_events++;
        break;
    case RTC_OUTPUT_TARGET_BPS:
        viewer.target_bps = out->target_bps;
        break;
    case RTC_OUTPUT_HOLD:
        viewer.holds++;
        viewer.hold_until_us = out->hold_until_us;
        break;
    case RTC_OUTPUT_TIER:
        fail_msg("no page draws vectors here");
        break;
    case RTC_OUTPUT_CLOSED:
        viewer.closed = true;
        snprintf(viewer.close_text, sizeof(viewer.close_text), "%s", out->text);
        break;
    case RTC_OUTPUT_ICE_STATE:
        break;
    }
}

void viewer_drain(void)
{
    struct rtc_output out;
    int count = 0;
    while (rtc_session_poll(viewer.session, viewer.now_us, &out) == OW_OK) {
        assert_false(viewer.closed); /* nothing comes after CLOSED */
        take_output(&out);
        assert_true(++count < 5000);
    }
}

/* Lets time pass to `until_us`, deadline by deadline. */
void viewer_run_until(int64_t until_us)
{
    viewer_drain();
    for (int steps = 0; rtc_session_deadline(viewer.session) <= until_us; steps++) {
        assert_true(steps < 100000);
        int64_t deadline = rtc_session_deadline(viewer.session);
        viewer.now_us = deadline > viewer.now_us ? deadline : viewer.now_us;
        rtc_session_handle_timeout(viewer.session, viewer.now_us);
        viewer_drain();
    }
    viewer.now_us = until_us;
}

int viewer_send_dtls(const struct address *from)
{
    uint8_t data[2048];
    size_t size;
    int count = 0;
    for (; (size = rtc_peer_poll(&viewer.peer, data, sizeof(data))) > 0; count++)
        rtc_session_receive(viewer.session, viewer.now_us, from, data, size);
    return count;
}

void viewer_handshake(void)
{
    viewer_send_check(&VIEWER);
    viewer_run_until(viewer.now_us + 200000);
    for (int i = 0; i < 10; i++) {
        viewer_send_dtls(&VIEWER);
        viewer_drain();
    }
}

void viewer_connect(void)
{
    viewer_begin(true);
    viewer_handshake();
    assert_true(viewer.peer.connected);
    assert_int_equal(viewer.connected_events, 1);
    assert_int_equal(viewer.target_bps, 1900000); /* less what headers take, as it is guessed */
}

struct rtp_frame *viewer_send_frame(bool key, size_t size)
{
    struct encoded *unit = NULL;
    struct rtp_frame *frame = NULL;
    assert_int_equal(encoded_create(&unit, size + 4), OW_OK);
    memset(unit->data, 0xab, unit->size);
    memcpy(unit->data, key ? "\0\0\1\x65" : "\0\0\1\x41", 4);
    unit->key = key;
    unit->capture_us = viewer.now_us;
    unit->sequence = 1;
    assert_int_equal(rtp_frame_cut(&frame, unit, RTC_MAX_PAYLOAD), OW_OK);
    encoded_unref(&unit);
    rtc_session_send(viewer.session, viewer.now_us, frame);
    viewer_drain();
    return frame;
}

void viewer_send_and_forget(bool key, size_t size)
{
    struct rtp_frame *frame = viewer_send_frame(key, size);
    rtp_frame_unref(&frame);
}

void viewer_send_rtcp(const uint8_t *plain, size_t size, const struct address *from)
{
    uint8_t data[RTC_MAX_DATAGRAM + SRTP_MAX_TRAILER_LEN];
    int length = (int)size;
    memcpy(data, plain, size);
    assert_int_equal(srtp_protect_rtcp(viewer.peer.out, data, &length), srtp_err_status_ok);
    rtc_session_receive(viewer.session, viewer.now_us, from, data, (size_t)length);
    viewer_drain();
}

void viewer_send_feedback(int type, int format, const uint8_t *fci, size_t size)
{
    uint8_t data[512] = {(uint8_t)(0x80 | format), (uint8_t)type};
    write_u16(data + 2, (uint16_t)((12 + size) / 4 - 1));
    write_u32(data + 4, 1);
    write_u32(data + 8, viewer.ssrc);
    if (size > 0)
        memcpy(data + 12, fci, size);
    viewer_send_rtcp(data, 12 + size, &VIEWER);
}

uint16_t viewer_transport_sequence(const struct media *packet)
{
    assert_int_equal(packet->data[16], 0x31); /* transport-cc is the first extension */
    return read_u16(packet->data + 17);
}

/* Transport-wide feedback: `lost` packets from `base` on did not arrive, `received` after them did.
 */
void viewer_send_transport_feedback(uint16_t base, int lost, int received)
{
    static uint8_t number;
    uint8_t items[256] = {0};
    size_t size = 8;
    write_u16(items, base);
    write_u16(items + 2, (uint16_t)(lost + received));
    items[5] = (uint8_t)(viewer.now_us / 64000 >> 8);
    items[6] = (uint8_t)(viewer.now_us / 64000);
    items[7] = number++;
    if (lost > 0) {
        write_u16(items + size, (uint16_t)lost); /* a run of "not received" */
        size += 2;
    }
    write_u16(items + size, (uint16_t)(0x2000 | received)); /* of "small delta", each 0 */
    size += 2 + (size_t)received;
    assert_true(size + 4 <= sizeof(items));
    viewer_send_feedback(205, 15, items, (size + 3) / 4 * 4);
}

void viewer_send_nack(const struct media *packet)
{
    uint8_t nack[4] = {packet->data[2], packet->data[3]};
    viewer_send_feedback(205, 1, nack, sizeof(nack));
}

struct rtc_session_stats viewer_stats(void)
{
    struct rtc_session_stats out;
    rtc_session_stats(viewer.session, viewer.now_us, &out);
    return out;
}

int viewer_set_up(void **state)
{
    (void)state;
    random_seeded(&random_numbers, 1);
    return dtls_identity_create(&identity, WALL_MINUS_NOW_US, NULL);
}

int viewer_tear_down(void **state)
{
    (void)state;
    dtls_identity_destroy(&identity);
    return 0;
}
