#include "workflow/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct label_set *labels;

static int make_labels(void **state)
{
    static const char *const names[] = {"person", "car", "dog"};
    (void)state;
    return label_set_create(&labels, names, 3);
}

static int free_labels(void **state)
{
    (void)state;
    label_set_unref(&labels);
    return 0;
}

/* Objects of these classes; the confidence of the i-th is 0.9 - 0.2 i, and they stand in a row from
 * the left to the right edge. */
static struct detections *seen_of(int count, const int *classes)
{
    struct detections *seen = NULL;
    assert_int_equal(detections_create(&seen, count, labels), OW_OK);
    seen->source_width = seen->source_height = 100;
    seen->capture_us = 77;
    for (int i = 0; i < count; i++)
        seen->items[i] = (struct detection){.class_id = classes[i],
                                            .confidence = 0.9f - 0.2f * (float)i,
                                            .x1 = 10.0f + 25.0f * (float)i,
                                            .x2 = 20.0f + 25.0f * (float)i,
                                            .y1 = 40,
                                            .y2 = 60,
                                            .track_id = (uint32_t)i + 1};
    return seen;
}

/* What passes of a person (0.9), a car (0.7), a person (0.5) and a dog (0.3). */
static enum filter_verdict pass(const struct filter_settings *settings, int *count)
{
    static const int classes[] = {0, 1, 0, 2};
    struct filter *filter = NULL;
    struct detections *seen = seen_of(4, classes), *out = NULL;
    assert_int_equal(filter_create(&filter, settings), OW_OK);
    enum filter_verdict verdict = filter_apply(filter, seen, &out);
    assert_non_null(out);
    assert_int_equal(out->capture_us, 77);
    *count = out->count;
    detections_unref(&out);
    detections_unref(&seen);
    filter_unref(&filter);
    return verdict;
}

static void shapes_pass_with_their_objects(void **state)
{
    (void)state;
    static const int classes[] = {0, 1};
    struct filter *filter = NULL;
    struct detections *seen = seen_of(2, classes), *out = NULL;
    struct filter_settings settings = {.min_confidence = 0.8f};
    assert_int_equal(object_shape_create(&seen->items[0].shape, 4, 4, 0), OW_OK);
    assert_int_equal(filter_create(&filter, &settings), OW_OK);
    assert_int_equal(filter_apply(filter, seen, &out), FILTER_PASSES);
    assert_ptr_equal(out->items[0].shape, seen->items[0].shape);
    assert_int_equal(atomic_load(&seen->items[0].shape->refs), 2);
    detections_unref(&out);
    settings.min_count = 5; /* nothing passes */
    filter_configure(filter, &settings);
    assert_int_equal(filter_apply(filter, seen, &out), FILTER_EMPTIES);
    assert_int_equal(atomic_load(&seen->items[0].shape->refs), 1);
    detections_unref(&out);
    detections_unref(&seen);
    filter_unref(&filter);
}

static void detections_are_thinned_out(void **state)
{
    (void)state;
    json_t *people = json_pack("[s]", "person"), *ids = json_pack("[i, i]", 1, 2);
    const struct {
        struct filter_settings settings;
        enum filter_verdict verdict;
        int count;
    } cases[] = {
        {{.kind = FILTER_DETECTIONS}, FILTER_PASSES, 4},
        {{.min_confidence = 0.6f}, FILTER_PASSES, 2},
        {{.classes = people}, FILTER_PASSES, 2},
        {{.classes = people, .exclude = true}, FILTER_PASSES, 2},
        {{.classes = ids}, FILTER_PASSES, 2},
        {{.classes = ids, .min_confidence = 0.6f}, FILTER_PASSES, 1},
        {{.min_count = 4}, FILTER_PASSES, 4},
        {{.min_count = 5}, FILTER_EMPTIES, 0},
        {{.max_count = 3}, FILTER_EMPTIES, 0},
        {{.max_count = 3, .classes = people}, FILTER_PASSES, 2},
        {{.min_count = 5, .only_when_detections = true}, FILTER_HOLDS, 0},
        {{.min_confidence = 0.95f}, FILTER_PASSES, 0},
        {{.min_confidence = 0.95f, .only_when_detections = true}, FILTER_HOLDS, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int count;
        print_message("case %zu\n", i);
        assert_int_equal(pass(&cases[i].settings, &count), cases[i].verdict);
        assert_int_equal(count, cases[i].count);
    }
    json_decref(people);
    json_decref(ids);
}

/* The left half: of four in a row the first two stand in it. */
static struct filter_settings left_half(enum filter_zone_pass passes)
{
    return (struct filter_settings){
        .kind = FILTER_ZONE,
        .name = "Left half",
        .passes = passes,
        .shape = {.kind = ZONE_RECTANGLE, .count = 2, .points = {{0, 0}, {0.5, 1}}}};
}

static void zones_let_pass_by_place(void **state)
{
    (void)state;
    static const struct {
        enum filter_zone_pass passes;
        int count;
    } cases[] = {{ZONE_PASS_INSIDE, 2}, {ZONE_PASS_OUTSIDE, 2}, {ZONE_PASS_ALL, 4}};
    for (size_t i = 0; i < 3; i++) {
        struct filter_settings settings = left_half(cases[i].passes);
        int count;
        assert_int_equal(pass(&settings, &count), FILTER_PASSES);
        assert_int_equal(count, cases[i].count);
    }
}

/* Whatever passes on, a zone counts all that it is to count. */
static void results_and_events_are_counted(void **state)
{
    (void)state;
    static const int classes[] = {0, 1, 0, 2};
    struct filter_settings settings = left_half(ZONE_PASS_OUTSIDE);
    struct filter *filter = NULL;
    struct filter_status status;
    struct zone_event events[8];
    struct detections *seen = seen_of(4, classes);
    assert_int_equal(filter_create(&filter, &settings), OW_OK);
    filter_read_status(filter, &status);
    assert_int_equal(status.updated_us, 0);
    assert_int_equal(filter_update(filter, seen, FILTER_PASSES, 1000, events, 8), 2);
    assert_int_equal(events[0].kind, ZONE_ENTER);
    assert_int_equal(filter_update(filter, seen, FILTER_HOLDS, 2000, events, 8), 0);
    filter_read_status(filter, &status);
    assert_int_equal(status.passed, 1);
    assert_int_equal(status.held, 1);
    assert_int_equal(status.verdict, FILTER_HOLDS);
    assert_int_equal(status.zone.inside, 2);
    struct filter_zone zone;
    assert_true(filter_read_zone(filter, &zone));
    assert_string_equal(zone.name, "Left half");
    assert_int_equal(zone.shape.count, 2);
    assert_int_equal(zone.counts.inside, 2);
    assert_int_equal(zone.counts.happened_us, 1000); /* when the two entered */
    /* Another shape: who is inside is found out anew, what was counted stays. */
    settings.shape.points[1].x = 1;
    filter_configure(filter, &settings);
    assert_int_equal(filter_update(filter, seen, FILTER_PASSES, 3000, events, 8), 4);
    filter_read_status(filter, &status);
    assert_int_equal(status.zone.events[ZONE_ENTER], 6);
    settings.kind = FILTER_DETECTIONS;
    filter_configure(filter, &settings);
    assert_false(filter_read_zone(filter, &zone));
    detections_unref(&seen);
    filter_unref(&filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_pass_with_their_objects),
        cmocka_unit_test(detections_are_thinned_out),
        cmocka_unit_test(zones_let_pass_by_place),
        cmocka_unit_test(results_and_events_are_counted),
    };
    return cmocka_run_group_tests(tests, make_labels, free_labels);
}
