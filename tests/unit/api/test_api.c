/* The whole interface over real sockets, with the real runtime showing a test pattern. */
#include "api_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void workflows_run_and_are_described(void **state)
{
    (void)state;
    json_t *json = fixture_call("GET", "/api/workflow-builder/status", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(json, "running_workflows")), 1);
    json_decref(json);
    json_decref(fixture_call("GET", "/api/workflow-builder/t/status", NULL, 200));
    fixture_expect("GET", "/api/workflow-builder/other/status", NULL, 404);
    fixture_expect("POST", "/api/workflow-builder/other/stop", NULL, 404);
    fixture_expect("POST", "/api/workflow-builder/execute", fixture_workflow, 409);
    json = fixture_call(
        "POST", "/api/workflow-builder/execute",
        "{\"id\":\"x\",\"nodes\":[{\"id\":\"n\",\"type\":\"nonsense\"}],\"edges\":[]}", 400);
    assert_true(json_array_size(json_object_get(json, "errors")) > 0);
    json_decref(json);
    fixture_expect("POST", "/api/workflow-builder/execute", "not json", 400);
    json = fixture_call("GET", "/api/views", NULL, 200);
    json_t *view = json_array_get(json_object_get(json, "views"), 0);
    assert_string_equal(json_string_value(json_object_get(view, "node_id")), "v");
    assert_string_equal(json_string_value(json_object_get(view, "workflow_name")), "Gate");
    assert_true(json_is_number(json_object_get(view, "model_ms")));
    json_decref(json);
    json = fixture_call("GET", "/api/workflow-components/node-types", NULL, 200);
    json_decref(json);
}

static void figures_are_there(void **state)
{
    (void)state;
    json_t *json = fixture_call("GET", "/api/workflow-builder/performance", NULL, 200);
    json_t *operations = json_object_get(json, "operations");
    static const char *const names[] = {"model_inference", "xray_visualization", "jpeg_encoding",
                                        "decode",          "h264_encoding",      "packetize_send",
                                        "glass_to_encoder"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(
            json_is_number(json_object_get(json_object_get(operations, names[i]), "p95_ms")));
    assert_true(json_is_array(json_object_get(json, "bottlenecks")));
    static const char *const transports[] = {"webrtc", "websocket"};
    for (size_t i = 0; i < 2; i++) {
        json_t *transport = json_object_get(json_object_get(json, "transports"), transports[i]);
        static const char *const members[] = {"viewers", "fps", "kB_per_s", "frames", "latency_ms"};
        for (size_t k = 0; k < sizeof members / sizeof members[0]; k++)
            assert_true(json_is_number(json_object_get(transport, members[k])));
    }
    json_decref(json);
    json_decref(fixture_call("POST", "/api/workflow-builder/performance/reset", NULL, 200));
    json = fixture_call("GET", "/healthz", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(json, "views")), 1);
    assert_string_equal(json_string_value(json_object_get(json, "version")), "1.2.3");
    assert_true(json_integer_value(json_object_get(json, "now_us")) > 0);
    json_decref(json);
    json = fixture_call("GET", "/api/webrtc/config", NULL, 200);
    assert_true(json_is_array(json_object_get(json, "iceServers")));
    json_decref(json);
}

static void offers_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int status;
    } cases[] = {
        {"", 400},
        {"{}", 400},
        {"{\"node_id\":\"v\",\"type\":\"offer\"}", 400},
        {"{\"node_id\":\"v\",\"type\":\"answer\",\"sdp\":\"v=0\"}", 400},
        {"{\"node_id\":5,\"type\":\"offer\",\"sdp\":\"v=0\"}", 400},
        {"{\"node_id\":\"v\",\"type\":\"offer\",\"sdp\":\"a\\u0000b\"}", 400},
        {"{\"node_id\":\"v\",\"node_id\":\"v\",\"sdp\":\"v=0\"}", 400},
        {"{\"node_id\":\"a\\nb\",\"sdp\":\"v=0\"}", 400},
        {"{\"node_id\":\"none\",\"type\":\"offer\",\"sdp\":\"v=0\"}", 404},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        fixture_expect("POST", "/api/webrtc/offer", cases[i].body, cases[i].status);
    struct raw_answer answer;
    raw_request(fixture_port(), "POST", "/api/webrtc/offer",
                "{\"node_id\":\"v\",\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}", NULL, &answer);
    assert_true(answer.status >= 400 && answer.status < 500);
    raw_free(&answer);
}

