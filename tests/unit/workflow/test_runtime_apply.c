/* Changing a workflow while it runs, with real sources, the real model where there is one, and
 * views that are watched. */
#include "core/clock.h"
#include "workflow/runtime.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int opened, closed, rates, max_bps, jpegs, width, detections_told, zone_events, messages;
    int counts_told, counts_behind; /* of zones, with results of their own and of others */
    int unsure;                     /* detections told below street_confidence */
    int64_t jpeg_us;
    bool wants;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static const float street_confidence = 0.4f;

static void count(int *counter)
{
    pthread_mutex_lock(&seen.lock);
    ++*counter;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static void *on_opened(void *context, struct view *view)
{
    (void)context;
    view_set_jpeg_fps(view, 100);
    count(&seen.opened);
    return &seen;
}

static void on_rates(void *context, void *handle, struct view *view)
{
    (void)context, (void)handle;
    struct view_info info;
    view_read_info(view, &info);
    seen.max_bps = info.max_bps;
    count(&seen.rates);
}

static void on_closed(void *context, void *handle, struct view *view)
{
    (void)context, (void)handle, (void)view;
    count(&seen.closed);
}

static void on_video(void *context, void *handle, int track, struct encoded *unit)
{
    (void)context, (void)handle, (void)track, (void)unit;
}

static void on_jpeg(void *context, struct view *view, struct encoded *picture)
{
    (void)context, (void)view;
    pthread_mutex_lock(&seen.lock);
    seen.jpegs++;
    seen.width = picture->width;
    seen.jpeg_us = clock_now_us();
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static bool on_wants(void *context, const char *workflow_id, const char *node_id)
{
    (void)context, (void)workflow_id, (void)node_id;
    pthread_mutex_lock(&seen.lock);
    bool wants = seen.wants;
    pthread_mutex_unlock(&seen.lock);
    return wants;
}

static void on_detections(void *context, const char *workflow_id, const char *node_id,
                          const struct detections *detections, json_t *zones, const json_t *places)
{
    (void)context, (void)workflow_id;
    const json_t *zone = json_array_get(zones, 0);
    assert_int_equal(json_array_size(places), json_array_size(zones));
    if (zone && json_integer_value(json_object_get(zone, "inside")) > 0)
        count(strcmp(node_id, "f") == 0 ? &seen.counts_behind : &seen.counts_told);
    if (strcmp(node_id, "m") == 0) /* no zone stands before it */
        assert_null(zones);
    if (zone)
        assert_string_equal(json_string_value(json_object_get(zone, "node_id")), "z");
    for (int i = 0; i < detections->count; i++)
        if (detections->items[i].confidence < street_confidence)
            count(&seen.unsure);
    count(&seen.detections_told);
}

static void on_event(void *context, const char *topic, const json_t *message)
{
    (void)context;
    assert_non_null(json_object_get(message, "node_id"));
    count(strcmp(topic, "zone_event") == 0 ? &seen.zone_events : &seen.messages);
}

static bool wait_until(const int *counter, int at_least, int64_t within_us)
{
    int64_t limit_us = clock_now_us() + within_us;
    bool reached = false;
    while (!reached && clock_now_us() < limit_us) {
        pthread_mutex_lock(&seen.lock);
        reached = *counter >= at_least;
        pthread_mutex_unlock(&seen.lock);
        if (!reached)
            clock_sleep_until_us(clock_now_us() + 1000);
    }
    return reached;
}

static int read_now(const int *counter)
{
    pthread_mutex_lock(&seen.lock);
    int value = *counter;
    pthread_mutex_unlock(&seen.lock);
    return value;
}

static struct runtime *runtime;

static int setup(void **state)
{
    (void)state;
    seen.rates = seen.max_bps = 0;
    seen.opened = seen.closed = seen.jpegs = seen.width = seen.detections_told = seen.unsure = 0;
    seen.zone_events = seen.messages = seen.counts_told = seen.counts_behind = 0;
    seen.wants = false;
    const struct runtime_settings settings = {
        .outputs = {.opened = on_opened,
                    .video = on_video,
                    .jpeg = on_jpeg,
                    .rates = on_rates,
                    .closed = on_closed},
        .node_outputs = {.wants_detections = on_wants,
                         .detections = on_detections,
                         .event = on_event},
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

static json_t *node(const char *id, const char *type, json_t *data)
{
    return json_pack("{s:s, s:s, s:o}", "id", id, "type", type, "data", data);
}

static json_t *edge(const char *source, const char *target)
{
    return json_pack("{s:s, s:s}", "source", source, "target", target);
}

/* A test pattern of `fps`, and a view `width` wide. */
static json_t *plain(int fps, int width)
{
    return json_pack("{s:s, s:[o, o], s:[o]}", "id", "w", "nodes",
                     node("s", "testPattern",
                          json_pack("{s:i, s:i, s:i}", "width", 320, "height", 180, "fps", fps)),
                     node("v", "videoPreviewWebRTC", json_pack("{s:i}", "width", width)), "edges",
                     edge("s", "v"));
}

/* Applies and returns what changed; the document is taken. */
static json_t *apply(json_t *document, int expected)
{
    json_t *report = NULL, *changes = NULL;
    struct reason why = {""};
    int rc = runtime_apply(runtime, document, RUNTIME_TRUSTED, &report, &changes, &why);
    if (rc != expected)
        fail_msg("%d: %s", rc, why.text);
    json_decref(report);
    json_decref(document);
    return changes;
}

static void assert_change(const json_t *changes, const char *id, const char *wanted)
{
    size_t i;
    json_t *change;
    json_array_foreach(
        changes, i,
        change) if (strcmp(json_string_value(json_object_get(change, "node_id")), id) == 0)
    {
        assert_string_equal(json_string_value(json_object_get(change, "change")), wanted);
        return;
    }
    fail_msg("nothing is told of %s", id);
}

static void only_what_changed_is_touched(void **state)
{
    (void)state;
    json_t *changes = apply(plain(50, 0), OW_OK);
    assert_change(changes, "s", "added");
    json_decref(changes);
    struct view *before = runtime_find_view(runtime, "v");
    assert_true(wait_until(&seen.jpegs, 3, 5000000));

    changes = apply(plain(50, 0), OW_OK);
    assert_change(changes, "s", "kept");
    assert_change(changes, "v", "kept");
    json_decref(changes);
    changes = apply(plain(50, 160), OW_OK);
    assert_change(changes, "s", "kept");
    assert_change(changes, "v", "updated");
    json_decref(changes);
    int64_t edited_us = clock_now_us();
    while (read_now(&seen.width) != 160)
        assert_true(clock_now_us() - edited_us < 2000000);

    changes = apply(plain(25, 160), OW_OK);
    assert_change(changes, "s", "restarted");
    assert_change(changes, "v", "kept");
    json_decref(changes);
    struct view *after = runtime_find_view(runtime, "v");
    assert_ptr_equal(before, after);
    int shown = read_now(&seen.jpegs);
    assert_true(wait_until(&seen.jpegs, shown + 3, 5000000));
    assert_int_equal(seen.opened, 1);
    assert_int_equal(seen.closed, 0);
    view_unref(&before);
    view_unref(&after);
}

static void rates_of_a_view_follow(void **state)
{
    (void)state;
    json_decref(apply(plain(50, 0), OW_OK));
    json_t *document = plain(50, 0);
    json_t *data = json_object_get(json_array_get(json_object_get(document, "nodes"), 1), "data");
    json_object_set_new(data, "bitratePreset", json_string("high"));
    json_object_set_new(data, "renditionRates", json_string("100,50"));
    json_t *changes = apply(document, OW_OK);
    assert_change(changes, "v", "updated");
    json_decref(changes);
    assert_int_equal(seen.rates, 1);
    assert_int_equal(seen.max_bps, 2000000);
    json_decref(apply(plain(50, 160), OW_OK)); /* back again, and another width */
    assert_int_equal(seen.rates, 2);
    json_decref(apply(plain(50, 0), OW_OK)); /* the width alone is no rate */
    assert_int_equal(seen.rates, 2);
    assert_int_equal(seen.max_bps, 500000);
    assert_int_equal(seen.opened, 1);
    assert_int_equal(seen.closed, 0);
}

static void nodes_come_and_go(void **state)
{
    (void)state;
    json_decref(apply(plain(50, 0), OW_OK));
    json_t *two = plain(50, 0);
    json_array_append_new(json_object_get(two, "nodes"), node("v2", "videoPreview", json_object()));
    json_array_append_new(json_object_get(two, "edges"), edge("s", "v2"));
    json_t *changes = apply(two, OW_OK);
    assert_change(changes, "v2", "added");
    assert_change(changes, "s", "kept");
    json_decref(changes);
    struct view *second = runtime_find_view(runtime, "v2");
    assert_non_null(second);
    struct view_info info;
    int64_t begun_us = clock_now_us();
    do
        view_read_info(second, &info);
    while (info.frames < 3 && clock_now_us() - begun_us < 5000000);
    assert_true(info.frames >= 3);
    view_unref(&second);
    changes = apply(plain(50, 0), OW_OK);
    assert_change(changes, "v2", "removed");
    assert_null(runtime_find_view(runtime, "v2"));
    json_decref(changes);
}

static void a_preview_changes_nothing(void **state)
{
    (void)state;
    json_decref(apply(plain(50, 0), OW_OK));
    json_t *document = plain(5, 160), *report = NULL, *changes = NULL;
    assert_int_equal(runtime_preview(runtime, document, RUNTIME_TRUSTED, &report, &changes), OW_OK);
    assert_change(changes, "s", "restarted");
    assert_change(changes, "v", "updated");
    json_decref(changes);
    json_decref(report);
    json_decref(document);
    json_t *running = runtime_document(runtime, "w"), *expected = plain(50, 0);
    assert_true(json_equal(running, expected));
    json_decref(running);
    json_decref(expected);
}

static void one_setting_follows_at_once(void **state)
{
    (void)state;
    json_decref(apply(plain(50, 0), OW_OK));
    json_t *data = json_pack("{s:i}", "width", 200), *document = NULL, *change = NULL;
    struct reason why = {""};
    assert_int_equal(runtime_set_node(runtime, "w", "v", data, &document, &change, &why), OW_OK);
    assert_string_equal(json_string_value(json_object_get(change, "change")), "updated");
    json_decref(document);
    json_decref(change);
    json_object_set_new(data, "width", json_string("wide"));
    assert_int_equal(runtime_set_node(runtime, "w", "v", data, &document, &change, &why),
                     OW_EINVAL);
    assert_non_null(strstr(why.text, "width"));
    assert_int_equal(runtime_set_node(runtime, "w", "x", data, &document, &change, &why),
                     OW_ENOTFOUND);
    assert_int_equal(runtime_set_node(runtime, "x", "v", data, &document, &change, &why),
                     OW_ENOTFOUND);
    json_decref(data);
}

/* A pipe that gives one picture and then nothing: whoever edits must not wait for the next one. */
static void an_edit_shows_on_a_picture_that_stands(void **state)
{
    (void)state;
    char folder[] = "/tmp/overwatch-apply-XXXXXX", path[64], url[80];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/frames", folder);
    snprintf(url, sizeof url, "pipe:%s", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    json_t *document = json_pack("{s:s, s:[o, o], s:[o]}", "id", "w", "nodes",
                                 node("s", "camera", json_pack("{s:s}", "url", url)),
                                 node("v", "videoPreview", json_object()), "edges", edge("s", "v"));
    json_decref(apply(document, OW_OK));
    FILE *pipe = fopen(path, "w");
    static uint8_t picture[320 * 180 * 3 / 2];
    memset(picture, 128, sizeof picture);
    fputs("YUV4MPEG2 W320 H180 F25:1 C420jpeg\nFRAME\n", pipe);
    fwrite(picture, 1, sizeof picture, pipe);
    fflush(pipe);
    assert_true(wait_until(&seen.jpegs, 1, 5000000));
    clock_sleep_until_us(clock_now_us() + 400000); /* nothing comes: that is what is tried */

    json_t *data = json_pack("{s:i}", "width", 160), *whole = NULL, *change = NULL;
    struct reason why = {""};
    int64_t edited_us = clock_now_us();
    assert_int_equal(runtime_set_node(runtime, "w", "v", data, &whole, &change, &why), OW_OK);
    while (read_now(&seen.width) != 160 && clock_now_us() - edited_us < 2000000)
        clock_sleep_until_us(clock_now_us() + 500);
    int64_t took_us = seen.jpeg_us - edited_us;
    print_message("an edit was seen after %.1f ms\n", (double)took_us / 1000);
    assert_int_equal(read_now(&seen.width), 160);
    assert_true(took_us < 100000);
    json_decref(whole);
    json_decref(change);
    json_decref(data);
    fclose(pipe);
    runtime_stop_all(runtime);
    unlink(path);
    rmdir(folder);
}

/* Two workflows of the same source: it is opened once, and plays on when one stops. */
static void a_source_is_shared(void **state)
{
    (void)state;
    char folder[] = "/tmp/overwatch-share-XXXXXX", path[64], url[80];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/frames", folder);
    snprintf(url, sizeof url, "pipe:%s", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    static const char *const ids[] = {"one", "two"};
    for (size_t i = 0; i < 2; i++)
        json_decref(apply(json_pack("{s:s, s:[o, o], s:[o]}", "id", ids[i], "nodes",
                                    node("s", "camera", json_pack("{s:s}", "url", url)),
                                    node(ids[i], "videoPreview", json_object()), "edges",
                                    edge("s", ids[i])),
                          OW_OK));
    FILE *pipe = fopen(path, "w");
    static uint8_t picture[64 * 64 * 3 / 2];
    fputs("YUV4MPEG2 W64 H64 F25:1 C420jpeg\n", pipe);
    struct view *views[2] = {runtime_find_view(runtime, "one"), runtime_find_view(runtime, "two")};
    struct view_info info[2];
    /* Had each a reader of its own, the pipe's frames would be torn between them. */
    for (int i = 0; i < 100; i++) {
        fputs("FRAME\n", pipe);
        fwrite(picture, 1, sizeof picture, pipe);
        fflush(pipe);
        if (i == 50)
            assert_int_equal(runtime_stop(runtime, "one"), OW_OK);
        clock_sleep_until_us(clock_now_us() + 5000);
    }
    view_read_info(views[1], &info[1]);
    assert_int_equal(info[1].source.state, SOURCE_PLAYING);
    assert_true(info[1].source.frames >= 60);
    assert_int_equal(info[1].source.reopened, 0);
    view_unref(&views[0]);
    view_unref(&views[1]);
    runtime_stop_all(runtime);
    fclose(pipe);
    unlink(path);
    rmdir(folder);
}

static void workflows_of_strangers_open_no_files(void **state)
{
    (void)state;
    static const char *const paths[] = {"/etc/passwd",
                                        "../../etc/passwd",
                                        "pipe:/tmp/x",
                                        "file:///etc/passwd",
                                        "concat:a|b",
                                        "pipe:-",
                                        "v4l2:/dev/video0/../../etc/passwd"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        json_t *document =
            json_pack("{s:s, s:[o, o], s:[o]}", "id", "w", "nodes",
                      node("s", "videoInput", json_pack("{s:s}", "videoPath", paths[i])),
                      node("v", "videoPreview", json_object()), "edges", edge("s", "v"));
        json_t *report = NULL, *changes = NULL;
        struct reason why = {""};
        print_message("%s\n", paths[i]);
        assert_int_equal(runtime_apply(runtime, document, RUNTIME_REMOTE, &report, &changes, &why),
                         OW_EAUTH);
        assert_true(strlen(why.text) > 0);
        json_decref(report);
        json_decref(document);
    }
}

/* Street footage, the real model, a zone over all of it, a filter, a view, a debug node. */
static json_t *street(double confidence, const char *media)
{
    return json_pack(
        "{s:s, s:[o, o, o, o, o, o], s:[o, o, o, o, o]}", "id", "w", "nodes",
        node("s", "videoInput", json_pack("{s:s}", "videoPath", media)),
        node("m", "model", json_pack("{s:f, s:f}", "confidence", confidence, "fps", 10.0)),
        node("z", "zone",
             json_pack("{s:s, s:[[i, i], [i, i]], s:i}", "zoneType", "rectangle", "polygon", 0, 0,
                       1, 1, "cooldown", 0)),
        node("f", "detectionFilter",
             json_pack("{s:s, s:[s]}", "filterMode", "class", "selectedClasses", "person")),
        node("v", "videoPreview", json_object()), node("d", "debug", json_object()), "edges",
        edge("s", "m"), edge("m", "z"), edge("z", "f"), edge("f", "v"), edge("f", "d"));
}

static void detections_take_their_way_through_filters(void **state)
{
    (void)state;
    const char *media = getenv("OVERWATCH_TEST_MEDIA");
    if (!media || !getenv("OVERWATCH_TEST_MODEL"))
        skip();
    seen.wants = true;
    json_decref(apply(street((double)street_confidence, media), OW_OK));
    assert_true(wait_until(&seen.zone_events, 1, 20000000));
    assert_true(wait_until(&seen.messages, 1, 20000000));
    assert_true(wait_until(&seen.detections_told, 10, 20000000));
    assert_true(wait_until(&seen.counts_told, 1, 20000000));
    assert_true(wait_until(&seen.counts_behind, 1, 20000000));
    assert_int_equal(read_now(&seen.unsure), 0); /* they are for the tracker alone */
    json_t *status = runtime_workflow_status(runtime, "w");
    json_t *nodes = json_object_get(status, "nodes");
    json_t *zone = json_object_get(json_object_get(nodes, "z"), "zone");
    assert_true(json_integer_value(json_object_get(zone, "inside")) > 0);
    assert_true(json_integer_value(json_object_get(json_object_get(nodes, "f"), "passed")) > 0);
    json_t *counts = json_object_get(json_object_get(nodes, "m"), "counts");
    assert_true(json_integer_value(json_object_get(counts, "person")) > 0);
    json_decref(status);

    /* Nothing is as sure as that: soon nothing is seen, and neither model nor view started anew. */
    json_t *changes = apply(street(1.0, media), OW_OK);
    assert_change(changes, "m", "updated");
    assert_change(changes, "v", "kept");
    json_decref(changes);
    int64_t limit_us = clock_now_us() + 5000000;
    json_int_t left = -1;
    while (left != 0 && clock_now_us() < limit_us) {
        status = runtime_workflow_status(runtime, "w");
        left = json_integer_value(
            json_object_get(json_object_get(json_object_get(status, "nodes"), "m"), "detections"));
        json_decref(status);
        clock_sleep_until_us(clock_now_us() + 10000);
    }
    assert_int_equal(left, 0);
    assert_int_equal(seen.opened, 1);
}

static void read_rates(double *least, double *most, int sources)
{
    *least = 1e9;
    *most = 0;
    for (int i = 0; i < sources; i++) {
        char id[8];
        struct view_info info;
        snprintf(id, sizeof id, "v%d", i);
        struct view *view = runtime_find_view(runtime, id);
        view_read_info(view, &info);
        *least = info.model_fps < *least ? info.model_fps : *least;
        *most = info.model_fps > *most ? info.model_fps : *most;
        view_unref(&view);
    }
}

/* Many sources through one model: each gets its turn. A sanitizer makes a turn ten times longer. */
#ifdef __SANITIZE_ADDRESS__
enum { SOURCES = 4 };
#else
enum { SOURCES = 16 };
#endif

static void a_model_is_shared_fairly(void **state)
{
    (void)state;
    if (!getenv("OVERWATCH_TEST_MODEL"))
        skip();
    seen.wants = true;
    json_t *nodes = json_array(), *edges = json_array();
    for (int i = 0; i < SOURCES; i++) {
        char source[8], model[8], view[8];
        snprintf(source, sizeof source, "s%d", i);
        snprintf(model, sizeof model, "m%d", i);
        snprintf(view, sizeof view, "v%d", i);
        json_array_append_new(nodes, node(source, "testPattern",
                                          json_pack("{s:i, s:i, s:i, s:i}", "width", 640, "height",
                                                    360, "fps", 5, "objects", i % 4)));
        json_array_append_new(nodes, node(model, "model", json_pack("{s:i}", "fps", 5)));
        json_array_append_new(nodes, node(view, "videoPreview", json_object()));
        json_array_append_new(edges, edge(source, model));
        json_array_append_new(edges, edge(model, view));
    }
    json_decref(
        apply(json_pack("{s:s, s:o, s:o}", "id", "w", "nodes", nodes, "edges", edges), OW_OK));
    int64_t limit_us = clock_now_us() + 40000000;
    double least = 0, most = 0;
    while (least <= 0 && clock_now_us() < limit_us) {
        clock_sleep_until_us(clock_now_us() + 2000000);
        read_rates(&least, &most, SOURCES);
    }
    print_message("inferences a second and source: %.1f to %.1f\n", least, most);
    assert_true(least > 0);
    assert_true(most <= 2.5 * least + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_changed_is_touched, setup, teardown),
        cmocka_unit_test_setup_teardown(rates_of_a_view_follow, setup, teardown),
        cmocka_unit_test_setup_teardown(nodes_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(a_preview_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(one_setting_follows_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_edit_shows_on_a_picture_that_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(a_source_is_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(workflows_of_strangers_open_no_files, setup, teardown),
        cmocka_unit_test_setup_teardown(detections_take_their_way_through_filters, setup, teardown),
        cmocka_unit_test_setup_teardown(a_model_is_shared_fairly, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
