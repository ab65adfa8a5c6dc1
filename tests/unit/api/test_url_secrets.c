#include "api/url_secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *document_with(const char *url)
{
    return json_pack("{s:[{s:s, s:s, s:{s:s, s:i}}]}", "nodes", "id", "cam", "type", "camera",
                     "data", "url", url, "fps", 5);
}

static const char *url_of(const json_t *document)
{
    const json_t *node = json_array_get(json_object_get(document, "nodes"), 0);
    return json_string_value(json_object_get(json_object_get(node, "data"), "url"));
}

static void passwords_are_hidden_and_come_back(void **state)
{
    (void)state;
    static const struct {
        const char *url, *hidden, *password; /* password NULL = there is none */
    } cases[] = {
        {"rtsp://u:secret@10.0.0.1/a", "rtsp://u:***@10.0.0.1/a", "secret"},
        {"rtsp://u:a:b@host:554/", "rtsp://u:***@host:554/", "a:b"},
        {"rtsp://u:p@ss@host/x@y", "rtsp://u:***@host/x@y", "p@ss"},
        {"http://:only@host", "http://:***@host", "only"},
        {"rtsp://user@host/a:b", "rtsp://user@host/a:b", NULL},
        {"rtsp://u:@host/", "rtsp://u:@host/", NULL},
        {"rtsp://host/?q=a:b@c", "rtsp://host/?q=a:b@c", NULL},
        {"/data/a:b@c.mp4", "/data/a:b@c.mp4", NULL},
        {"://", "://", NULL},
        {"", "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *document = document_with(cases[i].url), *secrets = json_object();
        url_secrets_hide(document, secrets);
        assert_string_equal(url_of(document), cases[i].hidden);
        const json_t *of_url = json_object_get(json_object_get(secrets, "cam"), "url");
        const char *kept = json_string_value(json_object_get(of_url, "password"));
        if (cases[i].password)
            assert_string_equal(kept, cases[i].password);
        else
            assert_null(kept);
        /* Saved again as the page got it, the secret stays. */
        url_secrets_hide(document, secrets);
        url_secrets_reveal(document, secrets);
        assert_string_equal(url_of(document), cases[i].url);
        json_decref(document);
        json_decref(secrets);
    }
}

static void secrets_of_nodes_that_are_gone_are_forgotten(void **state)
{
    (void)state;
    json_t *document = document_with("rtsp://u:new@host"), *secrets;
    secrets = json_pack("{s:{}, s:{}}", "cam", "gone");
    url_secrets_hide(document, secrets);
    assert_null(json_object_get(secrets, "gone"));
    assert_non_null(json_object_get(json_object_get(secrets, "cam"), "url"));
    json_decref(document);
    json_decref(secrets);
}

static void a_password_goes_to_no_other_host(void **state)
{
    (void)state;
    json_t *document = document_with("rtsp://u:secret@10.0.0.1:554/a"), *secrets = json_object();
    url_secrets_hide(document, secrets);
    static const char *const others[] = {"rtsp://u:***@evil.example/a", "rtsp://u:***@10.0.0.1/a",
                                         "rtsp://u:***@10.0.0.1:5540/", "rtsp://u:***@"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        json_t *other = document_with(others[i]);
        url_secrets_reveal(other, secrets);
        assert_string_equal(url_of(other), others[i]);
        json_decref(other);
    }
    json_decref(document);
    json_decref(secrets);
}

static void what_is_no_workflow_does_no_harm(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{\"nodes\":5}", "{\"nodes\":[1,{},{\"id\":2}]}",
                                        "{\"nodes\":[{\"id\":\"a\",\"data\":[\"rtsp://a:b@c\"]}]}",
                                        "[]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *document = json_loads(texts[i], 0, NULL), *secrets = json_object();
        url_secrets_hide(document, secrets);
        url_secrets_reveal(document, secrets);
        assert_int_equal(json_object_size(secrets), 0);
        json_decref(document);
        json_decref(secrets);
    }
}

/* The old page kept settings in data.config. */
static void nested_settings_are_found(void **state)
{
    (void)state;
    json_t *secrets = json_object();
    json_t *data = json_pack("{s:{s:s}}", "config", "url", "rtsp://u:p@host");
    url_secrets_hide_node("n", data, secrets);
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "config"), "url")),
                        "rtsp://u:***@host");
    url_secrets_reveal_node("n", data, secrets);
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "config"), "url")),
                        "rtsp://u:p@host");
    json_decref(data);
    json_decref(secrets);
}

/* What stands beside data.config has no effect, and takes no secret's place. */
static void the_password_in_use_is_the_one_that_is_kept(void **state)
{
    (void)state;
    json_t *secrets = json_object();
    json_t *data = json_pack("{s:s, s:{s:s}}", "url", "rtsp://u:old@host", "config", "url",
                             "rtsp://u:used@host");
    json_t *before = json_deep_copy(data), *patch = json_pack("{s:s}", "url", "rtsp://u:***@host");
    url_secrets_hide_node("n", data, secrets);
    url_secrets_reveal_node("n", data, secrets);
    assert_true(json_equal(data, before));
    url_secrets_reveal_node("n", patch, secrets); /* of settings alone: those in use */
    assert_string_equal(json_string_value(json_object_get(patch, "url")), "rtsp://u:used@host");
    json_decref(patch);
    json_decref(before);
    json_decref(data);
    json_decref(secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_are_hidden_and_come_back),
        cmocka_unit_test(secrets_of_nodes_that_are_gone_are_forgotten),
        cmocka_unit_test(a_password_goes_to_no_other_host),
        cmocka_unit_test(what_is_no_workflow_does_no_harm),
        cmocka_unit_test(nested_settings_are_found),
        cmocka_unit_test(the_password_in_use_is_the_one_that_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
