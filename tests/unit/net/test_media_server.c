#include "../rtc/sdp_value.h"
#include "net/media_server.h"
#include "rtc/stun.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char offer_text[] =
    "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:peer\r\na=ice-pwd:peerpasswordpeerpassword\r\na=fingerprint:sha-256 "
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:"
    "FF\r\n"
    "a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
    "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n";

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int viewers;
} told = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void on_viewers(void *context, int count)
{
    (void)context;
    pthread_mutex_lock(&told.lock);
    told.viewers = count;
    pthread_cond_broadcast(&told.changed);
    pthread_mutex_unlock(&told.lock);
}

static void wait_for_viewers(int count)
{
    pthread_mutex_lock(&told.lock);
    while (told.viewers != count)
        pthread_cond_wait(&told.changed, &told.lock);
    pthread_mutex_unlock(&told.lock);
}

static struct media_server *start(int max_sessions, int max_per_ip)
{
    struct media_server_settings settings = {
        .loopback_only = true, .max_sessions = max_sessions, .max_unconnected_per_ip = max_per_ip};
    struct media_server *server = NULL;
    struct reason why = {""};
    int rc = media_server_start(&server, &settings, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(rc, OW_OK);
    return server;
}

static struct media_stream *create_stream(struct media_server *server, const char *id)
{
    struct media_stream_settings settings = {
        .id = id,
        .ladder = {.min_bps = 100000, .start_bps = 500000, .max_bps = 1000000, .adaptive = true},
        .callbacks = {.viewers = on_viewers}};
    struct media_stream *stream = NULL;
    assert_int_equal(media_stream_create(&stream, server, &settings), OW_OK);
    return stream;
}

static int offer_from(struct media_server *server, const char *stream_id, const char *text,
                      const char *ip, struct media_answer *answer, struct reason *why)
{
    struct address via, from;
    assert_int_equal(address_parse(&via, "127.0.0.1", 0), OW_OK);
    assert_int_equal(address_parse(&from, ip, 5), OW_OK);
    return media_server_offer(server, stream_id, text, strlen(text), &via, &from, answer, why);
}

/* A socket connected to the media port. */
static int connect_udp(const struct media_server *server)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(media_server_port(server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static size_t write_check(uint8_t *data, size_t room, const char *sdp, const char *password,
                          uint8_t mark)
{
    char ufrag[64], pwd[64], username[160];
    assert_true(sdp_read_value(sdp, "a=ice-ufrag:", ufrag, sizeof ufrag));
    assert_true(sdp_read_value(sdp, "a=ice-pwd:", pwd, sizeof pwd));
    snprintf(username, sizeof username, "%s:peer", ufrag);
    uint8_t transaction[STUN_TRANSACTION_BYTES] = {mark, 1, 2, 3};
    struct stun_writer writer;
    stun_begin(&writer, data, room, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 12345);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    assert_int_equal(stun_finish(&writer, password ? password : pwd), OW_OK);
    return writer.size;
}

/* The next success response on the socket; the server's own checks are read over. */
static uint8_t next_response_mark(int fd)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 5000), 1);
        uint8_t data[2048];
        ssize_t size = recv(fd, data, sizeof data, 0);
        struct stun_message message;
        if (size > 0 && stun_parse(&message, data, (size_t)size) == OW_OK &&
            message.class == STUN_SUCCESS)
            return message.transaction[0];
    }
}

static void a_port_already_taken_is_named(void **state)
{
    (void)state;
    struct media_server *server = start(0, 0), *second = NULL;
    struct media_server_settings settings = {.loopback_only = true,
                                             .port = media_server_port(server)};
    struct reason why = {""};
    char number[8];
    snprintf(number, sizeof number, "%u", media_server_port(server));
    assert_int_equal(media_server_start(&second, &settings, &why), OW_EEXISTS);
    assert_null(second);
    assert_non_null(strstr(why.text, number));
    assert_non_null(strstr(why.text, "--media-port"));
    settings = (struct media_server_settings){.public_address = "not.an.address"};
    assert_int_equal(media_server_start(&second, &settings, &why), OW_EINVAL);
    media_server_stop(&server);
    assert_null(server);
}

