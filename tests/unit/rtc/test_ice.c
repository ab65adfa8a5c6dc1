/* The agent against a small controlling peer made of STUN messages, on a virtual clock and a
 * network that can lose, cut and move. */
#include "rtc/ice.h"
#include "rtc/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000, STEP = 5000 };

static const char peer_pwd[] = "peerpeerpeerpeerpeer22";

struct world {
    struct random_source random;
    struct ice_agent *agent;
    struct address peer;
    int64_t now;
    /* What the peer does. */
    bool peer_answers, peer_checks, peer_nominates;
    enum stun_role peer_role;
    uint64_t peer_tie_breaker;
    uint32_t peer_priority;
    double loss;
    int64_t next_check;
    /* What it saw. */
    int requests_seen, responses_seen, last_error, nominations_seen;
    struct address last_to;
};

static struct address at(const char *ip, int port)
{
    struct address address;
    assert_int_equal(address_parse(&address, ip, (uint16_t)port), OW_OK);
    return address;
}

static void open_world(struct world *w, bool lite)
{
    *w = (struct world){.now = 0,
                        .peer_answers = true,
                        .peer_checks = true,
                        .peer_nominates = true,
                        .peer_role = STUN_ROLE_CONTROLLING,
                        .peer_priority = 1862270975,
                        .peer_tie_breaker = 1};
    w->peer = at("192.0.2.10", 50000);
    random_seeded(&w->random, 42);
    struct ice_settings settings = {
        .lite = lite, .remote_ufrag = "peer", .remote_pwd = peer_pwd, .random = &w->random};
    assert_int_equal(ice_agent_create(&w->agent, &settings, 0), OW_OK);
}

static void offer_candidate(struct world *w, const struct address *address)
{
    struct sdp_candidate candidate = {.address = *address, .priority = 2130706431, .type = "host"};
    assert_int_equal(ice_agent_add_remote_candidate(w->agent, &candidate), OW_OK);
}

static bool lost(struct world *w)
{
    return w->loss > 0 && random_unit(&w->random) < w->loss;
}

static size_t write_request(struct world *w, uint8_t *data, const char *ufrag, const char *pwd,
                            bool nominate)
{
    uint8_t transaction[12];
    char username[64];
    w->random.fill(&w->random, transaction, sizeof transaction);
    snprintf(username, sizeof username, "%s:peer", ufrag);
    struct stun_writer writer;
    stun_begin(&writer, data, 400, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, w->peer_priority);
    stun_put_role(&writer, w->peer_role, w->peer_tie_breaker);
    if (nominate)
        stun_put_use_candidate(&writer);
    assert_int_equal(stun_finish(&writer, pwd), OW_OK);
    return writer.size;
}

static int send_check(struct world *w, bool nominate)
{
    uint8_t data[400];
    size_t size =
        write_request(w, data, ice_agent_ufrag(w->agent), ice_agent_pwd(w->agent), nominate);
    if (lost(w))
        return OW_OK;
    return ice_agent_receive(w->agent, w->now, &w->peer, data, size);
}

static void answer(struct world *w, const struct stun_message *request)
{
    uint8_t data[400];
    struct stun_writer writer;
    bool conflict = request->role == w->peer_role && w->peer_tie_breaker >= request->tie_breaker;
    stun_begin(&writer, data, sizeof data, conflict ? STUN_ERROR : STUN_SUCCESS,
               request->transaction);
    if (conflict)
        stun_put_error(&writer, STUN_ERROR_ROLE_CONFLICT);
    else
        stun_put_xor_mapped(&writer, &w->peer);
    assert_int_equal(stun_finish(&writer, peer_pwd), OW_OK);
    if (!lost(w))
        assert_int_equal(ice_agent_receive(w->agent, w->now, &w->peer, data, writer.size), OW_OK);
}

static void peer_receive(struct world *w, const uint8_t *data, size_t size)
{
    struct stun_message m;
    assert_int_equal(stun_parse(&m, data, size), OW_OK);
    assert_true(m.has_fingerprint);
    if (m.class == STUN_REQUEST) {
        char expected[64];
        int length = snprintf(expected, sizeof expected, "peer:%s", ice_agent_ufrag(w->agent));
        assert_int_equal(m.username_size, length);
        assert_memory_equal(m.username, expected, (size_t)length);
        assert_int_equal(stun_verify(&m, peer_pwd, strlen(peer_pwd)), OW_OK);
        w->requests_seen++;
        w->nominations_seen += m.use_candidate;
        if (w->peer_answers)
            answer(w, &m);
    } else {
        assert_int_equal(stun_verify(&m, ice_agent_pwd(w->agent), ICE_PWD_CHARS), OW_OK);
        w->responses_seen++;
        w->last_error = m.error_code;
    }
}

