#include "core/error.h"
#include "core/random.h"
#include "rtc/rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A compound of everything a browser sends, with an unknown packet in between. */
static const uint8_t COMPOUND[] = {
    0x81, 201,  0,    7,    0,    0,    0,    1, /* RR, one block */
    0xa,  0xb,  0xc,  0xd,  0x40, 0xff, 0xff, 0xfe, 0,    1,   0,   2,
    0,    0,    0,    90,   1,    2,    3,    4,    0,    1,   0,   0,
    0x80, 199,  0,    1,    9,    9,    9,    9, /* unknown */
    0x81, 205,  0,    4,    0,    0,    0,    1,    0xa,  0xb, 0xc, 0xd,
    0xff, 0xfe, 0x80, 1,    0,    9,    0,    0,                         /* NACK */
    0x81, 206,  0,    2,    0,    0,    0,    1,    0xa,  0xb, 0xc, 0xd, /* PLI */
    0x84, 206,  0,    4,    0,    0,    0,    1,    0,    0,   0,   0,
    0xa,  0xb,  0xc,  0xd,  7,    0,    0,    0, /* FIR */
    0x8f, 206,  0,    5,    0,    0,    0,    1,    0,    0,   0,   0,
    'R',  'E',  'M',  'B',  1,    0x0b, 0xd0, 0x90, 0xa,  0xb, 0xc, 0xd, /* REMB */
    0x80, 207,  0,    4,    0,    0,    0,    1,    4,    0,   0,   2,
    1,    2,    3,    4,    5,    6,    7,    8, /* XR, RRTR */
    0xaf, 205,  0,    6,    0,    0,    0,    1,    0xa,  0xb, 0xc, 0xd,
    0,    5,    0,    4,    0xff, 0xff, 0xff, 3, /* TWCC */
    0xd4, 0x80, 4,    0xff, 0xff, 0xfc, 0,    2,    0x81, 203, 0,   1,
    0,    0,    0,    1, /* BYE */
};

static void a_whole_compound_is_read(void **state)
{
    (void)state;
    struct rtcp_reader reader;
    struct rtcp_packet packet;
    uint16_t sequence, following;
    rtcp_reader_init(&reader, COMPOUND, sizeof(COMPOUND));

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_REPORT);
    assert_int_equal(packet.count, 1);
    struct rtcp_report_block block = rtcp_report_block(&packet, 0);
    assert_int_equal(block.ssrc, 0x0a0b0c0d);
    assert_int_equal(block.fraction_lost, 64);
    assert_int_equal(block.cumulative_lost, -2);
    assert_int_equal(block.highest_sequence, 0x10002);
    assert_int_equal(block.jitter, 90);
    assert_int_equal(block.last_sr, 0x01020304);
    assert_int_equal(block.since_last_sr, 0x10000);

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_NACK);
    assert_int_equal(packet.media_ssrc, 0x0a0b0c0d);
    assert_int_equal(packet.count, 2);
    rtcp_nack_item(&packet, 0, &sequence, &following);
    assert_int_equal(sequence, 0xfffe);
    assert_int_equal(following, 0x8001);

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_PLI);

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_FIR);
    uint32_t ssrc;
    uint8_t number;
    rtcp_fir_entry(&packet, 0, &ssrc, &number);
    assert_int_equal(ssrc, 0x0a0b0c0d);
    assert_int_equal(number, 7);

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_REMB);
    assert_int_equal(packet.remb_bps, 0x3d090u * 4); /* mantissa 250,000, exponent 2: 1 Mbit/s */

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_REFERENCE_TIME);
    assert_true(packet.ntp == 0x0102030405060708);

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_TRANSPORT_FEEDBACK);
    assert_int_equal(packet.transport.reference_64ms, -1);
    assert_int_equal(packet.transport.feedback_count, 3);
    struct rtcp_status_reader statuses;
    struct rtcp_status status;
    assert_int_equal(rtcp_status_reader_init(&statuses, &packet), OW_OK);
    /* chunk 0xd480: 2-bit symbols 01 01 00 10, then unused ones */
    static const struct {
        bool received;
        int64_t arrival_us;
    } want[] = {{true, -63000}, {true, 750}, {false, 0}, {true, -250}};
    int count = 0;
    while (rtcp_status_next(&statuses, &status)) {
        assert_int_equal(status.sequence, 5 + count);
        assert_int_equal(status.received, want[count].received);
        if (status.received)
            assert_int_equal(status.arrival_us, want[count].arrival_us);
        count++;
    }
    assert_int_equal(count, 4);

    assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
    assert_int_equal(packet.kind, RTCP_BYE);
    assert_int_equal(rtcp_next(&reader, &packet), OW_EAGAIN);
}