static void offers_that_cannot_be_served_are_refused_with_a_reason(void **state)
{
    (void)state;
    struct media_server *server = start(0, 0);
    struct media_stream *stream = create_stream(server, "v");
    struct media_answer answer = {0};
    struct reason why = {""};
    assert_int_equal(offer_from(server, "other", offer_text, "192.0.2.1", &answer, &why),
                     OW_ENOTFOUND);
    assert_non_null(strstr(why.text, "other"));
    why.text[0] = '\0';
    assert_true(offer_from(server, "v", "v=0\r\n", "192.0.2.1", &answer, &why) < 0);
    assert_true(strlen(why.text) > 0);
    assert_null(answer.sdp);
    assert_int_equal(media_server_viewers(server, NULL, 0), 0);
    struct media_stream *twin = NULL;
    struct media_stream_settings settings = {.id = "v"};
    assert_int_equal(media_stream_create(&twin, server, &settings), OW_EEXISTS);
    media_stream_destroy(&stream);
    media_server_stop(&server);
}

static void the_number_of_viewers_is_limited(void **state)
{
    (void)state;
    struct media_server *server = start(3, 2);
    struct media_stream *stream = create_stream(server, "v");
    struct media_answer answers[4] = {0};
    struct reason why = {""};
    assert_int_equal(offer_from(server, "v", offer_text, "192.0.2.1", &answers[0], &why), OW_OK);
    assert_int_equal(offer_from(server, "v", offer_text, "192.0.2.1", &answers[1], &why), OW_OK);
    assert_string_not_equal(answers[0].session_id, answers[1].session_id);
    assert_int_equal(strlen(answers[0].session_id), 32);
    assert_int_equal(offer_from(server, "v", offer_text, "192.0.2.1", &answers[3], &why),
                     OW_ELIMIT);
    assert_int_equal(offer_from(server, "v", offer_text, "192.0.2.2", &answers[2], &why), OW_OK);
    assert_int_equal(offer_from(server, "v", offer_text, "192.0.2.3", &answers[3], &why),
                     OW_ELIMIT);
    wait_for_viewers(3);
    struct media_viewer_info info[2];
    assert_int_equal(media_server_viewers(server, info, 2), 3);
    assert_string_equal(info[0].stream_id, "v");
    assert_int_equal(info[0].connected_us, 0);
    assert_int_equal(media_server_close_session(server, answers[0].session_id), OW_OK);
    assert_int_equal(media_server_close_session(server, answers[0].session_id), OW_ENOTFOUND);
    wait_for_viewers(2);
    assert_int_equal(media_server_close_viewers(server, "other"), 0);
    assert_int_equal(media_server_close_viewers(server, "v"), 2);
    wait_for_viewers(0);
    for (int i = 0; i < 4; i++)
        free(answers[i].sdp);
    media_stream_destroy(&stream);
    media_server_stop(&server);
}

static void checks_are_answered_only_with_right_integrity(void **state)
{
    (void)state;
    struct media_server *server = start(0, 0);
    struct media_stream *stream = create_stream(server, "v");
    struct media_answer answer = {0};
    struct reason why = {""};
    assert_int_equal(offer_from(server, "v", offer_text, "127.0.0.1", &answer, &why), OW_OK);
    char port[16];
    snprintf(port, sizeof port, " %u typ host", media_server_port(server));
    assert_non_null(strstr(answer.sdp, "127.0.0.1"));
    assert_non_null(strstr(answer.sdp, port));
    int fd = connect_udp(server);
    uint8_t data[512];
    size_t size = write_check(data, sizeof data, answer.sdp, "wrongwrongwrongwrongwrong", 1);
    assert_int_equal(send(fd, data, size, 0), (ssize_t)size);
    uint8_t junk[1400];
    srand(4711);
    for (int i = 0; i < 2000; i++) {
        size_t junk_size = 1 + (size_t)rand() % sizeof junk;
        for (size_t k = 0; k < junk_size; k++)
            junk[k] = (uint8_t)rand();
        if (i % 3 == 0)
            memcpy(junk, data, size < junk_size ? size : junk_size);
        if (i % 5 == 0)
            junk[0] = (uint8_t)(20 + i % 44); /* DTLS from where nothing is validated */
        (void)!send(fd, junk, junk_size, 0);
    }
    size = write_check(data, sizeof data, answer.sdp, NULL, 2);
    /* The junk may have filled the socket; what is lost is asked again, as browsers do. */
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    for (int tries = 0; tries < 50; tries++) {
        assert_int_equal(send(fd, data, size, 0), (ssize_t)size);
        if (poll(&wait, 1, 100) == 1)
            break;
    }
    assert_int_equal(next_response_mark(fd), 2);
    /* A viewer that moves is found by its user fragment. */
    int moved = connect_udp(server);
    size = write_check(data, sizeof data, answer.sdp, NULL, 3);
    assert_int_equal(send(moved, data, size, 0), (ssize_t)size);
    assert_int_equal(next_response_mark(moved), 3);
    close(fd);
    close(moved);
    free(answer.sdp);
    media_stream_destroy(&stream);
    media_server_stop(&server);
}

