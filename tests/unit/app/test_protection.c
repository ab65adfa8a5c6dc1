#include "app/data_folder.h"
#include "app/protection.h"
#include "core/log.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/overwatch-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct config config_of(const char *bind, const char *data)
{
    return (struct config){
        .bind = bind, .data_folder = data, .session_hours = "1", .session_idle_hours = "1"};
}

static void loopback_is_open_until_a_secret_is_given(void **state)
{
    (void)state;
    static const char *const loopback[] = {"127.0.0.1", "127.0.0.2", "::1"};
    struct reason why = {""};
    char token[PROTECTION_TOKEN_BYTES];
    struct http_auth *auth = NULL;
    for (int i = 0; i < 3; i++) {
        struct config config = config_of(loopback[i], "/nonexistent/on/purpose");
        assert_int_equal(protection_create(&auth, &config, token, &why), OW_OK);
        assert_null(auth);
        assert_string_equal(token, "");
    }
    struct config config = config_of("127.0.0.1", NULL);
    config.password = "password";
    assert_int_equal(protection_create(&auth, &config, token, &why), OW_OK);
    assert_non_null(auth);
    http_auth_destroy(&auth);
    config.password = "short";
    assert_int_equal(protection_create(&auth, &config, token, &why), OW_EINVAL);
    assert_null(auth);
}

static void elsewhere_a_first_token_is_made_and_kept(void **state)
{
    (void)state;
    char data[128], path[160], first[PROTECTION_TOKEN_BYTES], again[PROTECTION_TOKEN_BYTES];
    struct reason why = {""};
    struct http_auth *auth = NULL;
    struct stat info;
    snprintf(data, sizeof data, "%s/a/b", folder);
    snprintf(path, sizeof path, "%s/token", data);
    static const char *const all[] = {"0.0.0.0", "::", "192.0.2.1"};
    for (int i = 0; i < 3; i++) {
        struct config config = config_of(all[i], data);
        assert_int_equal(protection_create(&auth, &config, i == 0 ? first : again, &why), OW_OK);
        assert_non_null(auth);
        assert_true(http_auth_token_fits(auth, first));
        http_auth_destroy(&auth);
    }
    assert_int_equal(strlen(first), PROTECTION_TOKEN_BYTES - 1);
    assert_string_equal(again, ""); /* told once */
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(data, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);

    assert_int_equal(truncate(path, 0), 0); /* as a full disk might leave it */
    struct config config = config_of("0.0.0.0", data);
    assert_int_equal(protection_create(&auth, &config, again, &why), OW_EINVAL);
    assert_non_null(strstr(why.text, path));
    config.bind = "everywhere";
    assert_int_equal(protection_create(&auth, &config, again, &why), OW_EINVAL);
}

static void without_a_data_folder_the_token_is_another_each_time(void **state)
{
    (void)state;
    char first[PROTECTION_TOKEN_BYTES], second[PROTECTION_TOKEN_BYTES];
    struct reason why = {""};
    struct http_auth *auth = NULL;
    struct config config = config_of("0.0.0.0", "none");
    assert_int_equal(protection_create(&auth, &config, first, &why), OW_OK);
    http_auth_destroy(&auth);
    assert_int_equal(protection_create(&auth, &config, second, &why), OW_OK);
    assert_true(http_auth_token_fits(auth, second));
    assert_false(http_auth_token_fits(auth, first));
    http_auth_destroy(&auth);
}

static void a_password_file_is_read(void **state)
{
    (void)state;
    char path[128], token[PROTECTION_TOKEN_BYTES], session[HTTP_AUTH_SESSION_BYTES];
    struct reason why = {""};
    struct http_auth *auth = NULL;
    struct address peer;
    int retry_s;
    address_parse(&peer, "192.0.2.1", 1);
    snprintf(path, sizeof path, "%s/password", folder);
    FILE *file = fopen(path, "w");
    fputs("quite secret\nsecond line\n", file);
    fclose(file);
    struct config config = config_of("0.0.0.0", "/nonexistent/on/purpose");
    config.password_file = path;
    assert_int_equal(protection_create(&auth, &config, token, &why), OW_OK);
    assert_int_equal(http_auth_login(auth, &peer, "quite secret", 1, session, &retry_s), OW_OK);
    http_auth_destroy(&auth);
    config.password_file = folder;
    assert_int_not_equal(protection_create(&auth, &config, token, &why), OW_OK);
    config.password_file = "/nonexistent/on/purpose";
    assert_int_not_equal(protection_create(&auth, &config, token, &why), OW_OK);
    assert_non_null(strstr(why.text, "/nonexistent/on/purpose"));
}

static void the_data_folder_has_a_place_by_default(void **state)
{
    (void)state;
    char out[DATA_FOLDER_BYTES], wanted[256];
    struct reason why = {""};
    setenv("XDG_DATA_HOME", folder, 1);
    snprintf(wanted, sizeof wanted, "%s/overwatch", folder);
    assert_int_equal(data_folder_find(NULL, out, &why), OW_OK);
    assert_string_equal(out, wanted);
    unsetenv("XDG_DATA_HOME");
    setenv("HOME", folder, 1);
    snprintf(wanted, sizeof wanted, "%s/.local/share/overwatch", folder);
    assert_int_equal(data_folder_find(NULL, out, &why), OW_OK);
    assert_string_equal(out, wanted);
    assert_int_equal(data_folder_find("/dev/null/x", out, &why), OW_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loopback_is_open_until_a_secret_is_given, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(elsewhere_a_first_token_is_made_and_kept, set_up,
                                        tear_down),
        cmocka_unit_test(without_a_data_folder_the_token_is_another_each_time),
        cmocka_unit_test_setup_teardown(a_password_file_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_data_folder_has_a_place_by_default, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
