#include "net/turn_credentials.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* printf 1700003600 | openssl dgst -sha1 -hmac north -binary | base64 */
static void they_are_what_openssl_computes(void **state)
{
    (void)state;
    char username[TURN_CREDENTIAL_BYTES], password[TURN_CREDENTIAL_BYTES];
    assert_int_equal(turn_credentials("north", 1700000000, 3600, username, password), OW_OK);
    assert_string_equal(username, "1700003600");
    assert_string_equal(password, "xF4I6gruVt/PjGbjajGu2UlidPk=");
}

static void an_empty_secret_makes_none(void **state)
{
    (void)state;
    char username[TURN_CREDENTIAL_BYTES] = "kept", password[TURN_CREDENTIAL_BYTES] = "kept";
    assert_int_equal(turn_credentials("", 1700000000, 3600, username, password), OW_EINVAL);
    assert_int_equal(turn_credentials(NULL, 1700000000, 3600, username, password), OW_EINVAL);
    assert_int_equal(turn_credentials("north", 1700000000, 0, username, password), OW_EINVAL);
    assert_string_equal(username, "kept");
    assert_string_equal(password, "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_what_openssl_computes),
        cmocka_unit_test(an_empty_secret_makes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