static void publishing_to_nobody_and_stopping_with_viewers_is_fine(void **state)
{
    (void)state;
    static const uint8_t idr[] = {0,    0,    0, 1, 0x67, 0x42, 0,    0,    0,   1,
                                  0x68, 0xce, 0, 0, 0,    1,    0x65, 0x88, 0x84};
    struct media_server *server = start(0, 0);
    struct media_stream *stream = create_stream(server, "v");
    struct encoded *unit = NULL;
    assert_int_equal(encoded_create(&unit, sizeof idr), OW_OK);
    memcpy(unit->data, idr, sizeof idr);
    unit->key = true;
    for (int i = 0; i < 100; i++)
        media_stream_publish(stream, 0, unit);
    struct media_answer answer = {0};
    struct reason why = {""};
    assert_int_equal(offer_from(server, "v", offer_text, "127.0.0.1", &answer, &why), OW_OK);
    for (int i = 0; i < 100; i++)
        media_stream_publish(stream, 0, unit);
    free(answer.sdp);
    media_stream_destroy(&stream);
    assert_null(stream);
    assert_int_equal(atomic_load(&unit->refs), 1);
    encoded_unref(&unit);
    media_server_stop(&server);
}

/* Answers binding requests as a STUN server behind which the media port looks like 203.0.113.9. */
static void *stun_server(void *argument)
{
    int fd = *(int *)argument;
    struct address seen;
    assert_int_equal(address_parse(&seen, "203.0.113.9", 4242), OW_OK);
    for (;;) {
        uint8_t data[512];
        struct sockaddr_storage from;
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &from_size);
        struct stun_message request;
        if (size < 0 || (size == 1 && data[0] == 'q'))
            return NULL;
        if (stun_parse(&request, data, (size_t)size) != OW_OK)
            continue;
        struct stun_writer writer;
        stun_begin(&writer, data, sizeof data, STUN_SUCCESS, request.transaction);
        stun_put_xor_mapped(&writer, &seen);
        if (stun_finish(&writer, NULL) == OW_OK)
            (void)!sendto(fd, data, writer.size, 0, (struct sockaddr *)&from, from_size);
    }
}

static void what_a_stun_server_sees_becomes_a_candidate(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stun_server, &fd), 0);
    char url[64];
    snprintf(url, sizeof url, "stun:127.0.0.1:%u", ntohs(name.sin_port));
    for (int threads = 1; threads <= 3; threads += 2) {
        struct media_server_settings settings = {
            .loopback_only = true, .threads = threads, .stun_url = url};
        struct media_server *server = NULL;
        struct reason why = {""};
        assert_int_equal(media_server_start(&server, &settings, &why), OW_OK);
        int found = 0;
        for (int tries = 0; tries < 500 && !found; tries++) {
            struct sdp_candidate candidates[SDP_MAX_LOCAL_CANDIDATES];
            int count = media_server_candidates(server, candidates, SDP_MAX_LOCAL_CANDIDATES);
            for (int i = 0; i < count; i++)
                found += strcmp(candidates[i].type, "srflx") == 0 &&
                         candidates[i].address.port == 4242 && candidates[i].address.ip[0] == 203;
            if (!found)
                (void)poll(NULL, 0, 10);
        }
        assert_int_equal(found, 1);
        media_server_stop(&server);
    }
    assert_int_equal(sendto(fd, "q", 1, 0, (struct sockaddr *)&name, size), 1);
    pthread_join(thread, NULL);
    close(fd);
}

