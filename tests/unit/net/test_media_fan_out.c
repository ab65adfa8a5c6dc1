#include "media_peer.h"

#include "core/clock.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_int key_frames_wanted, planned_viewers;

static void on_key_frame_wanted(void *context, int track)
{
    (void)context;
    assert_int_equal(track, 0);
    atomic_fetch_add(&key_frames_wanted, 1);
}

static void on_plan(void *context, int track, const struct rendition_plan *plan)
{
    (void)context;
    if (track == 0)
        atomic_store(&planned_viewers, plan->viewers);
}

static struct media_server *start(int threads)
{
    struct media_server *server = NULL;
    struct reason why = {""};
    struct media_server_settings settings = {.loopback_only = true, .threads = threads};
    assert_int_equal(media_server_start(&server, &settings, &why), OW_OK);
    return server;
}

static struct media_stream *create_stream(struct media_server *server)
{
    /* Not adaptive: one track, whatever the paths take. */
    struct media_stream_settings settings = {
        .id = "v",
        .ladder = {.min_bps = 100000, .start_bps = 3000000, .max_bps = 6000000},
        .callbacks = {.key_frame_wanted = on_key_frame_wanted, .plan = on_plan}};
    struct media_stream *stream = NULL;
    atomic_store(&key_frames_wanted, 0);
    assert_int_equal(media_stream_create(&stream, server, &settings), OW_OK);
    return stream;
}

static void publish(struct media_stream *stream, bool key, size_t size)
{
    static const uint8_t idr[] = {0, 0, 0,    1,    0x67, 0x42, 0xc0, 0x1f, 0,    0,
                                  0, 1, 0x68, 0xce, 0,    0,    0,    1,    0x65, 0x88};
    static const uint8_t other[] = {0, 0, 0, 1, 0x41, 0x9a};
    static uint64_t sequence;
    struct encoded *unit = NULL;
    assert_int_equal(encoded_create(&unit, size), OW_OK);
    memset(unit->data, 0x55, size);
    memcpy(unit->data, key ? idr : other, key ? sizeof idr : sizeof other);
    unit->key = key;
    unit->codec = VIDEO_H264;
    unit->sequence = ++sequence;
    unit->capture_us = clock_now_us();
    media_stream_publish(stream, 0, unit);
    encoded_unref(&unit);
}

/* Publishes a picture now and then until each of the viewers has had `packets`. */
static void show(struct media_stream *stream, struct media_peer *peers, int count, int packets)
{
    int64_t give_up_us = clock_now_us() + 15000000;
    bool missing = true;
    while (missing) {
        assert_true(clock_now_us() < give_up_us);
        publish(stream, atomic_exchange(&key_frames_wanted, 0) > 0, 900);
        missing = false;
        for (int i = 0; i < count; i++) {
            while (media_peer_step(&peers[i], peers[i].packets < packets ? 3 : 0)) {
            }
            missing = missing || peers[i].packets < packets;
        }
    }
}

static void serve(int threads, int count)
{
    struct media_server *server = start(threads);
    struct media_stream *stream = create_stream(server);
    struct media_peer *peers = calloc((size_t)count, sizeof *peers);
    for (int i = 0; i < count; i++) {
        media_peer_open(&peers[i], server, "v", i % 3 == 2);
        media_peer_connect(&peers[i]);
    }
    show(stream, peers, count, 20);
    assert_int_equal(atomic_load(&planned_viewers), count);
    struct media_viewer_info info[16];
    assert_int_equal(media_server_viewers(server, info, 16), count);
    int by_tcp = 0;
    for (int i = 0; i < count; i++) {
        assert_true(info[i].connected_us > 0);
        assert_int_equal(info[i].track, 0);
        by_tcp += info[i].stats.selected.transport == ADDRESS_TCP;
    }
    assert_int_equal(by_tcp, count / 3);
    struct media_session_status status;
    assert_int_equal(media_server_session_status(server, peers[0].session_id, &status), OW_OK);
    assert_false(status.closed);
    assert_true(status.step >= RTC_STEP_FIRST_PACKET);
    assert_string_equal(status.stream_id, "v");
    assert_int_equal(media_server_close_session(server, peers[0].session_id), OW_OK);
    assert_int_equal(media_server_session_status(server, peers[0].session_id, &status), OW_OK);
    assert_true(status.closed);
    assert_non_null(strstr(status.text, "request"));
    assert_int_equal(media_server_session_status(server, "none", &status), OW_ENOTFOUND);
    struct send_figures figures;
    media_server_figures(server, &figures);
    assert_true(figures.frames >= (uint64_t)count);
    media_stream_destroy(&stream);
    for (int i = 0; i < count; i++)
        media_peer_close(&peers[i]);
    free(peers);
    media_server_stop(&server);
}

