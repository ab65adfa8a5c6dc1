/* Several paths to one peer: TCP and relay beside UDP, paths that close, ICE restart, and a viewer
 * that changes its network. The peer is a browser reduced to its checks. */
#include "rtc/ice.h"
#include "rtc/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000, STEP = 5000, MAX_PATHS = 4 };

struct credentials {
    char local_ufrag[16], local_pwd[32], remote_ufrag[16], remote_pwd[32];
};

/* Where the peer is, by one of its sockets. */
struct path {
    struct address address;
    bool up, checks, nominates;
    int64_t next_check, period;
    const struct credentials *credentials;
    int requests; /* of ours that arrived */
    int responses;
};

struct world {
    struct random_source random;
    struct ice_agent *agent;
    int64_t now;
    struct credentials generation[3];
    struct path path[MAX_PATHS];
    int path_count;
    int strays; /* what went where no path is */
};

static struct address at(const char *ip, int port, enum address_transport transport)
{
    struct address address;
    assert_int_equal(address_parse(&address, ip, (uint16_t)port), OW_OK);
    address.transport = (uint8_t)transport;
    return address;
}

/* What both sides know after the exchange. */
static void take_credentials(struct world *w, int generation)
{
    struct credentials *c = &w->generation[generation];
    snprintf(c->local_ufrag, sizeof c->local_ufrag, "%s", ice_agent_ufrag(w->agent));
    snprintf(c->local_pwd, sizeof c->local_pwd, "%s", ice_agent_pwd(w->agent));
    snprintf(c->remote_ufrag, sizeof c->remote_ufrag, "peer%d", generation);
    snprintf(c->remote_pwd, sizeof c->remote_pwd, "peerpeerpeerpeerpeer2%d", generation);
}

static void open_world(struct world *w)
{
    *w = (struct world){.now = 0};
    random_seeded(&w->random, 9);
    struct ice_settings settings = {
        .remote_ufrag = "peer0", .remote_pwd = "peerpeerpeerpeerpeer20", .random = &w->random};
    assert_int_equal(ice_agent_create(&w->agent, &settings, 0), OW_OK);
    take_credentials(w, 0);
}

static struct path *add_path(struct world *w, struct address address, int generation)
{
    assert_true(w->path_count < MAX_PATHS);
    struct path *path = &w->path[w->path_count++];
    *path = (struct path){.address = address,
                          .up = true,
                          .checks = true,
                          .next_check = w->now,
                          .period = SECOND / 2,
                          .credentials = &w->generation[generation]};
    return path;
}

static int offer(struct world *w, struct address address, uint32_t priority)
{
    struct sdp_candidate candidate = {.address = address, .priority = priority, .type = "host"};
    return ice_agent_add_remote_candidate(w->agent, &candidate);
}

