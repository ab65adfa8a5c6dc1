#include "rtc/sdp_fragment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As a browser's WHEP player sends it (after the example of RFC 9725 section 4.3.2). */
static const char trickled[] =
    "a=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "a=mid:0\r\n"
    "a=ice-ufrag:EsAw\r\n"
    "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
    "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw "
    "network-id 1\r\n"
    "a=candidate:3471623853 1 udp 2122194687 abc-def.local 61765 typ host\r\n"
    "a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0\r\n"
    "a=candidate:2154773085 1 udp 1 2001:db8::3 61767 typ relay raddr :: rport 9\r\n"
    "a=candidate:1 1 udp 5 192.0.2.9 61770 typ host ufrag Else\r\n"
    "a=end-of-candidates\r\n";

static int parse(struct sdp_fragment *out, const char *text, struct reason *why)
{
    *why = (struct reason){{0}};
    return sdp_parse_fragment(out, text, strlen(text), why);
}

static void candidates_of_a_player(void **state)
{
    (void)state;
    struct sdp_fragment fragment;
    struct reason why;
    char text[ADDRESS_TEXT_BYTES];
    assert_int_equal(parse(&fragment, trickled, &why), OW_OK);
    assert_string_equal(fragment.ufrag, "EsAw");
    assert_string_equal(fragment.pwd, "P2uYro0UCOQ4zxjKXaWCBui1");
    assert_true(fragment.end_of_candidates);
    assert_int_equal(fragment.candidate_count, 2);
    assert_string_equal(address_text(&fragment.candidates[0].address, text), "192.0.2.1:61764");
    assert_string_equal(address_text(&fragment.candidates[1].address, text), "[2001:db8::3]:61767");
    assert_string_equal(fragment.candidates[1].type, "relay");
}

/* Whole, cut at every byte: read or refused with a sentence. */
static void every_truncation(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof trickled; size++) {
        char *copy = malloc(size + 1);
        memcpy(copy, trickled, size);
        struct sdp_fragment fragment = {.candidate_count = -1};
        struct reason why = {{0}};
        int err = sdp_parse_fragment(&fragment, copy, size, &why);
        if (err) {
            assert_int_equal(fragment.candidate_count, -1);
            assert_true(why.text[0] != '\0');
        } else {
            assert_in_range(fragment.candidate_count, 0, 3); /* "ufrag" may be cut */
        }
        free(copy);
    }
}

static void what_is_read_and_what_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        int candidates;
        const char *ufrag;
    } cases[] = {
        {"a=end-of-candidates", OW_OK, 0, ""},
        {"a=candidate:\r\n", OW_OK, 0, ""},
        {"a=ice-ufrag:abcd\n", OW_OK, 0, "abcd"},
        {"a=ice-ufrag:abcd\r\nm=video 9 X 1\r\na=ice-ufrag:abcd\r\n", OW_OK, 0, "abcd"},
        {"a=candidate:1 1 udp 5 192.0.2.1 80 typ host\r\na=candidate:1 2 udp 5 192.0.2.1 81 typ "
         "host\r\n",
         OW_OK, 1, ""},
        {"x=unknown\r\na=unknown:1\r\n\r\n", OW_OK, 0, ""},
        {"a=ice-ufrag:abcd\r\na=ice-ufrag:abce\r\n", OW_EPARSE, 0, NULL},
        {"a=ice-ufrag:abc\r\n", OW_EPARSE, 0, NULL},
        {"a=ice-ufrag:ab:d\r\n", OW_EPARSE, 0, NULL},
        {"a=ice-ufrag:ab d\r\n", OW_EPARSE, 0, NULL},
        {"a=ice-pwd:tooshort\r\n", OW_EPARSE, 0, NULL},
        {"a=candidate:nonsense\r\n", OW_EPARSE, 0, NULL},
        {"{\"candidate\":\"\"}", OW_EPARSE, 0, NULL},
        {"", OW_EPARSE, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sdp_fragment fragment;
        struct reason why;
        assert_int_equal(parse(&fragment, cases[i].text, &why), cases[i].err);
        assert_int_equal(why.text[0] != '\0', cases[i].err != OW_OK);
        if (cases[i].err)
            continue;
        assert_int_equal(fragment.candidate_count, cases[i].candidates);
        assert_string_equal(fragment.ufrag, cases[i].ufrag);
    }
}

