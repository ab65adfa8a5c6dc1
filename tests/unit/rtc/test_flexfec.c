/* Repair packets, read by a decoder that was written without the writer's code. */
#include "core/random.h"
#include "rtc/flexfec.h"
#include "rtc/rtp_header.h"
#include "sim/sim_flexfec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SSRC = 0x0badcafe, TRANSPORT_CC = 3, SEND_TIME = 2, BYTES = 1300, BASE = 0xfffb };

/* A packet as it leaves: header with extensions, payload. */
struct packet {
    uint8_t data[BYTES];
    size_t header, size;
};

static struct packet packets[FLEXFEC_MAX_GROUP];
static uint8_t repairs[FLEXFEC_MAX_ROWS][BYTES];
static size_t repair_sizes[FLEXFEC_MAX_ROWS];

static size_t write_header(uint8_t *out, int i, uint16_t transport_sequence, int64_t send_us)
{
    static const uint8_t ids[SDP_EXT_COUNT] = {[SDP_EXT_TRANSPORT_CC] = TRANSPORT_CC,
                                               [SDP_EXT_ABS_SEND_TIME] = SEND_TIME,
                                               [SDP_EXT_PLAYOUT_DELAY] = 5};
    struct rtp_header header = {.payload_type = 102,
                                .marker = i % 4 == 3,
                                .sequence = (uint16_t)(BASE + i),
                                .timestamp = 0x80000000u + (uint32_t)(i / 4) * 3000,
                                .ssrc = SSRC};
    struct rtp_extensions extensions = {.ids = ids,
                                        .transport_sequence = transport_sequence,
                                        .playout_max_10ms = 1,
                                        .send_us = send_us};
    return rtp_header_write(out, &header, &extensions);
}

static void make_packets(struct random_source *random)
{
    for (int i = 0; i < FLEXFEC_MAX_GROUP; i++) {
        struct packet *packet = &packets[i];
        packet->header = write_header(packet->data, i, (uint16_t)(900 + i), 1000000 + i);
        packet->size = packet->header + 1 + random_u32(random) % 1100;
        for (size_t at = packet->header; at < packet->size; at++)
            packet->data[at] = (uint8_t)random_u32(random);
    }
}

static void protect(int rows, int count)
{
    for (int row = 0; row < rows; row++) {
        struct flexfec_writer writer;
        uint16_t mask = flexfec_mask(rows, row, count);
        assert_int_equal(flexfec_begin(&writer, repairs[row], BYTES), OW_OK);
        for (int i = 0; i < count; i++) {
            uint8_t header[RTP_MAX_HEADER_BYTES];
            size_t size = write_header(header, i, 0, 0);
            if ((mask >> i & 1) != 0)
                assert_int_equal(flexfec_add(&writer, header, size,
                                             packets[i].data + packets[i].header,
                                             packets[i].size - packets[i].header),
                                 OW_OK);
        }
        flexfec_finish(&writer, SSRC, (uint16_t)BASE, mask);
        repair_sizes[row] = writer.size;
    }
}

/* Sends all but the lost ones (bit i = packet i, from bit 16 on repair packets); returns how many
 * of the lost ones came back, each as it was but for zeros in what changes on the way. */
static int restored_of(int rows, int count, uint32_t lost)
{
    struct sim_flexfec *fec = malloc(sizeof(*fec));
    int restored = 0;
    assert_non_null(fec);
    sim_flexfec_init(fec, SSRC, TRANSPORT_CC, SEND_TIME);
    for (int i = 0; i < count; i++)
        if ((lost >> i & 1) == 0)
            sim_flexfec_video(fec, packets[i].data, packets[i].size);
    for (int row = 0; row < rows; row++)
        if ((lost >> (16 + row) & 1) == 0)
            sim_flexfec_repair(fec, repairs[row], repair_sizes[row]);
    const struct sim_flexfec_packet *made;
    while ((made = sim_flexfec_take(fec)) != NULL) {
        int i = (uint16_t)(made->sequence - BASE);
        assert_in_range(i, 0, count - 1);
        assert_true((lost >> i & 1) != 0);
        assert_int_equal(made->size, packets[i].size);
        uint8_t header[RTP_MAX_HEADER_BYTES];
        size_t size = write_header(header, i, 0, 0);
        assert_memory_equal(made->data, header, size);
        assert_memory_equal(made->data + size, packets[i].data + size, made->size - size);
        restored++;
    }
    assert_int_equal(fec->malformed, 0);
    free(fec);
    return restored;
}