static int send_check(struct world *w, struct path *path)
{
    uint8_t data[400], transaction[12];
    char username[64];
    const struct credentials *c = path->credentials;
    w->random.fill(&w->random, transaction, sizeof transaction);
    snprintf(username, sizeof username, "%s:%s", c->local_ufrag, c->remote_ufrag);
    struct stun_writer writer;
    stun_begin(&writer, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_username(&writer, username);
    stun_put_priority(&writer, 1853824767);
    stun_put_role(&writer, STUN_ROLE_CONTROLLING, 1);
    if (path->nominates)
        stun_put_use_candidate(&writer);
    assert_int_equal(stun_finish(&writer, c->local_pwd), OW_OK);
    return ice_agent_receive(w->agent, w->now, &path->address, data, writer.size);
}

/* Of a request: which generation it was made for; answered in kind. */
static void peer_receive(struct world *w, struct path *path, const uint8_t *data, size_t size)
{
    struct stun_message m;
    assert_int_equal(stun_parse(&m, data, size), OW_OK);
    const struct credentials *c = path->credentials;
    if (m.class != STUN_REQUEST) {
        assert_int_equal(stun_verify(&m, c->local_pwd, strlen(c->local_pwd)), OW_OK);
        path->responses++;
        return;
    }
    char expected[64];
    int length = snprintf(expected, sizeof expected, "%s:%s", c->remote_ufrag, c->local_ufrag);
    if (m.username_size != (size_t)length || memcmp(m.username, expected, m.username_size) != 0)
        return; /* of another generation: not for this socket */
    assert_int_equal(stun_verify(&m, c->remote_pwd, strlen(c->remote_pwd)), OW_OK);
    path->requests++;
    uint8_t answer[200];
    struct stun_writer writer;
    stun_begin(&writer, answer, sizeof answer, STUN_SUCCESS, m.transaction);
    stun_put_xor_mapped(&writer, &path->address);
    assert_int_equal(stun_finish(&writer, c->remote_pwd), OW_OK);
    assert_int_equal(ice_agent_receive(w->agent, w->now, &path->address, answer, writer.size),
                     OW_OK);
}

static void drain(struct world *w)
{
    uint8_t data[ICE_MAX_DATAGRAM];
    size_t size;
    struct address to;
    while (ice_agent_poll(w->agent, &to, data, &size) == OW_OK) {
        bool found = false;
        for (int i = 0; i < w->path_count; i++) {
            if (!address_equal(&w->path[i].address, &to))
                continue;
            found = true;
            if (w->path[i].up)
                peer_receive(w, &w->path[i], data, size);
        }
        w->strays += !found;
    }
}

/* Until `until`, or until the path is in use. True when it is. */
static bool run(struct world *w, int64_t until, const struct path *goal)
{
    for (; w->now < until; w->now += STEP) {
        if (ice_agent_deadline(w->agent) <= w->now)
            ice_agent_handle_timeout(w->agent, w->now);
        assert_true(ice_agent_deadline(w->agent) > w->now);
        drain(w);
        for (int i = 0; i < w->path_count; i++) {
            struct path *path = &w->path[i];
            if (!path->up || !path->checks || w->now < path->next_check)
                continue;
            (void)send_check(w, path);
            path->next_check = w->now + path->period;
            drain(w);
        }
        const struct address *selected = ice_agent_selected(w->agent);
        if (goal && selected && address_equal(selected, &goal->address))
            return true;
    }
    return false;
}

static bool uses(const struct world *w, const struct path *path)
{
    const struct address *selected = ice_agent_selected(w->agent);
    return selected && address_equal(selected, &path->address);
}

/* ---- transports ---- */

static void tcp_is_learned_and_never_offered(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_int_equal(offer(&w, at("192.0.2.1", 9, ADDRESS_TCP), 5), OW_EINVAL);
    assert_int_equal(offer(&w, at("192.0.2.1", 9, ADDRESS_RELAY), 5), OW_EINVAL);
    struct path *tcp = add_path(&w, at("192.0.2.1", 50000, ADDRESS_TCP), 0);
    tcp->nominates = true;
    assert_true(run(&w, SECOND, tcp));
    assert_true(tcp->requests > 0 && tcp->responses > 0);
    assert_true(ice_agent_is_validated(w.agent, &tcp->address));
    struct address udp = tcp->address;
    udp.transport = ADDRESS_UDP;
    assert_false(ice_agent_is_validated(w.agent, &udp)); /* the same numbers, another path */
    ice_agent_destroy(&w.agent);
}

static void udp_is_preferred_to_tcp_to_relay(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *relay = add_path(&w, at("192.0.2.1", 50000, ADDRESS_RELAY), 0);
    assert_true(run(&w, SECOND, relay));
    struct path *tcp = add_path(&w, at("192.0.2.1", 50000, ADDRESS_TCP), 0);
    assert_true(run(&w, 2 * SECOND, tcp));
    struct path *udp = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    assert_true(run(&w, 3 * SECOND, udp));
    run(&w, 20 * SECOND, NULL);
    assert_true(uses(&w, udp));
    assert_int_equal(w.strays, 0);
    ice_agent_destroy(&w.agent);
}

static void a_candidate_is_tried_through_the_relay_when_direct_fails(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct address direct = at("192.0.2.1", 50000, ADDRESS_UDP);
    assert_int_equal(offer(&w, direct, sdp_host_priority(0)), OW_OK);
    run(&w, SECOND, NULL);
    int strays = w.strays;
    assert_true(strays > 0); /* nobody is there directly */
    struct path *relay = add_path(&w, at("192.0.2.1", 50000, ADDRESS_RELAY), 0);
    relay->checks = false; /* its checks reach nobody before the relay was asked to let it in */
    run(&w, 2 * SECOND, NULL);
    assert_int_equal(relay->requests, 0);
    ice_agent_set_relay(w.agent, w.now, true);
    assert_true(run(&w, w.now + SECOND, relay));
    /* A later candidate gets both at once. */
    assert_int_equal(offer(&w, at("192.0.2.7", 50000, ADDRESS_UDP), 5), OW_OK);
    ice_agent_destroy(&w.agent);
}

static void the_relay_is_left_alone_while_a_direct_path_serves(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    ice_agent_set_relay(w.agent, 0, true);
    struct path *direct = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    struct path *relay = add_path(&w, at("192.0.2.1", 50000, ADDRESS_RELAY), 0);
    direct->nominates = true;
    relay->checks = false;
    assert_int_equal(offer(&w, direct->address, sdp_host_priority(0)), OW_OK);
    run(&w, 20 * SECOND, NULL);
    assert_true(uses(&w, direct));
    assert_int_equal(relay->requests, 0);
    /* The direct path dies: now it is worth asking. */
    direct->up = false;
    assert_true(run(&w, 30 * SECOND, relay));
    ice_agent_destroy(&w.agent);
}

static void a_relay_that_is_gone(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    ice_agent_set_relay(w.agent, 0, true);
    struct path *relay = add_path(&w, at("192.0.2.1", 50000, ADDRESS_RELAY), 0);
    relay->nominates = true;
    assert_true(run(&w, SECOND, relay));
    ice_agent_set_relay(w.agent, w.now, false);
    assert_null(ice_agent_selected(w.agent));
    assert_int_equal(ice_agent_state(w.agent), ICE_DISCONNECTED);
    assert_false(ice_agent_is_validated(w.agent, &relay->address));
    ice_agent_destroy(&w.agent);
}

/* ---- paths that close ---- */

static void another_path_takes_over_from_a_closed_one_at_once(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *tcp = add_path(&w, at("192.0.2.1", 50000, ADDRESS_TCP), 0);
    tcp->nominates = true;
    assert_true(run(&w, SECOND, tcp));
    struct path *second = add_path(&w, at("192.0.2.1", 50001, ADDRESS_TCP), 0);
    run(&w, 2 * SECOND, NULL);
    assert_true(uses(&w, tcp));
    tcp->up = false;
    ice_agent_forget(w.agent, w.now, &tcp->address);
    assert_true(uses(&w, second));
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    assert_false(ice_agent_is_validated(w.agent, &tcp->address));
    ice_agent_destroy(&w.agent);
}

static void the_only_path_closes_and_comes_back(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *tcp = add_path(&w, at("192.0.2.1", 50000, ADDRESS_TCP), 0);
    tcp->nominates = true;
    assert_true(run(&w, SECOND, tcp));
    tcp->up = false;
    ice_agent_forget(w.agent, w.now, &tcp->address);
    assert_null(ice_agent_selected(w.agent));
    assert_int_equal(ice_agent_state(w.agent), ICE_DISCONNECTED);
    run(&w, 10 * SECOND, NULL);
    assert_int_equal(ice_agent_state(w.agent), ICE_DISCONNECTED);
    assert_int_equal(w.strays, 0);
    struct path *again = add_path(&w, at("192.0.2.1", 50002, ADDRESS_TCP), 0);
    again->nominates = true;
    assert_true(run(&w, 11 * SECOND, again));
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);

    again->up = false;
    ice_agent_forget(w.agent, w.now, &again->address);
    run(&w, w.now + 29 * SECOND, NULL);
    assert_int_equal(ice_agent_state(w.agent), ICE_DISCONNECTED);
    run(&w, w.now + 2 * SECOND, NULL);
    assert_int_equal(ice_agent_state(w.agent), ICE_FAILED);
    ice_agent_destroy(&w.agent);
}

