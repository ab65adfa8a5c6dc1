#include "api_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct media_server *media;
    struct store *store;
    struct api *api;
    struct runtime *runtime;
    uint16_t port;
} fixture;

const char fixture_workflow[] =
    "{\"id\":\"t\",\"name\":\"Gate\",\"nodes\":[{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{}}"
    ","
    "{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{}}],"
    "\"edges\":[{\"id\":\"e\",\"source\":\"s\",\"target\":\"v\"}]}";

json_t *fixture_call(const char *method, const char *path, const char *body, int status)
{
    struct raw_answer answer;
    raw_request(fixture.port, method, path, body, NULL, &answer);
    if (answer.status != status)
        print_message("%s %s: %d %s\n", method, path, answer.status, answer.body);
    assert_int_equal(answer.status, status);
    json_t *json = json_loads(answer.body, 0, NULL);
    raw_free(&answer);
    assert_non_null(json);
    return json;
}

void fixture_expect(const char *method, const char *path, const char *body, int status)
{
    json_t *json = fixture_call(method, path, body, status);
    assert_true(json_string_length(json_object_get(json, "detail")) > 0);
    json_decref(json);
}

int fixture_start(void **state)
{
    (void)state;
    struct reason why = {""};
    struct media_server_settings media = {.loopback_only = true};
    assert_int_equal(media_server_start(&fixture.media, &media, &why), OW_OK);
    assert_int_equal(store_open(&fixture.store, ":memory:", &why), OW_OK);
    struct api_settings settings = {
        .media = fixture.media,
        .store = fixture.store,
        .web_folder = "/nonexistent",
        .version = "1.2.3",
        .allowed_hosts = "friend.example",
        .ice_servers = {.stun_urls = "stun:192.0.2.1:3478",
                        .turn_urls = "turn:192.0.2.1:3478,turns:192.0.2.1:443?transport=tcp",
                        .turn_secret = fixture_secret},
    };
    assert_int_equal(api_create(&fixture.api, &settings), OW_OK);
    struct runtime_settings runtime = {.outputs = api_view_outputs(fixture.api),
                                       .node_outputs = api_node_outputs(fixture.api)};
    assert_int_equal(runtime_create(&fixture.runtime, &runtime, NULL), OW_OK);
    assert_int_equal(api_start(fixture.api, fixture.runtime, &why), OW_OK);
    fixture.port = api_port(fixture.api);
    json_decref(fixture_call("POST", "/api/workflow-builder/execute", fixture_workflow, 200));
    return 0;
}

int fixture_stop(void **state)
{
    (void)state;
    api_stop(fixture.api);
    runtime_destroy(&fixture.runtime);
    api_destroy(&fixture.api);
    media_server_stop(&fixture.media);
    store_close(&fixture.store);
    return 0;
}

const char fixture_offer[] =
    "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:peer\r\na=ice-pwd:peerpasswordpeerpassword\r\na=fingerprint:sha-256 "
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:"
    "DD:EE:FF\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
    "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack pli\r\n"
    "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n";

uint16_t fixture_port(void)
{
    return fixture.port;
}

struct media_server *fixture_media(void)
{
    return fixture.media;
}
