#include "rtc/dtls_srtp.h"
#include "rtc_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_RECORDS = 32 };
static const char BROWSER_PROFILES[] = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:"
                                       "SRTP_AEAD_AES_128_GCM";

static struct dtls_identity *identity;
static struct dtls_transport *transport;
static struct rtc_peer peer;

static int make_identity(void **state)
{
    (void)state;
    struct reason why;
    return dtls_identity_create(&identity, 1700000000000000, &why);
}

static int drop_identity(void **state)
{
    (void)state;
    dtls_identity_destroy(&identity);
    return 0;
}

static void start(const char *profiles, int mtu)
{
    rtc_peer_create(&peer, profiles, mtu);
    assert_int_equal(dtls_transport_create(&transport, identity, peer.fingerprint), OW_OK);
}

static void stop(void)
{
    dtls_transport_destroy(&transport);
    assert_null(transport);
    rtc_peer_destroy(&peer);
}

static int server_to_peer(void)
{
    const uint8_t *data;
    size_t size;
    int count = 0;
    for (; dtls_transport_poll(transport, &data, &size) == OW_OK; count++) {
        assert_in_range(size, 1, DTLS_MTU);
        rtc_peer_receive(&peer, data, size);
    }
    return count;
}

/* The records of the peer; when `backwards` the last one first, but ChangeCipherSpec at the end:
 * OpenSSL leaves an early one to be sent again by the peer. */
static int peer_to_server(bool backwards)
{
    enum { CHANGE_CIPHER_SPEC = 20 };
    static uint8_t records[MAX_RECORDS][2048];
    size_t sizes[MAX_RECORDS];
    int count = 0;
    while ((sizes[count] = rtc_peer_poll(&peer, records[count], sizeof(records[0]))) > 0)
        assert_true(++count < MAX_RECORDS);
    for (int i = 0; i < count; i++) {
        int at = backwards ? count - 1 - i : i;
        if (!backwards || records[at][0] != CHANGE_CIPHER_SPEC)
            (void)dtls_transport_receive(transport, 0, records[at], sizes[at]);
    }
    for (int i = 0; backwards && i < count; i++)
        if (records[i][0] == CHANGE_CIPHER_SPEC)
            (void)dtls_transport_receive(transport, 0, records[i], sizes[i]);
    return count;
}

static void connect_both(bool backwards)
{
    for (int round = 0; round < 10 && !peer.connected; round++) {
        peer_to_server(backwards);
        server_to_peer();
    }
    assert_true(peer.connected);
    assert_int_equal(dtls_transport_state(transport), DTLS_CONNECTED);
    assert_true(dtls_transport_deadline(transport) == INT64_MAX);
}

static void our_order_of_profiles_wins(void **state)
{
    (void)state;
    static const struct {
        const char *offered;
        enum srtp_link_profile chosen;
    } cases[] = {{BROWSER_PROFILES, SRTP_LINK_GCM_128},
                 {"SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80", SRTP_LINK_CM_SHA1_80},
                 {"SRTP_AEAD_AES_256_GCM", SRTP_LINK_GCM_256},
                 {"SRTP_AES128_CM_SHA1_80", SRTP_LINK_CM_SHA1_80}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(cases[i].offered, 0);
        struct srtp_keys keys;
        assert_int_equal(dtls_transport_keys(transport, &keys), OW_ESTATE);
        connect_both(false);
        assert_int_equal(dtls_transport_keys(transport, &keys), OW_OK);
        assert_int_equal(keys.profile, cases[i].chosen);
        struct srtp_link *link = NULL;
        assert_int_equal(srtp_link_create(&link, &keys), OW_OK);
        srtp_link_destroy(&link);
        stop();
    }
}

static void no_common_profile_fails(void **state)
{
    (void)state;
    start("SRTP_AES128_CM_SHA1_32", 0);
    for (int round = 0; round < 10; round++) {
        peer_to_server(false);
        server_to_peer();
    }
    assert_int_equal(dtls_transport_state(transport), DTLS_FAILED);
    stop();
}