static void a_forgotten_candidate_is_not_checked_any_more(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *path = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    path->checks = false;
    assert_int_equal(offer(&w, path->address, 5), OW_OK);
    ice_agent_forget(w.agent, 0, &path->address);
    run(&w, 10 * SECOND, NULL);
    assert_int_equal(path->requests, 0);
    path->checks = true; /* but when it speaks, it is heard */
    assert_true(run(&w, 11 * SECOND, path));
    ice_agent_destroy(&w.agent);
}

/* ---- the viewer moves ---- */

/* The old path goes silent without a word, the new one is nominated by the browser. */
static void a_new_network_takes_over_quickly(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *wifi = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    wifi->nominates = true;
    assert_true(run(&w, SECOND, wifi));
    run(&w, 20 * SECOND, NULL);
    wifi->up = false;
    run(&w, w.now + 2 * SECOND, NULL);
    struct path *mobile = add_path(&w, at("198.51.100.1", 6000, ADDRESS_UDP), 0);
    mobile->nominates = true;
    int64_t from = w.now;
    assert_true(run(&w, from + 2 * SECOND, mobile));
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    ice_agent_destroy(&w.agent);
}

/* The browser moves while the old path still works, and nominates with every check. */
static void a_change_of_mind_of_the_browser_is_followed(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *first = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    first->nominates = true;
    assert_true(run(&w, SECOND, first));
    struct path *second = add_path(&w, at("198.51.100.1", 6000, ADDRESS_TCP), 0);
    run(&w, 5 * SECOND, NULL);
    assert_true(uses(&w, first));
    first->nominates = false;
    second->nominates = true;
    int64_t from = w.now;
    assert_true(run(&w, from + 5 * SECOND, second)); /* one consent interval */
    assert_true(w.now - from <= 2 * SECOND);
    run(&w, from + 30 * SECOND, NULL);
    assert_true(uses(&w, second));
    ice_agent_destroy(&w.agent);
}

