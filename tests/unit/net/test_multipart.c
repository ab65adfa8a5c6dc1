/* That pieces make no difference is checked by fuzz_multipart. */
#include "net/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum multipart_state read_form(const char *type, const char *form, char *file,
                                      struct multipart *self)
{
    size_t at = 0, size = strlen(form), filled = 0;
    assert_int_equal(multipart_init(self, type), OW_OK);
    while (at < size && self->state != MULTIPART_DONE && self->state != MULTIPART_NONE) {
        size_t used, body_size;
        const char *body;
        if (multipart_read(self, form + at, size - at, &used, &body, &body_size) != OW_OK)
            return MULTIPART_BEFORE;
        memcpy(file + filled, body, body_size);
        filled += body_size;
        at += used;
    }
    file[filled] = '\0';
    return self->state;
}

#define DISPOSITION "Content-Disposition: form-data; name="

static void the_file_is_found(void **state)
{
    (void)state;
    char file[256];
    struct multipart form;
    /* What looks like a boundary and is none belongs to the file. */
    assert_int_equal(read_form("multipart/form-data; boundary=xx",
                               "--xx\r\n" DISPOSITION "\"title\"\r\n\r\nA video\r\n"
                               "--xx\r\n" DISPOSITION "\"file\"; filename=\"a b.mp4\"\r\n"
                               "Content-Type: video/mp4\r\n\r\n"
                               "1\r\n2\r\r\n--x\r\n--\r\n\r\n--xx--\r\n",
                               file, &form),
                     MULTIPART_DONE);
    assert_string_equal(file, "1\r\n2\r\r\n--x\r\n--\r\n");
    assert_string_equal(form.filename, "a b.mp4");
    assert_int_equal(read_form("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"",
                               "hello\r\n--a b \r\n" DISPOSITION "\"file\"\r\n\r\n\r\n--a b--",
                               file, &form),
                     MULTIPART_DONE);
    assert_string_equal(file, "");
    assert_string_equal(form.filename, "");
}

static void what_has_no_file_says_so(void **state)
{
    (void)state;
    char file[256];
    struct multipart form;
    const char *type = "multipart/form-data; boundary=xx";
    assert_int_equal(read_form(type, "--xx\r\n\r\nfilename=\"x\"\r\n--xx--\r\n", file, &form),
                     MULTIPART_NONE);
    assert_int_equal(
        read_form(type, "--xx\r\n" DISPOSITION "\"x\"\r\n\r\nx\r\n--xx--", file, &form),
        MULTIPART_NONE);
    assert_int_equal(read_form(type, "--xx oops\r\n", file, &form), MULTIPART_BEFORE);
    assert_int_equal(read_form(type,
                               "--xx\r\n" DISPOSITION "\"file\"; filename=\"x\"\r\n\r\ncut\r\n--x",
                               file, &form),
                     MULTIPART_FILE);
    assert_string_equal(file, "cut");
    char endless[MULTIPART_MAX_HEADER + 64] = "--xx\r\n";
    memset(endless + 6, 'h', MULTIPART_MAX_HEADER);
    assert_int_equal(read_form(type, endless, file, &form), MULTIPART_BEFORE);
}

static void other_types_are_refused(void **state)
{
    (void)state;
    static const char *const types[] = {
        "",
        "video/mp4",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"x",
        "multipart/form-data; boundary=\"a\rb\"",
        "multipart/form-data; boundary=a\nb",
        ("multipart/form-data; boundary="
         "12345678901234567890123456789012345678901234567890123456789012345678901"),
    };
    struct multipart form;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(multipart_init(&form, types[i]), OW_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_found),
        cmocka_unit_test(what_has_no_file_says_so),
        cmocka_unit_test(other_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
