#include "core/clock.h"
#include "workflow/runtime.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Counts what a view gives out; waits are on these counters, with a limit. */
static struct sink {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int opened, closed, units, keys, jpegs;
    bool last_key;
    int64_t last_capture_us;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *on_opened(void *context, struct view *view)
{
    (void)view;
    struct sink *s = context;
    pthread_mutex_lock(&s->lock);
    s->opened++;
    pthread_mutex_unlock(&s->lock);
    return s;
}

static void on_closed(void *context, void *handle, struct view *view)
{
    (void)view;
    struct sink *s = context;
    assert_ptr_equal(handle, context);
    pthread_mutex_lock(&s->lock);
    s->closed++;
    pthread_mutex_unlock(&s->lock);
}

static const struct rendition_plan one_viewer = {.viewers = 1, .target_bps = 500000};

static void on_video(void *context, void *handle, int track, struct encoded *unit)
{
    (void)handle;
    assert_int_equal(track, 0);
    struct sink *s = context;
    pthread_mutex_lock(&s->lock);
    s->units++;
    s->keys += unit->key;
    s->last_key = unit->key;
    s->last_capture_us = unit->capture_us;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void on_jpeg(void *context, struct view *view, struct encoded *picture)
{
    struct sink *s = context;
    (void)view;
    assert_true(picture->size > 100 && picture->data[0] == 0xff && picture->data[1] == 0xd8);
    pthread_mutex_lock(&s->lock);
    s->jpegs++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* Waits up to ten seconds until *counter is at least `count`. */
static bool wait_for(const int *counter, int count)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 10;
    int rc = 0;
    pthread_mutex_lock(&sink.lock);
    while (*counter < count && rc == 0)
        rc = pthread_cond_timedwait(&sink.changed, &sink.lock, &limit);
    bool reached = *counter >= count;
    pthread_mutex_unlock(&sink.lock);
    return reached;
}

static int read_counter(const int *counter)
{
    pthread_mutex_lock(&sink.lock);
    int value = *counter;
    pthread_mutex_unlock(&sink.lock);
    return value;
}

static struct runtime *make_runtime(void)
{
    struct runtime *runtime = NULL;
    sink.opened = sink.closed = sink.units = sink.keys = sink.jpegs = 0;
    const struct runtime_settings settings = {
        .outputs = {&sink, on_opened, on_video, on_jpeg, on_closed}};
    assert_int_equal(runtime_create(&runtime, &settings), OW_OK);
    return runtime;
}

static void execute(struct runtime *runtime, const char *text, int expected)
{
    json_t *workflow = json_loads(text, 0, NULL), *report = NULL;
    struct reason why = {""};
    assert_non_null(workflow);
    assert_int_equal(runtime_execute(runtime, workflow, &report, &why), expected);
    if (expected < 0)
        assert_true(strlen(why.text) > 0);
    assert_non_null(report);
    json_decref(report);
    json_decref(workflow);
}

#define PATTERN(fps)                                                                               \
    "{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{\"width\":320,\"height\":180,\"fps\":" fps   \
    "}}"
#define VIEW "{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\",\"data\":{}}"
#define PLAIN(id, fps)                                                                             \
    "{\"id\":\"" id "\",\"nodes\":[" PATTERN(                                                      \
        fps) "," VIEW "],\"edges\":[{\"id\":\"e\",\"source\":\"s\",\"target\":\"v\"}]}"

static void nothing_is_encoded_for_nobody(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    execute(runtime, PLAIN("w", "60"), OW_OK);
    struct view *view = runtime_find_view(runtime, "v");
    assert_non_null(view);
    assert_null(runtime_find_view(runtime, "s"));

    struct view_info info;
    do /* until the source plays */
        view_read_info(view, &info);
    while (info.source.frames < 5);
    assert_int_equal(read_counter(&sink.units), 0);
    assert_int_equal(read_counter(&sink.jpegs), 0);

    view_set_plan(view, 0, &one_viewer);
    assert_true(wait_for(&sink.units, 10));
    assert_int_equal(read_counter(&sink.keys), 1);
    assert_int_equal(read_counter(&sink.jpegs), 0);
    view_want_key_frame(view, 0);
    assert_true(wait_for(&sink.keys, 2));

    view_set_jpeg_fps(view, 30);
    assert_true(wait_for(&sink.jpegs, 3));
    view_read_info(view, &info);
    assert_string_equal(info.node_id, "v");
    assert_string_equal(info.source_id, "s");
    assert_int_equal(info.width, 320);
    assert_true(info.frames >= 10 && info.encoder[0]);

    runtime_stop_all(runtime);
    assert_int_equal(sink.opened, 1);
    assert_int_equal(sink.closed, 1);
    view_want_key_frame(view, 0); /* a stopped view is asked in vain, not in error */
    view_read_info(view, &info);
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void a_viewer_of_a_slow_source_sees_a_picture_at_once(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    execute(runtime, PLAIN("slow", "0.2"), OW_OK);
    struct view *view = runtime_find_view(runtime, "v");
    struct view_info info;
    do
        view_read_info(view, &info);
    while (info.source.frames < 1);
    int64_t start_us = clock_now_us();
    view_set_plan(view, 0, &one_viewer);
    assert_true(wait_for(&sink.keys, 1));
    assert_true(clock_now_us() - start_us < 2000000); /* the next frame is five seconds away */
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void ids_are_taken_once(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    execute(runtime, PLAIN("w", "10"), OW_OK);
    execute(runtime, PLAIN("w", "10"), OW_EEXISTS);
    execute(runtime, PLAIN("other", "10"), OW_EEXISTS); /* the view's id is taken */
    execute(runtime, "{\"nodes\":[" VIEW "]}", OW_EPARSE);
    json_t *status = runtime_status(runtime);
    assert_int_equal(json_integer_value(json_object_get(status, "running_workflows")), 1);
    json_decref(status);
    assert_int_equal(runtime_stop(runtime, "other"), OW_ENOTFOUND);
    assert_int_equal(runtime_stop(runtime, "w"), OW_OK);
    execute(runtime, PLAIN("other", "10"), OW_OK);
    status = runtime_workflow_status(runtime, "other");
    json_t *view = json_object_get(json_object_get(status, "nodes"), "v");
    assert_string_equal(json_string_value(json_object_get(view, "state")), "idle");
    json_decref(status);
    assert_null(runtime_workflow_status(runtime, "w"));
    runtime_destroy(&runtime);
}

static void a_broken_model_leaves_the_rest_running(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    execute(
        runtime,
        "{\"id\":\"w\",\"nodes\":[" PATTERN(
            "30") ",{\"id\":\"m\",\"type\":\"model\",\"data\":"
                  "{\"modelId\":\"/nowhere/none.onnx\"}},{\"id\":\"v\",\"type\":\"videoPreview\","
                  "\"data\":{\"boxTiming\":\"sync\"}}],\"edges\":[{\"id\":\"a\",\"source\":\"s\","
                  "\"target\":\"m\"},{\"id\":\"b\",\"source\":\"m\",\"target\":\"v\"}]}",
        OW_OK);
    struct view *view = runtime_find_view(runtime, "v");
    view_set_jpeg_fps(view, 30);
    assert_true(wait_for(&sink.jpegs, 3));
    struct view_info info;
    view_read_info(view, &info);
    assert_true(strlen(info.model_error) > 0);
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void a_dark_source_is_shown_as_such(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    execute(
        runtime,
        "{\"id\":\"w\",\"nodes\":[{\"id\":\"s\",\"type\":\"videoInput\",\"data\":{\"videoPath\":"
        "\"/nowhere/none.mp4\"}}," VIEW
        "],\"edges\":[{\"id\":\"e\",\"source\":\"s\",\"target\":\"v\"}]}",
        OW_OK);
    struct view *view = runtime_find_view(runtime, "v");
    view_set_plan(view, 0, &one_viewer);
    assert_true(wait_for(&sink.units, 2)); /* cards */
    struct view_info info;
    view_read_info(view, &info);
    assert_int_equal(info.source.state, SOURCE_NO_SIGNAL);
    assert_true(strlen(info.source.text) > 0);
    view_unref(&view);
    runtime_destroy(&runtime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_encoded_for_nobody),
        cmocka_unit_test(a_viewer_of_a_slow_source_sees_a_picture_at_once),
        cmocka_unit_test(ids_are_taken_once),
        cmocka_unit_test(a_broken_model_leaves_the_rest_running),
        cmocka_unit_test(a_dark_source_is_shown_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
