#include "core/error.h"
#include "vision/model_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, int count, const char *const *names)
{
    struct label_set *labels = NULL;
    assert_int_equal(model_names_parse(&labels, text), OW_OK);
    assert_int_equal(labels->count, count);
    for (int i = 0; i < count; i++)
        assert_string_equal(labels->names[i], names[i]);
    label_set_unref(&labels);
}

static void dicts_and_lists(void **state)
{
    (void)state;
    check("{0: 'person', 1: 'bicycle'}", 2, (const char *[]){"person", "bicycle"});
    check(" { 1:\"driver's seat\" ,0 : 'a, b: {c}' , } ", 2,
          (const char *[]){"a, b: {c}", "driver's seat"});
    check("['x', \"y\"]", 2, (const char *[]){"x", "y"});
    check("{0: 'it\\'s', 1: 'back\\\\slash', 2: '\xc3\xa9'}", 3,
          (const char *[]){"it's", "back\\slash", "\xc3\xa9"});
    check("{2: 'c', 0: 'a'}", 3, (const char *[]){"a", "class 1", "c"});
    check("{0: 'old', 0: 'new'}", 1, (const char *[]){"new"});
    check("{0: ''}", 1, (const char *[]){""});
    check("{}", 0, NULL);
    check("[]", 0, NULL);
}

static void what_is_no_dict_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",        "person",   "{0 'a'}",       "{'a': 'b'}", "{0: a}",     "{0: 'a' 1: 'b'}",
        "{0: 'a'", "{0: 'a}",  "{0: 'a'} more", "{-1: 'a'}",  "['a'",       "{0: 'a'],",
        "{,}",     "{0: 'a\\", "{0: 1}",        "[0: 'a']",   "{0: 'a',,}", "{0: 'a'}{",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct label_set *labels = NULL;
        assert_int_equal(model_names_parse(&labels, wrong[i]), OW_EPARSE);
        assert_null(labels);
    }
    struct label_set *labels = NULL;
    assert_int_equal(model_names_parse(&labels, "{10000: 'a'}"), OW_ELIMIT);
    assert_int_equal(model_names_parse(&labels, "{99999999999999999999: 'a'}"), OW_ELIMIT);
    assert_null(labels);
}

/* Each cut is in memory of its own size, so that reading past it is seen by the sanitizer. */
static void truncation_at_every_byte(void **state)
{
    (void)state;
    static const char whole[] = "{0: 'it\\'s', 1: \"dog \\\\ \", 22: 'cat'}";
    for (size_t length = 0; length < strlen(whole); length++) {
        char *cut = malloc(length + 1);
        assert_non_null(cut);
        memcpy(cut, whole, length);
        cut[length] = '\0';
        struct label_set *labels = NULL;
        assert_int_equal(model_names_parse(&labels, cut), OW_EPARSE);
        assert_null(labels);
        free(cut);
    }
    struct label_set *labels = NULL;
    assert_int_equal(model_names_parse(&labels, whole), OW_OK);
    assert_int_equal(labels->count, 23);
    label_set_unref(&labels);
}

static void numbered(void **state)
{
    (void)state;
    struct label_set *labels = NULL;
    assert_int_equal(model_names_numbered(&labels, 2), OW_OK);
    assert_string_equal(labels->names[1], "class 1");
    label_set_unref(&labels);
    assert_int_equal(model_names_numbered(&labels, 0), OW_OK);
    assert_int_equal(labels->count, 0);
    label_set_unref(&labels);
    assert_int_equal(model_names_numbered(&labels, -1), OW_EINVAL);
    assert_int_equal(model_names_numbered(&labels, MODEL_NAMES_MAX + 1), OW_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dicts_and_lists),
        cmocka_unit_test(what_is_no_dict_is_refused),
        cmocka_unit_test(truncation_at_every_byte),
        cmocka_unit_test(numbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
