#include "rtc/srtp_link.h"

#include "core/error.h"
#include "core/random.h"
#include "rtc/rtp_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <srtp2/srtp.h>

static const enum srtp_link_profile profiles[] = {SRTP_LINK_GCM_128, SRTP_LINK_GCM_256,
                                                  SRTP_LINK_CM_SHA1_80};

static void set_policy(srtp_crypto_policy_t *policy, enum srtp_link_profile profile)
{
    if (profile == SRTP_LINK_GCM_128)
        srtp_crypto_policy_set_aes_gcm_128_16_auth(policy);
    else if (profile == SRTP_LINK_GCM_256)
        srtp_crypto_policy_set_aes_gcm_256_16_auth(policy);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(policy);
}

/* The other end, by libsrtp2: reads what `key` protected. */
static srtp_t open_receiver(enum srtp_link_profile profile, uint8_t key[SRTP_KEY_BYTES])
{
    srtp_t receiver;
    srtp_policy_t policy = {.ssrc = {.type = ssrc_any_inbound}, .key = key, .window_size = 1024};
    set_policy(&policy.rtp, profile);
    set_policy(&policy.rtcp, profile);
    assert_int_equal(srtp_create(&receiver, &policy), srtp_err_status_ok);
    return receiver;
}

static size_t write_packet(uint8_t *packet, uint32_t ssrc, uint16_t sequence, int sources,
                           int extension_words, size_t payload, struct random_source *random)
{
    size_t size = 12;
    packet[0] = (uint8_t)(0x80 | (extension_words >= 0 ? 0x10 : 0) | sources);
    packet[1] = 0x80 | 102;
    write_u16(packet + 2, sequence);
    write_u32(packet + 4, random_u32(random));
    write_u32(packet + 8, ssrc);
    for (int i = 0; i < sources; i++, size += 4)
        write_u32(packet + size, random_u32(random));
    if (extension_words >= 0) {
        write_u16(packet + size, 0xbede);
        write_u16(packet + size + 2, (uint16_t)extension_words);
        size += 4;
        for (int i = 0; i < extension_words; i++, size += 4)
            write_u32(packet + size, random_u32(random));
    }
    random->fill(random, packet + size, payload);
    return size + payload;
}

static void expect_read(srtp_t receiver, const uint8_t *plain, size_t plain_size, uint8_t *packet,
                        size_t size)
{
    int length = (int)size;
    assert_int_equal(srtp_unprotect(receiver, packet, &length), srtp_err_status_ok);
    assert_int_equal(length, plain_size);
    assert_memory_equal(packet, plain, plain_size);
}

/* Two streams, every shape of header, across the rollover of sequence numbers, with gaps. */
static void what_is_sent_is_read_by_libsrtp(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 7);
    assert_int_equal(srtp_init(), srtp_err_status_ok);
    for (size_t p = 0; p < sizeof profiles / sizeof profiles[0]; p++) {
        struct srtp_keys keys = {.profile = profiles[p]};
        struct srtp_link *link = NULL;
        random.fill(&random, keys.local, sizeof keys.local);
        random.fill(&random, keys.remote, sizeof keys.remote);
        assert_int_equal(srtp_link_create(&link, &keys), OW_OK);
        srtp_t receiver = open_receiver(profiles[p], keys.local);
        uint16_t sequences[2] = {32000, 5};
        for (int i = 0; i < 2000; i++) {
            uint8_t plain[1400], packet[1400 + SRTP_LINK_SLACK];
            size_t size = write_packet(plain, 0x1000u + (uint32_t)(i % 2), sequences[i % 2],
                                       i % 3 == 0 ? i % 16 : 0, i % 5 - 1,
                                       random_u32(&random) % 1200, &random);
            size_t length = size;
            memcpy(packet, plain, size);
            assert_int_equal(srtp_link_protect(link, packet, &length), OW_OK);
            assert_int_equal(length - size, profiles[p] == SRTP_LINK_CM_SHA1_80 ? 10 : 16);
            expect_read(receiver, plain, size, packet, length);
            sequences[i % 2] = (uint16_t)(sequences[i % 2] + 1 + random_u32(&random) % 200);
        }
        srtp_dealloc(receiver);
        srtp_link_destroy(&link);
        assert_null(link);
    }
}

static void a_key_stream_is_never_used_twice(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 8);
    struct srtp_keys keys = {.profile = SRTP_LINK_GCM_128, .local = {1, 2, 3}};
    uint8_t packet[200 + SRTP_LINK_SLACK];
    struct srtp_link *link = NULL;
    assert_int_equal(srtp_link_create(&link, &keys), OW_OK);
    static const struct {
        uint16_t sequence;
        int code;
    } cases[] = {{100, OW_OK},    {101, OW_OK},  {101, OW_EIO},   {100, OW_EIO},
                 {110, OW_OK},    {105, OW_EIO}, {32000, OW_OK},  {60000, OW_OK},
                 {32000, OW_EIO}, {3, OW_OK},    {65535, OW_EIO}, {4, OW_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = write_packet(packet, 1, cases[i].sequence, 0, -1, 50, &random);
        size_t length = size;
        assert_int_equal(srtp_link_protect(link, packet, &length), cases[i].code);
        assert_int_equal(length, cases[i].code == OW_OK ? size + 16 : size);
    }
    for (uint32_t ssrc = 2; ssrc <= 5; ssrc++) {
        size_t size = write_packet(packet, ssrc, 9, 0, -1, 50, &random);
        assert_int_equal(srtp_link_protect(link, packet, &size), ssrc < 5 ? OW_OK : OW_ELIMIT);
    }
    srtp_link_destroy(&link);
    assert_null(link);
}

