#include "record/record_folder.h"

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

static const int64_t WALL_US = 1764443680000000; /* 2025-11-29T19:14:40Z */

static char path[64];
static struct record_folder *folder;

static void open_folder(uint64_t max_bytes)
{
    struct reason why = {""};
    record_folder_destroy(&folder);
    if (record_folder_create(&folder, path, max_bytes, &why) < 0)
        fail_msg("%s", why.text);
}

static int setup(void **state)
{
    (void)state;
    char made[] = "/tmp/overwatch-test-XXXXXX";
    if (!mkdtemp(made))
        return -1;
    snprintf(path, sizeof path, "%s/recordings", made);
    open_folder(1000000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[96];
    record_folder_destroy(&folder);
    *strrchr(path, '/') = '\0';
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command);
}

static void write_file(const char *name, const char *ending, size_t size)
{
    char file[RECORD_PATH_BYTES];
    record_folder_name_path(folder, name, ending, file);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    for (size_t i = 0; i < size; i++)
        fputc('x', out);
    fclose(out);
}

static bool is_there(const char *name, const char *ending)
{
    char file[RECORD_PATH_BYTES];
    record_folder_name_path(folder, name, ending, file);
    return access(file, F_OK) == 0;
}

static void names_are_plain_and_new(void **state)
{
    (void)state;
    char name[RECORD_NAME_BYTES], file[RECORD_PATH_BYTES];
    assert_int_equal(record_folder_claim(folder, "yard", WALL_US, name, NULL), OW_OK);
    assert_string_equal(name, "yard-20251129T191440Z");
    assert_true(is_there("yard-20251129T191440Z", ".mp4") &&
                is_there("yard-20251129T191440Z", ".jsonl"));
    assert_int_equal(record_folder_claim(folder, "yard", WALL_US, name, NULL), OW_OK);
    assert_string_equal(name, "yard-20251129T191440Z-2");
    assert_int_equal(record_folder_claim(folder, "../Hof \xc3\xa4/..", WALL_US, name, NULL), OW_OK);
    assert_string_equal(name, "___Hof______-20251129T191440Z");
    snprintf(file, sizeof file, "%s.mp4", name);
    char found[RECORD_PATH_BYTES];
    assert_int_equal(record_folder_path(folder, file, found), OW_OK);
    char longer[400];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(record_folder_claim(folder, longer, WALL_US, name, NULL), OW_OK);
    assert_int_equal(record_folder_remove(folder, name, NULL), OW_ESTATE);
}

static void nothing_else_is_found_or_removed(void **state)
{
    (void)state;
    static const char *const strange[] = {
        "",
        ".",
        "..",
        "../overwatch.db",
        "a/../b.mp4",
        "/etc/passwd",
        "mine.mp4",
        "mine-2024.mp4",
        ".mp4",
        "-20251129T191440Z.mp4",
        "yard-20251129T191440Z",
        "yard-20251129T191440Z.mp4.part",
        "yard-20251129T191440Z.mp4/..",
        "yard-20251129T191440Z..mp4",
        "yard\n-20251129T191440Z.mp4",
        "yard-20251129T191440Z-.mp4",
        "link-20251129T191440Z.mp4",
    };
    char found[RECORD_PATH_BYTES];
    write_file("mine", ".mp4", 10);
    write_file("mine-2024", ".mp4", 10);
    write_file("yard-20251129T191440Z", ".mp4.part", 10);
    write_file("holiday", ".mp4.part", 10); /* of another program that is loading it */
    snprintf(found, sizeof found, "%s/link-20251129T191440Z.mp4", path);
    assert_int_equal(symlink("/etc/passwd", found), 0);
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        assert_int_equal(record_folder_path(folder, strange[i], found), OW_ENOTFOUND);
        assert_int_equal(record_folder_remove(folder, strange[i], NULL), OW_ENOTFOUND);
    }
    assert_int_equal(record_folder_remove(folder, "yard-20251129T191440Z", NULL), OW_ENOTFOUND);
    open_folder(1); /* thins out as much as it can */
    assert_true(is_there("mine", ".mp4") && is_there("mine-2024", ".mp4"));
    assert_true(is_there("holiday", ".mp4.part"));
    /* An index that was not finished. */
    assert_false(is_there("yard-20251129T191440Z", ".mp4.part"));
}

