#include "api/entity_tag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void tag_of(const char *text, char out[ENTITY_TAG_BYTES])
{
    json_t *document = json_loads(text, 0, NULL);
    assert_non_null(document);
    entity_tag_of(document, out);
    json_decref(document);
}

static void equal_documents_are_the_same_version(void **state)
{
    (void)state;
    char one[ENTITY_TAG_BYTES], same[ENTITY_TAG_BYTES], other[ENTITY_TAG_BYTES];
    tag_of("{\"a\":1,\"b\":{\"c\":0.1,\"d\":[1,2]}}", one);
    tag_of("{ \"b\": {\"d\":[1,2],\"c\":0.1}, \"a\": 1 }", same);
    assert_string_equal(one, same);
    static const char *const others[] = {
        "{\"a\":1,\"b\":{\"c\":0.1,\"d\":[2,1]}}", "{\"a\":1,\"b\":{\"c\":0.2,\"d\":[1,2]}}",
        "{\"a\":1,\"b\":{\"c\":0.1,\"d\":[1,2],\"e\":null}}", "{}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        tag_of(others[i], other);
        assert_string_not_equal(one, other);
    }
}

/* A published value of FNV-1a, so that a version outlives an update of the program. */
static void the_hash_is_the_published_one(void **state)
{
    (void)state;
    char tag[ENTITY_TAG_BYTES];
    tag_of("{}", tag); /* fnv1a64("{}") */
    assert_string_equal(tag, "\"08f44b07b5901a25\"");
}

static void a_list_names_tags(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool expected;
    } cases[] = {
        {"\"1\"", true},     {"\"0\", \"1\"", true}, {"\"0\",\"1\",\"2\"", true},
        {" \t\"1\" ", true}, {"W/\"1\"", false},     {"\"11\"", false},
        {"1", false},        {"\"0\"", false},       {"", false},
        {",", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(entity_tag_listed(cases[i].list, "\"1\""), cases[i].expected);
    assert_false(entity_tag_listed("\"1\"", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_documents_are_the_same_version),
        cmocka_unit_test(the_hash_is_the_published_one),
        cmocka_unit_test(a_list_names_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