/* Two paths that work, of which the first is nominated. */
static void open_two_paths(struct world *w, struct path **first, struct path **second)
{
    open_world(w);
    *first = add_path(w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    (*first)->nominates = true;
    assert_true(run(w, SECOND, *first));
    *second = add_path(w, at("192.0.2.1", 50001, ADDRESS_UDP), 0);
    run(w, 5 * SECOND, NULL);
    assert_true(uses(w, *first));
}

/* Without a nomination the old path is asked first, and followed back when it answers again. */
static void a_new_address_without_nomination_waits_for_the_old_one_to_answer(void **state)
{
    (void)state;
    struct world w;
    struct path *old, *new;
    open_two_paths(&w, &old, &new);
    old->up = false;
    int64_t from = w.now;
    assert_true(run(&w, from + 8 * SECOND, new));
    assert_in_range(w.now - from, 3 * SECOND / 2, 7 * SECOND / 2);
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    run(&w, w.now + 5 * SECOND, NULL);
    assert_true(uses(&w, new));
    old->up = true;
    assert_true(run(&w, w.now + SECOND, old));
    ice_agent_destroy(&w.agent);
}

/* One that has nothing to say of its own, while the other chatters, stays: it answers. */
static void a_quiet_path_that_answers_stays(void **state)
{
    (void)state;
    struct world w;
    struct path *quiet, *other;
    open_two_paths(&w, &quiet, &other);
    quiet->checks = false;
    int asked = quiet->requests;
    while (w.now < 65 * (int64_t)SECOND) {
        run(&w, w.now + SECOND / 10, NULL);
        assert_true(uses(&w, quiet));
    }
    assert_in_range(quiet->requests - asked, 10, 61); /* a minute: not more than one a second */
    ice_agent_destroy(&w.agent);
}

/* A pause as a bad radio link has it moves nothing. */
static void a_short_outage_moves_nothing(void **state)
{
    (void)state;
    struct world w;
    struct path *shaky, *other;
    open_two_paths(&w, &shaky, &other);
    for (int i = 0; i < 10; i++) {
        shaky->up = false;
        run(&w, w.now + 3 * SECOND / 2, NULL);
        assert_true(uses(&w, shaky));
        shaky->up = true;
        run(&w, w.now + 2 * SECOND, NULL);
        assert_true(uses(&w, shaky));
    }
    ice_agent_destroy(&w.agent);
}

/* ---- restart ---- */

static void restart(struct world *w, int generation)
{
    char ufrag[16], pwd[32];
    snprintf(ufrag, sizeof ufrag, "peer%d", generation);
    snprintf(pwd, sizeof pwd, "peerpeerpeerpeerpeer2%d", generation);
    assert_int_equal(ice_agent_generation(w->agent, ufrag, pwd), ICE_GENERATION_NEW);
    assert_int_equal(ice_agent_restart(w->agent, w->now, ufrag, pwd), OW_OK);
    assert_int_equal(ice_agent_generation(w->agent, ufrag, pwd), ICE_GENERATION_PRESENT);
    take_credentials(w, generation);
}

static void restart_keeps_the_old_path_until_the_new_one_works(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *old = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    old->nominates = true;
    assert_true(run(&w, 3 * SECOND, old));
    restart(&w, 1);
    assert_string_not_equal(w.generation[0].local_ufrag, w.generation[1].local_ufrag);
    assert_string_not_equal(w.generation[0].local_pwd, w.generation[1].local_pwd);
    assert_int_equal(ice_agent_generation(w.agent, "peer0", ""), ICE_GENERATION_OLD);
    assert_true(uses(&w, old));
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);

    /* Its consent is still asked for, with the credentials it knows. */
    int asked = old->requests;
    run(&w, w.now + 10 * SECOND, NULL);
    assert_true(uses(&w, old) && old->requests > asked);
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);

    struct path *new = add_path(&w, at("192.0.2.1", 50001, ADDRESS_UDP), 1);
    run(&w, w.now + 2 * SECOND, NULL);
    assert_true(new->requests > 0 && uses(&w, old)); /* it works, but nobody nominated it */
    new->nominates = true;
    assert_true(run(&w, w.now + SECOND, new));

    /* For a while the old credentials are answered, then no more. */
    old->nominates = false;
    int answered = old->responses;
    run(&w, w.now + 2 * SECOND, NULL);
    assert_true(old->responses > answered);
    assert_true(ice_agent_is_validated(w.agent, &old->address));
    run(&w, w.now + 15 * SECOND, NULL);
    assert_int_equal(send_check(&w, old), OW_ENOTFOUND);
    assert_false(ice_agent_is_validated(w.agent, &old->address));
    assert_true(uses(&w, new));
    assert_int_equal(ice_agent_generation(w.agent, "peer0", ""), ICE_GENERATION_NEW);
    ice_agent_destroy(&w.agent);
}

