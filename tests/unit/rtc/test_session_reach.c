/* A session whose peer trickles, restarts and comes by other ways; up to the working path, where
 * the handshake would begin. */
#include "rtc/dtls_srtp.h"
#include "rtc/sdp_fragment.h"
#include "rtc/session.h"
#include "rtc/stun.h"
#include "sdp_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PEER_PWD "peerpeerpeerpeerpeerpeer"
#define NEW_PWD "newpeernewpeernewpeernew"

static const int64_t START_US = 5000000;
static const char offer[] =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "a=ice-options:trickle\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:peer\r\na=ice-pwd:" PEER_PWD "\r\na=fingerprint:sha-256 "
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:"
    "FF\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n";

static struct dtls_identity *identity;

struct world {
    struct random_source random;
    struct rtc_session *session;
    int64_t now;
    char ufrag[16], pwd[32]; /* of the session, as the peer knows them */
    const char *peer_ufrag, *peer_pwd;
    uint8_t check_id;
    struct address checked[16]; /* where its checks went */
    int checked_count;
    bool answers;
};

static struct address at(const char *ip, int port, enum address_transport transport)
{
    struct address address;
    assert_int_equal(address_parse(&address, ip, (uint16_t)port), OW_OK);
    address.transport = (uint8_t)transport;
    return address;
}

static void read_credentials(struct world *w, const char *text)
{
    assert_true(sdp_read_value(text, "a=ice-ufrag:", w->ufrag, sizeof w->ufrag));
    assert_true(sdp_read_value(text, "a=ice-pwd:", w->pwd, sizeof w->pwd));
    assert_string_equal(w->ufrag, rtc_session_local_ufrag(w->session));
}

static void open_world(struct world *w)
{
    *w = (struct world){.now = START_US, .peer_ufrag = "peer", .peer_pwd = PEER_PWD};
    random_seeded(&w->random, 7);
    struct rtc_session_settings settings = {.identity = identity,
                                            .random = &w->random,
                                            .local_candidate_count = 1,
                                            .min_bps = 100000,
                                            .start_bps = 1000000,
                                            .max_bps = 2000000,
                                            .label = "view"};
    settings.local_candidates[0].address = at("198.51.100.1", 8189, ADDRESS_UDP);
    struct reason why = {""};
    if (rtc_session_create(&w->session, &settings, offer, sizeof offer - 1, w->now, &why))
        fail_msg("%s", why.text);
    read_credentials(w, rtc_session_answer(w->session));
}

/* The peer's answer to a check that went there. */
static void answer_check(struct world *w, const struct address *to, const struct stun_message *m)
{
    uint8_t data[200];
    struct stun_writer writer;
    stun_begin(&writer, data, sizeof data, STUN_SUCCESS, m->transaction);
    stun_put_xor_mapped(&writer, to);
    assert_int_equal(stun_finish(&writer, w->peer_pwd), OW_OK);
    rtc_session_receive(w->session, w->now, to, data, writer.size);
}

static void drain(struct world *w)
{
    struct rtc_output *out = malloc(sizeof *out);
    while (rtc_session_poll(w->session, w->now, out) == OW_OK) {
        struct stun_message m;
        if (out->kind != RTC_OUTPUT_DATAGRAM || stun_parse(&m, out->data, out->size) ||
            m.class != STUN_REQUEST)
            continue;
        if (w->checked_count < 16)
            w->checked[w->checked_count++] = out->to;
        if (w->answers && stun_verify(&m, w->peer_pwd, strlen(w->peer_pwd)) == OW_OK)
            answer_check(w, &out->to, &m);
    }
    free(out);
}

static void run(struct world *w, int64_t duration)
{
    int64_t end = w->now + duration;
    drain(w);
    while (rtc_session_deadline(w->session) <= end) {
        if (rtc_session_deadline(w->session) > w->now)
            w->now = rtc_session_deadline(w->session);
        rtc_session_handle_timeout(w->session, w->now);
        drain(w);
    }
    w->now = end;
}

