#include "workflow/zone.h"

#include "core/error.h"
#include "core/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SIDE = 1000 };

static const struct zone_shape SQUARE = {
    .kind = ZONE_POLYGON, .count = 4, .points = {{0.2, 0.2}, {0.8, 0.2}, {0.8, 0.8}, {0.2, 0.8}}};
/* From the left to the right: its right side is below. */
static const struct zone_shape LINE = {
    .kind = ZONE_LINE, .count = 2, .points = {{0.1, 0.5}, {0.9, 0.5}}};

static void points_are_inside_or_not(void **state)
{
    (void)state;
    static const struct zone_shape rectangle = {
        .kind = ZONE_RECTANGLE, .count = 2, .points = {{0.8, 0.8}, {0.2, 0.2}}};
    static const struct zone_shape pixels = {.kind = ZONE_POLYGON,
                                             .in_pixels = true,
                                             .count = 3,
                                             .points = {{0, 0}, {1000, 0}, {0, 1000}}};
    static const struct zone_shape nothing = {.kind = ZONE_POLYGON};
    const struct zone_point middle = {0.5, 0.5}, corner = {0.1, 0.9};
    assert_true(zone_contains(&SQUARE, SIDE, SIDE, middle));
    assert_false(zone_contains(&SQUARE, SIDE, SIDE, corner));
    assert_true(zone_contains(&rectangle, SIDE, SIDE, middle));
    assert_false(zone_contains(&rectangle, SIDE, SIDE, corner));
    assert_true(zone_contains(&pixels, SIDE, SIDE, (struct zone_point){0.2, 0.3}));
    assert_false(zone_contains(&pixels, SIDE, SIDE, (struct zone_point){0.7, 0.6}));
    assert_false(zone_contains(&nothing, SIDE, SIDE, middle));
    assert_false(zone_contains(&LINE, SIDE, SIDE, middle));
}

/* A star whose points are drawn at random contains what is nearer to its middle than its outline.
 */
static void stars_contain_what_lies_within(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 5);
    for (int round = 0; round < 200; round++) {
        struct zone_shape star = {.kind = ZONE_POLYGON, .count = 24};
        double radius[24];
        for (int i = 0; i < 24; i++) {
            radius[i] = 0.1 + 0.35 * random_unit(&random);
            double angle = 2 * M_PI * i / 24;
            star.points[i] =
                (struct zone_point){0.5 + radius[i] * cos(angle), 0.5 + radius[i] * sin(angle)};
        }
        int i = (int)(random_u32(&random) % 24);
        double angle = 2 * M_PI * i / 24;
        struct zone_point inner = {0.5 + 0.98 * radius[i] * cos(angle),
                                   0.5 + 0.98 * radius[i] * sin(angle)};
        struct zone_point outer = {0.5 + 1.02 * radius[i] * cos(angle),
                                   0.5 + 1.02 * radius[i] * sin(angle)};
        assert_true(zone_contains(&star, SIDE, SIDE, inner));
        assert_false(zone_contains(&star, SIDE, SIDE, outer));
    }
}

static void lines_are_crossed_in_two_directions(void **state)
{
    (void)state;
    const struct zone_point above = {0.5, 0.4}, below = {0.5, 0.6}, beside = {0.95, 0.4},
                            beside_below = {0.95, 0.6};
    assert_int_equal(zone_crossing(&LINE, SIDE, SIDE, above, below), 1);
    assert_int_equal(zone_crossing(&LINE, SIDE, SIDE, below, above), -1);
    assert_int_equal(zone_crossing(&LINE, SIDE, SIDE, above, above), 0);
    assert_int_equal(zone_crossing(&LINE, SIDE, SIDE, beside, beside_below), 0);
    assert_int_equal(zone_crossing(&SQUARE, SIDE, SIDE, above, below), 0);
    /* Whoever stops on the line has crossed it once, wherever he goes on to. */
    const struct zone_point on = {0.5, 0.5};
    int there = zone_crossing(&LINE, SIDE, SIDE, above, on);
    int on_then = zone_crossing(&LINE, SIDE, SIDE, on, below);
    assert_int_equal(there + on_then, 1);
    /* Through an end of the line it is the same there and back. */
    for (int i = 0; i < LINE.count; i++) {
        const struct zone_point end = LINE.points[i];
        const struct zone_point over = {end.x, end.y - 0.25}, under = {end.x, end.y + 0.25};
        assert_int_equal(zone_crossing(&LINE, SIDE, SIDE, over, under) +
                             zone_crossing(&LINE, SIDE, SIDE, under, over),
                         0);
    }
}

/* An object of 100 pixels' height that stands at a point. */
static struct detections *standing(uint32_t track_id, double x, double y)
{
    struct detections *seen = NULL;
    assert_int_equal(detections_create(&seen, track_id ? 1 : 0, NULL), OW_OK);
    seen->source_width = seen->source_height = SIDE;
    if (track_id)
        seen->items[0] = (struct detection){.class_id = 3,
                                            .confidence = 0.9f,
                                            .x1 = (float)(x * SIDE - 20),
                                            .x2 = (float)(x * SIDE + 20),
                                            .y1 = (float)(y * SIDE - 100),
                                            .y2 = (float)(y * SIDE),
                                            .track_id = track_id};
    return seen;
}

static struct zone_watch watch;

static int step(const struct zone_shape *shape, const struct zone_times *times, uint32_t track_id,
                double x, double y, double at_s, struct zone_event events[4])
{
    struct detections *seen = standing(track_id, x, y);
    int count = zone_watch_update(&watch, shape, times, seen, (int64_t)(at_s * 1e6), events, 4);
    detections_unref(&seen);
    return count;
}

