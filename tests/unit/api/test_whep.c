/* WHEP by its statuses and fields (draft-ietf-wish-whep, RFC 9725), and the trickling of our page.
 */
#include "api_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SDP_TYPE "Content-Type: application/sdp\r\n"
#define FRAGMENT_TYPE "Content-Type: application/trickle-ice-sdpfrag\r\n"

static const char trickle[] =
    "a=ice-ufrag:peer\r\na=ice-pwd:peerpasswordpeerpassword\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\n"
    "a=candidate:1 1 udp 2113937151 127.0.0.1 40000 typ host\r\na=end-of-candidates\r\n";
static const char restart[] = "a=ice-ufrag:anew\r\na=ice-pwd:anotherpasswordpasswor\r\n"
                              "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\n";

static int status_of(const char *method, const char *path, const char *body, const char *fields)
{
    struct raw_answer answer;
    raw_request(fixture_port(), method, path, body, fields, &answer);
    int status = answer.status;
    if (status >= 400) {
        json_t *json = json_loads(answer.body, 0, NULL);
        assert_true(json_string_length(json_object_get(json, "detail")) > 10);
        json_decref(json);
    }
    raw_free(&answer);
    return status;
}

/* The value of a field of an answer. */
static void field(const struct raw_answer *answer, const char *name, char out[128])
{
    char start[64];
    snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *at = strstr(answer->headers, start);
    if (!at)
        fail_msg("there is no %s", name);
    at += strlen(start);
    snprintf(out, 128, "%.*s", (int)strcspn(at, "\r"), at);
}

struct session {
    char location[128], tag[128];
};

static void open_session(struct session *out)
{
    struct raw_answer answer;
    raw_request(fixture_port(), "POST", "/whep/v", fixture_offer, SDP_TYPE, &answer);
    assert_int_equal(answer.status, 201);
    field(&answer, "Location", out->location);
    field(&answer, "ETag", out->tag);
    raw_free(&answer);
}

static int patch(const struct session *session, const char *body, const char *if_match)
{
    char fields[512];
    snprintf(fields, sizeof fields, FRAGMENT_TYPE "%s%s%s", if_match ? "If-Match: " : "",
             if_match ? if_match : "", if_match ? "\r\n" : "");
    return status_of("PATCH", session->location, body, fields);
}

static void an_offer_gets_a_session(void **state)
{
    (void)state;
    struct raw_answer answer;
    char value[128];
    raw_request(fixture_port(), "POST", "/whep/v", fixture_offer,
                "Content-Type: Application/SDP; charset=utf-8\r\n", &answer);
    assert_int_equal(answer.status, 201);
    assert_non_null(strstr(answer.body, "a=setup:passive"));
    field(&answer, "Content-Type", value);
    assert_string_equal(value, "application/sdp");
    field(&answer, "Location", value);
    assert_int_equal(strncmp(value, "/whep/v/", 8), 0);
    assert_int_equal(strlen(value), 8 + 32);
    field(&answer, "ETag", value);
    assert_true(strlen(value) > 4 && value[0] == '"' && value[strlen(value) - 1] == '"');
    field(&answer, "Accept-Patch", value);
    assert_string_equal(value, "application/trickle-ice-sdpfrag");
    assert_non_null(strstr(answer.headers, "<stun:192.0.2.1:3478>; rel=\"ice-server\"\r\n"));
    assert_non_null(strstr(answer.headers, "<turn:192.0.2.1:3478>; rel=\"ice-server\"; username="));
    assert_non_null(strstr(answer.headers, "credential-type=\"password\""));
    assert_non_null(strstr(answer.headers, "Access-Control-Expose-Headers: Location, ETag, Link"));
    assert_null(strstr(answer.headers, fixture_secret));
    raw_free(&answer);
}

static void other_offers_are_refused(void **state)
{
    (void)state;
    static const char vp9[] =
        "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:peer\r\n"
        "a=ice-pwd:peerpasswordpeerpassword\r\na=fingerprint:sha-256 "
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:"
        "DD:EE:FF\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
        "a=rtpmap:98 VP9/90000\r\n";
    assert_int_equal(status_of("POST", "/whep/v", fixture_offer, NULL), 415);
    assert_int_equal(status_of("POST", "/whep/v", "{}", "Content-Type: application/json\r\n"), 415);
    assert_int_equal(
        status_of("POST", "/whep/v", fixture_offer, "Content-Type: application/sdpx\r\n"), 415);
    assert_int_equal(status_of("POST", "/whep/none", fixture_offer, SDP_TYPE), 404);
    assert_int_equal(status_of("POST", "/whep/v", "", NULL), 400);
    assert_int_equal(status_of("POST", "/whep/v", "", SDP_TYPE), 400);
    assert_int_equal(status_of("POST", "/whep/v", "not sdp", SDP_TYPE), 400);
    assert_int_equal(status_of("POST", "/whep/v", vp9, SDP_TYPE), 406);
    assert_int_equal(status_of("GET", "/whep/v", NULL, NULL), 405);
    assert_int_equal(status_of("PUT", "/whep/v", "x", SDP_TYPE), 405);
    char *large = malloc(70000);
    memset(large, 'a', 69999);
    large[69999] = '\0';
    assert_int_equal(status_of("POST", "/whep/v", large, SDP_TYPE), 413);
    free(large);
}