static void a_client_hello_in_many_datagrams_is_put_together(void **state)
{
    (void)state;
    start(BROWSER_PROFILES, 256);
    uint8_t first[2048], second[2048];
    size_t first_size = rtc_peer_poll(&peer, first, sizeof(first));
    size_t second_size = rtc_peer_poll(&peer, second, sizeof(second));
    assert_true(second_size > 0);
    assert_int_equal(dtls_transport_receive(transport, 0, second, second_size), OW_OK);
    assert_int_equal(server_to_peer(), 0);
    assert_int_equal(dtls_transport_receive(transport, 0, first, first_size), OW_OK);
    connect_both(false);
    stop();
}

static void records_may_come_in_any_order(void **state)
{
    (void)state;
    start(BROWSER_PROFILES, 0);
    connect_both(true);
    stop();
}

static void a_lost_flight_is_sent_again(void **state)
{
    (void)state;
    const uint8_t *data;
    size_t size;
    start(BROWSER_PROFILES, 0);
    assert_true(dtls_transport_deadline(transport) == INT64_MAX);
    peer_to_server(false);
    int lost = 0;
    while (dtls_transport_poll(transport, &data, &size) == OW_OK)
        lost++;
    assert_true(lost > 0);
    int64_t deadline = dtls_transport_deadline(transport), before = 0;
    for (int i = 0; i < 5; i++) {
        assert_in_range(deadline - before, 100000, 5000000);
        dtls_transport_handle_timeout(transport, deadline - 1);
        assert_int_equal(dtls_transport_poll(transport, &data, &size), OW_EAGAIN);
        before = deadline;
        dtls_transport_handle_timeout(transport, deadline);
        assert_true(dtls_transport_deadline(transport) > deadline);
        deadline = dtls_transport_deadline(transport);
        int again = 0;
        if (i == 4)
            break;
        while (dtls_transport_poll(transport, &data, &size) == OW_OK)
            again++;
        assert_int_equal(again, lost);
    }
    assert_int_equal(server_to_peer(), lost);
    connect_both(false);
    stop();
}

static unsigned soon(SSL *ssl, unsigned timer_us)
{
    (void)ssl;
    (void)timer_us;
    return 50000;
}

/* We are connected when our last flight leaves; when it is lost, the peer repeats its own. */
static void a_lost_last_flight_is_sent_again(void **state)
{
    (void)state;
    const uint8_t *data;
    size_t size;
    start(BROWSER_PROFILES, 0);
    DTLS_set_timer_cb(peer.ssl, soon); /* from the peer's second flight on */
    peer_to_server(false);
    server_to_peer();
    for (int round = 0; round < 10 && dtls_transport_state(transport) != DTLS_CONNECTED; round++) {
        peer_to_server(false);
        if (dtls_transport_state(transport) != DTLS_CONNECTED)
            server_to_peer();
    }
    assert_int_equal(dtls_transport_state(transport), DTLS_CONNECTED);
    int lost = 0;
    while (dtls_transport_poll(transport, &data, &size) == OW_OK)
        lost++;
    assert_true(lost > 0);
    assert_false(peer.connected);
    for (int round = 0; round < 50000000 && !peer.connected; round++) {
        (void)DTLSv1_handle_timeout(peer.ssl);
        if (peer_to_server(false) > 0)
            server_to_peer();
    }
    assert_true(peer.connected);
    stop();
}

static void another_certificate_is_refused(void **state)
{
    (void)state;
    rtc_peer_create(&peer, BROWSER_PROFILES, 0);
    uint8_t fingerprint[32];
    memcpy(fingerprint, peer.fingerprint, sizeof(fingerprint));
    fingerprint[31] ^= 1;
    assert_int_equal(dtls_transport_create(&transport, identity, fingerprint), OW_OK);
    for (int round = 0; round < 10; round++) {
        peer_to_server(false);
        server_to_peer();
    }
    assert_false(peer.connected);
    assert_true(peer.refused);
    assert_int_equal(dtls_transport_state(transport), DTLS_FAILED);
    assert_non_null(strstr(dtls_transport_failure(transport), "certificate"));
    stop();
}

