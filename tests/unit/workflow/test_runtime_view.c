/* What a running view shows, and what it asks of its model, as its settings change: real sources,
 * the real model where there is one. */
#include "core/clock.h"
#include "workflow/runtime.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    pthread_mutex_t lock;
    int opened, jpegs, width, height, keys, video_width, videos;
    int backwards, before; /* pictures that are no later than the last; inferred before captured */
    int64_t capture_us;
    int has_zones; /* the record of the last picture of "v" tells where zones are */
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct rendition_plan one_viewer = {.viewers = 1, .target_bps = 500000};

static void *on_opened(void *context, struct view *view)
{
    (void)context;
    seen.opened++;
    view_set_jpeg_fps(view, 100);
    view_set_plan(view, 0, &one_viewer);
    return &seen;
}

static void on_closed(void *context, void *handle, struct view *view)
{
    (void)context, (void)handle, (void)view;
}

static void on_video(void *context, void *handle, int track, struct encoded *unit)
{
    (void)context, (void)handle, (void)track;
    pthread_mutex_lock(&seen.lock);
    seen.keys += unit->key;
    seen.videos++;
    seen.backwards += unit->capture_us <= seen.capture_us;
    seen.capture_us = unit->capture_us;
    int64_t inferred_us = unit->stages.at_us[STAGE_INFER_START];
    seen.before += inferred_us != 0 && inferred_us < unit->capture_us;
    seen.video_width = unit->width;
    pthread_mutex_unlock(&seen.lock);
}

static void on_jpeg(void *context, struct view *view, struct encoded *picture)
{
    (void)context;
    pthread_mutex_lock(&seen.lock);
    seen.jpegs++;
    seen.width = picture->width;
    seen.height = picture->height;
    if (strcmp(view_node_id(view), "v") == 0)
        seen.has_zones = picture->metadata->size > picture->metadata->named_size;
    pthread_mutex_unlock(&seen.lock);
}

static int read_now(const int *counter)
{
    pthread_mutex_lock(&seen.lock);
    int value = *counter;
    pthread_mutex_unlock(&seen.lock);
    return value;
}

static bool wait_for(bool (*reached)(int), int wanted)
{
    int64_t limit_us = clock_now_us() + 20000000;
    while (!reached(wanted) && clock_now_us() < limit_us)
        clock_sleep_until_us(clock_now_us() + 1000);
    return reached(wanted);
}

static bool has_width(int width)
{
    return read_now(&seen.width) == width && read_now(&seen.video_width) == width;
}

static bool has_pictures(int count)
{
    return read_now(&seen.jpegs) >= count;
}

static struct runtime *runtime;
static double pattern_fps;

static int setup(void **state)
{
    (void)state;
    seen.opened = seen.jpegs = seen.width = seen.height = seen.keys = seen.video_width = 0;
    pattern_fps = 30;
    seen.videos = seen.backwards = seen.before = 0;
    seen.capture_us = 0;
    seen.has_zones = 0;
    const struct runtime_settings settings = {
        .outputs = {.opened = on_opened, .video = on_video, .jpeg = on_jpeg, .closed = on_closed},
        .default_model = getenv("OVERWATCH_TEST_MODEL"),
    };
    return runtime_create(&runtime, &settings, NULL);
}

static int teardown(void **state)
{
    (void)state;
    runtime_destroy(&runtime);
    return 0;
}

/* A test pattern, a model with these settings, a view with those; the filter stands between when it
 * is not NULL. All are taken. */
static void execute(json_t *model, json_t *filter, json_t *view)
{
    json_t *nodes = json_pack("[{s:s, s:s, s:{s:i, s:i, s:f}}, {s:s, s:s, s:o}, {s:s, s:s, s:o}]",
                              "id", "s", "type", "testPattern", "data", "width", 320, "height", 180,
                              "fps", pattern_fps, "id", "m", "type", "model", "data", model, "id",
                              "v", "type", "videoPreviewWebRTC", "data", view);
    json_t *edges = json_pack("[{s:s, s:s}, {s:s, s:s}]", "source", "s", "target", "m", "source",
                              filter ? "f" : "m", "target", "v");
    if (filter) {
        json_array_append_new(nodes, json_pack("{s:s, s:s, s:o}", "id", "f", "type",
                                               "detectionFilter", "data", filter));
        json_array_append_new(edges, json_pack("{s:s, s:s}", "source", "m", "target", "f"));
    }
    json_t *document = json_pack("{s:s, s:o, s:o}", "id", "w", "nodes", nodes, "edges", edges);
    json_t *report = NULL;
    struct reason why = {""};
    if (runtime_execute(runtime, document, RUNTIME_TRUSTED, &report, &why) < 0)
        fail_msg("%s", why.text);
    json_decref(report);
    json_decref(document);
}

