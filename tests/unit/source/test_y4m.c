#include "source/y4m.h"

#include "core/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parses a copy of exactly `size` bytes on the heap, so that the sanitizer sees an over-read. */
static int parse(struct y4m_header *out, const char *text, size_t size, size_t *used)
{
    struct reason why = {{0}};
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    int rc = y4m_parse_header(out, copy, size, used, &why);
    free(copy);
    if (rc < 0 && rc != OW_EAGAIN)
        assert_true(why.text[0] != '\0');
    return rc;
}

static void test_good_headers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct y4m_header header;
    } cases[] = {
        {"YUV4MPEG2 W960 H540 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n",
         {960, 540, 30, 1, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2 W1 H1\n", {1, 1, 0, 0, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2  H2160   W3840 \r\n", {3840, 2160, 0, 0, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2 W8 H8 C420mpeg2 F30000:1001\n", {8, 8, 30000, 1001, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2 W8 H8 C420paldv\n", {8, 8, 0, 0, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2 W8 H8 C420\n", {8, 8, 0, 0, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2 W8 H8 Cmono\n", {8, 8, 0, 0, AV_PIX_FMT_GRAY8, false}},
        {"YUV4MPEG2 W8 H8 C422\n", {8, 8, 0, 0, AV_PIX_FMT_YUV422P, false}},
        {"YUV4MPEG2 W8 H8 C444 XCOLORRANGE=FULL\n", {8, 8, 0, 0, AV_PIX_FMT_YUV444P, true}},
        {"YUV4MPEG2 W8192 H8192 F0:0 Q? X\n", {8192, 8192, 0, 0, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2 W8 H8 F25\n", {8, 8, 0, 0, AV_PIX_FMT_YUV420P, false}},
        {"YUV4MPEG2 W8 H8 F99999999999:1\n", {8, 8, 0, 0, AV_PIX_FMT_YUV420P, false}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct y4m_header got = {0};
        size_t used = 0, size = strlen(cases[i].text);
        assert_int_equal(parse(&got, cases[i].text, size, &used), OW_OK);
        assert_int_equal(used, size);
        assert_int_equal(got.width, cases[i].header.width);
        assert_int_equal(got.height, cases[i].header.height);
        assert_int_equal(got.rate_num, cases[i].header.rate_num);
        assert_int_equal(got.rate_den, cases[i].header.rate_den);
        assert_int_equal(got.format, cases[i].header.format);
        assert_int_equal(got.full_range, cases[i].header.full_range);
        for (size_t cut = 0; cut < size; cut++) /* every beginning is a beginning */
            assert_int_equal(parse(&got, cases[i].text, cut, &used), OW_EAGAIN);
    }
}

static void test_bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
    } cases[] = {
        {"YUV4MPEG2\n", OW_EPARSE},
        {"YUV4MPEG2 \n", OW_EPARSE},
        {"YUV4MPEG2 W8\n", OW_EPARSE},
        {"YUV4MPEG2 H8\n", OW_EPARSE},
        {"YUV4MPEG2 W0 H8\n", OW_EPARSE},
        {"YUV4MPEG2 W-8 H8\n", OW_EPARSE},
        {"YUV4MPEG2 W8x H8\n", OW_EPARSE},
        {"YUV4MPEG2 W H8\n", OW_EPARSE},
        {"YUV4MPEG2 W8193 H8\n", OW_EUNSUPPORTED},
        {"YUV4MPEG2 W8 H999999999\n", OW_EUNSUPPORTED},
        {"YUV4MPEG2 W8 H4294967304\n", OW_EPARSE},
        {"YUV4MPEG2 W99999999999999999999999 H8\n", OW_EPARSE},
        {"YUV4MPEG2 W8 H8 C420p77\n", OW_EUNSUPPORTED},
        {"YUV4MPEG2 W8 H8 C\n", OW_EUNSUPPORTED},
        {"YUV4MPEG2W8 H8\n", OW_EPARSE},
        {"YUV4MPEG3 W8 H8\n", OW_EPARSE},
        {"YUV4MPEG2 W8\tH8\n", OW_EPARSE},
        {"RIFF", OW_EPARSE},
        {"\n", OW_EPARSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct y4m_header got = {.width = -1};
        size_t used = 77;
        assert_int_equal(parse(&got, cases[i].text, strlen(cases[i].text), &used), cases[i].rc);
        assert_int_equal(got.width, -1); /* outputs only on success */
        assert_int_equal(used, 77);
    }
    struct y4m_header got;
    size_t used;
    assert_int_equal(parse(&got, "YUV4MPEG2 W8\0H8\n", 17, &used), OW_EPARSE);
}

static void test_endless_header_is_refused(void **state)
{
    (void)state;
    char text[2 * Y4M_HEADER_BYTES_MAX];
    struct y4m_header got;
    size_t used;
    memset(text, 'X', sizeof text);
    memcpy(text, "YUV4MPEG2 W8 H8 ", 16);
    assert_int_equal(parse(&got, text, Y4M_HEADER_BYTES_MAX - 1, &used), OW_EAGAIN);
    assert_int_equal(parse(&got, text, Y4M_HEADER_BYTES_MAX, &used), OW_EPARSE);
    assert_int_equal(parse(&got, text, sizeof text, &used), OW_EPARSE);
    text[Y4M_HEADER_BYTES_MAX - 1] = '\n';
    assert_int_equal(parse(&got, text, sizeof text, &used), OW_OK);
    assert_int_equal(used, Y4M_HEADER_BYTES_MAX);
}

static void test_frame_headers(void **state)
{
    (void)state;
    static const char with[] = "FRAME Ip X1\n";
    size_t used = 0;
    assert_int_equal(y4m_parse_frame_header((const uint8_t *)"FRAME\nFRAME", 11, &used), OW_OK);
    assert_int_equal(used, 6);
    assert_int_equal(y4m_parse_frame_header((const uint8_t *)with, sizeof with - 1, &used), OW_OK);
    assert_int_equal(used, sizeof with - 1);
    for (size_t cut = 0; cut < sizeof with - 1; cut++)
        assert_int_equal(y4m_parse_frame_header((const uint8_t *)with, cut, &used), OW_EAGAIN);
    assert_int_equal(y4m_parse_frame_header((const uint8_t *)"FRAMES\n", 7, &used), OW_EPARSE);
    assert_int_equal(y4m_parse_frame_header((const uint8_t *)"YUV4MP", 6, &used), OW_EPARSE);
    uint8_t longer[Y4M_FRAME_HEADER_BYTES_MAX + 1];
    memset(longer, ' ', sizeof longer);
    memcpy(longer, "FRAME", 5);
    assert_int_equal(y4m_parse_frame_header(longer, sizeof longer, &used), OW_EPARSE);
}

static void test_garbage(void **state)
{
    (void)state;
    static const char alphabet[] = "WHFCIAX0123456789:= \r\n\x01\xff";
    struct random_source random;
    random_seeded(&random, 11);
    int understood = 0;
    for (int round = 0; round < 100000; round++) {
        char text[64] = "YUV4MPEG2 W8 H8 ";
        size_t size = 16 + random_u32(&random) % (sizeof text - 16);
        size_t from = round % 2 ? 10 : 16; /* with and without a size that is good */
        for (size_t i = from; i < size; i++)
            text[i] = alphabet[random_u32(&random) % (sizeof alphabet - 1)];
        struct y4m_header got;
        size_t used;
        int rc = parse(&got, text, size, &used);
        if (rc == OW_OK) {
            understood++;
            assert_in_range(got.width, 1, 8192);
            assert_in_range(got.height, 1, 8192);
            assert_true(used <= size);
        }
    }
    assert_true(understood > 1000); /* the generator does reach the good cases */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_headers),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_endless_header_is_refused),
        cmocka_unit_test(test_frame_headers),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