static void alerts_in_the_clear_are_not_believed(void **state)
{
    (void)state;
    static const uint8_t alerts[][15] = {
        {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 50, 0, 2, 2, 40}, /* fatal */
        {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 51, 0, 2, 1, 0},  /* close_notify */
    };
    start(BROWSER_PROFILES, 0);
    for (int round = 0; round < 10 && !peer.connected; round++) {
        for (size_t i = 0; i < 2; i++)
            (void)dtls_transport_receive(transport, 0, alerts[i], sizeof(alerts[i]));
        peer_to_server(false);
        server_to_peer();
    }
    assert_true(peer.connected);
    for (size_t i = 0; i < 2; i++)
        (void)dtls_transport_receive(transport, 0, alerts[i], sizeof(alerts[i]));
    assert_int_equal(dtls_transport_state(transport), DTLS_CONNECTED);
    stop();
}

/* Whatever its length, before there are keys and after. */
static void what_pretends_to_be_encrypted_does_not_disturb(void **state)
{
    (void)state;
    for (uint8_t length = 0; length < 80; length++) {
        uint8_t forged[13 + 80] = {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 52, 0, length, 2, 40};
        start(BROWSER_PROFILES, 0);
        for (int round = 0; round < 10 && !peer.connected; round++) {
            (void)dtls_transport_receive(transport, 0, forged, 13u + length);
            peer_to_server(false);
            server_to_peer();
        }
        assert_true(peer.connected);
        (void)dtls_transport_receive(transport, 0, forged, 13u + length);
        assert_int_equal(dtls_transport_state(transport), DTLS_CONNECTED);
        stop();
    }
}

static void garbage_and_cut_records_do_not_disturb(void **state)
{
    (void)state;
    uint8_t record[2048], huge[DTLS_MAX_DATAGRAM + 1] = {22};
    start(BROWSER_PROFILES, 0);
    size_t size = rtc_peer_poll(&peer, record, sizeof(record));
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(dtls_transport_receive(transport, 0, record, cut), OW_EPARSE);
    assert_int_equal(dtls_transport_receive(transport, 0, huge, sizeof(huge)), OW_EPARSE);
    assert_int_equal(dtls_transport_receive(transport, 0, record, size), OW_OK);
    connect_both(false);
    for (size_t i = 0; i < sizeof(record); i++)
        record[i] = (uint8_t)(i * 7);
    record[0] = 23;
    (void)dtls_transport_receive(transport, 0, record, sizeof(record));
    assert_int_equal(dtls_transport_state(transport), DTLS_CONNECTED);
    stop();
}

static struct {
    uint8_t data[DTLS_MTU];
    size_t size;
    int count;
} heard;

static void hear(const uint8_t *data, size_t size)
{
    assert_true(size <= sizeof(heard.data));
    memcpy(heard.data, data, size);
    heard.size = size;
    heard.count++;
}

/* Each record is told by itself, several of a datagram in their order, and one as large as can be
 * fits into a datagram. */
static void application_data_goes_both_ways(void **state)
{
    (void)state;
    uint8_t datagram[4096], large[DTLS_MAX_DATA + 1];
    const uint8_t *data;
    size_t size, used = 0;
    memset(&heard, 0, sizeof(heard));
    memset(large, 9, sizeof(large));
    start(BROWSER_PROFILES, 0);
    assert_int_equal(dtls_transport_write(transport, large, 5), OW_ESTATE);
    connect_both(false);
    peer.on_data = hear;
    for (uint8_t i = 1; i <= 20; i++) {
        rtc_peer_write(&peer, &i, 1);
        used += rtc_peer_poll(&peer, datagram + used, sizeof(datagram) - used);
    }
    assert_int_equal(dtls_transport_receive(transport, 0, datagram, used), OW_OK);
    for (int i = 1; i <= 16; i++) {
        assert_int_equal(dtls_transport_read(transport, &data, &size), OW_OK);
        assert_int_equal(size, 1);
        assert_int_equal(data[0], i);
    }
    assert_int_equal(dtls_transport_read(transport, &data, &size), OW_EAGAIN);
    assert_int_equal(dtls_transport_write(transport, large, sizeof(large)), OW_EINVAL);
    assert_int_equal(dtls_transport_write(transport, large, 0), OW_EINVAL);
    assert_int_equal(dtls_transport_write(transport, large, DTLS_MAX_DATA), OW_OK);
    assert_int_equal(server_to_peer(), 1);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.size, DTLS_MAX_DATA);
    assert_memory_equal(heard.data, large, heard.size);
    stop();
}

