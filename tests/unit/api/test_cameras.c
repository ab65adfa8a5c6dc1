/* Cameras that are kept, over real sockets. */
#include "api_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "/api/cameras"

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static void no_password_in(const json_t *answer)
{
    char *text = json_dumps(answer, 0);
    assert_null(strstr(text, "hunter2"));
    free(text);
}

static void path_of(const json_t *camera, const char *more, char path[160])
{
    snprintf(path, 160, BASE "/%s%s", text_in(camera, "id"), more);
}

static void cameras_are_kept_without_their_passwords(void **state)
{
    (void)state;
    char path[160];
    json_t *added = fixture_call(
        "POST", BASE, "{\"name\":\"Gate\",\"url\":\"rtsp://r%6Fot:hunter%32@10.0.0.1/a\"}", 201);
    no_password_in(added);
    assert_string_equal(text_in(added, "url"), "rtsp://10.0.0.1/a");
    assert_string_equal(text_in(added, "username"), "root");
    assert_true(json_is_true(json_object_get(added, "has_password")));
    json_t *list = fixture_call("GET", BASE, NULL, 200);
    no_password_in(list);
    assert_int_equal(json_integer_value(json_object_get(list, "total")), 1);
    json_decref(list);
    json_decref(fixture_call("GET", BASE "/", NULL, 200));

    path_of(added, "", path);
    json_t *changed = fixture_call("PUT", path, "{\"name\":\"Yard\",\"enabled\":false}", 200);
    assert_string_equal(text_in(changed, "name"), "Yard");
    assert_string_equal(text_in(changed, "url"), "rtsp://10.0.0.1/a");
    assert_true(json_is_true(json_object_get(changed, "has_password")));
    assert_true(json_is_false(json_object_get(changed, "enabled")));
    json_decref(changed);
    changed = fixture_call("PUT", path, "{\"password\":\"\"}", 200);
    assert_true(json_is_false(json_object_get(changed, "has_password")));
    json_decref(changed);
    json_decref(fixture_call("GET", path, NULL, 200));
    json_decref(fixture_call("DELETE", path, NULL, 200));
    fixture_expect("GET", path, NULL, 404);
    fixture_expect("PUT", path, "{}", 404);
    fixture_expect("DELETE", path, NULL, 404);
    path_of(added, "/test", path);
    fixture_expect("POST", path, NULL, 404);
    json_decref(added);
}

static void what_is_no_camera_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"name\":\"x\"}",
        "{\"url\":\"rtsp://h/\"}",
        "{\"name\":\"x\",\"url\":\"file:///etc/passwd\"}",
        "{\"name\":\"x\",\"url\":\"rtsp://\"}",
        "{\"name\":\"x\",\"url\":\"/dev/video0\"}",
        "{\"name\":5,\"url\":\"rtsp://h/\"}",
        "{\"name\":\"a\\nb\",\"url\":\"rtsp://h/\"}",
        "{\"name\":\"x\",\"url\":\"rtsp://h/\",\"enabled\":1}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        fixture_expect("POST", BASE, bodies[i], 400);
    json_t *one = fixture_call("POST", BASE, "{\"name\":\"One\",\"url\":\"rtsp://h/\"}", 201);
    fixture_expect("POST", BASE, "{\"name\":\"One\",\"url\":\"rtsp://h/2\"}", 409);
    char path[160];
    path_of(one, "", path);
    json_decref(fixture_call("DELETE", path, NULL, 200));
    json_decref(one);
}

/* Nothing listens on this port: the reason is told, and no password in it. */
static void a_camera_is_tried(void **state)
{
    (void)state;
    char path[160];
    json_t *one = fixture_call(
        "POST", BASE, "{\"name\":\"Dead\",\"url\":\"http://u:hunter2@127.0.0.1:1/x\"}", 201);
    path_of(one, "/test", path);
    json_t *tried = fixture_call("POST", path, NULL, 200);
    assert_true(json_is_false(json_object_get(tried, "ok")));
    assert_true(strlen(text_in(tried, "reason")) > 0);
    no_password_in(tried);
    json_decref(tried);
    path_of(one, "", path);
    json_decref(fixture_call("PUT", path, "{\"enabled\":false}", 200));
    path_of(one, "/test", path);
    fixture_expect("POST", path, NULL, 409);
    json_decref(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cameras_are_kept_without_their_passwords),
        cmocka_unit_test(what_is_no_camera_is_refused),
        cmocka_unit_test(a_camera_is_tried),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
