#include "rtc/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 5769 sections 2.1 to 2.3. */
static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";

static const uint8_t sample_request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
};

static const uint8_t sample_ipv4[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
};

static const uint8_t sample_ipv6[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa,
    0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14,
    0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75,
    0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
};

static void request_of_rfc5769(void **state)
{
    (void)state;
    struct stun_message m;
    assert_int_equal(stun_parse(&m, sample_request, sizeof sample_request), OW_OK);
    assert_int_equal(m.class, STUN_REQUEST);
    assert_int_equal(m.username_size, 9);
    assert_memory_equal(m.username, "evtj:h6vY", 9);
    assert_true(m.has_priority && m.has_fingerprint && !m.use_candidate);
    assert_int_equal(m.priority, 0x6e0001ff);
    assert_int_equal(m.role, STUN_ROLE_CONTROLLED);
    assert_true(m.tie_breaker == 0x932ff9b151263b36);
    assert_int_equal(m.unknown_count, 0);
    assert_int_equal(stun_verify(&m, password, strlen(password)), OW_OK);
    assert_int_equal(stun_verify(&m, password, strlen(password) - 1), OW_EAUTH);
}

static void responses_of_rfc5769(void **state)
{
    (void)state;
    struct stun_message m;
    char text[ADDRESS_TEXT_BYTES];
    assert_int_equal(stun_parse(&m, sample_ipv4, sizeof sample_ipv4), OW_OK);
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_string_equal(address_text(&m.mapped, text), "192.0.2.1:32853");
    assert_int_equal(stun_verify(&m, password, strlen(password)), OW_OK);
    assert_int_equal(stun_parse(&m, sample_ipv6, sizeof sample_ipv6), OW_OK);
    assert_string_equal(address_text(&m.mapped, text),
                        "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    assert_int_equal(stun_verify(&m, password, strlen(password)), OW_OK);
}

/* The check value that catalogues of CRCs give for CRC-32. */
static void crc_check_value(void **state)
{
    (void)state;
    assert_int_equal(stun_crc32((const uint8_t *)"123456789", 9), 0xcbf43926);
    assert_int_equal(stun_crc32((const uint8_t *)"", 0), 0);
}

static void every_truncation_and_bit_is_refused(void **state)
{
    (void)state;
    struct stun_message m;
    for (size_t cut = 0; cut < sizeof sample_request; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, sample_request, cut);
        assert_int_equal(stun_parse(&m, copy, cut), OW_EPARSE);
        free(copy);
    }
    for (size_t bit = 0; bit < sizeof sample_request * 8; bit++) {
        uint8_t copy[sizeof sample_request];
        memcpy(copy, sample_request, sizeof copy);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int err = stun_parse(&m, copy, sizeof copy);
        /* A flipped type of FINGERPRINT itself leaves an unchecked message: integrity stands. */
        assert_true(err == OW_EPARSE || !m.has_fingerprint);
    }
}