/* Nobody is left out of the figures, however many there are; the limits per address are theirs. */
static void every_one_of_many_viewers_is_known(void **state)
{
    (void)state;
    enum { MANY = 1100 };
    static char ids[MANY][33];
    struct address via = {0};
    for (int i = 0; i < MANY; i++) {
        struct media_answer answer;
        struct reason why = {""};
        struct address from = {.family = ADDRESS_IPV4,
                               .ip = {10, 0, (uint8_t)(i / 250), (uint8_t)(i % 250)}};
        assert_int_equal(media_server_offer(fixture_media(), "v", fixture_offer,
                                            strlen(fixture_offer), &via, &from, &answer, &why),
                         OW_OK);
        memcpy(ids[i], answer.session_id, sizeof ids[i]);
        free(answer.sdp);
    }
    json_t *stats = fixture_call("GET", "/api/webrtc/stats", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(stats, "active_connections")), MANY);
    assert_int_equal(json_array_size(json_object_get(stats, "connections")), MANY);
    json_decref(stats);
    for (int i = 0; i < MANY; i += i < MANY - 2 ? 37 : 1) {
        char path[128];
        snprintf(path, sizeof path, "/api/webrtc/sessions/%s", ids[i]);
        json_t *session = fixture_call("GET", path, NULL, 200);
        json_t *connection = json_object_get(session, "connection");
        assert_string_equal(json_string_value(json_object_get(connection, "node_id")), "v");
        json_decref(session);
    }
    json_t *closed = fixture_call("POST", "/api/webrtc/cleanup", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(closed, "closed")), MANY);
    json_decref(closed);
    struct media_viewer_info info;
    assert_int_equal(media_server_viewer(fixture_media(), ids[0], &info), OW_ENOTFOUND);
}

static void an_offer_is_answered_counted_and_closed(void **state)
{
    (void)state;
    json_t *offer =
        json_pack("{s:s, s:s, s:s}", "node_id", "v", "type", "offer", "sdp", fixture_offer);
    char *body = json_dumps(offer, 0), path[128];
    json_t *first = fixture_call("POST", "/api/webrtc/offer", body, 200);
    json_t *second = fixture_call("POST", "/api/webrtc/offer", body, 200);
    assert_string_equal(json_string_value(json_object_get(first, "type")), "answer");
    assert_non_null(strstr(json_string_value(json_object_get(first, "sdp")), "127.0.0.1"));
    json_t *clock = json_object_get(first, "clock");
    assert_true(json_is_integer(json_object_get(clock, "rtp_offset")));
    assert_true(json_integer_value(json_object_get(clock, "now_us")) > 0);
    json_t *stats = fixture_call("GET", "/api/webrtc/stats", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(stats, "active_connections")), 2);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(stats, "connection_ids"), 0)), "v");
    json_decref(stats);
    snprintf(path, sizeof path, "/api/webrtc/close/v?session_id=%s",
             json_string_value(json_object_get(first, "session_id")));
    json_t *closed = fixture_call("POST", path, NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(closed, "closed")), 1);
    json_decref(closed);
    closed = fixture_call("POST", "/api/webrtc/close/v", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(closed, "closed")), 1);
    json_decref(closed);
    closed = fixture_call("POST", "/api/webrtc/cleanup", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(closed, "closed")), 0);
    json_decref(closed);
    json_decref(first);
    json_decref(second);
    json_decref(offer);
    free(body);
}

static json_t *next_message(int fd, const char *type)
{
    for (;;) {
        char *payload = NULL;
        size_t size;
        assert_int_equal(raw_ws_read(fd, &payload, &size), 1);
        json_t *json = json_loads(payload, 0, NULL);
        free(payload);
        assert_non_null(json);
        if (strcmp(json_string_value(json_object_get(json, "type")), type) == 0)
            return json;
        json_decref(json);
    }
}

static void websocket_clients_get_pictures_and_status(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture_port(), "/api/ws", NULL, &status);
    assert_true(fd >= 0);
    raw_ws_send(fd, "{\"type\":\"ping\",\"t\":12.5}");
    json_t *json = next_message(fd, "pong");
    assert_true(json_integer_value(json_object_get(json, "server_us")) > 0);
    assert_true(json_real_value(json_object_get(json, "t")) > 12.4);
    json_decref(json);
    raw_ws_send(fd, "{\"type\":\"nonsense\"}");
    json_decref(next_message(fd, "error"));
    raw_ws_send(fd, "not json");
    json_decref(next_message(fd, "error"));
    raw_ws_send(fd, "{\"type\":\"subscribe\",\"topics\":[\"xray_frame\",\"status_update\"],"
                    "\"filters\":{\"node_id\":\"v\",\"max_fps\":30}}");
    json_decref(next_message(fd, "subscribed"));
    json = next_message(fd, "xray_frame");
    assert_string_equal(json_string_value(json_object_get(json, "node_id")), "v");
    assert_string_equal(json_string_value(json_object_get(json, "workflow_id")), "t");
    assert_int_equal(strncmp(json_string_value(json_object_get(json, "frame_data")), "/9j/", 4), 0);
    assert_true(json_integer_value(json_object_get(json_object_get(json, "resolution"), "width")) >
                0);
    json_decref(json);
    json = next_message(fd, "status_update");
    assert_int_equal(json_integer_value(json_object_get(json, "running_workflows")), 1);
    json_decref(json);
    raw_ws_send(fd, "{\"type\":\"unsubscribe\"}");
    json_decref(next_message(fd, "unsubscribed"));
    close(fd);
}

