/* What is lost, and what helps: repetitions and key frames. */
#include "session_viewer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_nack_is_answered_by_rtx(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 5000);
    int sent = viewer.packet_count;
    struct media lost = viewer.packets[1];
    uint8_t nack[4] = {lost.data[2], lost.data[3], 0, 1}; /* the second and the third */
    viewer_send_feedback(205, 1, nack, sizeof(nack));
    assert_int_equal(viewer.packet_count, sent + 2);
    const struct media *again = &viewer.packets[sent];
    assert_int_equal(again->data[1] & 0x7f, RTX_PAYLOAD_TYPE);
    assert_int_equal(read_u32(again->data + 8), viewer.rtx_ssrc);
    assert_memory_equal(again->data + 4, lost.data + 4, 4); /* timestamp */
    size_t header = 16 + (size_t)read_u16(again->data + 14) * 4;
    assert_memory_equal(again->data + header, lost.data + 2, 2); /* original number */
    assert_int_equal(again->size, lost.size + 2);
    assert_memory_equal(again->data + header + 2, lost.data + header, lost.size - header);
    for (int i = 0; i < 1000; i++) /* a flood within the round trip: nothing more */
        viewer_send_feedback(205, 1, nack, sizeof(nack));
    assert_int_equal(viewer.packet_count, sent + 2);
    assert_int_equal(viewer_stats().retransmits, 2);
    assert_int_equal(viewer_stats().nacks, 1001);
    viewer_run_until(viewer.now_us + 40000); /* the first of all losses are repaired twice */
    assert_int_equal(viewer.packet_count, sent + 4);
    viewer.now_us += 20000;
    viewer_send_feedback(205, 1, nack, sizeof(nack));
    assert_int_equal(viewer.packet_count, sent + 6);
    viewer_end();
}

/* Feedback that all copies of a packet were lost is as good as the next NACK. */
static void a_lost_repetition_is_sent_again(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 5000);
    viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[0]), 0, 1);
    viewer_run_until(viewer.now_us + 100000); /* the probe that follows it */
    int sent = viewer.packet_count;
    viewer_send_nack(&viewer.packets[1]);
    viewer_run_until(viewer.now_us + 20000);
    int copies = viewer.packet_count - sent;
    assert_in_range(copies, 1, 2);
    viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[sent]), 0,
                                   1); /* one arrived */
    if (copies > 1)
        viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[sent + 1]), 1, 0);
    viewer_run_until(viewer.now_us + 20000);
    assert_int_equal(viewer.packet_count, sent + copies);
    viewer_send_nack(&viewer.packets[2]);
    viewer_run_until(viewer.now_us + 20000);
    copies = viewer.packet_count - sent - copies;
    sent = viewer.packet_count;
    assert_in_range(copies, 1, 2);
    viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[sent - copies]),
                                   copies, 0);
    assert_true(viewer.packet_count > sent);
    const struct media *again = &viewer.packets[sent];
    assert_int_equal(again->data[1] & 0x7f, RTX_PAYLOAD_TYPE);
    size_t header = 16 + (size_t)read_u16(again->data + 14) * 4;
    assert_memory_equal(again->data + header, viewer.packets[2].data + 2, 2);
    viewer_end();
}

/* Too old to be repeated: a key frame helps. Older than the last key frame: nothing is needed. */
static void an_old_loss_costs_a_key_frame_and_a_useless_one_nothing(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 500);
    for (int i = 0; i < 90; i++) {
        viewer_run_until(viewer.now_us + 33000);
        viewer_send_and_forget(false, 500);
    }
    assert_int_equal(viewer.packet_count, 91);
    assert_int_equal(viewer.key_events, 0);
    viewer_send_nack(&viewer.packets[10]);
    assert_int_equal(viewer.packet_count, 91);
    assert_int_equal(viewer.key_events, 1);
    viewer_send_nack(&viewer.packets[85]);
    viewer_run_until(viewer.now_us + 40000);
    assert_int_equal(viewer.packet_count, 93); /* the first of all losses goes twice */
    viewer_send_and_forget(true, 500);
    viewer_run_until(viewer.now_us + 300000);
    int sent = viewer.packet_count;
    viewer_send_nack(&viewer.packets[10]);
    viewer_send_nack(&viewer.packets[88]);
    viewer_run_until(viewer.now_us + 300000);
    assert_int_equal(viewer.packet_count, sent);
    assert_int_equal(viewer.key_events, 1);
    viewer_end();
}

static void a_viewer_that_was_away_starts_anew(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 500);
    viewer_send_transport_feedback(viewer_transport_sequence(&viewer.packets[0]), 0, 1);
    viewer.mute = true;
    for (int i = 0; i < 90; i++) {
        viewer_run_until(viewer.now_us + 33000);
        viewer_send_and_forget(false, 500);
    }
    assert_int_equal(viewer.key_events, 0);
    int sent = viewer.packet_count;
    viewer_send_check(&VIEWER);
    viewer_drain();
    assert_int_equal(viewer.key_events, 1);
    viewer_send_nack(&viewer.packets[sent - 1]); /* of what nobody needs any more */
    viewer_send_and_forget(false, 500);
    assert_int_equal(viewer.packet_count, sent);
    viewer_send_and_forget(true, 500);
    assert_int_equal(viewer.packet_count, sent + 1);
    viewer_end();
}

static void key_frame_wishes_become_events(void **state)
{
    (void)state;
    viewer_connect();
    viewer_send_and_forget(true, 500);
    viewer_run_until(viewer.now_us + 300000);
    assert_int_equal(viewer.key_events, 0);
    for (int i = 0; i < 50; i++)
        viewer_send_feedback(206, 1, NULL, 0); /* PLI */
    assert_int_equal(viewer.key_events, 1);
    assert_int_equal(viewer_stats().plis, 50);
    viewer_send_and_forget(true, 500);
    viewer_run_until(viewer.now_us + 300000);
    assert_int_equal(viewer.key_events, 1); /* met by the key frame */
    uint8_t fir[8] = {0, 0, 0, 0, 9};
    write_u32(fir, viewer.ssrc);
    viewer_send_feedback(206, 4, fir, sizeof(fir));
    assert_int_equal(viewer.key_events, 2);
    viewer_run_until(viewer.now_us + 300000);
    viewer_send_feedback(206, 4, fir, sizeof(fir)); /* a repetition of the same command */
    viewer_run_until(viewer.now_us + 300000);
    assert_int_equal(viewer.key_events, 2);
    viewer_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nack_is_answered_by_rtx),
        cmocka_unit_test(a_lost_repetition_is_sent_again),
        cmocka_unit_test(an_old_loss_costs_a_key_frame_and_a_useless_one_nothing),
        cmocka_unit_test(a_viewer_that_was_away_starts_anew),
        cmocka_unit_test(key_frame_wishes_become_events),
    };
    return cmocka_run_group_tests(tests, viewer_set_up, viewer_tear_down);
}