/* A peer with one socket restarts on the very same address. */
static void restart_on_the_same_address(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *path = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    path->nominates = true;
    assert_true(run(&w, 3 * SECOND, path));
    restart(&w, 1);
    path->credentials = &w.generation[1];
    assert_int_equal(offer(&w, path->address, sdp_host_priority(0)), OW_OK);
    path->requests = 0;
    run(&w, w.now + 60 * SECOND, NULL);
    assert_true(path->requests > 5);
    assert_true(uses(&w, path));
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    ice_agent_destroy(&w.agent);
}

static void the_old_path_dies_during_the_restart(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *old = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    old->nominates = true;
    assert_true(run(&w, 3 * SECOND, old));
    old->up = false;
    run(&w, w.now + 9 * SECOND, NULL);
    assert_int_equal(ice_agent_state(w.agent), ICE_DISCONNECTED);
    restart(&w, 1);
    struct path *new = add_path(&w, at("192.0.2.1", 50001, ADDRESS_UDP), 1);
    assert_int_equal(offer(&w, new->address, sdp_host_priority(0)), OW_OK);
    assert_true(run(&w, w.now + SECOND, new)); /* without a nomination: the old one is silent */
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    ice_agent_destroy(&w.agent);
}

static void a_second_restart_before_the_first_has_worked(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct path *old = add_path(&w, at("192.0.2.1", 50000, ADDRESS_UDP), 0);
    old->nominates = true;
    assert_true(run(&w, 3 * SECOND, old));
    restart(&w, 1);
    struct path *lost = add_path(&w, at("192.0.2.1", 50001, ADDRESS_UDP), 1);
    run(&w, w.now + SECOND, NULL);
    lost->up = false;
    restart(&w, 2);
    run(&w, w.now + 10 * SECOND, NULL);
    assert_true(uses(&w, old)); /* still consented, by the first credentials */
    assert_int_equal(ice_agent_state(w.agent), ICE_CONNECTED);
    struct path *new = add_path(&w, at("192.0.2.1", 50002, ADDRESS_UDP), 2);
    new->nominates = true;
    assert_true(run(&w, w.now + SECOND, new));
    ice_agent_destroy(&w.agent);
}

static void a_failed_agent_lives_again(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    run(&w, 31 * SECOND, NULL);
    assert_int_equal(ice_agent_state(w.agent), ICE_FAILED);
    restart(&w, 1);
    struct path *new = add_path(&w, at("192.0.2.1", 50001, ADDRESS_UDP), 1);
    assert_true(run(&w, w.now + SECOND, new));
    ice_agent_close(w.agent);
    assert_int_equal(ice_agent_restart(w.agent, w.now, "ufrag", "password"), OW_ESTATE);
    ice_agent_destroy(&w.agent);
}