static void written_is_read_back(void **state)
{
    (void)state;
    struct random_case {
        enum stun_class class;
        enum stun_role role;
        bool use_candidate;
        const char *ip;
    } cases[] = {
        {STUN_REQUEST, STUN_ROLE_CONTROLLED, false, "192.0.2.7"},
        {STUN_REQUEST, STUN_ROLE_CONTROLLING, true, "2001:db8::1"},
        {STUN_SUCCESS, STUN_ROLE_CONTROLLED, false, "::ffff:1.2.3.4"},
        {STUN_INDICATION, STUN_ROLE_CONTROLLING, true, "255.255.255.255"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t data[400], transaction[12];
        memset(transaction, (int)(i * 77 + 1), sizeof transaction);
        struct address address;
        assert_int_equal(address_parse(&address, cases[i].ip, (uint16_t)(1 + i * 20000)), OW_OK);
        struct stun_writer w;
        stun_begin(&w, data, sizeof data, cases[i].class, transaction);
        stun_put_username(&w, "abc:de");
        stun_put_priority(&w, 0xfffffff0u + (uint32_t)i);
        stun_put_role(&w, cases[i].role, UINT64_MAX - i);
        if (cases[i].use_candidate)
            stun_put_use_candidate(&w);
        stun_put_xor_mapped(&w, &address);
        assert_int_equal(stun_finish(&w, "secret"), OW_OK);
        struct stun_message m;
        assert_int_equal(stun_parse(&m, data, w.size), OW_OK);
        assert_int_equal(m.class, cases[i].class);
        assert_memory_equal(m.transaction, transaction, 12);
        assert_memory_equal(m.username, "abc:de", 6);
        assert_int_equal(m.priority, 0xfffffff0u + i);
        assert_int_equal(m.role, cases[i].role);
        assert_true(m.tie_breaker == UINT64_MAX - i);
        assert_int_equal(m.use_candidate, cases[i].use_candidate);
        assert_true(address_equal(&m.mapped, &address));
        assert_int_equal(stun_verify(&m, "secret", 6), OW_OK);
        data[24] ^= 1; /* the user name, under integrity and fingerprint */
        assert_int_equal(stun_parse(&m, data, w.size), OW_EPARSE);
    }
}

static void errors_and_unknown_attributes(void **state)
{
    (void)state;
    static const uint8_t transaction[12] = {1};
    static const uint16_t unknown[] = {0x7abc, 0x0030, 0x0031};
    uint8_t data[200];
    struct stun_writer w;
    struct stun_message m;
    stun_begin(&w, data, sizeof data, STUN_ERROR, transaction);
    stun_put_error(&w, STUN_ERROR_UNKNOWN_ATTRIBUTE);
    stun_put_unknown(&w, unknown, 3);
    assert_int_equal(stun_finish(&w, NULL), OW_OK);
    assert_int_equal(stun_parse(&m, data, w.size), OW_OK);
    assert_int_equal(m.error_code, 420);
    assert_int_equal(stun_verify(&m, "x", 1), OW_EAUTH); /* no integrity at all */

    const uint8_t request[] = {0x00, 0x01, 0x00, 0x10, 0x21, 0x12, 0xa4, 0x42, 1,    2,    3, 4,
                               5,    6,    7,    8,    9,    10,   11,   12,   0x7a, 0xbc, 0, 1,
                               9,    0,    0,    0,    0xff, 0xf0, 0,    4,    1,    2,    3, 4};
    assert_int_equal(stun_parse(&m, request, sizeof request), OW_OK);
    assert_int_equal(m.unknown_count, 1); /* 0xfff0 is optional */
    assert_int_equal(m.unknown[0], 0x7abc);
}

static void attributes_after_integrity_are_ignored(void **state)
{
    (void)state;
    static const uint8_t transaction[12] = {7};
    uint8_t data[200];
    struct stun_writer w;
    stun_begin(&w, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_username(&w, "a:b");
    assert_int_equal(stun_finish(&w, "pw"), OW_OK);
    w.size -= 8; /* the fingerprint makes room */
    stun_put_use_candidate(&w);
    stun_put_priority(&w, 5);
    assert_int_equal(stun_finish(&w, NULL), OW_OK);
    struct stun_message m;
    assert_int_equal(stun_parse(&m, data, w.size), OW_OK);
    assert_false(m.use_candidate || m.has_priority);
    assert_int_equal(stun_verify(&m, "pw", 2), OW_OK);
}

static void writer_stops_at_the_end(void **state)
{
    (void)state;
    static const uint8_t transaction[12] = {0};
    for (size_t capacity = 0; capacity < 68; capacity++) {
        uint8_t *data = malloc(capacity + 1);
        struct stun_writer w;
        stun_begin(&w, data, capacity, STUN_REQUEST, transaction);
        stun_put_role(&w, STUN_ROLE_CONTROLLED, 1);
        stun_put_username(&w, "ab:c");
        assert_int_equal(stun_finish(&w, "pw"), OW_ELIMIT);
        free(data);
    }
}

/* RFC 5769 section 2.4: a long-term credential, the name in kana. */
static void long_term_request_of_rfc5769(void **state)
{
    (void)state;
    static const uint8_t sample[] = {
        0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72,
        0xc0, 0x29, 0xda, 0x41, 0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88,
        0xe3, 0x83, 0xaa, 0xe3, 0x83, 0x83, 0xe3, 0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00,
        0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f, 0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36,
        0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46, 0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73,
        0x41, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6f, 0x72,
        0x67, 0x00, 0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6, 0x4a, 0x3e, 0x02,
        0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2, 0x8c, 0xa8, 0x96, 0x66,
    };
    struct stun_message m;
    assert_int_equal(stun_parse_turn(&m, sample, sizeof sample), OW_OK);
    assert_int_equal(m.method, STUN_BINDING);
    assert_int_equal(m.realm_size, 11);
    assert_memory_equal(m.realm, "example.org", 11);
    assert_int_equal(m.nonce_size, 28);
    uint8_t key[STUN_KEY_BYTES];
    assert_int_equal(
        stun_long_term_key(key, "\u30de\u30c8\u30ea\u30c3\u30af\u30b9", "example.org", "TheMatrIX"),
        OW_OK);
    assert_int_equal(stun_verify(&m, key, sizeof key), OW_OK);
    assert_int_equal(stun_long_term_key(key, "other", "example.org", "TheMatrIX"), OW_OK);
    assert_int_equal(stun_verify(&m, key, sizeof key), OW_EAUTH);
}

/* What TURN's methods and attributes look like, and that ICE knows neither. */
static void turn_is_read_for_turn_only(void **state)
{
    (void)state;
    static const struct {
        enum stun_method method;
        enum stun_class class;
        uint16_t type; /* RFC 8656 section 17 */
    } cases[] = {
        {TURN_ALLOCATE, STUN_REQUEST, 0x0003},     {TURN_ALLOCATE, STUN_SUCCESS, 0x0103},
        {TURN_ALLOCATE, STUN_ERROR, 0x0113},       {TURN_REFRESH, STUN_REQUEST, 0x0004},
        {TURN_SEND, STUN_INDICATION, 0x0016},      {TURN_DATA, STUN_INDICATION, 0x0017},
        {TURN_CHANNEL_BIND, STUN_SUCCESS, 0x0109}, {TURN_CREATE_PERMISSION, STUN_ERROR, 0x0118},
    };
    static const uint8_t transaction[STUN_TRANSACTION_BYTES] = {1, 2, 3};
    struct address peer, relayed;
    assert_int_equal(address_parse(&peer, "192.0.2.3", 4000), OW_OK);
    assert_int_equal(address_parse(&relayed, "2001:db8::5", 50000), OW_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t data[400];
        struct stun_writer writer;
        struct stun_message m;
        stun_begin_turn(&writer, data, sizeof data, cases[i].method, cases[i].class, transaction);
        stun_put_peer(&writer, &peer);
        stun_put_relayed(&writer, &relayed);
        stun_put_lifetime(&writer, 600);
        stun_put_channel(&writer, 0x4001);
        stun_put_requested_udp(&writer);
        stun_put_realm(&writer, "realm");
        stun_put_nonce(&writer, (const uint8_t *)"nonce", 5);
        stun_put_payload(&writer, (const uint8_t *)"payload", 7);
        assert_false(writer.overflow);
        assert_int_equal(data[0] << 8 | data[1], cases[i].type);
        assert_int_equal(stun_parse(&m, data, writer.size), OW_EPARSE);
        assert_int_equal(stun_parse_turn(&m, data, writer.size), OW_OK);
        assert_int_equal(m.method, cases[i].method);
        assert_int_equal(m.class, cases[i].class);
        assert_true(address_equal(&m.peer, &peer));
        assert_true(address_equal(&m.relayed, &relayed));
        assert_true(m.has_lifetime && m.lifetime_s == 600);
        assert_int_equal(m.channel, 0x4001);
        assert_int_equal(m.payload_size, 7);
        assert_memory_equal(m.payload, "payload", 7);
        assert_int_equal(m.unknown_count, 0);
        for (size_t size = 0; size < writer.size; size++)
            assert_int_equal(stun_parse_turn(&m, data, size), OW_EPARSE);
    }
    /* In a binding message TURN's attributes stay unknown, and are to be refused. */
    uint8_t data[100];
    struct stun_writer writer;
    struct stun_message m;
    stun_begin(&writer, data, sizeof data, STUN_REQUEST, transaction);
    stun_put_peer(&writer, &peer);
    stun_put_channel(&writer, 0x4001);
    assert_int_equal(stun_parse(&m, data, writer.size), OW_OK);
    assert_int_equal(m.unknown_count, 2);
    assert_int_equal(m.peer.family, ADDRESS_NONE);
    assert_int_equal(m.channel, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_of_rfc5769),
        cmocka_unit_test(responses_of_rfc5769),
        cmocka_unit_test(crc_check_value),
        cmocka_unit_test(every_truncation_and_bit_is_refused),
        cmocka_unit_test(written_is_read_back),
        cmocka_unit_test(errors_and_unknown_attributes),
        cmocka_unit_test(attributes_after_integrity_are_ignored),
        cmocka_unit_test(writer_stops_at_the_end),
        cmocka_unit_test(long_term_request_of_rfc5769),
        cmocka_unit_test(turn_is_read_for_turn_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