static void servers_that_are_none_are_named(void **state)
{
    (void)state;
    struct media_server *server = NULL;
    struct reason why = {""};
    struct media_server_settings settings = {.loopback_only = true, .stun_url = "http://x"};
    assert_int_equal(media_server_start(&server, &settings, &why), OW_EPARSE);
    assert_non_null(strstr(why.text, "http://x"));
    settings = (struct media_server_settings){.loopback_only = true, .turn_url = "turn:"};
    assert_int_equal(media_server_start(&server, &settings, &why), OW_EPARSE);
    assert_null(server);
}

static void a_server_of_no_use_is_left_without_waiting(void **state)
{
    (void)state;
    struct media_server *server = NULL;
    struct reason why = {""};
    struct media_server_settings settings = {.loopback_only = true,
                                             .stun_url = "stun:name.invalid",
                                             .turn_url = "turn:127.0.0.1:9?transport=tcp",
                                             .turn_username = "a",
                                             .turn_password = "b"};
    assert_int_equal(media_server_start(&server, &settings, &why), OW_OK);
    struct media_stream *stream = create_stream(server, "v");
    struct media_answer answer = {0};
    assert_int_equal(offer_from(server, "v", offer_text, "127.0.0.1", &answer, &why), OW_OK);
    free(answer.sdp);
    media_stream_destroy(&stream);
    media_server_stop(&server);
}

static void sessions_are_found_restarted_and_remembered(void **state)
{
    (void)state;
    struct media_server *server = start(0, 0);
    struct media_stream *stream = create_stream(server, "v");
    struct media_answer answer = {0};
    struct media_session_status status;
    struct reason why = {""};
    char *out = NULL;
    assert_int_equal(offer_from(server, "v", offer_text, "127.0.0.1", &answer, &why), OW_OK);
    assert_int_equal(media_server_session_status(server, answer.session_id, &status), OW_OK);
    assert_int_equal(status.step, RTC_STEP_OFFER);
    assert_false(status.closed);
    static const char restart[] = "a=ice-ufrag:next\r\na=ice-pwd:nextpasswordnextpassword\r\n"
                                  "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n";
    assert_int_equal(media_server_trickle(server, "nobody", restart, strlen(restart), &out, &why),
                     OW_ENOTFOUND);
    assert_int_equal(media_server_trickle(server, answer.session_id, "junk", 4, &out, &why),
                     OW_EPARSE);
    assert_null(out);
    assert_int_equal(
        media_server_trickle(server, answer.session_id, restart, strlen(restart), &out, &why),
        OW_OK);
    assert_non_null(out);
    /* Checks with the new fragment find the session. */
    char ufrag[64], pwd[64], username[160];
    uint8_t data[512], transaction[STUN_TRANSACTION_BYTES] = {9};
    assert_true(sdp_read_value(out, "a=ice-ufrag:", ufrag, sizeof ufrag));
    assert_true(sdp_read_value(out, "a=ice-pwd:", pwd, sizeof pwd));
    snprintf(username, sizeof username, "%s:next", ufrag);
    struct stun_writer writer;
    stun_begin(&writer, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 12345);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 77);
    assert_int_equal(stun_finish(&writer, pwd), OW_OK);
    int fd = connect_udp(server);
    assert_int_equal(send(fd, data, writer.size, 0), (ssize_t)writer.size);
    assert_int_equal(next_response_mark(fd), 9);
    close(fd);
    free(out);
    media_stream_destroy(&stream);
    assert_int_equal(media_server_session_status(server, answer.session_id, &status), OW_OK);
    assert_true(status.closed);
    assert_string_equal(status.stream_id, "v");
    assert_non_null(strstr(status.text, "stopped"));
    free(answer.sdp);
    media_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_already_taken_is_named),
        cmocka_unit_test(offers_that_cannot_be_served_are_refused_with_a_reason),
        cmocka_unit_test(the_number_of_viewers_is_limited),
        cmocka_unit_test(checks_are_answered_only_with_right_integrity),
        cmocka_unit_test(what_a_stun_server_sees_becomes_a_candidate),
        cmocka_unit_test(servers_that_are_none_are_named),
        cmocka_unit_test(a_server_of_no_use_is_left_without_waiting),
        cmocka_unit_test(sessions_are_found_restarted_and_remembered),
        cmocka_unit_test(publishing_to_nobody_and_stopping_with_viewers_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