static void set(const char *node, json_t *data)
{
    json_t *document = NULL, *change = NULL;
    struct reason why = {""};
    if (runtime_set_node(runtime, "w", node, data, &document, &change, &why) < 0)
        fail_msg("%s", why.text);
    assert_string_equal(json_string_value(json_object_get(change, "change")), "updated");
    json_decref(document);
    json_decref(change);
    json_decref(data);
}

static void the_layout_follows_without_a_reconnect(void **state)
{
    (void)state;
    execute(json_object(), NULL, json_pack("{s:s}", "bitratePreset", "high"));
    assert_true(wait_for(has_width, 320));
    int keys = read_now(&seen.keys);
    set("v", json_pack("{s:s}", "layout", "side-by-side"));
    assert_true(wait_for(has_width, 640));
    assert_int_equal(read_now(&seen.height), 180);
    assert_true(read_now(&seen.keys) > keys);   /* a new size begins with a key frame */
    set("v", json_pack("{s:i}", "width", 160)); /* of each half */
    assert_true(wait_for(has_width, 320));
    set("v", json_pack("{s:s, s:i}", "layout", "original", "width", 0));
    assert_true(wait_for(has_width, 320));
    assert_int_equal(seen.opened, 1);
}

static bool shows_zones(int wanted)
{
    return read_now(&seen.has_zones) == wanted;
}

/* The view, the zone beside it, and what becomes of its result. */
static void a_zone_that_is_on_no_view_of_its_own_is_on_those_beside_it(void **state)
{
    (void)state;
    static const struct {
        const char *nodes, *edges;
        int shown;
    } cases[] = {
        {"", "{'source': 'm', 'target': 'z'}", true},
        {", {'id': 'w', 'type': 'videoPreview', 'data': {}}",
         "{'source': 'm', 'target': 'z'}, {'source': 'z', 'target': 'w'}", false},
        {", {'id': 'r', 'type': 'recorder', 'data': {}}",
         "{'source': 'm', 'target': 'z'}, {'source': 'z', 'target': 'r'}", true},
        {", {'id': 'n', 'type': 'model', 'data': {}}",
         "{'source': 's', 'target': 'n'}, {'source': 'n', 'target': 'z'}", false},
        {", {'id': 'f', 'type': 'detectionFilter', 'data': {}}",
         "{'source': 'm', 'target': 'f'}, {'source': 'f', 'target': 'z'}", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "{'id': 'w', 'nodes': ["
                 "{'id': 's', 'type': 'testPattern', 'data': {'width': 320, 'height': 180}},"
                 "{'id': 'm', 'type': 'model', 'data': {}},"
                 "{'id': 'v', 'type': 'videoPreview', 'data': {'layout': 'clean'}},"
                 "{'id': 'z', 'type': 'zone', 'data': {'zoneType': 'line', 'polygon': [[0, 0], [1, "
                 "1]]}}%s],"
                 "'edges': [{'source': 's', 'target': 'm'}, {'source': 'm', 'target': 'v'}, %s]}",
                 cases[i].nodes, cases[i].edges);
        for (char *at = text; *at; at++)
            *at = *at == '\'' ? '"' : *at;
        json_t *document = json_loads(text, 0, NULL), *report = NULL, *changes = NULL;
        struct reason why = {""};
        assert_non_null(document);
        if (runtime_apply(runtime, document, RUNTIME_TRUSTED, &report, &changes, &why) < 0)
            fail_msg("%zu: %s", i, why.text);
        if (!wait_for(shows_zones, cases[i].shown))
            fail_msg("%zu", i);
        json_decref(changes);
        json_decref(report);
        json_decref(document);
    }
}