static void too_many_viewers_are_asked_to_wait(void **state)
{
    (void)state;
    struct raw_answer answer;
    char value[128];
    int status = 201;
    /* As many not yet connected ones as one address may have, and one more. */
    for (int i = 0; i < 100 && status == 201; i++) {
        raw_request(fixture_port(), "POST", "/whep/v", fixture_offer, SDP_TYPE, &answer);
        status = answer.status;
        if (status != 201) {
            field(&answer, "Retry-After", value);
            assert_true(atoi(value) > 0);
        }
        raw_free(&answer);
    }
    assert_int_equal(status, 503);
    json_decref(fixture_call("POST", "/api/webrtc/cleanup", NULL, 200));
}

static void pages_ask_first(void **state)
{
    (void)state;
    struct raw_answer answer;
    char value[128];
    raw_request(fixture_port(), "OPTIONS", "/whep/v", NULL, NULL, &answer);
    assert_int_equal(answer.status, 204);
    field(&answer, "Accept-Post", value);
    assert_string_equal(value, "application/sdp");
    raw_free(&answer);
    raw_request(fixture_port(), "OPTIONS", "/whep/v", NULL, "Origin: http://evil.example\r\n",
                &answer);
    assert_int_equal(answer.status, 403);
    assert_null(strstr(answer.headers, "Access-Control-Allow-Origin"));
    raw_free(&answer);
    raw_request(fixture_port(), "OPTIONS", "/whep/v", NULL, "Origin: http://friend.example\r\n",
                &answer);
    assert_int_equal(answer.status, 204);
    field(&answer, "Access-Control-Allow-Origin", value);
    assert_string_equal(value, "http://friend.example");
    field(&answer, "Access-Control-Allow-Headers", value);
    assert_non_null(strstr(value, "if-match"));
    field(&answer, "Access-Control-Allow-Methods", value);
    assert_non_null(strstr(value, "PATCH, DELETE"));
    raw_free(&answer);
}

static void a_patch_must_name_the_ice_session(void **state)
{
    (void)state;
    struct session session;
    open_session(&session);
    assert_int_equal(patch(&session, trickle, NULL), 428);
    assert_int_equal(patch(&session, trickle, "\"other\""), 412);
    char weak[160];
    snprintf(weak, sizeof weak, "W/%s", session.tag);
    assert_int_equal(patch(&session, trickle, weak), 412); /* RFC 9110, 13.1.1: strong comparison */
    char list[300];
    snprintf(list, sizeof list, "\"other\", %s", session.tag);
    assert_int_equal(patch(&session, trickle, list), 204);
    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(patch(&session, trickle, longer), 412);
    assert_int_equal(status_of("PATCH", session.location, trickle, SDP_TYPE), 415);
    assert_int_equal(patch(&session, trickle, session.tag), 204);
    assert_int_equal(patch(&session, trickle, "*"), 204); /* the same credentials: no restart */
    assert_int_equal(patch(&session, "nonsense", session.tag), 400);
    assert_int_equal(status_of("DELETE", session.location, NULL, NULL), 200);
}

static void a_restart_gets_a_new_tag(void **state)
{
    (void)state;
    struct session session;
    struct raw_answer answer;
    char tag[128], value[128];
    open_session(&session);
    raw_request(fixture_port(), "PATCH", session.location, restart, FRAGMENT_TYPE "If-Match: *\r\n",
                &answer);
    assert_int_equal(answer.status, 200);
    field(&answer, "ETag", tag);
    assert_string_not_equal(tag, session.tag);
    field(&answer, "Content-Type", value);
    assert_string_equal(value, "application/trickle-ice-sdpfrag");
    assert_non_null(strstr(answer.body, "a=ice-ufrag:"));
    assert_non_null(strstr(answer.body, "a=ice-pwd:"));
    raw_free(&answer);
    /* What was found for the ICE session before comes too late. */
    assert_int_equal(patch(&session, trickle, session.tag), 412);
    assert_int_equal(patch(&session, restart, tag), 204);
    assert_int_equal(status_of("DELETE", session.location, NULL, NULL), 200);
}

