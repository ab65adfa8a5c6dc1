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
    struct nal_join join = {0};
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
    struct nal_join join = {0};
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
    struct nal_join join = {0};
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
    struct nal_join join = {0};
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
    struct nal_join join = {0};
    learn(&join);
    give(&join, true, FULL, 100);
    for (int i = 0; i <= NAL_UNIT_BYTES_MAX / FULL; i++)
        give(&join, false, FULL, 100);
    assert_true(join.open.size <= NAL_UNIT_BYTES_MAX);
    give(&join, true, 40, 101);
    assert_int_equal(early_bytes, 45);
    nal_join_free(&join);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_end_with_the_next_at_first),
        cmocka_unit_test(a_short_piece_ends_a_unit_at_once),
        cmocka_unit_test(a_unit_that_goes_on_ends_the_trust),
        cmocka_unit_test(a_lost_beginning_harms_nothing_else),
        cmocka_unit_test(a_unit_without_end_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
