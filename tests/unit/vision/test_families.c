#include "core/error.h"
#include "core/random.h"
#include "vision/models/family.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct model_thresholds everything = {
    .confidence = 0.25F, .iou = 0.5F, .max_detections = 300};

/* Whether a model with this one output and Ultralytics' metadata is recognised, and its layout. */
static const struct model_family *find(int64_t rows, int64_t columns, int names, const char *task,
                                       bool end_to_end, struct output_layout *layout)
{
    static struct ort_session_info io;
    memset(&io, 0, sizeof io);
    io.output_count = 1;
    io.outputs[0] = (struct tensor_info){
        .name = "output0", .type = TENSOR_FLOAT32, .rank = 3, .dims = {1, rows, columns}};
    const struct model_traits traits = {.io = &io,
                                        .input_width = 416,
                                        .input_height = 416,
                                        .task = task != NULL ? task : "detect",
                                        .end_to_end = end_to_end,
                                        .names = names};
    struct picture_format format = picture_format_default;
    return model_family_find(&traits, NULL, layout, &format);
}

static void layouts_are_told_apart(void **state)
{
    (void)state;
    struct output_layout layout;
    enum { CELLS = 3549 }; /* of a 416 x 416 input */
    assert_ptr_equal(find(84, CELLS, 80, "detect", false, &layout), &ultralytics_family);
    assert_int_equal(layout.class_count, 80);
    int channels_first = layout.variant;
    assert_non_null(find(CELLS, 84, 80, NULL, false, &layout));
    int channels_last = layout.variant;
    assert_int_not_equal(channels_last, channels_first);
    assert_non_null(find(3 * CELLS, 85, 80, "detect", false, &layout));
    int with_objectness = layout.variant;
    assert_int_not_equal(with_objectness, channels_last);
    assert_int_equal(layout.class_count, 80);
    assert_non_null(find(300, 6, 80, "detect", false, &layout));
    assert_true(layout.suppressed);
    assert_non_null(find(25200, 6, 1, "detect", false, &layout)); /* v5 with one class */
    assert_int_equal(layout.variant, with_objectness);
    assert_false(layout.suppressed);
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    struct output_layout layout;
    assert_null(find(3549, 85, 0, NULL, false, &layout)); /* a raw grid */
    assert_null(find(84, 3549, 80, "segment", false, &layout));
    assert_null(find(84, 3549, 20, "detect", false, &layout));
    assert_null(find(1, 1000, 0, NULL, false, &layout)); /* a classifier */
    assert_null(find(-1, -1, 80, "detect", false, &layout));
    assert_null(find(4, 3549, 0, NULL, false, &layout)); /* no class at all */
    assert_true(model_family_exists("ultralytics"));
    assert_false(model_family_exists("ultra"));
}

/* Decodes values in memory of their exact size; returns the count, the list is the caller's. */
static void decode(int64_t rows, int64_t columns, int names, const float *values,
                   const struct model_thresholds *thresholds, struct candidate_list *out)
{
    struct output_layout layout;
    const struct model_family *family = find(rows, columns, names, NULL, false, &layout);
    assert_non_null(family);
    size_t count = (size_t)(rows * columns);
    float *copy = malloc(count * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, values, count * sizeof *copy);
    const struct tensor_view view = {
        .data = copy, .rank = 3, .dims = {1, rows, columns}, .count = count};
    assert_int_equal(family->decode(&layout, &view, thresholds, out), OW_OK);
    free(copy);
}

static void assert_box(const struct detection *seen, int class_id, float confidence, float x1,
                       float y1, float x2, float y2)
{
    assert_int_equal(seen->class_id, class_id);
    assert_float_equal(seen->confidence, confidence, 1e-6F);
    assert_float_equal(seen->x1, x1, 1e-4F);
    assert_float_equal(seen->y1, y1, 1e-4F);
    assert_float_equal(seen->x2, x2, 1e-4F);
    assert_float_equal(seen->y2, y2, 1e-4F);
}

static void channels_first_and_last_read_the_same(void **state)
{
    (void)state;
    enum { CLASSES = 3, BOXES = 1700, CHANNELS = 4 + CLASSES }; /* more than a block */
    static float first[CHANNELS][BOXES];
    static float last[BOXES][CHANNELS];
    struct random_source random;
    random_seeded(&random, 3);
    for (int n = 0; n < BOXES; n++)
        for (int c = 0; c < CHANNELS; c++)
            last[n][c] = first[c][n] =
                (float)random_unit(&random) * (c < 4 ? 400.0F : 1.0F) + (c < 4 ? 1.0F : 0.0F);
    struct candidate_list a = {0};
    struct candidate_list b = {0};
    decode(CHANNELS, BOXES, CLASSES, &first[0][0], &everything, &a);
    decode(BOXES, CHANNELS, CLASSES, &last[0][0], &everything, &b);
    assert_true(a.count > 500);
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++)
        assert_memory_equal(&a.items[i], &b.items[i], offsetof(struct detection, track_id));
    candidate_list_free(&a);
    candidate_list_free(&b);
}

