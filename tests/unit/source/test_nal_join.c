#include "source/nal_join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FULL = 1200, PIECE_MAX = FULL + 5 };

/* What came out of the last piece. */
static size_t ended_bytes, early_bytes;

/* A piece: the beginning of a unit of `size` bytes behind start code and header, or more of it. */
static void give(struct nal_join *join, bool begins, size_t size, int64_t pts)
{
    static const uint8_t head[5] = {0, 0, 0, 1, 0x41};
    uint8_t *piece = malloc(PIECE_MAX);
    assert_non_null(piece);
    assert_in_range(size, 1, FULL);
    memset(piece, 0x55, PIECE_MAX);
    if (begins)
        memcpy(piece, head, sizeof head);
    ended_bytes = early_bytes = 0;
    if (nal_join_add(join, piece, size + (begins ? sizeof head : 0), pts))
        ended_bytes = nal_join_take(join)->size;
    if (nal_join_ends(join)) {
        early_bytes = nal_join_take(join)->size;
        assert_int_equal(nal_join_take(join)->pts, pts);
        assert_memory_equal(nal_join_take(join)->bytes, head, sizeof head);
    }
    free(piece);
}

/* The first pictures of a sender that fills its packets. */
static void learn(struct nal_join *join)
{
    for (int64_t i = 0; i < 8; i++) {
        give(join, true, FULL, i);
        give(join, false, FULL, i);
        give(join, false, 300, i);
    }
}

static void units_end_with_the_next_at_first(void **state)
{
    (void)state;
    struct nal_join join = {.codec = nal_codec_find(AV_CODEC_ID_H264)};
    give(&join, true, FULL, 1);
    assert_int_equal(ended_bytes + early_bytes, 0);
    give(&join, false, 300, 1);
    assert_int_equal(ended_bytes + early_bytes, 0);
    give(&join, true, 20, 2);
    assert_int_equal(ended_bytes, 5 + FULL + 300);
    assert_int_equal(early_bytes, 0);
    nal_join_free(&join);
}

static void a_short_piece_ends_a_unit_at_once(void **state)
{
    (void)state;
    struct nal_join join = {.codec = nal_codec_find(AV_CODEC_ID_H264)};
    learn(&join);
    give(&join, true, FULL, 100);
    assert_int_equal(ended_bytes + early_bytes, 0);
    give(&join, false, FULL, 100);
    assert_int_equal(early_bytes, 0);
    give(&join, false, FULL - 1, 100);
    assert_int_equal(early_bytes, 5 + 3 * FULL - 1);
    give(&join, true, 40, 101); /* a unit of one piece */
    assert_int_equal(early_bytes, 45);
    assert_int_equal(ended_bytes, 0);
    give(&join, true, FULL, 102); /* and one whose last piece is full: the next ends it */
    give(&join, true, 40, 103);
    assert_int_equal(ended_bytes, 5 + FULL);
    assert_int_equal(early_bytes, 45);
    nal_join_free(&join);
}

static void a_unit_that_goes_on_ends_the_trust(void **state)
{
    (void)state;
    struct nal_join join = {.codec = nal_codec_find(AV_CODEC_ID_H264)};
    learn(&join);
    give(&join, true, 500, 100);
    assert_int_equal(early_bytes, 505);
    give(&join, false, 500, 100);
    assert_int_equal(ended_bytes + early_bytes, 0);
    give(&join, true, 500, 101);
    give(&join, false, 500, 101);
    assert_int_equal(early_bytes, 0);
    give(&join, true, 500, 102);
    assert_int_equal(ended_bytes, 1005);
    nal_join_free(&join);
}

static void a_lost_beginning_harms_nothing_else(void **state)
{
    (void)state;
    struct nal_join join = {.codec = nal_codec_find(AV_CODEC_ID_H264)};
    learn(&join);
    give(&join, false, FULL, 100);
    give(&join, false, 7, 100);
    nal_join_reset(&join);
    give(&join, false, FULL, 101);
    assert_int_equal(ended_bytes + early_bytes, 0);
    give(&join, true, 40, 102);
    assert_int_equal(ended_bytes, 0);
    assert_int_equal(early_bytes, 45);
    nal_join_free(&join);
}

