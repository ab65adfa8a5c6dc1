#include "../record/units.h"
#include "core/clock.h"
#include "record/mp4_file.h"
#include "workflow/recorder.h"
#include "workflow/recording_list.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { S = 1000000, RATE = 10 };

static char path[32];
static struct record_folder *folder;
static struct recording_list *recordings;
static struct recorder *recorder;
static struct unit_maker maker;
static struct detections *seen;
static struct shared_text *places; /* of the zones, from the next picture on */
static struct shared_text *look;   /* the same */
static int64_t start_us;

static void see_somebody(void)
{
    static const char *const names[] = {"person \"x\""};
    struct label_set *labels = NULL;
    assert_int_equal(label_set_create(&labels, names, 1), OW_OK);
    assert_int_equal(detections_create(&seen, 1, labels), OW_OK);
    seen->source_width = 640;
    seen->source_height = 360;
    seen->count = 0;
    const struct detection one = {
        .confidence = 0.9F, .x1 = 10, .y1 = 20, .x2 = 30, .y2 = 40, .track_id = 7};
    detections_append(seen, &one);
    label_set_unref(&labels);
}

static int setup(void **state)
{
    (void)state;
    static const struct recording_subject subject = {.node_id = "yard",
                                                     .workflow_id = "w",
                                                     .workflow_name = "Work",
                                                     .label = "",
                                                     .layout = "xray"};
    snprintf(path, sizeof path, "/tmp/overwatch-test-XXXXXX");
    if (!mkdtemp(path) || unit_maker_open(&maker, 320, 180) < 0)
        return -1;
    assert_int_equal(record_folder_create(&folder, path, 100000000, NULL), OW_OK);
    assert_int_equal(recording_list_create(&recordings, folder), OW_OK);
    assert_int_equal(recorder_create(&recorder, folder, &subject), OW_OK);
    recorder_set_label(recorder, "The yard");
    see_somebody();
    start_us = clock_now_us() - (int64_t)20 * S;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[64];
    recorder_destroy(&recorder);
    recording_list_destroy(&recordings);
    record_folder_destroy(&folder);
    unit_maker_close(&maker);
    detections_unref(&seen);
    shared_text_unref(&places);
    shared_text_unref(&look);
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command);
}

/* When the number-th picture was captured. */
static int64_t at(int number)
{
    return start_us + (int64_t)number * S / RATE;
}

static void put(int from, int to)
{
    for (int i = from; i < to; i++) {
        struct encoded *unit = unit_make(&maker, at(i), i % RATE == 0);
        assert_non_null(unit);
        char zones[] = "[{\"node_id\":\"yard\",\"name\":\"Yard\",\"inside\":1}]";
        recorder_put(recorder, &(struct record_item){.unit = unit,
                                                     .seen = i % 2 ? seen : NULL,
                                                     .zones = i % 2 ? zones : NULL,
                                                     .look = look,
                                                     .places = places});
        encoded_unref(&unit);
    }
}

static void set_rules(enum record_when when)
{
    const struct record_rules rules = {.when = when,
                                       .before_us = (int64_t)3 * S,
                                       .after_us = (int64_t)2 * S,
                                       .max_us = (int64_t)8 * S,
                                       .passing_counts = true};
    recorder_set_rules(recorder, &rules);
}

static struct recorder_status status_when(enum recorder_state state)
{
    struct recorder_status status;
    int64_t limit_us = clock_now_us() + (int64_t)10 * S;
    do {
        clock_sleep_until_us(clock_now_us() + 2000);
        recorder_read_status(recorder, &status);
    } while (status.state != state && clock_now_us() < limit_us);
    assert_int_equal(status.state, state);
    return status;
}

/* The recordings that are there when `count` have ended, the first one first. */
static json_t *ended(int count)
{
    int64_t limit_us = clock_now_us() + (int64_t)10 * S;
    for (;;) {
        json_t *list = recording_list_describe(recordings);
        bool done = (int)json_array_size(list) == count;
        for (size_t i = 0; i < json_array_size(list); i++)
            done &= !json_is_true(json_object_get(json_array_get(list, i), "recording"));
        if (done) {
            json_t *sorted = json_array(); /* by name, which has the time in it */
            for (size_t n = json_array_size(list); n > 0; n--) {
                size_t least = 0;
                for (size_t i = 1; i < n; i++)
                    if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "name")),
                               json_string_value(
                                   json_object_get(json_array_get(list, least), "name"))) < 0)
                        least = i;
                json_array_append(sorted, json_array_get(list, least));
                json_array_remove(list, least);
            }
            json_decref(list);
            return sorted;
        }
        json_decref(list);
        if (clock_now_us() > limit_us)
            fail_msg("%d recordings have not come", count);
        clock_sleep_until_us(clock_now_us() + 5000);
    }
}

