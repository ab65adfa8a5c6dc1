/* Models shared by their users: the real one, where there is one. */
#include "core/clock.h"
#include "workflow/model_pool.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct model_pool *pool;
static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/overwatch-pool-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    return model_pool_create(&pool, "cpu");
}

static int teardown(void **state)
{
    (void)state;
    model_pool_destroy(&pool);
    unlink(path);
    rmdir(folder);
    return 0;
}

static void copy_model(const char *to)
{
    static char buffer[1 << 16];
    const char *from = getenv("OVERWATCH_TEST_MODEL");
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t size;
    assert_true(in && out);
    while ((size = fread(buffer, 1, sizeof buffer, in)) > 0)
        fwrite(buffer, 1, size, out);
    fclose(in);
    fclose(out);
}

static void needs_model(void)
{
    if (!getenv("OVERWATCH_TEST_MODEL"))
        skip();
}

static void a_replaced_file_is_another_model(void **state)
{
    (void)state;
    needs_model();
    struct pooled_model *first = NULL, *again = NULL, *other = NULL, *replaced = NULL;
    char beside[128];
    snprintf(beside, sizeof beside, "%s.new", path);
    copy_model(path);
    assert_int_equal(model_pool_take(pool, path, "", 1, &first, NULL), OW_OK);
    assert_int_equal(model_pool_take(pool, path, "", 1, &again, NULL), OW_OK);
    assert_ptr_equal(first, again);
    assert_int_equal(model_pool_take(pool, path, "", 2, &other, NULL), OW_OK);
    assert_ptr_not_equal(first, other);
    copy_model(beside);
    assert_int_equal(rename(beside, path), 0);
    assert_int_equal(model_pool_take(pool, path, "", 1, &replaced, NULL), OW_OK);
    assert_ptr_not_equal(first, replaced);
    model_pool_give(pool, &first);
    assert_non_null(pooled_model_info(again)); /* whoever has the old one keeps it */
    model_pool_give(pool, &again);
    model_pool_give(pool, &other);
    model_pool_give(pool, &replaced);
}

static void *take_path(void *rc)
{
    struct pooled_model *model = NULL;
    struct reason why = {""};
    *(int *)rc = model_pool_take(pool, path, "", 1, &model, &why);
    model_pool_give(pool, &model);
    return NULL;
}

static atomic_bool reader_came;

static void on_reader(int signal)
{
    (void)signal;
    atomic_store(&reader_came, true);
}

/* A lease keeps whoever opens the file waiting, and tells that somebody does. */
static int lease(const char *file)
{
    struct sigaction action = {.sa_handler = on_reader, .sa_flags = SA_RESTART};
    int held = open(file, O_RDWR);
    assert_true(held >= 0);
    sigaction(SIGIO, &action, NULL);
    if (fcntl(held, F_SETLEASE, F_WRLCK) == 0)
        return held;
    print_message("skip: this file system has no leases\n");
    close(held);
    skip();
    return -1;
}

static void a_slow_load_holds_up_nobody(void **state)
{
    (void)state;
    needs_model();
    pthread_t slow[2];
    int rc[2] = {OW_EIO, OW_EIO};
    struct pooled_model *model = NULL;
    copy_model(path);
    int held = lease(path);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&slow[i], NULL, take_path, &rc[i]), 0);
    int64_t limit_us = clock_now_us() + 10000000;
    while (!atomic_load(&reader_came) && clock_now_us() < limit_us)
        clock_sleep_until_us(clock_now_us() + 1000);
    assert_true(atomic_load(&reader_came)); /* from here on it loads, until the lease ends */
    assert_int_equal(model_pool_take(pool, "/nowhere/none.onnx", "", 1, &model, NULL),
                     OW_ENOTFOUND);
    assert_int_equal(fcntl(held, F_SETLEASE, F_UNLCK), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(slow[i], NULL);
        assert_int_equal(rc[i], OW_OK);
    }
    close(held);
}

static void what_failed_is_tried_again(void **state)
{
    (void)state;
    needs_model();
    struct pooled_model *model = NULL;
    struct reason why = {""};
    assert_int_equal(model_pool_take(pool, path, "", 1, &model, &why), OW_ENOTFOUND);
    assert_null(model);
    assert_true(why.text[0]);
    copy_model(path);
    assert_int_equal(model_pool_take(pool, path, "", 1, &model, &why), OW_OK);
    model_pool_give(pool, &model);
    assert_null(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_replaced_file_is_another_model, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_load_holds_up_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(what_failed_is_tried_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