static void a_unit_without_end_is_forgotten(void **state)
{
    (void)state;
    struct nal_join join = {.codec = nal_codec_find(AV_CODEC_ID_H264)};
    learn(&join);
    give(&join, true, FULL, 100);
    for (int i = 0; i <= NAL_UNIT_BYTES_MAX / FULL; i++)
        give(&join, false, FULL, 100);
    assert_true(join.open.size <= NAL_UNIT_BYTES_MAX);
    give(&join, true, 40, 101);
    assert_int_equal(early_bytes, 45);
    nal_join_free(&join);
}

/* H.265: NAL unit headers of a slice, a picture's parameter sets and what stands behind its slices.
 */
enum { SLICE = 1 << 1, IDR = 19 << 1, PARAMETERS = 32 << 1, SUFFIX = 40 << 1 };

/* Writes a piece that begins an H.265 NAL unit with `size` bytes behind its header. */
static size_t write_nal(uint8_t *at, int header, bool first, size_t size)
{
    const uint8_t head[6] = {0, 0, 0, 1, (uint8_t)header, 1};
    memcpy(at, head, sizeof head);
    memset(at + sizeof head, 0x55, size);
    at[sizeof head] = first ? 0xd5 : 0x55;
    return sizeof head + size;
}

static void give_bytes(struct nal_join *join, const uint8_t *bytes, size_t size, int64_t pts)
{
    ended_bytes = early_bytes = 0;
    if (nal_join_add(join, bytes, size, pts))
        ended_bytes = nal_join_take(join)->size;
    if (nal_join_ends(join)) {
        early_bytes = nal_join_take(join)->size;
        assert_int_equal(nal_join_take(join)->pts, pts);
    }
}

static void give_nal(struct nal_join *join, int header, bool first, size_t size, int64_t pts)
{
    uint8_t piece[FULL + 6];
    assert_in_range(size, 1, FULL);
    give_bytes(join, piece, write_nal(piece, header, first, size), pts);
}

static void give_rest(struct nal_join *join, size_t size, int64_t pts)
{
    uint8_t piece[FULL];
    memset(piece, 0x55, sizeof piece);
    give_bytes(join, piece, size, pts);
}

/* The first pictures of a camera that cuts each into two slices. */
static struct nal_join learnt_pictures(void)
{
    struct nal_join join = {.codec = nal_codec_find(AV_CODEC_ID_HEVC)};
    for (int64_t i = 0; i < 7; i++) {
        give_nal(&join, PARAMETERS, false, 20, i);
        assert_int_equal(ended_bytes, i == 0 ? 0 : 3 * 6 + 20 + FULL + 300 + 40);
        assert_int_equal(early_bytes, 0);
        give_nal(&join, IDR, true, FULL, i);
        give_rest(&join, 300, i);
        assert_int_equal(ended_bytes + early_bytes, 0);
        give_nal(&join, IDR, false, 40, i);
        assert_int_equal(ended_bytes, 0);
        assert_int_equal(early_bytes, i < 6 ? 0 : 3 * 6 + 20 + FULL + 300 + 40);
    }
    return join;
}

static void a_picture_ends_with_its_usual_slices(void **state)
{
    (void)state;
    struct nal_join join = learnt_pictures();
    give_nal(&join, SLICE, true, 40, 100);
    assert_int_equal(ended_bytes + early_bytes, 0);
    give_nal(&join, SLICE, false, FULL, 100);
    assert_int_equal(early_bytes, 0);
    give_rest(&join, FULL - 1, 100);
    assert_int_equal(early_bytes, 2 * 6 + 40 + 2 * FULL - 1);
    give_nal(&join, SUFFIX, false, 16, 100); /* too late, and no reason for distrust */
    assert_int_equal(ended_bytes + early_bytes, 0);
    give_nal(&join, SLICE, true, 40, 101);
    give_nal(&join, SLICE, false, 50, 101);
    assert_int_equal(early_bytes, 2 * 6 + 40 + 50);
    give_nal(&join, SLICE, true, 60, 102); /* fewer slices: the next picture ends it */
    give_nal(&join, SLICE, true, 70, 103);
    assert_int_equal(ended_bytes, 6 + 60);
    assert_int_equal(early_bytes, 0);
    nal_join_free(&join);
}