static json_t *member(const json_t *list, size_t index, const char *name)
{
    return json_object_get(json_array_get(list, index), name);
}

static double number(const json_t *list, size_t index, const char *name)
{
    return json_number_value(member(list, index, name));
}

/* Its lines, each parsed. */
static json_t *lines_of(const json_t *list, size_t index)
{
    char file[RECORD_PATH_BYTES];
    char *line = NULL;
    size_t room = 0;
    snprintf(file, sizeof file, "%s/%s", path, json_string_value(member(list, index, "lines")));
    FILE *in = fopen(file, "r");
    assert_non_null(in);
    json_t *lines = json_array();
    while (getline(&line, &room, in) > 0) {
        json_t *parsed = json_loads(line, 0, NULL);
        assert_non_null(parsed);
        json_array_append_new(lines, parsed);
    }
    free(line);
    fclose(in);
    return lines;
}

static int count_type(const json_t *lines, const char *type)
{
    int count = 0;
    for (size_t i = 0; i < json_array_size(lines); i++)
        count += strcmp(json_string_value(member(lines, i, "type")), type) == 0;
    return count;
}

static void an_event_keeps_what_came_before(void **state)
{
    (void)state;
    json_t *event = json_pack("{s:s, s:s}", "event", "enter", "node_id", "zone");
    set_rules(RECORD_EVENTS);
    put(0, 100);
    status_when(RECORDER_READY);
    recorder_event(recorder, at(99), "zone_event", event);
    status_when(RECORDER_RECORDING);
    put(100, 160);
    json_t *list = ended(1);
    /* From the key frame at or before 3 s, up to 2 s behind. */
    assert_int_equal(number(list, 0, "pictures"), 119 - 60);
    assert_int_equal(number(list, 0, "events"), 1);
    assert_string_equal(json_string_value(member(list, 0, "label")), "The yard");
    assert_string_equal(json_string_value(member(list, 0, "layout")), "xray");
    assert_string_equal(json_string_value(member(list, 0, "trigger")), "events");
    assert_true(number(list, 0, "seconds") > 5.89 && number(list, 0, "seconds") < 5.91);
    json_t *lines = lines_of(list, 0);
    assert_int_equal(count_type(lines, "picture"), 59);
    assert_int_equal(count_type(lines, "zone_event"), 1);
    for (size_t i = 0; i < json_array_size(lines); i++)
        if (strcmp(json_string_value(member(lines, i, "type")), "zone_event") == 0) {
            assert_true(number(lines, i, "pts") > 3.89 && number(lines, i, "pts") < 3.91);
            assert_string_equal(json_string_value(member(lines, i, "event")), "enter");
        }
    const json_t *objects = member(lines, 2, "detections");
    assert_int_equal(json_array_size(objects), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(objects, 0), "class_name")),
        "person \"x\"");
    assert_int_equal(number(lines, 2, "width"), 640);
    const json_t *zones = member(lines, 2, "zones");
    assert_int_equal(json_array_size(zones), 1);
    assert_int_equal(number(zones, 0, "inside"), 1);
    assert_null(member(lines, 1, "zones"));
    json_decref(lines);
    json_decref(list);
    /* Soon after, the next one shows what came before it, too. */
    recorder_event(recorder, at(159), "zone_event", event);
    put(160, 200);
    list = ended(2);
    assert_int_equal(number(list, 1, "pictures"), 179 - 120);
    json_decref(list);
    json_decref(event);
}

static void events_make_it_longer_and_files_have_an_end(void **state)
{
    (void)state;
    json_t *event = json_object();
    set_rules(RECORD_EVENTS);
    put(0, 50);
    for (int i = 50; i < 200; i += 10) { /* one each second */
        recorder_event(recorder, at(i - 1), "zone_event", event);
        put(i, i + 10);
        status_when(RECORDER_RECORDING);
    }
    recorder_stop(recorder);
    json_t *list = ended(3);
    /* Each goes on where the one before ended; the first has the time before the event, too. */
    assert_int_equal(number(list, 0, "pictures"), 80);
    assert_int_equal(number(list, 1, "pictures"), 80);
    assert_int_equal(number(list, 2, "pictures"), 200 - 10 - 160);
    assert_int_equal(
        number(list, 0, "events") + number(list, 1, "events") + number(list, 2, "events"), 15);
    json_decref(list);
    json_decref(event);
}