static void send_check(struct world *w, const struct address *from)
{
    uint8_t data[200], transaction[STUN_TRANSACTION_BYTES] = {++w->check_id};
    char username[64];
    snprintf(username, sizeof username, "%s:%s", w->ufrag, w->peer_ufrag);
    struct stun_writer writer;
    stun_begin(&writer, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1853824767);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 1);
    stun_put_use_candidate(&writer);
    assert_int_equal(stun_finish(&writer, w->pwd), OW_OK);
    rtc_session_receive(w->session, w->now, from, data, writer.size);
    drain(w);
}

static bool was_checked(const struct world *w, const struct address *address)
{
    for (int i = 0; i < w->checked_count; i++)
        if (address_equal(&w->checked[i], address))
            return true;
    return false;
}

static struct address selected(const struct world *w)
{
    struct rtc_session_stats stats;
    rtc_session_stats(w->session, w->now, &stats);
    return stats.selected;
}

static int trickle(struct world *w, const char *text, char **out)
{
    struct reason why = {""};
    *out = (char *)"untouched";
    int err = rtc_session_trickle(w->session, w->now, text, strlen(text), out, &why);
    assert_int_equal(err != OW_OK, why.text[0] != '\0');
    return err;
}

static void close_world(struct world *w)
{
    rtc_session_destroy(&w->session);
}

static void candidates_come_later(void **state)
{
    (void)state;
    struct world w;
    char *out;
    open_world(&w);
    struct address there = at("192.0.2.1", 61764, ADDRESS_UDP);
    run(&w, 100000);
    assert_int_equal(w.checked_count, 0);
    assert_int_equal(trickle(&w,
                             "a=ice-ufrag:peer\r\na=ice-pwd:" PEER_PWD "\r\nm=video 9 RTP/AVP 0\r\n"
                             "a=mid:0\r\na=candidate:1 1 udp 5 192.0.2.1 61764 typ host\r\n",
                             &out),
                     OW_OK);
    assert_null(out);
    w.answers = true;
    run(&w, 100000);
    assert_true(was_checked(&w, &there));
    struct address path = selected(&w);
    assert_true(address_equal(&path, &there));
    close_world(&w);
}

static void what_is_refused_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } cases[] = {
        {"", OW_EPARSE},
        {"a=ice-ufrag:other\r\n", OW_EINVAL},
        {"a=ice-ufrag:other\r\na=ice-pwd:short\r\n", OW_EPARSE},
        {"a=candidate:1 1 udp 5 192.0.2.1 61764 typ host\r\na=candidate:bad\r\n", OW_EPARSE},
    };
    struct world w;
    char *out;
    open_world(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(trickle(&w, cases[i].text, &out), cases[i].err);
        assert_string_equal(out, "untouched");
    }
    run(&w, 1000000);
    assert_int_equal(w.checked_count, 0);
    assert_string_equal(w.ufrag, rtc_session_local_ufrag(w.session));
    close_world(&w);
}

static void a_restart_is_answered_and_works(void **state)
{
    (void)state;
    struct world w;
    char *out, before[16];
    open_world(&w);
    w.answers = true;
    struct address old = at("192.0.2.1", 1000, ADDRESS_UDP),
                   new = at("192.0.2.1", 2000, ADDRESS_UDP);
    send_check(&w, &old);
    run(&w, 100000);
    struct address path = selected(&w);
    assert_true(address_equal(&path, &old));

    strcpy(before, w.ufrag);
    struct sdp_candidate late = {.address = at("203.0.113.5", 8189, ADDRESS_UDP),
                                 .priority = sdp_srflx_priority(0),
                                 .type = "srflx"};
    assert_int_equal(rtc_session_add_local_candidate(w.session, &late), OW_OK);
    assert_int_equal(trickle(&w, "a=ice-ufrag:newpeer\r\na=ice-pwd:" NEW_PWD "\r\n", &out), OW_OK);
    assert_non_null(out);
    read_credentials(&w, out);
    assert_string_not_equal(before, w.ufrag);
    assert_non_null(strstr(out, "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\n"));
    assert_non_null(strstr(out, " 198.51.100.1 8189 typ host\r\n"));
    assert_non_null(strstr(out, " 203.0.113.5 8189 typ srflx raddr 0.0.0.0 rport 9\r\n"));
    read_credentials(&w, rtc_session_answer(w.session)); /* it is kept true */
    free(out);
    path = selected(&w);
    assert_true(address_equal(&path, &old)); /* still */

    /* A candidate of before the restart comes too late; nothing is restarted by it. */
    assert_int_equal(trickle(&w,
                             "a=ice-ufrag:peer\r\na=ice-pwd:" PEER_PWD "\r\n"
                             "a=candidate:1 1 udp 5 192.0.2.9 9 typ host\r\n",
                             &out),
                     OW_OK);
    assert_null(out);
    assert_string_equal(w.ufrag, rtc_session_local_ufrag(w.session));

    w.peer_ufrag = "newpeer";
    w.peer_pwd = NEW_PWD;
    send_check(&w, &new);
    run(&w, 100000);
    path = selected(&w);
    assert_true(address_equal(&path, &new));
    struct address late_one = at("192.0.2.9", 9, ADDRESS_UDP);
    assert_false(was_checked(&w, &late_one));
    close_world(&w);
}

