#include "core/random.h"
#include "tracker_feed.h"

#include <math.h>
#include <time.h>

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

/* An object of constant speed and growth, seen at uneven times, is soon predicted well, forward and
 * backward; one that stands is at once. */
static void constant_speed_is_learned(void **state)
{
    (void)state;
    static const int64_t gaps[] = {100000, 100000, 50000, 150000, 40000};
    static const int64_t ahead[] = {0, 7000, 300000, -50000};
    struct tracker *tracker = NULL;
    int64_t at_us = 0;
    uint32_t id = 0;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (size_t i = 0; i < 40; at_us += gaps[i++ % 5]) {
        double t = (double)at_us / 1e6;
        struct detection box =
            box_at(0, 0.5F, 100 + 130 * t, 200 - 60 * t, 80 + 20 * t, 160 + 40 * t);
        feed(tracker, at_us, &box, 1, &id);
        for (size_t k = 0; i >= 20 && k < sizeof ahead / sizeof ahead[0]; k++) {
            struct detections *out = NULL;
            double later = t + (double)ahead[k] / 1e6;
            assert_int_equal(tracker_predict(tracker, at_us + ahead[k], &out), OW_OK);
            assert_int_equal(out->seen_us, at_us);
            assert_int_equal(out->count, 1);
            struct detection wanted = box_at(0, 0.5F, 100 + 130 * later, 200 - 60 * later,
                                             80 + 20 * later, 160 + 40 * later);
            assert_int_equal(out->items[0].track_id, 1);
            assert_float_equal(out->items[0].x1, wanted.x1, 4);
            assert_float_equal(out->items[0].y1, wanted.y1, 4);
            assert_float_equal(out->items[0].x2, wanted.x2, 4);
            assert_float_equal(out->items[0].y2, wanted.y2, 4);
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

/* A dog beside its owner is no part of the owner's track. */
static void classes_are_not_mixed(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t id = 0;
    struct detection person = box_at(0, 0.9F, 100, 200, 60, 100);
    struct detection dog = box_at(16, 0.9F, 110, 225, 80, 50);
    assert_int_equal(tracker_create(&tracker), OW_OK);
    feed(tracker, 0, &person, 1, &id);
    feed(tracker, STEP_US, &dog, 1, &id);
    assert_int_equal(id, 2);
    tracker_destroy(&tracker);
}

/* The one detection of the tracks drawn at a time. */
static struct detection predicted_one(struct tracker *tracker, int64_t at_us)
{
    struct detections *out = NULL;
    assert_int_equal(tracker_predict(tracker, at_us, &out), OW_OK);
    assert_int_equal(out->count, 1);
    struct detection item = out->items[0];
    detections_unref(&out);
    return item;
}

/* A van that is found as car and as truck is one thing, of the class that it was found as most. */
static void a_mistaken_class_is_outvoted(void **state)
{
    (void)state;
    static const int found_as[] = {2, 7, 7, 7, 2, 7, 7, 2, 7};
    struct tracker *tracker = NULL;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 9; i++) {
        uint32_t id = 0;
        struct detection van = box_at(found_as[i], 0.9F, 100, 200, 90, 50);
        feed(tracker, i * (int64_t)STEP_US, &van, 1, &id);
        assert_int_equal(id, 1);
        if (i >= 3)
            assert_int_equal(predicted_one(tracker, i * (int64_t)STEP_US).class_id, 7);
    }
    tracker_destroy(&tracker);
}

/* Gives the tracker one box, which may be unsure; the id it is reported with, -1 when it is not. */
static int64_t feed_one(struct tracker *tracker, int64_t at_us, float confidence,
                        struct detection box)
{
    struct detections *seen = NULL;
    struct detections *out = NULL;
    assert_int_equal(detections_create(&seen, 1, NULL), OW_OK);
    seen->source_width = 1000;
    seen->source_height = 500;
    seen->capture_us = at_us;
    seen->items[0] = box;
    assert_int_equal(tracker_update(tracker, seen, confidence, &out), OW_OK);
    int64_t id = out->count > 0 ? (int64_t)out->items[0].track_id : -1;
    assert_true(out->count <= 1);
    detections_unref(&seen);
    detections_unref(&out);
    return id;
}

/* An object is half hidden for two seconds, longer than a track lives unseen. */
static void unsure_sightings_carry_a_track_on(void **state)
{
    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        struct tracker *tracker = NULL;
        assert_int_equal(tracker_create(&tracker), OW_OK);
        for (int i = 0; i < 40; i++) {
            bool half = i >= 10 && i < 30;
            struct detection box = box_at(0, half ? 0.15F : 0.6F, 100 + 8 * i, 200, 40, 100);
            if (half && hidden)
                box.class_id = 1; /* as if there were nothing of its class */
            int64_t id = feed_one(tracker, i * (int64_t)STEP_US, 0.4F, box);
            if (half)
                assert_int_equal(id, -1);
            else if (i > 0 && i != 30)
                assert_int_equal(id, i < 10 || !hidden ? 1 : 2);
        }
        tracker_destroy(&tracker);
    }
}

static void unsure_sightings_begin_no_track(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            feed_one(tracker, i * (int64_t)STEP_US, 0.4F, box_at(0, 0.3F, 100, 200, 40, 100)), -1);
    assert_int_equal(predicted_count(tracker, 10 * (int64_t)STEP_US), 0);
    tracker_destroy(&tracker);
}