static void what_is_seen_is_recorded_while_it_is(void **state)
{
    (void)state;
    set_rules(RECORD_DETECTIONS);
    for (int i = 0; i < 150; i++) {
        put(i, i + 1);
        recorder_result(recorder, "m", at(i), i >= 50 && i < 80);
        if (i == 79) /* the results of pictures that were taken are, too */
            status_when(RECORDER_RECORDING);
    }
    json_t *list = ended(1);
    /* 3 s before the 50th, up to 2 s behind the 79th. */
    assert_int_equal(number(list, 0, "pictures"), 99 - 20);
    assert_int_equal(number(list, 0, "events"), 1);
    json_decref(list);
}

/* As behind a filter that holds the picture until something passes: the event is there first. */
static void an_event_waits_for_its_picture(void **state)
{
    (void)state;
    set_rules(RECORD_EVENTS);
    put(0, 15);
    status_when(RECORDER_READY);
    recorder_result(recorder, "f", at(100), 1);
    clock_sleep_until_us(clock_now_us() + S / 20);
    put(100, 150);
    json_t *list = ended(1);
    assert_int_equal(number(list, 0, "pictures"), 20); /* nothing of long ago */
    assert_int_equal(number(list, 0, "events"), 1);
    json_decref(list);
}

static void somebody_records_by_hand(void **state)
{
    (void)state;
    put(0, 20); /* nobody wants it */
    recorder_set_by_hand(recorder, true);
    assert_true(recorder_needs_pictures(recorder));
    put(20, 75);
    struct recorder_status status = status_when(RECORDER_RECORDING);
    assert_true(status.by_hand);
    recorder_set_by_hand(recorder, false);
    assert_false(recorder_needs_pictures(recorder));
    status_when(RECORDER_OFF);
    json_t *list = ended(1);
    assert_true(number(list, 0, "pictures") >= 40 && number(list, 0, "pictures") <= 55);
    assert_false(json_is_true(member(list, 0, "recording")));
    json_decref(list);
}

/* Other parameter sets cannot follow in the same file. */
static void another_size_is_another_file(void **state)
{
    (void)state;
    recorder_set_by_hand(recorder, true);
    put(0, 20);
    unit_maker_close(&maker);
    assert_int_equal(unit_maker_open(&maker, 480, 270), OW_OK);
    put(20, 40);
    recorder_stop(recorder);
    json_t *list = ended(2);
    assert_int_equal(number(list, 0, "pictures"), 20);
    assert_int_equal(number(list, 0, "width"), 320);
    assert_int_equal(number(list, 1, "pictures"), 20);
    assert_int_equal(number(list, 1, "width"), 480);
    json_decref(list);
}

static void change(struct shared_text **text, const char *to)
{
    shared_text_unref(text);
    *text = shared_text_create(to);
    assert_non_null(*text);
}

/* The lines that tell where zones are: as many, the first with these points and at this time. */
static void assert_places(const json_t *lines, int count, const char *text, double pts)
{
    size_t i = 0;
    assert_int_equal(count_type(lines, "zones"), count);
    while (strcmp(json_string_value(member(lines, i, "type")), "zones") != 0)
        i++;
    char *told = json_dumps(member(lines, i, "zones"), JSON_COMPACT);
    assert_string_equal(told, text);
    free(told);
    assert_float_equal(number(lines, i, "pts"), pts, 1e-4);
    /* The picture from which on it is so comes next. */
    assert_string_equal(json_string_value(member(lines, i + 1, "type")), "picture");
    assert_float_equal(number(lines, i + 1, "pts"), pts, 1e-4);
}

