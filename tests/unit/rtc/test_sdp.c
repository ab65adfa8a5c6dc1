/* SDP_CORPUS is the directory of recorded offers (tests/fuzz/corpus/sdp). */
#include "rtc/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FINGERPRINT                                                                                \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:"   \
    "ee:ff"
#define HEAD "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define TRANSPORT                                                                                  \
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 " FINGERPRINT   \
    "\r\na=setup:actpass\r\na=rtcp-mux\r\n"
#define H264                                                                                       \
    "a=rtpmap:96 H264/90000\r\n"                                                                   \
    "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
#define VIDEO "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=recvonly\r\n"

static char *read_fixture(const char *name, size_t *size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", SDP_CORPUS, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(SDP_MAX_BYTES);
    *size = fread(text, 1, SDP_MAX_BYTES, file);
    fclose(file);
    assert_true(*size > 0);
    return text;
}

static int parse(struct sdp_offer *offer, const char *text, struct reason *why)
{
    *why = (struct reason){{0}};
    return sdp_parse_offer(offer, text, strlen(text), 0, why);
}

static char *write_answer(const struct sdp_offer *offer)
{
    static const uint8_t fingerprint[32] = {0xab, [31] = 0x01};
    struct sdp_answer_settings settings = {
        .ufrag = "UFRAGufr",
        .pwd = "PWDpwdPWDpwdPWDpwdPWDpwd",
        .fingerprint = fingerprint,
        .session_id = 77,
        .ssrc = 1111,
        .rtx_ssrc = 2222,
        .flexfec_ssrc = 3333,
        .cname = "name",
        .stream_id = "stream",
        .sctp_port = 5000,
        .max_message_size = 1024,
        .track_id = "track",
        .candidate_count = 2,
    };
    assert_int_equal(address_parse(&settings.candidates[0].address, "192.0.2.1", 8189), OW_OK);
    assert_int_equal(address_parse(&settings.candidates[1].address, "2001:db8::1", 8189), OW_OK);
    char *answer = NULL;
    assert_int_equal(sdp_write_answer(&answer, offer, &settings), OW_OK);
    return answer;
}

static int count(const char *text, const char *what)
{
    int found = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        found++;
    return found;
}

static void assert_has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("\"%s\" is missing in:\n%s", what, text);
}