static void a_restart_with_bad_credentials_changes_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_int_equal(ice_agent_restart(w.agent, 0, "", "peerpeerpeerpeerpeer21"), OW_EINVAL);
    assert_int_equal(ice_agent_restart(w.agent, 0, "peer", ""), OW_EINVAL);
    assert_string_equal(ice_agent_ufrag(w.agent), w.generation[0].local_ufrag);
    assert_int_equal(ice_agent_generation(w.agent, "peer0", "other password of this peer"),
                     ICE_GENERATION_NEW);
    assert_int_equal(ice_agent_generation(w.agent, "", ""), ICE_GENERATION_PRESENT);
    assert_int_equal(ice_agent_generation(w.agent, "peer", ""), ICE_GENERATION_NEW);
    assert_int_equal(ice_agent_generation(w.agent, "peer0", ""), ICE_GENERATION_PRESENT);
    ice_agent_destroy(&w.agent);
}

/* Offers, restarts, losses without end: the table stays bounded and the time goes on. */
static void any_order_of_changes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct world w;
        open_world(&w);
        random_seeded(&w.random, 1000 + seed);
        for (int i = 0; i < 400 && ice_agent_state(w.agent) != ICE_FAILED; i++) {
            uint32_t dice = random_u32(&w.random);
            struct address address =
                at("192.0.2.1", 1 + (int)(dice >> 8) % 40, (enum address_transport)(dice >> 4 & 1));
            struct path path = {.address = address,
                                .nominates = dice >> 5 & 1,
                                .credentials = &w.generation[dice >> 6 & 1]};
            switch (dice % 8) {
            case 0:
                (void)offer(&w, address, dice | 1);
                break;
            case 1:
                ice_agent_set_relay(w.agent, w.now, dice >> 7 & 1);
                break;
            case 2:
                ice_agent_forget(w.agent, w.now, &address);
                break;
            case 3:
                w.generation[0] = w.generation[1];
                assert_int_equal(
                    ice_agent_restart(w.agent, w.now, "peer1", "peerpeerpeerpeerpeer21"), OW_OK);
                take_credentials(&w, 1);
                break;
            default:
                if (path.credentials->local_ufrag[0])
                    (void)send_check(&w, &path);
            }
            w.path_count = 0;
            drain(&w); /* answers to nobody */
            if (dice >> 9 & 1) {
                w.path[w.path_count++] = path;
                w.path[0].up = true;
            }
            run(&w, w.now + (dice >> 10) % 3 * SECOND / 4, NULL);
        }
        ice_agent_destroy(&w.agent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_is_learned_and_never_offered),
        cmocka_unit_test(udp_is_preferred_to_tcp_to_relay),
        cmocka_unit_test(a_candidate_is_tried_through_the_relay_when_direct_fails),
        cmocka_unit_test(the_relay_is_left_alone_while_a_direct_path_serves),
        cmocka_unit_test(a_relay_that_is_gone),
        cmocka_unit_test(another_path_takes_over_from_a_closed_one_at_once),
        cmocka_unit_test(the_only_path_closes_and_comes_back),
        cmocka_unit_test(a_forgotten_candidate_is_not_checked_any_more),
        cmocka_unit_test(a_new_network_takes_over_quickly),
        cmocka_unit_test(a_change_of_mind_of_the_browser_is_followed),
        cmocka_unit_test(a_new_address_without_nomination_waits_for_the_old_one_to_answer),
        cmocka_unit_test(a_quiet_path_that_answers_stays),
        cmocka_unit_test(a_short_outage_moves_nothing),
        cmocka_unit_test(restart_keeps_the_old_path_until_the_new_one_works),
        cmocka_unit_test(restart_on_the_same_address),
        cmocka_unit_test(the_old_path_dies_during_the_restart),
        cmocka_unit_test(a_second_restart_before_the_first_has_worked),
        cmocka_unit_test(a_failed_agent_lives_again),
        cmocka_unit_test(a_restart_with_bad_credentials_changes_nothing),
        cmocka_unit_test(any_order_of_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