static void one_thread_serves_viewers_by_udp_and_tcp(void **state)
{
    (void)state;
    serve(1, 6);
}

/* The kernel deals datagrams out by address, the server viewers by number: most arrive elsewhere.
 */
static void three_threads_hand_over_what_is_not_theirs(void **state)
{
    (void)state;
    serve(3, 12);
}

static void a_viewer_that_does_not_read_costs_the_others_nothing(void **state)
{
    (void)state;
    struct media_server *server = start(1);
    struct media_stream *stream = create_stream(server);
    struct media_peer *peers = calloc(2, sizeof *peers);
    int small = 4096;
    for (int i = 0; i < 2; i++) {
        media_peer_open(&peers[i], server, "v", true);
        media_peer_connect(&peers[i]);
    }
    (void)setsockopt(peers[1].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    show(stream, peers, 1, 5);
    int stalled = peers[1].packets;
    for (int i = 0; i < 200; i++) {
        publish(stream, i % 20 == 0, 20000);
        while (media_peer_step(&peers[0], i % 4 == 0 ? 5 : 0)) {
        }
    }
    show(stream, peers, 1, peers[0].packets + 10);
    assert_int_equal(peers[1].packets, stalled);
    /* It gets a picture again as soon as it reads, and a decodable one. */
    int keys = peers[1].key_packets;
    int64_t give_up_us = clock_now_us() + 15000000;
    while (peers[1].key_packets == keys) {
        assert_true(clock_now_us() < give_up_us);
        show(stream, peers, 2, peers[1].packets + 1);
    }
    media_stream_destroy(&stream);
    for (int i = 0; i < 2; i++)
        media_peer_close(&peers[i]);
    free(peers);
    media_server_stop(&server);
}

static bool is_closed_soon(int fd, int timeout_ms)
{
    uint8_t byte;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, timeout_ms) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static void strangers_on_tcp_are_shown_out(void **state)
{
    (void)state;
    struct media_server *server = start(1);
    struct media_stream *stream = create_stream(server);
    struct media_peer peer, other;
    static const uint8_t inputs[][8] = {{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'},
                                        {0, 4, 22, 0xfe, 0xfd, 0, 0, 0},
                                        {0, 0, 0, 1, 2, 3, 4, 5},
                                        {0, 6, 0, 1, 0, 0, 0x21, 0x12}};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        media_peer_open(&peer, server, "v", true);
        assert_int_equal(send(peer.fd, inputs[i], 8, MSG_NOSIGNAL), 8);
        assert_true(is_closed_soon(peer.fd, 4000));
        media_peer_close(&peer);
    }
    media_peer_open(&peer, server, "v", true);
    strcpy(peer.ufrag, "nobody");
    media_peer_check(&peer);
    assert_true(is_closed_soon(peer.fd, 4000));
    media_peer_close(&peer);
    media_peer_open(&peer, server, "v", true);
    media_peer_connect(&peer);
    /* Who says nothing is not waited for for ever, and there are not many of them. */
    media_peer_open(&other, server, "v", true);
    int crowd[40], refused = 0;
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    assert_int_equal(getpeername(other.fd, (struct sockaddr *)&name, &size), 0);
    for (int i = 0; i < 40; i++) {
        crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(crowd[i], (struct sockaddr *)&name, size), 0);
    }
    for (int i = 0; i < 40; i++)
        refused += is_closed_soon(crowd[i], 100);
    assert_in_range(refused, 10, 39);
    for (int i = 0; i < 40; i++)
        assert_true(is_closed_soon(crowd[i], 8000));
    for (int i = 0; i < 40; i++)
        close(crowd[i]);
    assert_true(is_closed_soon(other.fd, 8000));
    show(stream, &peer, 1, 3);
    media_peer_close(&other);
    media_peer_close(&peer);
    media_stream_destroy(&stream);
    media_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_serves_viewers_by_udp_and_tcp),
        cmocka_unit_test(three_threads_hand_over_what_is_not_theirs),
        cmocka_unit_test(a_viewer_that_does_not_read_costs_the_others_nothing),
        cmocka_unit_test(strangers_on_tcp_are_shown_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