/* Reads everything there is to read; returns how many packets. */
static int read_all(const uint8_t *data, size_t size)
{
    struct rtcp_reader reader;
    struct rtcp_packet packet;
    int count = 0;
    rtcp_reader_init(&reader, data, size);
    while (rtcp_next(&reader, &packet) == OW_OK) {
        struct rtcp_status_reader statuses;
        struct rtcp_status status;
        uint32_t ssrc;
        uint16_t sequence, following;
        uint8_t number;
        for (int i = 0; i < packet.count; i++) {
            if (packet.kind == RTCP_REPORT)
                (void)rtcp_report_block(&packet, i);
            else if (packet.kind == RTCP_NACK)
                rtcp_nack_item(&packet, i, &sequence, &following);
            else if (packet.kind == RTCP_FIR)
                rtcp_fir_entry(&packet, i, &ssrc, &number);
        }
        if (packet.kind == RTCP_TRANSPORT_FEEDBACK &&
            rtcp_status_reader_init(&statuses, &packet) == OW_OK)
            while (rtcp_status_next(&statuses, &status))
                ;
        count++;
    }
    return count;
}

/* Copies to the end of a fresh block, so that a sanitizer sees a read behind it. */
static int read_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    memcpy(copy, data, size);
    int count = read_all(copy, size);
    free(copy);
    return count;
}

static void a_cut_compound_yields_only_whole_packets(void **state)
{
    (void)state;
    int before = 0;
    for (size_t size = 0; size <= sizeof(COMPOUND); size++) {
        int count = read_exact(COMPOUND, size);
        assert_in_range(count, before, before + 1);
        before = count;
    }
    assert_int_equal(before, 8);
}

static void wrong_lengths_counts_and_padding_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t data[16];
        size_t size;
    } cases[] = {
        {{0x9f, 201, 0, 1, 0, 0, 0, 1}, 8},              /* 31 blocks in 8 bytes */
        {{0x81, 201, 0xff, 0xff, 0, 0, 0, 1}, 8},        /* too long */
        {{0x81, 205, 0, 0}, 4},                          /* no SSRC at all */
        {{0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1}, 12}, /* a NACK of nothing */
        {{0xa1, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0}, 12}, /* padding 0 */
        {{0xa1, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 200}, 12},
        {{0x41, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1}, 12},             /* version 1 */
        {{0x8f, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, 16}, /* feedback without body */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(read_exact(cases[i].data, cases[i].size), 0);
}

static void remb_covers_its_whole_range(void **state)
{
    (void)state;
    uint8_t remb[] = {0x8f, 206, 0,   5,   0, 0, 0, 1, 0,   0,   0,   0,
                      'R',  'E', 'M', 'B', 1, 0, 0, 0, 0xa, 0xb, 0xc, 0xd};
    static const struct {
        uint8_t exponent_mantissa[3];
        uint64_t bps;
    } cases[] = {{{0, 0, 0}, 0},
                 {{0xfc, 0, 0}, 0},
                 {{0x03, 0xff, 0xff}, 262143},
                 {{0xfc, 0, 1}, UINT64_MAX},
                 {{46 << 2 | 3, 0xff, 0xff}, (uint64_t)262143 << 46}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rtcp_reader reader;
        struct rtcp_packet packet;
        memcpy(remb + 17, cases[i].exponent_mantissa, 3);
        rtcp_reader_init(&reader, remb, sizeof(remb));
        assert_int_equal(rtcp_next(&reader, &packet), OW_OK);
        assert_int_equal(packet.kind, RTCP_REMB);
        assert_true(packet.remb_bps == cases[i].bps);
    }
}

static int statuses_of(const uint8_t *chunks, size_t size, uint16_t status_count, int *received)
{
    struct rtcp_packet packet = {.kind = RTCP_TRANSPORT_FEEDBACK,
                                 .items = chunks,
                                 .items_size = size,
                                 .transport = {.status_count = status_count}};
    struct rtcp_status_reader reader;
    struct rtcp_status status;
    int code = rtcp_status_reader_init(&reader, &packet);
    if (code != OW_OK)
        return code;
    int count = 0;
    *received = 0;
    for (; rtcp_status_next(&reader, &status); count++)
        *received += status.received;
    return count;
}

static void feedback_of_65535_statuses_is_bounded(void **state)
{
    (void)state;
    uint8_t runs[] = {0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f,
                      0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff};
    int received;
    assert_int_equal(statuses_of(runs, sizeof(runs), 65535, &received), 65535);
    assert_int_equal(received, 0);
    assert_int_equal(statuses_of(runs, sizeof(runs) - 2, 65535, &received), OW_EPARSE);
    runs[0] = 0x3f; /* 8,191 small deltas that are not there */
    assert_int_equal(statuses_of(runs, sizeof(runs), 65535, &received), OW_EPARSE);
    static const uint8_t empty_runs[64] = {0};
    assert_int_equal(statuses_of(empty_runs, sizeof(empty_runs), 65535, &received), OW_EPARSE);
    static const uint8_t reserved[] = {0x60, 1, 0, 0};
    assert_int_equal(statuses_of(reserved, sizeof(reserved), 1, &received), OW_EPARSE);
    static const uint8_t one_bit[] = {0xa0, 1, 1, 2}; /* 1-bit symbols: the first and the last */
    assert_int_equal(statuses_of(one_bit, sizeof(one_bit), 14, &received), 14);
    assert_int_equal(received, 2);
    assert_int_equal(statuses_of(one_bit, sizeof(one_bit) - 1, 14, &received), OW_EPARSE);
    assert_int_equal(statuses_of(one_bit, sizeof(one_bit), 0, &received), 0);
}

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 99);
    uint8_t data[sizeof(COMPOUND)];
    int packets = 0;
    for (int round = 0; round < 20000; round++) {
        memcpy(data, COMPOUND, sizeof(data));
        for (int i = 0; i < 6; i++)
            data[random_u32(&random) % sizeof(data)] = (uint8_t)random_u32(&random);
        packets += read_exact(data, 1 + random_u32(&random) % sizeof(data));
    }
    assert_in_range(packets, 20000, 8 * 20000);
}