static void a_picture_of_more_slices_ends_the_trust(void **state)
{
    (void)state;
    struct nal_join join = learnt_pictures();
    for (int64_t pts = 100; pts < 103; pts++) {
        give_nal(&join, SLICE, true, 40, pts);
        assert_int_equal(ended_bytes, pts == 102 ? 3 * 46 : 0); /* the first whole one: pts 101 */
        give_nal(&join, SLICE, false, 40, pts);
        assert_int_equal(early_bytes, pts == 100 ? 2 * 46 : 0);
        give_nal(&join, SLICE, false, 40, pts);
        assert_int_equal(ended_bytes + early_bytes, 0);
    }
    nal_join_free(&join);
}

static void nal_units_that_share_a_packet_are_all_counted(void **state)
{
    (void)state;
    struct nal_join join = learnt_pictures();
    uint8_t piece[256];
    size_t size = write_nal(piece, PARAMETERS, false, 20);
    size += write_nal(piece + size, IDR, true, 30);
    size += write_nal(piece + size, IDR, false, 30);
    assert_true(nal_codec_afresh(join.codec, piece, size));
    give_bytes(&join, piece, size, 100);
    assert_int_equal(early_bytes, size);
    size = write_nal(piece, SLICE, true, 30);
    assert_false(nal_codec_afresh(join.codec, piece, size));
    give_bytes(&join, piece, size, 101);
    assert_int_equal(ended_bytes + early_bytes, 0);
    nal_join_free(&join);
}

static void slices_without_their_picture_are_left_out(void **state)
{
    (void)state;
    struct nal_join join = learnt_pictures();
    give_nal(&join, SLICE, false, FULL, 100);
    give_rest(&join, 30, 100);
    assert_int_equal(join.open.size, 0);
    give_nal(&join, SLICE, true, 40, 101);
    assert_int_equal(ended_bytes, 0);
    give_nal(&join, SLICE, false, 40, 101);
    assert_int_equal(early_bytes, 2 * 46);
    nal_join_free(&join);
}

static void a_key_picture_is_known_by_its_types(void **state)
{
    (void)state;
    const struct nal_codec *h264 = nal_codec_find(AV_CODEC_ID_H264);
    const uint8_t idr[] = {0, 0, 0, 1, 0x65, 0x88}, slice[] = {0, 0, 0, 1, 0x41, 0x9a};
    assert_true(nal_codec_afresh(h264, idr, sizeof idr));
    assert_false(nal_codec_afresh(h264, slice, sizeof slice));
    assert_false(nal_codec_afresh(h264, idr + 4, 2));
    assert_null(nal_codec_find(AV_CODEC_ID_MJPEG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_end_with_the_next_at_first),
        cmocka_unit_test(a_short_piece_ends_a_unit_at_once),
        cmocka_unit_test(a_unit_that_goes_on_ends_the_trust),
        cmocka_unit_test(a_lost_beginning_harms_nothing_else),
        cmocka_unit_test(a_unit_without_end_is_forgotten),
        cmocka_unit_test(a_picture_ends_with_its_usual_slices),
        cmocka_unit_test(a_picture_of_more_slices_ends_the_trust),
        cmocka_unit_test(nal_units_that_share_a_packet_are_all_counted),
        cmocka_unit_test(slices_without_their_picture_are_left_out),
        cmocka_unit_test(a_key_picture_is_known_by_its_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
