#include "source/av_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_urls_lose_their_secrets(void **state)
{
    (void)state;
    char out[256];
    av_log_redact("[rtsp] open 'rtsp://joe:pw@cam/1?key=abc' failed, https://x:y@h/ too", out,
                  sizeof out);
    assert_null(strstr(out, "joe"));
    assert_null(strstr(out, "pw"));
    assert_null(strstr(out, "abc"));
    assert_null(strstr(out, "x:y"));
    assert_non_null(strstr(out, "cam/1"));
    assert_non_null(strstr(out, "' failed, "));
    assert_non_null(strstr(out, " too"));
    av_log_redact("plain text: 1://", out, sizeof out);
    assert_string_equal(out, "plain text: 1://");
}

static void test_never_writes_past_the_end(void **state)
{
    (void)state;
    static const char text[] = "see rtsp://user:secret@camera.example/path?token=1 and more";
    char out[sizeof text + 16];
    for (size_t size = 1; size < sizeof out; size++) {
        memset(out, '#', sizeof out);
        av_log_redact(text, out, size);
        assert_true(strlen(out) < size);
        assert_int_equal(out[size], '#');
        assert_null(strstr(out, "sec"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_lose_their_secrets),
        cmocka_unit_test(test_never_writes_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
