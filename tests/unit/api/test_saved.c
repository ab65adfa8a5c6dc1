/* Workflows that are kept, over real sockets, with a real store and runtime. */
#include "api_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "/api/workflow-builder"

/* A test pattern and a view, whose id must be unique among running workflows. */
static char *workflow(const char *id, const char *name, int fps)
{
    json_t *document = json_pack(
        "{s:s?, s:s?, s:i, s:[{s:s, s:s, s:{s:i}, s:{s:i, s:i}},"
        " {s:s, s:s, s:{s:s, s:s}, s:{s:i, s:i}}], s:[{s:s, s:s, s:s}]}",
        "id", id, "name", name, "unknown_member", 7, "nodes", "id", "src", "type", "testPattern",
        "data", "fps", fps, "position", "x", 0, "y", 0, "id", name ? name : "view", "type",
        "videoPreviewWebRTC", "data", "bitratePreset", "low", "label", "Yard", "position", "x", 9,
        "y", 9, "edges", "id", "e", "source", "src", "target", name ? name : "view");
    assert_non_null(document);
    char *text = json_dumps(document, 0);
    json_decref(document);
    return text;
}

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static json_t *call(const char *method, const char *path, char *body, int status)
{
    json_t *answer = fixture_call(method, path, body, status);
    free(body);
    return answer;
}

static void what_is_kept_comes_back_whole(void **state)
{
    (void)state;
    json_t *added = call("POST", BASE, workflow("keep", "Kept", 5), 201);
    assert_string_equal(text_in(added, "id"), "keep");
    assert_int_equal(json_array_size(json_object_get(added, "errors")), 0);
    json_t *read = fixture_call("GET", BASE "/keep", NULL, 200);
    assert_int_equal(json_integer_value(json_object_get(read, "unknown_member")), 7);
    assert_true(json_is_false(json_object_get(read, "running")));
    assert_true(json_integer_value(json_object_get(read, "created_at")) > 1700000000);
    assert_int_equal(json_array_size(json_object_get(read, "nodes")), 2);
    json_decref(call("POST", BASE, workflow("keep", "Again", 5), 409));
    json_t *list = fixture_call("GET", BASE, NULL, 200), *row;
    row = json_array_get(json_object_get(list, "workflows"), 0);
    bool found = false;
    for (size_t i = 0; i < json_array_size(json_object_get(list, "workflows")); i++) {
        row = json_array_get(json_object_get(list, "workflows"), i);
        if (strcmp(text_in(row, "id"), "keep") == 0) {
            found = true;
            assert_string_equal(text_in(row, "name"), "Kept");
            assert_int_equal(json_integer_value(json_object_get(row, "node_count")), 2);
        }
    }
    assert_true(found);
    json_decref(list);
    /* Saved again as it was answered, it is the same. */
    json_decref(call("PUT", BASE "/keep", json_dumps(read, 0), 200));
    json_t *again = fixture_call("GET", BASE "/keep", NULL, 200);
    assert_true(json_equal(json_object_get(again, "nodes"), json_object_get(read, "nodes")));
    json_decref(again);
    json_decref(read);
    json_decref(added);
    json_decref(fixture_call("DELETE", BASE "/keep", NULL, 200));
    fixture_expect("GET", BASE "/keep", NULL, 404);
    fixture_expect("DELETE", BASE "/keep", NULL, 404);
    fixture_expect("PUT", BASE "/keep", "{\"nodes\":[],\"edges\":[]}", 404);
}