/* Somebody moves the threshold up and down, also while the picture stands still. */
static void ids_outlive_a_change_of_the_threshold(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    struct detection box = box_at(0, 0.5F, 100, 200, 40, 100);
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 60; i++) {
        int64_t at_us = i / 2 * (int64_t)STEP_US;
        bool above = i / 5 % 2 == 0;
        int64_t id = feed_one(tracker, at_us, above ? 0.4F : 0.7F, box);
        assert_int_equal(id, !above ? -1 : i < 2 ? 0 : 1);
        if (i >= 2)
            assert_int_equal(predicted_count(tracker, at_us + 1000), above ? 1 : 0);
    }
    tracker_destroy(&tracker);
}

/* What has gone out of the picture is not drawn at its edge. */
static void who_leaves_the_picture_is_forgotten(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    uint32_t id = 0;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 0; i < 10; i++) {
        struct detection box = box_at(0, 0.9F, 210 - 20 * i, 200, 40, 100);
        feed(tracker, i * (int64_t)STEP_US, &box, 1, &id);
    }
    feed(tracker, 10 * (int64_t)STEP_US, NULL, 0, NULL);
    assert_int_equal(predicted_count(tracker, 10 * (int64_t)STEP_US), 1);
    feed(tracker, 12 * (int64_t)STEP_US, NULL, 0, NULL);
    assert_int_equal(predicted_count(tracker, 12 * (int64_t)STEP_US), 0);
    tracker_destroy(&tracker);
}

static void lowest_confidence_is_what_bytetrack_says(void **state)
{
    (void)state;
    assert_float_equal(tracker_lowest_confidence(0.4F), 0.1F, 1e-6F);
    assert_float_equal(tracker_lowest_confidence(0.05F), 0.05F, 1e-6F);
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
    assert_int_equal(tracker_update(tracker, seen, sure_from, &out), OW_EINVAL);
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
        assert_int_equal(tracker_update(tracker, seen, sure_from, &out), OW_OK);
        assert_int_equal(out->items[0].track_id, 0);
        assert_int_equal(out->items[1].track_id, 0);
        detections_unref(&out);
    }
    assert_int_equal(predicted_count(tracker, 1), 0);
    detections_unref(&seen);
    tracker_destroy(&tracker);
}

