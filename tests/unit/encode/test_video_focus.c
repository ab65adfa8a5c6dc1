#include "encode/video_focus.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Room for `count` objects in a source of 200x100. */
static struct detections *objects(int count)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, count, NULL), OW_OK);
    all->source_width = 200;
    all->source_height = 100;
    return all;
}

static void assert_region(const struct video_region *region, int left, int top, int right,
                          int bottom)
{
    assert_int_equal(region->left, left);
    assert_int_equal(region->top, top);
    assert_int_equal(region->right, right);
    assert_int_equal(region->bottom, bottom);
}

static void boxes_are_scaled_into_their_part(void **state)
{
    (void)state;
    struct detections *seen = objects(2);
    struct video_focus focus = {.steps = 3};
    const struct video_region part = {400, 0, 800, 150};
    seen->items[0] = (struct detection){.x1 = 50.2F, .y1 = 40, .x2 = 100.2F, .y2 = 80.1F};
    seen->items[1] = (struct detection){.x1 = -30, .y1 = -30, .x2 = 10, .y2 = 300};
    video_focus_add(&focus, seen, &part, 20);
    assert_int_equal(focus.count, 2);
    assert_region(&focus.regions[0], 500, 40, 601, 121); /* outwards to whole pixels */
    assert_region(&focus.regions[1], 400, 0, 420, 150);  /* cut where the part ends */
    detections_unref(&seen);
}

static void what_is_no_place_in_the_picture_is_left_out(void **state)
{
    (void)state;
    static const struct detection none[] = {
        {.x1 = 300, .y1 = 10, .x2 = 400, .y2 = 20},           /* outside */
        {.x1 = 10, .y1 = -90, .x2 = 20, .y2 = -20},           /* above */
        {.x1 = 20, .y1 = 10, .x2 = 10, .y2 = 20},             /* inside out */
        {.x1 = NAN, .y1 = NAN, .x2 = NAN, .y2 = NAN},         /* no number */
        {.x1 = INFINITY, .y1 = 0, .x2 = INFINITY, .y2 = 100}, /* nowhere */
    };
    enum { COUNT = sizeof none / sizeof *none };
    struct detections *seen = objects(COUNT);
    struct video_focus focus = {.steps = 3};
    const struct video_region part = {0, 0, 400, 200};
    for (int i = 0; i < COUNT; i++)
        seen->items[i] = none[i];
    video_focus_add(&focus, seen, &part, 0);
    assert_int_equal(focus.count, 0);
    seen->items[0] = (struct detection){.x1 = 10, .y1 = 10, .x2 = 20, .y2 = 20};
    seen->source_width = seen->source_height = 0; /* of no size: a place cannot be told */
    video_focus_add(&focus, seen, &part, 0);
    assert_int_equal(focus.count, 0);
    seen->items[0].x1 = -INFINITY; /* a box may be as large as it likes */
    seen->items[0].x2 = INFINITY;
    seen->source_width = seen->source_height = 100;
    video_focus_add(&focus, seen, &part, 0);
    assert_int_equal(focus.count, 1);
    assert_region(&focus.regions[0], 0, 20, 400, 40);
    detections_unref(&seen);
}

static void the_first_are_taken_of_many(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct detections *seen = objects(MANY);
    struct video_focus focus = {.steps = 3};
    const struct video_region part = {0, 0, 200, 100};
    for (int i = 0; i < MANY; i++)
        seen->items[i] = (struct detection){
            .x1 = (float)(i % 190), .y1 = 10, .x2 = (float)(i % 190) + 5, .y2 = 20};
    video_focus_add(&focus, seen, &part, 0);
    assert_int_equal(focus.count, VIDEO_REGIONS_MAX);
    assert_region(&focus.regions[VIDEO_REGIONS_MAX - 1], VIDEO_REGIONS_MAX - 1, 10,
                  VIDEO_REGIONS_MAX + 4, 20);
    video_focus_add(&focus, seen, &part, 0);
    assert_int_equal(focus.count, VIDEO_REGIONS_MAX);
    detections_unref(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_scaled_into_their_part),
        cmocka_unit_test(what_is_no_place_in_the_picture_is_left_out),
        cmocka_unit_test(the_first_are_taken_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