static void drain(struct world *w)
{
    uint8_t data[ICE_MAX_DATAGRAM];
    size_t size;
    while (ice_agent_poll(w->agent, &w->last_to, data, &size) == OW_OK)
        if (address_equal(&w->last_to, &w->peer) && !lost(w))
            peer_receive(w, data, size);
}

/* Runs until `until`, stopping early in `state` when it is not ICE_NEW. True when it was reached.
 */
static bool run(struct world *w, int64_t until, enum ice_state state)
{
    for (; w->now < until; w->now += STEP) {
        if (ice_agent_deadline(w->agent) <= w->now)
            ice_agent_handle_timeout(w->agent, w->now);
        assert_true(ice_agent_deadline(w->agent) > w->now); /* no busy loop */
        drain(w);
        if (w->peer_checks && w->now >= w->next_check) {
            send_check(w, w->peer_nominates);
            w->next_check = w->now + SECOND / 2;
            drain(w);
        }
        if (state != ICE_NEW && ice_agent_state(w->agent) == state)
            return true;
    }
    return false;
}

static void connects_at_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    offer_candidate(&w, &w.peer);
    assert_null(ice_agent_selected(w.agent));
    assert_true(ice_agent_deadline(w.agent) <= 0);
    assert_true(run(&w, SECOND, ICE_CONNECTED));
    assert_true(w.now <= 2 * STEP);
    assert_true(address_equal(ice_agent_selected(w.agent), &w.peer));
    assert_true(ice_agent_is_validated(w.agent, &w.peer));
    struct address stranger = at("192.0.2.10", 50001);
    assert_false(ice_agent_is_validated(w.agent, &stranger));
    assert_true(ice_agent_round_trip_us(w.agent) > 0);
    ice_agent_destroy(&w.agent);
    assert_null(w.agent);
}

static void learns_an_address_nobody_offered(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    w.peer = at("2001:db8::5", 40000);
    assert_true(run(&w, SECOND, ICE_CONNECTED));
    assert_true(address_equal(ice_agent_selected(w.agent), &w.peer));
    ice_agent_destroy(&w.agent);
}

static void connects_through_loss(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    offer_candidate(&w, &w.peer);
    w.loss = 0.5;
    assert_true(run(&w, 10 * SECOND, ICE_CONNECTED));
    w.loss = 0;
    assert_false(run(&w, w.now + 60 * SECOND, ICE_FAILED));
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    ice_agent_destroy(&w.agent);
}

static void paces_and_repeats_checks(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    w.peer_checks = w.peer_answers = false;
    struct address first = at("198.51.100.1", 1000);
    for (int i = 0; i < 5; i++) {
        first.port++;
        offer_candidate(&w, &first);
    }
    int sent = 0;
    int64_t times[64];
    for (w.now = 0; w.now < 2 * SECOND; w.now += STEP) {
        uint8_t data[ICE_MAX_DATAGRAM];
        size_t size;
        ice_agent_handle_timeout(w.agent, w.now);
        while (ice_agent_poll(w.agent, &w.last_to, data, &size) == OW_OK)
            times[sent++] = w.now;
    }
    /* Five at 0, 50, … 200 ms; each again after 500 ms and after 1.5 s. */
    assert_int_equal(sent, 15);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(times[i], i * 50000);
        assert_int_equal(times[5 + i], times[i] + 500000);
        assert_int_equal(times[10 + i], times[i] + 1500000);
    }
    ice_agent_destroy(&w.agent);
}

static void gives_up_after_thirty_seconds(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    w.peer_checks = w.peer_answers = false;
    offer_candidate(&w, &w.peer);
    assert_true(run(&w, 40 * SECOND, ICE_FAILED));
    assert_true(w.now >= 30 * SECOND && w.now <= 30 * SECOND + STEP);
    assert_in_range(w.requests_seen, 5, 7);
    assert_int_equal(send_check(&w, true), OW_ESTATE);
    assert_true(ice_agent_deadline(w.agent) == INT64_MAX);
    ice_agent_destroy(&w.agent);
}