/* A picture every ten seconds: who watches by WebRTC need not wait for the next one, either. */
static void an_edit_shows_on_a_picture_that_stands(void **state)
{
    (void)state;
    pattern_fps = 0.1;
    execute(json_object(), NULL, json_object());
    assert_true(wait_for(has_width, 320));
    int64_t edited_us = clock_now_us();
    set("v", json_pack("{s:s}", "layout", "side-by-side"));
    assert_true(wait_for(has_width, 640));
    assert_true(clock_now_us() - edited_us < 3000000);
    assert_int_equal(read_now(&seen.backwards), 0);
}

static bool model_state_is(const char *wanted)
{
    json_t *status = runtime_workflow_status(runtime, "w");
    json_t *node = json_object_get(json_object_get(status, "nodes"), "m");
    bool is = strcmp(json_string_value(json_object_get(node, "state")), wanted) == 0;
    json_decref(status);
    return is;
}

static bool model_is_idle(int unused)
{
    (void)unused;
    return model_state_is("idle");
}

static bool model_runs(int unused)
{
    (void)unused;
    return model_state_is("running");
}

/* Pictures go by, and the model, which is loaded, has nothing to do. */
static void assert_model_rests(void)
{
    assert_true(wait_for(model_is_idle, 0));
    assert_true(wait_for(has_pictures, read_now(&seen.jpegs) + 30));
    assert_true(model_is_idle(0));
}

static void no_model_works_for_the_original(void **state)
{
    (void)state;
    if (!getenv("OVERWATCH_TEST_MODEL"))
        skip();
    execute(json_object(), NULL, json_pack("{s:s}", "layout", "original"));
    assert_model_rests();
    set("v", json_pack("{s:s}", "layout", "xray"));
    assert_true(wait_for(model_runs, 0));
}

static void no_model_works_with_x_ray_off(void **state)
{
    (void)state;
    if (!getenv("OVERWATCH_TEST_MODEL"))
        skip();
    execute(json_pack("{s:b}", "enableXRay", 0), NULL, json_pack("{s:s}", "boxTiming", "sync"));
    assert_model_rests();
    set("m", json_pack("{s:b}", "enableXRay", 1));
    assert_true(wait_for(model_runs, 0));
}

/* Whether the picture stands or moves is up to the filter, whatever is drawn. */
static void a_filter_needs_the_model_all_the_same(void **state)
{
    (void)state;
    if (!getenv("OVERWATCH_TEST_MODEL"))
        skip();
    execute(json_pack("{s:b}", "enableXRay", 0), json_object(), json_object());
    assert_true(wait_for(model_runs, 0));
}

static bool has_videos(int count)
{
    return read_now(&seen.videos) >= count;
}

/* Behind a model that takes long, the picture that is drawn again is older than what is under way.
 */
static void edits_in_sync_do_not_turn_time_back(void **state)
{
    (void)state;
    if (!getenv("OVERWATCH_TEST_MODEL"))
        skip();
    execute(json_pack("{s:f}", "confidence", 0.1), NULL, json_pack("{s:s}", "boxTiming", "sync"));
    assert_true(wait_for(model_runs, 0));
    int keys = read_now(&seen.keys);
    for (int i = 0; i < 40; i++) {
        int shown = read_now(&seen.videos);
        set("m", json_pack("{s:i}", "lineThickness", 1 + i % 8));
        assert_true(wait_for(has_videos, shown + 1));
    }
    assert_int_equal(read_now(&seen.backwards), 0);
    assert_int_equal(read_now(&seen.before), 0);
    assert_true(read_now(&seen.keys) <= keys + 1); /* nobody asked for more of them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_layout_follows_without_a_reconnect, setup, teardown),
        cmocka_unit_test_setup_teardown(a_zone_that_is_on_no_view_of_its_own_is_on_those_beside_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_edit_shows_on_a_picture_that_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(no_model_works_for_the_original, setup, teardown),
        cmocka_unit_test_setup_teardown(no_model_works_with_x_ray_off, setup, teardown),
        cmocka_unit_test_setup_teardown(edits_in_sync_do_not_turn_time_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_filter_needs_the_model_all_the_same, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