static void zones_are_told_when_they_move(void **state)
{
    (void)state;
    recorder_set_by_hand(recorder, true);
    put(0, 5); /* it is not known yet where they are */
    change(&places, "[]");
    put(5, 10); /* there are none */
    change(&places, "[1]");
    put(10, 20);
    change(&places, "[1]");
    put(20, 30);
    change(&places, "[]");
    put(30, 35);
    change(&places, "[2]");
    put(35, 40);
    /* A file that goes on where one ended tells it anew. */
    unit_maker_close(&maker);
    assert_int_equal(unit_maker_open(&maker, 480, 270), OW_OK);
    put(40, 60);
    recorder_stop(recorder);
    json_t *list = ended(2), *lines = lines_of(list, 0);
    assert_places(lines, 3, "[1]", 1.0);
    json_decref(lines);
    lines = lines_of(list, 1);
    assert_places(lines, 1, "[2]", 0);
    json_decref(lines);
    json_decref(list);
}

/* A limit of the process stands for the disk's: the lines reach it before the video does. */
static void lines_are_whole_when_the_disk_was_full_for_a_while(void **state)
{
    (void)state;
    static const struct recording_subject subject = {.node_id = "yard",
                                                     .workflow_id = "w",
                                                     .workflow_name = "Work",
                                                     .label = "",
                                                     .layout = "xray",
                                                     .trigger = "manual"};
    char zones[20000] = "";
    memset(zones, ' ', sizeof zones - 1);
    zones[0] = '[';
    zones[sizeof zones - 2] = ']';
    struct recording *recording = NULL;
    struct reason why = {""};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct encoded *first = unit_make(&maker, at(0), true);
    assert_int_equal(recording_begin(&recording, folder, &subject, first, &why), OW_OK);
    encoded_unref(&first);
    int rc = OW_OK;
    unit_maker_close(&maker);
    assert_int_equal(unit_maker_open(&maker, 320, 180), OW_OK);
    for (int i = 0; rc == OW_OK && i < 10 * RATE; i++) {
        struct encoded *unit = unit_make(&maker, at(i), i == 0);
        if (i == 2 * RATE) { /* a part of the next lines has room */
            const struct rlimit limit = {500000, before.rlim_max};
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        }
        rc = recording_add(recording, &(struct record_item){.unit = unit, .zones = zones}, &why);
        encoded_unref(&unit);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, OW_EIO);
    recording_end(&recording, at(10 * RATE), why.text);
    json_t *list = ended(1), *lines = lines_of(list, 0); /* each can be read */
    assert_int_equal(count_type(lines, "end"), 1);
    assert_int_equal(count_type(lines, "picture"), number(list, 0, "pictures"));
    json_decref(lines);
    json_decref(list);
}

static void how_it_is_drawn_is_told_when_that_changes(void **state)
{
    (void)state;
    static const char *const looks[] = {"{\"color_scheme\":\"neon\"}", "{}"};
    recorder_set_by_hand(recorder, true);
    change(&look, looks[0]);
    change(&places, "[1]");
    put(0, 10);
    change(&look, looks[0]);
    put(10, 20);
    change(&look, looks[1]);
    put(20, 30);
    recorder_stop(recorder);
    json_t *list = ended(1), *lines = lines_of(list, 0);
    assert_int_equal(count_type(lines, "look"), 2);
    static const size_t at_line[] = {1, 3 + 20}; /* behind head, look and zones 20 pictures */
    for (size_t i = 0; i < 2; i++) {
        char *told = json_dumps(member(lines, at_line[i], "look"), JSON_COMPACT);
        assert_string_equal(told, looks[i]);
        free(told);
        assert_float_equal(number(lines, at_line[i], "pts"), i == 0 ? 0 : 2, 1e-4);
    }
    json_decref(lines);
    json_decref(list);
}

static void a_folder_that_goes_is_told(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
    recorder_set_by_hand(recorder, true);
    put(0, 20);
    struct recorder_status status = status_when(RECORDER_FAILED);
    assert_non_null(strstr(status.error, "No such file"));
    recorder_set_by_hand(recorder, false);
    status = status_when(RECORDER_OFF);
    assert_string_equal(status.error, "");
}

/* As when the program was killed: nothing tells how it ended, and it is counted. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_keeps_what_came_before, setup, teardown),
        cmocka_unit_test_setup_teardown(events_make_it_longer_and_files_have_an_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_seen_is_recorded_while_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_waits_for_its_picture, setup, teardown),
        cmocka_unit_test_setup_teardown(somebody_records_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(another_size_is_another_file, setup, teardown),
        cmocka_unit_test_setup_teardown(zones_are_told_when_they_move, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_are_whole_when_the_disk_was_full_for_a_while, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(how_it_is_drawn_is_told_when_that_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_goes_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
