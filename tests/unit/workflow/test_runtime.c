#include "core/clock.h"
#include "workflow/runtime.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a view gives out; waits are on these counters, with a limit. */
struct track_sink {
    int units, keys, width, height;
    int64_t last_us, last_capture_us;
    enum video_codec codec;
};

static struct sink {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int opened, closed, units, keys, jpegs;
    struct track_sink tracks[RENDITION_TRACKS];
    int order[64], ordered; /* tracks, as their units came */
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
    assert_in_range(track, 0, RENDITION_TRACKS - 1);
    struct sink *s = context;
    struct track_sink *t = &s->tracks[track];
    int64_t now_us = clock_now_us();
    pthread_mutex_lock(&s->lock);
    s->units++;
    s->keys += unit->key;
    t->units++;
    t->keys += unit->key;
    t->width = unit->width;
    t->height = unit->height;
    t->codec = unit->codec;
    t->last_us = now_us;
    t->last_capture_us = unit->capture_us;
    if (s->ordered < (int)(sizeof s->order / sizeof s->order[0]))
        s->order[s->ordered++] = track;
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
    sink.opened = sink.closed = sink.units = sink.keys = sink.jpegs = sink.ordered = 0;
    memset(sink.tracks, 0, sizeof sink.tracks);
    const struct runtime_settings settings = {.outputs = {.context = &sink,
                                                          .opened = on_opened,
                                                          .video = on_video,
                                                          .jpeg = on_jpeg,
                                                          .closed = on_closed}};
    assert_int_equal(runtime_create(&runtime, &settings, NULL), OW_OK);
    return runtime;
}