static void real_offers(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int type, rtx, flexfec, media, video, kept, data, candidates;
        uint8_t transport_cc, playout_delay, send_time, mid;
        const char *fmtp;
    } cases[] = {
#define ASYM "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="
        {"chromium-video.sdp", 108, 109, 49, 1, 0, -1, -1, 0, 4, 5, 2, 9, ASYM "42e01f"},
        {"chromium-video-audio-data.sdp", 108, 109, 49, 3, 1, 0, 2, 0, 3, 5, 2, 4, ASYM "42e01f"},
        {"chromium-max-bundle.sdp", 108, 109, 49, 3, 1, 0, 2, 0, 3, 5, 2, 4, ASYM "42e01f"},
        {"chromium-two-video.sdp", 108, 109, 0, 2, 1, 0, -1, 0, 4, 5, 2, 9, ASYM "42e01f"},
        {"firefox-composed.sdp", 126, 127, 0, 2, 1, 0, -1, 0, 7, 6, 4, 3, ASYM "42e01f"},
        {"firefox-composed-bundle-only.sdp", 126, 127, 0, 2, 1, 0, -1, 0, 7, 6, 4, 3,
         ASYM "42e01f"},
        {"safari-composed.sdp", 98, 99, 0, 1, 0, -1, -1, 0, 4, 5, 2, 10, ASYM "42e01f"},
        {"aiortc.sdp", 101, 102, 0, 3, 1, -1, -1, 4, 0, 0, 2, 1, ASYM "42e01f"},
        {"gstreamer-webrtcbin.sdp", 96, 97, 0, 1, 0, -1, -1, 3, 0, 0, 0, 0,
         "packetization-mode=1;profile-level-id=42e01f"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size;
        char *text = read_fixture(cases[i].file, &size);
        struct sdp_offer offer;
        struct reason why = {{0}};
        print_message("%s\n", cases[i].file);
        assert_int_equal(sdp_parse_offer(&offer, text, size, 0, &why), OW_OK);
        assert_int_equal(offer.codec.payload_type, cases[i].type);
        assert_true(offer.codec.rtx && offer.codec.nack && offer.codec.pli);
        assert_int_equal(offer.codec.rtx_payload_type, cases[i].rtx);
        assert_int_equal(offer.codec.flexfec_payload_type, cases[i].flexfec);
        assert_string_equal(offer.codec.fmtp, cases[i].fmtp);
        assert_int_equal(offer.media_count, cases[i].media);
        assert_int_equal(offer.video_index, cases[i].video);
        assert_int_equal(offer.kept_index, cases[i].kept);
        assert_int_equal(offer.candidate_count, cases[i].candidates);
        assert_int_equal(offer.extension_id[SDP_EXT_TRANSPORT_CC], cases[i].transport_cc);
        assert_int_equal(offer.extension_id[SDP_EXT_PLAYOUT_DELAY], cases[i].playout_delay);
        assert_int_equal(offer.extension_id[SDP_EXT_ABS_SEND_TIME], cases[i].send_time);
        assert_int_equal(offer.extension_id[SDP_EXT_MID], cases[i].mid);
        assert_int_equal(offer.setup, SDP_SETUP_ACTPASS);
        char *answer = write_answer(&offer);
        assert_int_equal(count(answer, "\r\nm="), cases[i].media);
        assert_int_equal(count(answer, "\r\na=sendonly\r\n"), 1);
        assert_int_equal(count(answer, "\r\na=end-of-candidates\r\n"), 1);
        int fec = cases[i].flexfec != 0;
        assert_int_equal(count(answer, "\r\na=ssrc-group:FEC-FR 1111 3333\r\n"), fec);
        assert_int_equal(count(answer, "\r\na=ssrc:3333 cname:name\r\n"), fec);
        assert_int_equal(count(answer, "\r\na=rtpmap:49 flexfec-03/90000\r\n"), fec);
        assert_int_equal(count(answer, " 108 109 49\r\n"), fec);
        assert_int_equal(offer.data_index, cases[i].data);
        int data = cases[i].data >= 0, rejected = cases[i].media - 1 - data - (cases[i].kept >= 0);
        assert_int_equal(count(answer, "m=application 9 "), data);
        assert_int_equal(count(answer, "\r\na=sctp-port:5000\r\na=max-message-size:1024\r\n"),
                         data);
        assert_int_equal(count(answer, "\r\na=inactive\r\n"), cases[i].media - 1 - data);
        assert_int_equal(count(answer, "m=audio 0 ") + count(answer, "m=video 0 ") +
                             count(answer, "m=application 0 "),
                         rejected);
        free(answer);
        free(text);
    }
}

/* H.264 where it is offered, else VP8; and only what may be chosen. */
static void the_best_codec_that_may_be_is_chosen(void **state)
{
    (void)state;
    size_t size;
    char *text = read_fixture("libwebrtc-native.sdp", &size); /* VP8, VP9, AV1 */
    struct sdp_offer offer;
    struct reason why = {{0}};
    assert_int_equal(sdp_parse_offer(&offer, text, size, 0, &why), OW_OK);
    assert_int_equal(offer.codec.codec, VIDEO_VP8);
    assert_string_equal(offer.codec.name, "VP8");
    assert_int_equal(offer.codec.payload_type, 96);
    assert_true(offer.codec.rtx && offer.codec.transport_cc);
    assert_string_equal(offer.codec.fmtp, "");
    assert_int_equal(sdp_parse_offer(&offer, text, size, 1u << VIDEO_H264, &why), OW_EUNSUPPORTED);
    assert_has(why.text, "(offered: VP8, VP9, AV1)");
    free(text);
    text = read_fixture("chromium-video.sdp", &size);
    assert_int_equal(sdp_parse_offer(&offer, text, size, 0, &why), OW_OK);
    assert_int_equal(offer.codec.codec, VIDEO_H264);
    assert_int_equal(sdp_parse_offer(&offer, text, size, 1u << VIDEO_VP8, &why), OW_OK);
    assert_int_equal(offer.codec.codec, VIDEO_VP8);
    free(text);
}