static void what_is_no_rtp_packet_is_refused(void **state)
{
    (void)state;
    struct srtp_keys keys = {.profile = SRTP_LINK_CM_SHA1_80};
    uint8_t packet[64 + SRTP_LINK_SLACK] = {0x9f, 102};
    struct srtp_link *link = NULL;
    assert_int_equal(srtp_link_create(&link, &keys), OW_OK);
    for (size_t size = 0; size < 64; size++) { /* 15 sources want 72 bytes */
        size_t length = size;
        assert_int_equal(srtp_link_protect(link, packet, &length), OW_EINVAL);
        assert_int_equal(length, size);
    }
    packet[0] = 0x90; /* an extension of 64 Ki words */
    packet[14] = packet[15] = 0xff;
    size_t length = 64;
    assert_int_equal(srtp_link_protect(link, packet, &length), OW_EINVAL);
    packet[0] = 0x00;
    assert_int_equal(srtp_link_protect(link, packet, &length), OW_EINVAL);
    srtp_link_destroy(&link);
}

static void reports_are_read_once_and_only_when_authentic(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof profiles / sizeof profiles[0]; p++) {
        struct srtp_keys here = {.profile = profiles[p]}, there = {.profile = profiles[p]};
        memset(here.local, 1, sizeof here.local);
        memset(here.remote, 2, sizeof here.remote);
        memcpy(there.local, here.remote, sizeof there.local);
        memcpy(there.remote, here.local, sizeof there.remote);
        struct srtp_link *a = NULL, *b = NULL;
        assert_int_equal(srtp_link_create(&a, &here), OW_OK);
        assert_int_equal(srtp_link_create(&b, &there), OW_OK);
        uint8_t plain[8] = {0x80, 201, 0, 1, 0, 0, 0, 9}, packet[8 + SRTP_LINK_SLACK], again[40];
        for (int i = 0; i < 3; i++) {
            size_t size = sizeof plain;
            memcpy(packet, plain, size);
            assert_int_equal(srtp_link_protect_rtcp(a, packet, &size), OW_OK);
            assert_true(size > sizeof plain && size <= sizeof plain + SRTP_LINK_RTCP_TRAILER);
            size_t kept = size;
            memcpy(again, packet, size);
            packet[2] ^= 1;
            assert_int_equal(srtp_link_unprotect_rtcp(b, packet, &size), OW_EAUTH);
            memcpy(packet, again, kept);
            size = kept;
            assert_int_equal(srtp_link_unprotect_rtcp(b, packet, &size), OW_OK);
            assert_int_equal(size, sizeof plain);
            assert_memory_equal(packet, plain, sizeof plain);
            size = kept;
            assert_int_equal(srtp_link_unprotect_rtcp(b, again, &size), OW_EEXISTS);
        }
        srtp_link_destroy(&a);
        srtp_link_destroy(&b);
    }
}

static void reports_are_those_of_libsrtp(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 9);
    for (size_t p = 0; p < sizeof profiles / sizeof profiles[0]; p++) {
        struct srtp_keys keys = {.profile = profiles[p]};
        random.fill(&random, keys.local, sizeof keys.local);
        memcpy(keys.remote, keys.local, sizeof keys.remote);
        struct srtp_link *link = NULL;
        assert_int_equal(srtp_link_create(&link, &keys), OW_OK);
        srtp_t receiver = open_receiver(profiles[p], keys.local), sender;
        srtp_policy_t policy = {
            .ssrc = {.type = ssrc_any_outbound}, .key = keys.local, .window_size = 128};
        set_policy(&policy.rtp, profiles[p]);
        set_policy(&policy.rtcp, profiles[p]);
        assert_int_equal(srtp_create(&sender, &policy), srtp_err_status_ok);
        for (int i = 0; i < 100; i++) {
            uint8_t plain[400] = {0x81, 205}, packet[400 + SRTP_LINK_SLACK];
            size_t size = 8 + 4 * (size_t)(i % 90);
            random.fill(&random, plain + 8, size - 8);
            memcpy(packet, plain, size);
            size_t ours = size;
            assert_int_equal(srtp_link_protect_rtcp(link, packet, &ours), OW_OK);
            int theirs = (int)ours;
            assert_int_equal(srtp_unprotect_rtcp(receiver, packet, &theirs), srtp_err_status_ok);
            assert_int_equal(theirs, size);
            assert_memory_equal(packet, plain, size);
            assert_int_equal(srtp_protect_rtcp(sender, packet, &theirs), srtp_err_status_ok);
            ours = (size_t)theirs;
            assert_int_equal(srtp_link_unprotect_rtcp(link, packet, &ours), OW_OK);
            assert_int_equal(ours, size);
            assert_memory_equal(packet, plain, size);
        }
        srtp_dealloc(sender);
        srtp_dealloc(receiver);
        srtp_link_destroy(&link);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_is_read_by_libsrtp),
        cmocka_unit_test(a_key_stream_is_never_used_twice),
        cmocka_unit_test(what_is_no_rtp_packet_is_refused),
        cmocka_unit_test(reports_are_those_of_libsrtp),
        cmocka_unit_test(reports_are_read_once_and_only_when_authentic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
