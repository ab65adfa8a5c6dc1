/* Two boxes where one object is: the detector says so now and then. */
#include "tracker_feed.h"

/* One person for a second; then two boxes beside each other for `frames` frames, the second of
 * which is taken for another person; then one between the two, nearer to the second. Whose is it?
 */
static uint32_t who_goes_on(int frames)
{
    struct tracker *tracker = NULL;
    const struct detection boxes[] = {box_at(0, 0.5F, 100, 200, 40, 100),
                                      box_at(0, 0.5F, 122, 200, 40, 100)};
    const struct detection between = box_at(0, 0.5F, 118, 200, 40, 100);
    uint32_t ids[2] = {0}, id = 0;
    int64_t at_us = 0;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 10; i++, at_us += STEP_US)
        feed(tracker, at_us, boxes, 1, ids);
    for (int i = 0; i < frames; i++, at_us += STEP_US)
        feed(tracker, at_us, boxes, 2, ids);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 2);
    feed(tracker, at_us, &between, 1, &id);
    tracker_destroy(&tracker);
    return id;
}

static void the_older_track_goes_on_when_the_other_has_just_come(void **state)
{
    (void)state;
    assert_int_equal(who_goes_on(3), 1);
    assert_int_equal(who_goes_on(10), 2); /* both are known by then: the nearer one */
}

/* Feeds a person and a second box of a class for so many frames; the second box's ids. */
static void feed_two(const struct detection *second, int frames, uint32_t *ids)
{
    struct tracker *tracker = NULL;
    struct detection boxes[] = {box_at(0, 0.5F, 100, 200, 40, 100), *second};
    uint32_t both[2];
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 3; i++)
        feed(tracker, i * (int64_t)STEP_US, boxes, 1, both);
    for (int i = 0; i < frames; i++) {
        feed(tracker, (3 + i) * (int64_t)STEP_US, boxes, 2, both);
        assert_int_equal(both[0], 1);
        ids[i] = both[1];
    }
    tracker_destroy(&tracker);
}

static void a_second_box_on_an_object_has_to_stay_for_an_id(void **state)
{
    (void)state;
    uint32_t ids[8];
    const struct detection around = box_at(0, 0.9F, 115, 205, 90, 120);
    feed_two(&around, 8, ids);
    for (int i = 0; i < 8; i++)
        assert_int_equal(ids[i], i < 5 ? 0 : 2); /* half a second */
}

static void what_is_beside_or_something_else_has_not_to_wait(void **state)
{
    (void)state;
    uint32_t ids[2];
    const struct detection beside = box_at(0, 0.5F, 125, 200, 40, 100);
    const struct detection dog = box_at(16, 0.5F, 100, 230, 30, 30);
    feed_two(&beside, 2, ids);
    assert_int_equal(ids[1], 2);
    feed_two(&dog, 2, ids);
    assert_int_equal(ids[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_older_track_goes_on_when_the_other_has_just_come),
        cmocka_unit_test(a_second_box_on_an_object_has_to_stay_for_an_id),
        cmocka_unit_test(what_is_beside_or_something_else_has_not_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
