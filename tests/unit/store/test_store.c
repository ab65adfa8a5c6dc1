#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static char folder[] = "/tmp/overwatch-store-XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/overwatch.db", folder);
    return 0;
}

static void remove_file(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char name[sizeof path + 16];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static int remove_folder(void **state)
{
    (void)state;
    remove_file();
    return rmdir(folder);
}

static struct store *open_store(const char *where)
{
    struct store *store = NULL;
    struct reason why = {""};
    if (store_open(&store, where, &why) != OW_OK)
        fail_msg("%s", why.text);
    return store;
}

static json_t *document(const char *id, const char *name, int nodes)
{
    json_t *list = json_array();
    for (int i = 0; i < nodes; i++)
        json_array_append_new(list, json_pack("{s:i, s:s}", "id", i, "text", "quote ' \" ü"));
    return json_pack("{s:s, s:s, s:s, s:o, s:[]}", "id", id, "name", name, "version", "1.0",
                     "nodes", list, "edges");
}

static void add(struct store *store, const char *id, const char *name)
{
    json_t *made = document(id, name, 3);
    assert_int_equal(store_workflow_add(store, id, made, NULL), OW_OK);
    json_decref(made);
}

static void workflows_are_kept_whole(void **state)
{
    (void)state;
    struct store *store = open_store(":memory:");
    json_t *first = document("a'b; DROP TABLE workflows", "Gate ✓", 3), *read = NULL;
    const char *id = "a'b; DROP TABLE workflows";
    assert_int_equal(store_workflow_add(store, id, first, NULL), OW_OK);
    assert_int_equal(store_workflow_add(store, id, first, NULL), OW_EEXISTS);
    struct store_workflow row;
    assert_int_equal(store_workflow_get(store, id, &read, &row), OW_OK);
    assert_true(json_equal(read, first));
    assert_string_equal(row.name, "Gate ✓");
    assert_string_equal(row.description, "");
    assert_int_equal(row.node_count, 3);
    assert_int_equal(row.edge_count, 0);
    assert_false(row.running);
    assert_true(row.created_s > 1700000000 && row.updated_s >= row.created_s);
    store_workflow_clear(&row);
    json_decref(read);

    json_t *second = document(id, "Other", 5);
    assert_int_equal(store_workflow_set(store, id, second, NULL), OW_OK);
    assert_int_equal(store_workflow_set(store, "none", second, NULL), OW_ENOTFOUND);
    assert_int_equal(store_workflow_set_running(store, id, true), OW_OK);
    assert_int_equal(store_workflow_set_running(store, "none", true), OW_ENOTFOUND);
    assert_int_equal(store_workflow_get(store, id, &read, &row), OW_OK);
    assert_true(row.running);
    assert_int_equal(row.node_count, 5);
    store_workflow_clear(&row);
    json_decref(read);
    assert_int_equal(store_workflow_count(store), 1);
    assert_int_equal(store_workflow_remove(store, id), OW_OK);
    assert_int_equal(store_workflow_remove(store, id), OW_ENOTFOUND);
    assert_int_equal(store_workflow_get(store, id, &read, NULL), OW_ENOTFOUND);
    json_decref(first);
    json_decref(second);
    store_close(&store);
    assert_null(store);
}

/* What is kept: `number` in the document, `secrets` beside it (a new reference). */
static void assert_kept(struct store *store, int number, json_t *secrets)
{
    json_t *read = NULL, *beside = NULL;
    assert_int_equal(store_workflow_get(store, "w", &read, NULL), OW_OK);
    assert_int_equal(json_integer_value(json_object_get(read, "number")), number);
    assert_int_equal(store_workflow_secrets(store, "w", &beside), OW_OK);
    assert_true(json_equal(beside, secrets));
    json_decref(read);
    json_decref(beside);
    json_decref(secrets);
}

static void secrets_are_kept_with_their_workflow_or_not_at_all(void **state)
{
    (void)state;
    struct store *store = open_store(":memory:");
    json_t *one = json_pack("{s:i}", "number", 1), *two = json_pack("{s:i}", "number", 2);
    json_t *secret = json_pack("{s:s}", "password", "hunter2");
    json_t *other = json_pack("{s:s}", "password", "other"), *none = json_object(), *read = NULL;
    assert_int_equal(store_workflow_add(store, "w", one, secret), OW_OK);
    assert_kept(store, 1, json_incref(secret));
    /* What is refused leaves the document's and the secrets' old text. */
    assert_int_equal(store_workflow_add(store, "w", two, other), OW_EEXISTS);
    assert_kept(store, 1, json_incref(secret));
    char *text = malloc(STORE_MAX_SETTING_BYTES + 1);
    memset(text, 'x', STORE_MAX_SETTING_BYTES);
    text[STORE_MAX_SETTING_BYTES] = '\0';
    json_t *large = json_pack("{s:s}", "password", text);
    assert_int_equal(store_workflow_set(store, "w", two, large), OW_ETOOLARGE);
    assert_kept(store, 1, json_incref(secret));
    assert_int_equal(store_workflow_set(store, "none", two, other), OW_ENOTFOUND);
    assert_int_equal(store_workflow_secrets(store, "none", &read), OW_OK);
    assert_int_equal(json_object_size(read), 0);
    json_decref(read);

    assert_int_equal(store_workflow_set(store, "w", two, NULL), OW_OK);
    assert_kept(store, 2, json_incref(secret));
    assert_int_equal(store_workflow_set(store, "w", one, other), OW_OK);
    assert_kept(store, 1, json_incref(other));
    assert_int_equal(store_workflow_set(store, "w", one, none), OW_OK);
    assert_kept(store, 1, json_incref(none));
    assert_int_equal(store_workflow_set(store, "w", one, secret), OW_OK);
    assert_int_equal(store_workflow_remove(store, "w"), OW_OK);
    assert_int_equal(store_workflow_secrets(store, "w", &read), OW_OK);
    assert_int_equal(json_object_size(read), 0);
    json_decref(read);
    free(text);
    json_decref(large);
    json_decref(none);
    json_decref(other);
    json_decref(secret);
    json_decref(two);
    json_decref(one);
    store_close(&store);
}

struct order {
    char ids[8][16];
    int count;
};

static int note(void *context, const struct store_workflow *row)
{
    struct order *order = context;
    snprintf(order->ids[order->count++], 16, "%s", row->id);
    return order->count == 8 ? -1000 : OW_OK;
}

/* Also within one second. */
static void the_one_changed_last_is_listed_first(void **state)
{
    (void)state;
    struct store *store = open_store(":memory:");
    struct order order = {0};
    add(store, "one", "1");
    add(store, "two", "2");
    add(store, "three", "3");
    json_t *changed = document("one", "1", 1);
    assert_int_equal(store_workflow_set(store, "one", changed, NULL), OW_OK);
    assert_int_equal(store_workflow_list(store, note, &order), OW_OK);
    assert_int_equal(order.count, 3);
    assert_string_equal(order.ids[0], "one");
    assert_string_equal(order.ids[1], "three");
    assert_string_equal(order.ids[2], "two");
    order.count = 7;
    assert_int_equal(store_workflow_list(store, note, &order), -1000);
    json_decref(changed);
    store_close(&store);
}

static void what_is_too_large_or_too_many_is_refused(void **state)
{
    (void)state;
    struct store *store = open_store(":memory:");
    char *text = malloc(STORE_MAX_DOCUMENT_BYTES + 1);
    memset(text, 'x', STORE_MAX_DOCUMENT_BYTES);
    text[STORE_MAX_DOCUMENT_BYTES] = '\0';
    json_t *large = json_pack("{s:s}", "name", text);
    assert_int_equal(store_workflow_add(store, "large", large, NULL), OW_ETOOLARGE);
    assert_int_equal(store_setting_set(store, "large", text), OW_ETOOLARGE);
    add(store, "small", "s");
    assert_int_equal(store_workflow_set(store, "small", large, NULL), OW_ETOOLARGE);
    json_t *tiny = json_object();
    char id[16];
    for (int i = 1; i < STORE_MAX_WORKFLOWS; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(store_workflow_add(store, id, tiny, NULL), OW_OK);
    }
    assert_int_equal(store_workflow_add(store, "one more", tiny, NULL), OW_ELIMIT);
    assert_int_equal(store_workflow_count(store), STORE_MAX_WORKFLOWS);
    json_decref(tiny);
    json_decref(large);
    free(text);
    store_close(&store);
}

static int count_cameras(void *context, const struct store_camera *camera)
{
    assert_non_null(camera->name);
    ++*(int *)context;
    return OW_OK;
}

static void passwords_of_cameras_are_apart(void **state)
{
    (void)state;
    struct store *store = open_store(":memory:");
    struct store_camera gate = {
        .id = "c1", .name = "Gate", .url = "rtsp://10.0.0.1/", .username = "root", .enabled = true};
    struct store_camera same_name = {.id = "c2", .name = "Gate", .url = "rtsp://x/"}, read;
    assert_int_equal(store_camera_add(store, &gate, "secret"), OW_OK);
    assert_int_equal(store_camera_add(store, &gate, NULL), OW_EEXISTS);
    assert_int_equal(store_camera_add(store, &same_name, "other"), OW_EEXISTS);
    assert_int_equal(store_camera_get(store, "c1", &read), OW_OK);
    assert_true(read.has_password && read.enabled);
    assert_string_equal(read.username, "root");
    store_camera_clear(&read);
    char *password = NULL;
    assert_int_equal(store_camera_password(store, "c1", &password), OW_OK);
    assert_string_equal(password, "secret");
    free(password);
    /* A camera that was refused leaves no password behind. */
    assert_int_equal(store_camera_password(store, "c2", &password), OW_ENOTFOUND);

    gate.enabled = false;
    assert_int_equal(store_camera_set(store, &gate, NULL), OW_OK);
    assert_int_equal(store_camera_password(store, "c1", &password), OW_OK);
    assert_string_equal(password, "secret");
    free(password);
    assert_int_equal(store_camera_set(store, &gate, ""), OW_OK);
    assert_int_equal(store_camera_get(store, "c1", &read), OW_OK);
    assert_false(read.has_password || read.enabled);
    store_camera_clear(&read);
    gate.id = "none";
    assert_int_equal(store_camera_set(store, &gate, "x"), OW_ENOTFOUND);
    int count = 0;
    assert_int_equal(store_camera_list(store, count_cameras, &count), OW_OK);
    assert_int_equal(count, 1);
    assert_int_equal(store_camera_remove(store, "c1"), OW_OK);
    assert_int_equal(store_camera_remove(store, "c1"), OW_ENOTFOUND);
    assert_int_equal(store_camera_get(store, "c1", &read), OW_ENOTFOUND);
    store_close(&store);
}

static void addresses_get_their_credentials_back(void **state)
{
    (void)state;
    struct store *store = open_store(":memory:");
    struct store_camera camera = {
        .id = "c", .name = "Gate", .url = "rtsp://h:554/a", .username = "u", .enabled = true};
    struct reason why = {""};
    char url[64];
    assert_int_equal(store_camera_add(store, &camera, "p:w/@%"), OW_OK);
    assert_int_equal(store_camera_address(store, "c", url, sizeof url, &why), OW_OK);
    assert_string_equal(url, "rtsp://u:p%3Aw%2F%40%25@h:554/a");
    assert_int_equal(store_camera_address(store, "c", url, 8, &why), OW_ELIMIT);
    assert_int_equal(store_camera_address(store, "x", url, sizeof url, &why), OW_ENOTFOUND);
    camera.username = "";
    assert_int_equal(store_camera_set(store, &camera, ""), OW_OK);
    assert_int_equal(store_camera_address(store, "c", url, sizeof url, &why), OW_OK);
    assert_string_equal(url, "rtsp://h:554/a");
    camera.enabled = false;
    assert_int_equal(store_camera_set(store, &camera, NULL), OW_OK);
    assert_int_equal(store_camera_address(store, "c", url, sizeof url, &why), OW_ESTATE);
    store_close(&store);
}

static int note_upload(void *context, const struct store_upload *upload)
{
    *(int64_t *)context += upload->bytes;
    return OW_OK;
}

static void uploads_and_settings_are_kept(void **state)
{
    (void)state;
    struct store *store = open_store(":memory:");
    struct store_upload upload = {.id = "u1", .name = "Yard.mp4", .file = "yard.mp4", .bytes = 1},
                        read;
    assert_int_equal(store_upload_add(store, &upload), OW_OK);
    upload.id = "u2";
    assert_int_equal(store_upload_add(store, &upload), OW_EEXISTS); /* the same file */
    upload.file = "yard-2.mp4";
    upload.bytes = (int64_t)5 << 32;
    assert_int_equal(store_upload_add(store, &upload), OW_OK);
    int64_t bytes = 0;
    assert_int_equal(store_upload_list(store, note_upload, &bytes), OW_OK);
    assert_true(bytes == ((int64_t)5 << 32) + 1);
    assert_int_equal(store_upload_get(store, "u1", &read), OW_OK);
    assert_string_equal(read.file, "yard.mp4");
    store_upload_clear(&read);
    assert_int_equal(store_upload_remove(store, "u1"), OW_OK);
    assert_int_equal(store_upload_get(store, "u1", &read), OW_ENOTFOUND);

    char *value = NULL;
    assert_int_equal(store_setting_get(store, "theme", &value), OW_ENOTFOUND);
    assert_int_equal(store_setting_set(store, "theme", "dark"), OW_OK);
    assert_int_equal(store_setting_set(store, "theme", "light"), OW_OK);
    assert_int_equal(store_setting_get(store, "theme", &value), OW_OK);
    assert_string_equal(value, "light");
    free(value);
    assert_int_equal(store_setting_set(store, "theme", NULL), OW_OK);
    assert_int_equal(store_setting_get(store, "theme", &value), OW_ENOTFOUND);
    store_close(&store);
}

static void the_file_is_private_and_opens_again(void **state)
{
    (void)state;
    remove_file();
    struct store *store = open_store(path);
    add(store, "kept", "k");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    store_close(&store);
    store = open_store(path);
    json_t *read = NULL;
    assert_int_equal(store_workflow_get(store, "kept", &read, NULL), OW_OK);
    json_decref(read);
    store_close(&store);
}

static void write_file(const char *bytes, size_t size)
{
    remove_file();
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void run_sql(const char *sql)
{
    sqlite3 *file;
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
}

static void assert_refused(int code, const char *word)
{
    struct store *store = NULL;
    struct reason why = {""};
    assert_int_equal(store_open(&store, path, &why), code);
    assert_null(store);
    if (!strstr(why.text, word))
        fail_msg("\"%s\" is not in \"%s\"", word, why.text);
}

static void files_that_are_not_ours_are_left_alone(void **state)
{
    (void)state;
    char text[4096];
    memset(text, 'n', sizeof text);
    write_file(text, sizeof text);
    assert_refused(OW_EPARSE, "no database");
}

static void later_and_foreign_files_are_left_alone(void **state)
{
    (void)state;
    remove_file();
    run_sql("CREATE TABLE other (x); INSERT INTO other VALUES (7);");
    assert_refused(OW_EPARSE, "another program");
    run_sql("DELETE FROM other WHERE x = 7;"); /* still theirs, and writable */
    remove_file();
    struct store *store = open_store(path);
    add(store, "kept", "k");
    store_close(&store);
    run_sql("PRAGMA user_version = 999;");
    assert_refused(OW_EUNSUPPORTED, "later version");
    run_sql("PRAGMA user_version = 1;");
    store = open_store(path);
    assert_int_equal(store_workflow_count(store), 1);
    store_close(&store);
}

static void a_folder_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct reason why = {""};
    assert_int_equal(store_open(&store, "/nonexistent/overwatch.db", &why), OW_EIO);
    assert_non_null(strstr(why.text, "--data-folder"));
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int count_rows(void *context, const struct store_workflow *row)
{
    (void)row;
    ++*(int *)context;
    return OW_OK;
}

/* The figure is printed; the bound is generous for sanitizers. */
static void a_hundred_workflows_are_listed_at_once(void **state)
{
    (void)state;
    remove_file();
    struct store *store = open_store(path);
    json_t *made = document("x", "x", 40);
    char id[16];
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "w%d", i);
        assert_int_equal(store_workflow_add(store, id, made, NULL), OW_OK);
    }
    int count = 0;
    int64_t begun_us = now_us();
    assert_int_equal(store_workflow_list(store, count_rows, &count), OW_OK);
    int64_t took_us = now_us() - begun_us;
    print_message("100 workflows listed in %.2f ms\n", (double)took_us / 1000);
    assert_int_equal(count, 100);
    assert_true(took_us < 200000);
    json_decref(made);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workflows_are_kept_whole),
        cmocka_unit_test(secrets_are_kept_with_their_workflow_or_not_at_all),
        cmocka_unit_test(the_one_changed_last_is_listed_first),
        cmocka_unit_test(what_is_too_large_or_too_many_is_refused),
        cmocka_unit_test(passwords_of_cameras_are_apart),
        cmocka_unit_test(addresses_get_their_credentials_back),
        cmocka_unit_test(uploads_and_settings_are_kept),
        cmocka_unit_test(the_file_is_private_and_opens_again),
        cmocka_unit_test(files_that_are_not_ours_are_left_alone),
        cmocka_unit_test(later_and_foreign_files_are_left_alone),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_told),
        cmocka_unit_test(a_hundred_workflows_are_listed_at_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
