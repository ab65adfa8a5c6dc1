/* Opening what is no model. What needs ONNX Runtime itself skips where it is neither named by
 * OVERWATCH_ONNXRUNTIME nor installed. */
#include "core/error.h"
#include "vision/model.h"
#include "vision/onnxruntime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct model_options one_thread = {.threads = 1};

/* A file with these bytes under a name of its own; the caller unlinks it. */
static void write_file(char path[32], const void *bytes, size_t size)
{
    strcpy(path, "/tmp/overwatch-model-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), (ssize_t)size);
    close(file);
}

static void assert_refused(const char *path, int code, const char *word)
{
    struct model *model = NULL;
    struct reason why = {0};
    assert_int_equal(model_open(&model, path, &one_thread, &why), code);
    assert_null(model);
    if (strstr(why.text, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why.text, word);
    assert_int_equal(model_open(&model, path, &one_thread, NULL), code); /* a reason is not owed */
}

static void missing_empty_and_folder(void **state)
{
    (void)state;
    char path[32];
    assert_refused("/nonexistent/model.onnx", OW_ENOTFOUND, "/nonexistent/model.onnx");
    assert_refused("/", OW_EINVAL, "not a file");
    write_file(path, "", 0);
    assert_refused(path, OW_EPARSE, "empty");
    unlink(path);
}

/* The library named by the environment is not there: a sentence, not a crash. Runs before any test
 * that loads it, because it stays loaded. */
static void missing_runtime_is_said(void **state)
{
    (void)state;
    char path[32];
    char *before = getenv("OVERWATCH_ONNXRUNTIME");
    char *kept = before != NULL ? strdup(before) : NULL;
    setenv("OVERWATCH_ONNXRUNTIME", "/nonexistent/libonnxruntime.so.1", 1);
    write_file(path, "x", 1);
    assert_refused(path, OW_ENOTFOUND, "OVERWATCH_ONNXRUNTIME");
    setenv("OVERWATCH_ONNXRUNTIME", path, 1); /* a file that is no library */
    assert_refused(path, OW_ENOTFOUND, "OVERWATCH_ONNXRUNTIME");
    unlink(path);
    if (kept != NULL)
        setenv("OVERWATCH_ONNXRUNTIME", kept, 1);
    else
        unsetenv("OVERWATCH_ONNXRUNTIME");
    free(kept);
}

static void need_runtime(void)
{
    const struct onnxruntime *runtime = NULL;
    struct reason why = {0};
    if (getenv("OVERWATCH_ONNXRUNTIME") != NULL || onnxruntime_get(&runtime, &why) == OW_OK)
        return;
    printf("skip: %s\n", why.text);
    skip();
}

static void garbage_is_refused(void **state)
{
    (void)state;
    char path[32];
    char garbage[4096];
    need_runtime();
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (char)(i * 37 + i / 11);
    write_file(path, garbage, sizeof garbage);
    assert_refused(path, OW_EPARSE, "cannot be loaded");
    unlink(path);
    write_file(path, "<!DOCTYPE html>", 15); /* what a failed download leaves */
    assert_refused(path, OW_EPARSE, "cannot be loaded");
    unlink(path);
}

/* y = Identity(x), both [1,5]: a sound ONNX file that is no detector. Written by hand after
 * onnx.proto3. */
static void a_model_of_another_kind_is_described(void **state)
{
    (void)state;
    /* clang-format off */
    static const unsigned char identity[] = {
        0x08, 9,                                       /* ir_version */
        0x3a, 63,                                      /* graph */
        0x0a, 16, 0x0a, 1, 'x', 0x12, 1, 'y',          /* node: inputs, outputs */
        0x22, 8, 'I', 'd', 'e', 'n', 't', 'i', 't', 'y',
        0x12, 1, 'g',                                  /* name */
        0x5a, 19, 0x0a, 1, 'x', 0x12, 14, 0x0a, 12,    /* input x: float [1,5] */
        0x08, 1, 0x12, 8, 0x0a, 2, 0x08, 1, 0x0a, 2, 0x08, 5,
        0x62, 19, 0x0a, 1, 'y', 0x12, 14, 0x0a, 12,    /* output y: float [1,5] */
        0x08, 1, 0x12, 8, 0x0a, 2, 0x08, 1, 0x0a, 2, 0x08, 5,
        0x42, 4, 0x0a, 0, 0x10, 18,                    /* opset 18 */
    };
    /* clang-format on */
    char path[32];
    need_runtime();
    write_file(path, identity, sizeof identity);
    assert_refused(path, OW_EUNSUPPORTED, "inputs x [1,5]; outputs y [1,5]");
    assert_refused(path, OW_EUNSUPPORTED, "set `decoder`");
    unlink(path);
}

/* The default model cut short at many places: refused each time. */
static void truncated_models_are_refused(void **state)
{
    (void)state;
    const char *whole = getenv("OVERWATCH_TEST_MODEL");
    need_runtime();
    if (whole == NULL) {
        printf("skip: OVERWATCH_TEST_MODEL is not set\n");
        skip();
    }
    FILE *file = fopen(whole, "rb");
    assert_non_null(file);
    static unsigned char bytes[1 << 25];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 1000000 && size < sizeof bytes);
    for (size_t i = 1; i < 12; i++) {
        char path[32];
        struct model *model = NULL;
        struct reason why = {0};
        write_file(path, bytes, size * i / 12);
        assert_int_equal(model_open(&model, path, &one_thread, &why), OW_EPARSE);
        assert_true(strlen(why.text) > 20);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_empty_and_folder),
        cmocka_unit_test(missing_runtime_is_said),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(a_model_of_another_kind_is_described),
        cmocka_unit_test(truncated_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