static void the_oldest_go_first(void **state)
{
    (void)state;
    char names[4][RECORD_NAME_BYTES];
    struct reason why = {""};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(record_folder_claim(folder, "yard", WALL_US + i * 1000000, names[i], NULL),
                         OW_OK);
        write_file(names[i], ".mp4", 300000);
        write_file(names[i], ".jsonl", 20000);
        struct timespec times[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
        char whole[RECORD_PATH_BYTES];
        record_folder_name_path(folder, names[i], ".mp4", whole);
        assert_int_equal(utimensat(AT_FDCWD, whole, times, 0), 0);
        if (i != 1)
            record_folder_release(folder, names[i]);
    }
    /* Four times 320 kB, of which 1 MB may stay; the second oldest is being written. */
    record_folder_count(folder, &(const struct record_counts){.bytes = 1280000});
    assert_int_equal(record_folder_check(folder, &why), OW_OK);
    int count = 0;
    struct record_entry *entries = record_folder_list(folder, &count);
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].name, names[3]);
    assert_string_equal(entries[1].name, names[2]);
    assert_string_equal(entries[2].name, names[1]);
    assert_true(entries[2].open && !entries[1].open);
    assert_int_equal(entries[0].bytes, 320000);
    free(entries);
    assert_int_equal(record_folder_remove(folder, names[3], NULL), OW_OK);
    assert_int_equal(record_folder_remove(folder, names[3], NULL), OW_ENOTFOUND);
    assert_false(is_there(names[3], ".jsonl"));
}

static void what_is_being_written_has_a_limit_too(void **state)
{
    (void)state;
    char name[RECORD_NAME_BYTES], other[RECORD_NAME_BYTES];
    struct reason why = {""};
    assert_int_equal(record_folder_claim(folder, "yard", WALL_US, name, NULL), OW_OK);
    write_file(name, ".mp4", 1000001);
    record_folder_count(folder, &(const struct record_counts){.bytes = 1000001});
    assert_int_equal(record_folder_check(folder, &why), OW_EIO);
    assert_non_null(strstr(why.text, "--max-recordings-mb"));
    assert_int_equal(record_folder_claim(folder, "yard", WALL_US, other, &why), OW_EIO);
    record_folder_release(folder, name);
    assert_int_equal(record_folder_claim(folder, "yard", WALL_US, other, NULL), OW_OK);
    assert_string_equal(other, name); /* the other one had to go */
}

/* A folder of a recording's name stands for a file that cannot be removed. */
static void what_cannot_be_removed_is_told(void **state)
{
    (void)state;
    char name[RECORD_NAME_BYTES], file[RECORD_PATH_BYTES];
    struct reason why = {""};
    assert_int_equal(record_folder_claim(folder, "yard", WALL_US, name, NULL), OW_OK);
    record_folder_release(folder, name);
    record_folder_name_path(folder, name, ".mp4", file);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_int_equal(record_folder_remove(folder, name, &why), OW_EIO);
    assert_non_null(strstr(why.text, "cannot be deleted"));
    assert_true(is_there(name, ".jsonl")); /* not half of it */
    assert_int_equal(rmdir(file), 0);
}

static void what_is_written_is_counted(void **state)
{
    (void)state;
    char names[2][RECORD_NAME_BYTES];
    struct record_stats stats;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(record_folder_claim(folder, "yard", WALL_US, names[i], NULL), OW_OK);
        write_file(names[i], ".mp4", 3000);
        record_folder_count(folder, &(const struct record_counts){3000, 90, (uint64_t)i});
    }
    record_folder_release(folder, names[0]);
    record_folder_count_failure(folder);
    record_folder_read_stats(folder, &stats);
    assert_int_equal(stats.running, 1);
    assert_int_equal(stats.bytes, 6000);
    assert_int_equal(stats.max_bytes, 1000000);
    assert_int_equal(stats.failures, 1);
    /* What is deleted takes no room, and was written all the same. */
    assert_int_equal(record_folder_remove(folder, names[0], NULL), OW_OK);
    record_folder_read_stats(folder, &stats);
    assert_int_equal(stats.bytes, 3000);
    assert_int_equal(stats.written.bytes, 6000);
    assert_int_equal(stats.written.pictures, 180);
    assert_int_equal(stats.written.lost, 1);
}

static void a_folder_that_cannot_be_made_is_told(void **state)
{
    (void)state;
    struct record_folder *other = NULL;
    struct reason why = {""};
    assert_int_equal(record_folder_create(&other, "/proc/nowhere", 1, &why), OW_EIO);
    assert_null(other);
    assert_non_null(strstr(why.text, "/proc/nowhere"));
    assert_int_equal(record_folder_create(&other, "/proc/self/status", 1, &why), OW_EIO);
    assert_null(other);
    assert_non_null(strstr(why.text, "/proc/self/status"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_plain_and_new, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_else_is_found_or_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_go_first, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_removed_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_being_written_has_a_limit_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