/* The shape of an object is that of the last time it was seen for sure, wherever its box goes. */
static void shapes_go_with_their_tracks(void **state)
{
    (void)state;
    struct tracker *tracker = NULL;
    struct detections *out = NULL;
    assert_int_equal(tracker_create(&tracker), OW_OK);
    for (int i = 1; i <= 4; i++) {
        bool sure = i <= 3;
        struct detections *seen = NULL;
        assert_int_equal(detections_create(&seen, 1, NULL), OW_OK);
        seen->source_width = seen->source_height = 1000;
        seen->capture_us = i * (int64_t)STEP_US;
        seen->items[0] = box_at(0, sure ? 0.9F : 0.2F, 100 + 10 * i, 200, 40, 100);
        assert_int_equal(object_shape_create(&seen->items[0].shape, i, 1, 0), OW_OK);
        assert_int_equal(tracker_update(tracker, seen, 0.5F, &out), OW_OK);
        assert_int_equal(out->count, sure);
        if (sure)
            assert_ptr_equal(out->items[0].shape, seen->items[0].shape);
        detections_unref(&out);
        detections_unref(&seen);
    }
    assert_int_equal(tracker_predict(tracker, 5 * (int64_t)STEP_US, &out), OW_OK);
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

static int by_id(const void *left, const void *right)
{
    uint32_t a = ((const struct detection *)left)->track_id;
    uint32_t b = ((const struct detection *)right)->track_id;
    return (a > b) - (a < b);
}

static void assert_ids_differ(struct detection *items, int count)
{
    qsort(items, (size_t)count, sizeof *items, by_id);
    for (int i = 1; i < count; i++)
        assert_true(items[i].track_id == 0 || items[i].track_id != items[i - 1].track_id);
}

enum { SCENE_OBJECTS = 30 };

/* Objects that go straight on, and begin anew somewhere when they are far out. */
struct scene {
    struct random_source random;
    int64_t at_us;
    struct {
        double x, y, speed_x, speed_y;
    } objects[SCENE_OBJECTS];
};

static double within(struct scene *scene, double least, double most)
{
    return least + random_unit(&scene->random) * (most - least);
}

static void go_on(struct scene *scene)
{
    int64_t gap_us = within(scene, 0, 1) < 0.05 ? 3000000 : (int64_t)within(scene, 0, 2e5);
    scene->at_us += gap_us;
    for (int i = 0; i < SCENE_OBJECTS; i++) {
        scene->objects[i].x += scene->objects[i].speed_x * (double)gap_us / 1e6;
        scene->objects[i].y += scene->objects[i].speed_y * (double)gap_us / 1e6;
        if (scene->at_us > gap_us && fabs(scene->objects[i].x - 500) < 600 &&
            fabs(scene->objects[i].y - 250) < 350)
            continue;
        scene->objects[i].x = within(scene, 0, 1000);
        scene->objects[i].y = within(scene, 0, 500);
        scene->objects[i].speed_x = within(scene, -100, 100);
        scene->objects[i].speed_y = within(scene, -100, 100);
    }
}

/* A fifth is missed, a tenth seen twice. */
static struct detections *look_at(struct scene *scene)
{
    struct detections *seen = NULL;
    assert_int_equal(detections_create(&seen, 2 * SCENE_OBJECTS, NULL), OW_OK);
    seen->source_width = 1000;
    seen->source_height = 500;
    seen->capture_us = scene->at_us;
    seen->count = 0;
    for (int i = 0; i < 2 * SCENE_OBJECTS; i++) {
        bool again = i % 2 == 1;
        if (within(scene, 0, 1) < (again ? 0.1 : 0.8))
            seen->items[seen->count++] =
                box_at(i / 2 % 3, (float)within(scene, 0, 1),
                       scene->objects[i / 2].x + (again ? 4 : 0), scene->objects[i / 2].y, 40, 90);
    }
    return seen;
}

/* Objects come, go, cross, are missed, doubled; the threshold changes: whatever happens, an id is
 * on one object at a time, and two trackers say the same. */
static void no_two_objects_have_one_id(void **state)
{
    (void)state;
    struct scene scene = {.at_us = 0};
    struct tracker *trackers[2] = {NULL};
    uint32_t greatest = 0;
    random_seeded(&scene.random, 11);
    for (int k = 0; k < 2; k++)
        assert_int_equal(tracker_create(&trackers[k]), OW_OK);
    for (int f = 0; f < 400; f++) {
        struct detections *out[2] = {NULL};
        struct detections *drawn = NULL;
        go_on(&scene);
        struct detections *seen = look_at(&scene);
        for (int k = 0; k < 2; k++)
            assert_int_equal(
                tracker_update(trackers[k], seen, f / 50 % 2 == 0 ? 0.3F : 0.6F, &out[k]), OW_OK);
        assert_int_equal(out[0]->count, out[1]->count);
        for (int i = 0; i < out[0]->count; i++) {
            assert_int_equal(out[0]->items[i].track_id, out[1]->items[i].track_id);
            if (out[0]->items[i].track_id > greatest)
                greatest = out[0]->items[i].track_id;
        }
        assert_int_equal(tracker_predict(trackers[0], scene.at_us, &drawn), OW_OK);
        assert_ids_differ(out[0]->items, out[0]->count);
        assert_ids_differ(drawn->items, drawn->count);
        detections_unref(&drawn);
        detections_unref(&out[0]);
        detections_unref(&out[1]);
        detections_unref(&seen);
    }
    assert_true(greatest >= SCENE_OBJECTS);
    for (int k = 0; k < 2; k++)
        tracker_destroy(&trackers[k]);
}

/* A thousand objects, spread out or all on one spot where each could be any other: an update takes
 * a few milliseconds (bench/tracker), so a second is far off even on a slow, checked build. */
static void a_thousand_objects_take_bounded_time(void **state)
{
    (void)state;
    enum { OBJECTS = 1000 };
    static struct detection boxes[OBJECTS];
    static uint32_t ids[OBJECTS];
    for (int heap = 0; heap < 2; heap++) {
        struct tracker *tracker = NULL;
        assert_int_equal(tracker_create(&tracker), OW_OK);
        for (int f = 0; f < 5; f++) {
            for (int i = 0; i < OBJECTS; i++)
                boxes[i] =
                    box_at(i % 2, 0.9F - 0.0008F * (float)i, heap ? 300 + i % 7 : i % 40 * 25,
                           heap ? 200 + f : i / 40 * 20, 40, 100);
            clock_t start = clock();
            feed(tracker, f * (int64_t)STEP_US, boxes, OBJECTS, ids);
            assert_true(clock() - start < CLOCKS_PER_SEC);
        }
        tracker_destroy(&tracker);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sights_confirm),
        cmocka_unit_test(one_sight_and_away_is_no_track),
        cmocka_unit_test(constant_speed_is_learned),
        cmocka_unit_test(trembling_is_smoothed),
        cmocka_unit_test(crossing_objects_keep_their_ids),
        cmocka_unit_test(an_object_comes_back_from_behind_a_post),
        cmocka_unit_test(a_track_is_lost_after_a_second_and_its_id_with_it),
        cmocka_unit_test(classes_are_not_mixed),
        cmocka_unit_test(a_mistaken_class_is_outvoted),
        cmocka_unit_test(unsure_sightings_carry_a_track_on),
        cmocka_unit_test(unsure_sightings_begin_no_track),
        cmocka_unit_test(ids_outlive_a_change_of_the_threshold),
        cmocka_unit_test(who_leaves_the_picture_is_forgotten),
        cmocka_unit_test(lowest_confidence_is_what_bytetrack_says),
        cmocka_unit_test(time_that_goes_back_is_refused),
        cmocka_unit_test(boxes_that_are_none_are_passed_on_untracked),
        cmocka_unit_test(shapes_go_with_their_tracks),
        cmocka_unit_test(a_flood_of_detections_is_survived),
        cmocka_unit_test(no_two_objects_have_one_id),
        cmocka_unit_test(a_thousand_objects_take_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
