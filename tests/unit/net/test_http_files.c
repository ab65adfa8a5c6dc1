/* Files: types, caching, parts, and only those of their folder. */
#include "http_fixture.h"
#include "raw_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LARGE = 5000000 };

static char byte_at(size_t at)
{
    return (char)('a' + at % 23);
}

static void write_large(const char *name)
{
    char *text = malloc(LARGE + 1);
    for (size_t i = 0; i < LARGE; i++)
        text[i] = byte_at(i);
    text[LARGE] = '\0';
    fixture_write_file(name, text);
    free(text);
}

static void expect_part(const char *headers, int status, size_t first, size_t size)
{
    struct raw_answer answer;
    raw_request(fixture.port, "GET", "/file/large.mp4", NULL, headers, &answer);
    assert_int_equal(answer.status, status);
    assert_int_equal(answer.body_size, size);
    for (size_t i = 0; i < size; i++)
        if (answer.body[i] != byte_at(first + i))
            fail_msg("byte %zu is another one", i);
    raw_free(&answer);
}

static void files_come_in_parts(void **state)
{
    (void)state;
    struct raw_answer answer;
    write_large("large.mp4");
    expect_part(NULL, 200, 0, LARGE);
    expect_part("Range: bytes=100-199\r\n", 206, 100, 100);
    expect_part("Range: bytes=1000000-\r\n", 206, 1000000, LARGE - 1000000);
    expect_part("Range: bytes=-7\r\n", 206, LARGE - 7, 7);
    expect_part("Range: bytes=0-1,4-5\r\n", 200, 0, LARGE);
    raw_request(fixture.port, "GET", "/file/large.mp4", NULL, "Range: bytes=0-0\r\n", &answer);
    assert_non_null(strstr(answer.headers, "Content-Range: bytes 0-0/5000000\r\n"));
    assert_non_null(strstr(answer.headers, "Content-Type: video/mp4\r\n"));
    char tag[80] = "", headers[160];
    assert_int_equal(sscanf(strstr(answer.headers, "ETag: "), "ETag: %79s", tag), 1);
    raw_free(&answer);
    snprintf(headers, sizeof headers, "Range: bytes=2-3\r\nIf-Range: %s\r\n", tag);
    expect_part(headers, 206, 2, 2);
    expect_part("Range: bytes=2-3\r\nIf-Range: \"other\"\r\n", 200, 0, LARGE);
    raw_request(fixture.port, "GET", "/file/large.mp4", NULL, "Range: bytes=5000000-\r\n", &answer);
    assert_int_equal(answer.status, 416);
    assert_non_null(strstr(answer.headers, "Content-Range: bytes */5000000\r\n"));
    raw_free(&answer);
    snprintf(headers, sizeof headers, "If-None-Match: %s\r\n", tag);
    raw_request(fixture.port, "HEAD", "/file/large.mp4", NULL, NULL, &answer);
    assert_non_null(strstr(answer.headers, "Content-Length: 5000000\r\n"));
    raw_free(&answer);
    raw_request(fixture.port, "GET", "/file/none.mp4", NULL, NULL, &answer);
    assert_int_equal(answer.status, 404);
    raw_free(&answer);
}

/* One who reads a large file keeps nobody waiting, and may stop at any time. */
static void a_file_is_read_as_it_is_taken(void **state)
{
    (void)state;
    struct raw_answer answer;
    char piece[1000];
    write_large("large.mp4");
    int slow = raw_connect(fixture.port);
    raw_send_text(slow, "GET /file/large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read(slow, piece, sizeof piece) > 0);
    for (int i = 0; i < 3; i++)
        expect_part("Range: bytes=9-\r\n", 206, 9, LARGE - 9);
    close(slow);
    raw_request(fixture.port, "GET", "/echo/k", NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    raw_free(&answer);
    char path[256]; /* what is cut off below the client ends its connection, and nothing else */
    int fd = raw_connect(fixture.port);
    raw_send_text(fd, "GET /file/large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read(fd, piece, sizeof piece) > 0);
    snprintf(path, sizeof path, "%s/large.mp4", fixture.folder);
    assert_int_equal(truncate(path, 10), 0);
    ssize_t got;
    size_t all = 0;
    while ((got = read(fd, piece, sizeof piece)) > 0)
        all += (size_t)got;
    assert_int_equal(got, 0);
    assert_true(all < LARGE);
    close(fd);
}

static void files_are_typed_cached_and_kept_inside(void **state)
{
    (void)state;
    struct raw_answer answer;
    raw_request(fixture.port, "GET", "/page.html", NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "<p>hello</p>");
    assert_non_null(strcasestr(answer.headers, "text/html"));
    assert_non_null(strcasestr(answer.headers, "nosniff"));
    char tag[128] = "", header[160];
    const char *found = strcasestr(answer.headers, "etag: ");
    assert_non_null(found);
    assert_int_equal(sscanf(found + 6, "%100s", tag), 1);
    raw_free(&answer);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", tag);
    fixture_expect("GET", "/page.html", NULL, header, 304, "");
    fixture_expect("GET", "/app.js", NULL, NULL, 200, "plain");
    raw_request(fixture.port, "GET", "/app.js", NULL, "Accept-Encoding: br, gzip\r\n", &answer);
    assert_string_equal(answer.body, "packed");
    assert_non_null(strcasestr(answer.headers, "content-encoding: gzip"));
    raw_free(&answer);
    char link_path[128];
    snprintf(link_path, sizeof link_path, "%s/link", fixture.folder);
    assert_int_equal(symlink("/etc/passwd", link_path), 0);
    static const char *const outside[] = {
        "/../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/.secret",
        "/link",
        "//etc/passwd",
        "/..\\etc\\passwd",
        "/page.html/",
        "/page.html%00.js",
    };
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        raw_request(fixture.port, "GET", outside[i], NULL, NULL, &answer);
        assert_int_not_equal(answer.status, 200);
        assert_null(strstr(answer.body, "root:"));
        raw_free(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_parts),
        cmocka_unit_test(a_file_is_read_as_it_is_taken),
        cmocka_unit_test(files_are_typed_cached_and_kept_inside),
    };
    return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