static void who_comes_stays_and_goes_is_told(void **state)
{
    (void)state;
    const struct zone_times times = {.dwell_us = 3000000};
    struct zone_event events[4];
    watch = (struct zone_watch){0};
    assert_int_equal(step(&SQUARE, &times, 7, 0.1, 0.5, 1, events), 0);
    assert_int_equal(step(&SQUARE, &times, 7, 0.5, 0.5, 2, events), 1);
    assert_int_equal(events[0].kind, ZONE_ENTER);
    assert_int_equal(events[0].track_id, 7);
    assert_int_equal(events[0].class_id, 3);
    assert_int_equal(events[0].inside, 1);
    assert_int_equal(step(&SQUARE, &times, 7, 0.5, 0.5, 4.9, events), 0);
    assert_int_equal(step(&SQUARE, &times, 7, 0.5, 0.5, 5.1, events), 1);
    assert_int_equal(events[0].kind, ZONE_DWELL);
    assert_int_equal(step(&SQUARE, &times, 7, 0.5, 0.5, 6, events), 0); /* once a stay */
    assert_int_equal(step(&SQUARE, &times, 7, 0.9, 0.5, 7, events), 1);
    assert_int_equal(events[0].kind, ZONE_LEAVE);
    assert_int_equal(watch.counts.inside, 0);
    assert_int_equal(watch.counts.events[ZONE_ENTER], 1);
}

static void who_is_not_seen_any_more_has_left(void **state)
{
    (void)state;
    const struct zone_times times = {0};
    struct zone_event events[4];
    watch = (struct zone_watch){0};
    assert_int_equal(step(&SQUARE, &times, 1, 0.5, 0.5, 1, events), 1);
    assert_int_equal(step(&SQUARE, &times, 0, 0, 0, 2.9, events), 0); /* hidden for a moment */
    assert_int_equal(watch.counts.inside, 1);
    assert_int_equal(step(&SQUARE, &times, 0, 0, 0, 3.1, events), 1);
    assert_int_equal(events[0].kind, ZONE_LEAVE);
    assert_int_equal(watch.counts.inside, 0);
    assert_int_equal(watch.count, 0);
}

static void the_same_is_told_once_in_a_cooldown(void **state)
{
    (void)state;
    const struct zone_times times = {.cooldown_us = 5000000};
    struct zone_event events[4];
    watch = (struct zone_watch){0};
    (void)step(&LINE, &times, 1, 0.5, 0.4, 1, events);
    assert_int_equal(step(&LINE, &times, 1, 0.5, 0.6, 2, events), 1);
    assert_int_equal(events[0].kind, ZONE_CROSS_IN);
    assert_int_equal(step(&LINE, &times, 1, 0.5, 0.4, 3, events), 1);
    assert_int_equal(events[0].kind, ZONE_CROSS_OUT);
    assert_int_equal(step(&LINE, &times, 1, 0.5, 0.6, 4, events), 0);
    assert_int_equal(step(&LINE, &times, 1, 0.5, 0.4, 5, events), 0);
    assert_int_equal(step(&LINE, &times, 1, 0.5, 0.6, 8, events), 1);
    assert_int_equal(watch.counts.events[ZONE_CROSS_IN], 2);
}

static void crowds_have_a_limit(void **state)
{
    (void)state;
    const struct zone_times times = {0};
    struct zone_event events[4];
    watch = (struct zone_watch){0};
    for (uint32_t id = 1; id <= ZONE_MAX_TRACKS + 50; id++)
        (void)step(&SQUARE, &times, id, 0.5, 0.5, 1, events);
    assert_int_equal(watch.count, ZONE_MAX_TRACKS);
    assert_int_equal(watch.counts.inside, ZONE_MAX_TRACKS);
}

static void an_outline_has_all_corners(void **state)
{
    (void)state;
    static const struct zone_shape rectangle = {
        .kind = ZONE_RECTANGLE, .in_pixels = true, .count = 2, .points = {{100, 50}, {300, 100}}};
    static const double corners[4][2] = {{0.25, 0.25}, {0.75, 0.25}, {0.75, 0.5}, {0.25, 0.5}};
    static const struct zone_shape line = {
        .kind = ZONE_LINE, .count = 2, .points = {{0.1, 0.2}, {0.3, 0.4}}};
    struct zone_point points[ZONE_MAX_POINTS];
    assert_int_equal(zone_outline(&rectangle, 400, 200, points), 4);
    for (int i = 0; i < 4; i++) {
        assert_float_equal(points[i].x, corners[i][0], 1e-9);
        assert_float_equal(points[i].y, corners[i][1], 1e-9);
    }
    assert_int_equal(zone_outline(&line, 400, 200, points), 2);
    assert_float_equal(points[1].y, 0.4, 1e-9);
    const struct zone_shape none = {.kind = ZONE_RECTANGLE};
    assert_int_equal(zone_outline(&none, 400, 200, points), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outline_has_all_corners),
        cmocka_unit_test(points_are_inside_or_not),
        cmocka_unit_test(stars_contain_what_lies_within),
        cmocka_unit_test(lines_are_crossed_in_two_directions),
        cmocka_unit_test(who_comes_stays_and_goes_is_told),
        cmocka_unit_test(who_is_not_seen_any_more_has_left),
        cmocka_unit_test(the_same_is_told_once_in_a_cooldown),
        cmocka_unit_test(crowds_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
