/* A session from the offer to its pictures. */
#include "session_viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_viewer_gets_frames(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(false, 500); /* before a key frame: dropped */
    assert_int_equal(viewer.packet_count, 0);
    struct rtp_frame *frame = viewer_send_frame(true, 5000);
    assert_int_equal(viewer.packet_count, frame->count);
    assert_int_equal(viewer.reports, 1); /* in front of the first packet */
    assert_int_equal(viewer.report.packets, 0);
    for (int i = 0; i < frame->count; i++) {
        const uint8_t *data = viewer.packets[i].data;
        size_t header = 12 + 4 + (size_t)read_u16(data + 14) * 4;
        assert_int_equal(data[0], 0x90);
        assert_int_equal(data[1], PAYLOAD_TYPE | (i == frame->count - 1 ? 0x80 : 0));
        assert_int_equal(read_u16(data + 2), (uint16_t)(read_u16(viewer.packets[0].data + 2) + i));
        assert_int_equal(
            read_u32(data + 4),
            rtp_timestamp_90k(frame->capture_us, rtc_session_rtp_offset(viewer.session)));
        assert_int_equal(read_u32(data + 8), viewer.ssrc);
        static const uint8_t playout_delay[] = {0x52, 0, 0, 0};
        assert_memory_equal(data + 19, playout_delay, 4); /* behind transport-cc's three bytes */
        assert_int_equal(viewer.packets[i].size - header, frame->payloads[i].size);
        assert_memory_equal(data + header, frame->payloads[i].data, frame->payloads[i].size);
    }
    rtp_frame_unref(&frame);
    struct rtc_session_stats now = viewer_stats();
    assert_string_equal(now.dtls_state, "connected");
    assert_string_equal(now.srtp_profile, "AEAD_AES_128_GCM");
    assert_true(address_equal(&now.selected, &VIEWER));
    assert_int_equal(now.frames_sent, 1);
    assert_int_equal(now.key_frames_sent, 1);
    assert_int_equal(now.frames_dropped, 1);
    /* a second later a report says how the clocks fit */
    int64_t before_us = viewer.now_us;
    viewer_run_until(before_us + 1000000);
    assert_int_equal(viewer.reports, 2);
    assert_true(viewer.report.ntp == ntp_from_wall_us(before_us + 1000000 + WALL_MINUS_NOW_US));
    assert_int_equal(
        viewer.report.rtp_timestamp,
        rtp_timestamp_90k(before_us + 1000000, rtc_session_rtp_offset(viewer.session)));
    assert_int_equal(viewer.report.packets, now.packets_sent);
    viewer_end();
}

static void timestamps_count_up_whatever_the_captures_do(void **state)
{
    (void)state;
    viewer_connect();
    int64_t now_us = viewer.now_us;
    viewer_send_and_forget(true, 500);
    viewer_send_and_forget(true, 500); /* of another rendition, of the same picture */
    viewer.now_us = now_us - 10000;
    viewer_send_and_forget(true, 500);
    viewer.now_us = now_us + 33000;
    viewer_send_and_forget(false, 500);
    assert_int_equal(viewer.packet_count, 4);
    uint32_t first = read_u32(viewer.packets[0].data + 4);
    assert_int_equal(first, rtp_timestamp_90k(now_us, rtc_session_rtp_offset(viewer.session)));
    assert_int_equal(read_u32(viewer.packets[1].data + 4), (uint32_t)(first + 1));
    assert_int_equal(read_u32(viewer.packets[2].data + 4), (uint32_t)(first + 2));
    assert_int_equal(read_u32(viewer.packets[3].data + 4), (uint32_t)(first + 2970));
    viewer_send_nack(&viewer.packets[2]);
    assert_memory_equal(viewer.packets[4].data + 4, viewer.packets[2].data + 4, 4);
    viewer_end();
}

static void a_frame_of_another_codec_is_dropped(void **state)
{
    (void)state;
    viewer_connect();
    struct rtp_frame *frame = viewer_send_frame(true, 500);
    int sent = viewer.packet_count;
    frame->codec = VIDEO_VP8;
    rtc_session_send(viewer.session, viewer.now_us, frame);
    viewer_drain();
    assert_int_equal(viewer.packet_count, sent);
    assert_int_equal(viewer_stats().frames_dropped, 1);
    rtp_frame_unref(&frame);
    viewer_end();
}

static void steps_say_how_far_it_came(void **state)
{
    (void)state;
    viewer_begin(true);
    viewer_run_until(viewer.now_us + 200000);
    assert_int_equal(viewer_stats().step, RTC_STEP_OFFER);
    viewer.mute = true;
    viewer_send_check(&VIEWER);
    viewer_run_until(viewer.now_us + 200000);
    assert_int_equal(viewer_stats().step, RTC_STEP_CHECKS);
    viewer_run_until(START_US + 60000000);
    assert_true(viewer.closed);
    assert_non_null(strstr(viewer.close_text, "checks"));
    assert_non_null(strstr(viewer.close_text, "TURN"));
    viewer_end();
    viewer_begin(true);
    viewer_send_check(&VIEWER);
    viewer_run_until(viewer.now_us + 200000);
    assert_int_equal(viewer_stats().step, RTC_STEP_DTLS);
    viewer_handshake();
    assert_int_equal(viewer_stats().step, RTC_STEP_FIRST_PACKET);
    viewer_send_and_forget(true, 500);
    assert_int_equal(viewer_stats().step, RTC_STEP_FIRST_PACKET);
    viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[0]), 0, 1);
    assert_int_equal(viewer_stats().step, RTC_STEP_PLAYING);
    viewer_end();
}

static void bad_offers_leave_a_sentence(void **state)
{
    (void)state;
    struct rtc_session_settings settings = viewer_settings();
    struct rtc_session *session = NULL;
    struct reason why = {""};
    char offer[4096];
    static const uint8_t fingerprint[32];
    assert_int_not_equal(rtc_session_create(&session, &settings, "v=0\r\n", 5, 0, &why), OW_OK);
    assert_null(session);
    assert_true(strlen(why.text) > 10);
    viewer_offer(offer, sizeof(offer), fingerprint, "passive");
    why.text[0] = '\0';
    assert_int_not_equal(rtc_session_create(&session, &settings, offer, strlen(offer), 0, &why),
                         OW_OK);
    assert_null(session);
    assert_true(strlen(why.text) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_viewer_gets_frames),
        cmocka_unit_test(timestamps_count_up_whatever_the_captures_do),
        cmocka_unit_test(a_frame_of_another_codec_is_dropped),
        cmocka_unit_test(steps_say_how_far_it_came),
        cmocka_unit_test(bad_offers_leave_a_sentence),
    };
    return cmocka_run_group_tests(tests, viewer_set_up, viewer_tear_down);
}