static void known_values(void **state)
{
    (void)state;
    const float first[6][3] = {{50, 100, 1}, {60, 100, 1},       {20, 10, 1},
                               {40, 10, 1},  {0.9F, 0.1F, 0.0F}, {0.3F, 0.2F, 0.8F}};
    struct candidate_list list = {0};
    decode(6, 3, 2, &first[0][0], &everything, &list);
    assert_int_equal(list.count, 2);
    assert_box(&list.items[0], 0, 0.9F, 40, 40, 60, 80);
    assert_box(&list.items[1], 1, 0.8F, 0.5F, 0.5F, 1.5F, 1.5F);
    candidate_list_clear(&list);
    const float v5[2][7] = {{50, 60, 20, 40, 0.5F, 0.2F, 0.8F}, {50, 60, 20, 40, 0.2F, 1, 1}};
    decode(2, 7, 2, &v5[0][0], &everything, &list);
    assert_int_equal(list.count, 1);
    assert_box(&list.items[0], 1, 0.4F, 40, 40, 60, 80);
    candidate_list_clear(&list);
    const float end_to_end[3][6] = {
        {1, 2, 3, 4, 0.5F, 2}, {1, 2, 3, 4, 0.1F, 0}, {1, 2, 3, 4, 0.9F, 3}};
    decode(3, 6, 3, &end_to_end[0][0], &everything, &list); /* class 3 of 3 there is none */
    assert_int_equal(list.count, 1);
    assert_box(&list.items[0], 2, 0.5F, 1, 2, 3, 4);
    candidate_list_clear(&list);
    const int wanted[] = {1};
    struct model_thresholds filtered = everything;
    filtered.classes = wanted;
    filtered.class_count = 1;
    decode(6, 3, 2, &first[0][0], &filtered, &list);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].class_id, 1);
    candidate_list_free(&list);
}

static void values_that_are_no_numbers_are_left_out(void **state)
{
    (void)state;
    static const float absurd[] = {NAN, INFINITY, -INFINITY, 1e30F, -1e30F, 2e5F};
    static const int64_t shapes[][3] = {{6, 4, 2}, {40, 6, 3}, {4, 7, 2}};
    for (size_t s = 0; s < 3; s++) {
        for (size_t a = 0; a < sizeof absurd / sizeof absurd[0]; a++) {
            float values[240];
            struct candidate_list list = {0};
            for (size_t i = 0; i < 240; i++)
                values[i] = absurd[a];
            decode(shapes[s][0], shapes[s][1], (int)shapes[s][2], values, &everything, &list);
            assert_int_equal(list.count, 0);
            candidate_list_free(&list);
        }
    }
}

/* One bad value anywhere spoils at most its own box. */
static void one_bad_value_leaves_the_others(void **state)
{
    (void)state;
    const float good[6][2] = {{50, 90}, {60, 90}, {20, 10}, {40, 10}, {0.9F, 0.1F}, {0.3F, 0.8F}};
    static const float absurd[] = {NAN, INFINITY, -INFINITY, 1e30F};
    for (int i = 0; i < 12 * 4; i++) {
        float values[12];
        struct candidate_list list = {0};
        memcpy(values, good, sizeof values);
        values[i / 4] = absurd[i % 4];
        decode(6, 2, 2, values, &everything, &list);
        assert_in_range(list.count, 1, 2);
        for (size_t k = 0; k < list.count; k++) {
            assert_true(isfinite(list.items[k].x1) && isfinite(list.items[k].y2));
            assert_true(list.items[k].confidence > 0.25F && list.items[k].confidence <= 1.0F);
        }
        candidate_list_free(&list);
    }
}

static void shapes_that_differ_from_the_announced_are_refused(void **state)
{
    (void)state;
    struct output_layout layout;
    const struct model_family *family = find(84, -1, 80, "detect", false, &layout);
    assert_non_null(family); /* the number of boxes is free */
    static const float values[84 * 2];
    struct candidate_list list = {0};
    struct tensor_view view = {.data = values, .rank = 3, .dims = {1, 84, 2}, .count = 168};
    assert_int_equal(family->decode(&layout, &view, &everything, &list), OW_OK);
    view.dims[1] = 83;
    assert_int_equal(family->decode(&layout, &view, &everything, &list), OW_EPARSE);
    view.dims[1] = 84;
    view.count = 84;
    assert_int_equal(family->decode(&layout, &view, &everything, &list), OW_EPARSE);
    view.rank = 2;
    assert_int_equal(family->decode(&layout, &view, &everything, &list), OW_EPARSE);
    view = (struct tensor_view){.rank = 3, .dims = {1, 84, 0}};
    assert_int_equal(family->decode(&layout, &view, &everything, &list), OW_OK);
    assert_int_equal(list.count, 0);
    candidate_list_free(&list);
}

/* What a setting can choose from are the families, all of them. */
static void every_family_can_be_chosen(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    static const struct model_family *const families[COUNT] = {&ultralytics_family,
                                                               &ultralytics_segment_family,
                                                               &ultralytics_pose_family,
                                                               &yolox_family,
                                                               &yolov5_grid_family,
                                                               &nanodet_family,
                                                               &detr_family,
                                                               &ssd_family,
                                                               &blazeface_family,
                                                               &movenet_family,
                                                               &class_map_family,
                                                               &classify_family};
    int count = 0;
    assert_string_equal(model_decoder_names[0], "auto");
    for (; model_decoder_names[count + 1] != NULL; count++)
        assert_true(model_family_exists(model_decoder_names[count + 1]));
    assert_int_equal(count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        const char *const *name = model_decoder_names;
        while (*name != NULL && strcmp(*name, families[i]->name) != 0)
            name++;
        assert_non_null(*name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_told_apart),
        cmocka_unit_test(every_family_can_be_chosen),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(channels_first_and_last_read_the_same),
        cmocka_unit_test(known_values),
        cmocka_unit_test(values_that_are_no_numbers_are_left_out),
        cmocka_unit_test(one_bad_value_leaves_the_others),
        cmocka_unit_test(shapes_that_differ_from_the_announced_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
