#include "workflow/recording_list.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "{\"type\":\"recording\",\"node_id\":\"yard\",\"width\":3}\n"
#define PICTURE(pts) "{\"type\":\"picture\",\"pts\":" pts ",\"detections\":[]}\n"
#define END(reason)                                                                                \
    "{\"type\":\"end\",\"seconds\":7.5,\"pictures\":225,\"reason\":\"" reason "\"}\n"

static char path[32];
static struct record_folder *folder;
static struct recording_list *list;

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/overwatch-test-XXXXXX");
    if (!mkdtemp(path))
        return -1;
    assert_int_equal(record_folder_create(&folder, path, 100000000, NULL), OW_OK);
    assert_int_equal(recording_list_create(&list, folder), OW_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[64];
    recording_list_destroy(&list);
    assert_null(list);
    record_folder_destroy(&folder);
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command);
}

/* ---- files ---- */

/* Begins a recording of the view, which is being written. */
static void claim(const char *view, char name[RECORD_NAME_BYTES])
{
    assert_int_equal(record_folder_claim(folder, view, 0, name, NULL), OW_OK);
}

static void write_lines(const char *name, const char *how, const char *text)
{
    char file[RECORD_PATH_BYTES];
    record_folder_name_path(folder, name, RECORD_LINES, file);
    FILE *out = fopen(file, how);
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    fclose(out);
}

/* One that has ended. */
static void put(const char *view, const char *text, char name[RECORD_NAME_BYTES])
{
    claim(view, name);
    write_lines(name, "w", text);
    record_folder_release(folder, name);
}

/* Other bytes at the file's beginning, of which nothing tells but the bytes. */
static void change_unseen(const char *name, const char *text)
{
    char file[RECORD_PATH_BYTES];
    struct stat before;
    record_folder_name_path(folder, name, RECORD_LINES, file);
    int fd = open(file, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &before), 0);
    assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

/* ---- what is told ---- */

static json_t *told;

/* The entry of a recording in a list that is made now; lent until the next one. NULL = none. */
static const json_t *look(const char *name)
{
    size_t i;
    json_t *entry;
    json_decref(told);
    told = recording_list_describe(list);
    assert_non_null(told);
    json_array_foreach(told, i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0)
            return entry;
    }
    return NULL;
}