static void either_side_may_close(void **state)
{
    (void)state;
    start(BROWSER_PROFILES, 0);
    connect_both(false);
    dtls_transport_close(transport);
    assert_int_equal(server_to_peer(), 1);
    assert_true(peer.closed);
    stop();
    start(BROWSER_PROFILES, 0);
    connect_both(false);
    SSL_shutdown(peer.ssl);
    assert_int_equal(peer_to_server(false), 1);
    assert_int_equal(dtls_transport_state(transport), DTLS_CLOSED);
    stop();
}

static void srtp_protects_once_and_refuses_replays(void **state)
{
    (void)state;
    struct srtp_keys keys = {.profile = SRTP_LINK_GCM_128};
    memset(keys.local, 1, sizeof(keys.local));
    memset(keys.remote, 1, sizeof(keys.remote));
    struct srtp_link *link = NULL;
    assert_int_equal(srtp_link_create(&link, &keys), OW_OK);
    uint8_t packet[12 + 20 + SRTP_LINK_SLACK] = {0x80, 96, 0, 1}, copy[sizeof(packet)];
    memcpy(copy, packet, sizeof(packet));
    size_t size = 32;
    assert_int_equal(srtp_link_protect(link, packet, &size), OW_OK);
    assert_int_equal(size, 32 + SRTP_LINK_RTP_TRAILER);
    size = 32;
    assert_int_equal(srtp_link_protect(link, copy, &size), OW_EIO); /* same sequence number */
    /* The same keys both ways: what goes out may come in. One sender too many is refused. */
    for (uint8_t ssrc = 1; ssrc <= SRTP_LINK_MAX_REMOTE_SSRC + 1; ssrc++) {
        uint8_t report[8 + SRTP_LINK_SLACK] = {0x80, 201, 0, 1, 0, 0, 0, ssrc};
        size = 8;
        assert_int_equal(srtp_link_protect_rtcp(link, report, &size), OW_OK);
        assert_int_equal(size, 8 + SRTP_LINK_RTCP_TRAILER);
        uint8_t again[sizeof(report)];
        memcpy(again, report, sizeof(report));
        if (ssrc > SRTP_LINK_MAX_REMOTE_SSRC) {
            assert_int_equal(srtp_link_unprotect_rtcp(link, report, &size), OW_ELIMIT);
            break;
        }
        size_t size_again = size;
        report[size - 5] ^= 1;
        assert_int_equal(srtp_link_unprotect_rtcp(link, report, &size), OW_EAUTH);
        memcpy(report, again, sizeof(report));
        assert_int_equal(srtp_link_unprotect_rtcp(link, report, &size), OW_OK);
        assert_int_equal(size, 8);
        assert_int_equal(srtp_link_unprotect_rtcp(link, again, &size_again), OW_EEXISTS);
    }
    size = 7;
    assert_int_equal(srtp_link_unprotect_rtcp(link, packet, &size), OW_EPARSE);
    srtp_link_destroy(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_order_of_profiles_wins),
        cmocka_unit_test(no_common_profile_fails),
        cmocka_unit_test(a_client_hello_in_many_datagrams_is_put_together),
        cmocka_unit_test(records_may_come_in_any_order),
        cmocka_unit_test(a_lost_flight_is_sent_again),
        cmocka_unit_test(a_lost_last_flight_is_sent_again),
        cmocka_unit_test(another_certificate_is_refused),
        cmocka_unit_test(alerts_in_the_clear_are_not_believed),
        cmocka_unit_test(what_pretends_to_be_encrypted_does_not_disturb),
        cmocka_unit_test(garbage_and_cut_records_do_not_disturb),
        cmocka_unit_test(application_data_goes_both_ways),
        cmocka_unit_test(either_side_may_close),
        cmocka_unit_test(srtp_protects_once_and_refuses_replays),
    };
    return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