static void consent_is_asked_for_and_expires(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    assert_true(run(&w, SECOND, ICE_CONNECTED));
    w.peer_checks = false;
    int before = w.requests_seen;
    assert_false(run(&w, w.now + 100 * SECOND, ICE_DISCONNECTED));
    assert_in_range(w.requests_seen - before, 100 / 6, 100 / 4);
    w.peer_answers = false;
    int64_t silent_since = w.now;
    assert_true(run(&w, w.now + 20 * SECOND, ICE_DISCONNECTED));
    assert_true(w.now - silent_since <= 7 * SECOND + STEP);
    assert_non_null(ice_agent_selected(w.agent)); /* consent has not expired yet */
    assert_true(run(&w, w.now + 40 * SECOND, ICE_FAILED));
    assert_in_range(w.now - silent_since, 23 * SECOND, 30 * SECOND + STEP);
    assert_null(ice_agent_selected(w.agent));
    assert_false(ice_agent_is_validated(w.agent, &w.peer));
    ice_agent_destroy(&w.agent);
}

static void comes_back_from_silence(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    assert_true(run(&w, SECOND, ICE_CONNECTED));
    w.peer_checks = w.peer_answers = false;
    assert_true(run(&w, w.now + 20 * SECOND, ICE_DISCONNECTED));
    w.peer_checks = w.peer_answers = true;
    assert_true(run(&w, w.now + 2 * SECOND, ICE_CONNECTED));
    ice_agent_destroy(&w.agent);
}

static void follows_a_peer_that_moves(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    assert_true(run(&w, SECOND, ICE_CONNECTED));
    run(&w, 5 * SECOND, ICE_NEW);
    for (int move = 0; move < 200; move++) { /* more often than there are pairs */
        w.peer = at(move % 2 ? "203.0.113.9" : "2001:db8:1::9", 30000 + move);
        w.peer_priority -= 256; /* worse than the one before */
        run(&w, w.now + 2 * SECOND, ICE_NEW);
        assert_true(address_equal(ice_agent_selected(w.agent), &w.peer));
        assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    }
    ice_agent_destroy(&w.agent);
}

static void prefers_the_nominated_pair(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    w.peer_nominates = false;
    assert_true(run(&w, SECOND, ICE_CONNECTED)); /* media may start before nomination */
    struct address first = w.peer;
    w.peer = at("192.0.2.11", 50000);
    w.peer_priority -= 1000;
    w.next_check = 0;
    run(&w, w.now + SECOND, ICE_NEW);
    assert_true(address_equal(ice_agent_selected(w.agent), &first));
    send_check(&w, true);
    drain(&w);
    assert_true(address_equal(ice_agent_selected(w.agent), &w.peer));
    ice_agent_destroy(&w.agent);
}

static void loser_of_a_role_conflict_takes_the_other_role(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    w.peer_role = STUN_ROLE_CONTROLLED;
    w.peer_tie_breaker = UINT64_MAX; /* its side controls: it is told so */
    send_check(&w, false);
    drain(&w);
    assert_int_equal(w.last_error, STUN_ERROR_ROLE_CONFLICT);
    assert_false(ice_agent_is_validated(w.agent, &w.peer));
    w.peer_tie_breaker = 0; /* now ours is larger: we control, and nominate */
    assert_true(run(&w, 2 * SECOND, ICE_CONNECTED));
    run(&w, w.now + SECOND, ICE_NEW);
    assert_true(w.nominations_seen >= 1);
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    ice_agent_destroy(&w.agent);
}

static void lite_peer_is_nominated(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    ice_agent_destroy(&w.agent);
    struct ice_settings settings = {
        .remote_ufrag = "peer", .remote_pwd = peer_pwd, .remote_lite = true, .random = &w.random};
    assert_int_equal(ice_agent_create(&w.agent, &settings, 0), OW_OK);
    w.peer_checks = false;
    w.peer_role = STUN_ROLE_CONTROLLED;
    offer_candidate(&w, &w.peer);
    w.loss = 0.3;
    assert_true(run(&w, 10 * SECOND, ICE_CONNECTED));
    run(&w, w.now + 10 * SECOND, ICE_NEW);
    assert_true(w.nominations_seen >= 1);
    settings.lite = true;
    struct ice_agent *both = NULL;
    assert_int_equal(ice_agent_create(&both, &settings, 0), OW_EUNSUPPORTED);
    ice_agent_destroy(&w.agent);
}