static void bounds(void **state)
{
    (void)state;
    struct sdp_fragment fragment;
    struct reason why;
    assert_int_equal(sdp_parse_fragment(&fragment, "a=mid:0\0\r\n", 10, &why), OW_EPARSE);
    static char text[SDP_FRAGMENT_MAX_BYTES + 1];
    size_t used = 0;
    for (int i = 0; i < 60; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "a=candidate:1 1 udp 5 192.0.2.1 %d typ host\r\n", 1000 + i);
    assert_int_equal(sdp_parse_fragment(&fragment, text, used, &why), OW_OK);
    assert_int_equal(fragment.candidate_count, SDP_MAX_CANDIDATES);
    memset(text, '\n', sizeof text);
    assert_int_equal(sdp_parse_fragment(&fragment, text, sizeof text - 1, &why), OW_OK);
    assert_int_equal(sdp_parse_fragment(&fragment, text, sizeof text, &why), OW_ELIMIT);
    /* A user fragment of 256 characters is the longest. */
    char line[320] = "a=ice-ufrag:";
    memset(line + 12, 'u', 257);
    assert_int_equal(sdp_parse_fragment(&fragment, line, 12 + 256, &why), OW_OK);
    assert_int_equal(strlen(fragment.ufrag), 256);
    assert_int_equal(sdp_parse_fragment(&fragment, line, 12 + 257, &why), OW_EPARSE);
}

static void written_out_of_an_answer(void **state)
{
    (void)state;
    static const char answer[] =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a v\r\n"
        "a=ice-lite\r\n"
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=inactive\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.1 8189 typ host\r\n"
        "a=candidate:2 1 tcp 1518280447 192.0.2.1 8189 typ host tcptype passive\r\n"
        "a=end-of-candidates\r\na=ice-ufrag:UFRAGufr\r\na=ice-pwd:PWDpwdPWDpwdPWDpwdPWDpwd\r\n"
        "a=fingerprint:sha-256 00\r\na=mid:a\r\na=inactive\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:UFRAGufr\r\na=mid:v\r\n";
    char text[SDP_FRAGMENT_BYTES];
    assert_int_equal(sdp_write_fragment(text, answer), OW_OK);
    assert_string_equal(text,
                        "a=ice-lite\r\na=ice-options:ice2 trickle\r\n"
                        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=ice-ufrag:UFRAGufr\r\n"
                        "a=ice-pwd:PWDpwdPWDpwdPWDpwdPWDpwd\r\n"
                        "a=candidate:1 1 udp 2130706431 192.0.2.1 8189 typ host\r\n"
                        "a=candidate:2 1 tcp 1518280447 192.0.2.1 8189 typ host tcptype passive\r\n"
                        "a=end-of-candidates\r\n");
    struct sdp_fragment fragment;
    struct reason why;
    assert_int_equal(parse(&fragment, text, &why), OW_OK);
    assert_string_equal(fragment.pwd, "PWDpwdPWDpwdPWDpwdPWDpwd");
    assert_int_equal(fragment.candidate_count, 1);

    assert_int_equal(sdp_write_fragment(text, "v=0\r\nm=video 0 X 1\r\n"), OW_ENOTFOUND);
    static char long_answer[SDP_FRAGMENT_BYTES + 64] = "m=video 9 X 1\r\na=candidate:";
    memset(long_answer + strlen(long_answer), 'x', SDP_FRAGMENT_BYTES - 40);
    strcat(long_answer, "\r\na=end-of-candidates\r\n");
    assert_int_equal(sdp_write_fragment(text, long_answer), OW_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_of_a_player),       cmocka_unit_test(every_truncation),
        cmocka_unit_test(what_is_read_and_what_is_not), cmocka_unit_test(bounds),
        cmocka_unit_test(written_out_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
