/* Killed at any moment, the store has all that it acknowledged, and a full disk loses nothing. */
#include "store/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { KILLS = 25, SLOTS = 20 };

static char folder[] = "/tmp/overwatch-kill-XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/overwatch.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char name[sizeof path + 16];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
    return rmdir(folder);
}

/* A save: which of the workflows, and what was written into it. */
struct save {
    int slot, number;
};

static json_t *document_of(struct save save)
{
    char filling[2000];
    memset(filling, 'a' + save.number % 26, sizeof filling - 1);
    filling[sizeof filling - 1] = '\0';
    return json_pack("{s:i, s:s}", "number", save.number, "filling", filling);
}

static int put(struct store *store, struct save save)
{
    char id[16];
    snprintf(id, sizeof id, "w%d", save.slot);
    json_t *document = document_of(save);
    int rc = store_workflow_set(store, id, document, NULL);
    if (rc == OW_ENOTFOUND)
        rc = store_workflow_add(store, id, document, NULL);
    json_decref(document);
    return rc;
}

/* Saves without end and tells each save that was acknowledged. */
static void save_until_killed(int out, int from)
{
    struct store *store = NULL;
    struct reason why;
    if (store_open(&store, path, &why) != OW_OK)
        _exit(1);
    for (struct save save = {0, from};; save.number++) {
        save.slot = save.number % SLOTS;
        if (put(store, save) != OW_OK || write(out, &save, sizeof save) != sizeof save)
            _exit(1);
    }
}

/* Lets a child save for a while, kills it, and notes the last save of each slot. Returns the number
 * of the very last one that was acknowledged. */
static int run_and_kill(int from, useconds_t after_us, int last[SLOTS])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        save_until_killed(ends[1], from);
    }
    close(ends[1]);
    struct save save;
    assert_int_equal(read(ends[0], &save, sizeof save), sizeof save); /* it is under way */
    usleep(after_us);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    do
        last[save.slot] = save.number;
    while (read(ends[0], &save, sizeof save) == sizeof save);
    close(ends[0]);
    return save.number;
}

static int number_in(struct store *store, int slot)
{
    char id[16];
    json_t *read = NULL;
    snprintf(id, sizeof id, "w%d", slot);
    if (store_workflow_get(store, id, &read, NULL) != OW_OK)
        return -1;
    int number = (int)json_integer_value(json_object_get(read, "number"));
    json_t *whole = document_of((struct save){slot, number});
    assert_true(json_equal(read, whole));
    json_decref(whole);
    json_decref(read);
    return number;
}

static void a_kill_loses_no_acknowledged_save(void **state)
{
    (void)state;
    int last[SLOTS], saves = 0, from = 0;
    for (int i = 0; i < SLOTS; i++)
        last[i] = -1;
    srand(7);
    for (int round = 0; round < KILLS; round++) {
        int newest = run_and_kill(from, (useconds_t)(rand() % 20000), last);
        saves += newest - from + 1;
        struct store *store = NULL;
        struct reason why = {""};
        if (store_open(&store, path, &why) != OW_OK)
            fail_msg("after kill %d: %s", round, why.text);
        for (int slot = 0; slot < SLOTS; slot++) {
            /* The one after the newest may have been written and not yet acknowledged. */
            int number = number_in(store, slot);
            assert_true(number == last[slot] || number == newest + 1);
            last[slot] = number;
        }
        from = newest + 2;
        store_close(&store);
    }
    print_message("%d kills, %d acknowledged saves\n", KILLS, saves);
    assert_true(saves > KILLS);
}

/* A limit of the process stands for the disk's. */
static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) {
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        return;
    }
    struct store *store = NULL;
    struct reason why;
    struct rlimit limit = {512 * 1024, 512 * 1024};
    signal(SIGXFSZ, SIG_IGN);
    if (store_open(&store, path, &why) != OW_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(10);
    int kept = 0, rc = OW_OK;
    char id[24];
    json_t *document = document_of((struct save){0, 1});
    for (; rc == OW_OK && kept < 5000; kept += rc == OW_OK) {
        snprintf(id, sizeof id, "full%d", kept);
        rc = store_workflow_add(store, id, document, NULL);
    }
    if (rc != OW_EIO)
        _exit(11);
    json_t *read = NULL;
    for (int i = 0; i < kept; i++) {
        snprintf(id, sizeof id, "full%d", i);
        if (store_workflow_get(store, id, &read, NULL) != OW_OK || !json_equal(read, document))
            _exit(12);
        json_decref(read);
    }
    /* Passwords alone would find room, but the document they belong to does not: both stay. */
    json_t *fresh = json_pack("{s:s}", "password", "new"), *secrets = NULL;
    char filling[40000] = "";
    memset(filling, 'x', sizeof filling - 1);
    json_t *large = json_pack("{s:s}", "filling", filling);
    if (store_workflow_set(store, "full0", large, fresh) != OW_EIO)
        _exit(13);
    if (store_workflow_get(store, "full0", &read, NULL) != OW_OK || !json_equal(read, document))
        _exit(14);
    if (store_workflow_secrets(store, "full0", &secrets) != OW_OK || json_object_size(secrets) != 0)
        _exit(15);
    json_decref(read);
    json_decref(secrets);
    json_decref(large);
    json_decref(fresh);
    json_decref(document);
    store_close(&store);
    /* With room again everything is there, and it goes on. */
    limit.rlim_cur = limit.rlim_max;
    _exit(0);
}

static void after_all_of_it_the_file_is_whole(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct reason why = {""};
    assert_int_equal(store_open(&store, path, &why), OW_OK); /* checks it */
    assert_int_equal(put(store, (struct save){0, 1}), OW_OK);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_loses_no_acknowledged_save),
        cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
        cmocka_unit_test(after_all_of_it_the_file_is_whole),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