static void lite_only_answers(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, true);
    offer_candidate(&w, &w.peer);
    w.peer_nominates = false;
    assert_false(run(&w, SECOND, ICE_CONNECTED));
    assert_true(w.responses_seen > 0);
    w.peer_nominates = true;
    assert_true(run(&w, 3 * SECOND, ICE_CONNECTED));
    run(&w, 60 * SECOND, ICE_NEW);
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    assert_int_equal(w.requests_seen, 0);
    w.peer_checks = false;
    assert_true(run(&w, w.now + 31 * SECOND, ICE_FAILED));
    ice_agent_destroy(&w.agent);
}

static void strangers_change_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    assert_true(run(&w, SECOND, ICE_CONNECTED));
    drain(&w);
    int64_t deadline = ice_agent_deadline(w.agent);
    uint8_t data[400], out[ICE_MAX_DATAGRAM];
    size_t size, out_size;
    for (int i = 0; i < 100000; i++) {
        struct address stranger = at("203.0.113.77", 1024 + i % 60000);
        char ufrag[9];
        snprintf(ufrag, sizeof ufrag, "%08x", (unsigned)i);
        size = write_request(&w, data, ufrag, "guessguessguessguessgu", true);
        assert_int_equal(ice_agent_receive(w.agent, w.now, &stranger, data, size), OW_ENOTFOUND);
        assert_false(ice_agent_is_validated(w.agent, &stranger));
    }
    struct address stranger = at("203.0.113.77", 4000);
    size = write_request(&w, data, ice_agent_ufrag(w.agent), "guessguessguessguessgu", true);
    assert_int_equal(ice_agent_receive(w.agent, w.now, &stranger, data, size), OW_EAUTH);
    assert_int_equal(ice_agent_receive(w.agent, w.now, &stranger, data, size - 28), OW_EPARSE);
    static const uint8_t transaction[12] = {3};
    struct stun_writer writer;
    stun_begin(&writer, data, sizeof data, STUN_SUCCESS, transaction);
    stun_put_xor_mapped(&writer, &stranger);
    assert_int_equal(stun_finish(&writer, peer_pwd), OW_OK);
    assert_int_equal(ice_agent_receive(w.agent, w.now, &stranger, data, writer.size), OW_ENOTFOUND);
    assert_int_equal(ice_agent_poll(w.agent, &stranger, out, &out_size), OW_EAGAIN);
    assert_true(ice_agent_deadline(w.agent) == deadline);
    assert_true(address_equal(ice_agent_selected(w.agent), &w.peer));
    ice_agent_destroy(&w.agent);
}

/* RFC 8445 section 7.2.5.2.1: the answer has to come from where the check went. */
static void an_answer_from_elsewhere_proves_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    offer_candidate(&w, &w.peer);
    ice_agent_handle_timeout(w.agent, 0);
    uint8_t data[ICE_MAX_DATAGRAM], reply[400];
    size_t size;
    assert_int_equal(ice_agent_poll(w.agent, &w.last_to, data, &size), OW_OK);
    struct stun_message m;
    assert_int_equal(stun_parse(&m, data, size), OW_OK);
    struct stun_writer writer;
    stun_begin(&writer, reply, sizeof reply, STUN_SUCCESS, m.transaction);
    stun_put_xor_mapped(&writer, &w.peer);
    assert_int_equal(stun_finish(&writer, peer_pwd), OW_OK);
    struct address elsewhere = at("203.0.113.5", 5);
    assert_int_equal(ice_agent_receive(w.agent, 10, &elsewhere, reply, writer.size), OW_EINVAL);
    assert_null(ice_agent_selected(w.agent));
    assert_int_equal(ice_agent_receive(w.agent, 20, &w.peer, reply, writer.size), OW_OK);
    assert_true(address_equal(ice_agent_selected(w.agent), &w.peer));
    assert_int_equal(ice_agent_round_trip_us(w.agent), 20);
    ice_agent_destroy(&w.agent);
}