static double number(const char *name, const char *member)
{
    const json_t *value = json_object_get(look(name), member);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void assert_text(const char *name, const char *member, const char *text)
{
    const char *value = json_string_value(json_object_get(look(name), member));
    assert_non_null(value);
    assert_string_equal(value, text);
}

static void assert_counts(const char *name, int pictures, int events, double seconds)
{
    assert_int_equal(number(name, "pictures"), pictures);
    assert_int_equal(number(name, "events"), events);
    assert_float_equal(number(name, "seconds"), seconds, 1e-6);
}

static int forget_told(void **state)
{
    json_decref(told);
    told = NULL;
    return teardown(state);
}

/* ---- tests ---- */

static void one_without_an_end_is_counted(void **state)
{
    (void)state;
    char name[RECORD_NAME_BYTES];
    put("yard",
        HEAD PICTURE("0.5") "{\"type\":\"zone_event\",\"pts\":0.7}\n"
                            "{\"type\":\"picture\",\"pts\":1.25,\"detections\":[{\"class_name\":\"_"
                            "event\"}]}\n"
                            "{\"type\":\"picture\",\"pts\":1.", /* cut anywhere */
        name);
    assert_counts(name, 2, 1, 1.25);
    assert_text(name, "node_id", "yard");
    assert_int_equal(number(name, "width"), 3);
}

static void what_is_known_is_not_read_again(void **state)
{
    (void)state;
    char one[RECORD_NAME_BYTES], two[RECORD_NAME_BYTES];
    put("one", HEAD PICTURE("1.0") END("as it was"), one);
    put("two", HEAD PICTURE("1.0"), two);
    assert_text(one, "reason", "as it was");
    assert_counts(two, 1, 0, 1.0);
    change_unseen(one, "{\"type\":\"recording\",\"node_id\":\"door\"");
    change_unseen(two, "{\"type\":\"recording\",\"node_id\":\"door\"");
    assert_text(one, "node_id", "yard");
    assert_text(two, "node_id", "yard");
    /* Once it is seen to be another, it is. */
    write_lines(one, "r+", "{\"type\":\"recording\",\"node_id\":\"gate\"");
    assert_text(one, "node_id", "gate");
    assert_text(two, "node_id", "yard");
}

static void of_one_that_is_written_only_what_came_is_read(void **state)
{
    (void)state;
    char name[RECORD_NAME_BYTES];
    claim("yard", name);
    assert_counts(name, 0, 0, 0);
    write_lines(name, "a", HEAD PICTURE("0.1") PICTURE("0.2"));
    assert_counts(name, 2, 0, 0.2);
    assert_true(json_is_true(json_object_get(look(name), "recording")));
    /* What was counted is not looked at again: it could be anything now. */
    change_unseen(name, HEAD "{\"type\":\"forgery\"");
    write_lines(name, "a", PICTURE("0.3") "{\"type\":\"zone_event\"}\n{\"type\":\"picture\",\"pt");
    assert_counts(name, 3, 1, 0.3);
    write_lines(name, "a", "s\":0.4}\n");
    assert_counts(name, 4, 1, 0.4);
    write_lines(name, "a", END("enough"));
    record_folder_release(folder, name);
    assert_counts(name, 225, 0, 7.5);
    assert_text(name, "reason", "enough");
    assert_true(json_is_false(json_object_get(look(name), "recording")));
}

/* By hand, files come, go and change as they like. */
static void what_others_do_to_files_is_seen(void **state)
{
    (void)state;
    char one[RECORD_NAME_BYTES], two[RECORD_NAME_BYTES], from[RECORD_PATH_BYTES],
        to[RECORD_PATH_BYTES];
    put("one", HEAD PICTURE("1.0"), one);
    put("two", HEAD PICTURE("1.0") PICTURE("2.0"), two);
    assert_counts(one, 1, 0, 1.0);
    assert_counts(two, 2, 0, 2.0);
    /* Longer, and not by what was appended. */
    write_lines(one, "w", HEAD PICTURE("3.0") PICTURE("4.0") PICTURE("5.0"));
    assert_counts(one, 3, 0, 5.0);
    write_lines(one, "w", HEAD);
    assert_counts(one, 0, 0, 0);
    /* Another in its place. */
    record_folder_name_path(folder, two, RECORD_LINES, from);
    record_folder_name_path(folder, one, RECORD_LINES, to);
    assert_int_equal(rename(from, to), 0);
    assert_counts(one, 2, 0, 2.0);
    assert_counts(two, 0, 0, 0); /* its lines have gone */
    assert_text(two, "node_id", "");
    assert_int_equal(record_folder_remove(folder, one, NULL), OW_OK);
    assert_null(look(one));
    assert_non_null(look(two));
    put("one", HEAD PICTURE("9.0"), one);
    assert_counts(one, 1, 0, 9.0);
    assert_int_equal(json_array_size(told), 2);
}

static void anything_may_stand_in_lines(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n\n\n",
        "{\"type\":\"\n[]\n{}\n\xff\xfe",
        "[1, 2]\n",
        HEAD "{\"type\":\"picture\",\"pts\":nan}\n",
        HEAD "{\"type\":\"picture\",\"pts\":1e999}\n",
        HEAD "{\"type\":\"picture\",\"pts\":-5}\n",
        HEAD "{\"type\":\"end\",",
        HEAD "{\"type\":\"end\",\"seconds\":\"x\",\"pictures\":[],\"reason\":7}\n",
    };
    char name[RECORD_NAME_BYTES], file[RECORD_PATH_BYTES];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put("odd", texts[i], name);
        assert_float_equal(number(name, "seconds"), 0, 0);
        assert_int_equal(json_array_size(told), i + 1);
    }
    /* One line without an end is no head. */
    claim("long", name);
    for (int i = 0; i < 1000; i++)
        write_lines(name, "a", "{\"type\":\"recording\",\"node_id\":\"yard\", \"x\": ");
    record_folder_release(folder, name);
    assert_text(name, "node_id", "");
    /* Neither a link nor a pipe is followed, nor waited for. */
    put("link", "", name);
    record_folder_name_path(folder, name, RECORD_LINES, file);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink("/proc/self/status", file), 0);
    assert_counts(name, 0, 0, 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_counts(name, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_without_an_end_is_counted, setup, forget_told),
        cmocka_unit_test_setup_teardown(what_is_known_is_not_read_again, setup, forget_told),
        cmocka_unit_test_setup_teardown(of_one_that_is_written_only_what_came_is_read, setup,
                                        forget_told),
        cmocka_unit_test_setup_teardown(what_others_do_to_files_is_seen, setup, forget_told),
        cmocka_unit_test_setup_teardown(anything_may_stand_in_lines, setup, forget_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