static void reports_are_written_to_the_letter(void **state)
{
    (void)state;
    uint8_t out[RTCP_MAX_WRITTEN_BYTES + 8];
    struct rtcp_sender_report report = {.ssrc = 0x01020304,
                                        .ntp = 0x1112131415161718,
                                        .rtp_timestamp = 0x21222324,
                                        .packets = 5,
                                        .bytes = 6};
    static const uint8_t want[] = {0x80, 200,  0,    6,    1,    2,    3,    4,    0x11, 0x12, 0x13,
                                   0x14, 0x15, 0x16, 0x17, 0x18, 0x21, 0x22, 0x23, 0x24, 0,    0,
                                   0,    5,    0,    0,    0,    6,    0x81, 202,  0,    3,    1,
                                   2,    3,    4,    1,    4,    'n',  'o',  'd',  'e',  0,    0,
                                   0x81, 203,  0,    1,    1,    2,    3,    4};
    size_t size = rtcp_write_sender_report(out, &report);
    size += rtcp_write_cname(out + size, report.ssrc, "node");
    size += rtcp_write_bye(out + size, report.ssrc);
    /* "node" ends at 42, the list at 44 by null octets */
    assert_int_equal(size, sizeof(want));
    assert_memory_equal(out, want, sizeof(want));
    char name[100];
    memset(name, 'x', sizeof(name));
    name[99] = '\0';
    for (size_t length = 0; length < 100; length++) {
        size = rtcp_write_cname(out, 1, name + 99 - length);
        assert_int_equal(size % 4, 0);
        assert_int_equal(out[size - 1], 0);
        assert_in_range(size, 12, 80);
        assert_int_equal(((out[2] << 8 | out[3]) + 1) * 4, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_compound_is_read),
        cmocka_unit_test(a_cut_compound_yields_only_whole_packets),
        cmocka_unit_test(wrong_lengths_counts_and_padding_are_refused),
        cmocka_unit_test(remb_covers_its_whole_range),
        cmocka_unit_test(feedback_of_65535_statuses_is_bounded),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(reports_are_written_to_the_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