static void unknown_mandatory_attribute_is_told(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    uint8_t data[400];
    static const uint8_t transaction[12] = {9};
    char username[64];
    snprintf(username, sizeof username, "%s:peer", ice_agent_ufrag(w.agent));
    struct stun_writer writer;
    stun_begin(&writer, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1);
    data[writer.size - 8] = 0x7a; /* PRIORITY becomes 0x7a24 */
    assert_int_equal(stun_finish(&writer, ice_agent_pwd(w.agent)), OW_OK);
    assert_int_equal(ice_agent_receive(w.agent, 0, &w.peer, data, writer.size), OW_OK);
    drain(&w);
    assert_int_equal(w.last_error, STUN_ERROR_UNKNOWN_ATTRIBUTE);
    assert_false(ice_agent_is_validated(w.agent, &w.peer));
    ice_agent_destroy(&w.agent);
}

static void candidates_are_bounded_and_sane(void **state)
{
    (void)state;
    static const char *const bad[] = {"0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"};
    struct world w;
    open_world(&w, false);
    struct sdp_candidate candidate = {.priority = 1, .type = "host"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        candidate.address = at(bad[i], 9);
        assert_int_equal(ice_agent_add_remote_candidate(w.agent, &candidate), OW_EINVAL);
    }
    candidate.address = at("192.0.2.1", 0);
    assert_int_equal(ice_agent_add_remote_candidate(w.agent, &candidate), OW_EINVAL);
    int taken = 0;
    for (int port = 1; port <= 1000; port++) {
        candidate.address = at("192.0.2.1", port);
        int err = ice_agent_add_remote_candidate(w.agent, &candidate);
        assert_true(err == OW_OK || err == OW_ELIMIT);
        taken += err == OW_OK;
    }
    assert_in_range(taken, SDP_MAX_CANDIDATES, 64);
    assert_true(run(&w, SECOND, ICE_CONNECTED)); /* a learned address still finds room */
    ice_agent_destroy(&w.agent);
}

static void peeks_at_the_user_fragment(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, false);
    uint8_t data[400];
    char ufrag[ICE_UFRAG_CHARS + 1];
    size_t size = write_request(&w, data, ice_agent_ufrag(w.agent), "whatever", false);
    assert_true(ice_is_stun(data, size));
    assert_int_equal(ice_peek_local_ufrag(data, size, ufrag, sizeof ufrag), OW_OK);
    assert_string_equal(ufrag, ice_agent_ufrag(w.agent));
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(ice_peek_local_ufrag(data, cut, ufrag, sizeof ufrag), OW_EPARSE);
    assert_int_equal(ice_peek_local_ufrag(data, size, ufrag, ICE_UFRAG_CHARS), OW_EPARSE);
    data[4] = 0;
    assert_false(ice_is_stun(data, size));
    ice_agent_destroy(&w.agent);
}

static void equal_seeds_give_equal_agents(void **state)
{
    (void)state;
    struct world a, b;
    open_world(&a, false);
    open_world(&b, false);
    a.loss = b.loss = 0.4;
    run(&a, 20 * SECOND, ICE_NEW);
    run(&b, 20 * SECOND, ICE_NEW);
    assert_string_equal(ice_agent_pwd(a.agent), ice_agent_pwd(b.agent));
    assert_true(a.requests_seen > 0);
    assert_int_equal(a.requests_seen, b.requests_seen);
    assert_int_equal(a.responses_seen, b.responses_seen);
    assert_true(ice_agent_deadline(a.agent) == ice_agent_deadline(b.agent));
    ice_agent_destroy(&a.agent);
    ice_agent_destroy(&b.agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_at_once),
        cmocka_unit_test(learns_an_address_nobody_offered),
        cmocka_unit_test(connects_through_loss),
        cmocka_unit_test(paces_and_repeats_checks),
        cmocka_unit_test(gives_up_after_thirty_seconds),
        cmocka_unit_test(consent_is_asked_for_and_expires),
        cmocka_unit_test(comes_back_from_silence),
        cmocka_unit_test(follows_a_peer_that_moves),
        cmocka_unit_test(prefers_the_nominated_pair),
        cmocka_unit_test(loser_of_a_role_conflict_takes_the_other_role),
        cmocka_unit_test(lite_peer_is_nominated),
        cmocka_unit_test(lite_only_answers),
        cmocka_unit_test(strangers_change_nothing),
        cmocka_unit_test(an_answer_from_elsewhere_proves_nothing),
        cmocka_unit_test(unknown_mandatory_attribute_is_told),
        cmocka_unit_test(candidates_are_bounded_and_sane),
        cmocka_unit_test(peeks_at_the_user_fragment),
        cmocka_unit_test(equal_seeds_give_equal_agents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