static void what_is_deleted_is_gone(void **state)
{
    (void)state;
    struct session session;
    char elsewhere[512];
    open_session(&session);
    snprintf(elsewhere, sizeof elsewhere, "/whep/other/%s", session.location + 8);
    assert_int_equal(status_of("DELETE", elsewhere, NULL, NULL), 404);
    assert_int_equal(status_of("DELETE", session.location, NULL, NULL), 200);
    assert_int_equal(status_of("DELETE", session.location, NULL, NULL), 404);
    assert_int_equal(patch(&session, trickle, session.tag), 404);
    assert_int_equal(status_of("DELETE", "/whep/v/unknown", NULL, NULL), 404);
    /* Closed by another way. */
    open_session(&session);
    json_decref(fixture_call("POST", "/api/webrtc/cleanup", NULL, 200));
    assert_int_equal(patch(&session, trickle, session.tag), 404);
}

/* The tags of those that left without a word are forgotten, those of the others are not. */
static void many_come_and_go(void **state)
{
    (void)state;
    struct session stays, session;
    open_session(&stays);
    for (int i = 0; i < 300; i++) {
        char path[300];
        open_session(&session);
        snprintf(path, sizeof path, "/api/webrtc/close/v?session_id=%s", session.location + 8);
        json_decref(fixture_call("POST", path, NULL, 200));
    }
    assert_int_equal(patch(&session, trickle, session.tag), 404);
    assert_int_equal(patch(&stays, trickle, stays.tag), 204);
    assert_int_equal(status_of("DELETE", stays.location, NULL, NULL), 200);
}

static void our_page_trickles_and_asks_how_far_it_is(void **state)
{
    (void)state;
    char path[256];
    json_t *offer =
        json_pack("{s:s, s:s, s:s}", "node_id", "v", "type", "offer", "sdp", fixture_offer);
    char *body = json_dumps(offer, 0);
    json_t *answer = fixture_call("POST", "/api/webrtc/offer", body, 200);
    snprintf(path, sizeof path, "/api/webrtc/sessions/%s",
             json_string_value(json_object_get(answer, "session_id")));
    assert_int_equal(status_of("PATCH", path, trickle, SDP_TYPE), 415);
    assert_int_equal(status_of("PATCH", path, trickle, FRAGMENT_TYPE), 204);
    assert_int_equal(status_of("PATCH", path, restart, FRAGMENT_TYPE), 200);
    assert_int_equal(status_of("PATCH", "/api/webrtc/sessions/none", trickle, FRAGMENT_TYPE), 404);
    json_t *status = fixture_call("GET", path, NULL, 200);
    assert_string_equal(json_string_value(json_object_get(status, "step")), "offer");
    assert_true(json_string_length(json_object_get(status, "advice")) > 20);
    assert_true(json_is_false(json_object_get(status, "closed")));
    json_t *connection = json_object_get(status, "connection");
    assert_string_equal(json_string_value(json_object_get(connection, "step")), "offer");
    assert_true(json_is_number(json_object_get(connection, "queue_delay_ms")));
    json_t *rendition = json_object_get(connection, "rendition");
    assert_string_equal(json_string_value(json_object_get(rendition, "codec")), "h264");
    json_decref(status);
    json_decref(fixture_call("POST", "/api/webrtc/close/v", NULL, 200));
    status = fixture_call("GET", path, NULL, 200);
    assert_true(json_is_true(json_object_get(status, "closed")));
    assert_true(json_string_length(json_object_get(status, "reason")) > 0);
    json_decref(status);
    fixture_expect("GET", "/api/webrtc/sessions/none", NULL, 404);
    json_decref(answer);
    json_decref(offer);
    free(body);
}

static void the_page_is_told_of_ice_servers(void **state)
{
    (void)state;
    json_t *config = fixture_call("GET", "/api/webrtc/config", NULL, 200);
    json_t *servers = json_object_get(config, "iceServers");
    assert_int_equal(json_array_size(servers), 2);
    char *text = json_dumps(config, 0);
    assert_null(strstr(text, fixture_secret));
    free(text);
    json_decref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_gets_a_session),
        cmocka_unit_test(other_offers_are_refused),
        cmocka_unit_test(too_many_viewers_are_asked_to_wait),
        cmocka_unit_test(pages_ask_first),
        cmocka_unit_test(a_patch_must_name_the_ice_session),
        cmocka_unit_test(a_restart_gets_a_new_tag),
        cmocka_unit_test(what_is_deleted_is_gone),
        cmocka_unit_test(many_come_and_go),
        cmocka_unit_test(our_page_trickles_and_asks_how_far_it_is),
        cmocka_unit_test(the_page_is_told_of_ice_servers),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