static void ids_and_names_are_made_and_checked(void **state)
{
    (void)state;
    json_t *one = call("POST", BASE, workflow(NULL, NULL, 5), 201);
    json_t *two = call("POST", BASE, workflow("", NULL, 5), 201);
    assert_string_not_equal(text_in(one, "id"), text_in(two, "id"));
    assert_true(strlen(text_in(json_object_get(one, "workflow"), "name")) > 0);
    char path[200];
    snprintf(path, sizeof path, BASE "/%s", text_in(one, "id"));
    json_decref(fixture_call("DELETE", path, NULL, 200));
    snprintf(path, sizeof path, BASE "/%s", text_in(two, "id"));
    json_decref(fixture_call("DELETE", path, NULL, 200));
    json_decref(one);
    json_decref(two);
    static const char *const bad[] = {"{\"id\":\"a/b\",\"nodes\":[],\"edges\":[]}",
                                      "{\"id\":\"..\",\"nodes\":[],\"edges\":[]}",
                                      "{\"id\":5,\"nodes\":[],\"edges\":[]}",
                                      "{\"id\":\"a\\u0000b\",\"nodes\":[],\"edges\":[]}",
                                      "not json",
                                      "[]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        fixture_expect("POST", BASE, bad[i], 400);
}

static void what_is_not_valid_is_kept_as_a_draft_only(void **state)
{
    (void)state;
    static const char lonely[] =
        "{\"id\":\"draft\",\"nodes\":[{\"id\":\"v\",\"type\":\"videoPreview\",\"data\":{}}],"
        "\"edges\":[]}";
    json_t *refused = fixture_call("POST", BASE, lonely, 400);
    assert_int_equal(json_array_size(json_object_get(refused, "errors")), 1);
    json_decref(refused);
    fixture_expect("GET", BASE "/draft", NULL, 404);
    json_t *kept = fixture_call("POST", BASE "?draft=true", lonely, 201);
    assert_int_equal(json_array_size(json_object_get(kept, "errors")), 1);
    json_decref(kept);
    json_decref(fixture_call("POST", BASE "/draft/execute", NULL, 400));
    json_t *status = fixture_call("GET", BASE "/draft/status", NULL, 200);
    assert_true(json_is_false(json_object_get(status, "running")));
    json_decref(status);
    json_t *found = fixture_call("POST", BASE "/validate", lonely, 200);
    assert_true(json_is_false(json_object_get(found, "valid")));
    assert_string_equal(text_in(json_array_get(json_object_get(found, "errors"), 0), "node_id"),
                        "v");
    json_decref(found);
    json_decref(fixture_call("DELETE", BASE "/draft", NULL, 200));
}

static const char *change_of(const json_t *answer, const char *node_id)
{
    size_t i;
    json_t *change;
    json_array_foreach(json_object_get(answer, "changes"), i,
                       change) if (strcmp(text_in(change, "node_id"), node_id) ==
                                   0) return text_in(change, "change");
    return "";
}

static void a_kept_workflow_runs_and_is_changed_while_it_does(void **state)
{
    (void)state;
    json_decref(call("POST", BASE, workflow("run", "runview", 5), 201));
    fixture_expect("POST", BASE "/run/stop", NULL, 404);
    fixture_expect("PATCH", BASE "/run/nodes/runview", "{\"data\":{\"layout\":\"pile\"}}", 400);
    json_t *previewed = fixture_call("POST", BASE "/run/preview", NULL, 200);
    assert_string_equal(change_of(previewed, "src"), "added");
    json_decref(previewed);
    json_t *started = fixture_call("POST", BASE "/run/execute", NULL, 200);
    assert_string_equal(text_in(started, "status"), "running");
    json_decref(started);
    json_t *status = fixture_call("GET", BASE "/run/status", NULL, 200);
    assert_true(json_is_true(json_object_get(status, "running")));
    assert_non_null(json_object_get(json_object_get(status, "nodes"), "runview"));
    json_decref(status);

    json_t *patched =
        fixture_call("PATCH", BASE "/run/nodes/runview", "{\"data\":{\"maxFps\":7}}", 200);
    assert_string_equal(text_in(patched, "change"), "updated");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(patched, "data"), "maxFps")), 7);
    assert_string_equal(text_in(json_object_get(patched, "data"), "label"), "Yard");
    json_decref(patched);
    json_t *read = fixture_call("GET", BASE "/run", NULL, 200);
    const json_t *view = json_array_get(json_object_get(read, "nodes"), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(view, "data"), "maxFps")),
                     7);
    fixture_expect("PATCH", BASE "/run/nodes/runview", "{\"data\":{\"maxFps\":\"x\"}}", 400);
    fixture_expect("PATCH", BASE "/run/nodes/runview", "{\"data\":{\"layout\":\"pile\"}}", 400);
    fixture_expect("PATCH", BASE "/run/nodes/runview", "{\"data\":5}", 400);
    fixture_expect("PATCH", BASE "/run/nodes/none", "{\"data\":{}}", 404);
    fixture_expect("PATCH", BASE "/none/nodes/runview", "{\"data\":{}}", 404);

    json_t *replaced = call("PUT", BASE "/run", json_dumps(read, 0), 200);
    assert_true(json_is_true(json_object_get(replaced, "applied")));
    assert_string_equal(change_of(replaced, "src"), "kept");
    json_decref(replaced);
    json_decref(read);
    json_decref(fixture_call("POST", BASE "/run/deploy", NULL, 200));
    json_t *deployed = call("POST", BASE "/run/deploy", workflow("run", "runview", 6), 200);
    assert_string_not_equal(change_of(deployed, "src"), "kept");
    json_decref(deployed);
    json_decref(fixture_call("POST", BASE "/run/stop", NULL, 200));
    json_decref(fixture_call("DELETE", BASE "/run", NULL, 200));
    fixture_expect("POST", BASE "/run/execute", NULL, 404);
    fixture_expect("POST", BASE "/run/preview", NULL, 404);
}

