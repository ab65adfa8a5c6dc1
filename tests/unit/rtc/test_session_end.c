/* What does not belong to a session, and how one ends. */
#include "session_viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void datagrams_from_elsewhere_are_ignored(void **state)
{
    (void)state;
    viewer_begin(true);
    viewer_send_check(&VIEWER);
    viewer_run_until(viewer.now_us + 200000);
    uint64_t before = viewer_stats().dropped_datagrams;
    assert_true(viewer_send_dtls(&OTHER) > 0);
    viewer_drain();
    assert_string_equal(viewer_stats().dtls_state, "new");
    assert_int_equal(viewer_stats().dropped_datagrams, before + 1);
    viewer_end();
    viewer_connect();
    viewer_send_and_forget(true, 500);
    static const uint8_t pli_header[12] = {0x81, 206, 0, 2, 0, 0, 0, 1};
    uint8_t pli[12];
    memcpy(pli, pli_header, sizeof(pli));
    write_u32(pli + 8, viewer.ssrc);
    viewer_run_until(viewer.now_us + 300000);
    viewer_send_rtcp(pli, sizeof(pli), &OTHER);
    assert_int_equal(viewer.key_events, 0);
    rtc_session_receive(viewer.session, viewer.now_us, &VIEWER, pli,
                        sizeof(pli)); /* in the clear */
    viewer_drain();
    assert_int_equal(viewer.key_events, 0);
    viewer_send_rtcp(pli, sizeof(pli), &VIEWER);
    assert_int_equal(viewer.key_events, 1);
    viewer_end();
}

static void garbage_is_counted_and_dropped(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 500);
    uint64_t before = viewer_stats().dropped_datagrams;
    struct random_source noise;
    random_seeded(&noise, 7);
    for (int i = 0; i < 3000; i++) {
        uint8_t data[1600];
        size_t size = random_u32(&noise) % sizeof(data);
        noise.fill(&noise, data, sizeof(data));
        data[0] = (uint8_t)(i & 0xff);
        rtc_session_receive(viewer.session, viewer.now_us, (i & 256) ? &VIEWER : &OTHER, data,
                            size);
        viewer_drain();
    }
    assert_true(viewer_stats().dropped_datagrams - before > 2500);
    assert_false(viewer.closed);
    int packets = viewer.packet_count;
    viewer_send_and_forget(false, 500);
    assert_int_equal(viewer.packet_count, packets + 1);
    viewer_end();
}

static void a_wrong_fingerprint_is_refused(void **state)
{
    (void)state;
    viewer_begin(false);
    viewer_handshake();
    assert_false(viewer.peer.connected);
    assert_int_equal(viewer.connected_events, 0);
    assert_true(viewer.closed);
    assert_non_null(strstr(viewer.close_text, "certificate"));
    assert_string_equal(viewer_stats().dtls_state, "failed");
    assert_true(rtc_session_deadline(viewer.session) == INT64_MAX);
    viewer_end();
}

static void a_close_says_goodbye(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 500);
    rtc_session_close(viewer.session, viewer.now_us, "The view was removed.");
    viewer_drain();
    assert_true(viewer.bye);
    assert_true(viewer.peer.closed);
    assert_true(viewer.closed);
    assert_string_equal(viewer.close_text, "The view was removed.");
    int packets = viewer.packet_count;
    viewer_send_and_forget(true, 500);
    assert_int_equal(viewer.packet_count, packets);
    viewer_end();
}

static void a_viewer_that_leaves_closes_the_session(void **state)
{
    (void)state;
    viewer_connect();
    SSL_shutdown(viewer.peer.ssl);
    viewer_send_dtls(&VIEWER);
    viewer_drain();
    assert_true(viewer.closed);
    assert_string_equal(viewer_stats().dtls_state, "closed");
    viewer_end();
}

static void silence_ends_consent(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 500);
    viewer_run_until(viewer.now_us + 60000000);
    assert_false(viewer.closed); /* consent checks are answered */
    viewer.mute = true;
    int64_t muted_us = viewer.now_us;
    viewer_run_until(muted_us + 20000000);
    assert_false(viewer.closed);
    viewer_run_until(muted_us + 60000000);
    assert_true(viewer.closed);
    viewer_end();
}

static void who_does_not_connect_is_dropped(void **state)
{
    (void)state;
    viewer_begin(true);
    viewer_run_until(START_US + 29000000);
    assert_false(viewer.closed);
    viewer_run_until(START_US + 31000000);
    assert_true(viewer.closed);
    viewer_end();
    viewer_begin(true); /* ICE works, DTLS never comes */
    viewer_send_check(&VIEWER);
    viewer_run_until(START_US + 14000000);
    assert_false(viewer.closed);
    viewer_run_until(START_US + 17000000);
    assert_true(viewer.closed);
    assert_non_null(strstr(viewer.close_text, "DTLS"));
    viewer_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_from_elsewhere_are_ignored),
        cmocka_unit_test(garbage_is_counted_and_dropped),
        cmocka_unit_test(a_wrong_fingerprint_is_refused),
        cmocka_unit_test(a_close_says_goodbye),
        cmocka_unit_test(a_viewer_that_leaves_closes_the_session),
        cmocka_unit_test(silence_ends_consent),
        cmocka_unit_test(who_does_not_connect_is_dropped),
    };
    return cmocka_run_group_tests(tests, viewer_set_up, viewer_tear_down);
}
