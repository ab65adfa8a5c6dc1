#include "core/error.h"
#include "core/random.h"
#include "vision/tracker.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { STEP_US = 100000 };

static struct detection box_at(int class_id, float confidence, double cx, double cy, double w,
                               double h)
{
    return (struct detection){
        .class_id = class_id,
        .confidence = confidence,
        .x1 = (float)(cx - w / 2),
        .y1 = (float)(cy - h / 2),
        .x2 = (float)(cx + w / 2),
        .y2 = (float)(cy + h / 2),
    };
}

/* Feeds one frame; ids[i] is what detection i was given. */
static void feed(struct tracker *tracker, int64_t at_us, const struct detection *boxes, int count,
                 uint32_t *ids)
{
    struct detections *seen = NULL;
    struct detections *tracked = NULL;
    assert_int_equal(detections_create(&seen, count, NULL), OW_OK);
    seen->source_width = 1000;
    seen->source_height = 500;
    seen->capture_us = at_us;
    seen->frame_sequence = (uint64_t)(at_us / STEP_US);
    if (count > 0)
        memcpy(seen->items, boxes, (size_t)count * sizeof *boxes);
    assert_int_equal(tracker_update(tracker, seen, &tracked), OW_OK);
    assert_int_equal(tracked->count, count);
    assert_int_equal(tracked->frame_sequence, seen->frame_sequence);
    for (int i = 0; i < count; i++) {
        assert_float_equal(tracked->items[i].x1, boxes[i].x1, 0);
        ids[i] = tracked->items[i].track_id;
    }
    detections_unref(&seen);
    detections_unref(&tracked);
}

static int predicted_count(struct tracker *tracker, int64_t at_us)
{
    struct detections *out = NULL;
    assert_int_equal(tracker_predict(tracker, at_us, &out), OW_OK);
    assert_int_equal(out->capture_us, at_us);
    int count = out->count;
    detections_unref(&out);
    return count;
}

static void two_sights_confirm(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t id = 99;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    assert_int_equal(predicted_count(tracker, 5), 0);
    struct detection weak = box_at(0, 0.4F, 100, 100, 40, 80);
    feed(tracker, 0, &weak, 1, &id);
    assert_int_equal(id, 0);
    assert_int_equal(predicted_count(tracker, STEP_US), 0);
    feed(tracker, STEP_US, &weak, 1, &id);
    assert_int_equal(id, 1);
    assert_int_equal(predicted_count(tracker, STEP_US), 1);
    struct detection strong[2] = {weak, box_at(2, 0.95F, 600, 100, 90, 50)};
    uint32_t ids[2];
    feed(tracker, 2 * STEP_US, strong, 2, ids);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 2);
    tracker_destroy(&tracker);
    assert_null(tracker);
}

static void one_sight_and_away_is_no_track(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t id = 99;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    struct detection weak = box_at(0, 0.4F, 100, 100, 40, 80);
    feed(tracker, 0, &weak, 1, &id);
    feed(tracker, STEP_US, NULL, 0, NULL);
    feed(tracker, 2 * STEP_US, &weak, 1, &id);
    assert_int_equal(id, 0);
    tracker_destroy(&tracker);
}

/* The prediction for an object of constant speed and growth is exact, forward and backward. */
static void constant_speed_is_predicted_exactly(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 100000, 200000, 250000, 400000, 440000};
    static const int64_t ahead[] = {0, 7000, 300000, 1000000, -50000};
    struct tracker *tracker = NULL;
    uint32_t id = 0;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        double t = (double)times[i] / 1e6;
        struct detection box =
            box_at(0, 0.5F, 100 + 130 * t, 200 - 60 * t, 80 + 20 * t, 160 + 40 * t);
        feed(tracker, times[i], &box, 1, &id);
        for (size_t k = 0; i >= 1 && k < sizeof ahead / sizeof ahead[0]; k++) {
            struct detections *out = NULL;
            double later = t + (double)ahead[k] / 1e6;
            assert_int_equal(tracker_predict(tracker, times[i] + ahead[k], &out), OW_OK);
            assert_int_equal(out->count, 1);
            struct detection wanted = box_at(0, 0.5F, 100 + 130 * later, 200 - 60 * later,
                                             80 + 20 * later, 160 + 40 * later);
            assert_int_equal(out->items[0].track_id, 1);
            assert_float_equal(out->items[0].x1, wanted.x1, 0.01F);
            assert_float_equal(out->items[0].y1, wanted.y1, 0.01F);
            assert_float_equal(out->items[0].x2, wanted.x2, 0.01F);
            assert_float_equal(out->items[0].y2, wanted.y2, 0.01F);
            detections_unref(&out);
        }
    }
    tracker_destroy(&tracker);
}