static void passwords_do_not_come_back(void **state)
{
    (void)state;
    static const char camera[] =
        "{\"id\":\"cam\",\"nodes\":[{\"id\":\"c\",\"type\":\"camera\",\"data\":{\"url\":"
        "\"rtsp://root:hunter2@192.0.2.7/1\"}}],\"edges\":[]}";
    json_t *added = fixture_call("POST", BASE, camera, 201);
    char *texts[2];
    texts[0] = json_dumps(added, 0);
    json_t *read = fixture_call("GET", BASE "/cam", NULL, 200);
    texts[1] = json_dumps(read, 0);
    for (int i = 0; i < 2; i++) {
        assert_null(strstr(texts[i], "hunter2"));
        assert_non_null(strstr(texts[i], "root:***@192.0.2.7"));
    }
    /* Saved as the page has it, the password is not lost. */
    json_decref(fixture_call("PUT", BASE "/cam", texts[1], 200));
    free(texts[0]);
    free(texts[1]);
    json_decref(added);
    json_decref(read);
    json_decref(fixture_call("DELETE", BASE "/cam", NULL, 200));
}

static void files_of_the_old_system_are_taken_and_given(void **state)
{
    (void)state;
    static const char old[] =
        "{\"site\":\"gate 3\",\"timestamp\":\"2024-05-01T10:00:00Z\",\"nodes\":["
        "{\"id\":\"1\",\"type\":\"testPattern\",\"data\":{\"config\":{\"fps\":5}}},"
        "{\"id\":\"old-view\",\"type\":\"videoPreview\",\"data\":{\"strange\":1}}],"
        "\"edges\":[{\"id\":\"e\",\"source\":\"1\",\"target\":\"old-view\","
        "\"sourceHandle\":\"whatever\"}]}";
    json_t *taken = fixture_call("POST", BASE "/import?name=Gate", old, 201);
    assert_true(json_array_size(json_object_get(taken, "warnings")) > 0);
    assert_string_equal(text_in(json_object_get(taken, "workflow"), "name"), "Gate");
    char path[200];
    snprintf(path, sizeof path, BASE "/%s/export", text_in(taken, "id"));
    json_t *given = fixture_call("GET", path, NULL, 200);
    assert_string_equal(text_in(given, "site"), "gate 3");
    assert_int_equal(json_array_size(json_object_get(given, "nodes")), 2);
    assert_non_null(json_object_get(given, "timestamp"));
    /* Taken once more it gets an id of its own. */
    json_t *twice = call("POST", BASE "/import", json_dumps(given, 0), 201);
    assert_string_not_equal(text_in(twice, "id"), text_in(taken, "id"));
    snprintf(path, sizeof path, BASE "/%s", text_in(twice, "id"));
    json_decref(fixture_call("DELETE", path, NULL, 200));
    snprintf(path, sizeof path, BASE "/%s", text_in(taken, "id"));
    json_decref(fixture_call("DELETE", path, NULL, 200));
    json_decref(given);
    json_decref(taken);
    json_decref(twice);
    fixture_expect("POST", BASE "/import", "{\"site\":\"x\"}", 400);
    fixture_expect("GET", BASE "/none/export", NULL, 404);
}

static void one_that_only_runs_is_listed_too(void **state)
{
    (void)state;
    json_t *list = fixture_call("GET", BASE, NULL, 200);
    const json_t *row = json_array_get(json_object_get(list, "workflows"), 0);
    assert_string_equal(text_in(row, "id"), "t"); /* of the fixture */
    assert_true(json_is_false(json_object_get(row, "saved")));
    assert_true(json_is_true(json_object_get(row, "running")));
    json_decref(list);
    json_t *read = fixture_call("GET", BASE "/t", NULL, 200);
    assert_true(json_is_false(json_object_get(read, "saved")));
    json_decref(read);
}

static void what_is_installed_is_listed(void **state)
{
    (void)state;
    json_t *models = fixture_call("GET", "/api/workflow-components/models", NULL, 200);
    assert_true(json_is_array(json_object_get(models, "models")));
    json_decref(models);
    json_t *videos = fixture_call("GET", "/api/workflow-components/videos", NULL, 200);
    assert_true(json_is_array(json_object_get(videos, "files")));
    json_decref(videos);
    fixture_expect("GET", "/api/workflow-components/classes", NULL, 404);
    fixture_expect("GET", "/api/workflow-components/classes?model=..%2F..%2Fetc%2Fpasswd", NULL,
                   404);
    json_t *types = fixture_call("GET", "/api/workflow-components/node-types", NULL, 200);
    size_t i;
    json_t *type;
    json_array_foreach(json_object_get(types, "node_types"), i, type)
        assert_true(strlen(text_in(type, "category")) > 0);
    assert_true(i >= 10);
    json_decref(types);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_only_runs_is_listed_too),
        cmocka_unit_test(what_is_kept_comes_back_whole),
        cmocka_unit_test(ids_and_names_are_made_and_checked),
        cmocka_unit_test(what_is_not_valid_is_kept_as_a_draft_only),
        cmocka_unit_test(a_kept_workflow_runs_and_is_changed_while_it_does),
        cmocka_unit_test(what_is_installed_is_listed),
        cmocka_unit_test(passwords_do_not_come_back),
        cmocka_unit_test(files_of_the_old_system_are_taken_and_given),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