static void any_packet_that_was_lost_is_restored(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 1);
    make_packets(&random);
    for (int rows = 1; rows <= FLEXFEC_MAX_ROWS; rows++)
        for (int count = 1; count <= FLEXFEC_MAX_GROUP; count++) {
            protect(rows, count);
            assert_int_equal(restored_of(rows, count, 0), 0);
            for (int i = 0; i < count; i++)
                assert_int_equal(restored_of(rows, count, 1u << i), 1);
        }
}

/* Of the pairs of losses in groups of `count` with `rows`: how many leave something missing. */
static int pairs_not_restored(int rows, int count)
{
    int failures = 0, all = count + rows;
    protect(rows, count);
    for (int a = 0; a < all; a++)
        for (int b = a + 1; b < all; b++) {
            uint32_t lost =
                1u << (a < count ? a : 16 + a - count) | 1u << (b < count ? b : 16 + b - count);
            int video = (a < count) + (b < count);
            failures += restored_of(rows, count, lost) < video;
        }
    return failures;
}

static void most_pairs_of_losses_are_restored(void **state)
{
    (void)state;
    static const struct {
        int rows, count, failures;
    } cases[] = {{1, 4, 10}, {2, 4, 3}, {2, 8, 12}, {3, 4, 0}, {3, 8, 4}, {4, 8, 0}, {4, 10, 0}};
    struct random_source random;
    random_seeded(&random, 2);
    make_packets(&random);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%d repair packets for %d\n", cases[i].rows, cases[i].count);
        assert_int_equal(pairs_not_restored(cases[i].rows, cases[i].count), cases[i].failures);
    }
}

static void the_more_is_lost_the_more_is_protected(void **state)
{
    (void)state;
    static const struct {
        int packets;
        double loss;
        int rows;
    } cases[] = {{1, 0.01, 1}, {4, 0.01, 1}, {5, 0.01, 2}, {10, 0.01, 3}, {15, 0.01, 4},
                 {1, 0.05, 2}, {4, 0.05, 3}, {8, 0.05, 4}, {15, 0.3, 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(flexfec_rows(cases[i].packets, cases[i].loss), cases[i].rows);
}

static void the_header_is_the_draft_s(void **state)
{
    (void)state;
    uint8_t header[RTP_FIXED_BYTES] = {0x80, 0xe6, 0x12, 0x34, 1, 2, 3, 4, 0, 0, 0, 9}, out[64];
    static const uint8_t payload[] = {7, 8, 9};
    static const uint8_t want[] = {0x00, 0xe6, 0, 3, 1,    2,    3,    4,    1, 0, 0, 0,
                                   0,    0,    0, 9, 0x12, 0x34, 0xa0, 0x01, 7, 8, 9};
    struct flexfec_writer writer;
    assert_int_equal(flexfec_begin(&writer, out, sizeof(out)), OW_OK);
    assert_int_equal(flexfec_add(&writer, header, sizeof(header), payload, sizeof(payload)), OW_OK);
    /* Mask bits: packet 1 and packet 14 of the group, counted from the left behind k. */
    flexfec_finish(&writer, 9, 0x1234, 1 << 1 | 1 << 14);
    assert_int_equal(writer.size, sizeof(want));
    assert_memory_equal(out, want, sizeof(want));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    uint8_t header[RTP_FIXED_BYTES] = {0x80}, payload[20] = {0}, out[FLEXFEC_HEADER_BYTES + 19];
    struct flexfec_writer writer;
    assert_int_equal(flexfec_begin(&writer, out, FLEXFEC_HEADER_BYTES - 1), OW_ELIMIT);
    assert_int_equal(flexfec_begin(&writer, out, sizeof(out)), OW_OK);
    assert_int_equal(flexfec_add(&writer, header, sizeof(header), payload, 20), OW_ELIMIT);
    assert_int_equal(flexfec_add(&writer, header, sizeof(header), payload, 19), OW_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_packet_that_was_lost_is_restored),
        cmocka_unit_test(most_pairs_of_losses_are_restored),
        cmocka_unit_test(the_more_is_lost_the_more_is_protected),
        cmocka_unit_test(the_header_is_the_draft_s),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