/* Boxes that tremble by two pixels around a standing object: the smoothed one trembles less. */
static void trembling_is_smoothed(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    struct random_source random;
    uint32_t id = 0;
    double raw = 0;
    double smooth = 0;
    random_seeded(&random, 5);
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 300; i++) {
        double error = (random_unit(&random) - 0.5) * 4;
        struct detection box = box_at(0, 0.5F, 300 + error, 200, 60, 120);
        struct detections *out = NULL;
        feed(tracker, i * (int64_t)STEP_US, &box, 1, &id);
        if (i < 20)
            continue;
        assert_int_equal(tracker_predict(tracker, i * (int64_t)STEP_US, &out), OW_OK);
        double seen = ((double)out->items[0].x1 + (double)out->items[0].x2) / 2 - 300;
        raw += error * error;
        smooth += seen * seen;
        detections_unref(&out);
    }
    assert_true(smooth > 0 && smooth < 0.8 * raw);
    tracker_destroy(&tracker);
}

/* Two walkers pass each other, at one moment on nearly the same spot: each keeps its id. */
static void crossing_objects_keep_their_ids(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t ids[2] = {0};
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i <= 40; i++) {
        struct detection boxes[2] = {box_at(0, 0.5F, 200 + 10 * i, 200, 50, 120),
                                     box_at(0, 0.6F, 605 - 10 * i, 210, 50, 120)};
        feed(tracker, i * (int64_t)STEP_US, boxes, 2, ids);
        if (i == 0)
            continue;
        assert_int_equal(ids[0], 1);
        assert_int_equal(ids[1], 2);
    }
    tracker_destroy(&tracker);
}

static void an_object_comes_back_from_behind_a_post(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t id = 0;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 10; i++) {
        struct detection box = box_at(0, 0.5F, 100 + 12 * i, 200, 40, 100);
        feed(tracker, i * (int64_t)STEP_US, &box, 1, &id);
    }
    for (int i = 10; i < 18; i++) {
        feed(tracker, i * (int64_t)STEP_US, NULL, 0, NULL);
        assert_int_equal(predicted_count(tracker, i * (int64_t)STEP_US), 1);
    }
    struct detection again = box_at(0, 0.5F, 100 + 12 * 18, 200, 40, 100);
    feed(tracker, 18 * (int64_t)STEP_US, &again, 1, &id);
    assert_int_equal(id, 1);
    tracker_destroy(&tracker);
}

static void a_track_is_lost_after_a_second_and_its_id_with_it(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t id = 0;
    struct detection box = box_at(0, 0.9F, 100, 200, 40, 100);
    assert_int_equal(tracker_create(&tracker), OW_OK);
    feed(tracker, 0, &box, 1, &id);
    assert_int_equal(id, 1);
    assert_int_equal(predicted_count(tracker, 1000000), 1);
    assert_int_equal(predicted_count(tracker, 1000001), 0);
    feed(tracker, 1000001, &box, 1, &id);
    assert_int_equal(id, 2);
    tracker_reset(tracker);
    assert_int_equal(predicted_count(tracker, 1000001), 0);
    feed(tracker, 0, &box, 1, &id); /* after a reset time may begin anew, ids go on */
    assert_int_equal(id, 3);
    tracker_destroy(&tracker);
}

static void classes_are_not_mixed(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t id = 0;
    struct detection car = box_at(2, 0.9F, 100, 200, 90, 50);
    struct detection truck = box_at(7, 0.9F, 100, 200, 90, 50);
    assert_int_equal(tracker_create(&tracker), OW_OK);
    feed(tracker, 0, &car, 1, &id);
    feed(tracker, STEP_US, &truck, 1, &id);
    assert_int_equal(id, 2);
    tracker_destroy(&tracker);
}