static void execute(struct runtime *runtime, const char *text, int expected)
{
    json_t *workflow = json_loads(text, 0, NULL), *report = NULL;
    struct reason why = {""};
    assert_non_null(workflow);
    assert_int_equal(runtime_execute(runtime, workflow, RUNTIME_TRUSTED, &report, &why), expected);
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

/* A pattern that is large enough to be made smaller, and a view of it. */
#define LARGE(id, data)                                                                            \
    "{\"id\":\"" id "\",\"nodes\":[{\"id\":\"s\",\"type\":\"testPattern\",\"data\":{"              \
    "\"width\":960,\"height\":540,\"fps\":30}},{\"id\":\"v\",\"type\":\"videoPreviewWebRTC\","     \
    "\"data\":{" data "}}],\"edges\":[{\"id\":\"e\",\"source\":\"s\",\"target\":\"v\"}]}"

static const struct rendition_plan nobody = {.viewers = 0};

static struct track_sink read_track(int track)
{
    pthread_mutex_lock(&sink.lock);
    struct track_sink copy = sink.tracks[track];
    pthread_mutex_unlock(&sink.lock);
    return copy;
}

static struct view *start(struct runtime *runtime, const char *workflow)
{
    execute(runtime, workflow, OW_OK);
    struct view *view = runtime_find_view(runtime, "v");
    assert_non_null(view);
    return view;
}

static void each_rendition_is_encoded_while_it_is_watched(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    struct view *view = start(runtime, LARGE("w", "\"bitratePreset\":\"high\""));
    const struct rendition_plan best = {.viewers = 2, .target_bps = 2000000};
    const struct rendition_plan half = {.viewers = 1, .target_bps = 800000, .width_part = 0.5};
    view_set_plan(view, 0, &best);
    assert_true(wait_for(&sink.tracks[0].units, 5));
    assert_int_equal(read_track(1).units, 0);
    view_set_plan(view, 1, &half);
    assert_true(wait_for(&sink.tracks[1].units, 10));
    assert_int_equal(read_track(0).width, 960);
    assert_int_equal(read_track(1).width, 480);
    assert_int_equal(read_track(1).height, 270);
    assert_int_equal(read_track(0).keys, 1); /* the second viewer cost the first one nothing */
    assert_int_equal(read_track(1).keys, 1);
    struct view_info info;
    view_read_info(view, &info);
    assert_int_equal(info.width, 960);
    assert_int_equal(info.target_bps, 2000000);
    assert_int_equal(info.tracks[0].viewers, 2);
    assert_int_equal(info.tracks[1].viewers, 1);
    assert_int_equal(info.tracks[1].width, 480);
    assert_int_equal(info.tracks[1].target_bps, 800000);
    assert_true(info.tracks[1].encoder[0] != 0 && info.tracks[2].viewers == 0);

    /* a key frame of one is not one of the other */
    view_want_key_frame(view, 1);
    assert_true(wait_for(&sink.tracks[1].keys, 2));
    assert_int_equal(read_track(0).keys, 1);

    /* nobody there: not another picture, the other goes on */
    view_set_plan(view, 1, &nobody);
    assert_true(wait_for(&sink.tracks[0].units, read_track(0).units + 2));
    int stopped = read_track(1).units;
    assert_true(wait_for(&sink.tracks[0].units, read_track(0).units + 10));
    assert_int_equal(read_track(1).units, stopped);
    view_set_plan(view, 1, &half);
    assert_true(wait_for(&sink.tracks[1].units, stopped + 1));
    assert_true(wait_for(&sink.tracks[1].keys, 3));
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void the_best_rendition_of_a_picture_comes_first(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    struct view *view = start(runtime, LARGE("w", "\"bitratePreset\":\"high\""));
    const struct rendition_plan plan = {.viewers = 1, .target_bps = 1000000};
    int vp8 = rendition_track(VIDEO_VP8, 0), last = RENDITION_RUNGS - 1;
    view_set_plan(view, last, &plan);
    view_set_plan(view, vp8, &plan);
    view_set_plan(view, 0, &plan);
    assert_true(wait_for(&sink.ordered, 64));
    assert_int_equal(read_track(0).codec, VIDEO_H264);
    assert_int_equal(read_track(vp8).codec, VIDEO_VP8);
    /* from the first picture that all three show on: in turns, the best rung first */
    int at = 0;
    while (at < 60 && !(sink.order[at] == 0 && sink.order[at + 1] == vp8))
        at++;
    assert_true(at < 30);
    for (; at + 3 < 64; at += 3) {
        assert_int_equal(sink.order[at], 0);
        assert_int_equal(sink.order[at + 1], vp8);
        assert_int_equal(sink.order[at + 2], last);
    }
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void a_low_rate_gets_a_smaller_picture_and_then_fewer(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    struct view *view = start(runtime, LARGE("w", "\"bitratePreset\":\"high\""));
    struct rendition_plan plan = {.viewers = 1, .target_bps = 2000000};
    view_set_plan(view, 0, &plan);
    assert_true(wait_for(&sink.tracks[0].units, 5));
    assert_int_equal(read_track(0).width, 960);
    plan.target_bps = 200000;
    view_set_plan(view, 0, &plan);
    assert_true(wait_for(&sink.tracks[0].keys, 2)); /* another size starts with a key frame */
    assert_int_equal(read_track(0).width, 480);
    struct view_info info;
    view_read_info(view, &info);
    assert_int_equal(info.target_bps, 200000);
    plan.target_bps = 40000;
    view_set_plan(view, 0, &plan);
    assert_true(wait_for(&sink.tracks[0].keys, 3));
    assert_in_range(read_track(0).width, 160, 240);
    int64_t start_us = clock_now_us();
    assert_true(wait_for(&sink.tracks[0].units, read_track(0).units + 6));
    assert_true(clock_now_us() - start_us > 400000); /* thirty a second would take 200 ms */
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void without_adaption_the_picture_stays_as_it_is(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    struct view *view = start(runtime, LARGE("w", "\"bitratePreset\":\"high\",\"adaptive\":false"));
    const struct rendition_plan plan = {.viewers = 1, .target_bps = 50000};
    view_set_plan(view, 0, &plan);
    assert_true(wait_for(&sink.tracks[0].units, 10));
    assert_int_equal(read_track(0).width, 960);
    assert_int_equal(read_track(0).keys, 1);
    struct view_info info;
    view_read_info(view, &info);
    assert_false(info.adaptive);
    assert_int_equal(info.target_bps, 2000000);
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void a_hold_delays_and_its_newest_picture_comes_out(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    struct view *view = start(runtime, PLAIN("w", "30"));
    view_set_plan(view, 0, &one_viewer);
    view_set_plan(view, 1, &one_viewer);
    assert_true(wait_for(&sink.tracks[0].units, 5));
    view_hold(view, 0, clock_now_us() + 900000);
    int64_t start_us = clock_now_us();
    struct track_sink before = read_track(0);
    assert_true(wait_for(&sink.tracks[1].units, read_track(1).units + 5));
    assert_in_range(read_track(0).units, before.units, before.units + 1);
    view_hold(view, 0, 0); /* sooner than said: at once, with a picture that has come since */
    assert_true(wait_for(&sink.tracks[0].units, before.units + 2));
    struct track_sink after = read_track(0);
    assert_true(after.last_us - start_us < 800000);
    assert_true(after.last_capture_us > start_us);
    /* what was said for one viewer's path does not hold for two */
    const struct rendition_plan two_viewers = {.viewers = 2, .target_bps = 500000};
    start_us = clock_now_us();
    view_hold(view, 0, start_us + 900000);
    view_set_plan(view, 0, &two_viewers);
    assert_true(wait_for(&sink.tracks[0].units, read_track(0).units + 3));
    assert_true(clock_now_us() - start_us < 800000);
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void the_picture_of_a_hold_is_as_new_as_can_be(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    struct view *view = start(runtime, PLAIN("slow", "4")); /* a picture every 250 ms */
    view_set_plan(view, 0, &one_viewer);
    assert_true(wait_for(&sink.tracks[0].units, 3));
    /* Held from one picture until 100 ms after the next one, the next one comes out at the end of
     * the hold: not before, not with the one after it. */
    int64_t capture_us = read_track(0).last_capture_us;
    int units = read_track(0).units;
    int64_t until_us = capture_us + 350000;
    view_hold(view, 0, until_us);
    assert_true(wait_for(&sink.tracks[0].units, units + 1));
    struct track_sink held = read_track(0);
    assert_true(held.last_us >= until_us);
    assert_in_range(held.last_capture_us - capture_us, 150000, 400000);
    /* a hold without end is not obeyed */
    view_hold(view, 0, INT64_MAX);
    assert_true(wait_for(&sink.tracks[0].units, held.units + 2));
    view_unref(&view);
    runtime_destroy(&runtime);
}

static void orders_for_tracks_that_are_none_do_no_harm(void **state)
{
    (void)state;
    struct runtime *runtime = make_runtime();
    struct view *view = start(runtime, PLAIN("w", "30"));
    static const int tracks[] = {-1, RENDITION_TRACKS, 1000000};
    for (size_t i = 0; i < sizeof tracks / sizeof tracks[0]; i++) {
        view_set_plan(view, tracks[i], &one_viewer);
        view_want_key_frame(view, tracks[i]);
        view_hold(view, tracks[i], INT64_MAX);
    }
    view_set_plan(view, 2, &one_viewer);
    assert_true(wait_for(&sink.tracks[2].units, 3));
    assert_int_equal(read_counter(&sink.units), read_track(2).units);
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
        cmocka_unit_test(each_rendition_is_encoded_while_it_is_watched),
        cmocka_unit_test(the_best_rendition_of_a_picture_comes_first),
        cmocka_unit_test(a_low_rate_gets_a_smaller_picture_and_then_fewer),
        cmocka_unit_test(without_adaption_the_picture_stays_as_it_is),
        cmocka_unit_test(a_hold_delays_and_its_newest_picture_comes_out),
        cmocka_unit_test(the_picture_of_a_hold_is_as_new_as_can_be),
        cmocka_unit_test(orders_for_tracks_that_are_none_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