/* Data channels in front of the video own the transport; behind it they share it; else they are
 * rejected. */
static void data_sections(void **state)
{
    (void)state;
    static const char head[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    static const char video[] =
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=recvonly\r\na=rtcp-mux\r\n"
        "a=ice-ufrag:vide\r\na=ice-pwd:vidovidovidovidovidovi\r\na=setup:actpass\r\n"
        "a=fingerprint:sha-256 "
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"
        "EE:FF\r\na=rtpmap:96 VP8/90000\r\n";
    static const char data[] =
        "a=mid:d\r\na=ice-ufrag:data\r\na=ice-pwd:datodatodatodatodatoda\r\na=setup:actpass\r\n"
        "a=fingerprint:sha-256 "
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"
        "EE:FF\r\n";
    static const struct {
        const char *group, *line, *sctp;
        bool front;
        const char *ufrag, *answer_group; /* NULL = rejected */
        uint32_t max_message;
    } cases[] = {
        {"v d", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:5001", false,
         "vide", "v d", 65536},
        {"d v", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
         "a=sctp-port:5001\r\na=max-message-size:0", true, "data", "d v", UINT32_MAX},
        {"d v", "m=application 9 TCP/DTLS/SCTP webrtc-datachannel",
         "a=sctp-port:5001\r\na=max-message-size:9000", true, "data", "d v", 9000},
        {"v d", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:0", false, "vide",
         NULL, 0},
        {"v d", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=x", false, "vide", NULL, 0},
        {"v d", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:70000", false,
         "vide", NULL, 0},
        {"v d", "m=application 9 DTLS/SCTP 5000", "a=sctp-port:5001", false, "vide", NULL, 0},
        {"v d", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:5001", false,
         "vide", NULL, 0},
        {"v", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:5001", false, "vide",
         NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[4096], section[1024], wanted[64];
        struct sdp_offer offer;
        struct reason why = {{0}};
        snprintf(section, sizeof section, "%s\r\n%s%s\r\n", cases[i].line, data, cases[i].sctp);
        snprintf(text, sizeof text, "%sa=group:BUNDLE %s\r\n%s%s%s", head, cases[i].group,
                 cases[i].front ? section : "", video, cases[i].front ? "" : section);
        assert_int_equal(sdp_parse_offer(&offer, text, strlen(text), 0, &why), OW_OK);
        assert_string_equal(offer.ufrag, cases[i].ufrag);
        char *answer = write_answer(&offer);
        if (cases[i].answer_group) {
            assert_int_equal(offer.data_index, !cases[i].front);
            assert_int_equal(offer.sctp_port, 5001);
            assert_int_equal(offer.max_message_size, cases[i].max_message);
            snprintf(wanted, sizeof wanted, "a=group:BUNDLE %s\r\n", cases[i].answer_group);
        } else {
            assert_int_equal(offer.data_index, -1);
            assert_has(answer, "m=application 0 ");
            snprintf(wanted, sizeof wanted, "a=group:BUNDLE v\r\n");
        }
        assert_has(answer, wanted);
        assert_int_equal(count(answer, "a=end-of-candidates"), 1);
        assert_true((strstr(answer, "a=candidate") < strstr(answer, "a=sendonly")));
        free(answer);
    }
}

static void answer_is_complete(void **state)
{
    (void)state;
    struct sdp_offer offer;
    struct reason why;
    assert_int_equal(parse(&offer,
                           HEAD "a=group:BUNDLE v\r\na=extmap-allow-mixed\r\n" VIDEO TRANSPORT H264
                                "a=ice-options:renomination trickle\r\na=rtcp-fb:* "
                                "nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-rsize\r\n"
                                "a=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                                "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:a\r\n",
                           &why),
                     OW_OK);
    char *answer = write_answer(&offer);
    assert_string_equal(
        answer,
        "v=0\r\no=- 77 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE v\r\n"
        "a=msid-semantic: WMS stream\r\na=extmap-allow-mixed\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
        "a=candidate:2298779162 1 udp 2130706431 192.0.2.1 8189 typ host\r\n"
        "a=candidate:1604919862 1 udp 2130706175 2001:db8::1 8189 typ host\r\n"
        "a=end-of-candidates\r\n"
        "a=ice-ufrag:UFRAGufr\r\na=ice-pwd:PWDpwdPWDpwdPWDpwdPWDpwd\r\n"
        "a=ice-options:ice2 trickle\r\n"
        "a=fingerprint:sha-256 AB:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
        "00:00:00:00:00:00:00:00:00:01\r\n"
        "a=setup:passive\r\na=mid:v\r\na=extmap:14 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
        "a=sendonly\r\na=msid:stream track\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
        "a=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
        "a=ssrc:1111 cname:name\r\na=ssrc:1111 msid:stream track\r\n"
        "m=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=inactive\r\n");
    free(answer);
}

static void profiles_by_likeness(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        int chosen; /* 96, 97, or 0 = refused */
    } cases[] = {
        {"42001f", "42e01f", 97}, {"640c1f", "42e01f", 97}, {"42001f", "64001f", 96},
        {"64001f", "4d001f", 97}, {"4d001f", "4d801f", 97}, {"f4001f", "42001F", 97},
        {"f4001f", "zz001f", 0},  {"58c01f", "42001f", 96}, {"42e01", "42e01ff", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2048];
        snprintf(
            text, sizeof text,
            HEAD
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" TRANSPORT
            "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=%s\r\n"
            "a=rtpmap:97 h264/90000\r\na=fmtp:97 profile-level-id=%s; packetization-mode=1\r\n",
            cases[i].first, cases[i].second);
        struct sdp_offer offer;
        struct reason why;
        int err = parse(&offer, text, &why);
        assert_int_equal(err, cases[i].chosen ? OW_OK : OW_EUNSUPPORTED);
        if (!err)
            assert_int_equal(offer.codec.payload_type, cases[i].chosen);
    }
}

static void refusals_have_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *reason;
    } cases[] = {
        {"", OW_EPARSE, "empty"},
        {"hello", OW_EPARSE, "not SDP"},
        {HEAD, OW_EUNSUPPORTED, "no video section"},
        {HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", OW_EUNSUPPORTED, "no video section"},
        {HEAD "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n" TRANSPORT H264, OW_EUNSUPPORTED,
         "no video section"},
        {HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendonly\r\n" TRANSPORT H264, OW_EUNSUPPORTED,
         "wants to receive"},
        {HEAD "a=inactive\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" TRANSPORT H264, OW_EUNSUPPORTED,
         "wants to receive"},
        {HEAD "m=video 9 RTP/AVP 96\r\n" TRANSPORT H264, OW_EUNSUPPORTED, "DTLS-SRTP"},
        {HEAD "m=video nine UDP/TLS/RTP/SAVPF 96\r\n", OW_EPARSE, "malformed m-line"},
        {HEAD "m=video 9\r\n", OW_EPARSE, "malformed m-line"},
        {HEAD "m=\r\n", OW_EPARSE, "malformed m-line"},
        {HEAD VIDEO VIDEO, OW_EPARSE, "share mid v"},
        {HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:"
              "0123456789012345678901234567890123456789\r\n",
         OW_EPARSE, "a mid that is"},
        {HEAD VIDEO H264, OW_EPARSE, "ICE user fragment"},
        {HEAD VIDEO "a=ice-ufrag:ab\r\n" TRANSPORT H264, OW_EPARSE, "malformed"},
        {HEAD VIDEO "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n", OW_EPARSE,
         "no DTLS certificate fingerprint"},
        {HEAD VIDEO "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
                    "a=fingerprint:sha-1 00:11\r\n",
         OW_EUNSUPPORTED, "not sha-256"},
        {HEAD VIDEO "a=fingerprint:sha-256 00:11\r\n" TRANSPORT, OW_EPARSE, "malformed"},
        {HEAD VIDEO "a=setup:passive\r\n" TRANSPORT H264, OW_EUNSUPPORTED, "setup must be"},
        {HEAD VIDEO "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
                    "a=fingerprint:sha-256 " FINGERPRINT "\r\n",
         OW_EUNSUPPORTED, "rtcp-mux"},
        {HEAD VIDEO TRANSPORT "a=rtpmap:96 VP9/90000\r\n", OW_EUNSUPPORTED, "(offered: VP9)"},
        {HEAD VIDEO TRANSPORT "a=rtpmap:96 H264/90000\r\n", OW_EUNSUPPORTED,
         "packetization-mode 1"},
        {HEAD VIDEO TRANSPORT, OW_EUNSUPPORTED, "(offered: nothing known)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sdp_offer offer;
        struct reason why;
        assert_int_equal(parse(&offer, cases[i].text, &why), cases[i].code);
        assert_has(why.text, cases[i].reason);
    }
}

static void sizes_and_odd_bytes(void **state)
{
    (void)state;
    struct sdp_offer offer;
    struct reason why = {{0}};
    size_t large = 1024 * 1024;
    char *text = malloc(large);
    memset(text, 'a', large);
    assert_int_equal(sdp_parse_offer(&offer, text, large, 0, &why), OW_ELIMIT);
    assert_has(why.text, "larger than 64 kB");

    /* A line of 60,000 characters is skipped. */
    int used = snprintf(text, large, "%s", HEAD VIDEO TRANSPORT H264 "a=x:");
    memset(text + used, 'y', 60000);
    assert_int_equal(sdp_parse_offer(&offer, text, (size_t)used + 60000, 0, &why), OW_OK);

    char nul[] = HEAD VIDEO TRANSPORT H264;
    nul[sizeof nul / 2] = '\0';
    assert_int_equal(sdp_parse_offer(&offer, nul, sizeof nul - 1, 0, &why), OW_EPARSE);
    assert_has(why.text, "NUL");

    used = snprintf(text, large, HEAD);
    for (int i = 0; i < 64; i++)
        used += snprintf(text + used, large - (size_t)used, "m=audio 9 UDP/TLS/RTP/SAVPF 0\n");
    assert_int_equal(sdp_parse_offer(&offer, text, (size_t)used, 0, &why), OW_ELIMIT);
    assert_has(why.text, "more than 32");
    free(text);
}

static void line_ends_and_byte_order_mark(void **state)
{
    (void)state;
    struct sdp_offer offer;
    struct reason why;
    const char *crlf = HEAD VIDEO TRANSPORT H264;
    char lf[2048] = "\xef\xbb\xbf";
    size_t size = 3;
    for (const char *at = crlf; *at; at++)
        if (*at != '\r')
            lf[size++] = *at;
    assert_int_equal(sdp_parse_offer(&offer, lf, size, 0, &why), OW_OK);
    assert_int_equal(sdp_parse_offer(&offer, lf, size - 1, 0, &why), OW_OK); /* no last newline */
    assert_string_equal(offer.codec.fmtp + strlen(offer.codec.fmtp) - 6, "42e01f");
    assert_string_equal(offer.pwd, "0123456789012345678901");
    assert_int_equal(offer.fingerprint[31], 0xff);
}

static void session_level_is_inherited(void **state)
{
    (void)state;
    struct sdp_offer offer;
    struct reason why;
    assert_int_equal(parse(&offer, HEAD TRANSPORT "a=ice-lite\r\n" VIDEO H264, &why), OW_OK);
    assert_string_equal(offer.ufrag, "abcd");
    assert_true(offer.peer_ice_lite);
    assert_int_equal(parse(&offer,
                           HEAD "a=ice-ufrag:other\r\na=setup:passive\r\n" VIDEO TRANSPORT
                                "a=fingerprint:sha-256 ignored, the first one counts\r\n" H264,
                           &why),
                     OW_OK);
    assert_string_equal(offer.ufrag, "abcd");
    assert_int_equal(parse(&offer, HEAD VIDEO "a=setup:active\r\n" TRANSPORT H264, &why), OW_OK);
    assert_int_equal(offer.setup, SDP_SETUP_ACTIVE);
}

static void extension_ids(void **state)
{
    (void)state;
    struct sdp_offer offer;
    struct reason why;
    assert_int_equal(
        parse(&offer,
              HEAD VIDEO TRANSPORT H264
              "a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
              "a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
              "a=extmap:3/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
              "a=extmap:4/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
              "a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time\r\n",
              &why),
        OW_OK);
    assert_int_equal(offer.extension_id[SDP_EXT_MID], 0);
    assert_int_equal(offer.extension_id[SDP_EXT_ABS_SEND_TIME], 0);
    assert_int_equal(offer.extension_id[SDP_EXT_PLAYOUT_DELAY], 4);
    assert_int_equal(offer.extension_id[SDP_EXT_ABS_CAPTURE_TIME], 0); /* id 4 is taken */
}

static void candidates_read_and_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *address;
    } cases[] = {
        {"candidate:1 1 udp 5 192.0.2.1 80 typ host", OW_OK, "192.0.2.1:80"},
        {"a=candidate:1 1 UDP 5 2001:db8::1 80 typ srflx raddr :: rport 0", OW_OK,
         "[2001:db8::1]:80"},
        {"1 1 udp 4294967295 192.0.2.1 65535 typ relay generation 0", OW_OK, "192.0.2.1:65535"},
        {"candidate:1 1 udp 5 abc.local 80 typ host", OW_EUNSUPPORTED, NULL},
        {"candidate:1 1 tcp 5 192.0.2.1 9 typ host tcptype active", OW_EUNSUPPORTED, NULL},
        {"candidate:1 2 udp 5 192.0.2.1 80 typ host", OW_EUNSUPPORTED, NULL},
        {"candidate:1 1 udp 5 192.0.2.1 80 typ new", OW_EUNSUPPORTED, NULL},
        {"candidate:1 1 udp 5 192.0.2.1 80 typ", OW_EPARSE, NULL},
        {"candidate:1 1 udp 5 192.0.2.1 0 typ host", OW_EPARSE, NULL},
        {"candidate:1 1 udp 0 192.0.2.1 80 typ host", OW_EPARSE, NULL},
        {"candidate:1 1 udp 4294967296 192.0.2.1 80 typ host", OW_EPARSE, NULL},
        {"candidate:1 1 udp 5 192.0.2.1 65536 typ host", OW_EPARSE, NULL},
        {"candidate:1 1 udp -5 192.0.2.1 80 typ host", OW_EPARSE, NULL},
        {"candidate:", OW_EPARSE, NULL},
        {"", OW_EPARSE, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sdp_candidate candidate;
        char text[ADDRESS_TEXT_BYTES];
        assert_int_equal(sdp_parse_candidate(&candidate, cases[i].text, strlen(cases[i].text)),
                         cases[i].code);
        if (cases[i].address)
            assert_string_equal(address_text(&candidate.address, text), cases[i].address);
    }
    assert_int_equal(sdp_host_priority(0), 2130706431);
}

static void trickle_is_said_to_whom_offers_it(void **state)
{
    (void)state;
    static const struct {
        const char *line, *expected;
    } cases[] = {
        {"", "\r\na=ice-options:ice2\r\n"},
        {"a=ice-options:trickled\r\n", "\r\na=ice-options:ice2\r\n"},
        {"a=ice-options:trickle\r\n", "\r\na=ice-options:ice2 trickle\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2048];
        snprintf(text, sizeof text, HEAD "%s" VIDEO TRANSPORT H264, cases[i].line);
        struct sdp_offer offer;
        struct reason why;
        assert_int_equal(parse(&offer, text, &why), OW_OK);
        char *answer = write_answer(&offer);
        assert_non_null(strstr(answer, cases[i].expected));
        free(answer);
    }
}

static void our_candidates_of_every_kind(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *type;
        enum address_transport transport;
        uint32_t priority;
        const char *end;
    } cases[] = {
        {"192.0.2.1", "host", ADDRESS_UDP, 0, " 1 udp 2130706431 192.0.2.1 8189 typ host"},
        {"192.0.2.1", "host", ADDRESS_TCP, 1518280447,
         " 1 tcp 1518280447 192.0.2.1 8189 typ host tcptype passive"},
        {"198.51.100.1", "srflx", ADDRESS_UDP, 1694498815,
         " 1 udp 1694498815 198.51.100.1 8189 typ srflx raddr 0.0.0.0 rport 9"},
        {"2001:db8::9", "relay", ADDRESS_UDP, 50331647,
         " 1 udp 50331647 2001:db8::9 8189 typ relay raddr :: rport 9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sdp_candidate candidate = {.priority = cases[i].priority};
        if (candidate.priority == 0)
            candidate.priority = sdp_host_priority(0);
        assert_int_equal(address_parse(&candidate.address, cases[i].ip, 8189), OW_OK);
        candidate.address.transport = (uint8_t)cases[i].transport;
        snprintf(candidate.type, sizeof candidate.type, "%s", cases[i].type);
        char text[SDP_CANDIDATE_TEXT_BYTES];
        sdp_write_candidate(text, &candidate);
        size_t size = strlen(text), end = strlen(cases[i].end);
        assert_true(size > end);
        assert_string_equal(text + size - end, cases[i].end);
    }
}

static void priorities_are_in_order(void **state)
{
    (void)state;
    assert_int_equal(sdp_host_priority(0), 2130706431);
    for (int i = 0; i < 4096; i += 5) {
        assert_true(sdp_host_priority(i) > sdp_srflx_priority(0));
        assert_true(sdp_srflx_priority(i) > sdp_tcp_priority(0));
        assert_true(sdp_tcp_priority(i) > sdp_relay_priority(0));
        assert_true(sdp_relay_priority(i) > sdp_relay_priority(i + 1));
        assert_true(sdp_tcp_priority(i) > sdp_tcp_priority(i + 1));
        assert_true(sdp_tcp_priority(i) >> 24 == 90); /* the direction did not reach the type */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_offers),
        cmocka_unit_test(the_best_codec_that_may_be_is_chosen),
        cmocka_unit_test(data_sections),
        cmocka_unit_test(answer_is_complete),
        cmocka_unit_test(profiles_by_likeness),
        cmocka_unit_test(refusals_have_reasons),
        cmocka_unit_test(sizes_and_odd_bytes),
        cmocka_unit_test(line_ends_and_byte_order_mark),
        cmocka_unit_test(session_level_is_inherited),
        cmocka_unit_test(extension_ids),
        cmocka_unit_test(candidates_read_and_refused),
        cmocka_unit_test(trickle_is_said_to_whom_offers_it),
        cmocka_unit_test(our_candidates_of_every_kind),
        cmocka_unit_test(priorities_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
