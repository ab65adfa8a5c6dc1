#include "record/record_queue.h"
#include "units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { S = 1000000, PLENTY = 100 * 1000 * 1000 };

/* Ten pictures a second of a kilobyte, a key frame each second. */
static void put(struct record_queue *queue, int number, size_t max_bytes)
{
    struct encoded *unit = unit_fake((int64_t)number * S / 10, number % 10 == 0, 1000);
    (void)record_queue_put(queue, &(struct record_item){.unit = unit}, max_bytes);
    encoded_unref(&unit);
}

static int64_t first_us(const struct record_queue *queue)
{
    return queue->first->unit->capture_us;
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    struct record_queue queue = {0};
    struct detections *seen = NULL;
    struct encoded *unit = unit_fake(7, true, 10);
    assert_int_equal(detections_create(&seen, 0, NULL), OW_OK);
    char zones[] = "[{}]";
    struct shared_text *places = shared_text_create("[{}, {}]");
    const struct record_item in = {
        .unit = unit, .seen = seen, .zones = zones, .places = places, .predicted = true};
    assert_true(record_queue_put(&queue, &in, PLENTY));
    put(&queue, 1, PLENTY);
    assert_int_equal(queue.count, 2);
    struct record_item *item = record_queue_take(&queue);
    assert_ptr_equal(item->unit, unit);
    assert_ptr_equal(item->seen, seen);
    assert_string_equal(item->zones, "[{}]");
    assert_ptr_not_equal(item->zones, zones);
    assert_true(item->predicted);
    assert_ptr_equal(item->places, places); /* many have the same */
    shared_text_unref(&places);
    assert_string_equal(item->places->text, "[{}, {}]");
    record_item_free(&item);
    item = record_queue_take(&queue);
    assert_null(item->seen);
    record_item_free(&item);
    assert_null(record_queue_take(&queue));
    assert_int_equal(queue.bytes, 0);
    encoded_unref(&unit);
    detections_unref(&seen);
}

/* As when the disk is too slow. */
static void a_full_queue_goes_on_at_a_key_frame(void **state)
{
    (void)state;
    struct record_queue queue = {0};
    for (int i = 0; i < 15; i++)
        put(&queue, i, 8 * 1200);
    int kept = queue.count;
    assert_true(kept >= 7 && kept <= 9);
    while (queue.count > 0) {
        struct record_item *item = record_queue_take(&queue);
        record_item_free(&item);
    }
    for (int i = 15; i < 20; i++) /* they depend on what was lost */
        put(&queue, i, 8 * 1200);
    assert_int_equal(queue.count, 0);
    put(&queue, 20, 8 * 1200);
    put(&queue, 21, 8 * 1200);
    assert_int_equal(queue.count, 2);
    assert_int_equal(queue.first->lost, 20 - kept);
    assert_int_equal(queue.last->lost, 0);
    record_queue_clear(&queue);
}

static void a_ring_shows_all_since_then(void **state)
{
    (void)state;
    struct record_queue ring = {0};
    for (int i = 0; i < 200; i++) {
        put(&ring, i, PLENTY);
        record_queue_trim(&ring, (int64_t)i * S / 10 - 5 * S, PLENTY);
        assert_true(ring.first->unit->key);
        if (i >= 50) /* five seconds, and a group at most */
            assert_in_range((int64_t)i * S / 10 - first_us(&ring), 5 * S, 6 * S - 1);
    }
    record_queue_clear(&ring);
}

/* A view that stood still: what it showed long ago is no use. */
static void a_gap_ends_what_was_before(void **state)
{
    (void)state;
    struct record_queue ring = {0};
    for (int i = 0; i < 15; i++)
        put(&ring, i, PLENTY);
    put(&ring, 1000, PLENTY);
    record_queue_trim(&ring, (int64_t)1000 * S / 10 - 5 * S, PLENTY);
    assert_int_equal(ring.count, 1);
    record_queue_trim(&ring, (int64_t)1100 * S / 10, PLENTY);
    assert_int_equal(ring.count, 0);
}

static void a_ring_is_bounded(void **state)
{
    (void)state;
    struct record_queue ring = {0};
    for (int i = 0; i < 200; i++) {
        put(&ring, i, PLENTY);
        record_queue_trim(&ring, 0, 30 * 1000);
        assert_true(ring.bytes <= 30 * 1000);
        assert_true(ring.first->unit->key);
    }
    assert_true(ring.count >= 10);
    record_queue_trim(&ring, 0, 500); /* not even one picture */
    assert_int_equal(ring.count, 0);
    put(&ring, 201, PLENTY); /* no key frame: of no use */
    record_queue_trim(&ring, 0, PLENTY);
    assert_int_equal(ring.count, 0);
    record_queue_clear(&ring);
}

static void masks_count(void **state)
{
    (void)state;
    struct record_queue queue = {0};
    struct detections *seen = NULL;
    struct detection one = {.x2 = 1, .y2 = 1};
    struct encoded *unit = unit_fake(0, true, 10);
    assert_int_equal(object_shape_create(&one.shape, 100, 100, 0), OW_OK);
    assert_int_equal(detections_create(&seen, 1, NULL), OW_OK);
    seen->count = 0;
    detections_append(seen, &one);
    const struct record_item item = {.unit = unit, .seen = seen};
    assert_false(record_queue_put(&queue, &item, 9000));
    assert_true(record_queue_put(&queue, &item, 12000));
    assert_true(queue.bytes > 10000);
    record_queue_clear(&queue);
    assert_int_equal(queue.bytes, 0);
    object_shape_unref(&one.shape);
    detections_unref(&seen);
    encoded_unref(&unit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(a_full_queue_goes_on_at_a_key_frame),
        cmocka_unit_test(a_ring_shows_all_since_then),
        cmocka_unit_test(a_gap_ends_what_was_before),
        cmocka_unit_test(a_ring_is_bounded),
        cmocka_unit_test(masks_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