static void our_candidates_are_kept_in_the_answer(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct sdp_candidate tcp = {.address = at("198.51.100.1", 8189, ADDRESS_TCP),
                                .priority = sdp_tcp_priority(0),
                                .type = "host"};
    assert_int_equal(rtc_session_add_local_candidate(w.session, &tcp), OW_OK);
    size_t size = strlen(rtc_session_answer(w.session));
    assert_int_equal(rtc_session_add_local_candidate(w.session, &tcp), OW_OK);
    assert_int_equal(strlen(rtc_session_answer(w.session)), size); /* known already */
    const char *line = strstr(rtc_session_answer(w.session),
                              " 198.51.100.1 8189 typ host tcptype passive\r\na=end-of-candidates");
    assert_non_null(line);
    int added = 2;
    for (int i = 0; i < 40; i++) {
        struct sdp_candidate next = {.address = at("203.0.113.5", 9000 + i, ADDRESS_UDP),
                                     .priority = sdp_srflx_priority(i),
                                     .type = "srflx"};
        int err = rtc_session_add_local_candidate(w.session, &next);
        assert_int_equal(err, added < SDP_MAX_LOCAL_CANDIDATES ? OW_OK : OW_ELIMIT);
        added += !err;
    }
    close_world(&w);
}

static void a_relay_and_a_closed_connection(void **state)
{
    (void)state;
    struct world w;
    char *out;
    open_world(&w);
    w.answers = true;
    struct address tcp = at("192.0.2.1", 1000, ADDRESS_TCP),
                   relayed = at("192.0.2.5", 9, ADDRESS_RELAY);
    send_check(&w, &tcp);
    run(&w, 100000);
    struct address path = selected(&w);
    assert_true(address_equal(&path, &tcp));
    rtc_session_forget(w.session, w.now, &tcp);
    path = selected(&w);
    assert_int_equal(path.family, ADDRESS_NONE);

    rtc_session_set_relay(w.session, w.now, true);
    w.answers = false;
    assert_int_equal(trickle(&w, "a=candidate:1 1 udp 5 192.0.2.5 9 typ host\r\n", &out), OW_OK);
    run(&w, 500000);
    assert_true(was_checked(&w, &relayed));
    send_check(&w, &relayed);
    w.answers = true;
    run(&w, 1000000);
    path = selected(&w);
    assert_true(address_equal(&path, &relayed)); /* the peer has chosen it */
    rtc_session_close(w.session, w.now, "end");
    rtc_session_forget(w.session, w.now, &relayed);
    rtc_session_set_relay(w.session, w.now, false);
    assert_int_equal(trickle(&w, "a=end-of-candidates\r\n", &out), OW_ESTATE);
    close_world(&w);
}

static int start(void **state)
{
    (void)state;
    return dtls_identity_create(&identity, 1700000000000000, NULL);
}

static int stop(void **state)
{
    (void)state;
    dtls_identity_destroy(&identity);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_come_later),
        cmocka_unit_test(what_is_refused_changes_nothing),
        cmocka_unit_test(a_restart_is_answered_and_works),
        cmocka_unit_test(our_candidates_are_kept_in_the_answer),
        cmocka_unit_test(a_relay_and_a_closed_connection),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