static void time_that_goes_back_is_refused(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    struct detections *seen = NULL;
    struct detections *out = NULL;
    uint32_t id = 0;
    struct detection box = box_at(0, 0.9F, 100, 200, 40, 100);
    assert_int_equal(tracker_create(&tracker), OW_OK);
    feed(tracker, 5 * (int64_t)STEP_US, &box, 1, &id);
    assert_int_equal(detections_create(&seen, 0, NULL), OW_OK);
    seen->capture_us = 4 * (int64_t)STEP_US;
    assert_int_equal(tracker_update(tracker, seen, &out), OW_EINVAL);
    assert_null(out);
    assert_int_equal(predicted_count(tracker, 5 * (int64_t)STEP_US), 1);
    feed(tracker, 5 * (int64_t)STEP_US, &box, 1, &id); /* the same time again is harmless */
    assert_int_equal(id, 1);
    detections_unref(&seen);
    tracker_destroy(&tracker);
}

static void boxes_that_are_none_are_passed_on_untracked(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    struct detections *seen = NULL;
    struct detections *out = NULL;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    assert_int_equal(detections_create(&seen, 2, NULL), OW_OK);
    seen->source_width = seen->source_height = 100;
    seen->capture_us = 1;
    seen->items[0] = (struct detection){.confidence = 0.9F, .x1 = NAN, .x2 = 5, .y2 = 5};
    seen->items[1] = (struct detection){.confidence = 0.9F, .x1 = 5, .x2 = 5, .y2 = 5};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tracker_update(tracker, seen, &out), OW_OK);
        assert_int_equal(out->items[0].track_id, 0);
        assert_int_equal(out->items[1].track_id, 0);
        detections_unref(&out);
    }
    assert_int_equal(predicted_count(tracker, 1), 0);
    detections_unref(&seen);
    tracker_destroy(&tracker);
}

/* The shape of an object is that of the last time it was seen, wherever its box goes. */
static void shapes_go_with_their_tracks(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    struct detections *out = NULL;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 1; i <= 3; i++) {
        struct detections *seen = NULL;
        assert_int_equal(detections_create(&seen, 1, NULL), OW_OK);
        seen->source_width = seen->source_height = 1000;
        seen->capture_us = i * (int64_t)STEP_US;
        seen->items[0] = box_at(0, 0.9F, 100 + 10 * i, 200, 40, 100);
        assert_int_equal(object_shape_create(&seen->items[0].shape, i, 1, 0), OW_OK);
        assert_int_equal(tracker_update(tracker, seen, &out), OW_OK);
        assert_ptr_equal(out->items[0].shape, seen->items[0].shape);
        detections_unref(&out);
        detections_unref(&seen);
    }
    assert_int_equal(tracker_predict(tracker, 4 * (int64_t)STEP_US, &out), OW_OK);
    assert_int_equal(out->count, 1);
    assert_int_equal(out->items[0].shape->mask_width, 3);
    tracker_destroy(&tracker);
    assert_int_equal(atomic_load(&out->items[0].shape->refs), 1); /* the tracks' are given back */
    detections_unref(&out);
}

/* More objects than there is room for: the rest goes on without an id. */
static void a_flood_of_detections_is_survived(void **state)
{
    (void)state;
    enum { FLOOD = 1500 };
    static struct detection boxes[FLOOD];
    static uint32_t ids[FLOOD];
    struct tracker *tracker = NULL;
    int with_id = 0;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < FLOOD; i++)
        boxes[i] = box_at(0, 0.9F, 20.0 * (i % 50), 20.0 * (i / 50), 10, 10);
    feed(tracker, 0, boxes, FLOOD, ids);
    feed(tracker, STEP_US, boxes, FLOOD, ids);
    for (int i = 0; i < FLOOD; i++)
        with_id += ids[i] != 0;
    assert_int_equal(with_id, 1024);
    tracker_destroy(&tracker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sights_confirm),
        cmocka_unit_test(one_sight_and_away_is_no_track),
        cmocka_unit_test(constant_speed_is_predicted_exactly),
        cmocka_unit_test(trembling_is_smoothed),
        cmocka_unit_test(crossing_objects_keep_their_ids),
        cmocka_unit_test(an_object_comes_back_from_behind_a_post),
        cmocka_unit_test(a_track_is_lost_after_a_second_and_its_id_with_it),
        cmocka_unit_test(classes_are_not_mixed),
        cmocka_unit_test(time_that_goes_back_is_refused),
        cmocka_unit_test(boxes_that_are_none_are_passed_on_untracked),
        cmocka_unit_test(shapes_go_with_their_tracks),
        cmocka_unit_test(a_flood_of_detections_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
