#include "app/shorthand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct config defaults = {
    .confidence = "0.4", .box_timing = "predict", .bitrate = "high", .width = "0"};

/* The type of the node at `index` of what the command line makes. */
static const char *node_type(json_t *workflow, size_t index)
{
    json_t *node = json_array_get(json_object_get(workflow, "nodes"), index);
    return json_string_value(json_object_get(node, "type"));
}

static json_t *data_of(json_t *workflow, size_t index)
{
    return json_object_get(json_array_get(json_object_get(workflow, "nodes"), index), "data");
}

static json_t *make(struct config config)
{
    json_t *workflow = NULL;
    struct reason why = {""};
    assert_int_equal(shorthand_workflow(&workflow, &config, &why), OW_OK);
    return workflow;
}

static void a_source_becomes_the_node_that_opens_it(void **state)
{
    (void)state;
    static const struct {
        const char *source, *type;
    } cases[] = {
        {"test:", "testPattern"},
        {"rtsp://cam/1", "camera"},
        {"pipe:-", "camera"},
        {"v4l2:/dev/video0", "camera"},
        {"/data/yard.mp4", "videoInput"},
        {"yard.mp4", "videoInput"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config = defaults;
        config.source = cases[i].source;
        json_t *workflow = make(config);
        assert_string_equal(node_type(workflow, 0), cases[i].type);
        assert_string_equal(node_type(workflow, 1), "model");
        assert_string_equal(node_type(workflow, 2), "videoPreviewWebRTC");
        assert_int_equal(json_array_size(json_object_get(workflow, "edges")), 2);
        json_decref(workflow);
    }
}

static void without_a_model_the_view_shows_the_source(void **state)
{
    (void)state;
    struct config config = defaults;
    config.source = "test:";
    config.model = "none";
    json_t *workflow = make(config);
    assert_string_equal(node_type(workflow, 1), "videoPreviewWebRTC");
    json_t *edge = json_array_get(json_object_get(workflow, "edges"), 0);
    assert_string_equal(json_string_value(json_object_get(edge, "source")), "source");
    json_decref(workflow);
}

static void raw_video_is_described(void **state)
{
    (void)state;
    struct config config = defaults;
    config.source = "pipe:-";
    config.raw = "bgr24:640x480";
    json_t *workflow = make(config);
    json_t *data = data_of(workflow, 0);
    assert_string_equal(json_string_value(json_object_get(data, "pixelFormat")), "bgr24");
    assert_int_equal(json_integer_value(json_object_get(data, "width")), 640);
    assert_int_equal(json_integer_value(json_object_get(data, "height")), 480);
    json_decref(workflow);

    static const char *const wrong[] = {"", "bgr24", "bgr24:640", ":640x480", "bgr24:x480"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct reason why = {""};
        config.raw = wrong[i];
        assert_int_equal(shorthand_workflow(&workflow, &config, &why), OW_EINVAL);
        assert_non_null(strstr(why.text, "yuv420p:640x480"));
    }
}

static void nothing_asked_is_no_workflow(void **state)
{
    (void)state;
    assert_null(make(defaults));
}

static void a_workflow_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    json_t *workflow = NULL;
    struct reason why = {""};
    struct config config = defaults;
    config.workflow_file = "/nowhere/w.json";
    assert_int_equal(shorthand_workflow(&workflow, &config, &why), OW_EIO);
    assert_non_null(strstr(why.text, "/nowhere/w.json"));
    assert_null(strstr(why.text, "line"));

    char path[] = "/tmp/overwatch-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\n\"nodes\":[}", 12), 12);
    close(fd);
    config.workflow_file = path;
    assert_int_equal(shorthand_workflow(&workflow, &config, &why), OW_EPARSE);
    assert_non_null(strstr(why.text, path));
    assert_non_null(strstr(why.text, "line 2"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_becomes_the_node_that_opens_it),
        cmocka_unit_test(without_a_model_the_view_shows_the_source),
        cmocka_unit_test(raw_video_is_described),
        cmocka_unit_test(nothing_asked_is_no_workflow),
        cmocka_unit_test(a_workflow_file_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