/* Until the last whole second had pictures in it. */
static void the_websocket_is_metered(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture_port(), "/api/ws", NULL, &status);
    assert_true(fd >= 0);
    raw_ws_send(fd, "{\"type\":\"subscribe\",\"topics\":[\"xray_frame\"]}");
    json_decref(next_message(fd, "subscribed"));
    double fps = 0;
    for (int frames = 0; frames < 400 && fps < 1; frames++) {
        json_decref(next_message(fd, "xray_frame"));
        json_t *json = fixture_call("GET", "/api/workflow-builder/performance", NULL, 200);
        json_t *sent = json_object_get(json_object_get(json, "transports"), "websocket");
        assert_int_equal(json_integer_value(json_object_get(sent, "viewers")), 1);
        assert_true(json_integer_value(json_object_get(sent, "frames")) > 0);
        fps = json_real_value(json_object_get(sent, "fps"));
        double latency_ms = json_real_value(json_object_get(sent, "latency_ms"));
        assert_true(latency_ms >= 0 && latency_ms < 5000);
        if (fps >= 1)
            assert_true(latency_ms > 0 && json_real_value(json_object_get(sent, "kB_per_s")) > 1);
        json_decref(json);
    }
    assert_true(fps >= 1);
    close(fd);
}

static void binary_pictures_have_a_header(void **state)
{
    (void)state;
    int status;
    int fd = raw_websocket(fixture_port(), "/api/ws", NULL, &status);
    assert_true(fd >= 0);
    raw_ws_send(fd, "{\"type\":\"subscribe\",\"topics\":[\"xray_frame\"],\"binary\":true}");
    json_decref(next_message(fd, "subscribed"));
    char *payload = NULL;
    size_t size;
    assert_int_equal(raw_ws_read(fd, &payload, &size), 2);
    const uint8_t *bytes = (const uint8_t *)payload;
    size_t header =
        (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | (size_t)bytes[3];
    assert_true(4 + header + 2 < size);
    json_t *json = json_loadb(payload + 4, header, 0, NULL);
    assert_non_null(json);
    int64_t capture_us = json_integer_value(json_object_get(json, "capture_us"));
    int64_t encoded_us = json_integer_value(json_object_get(json, "encoded_us"));
    int64_t sent_us = json_integer_value(json_object_get(json, "sent_us"));
    assert_true(capture_us > 0 && capture_us <= encoded_us && encoded_us <= sent_us);
    assert_null(json_object_get(json, "frame_data"));
    assert_memory_equal(payload + 4 + header, "\xff\xd8", 2);
    json_decref(json);
    free(payload);
    close(fd);
}

static void snapshots_and_pages(void **state)
{
    (void)state;
    struct raw_answer answer;
    raw_request(fixture_port(), "GET", "/api/video/v/snapshot", NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_memory_equal(answer.body, "\xff\xd8", 2);
    raw_free(&answer);
    fixture_expect("GET", "/api/video/none/snapshot", NULL, 404);
    static const char *const pages[] = {"/", "/view/v"};
    for (int i = 0; i < 2; i++) {
        raw_request(fixture_port(), "GET", pages[i], NULL, NULL, &answer);
        assert_int_equal(answer.status, 503);
        assert_non_null(strstr(answer.body, "not built"));
        raw_free(&answer);
    }
    fixture_expect("GET", "/assets/none.js", NULL, 404);
}

static void stopping_a_workflow_takes_its_views_away(void **state)
{
    (void)state;
    json_decref(fixture_call("POST", "/api/workflow-builder/t/stop", NULL, 200));
    json_t *json = fixture_call("GET", "/api/views", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(json, "views")), 0);
    json_decref(json);
    json_decref(fixture_call("POST", "/api/workflow-builder/execute", fixture_workflow, 200));
    json_decref(fixture_call("POST", "/api/workflow-builder/stop-all", NULL, 200));
    json = fixture_call("GET", "/api/workflow-builder/status", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(json, "running_workflows")), 0);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workflows_run_and_are_described),
        cmocka_unit_test(figures_are_there),
        cmocka_unit_test(offers_are_checked),
        cmocka_unit_test(every_one_of_many_viewers_is_known),
        cmocka_unit_test(an_offer_is_answered_counted_and_closed),
        cmocka_unit_test(websocket_clients_get_pictures_and_status),
        cmocka_unit_test(the_websocket_is_metered),
        cmocka_unit_test(binary_pictures_have_a_header),
        cmocka_unit_test(snapshots_and_pages),
        cmocka_unit_test(stopping_a_workflow_takes_its_views_away),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
