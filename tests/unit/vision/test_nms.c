#include "core/error.h"
#include "core/random.h"
#include "vision/nms.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct detection box(int class_id, float confidence, float x, float y, float size)
{
    return (struct detection){.class_id = class_id,
                              .confidence = confidence,
                              .x1 = x,
                              .y1 = y,
                              .x2 = x + size,
                              .y2 = y + size};
}

static void add(struct candidate_list *list, struct detection candidate)
{
    assert_int_equal(candidate_list_add(list, &candidate), OW_OK);
}

static void iou_of_known_boxes(void **state)
{
    (void)state;
    struct detection a = box(0, 1, 0, 0, 10);
    struct detection b = box(0, 1, 5, 0, 10);
    struct detection touching = box(0, 1, 10, 0, 10);
    struct detection flat = box(0, 1, 2, 2, 0);
    assert_float_equal(box_iou(&a, &a), 1.0F, 1e-6F);
    assert_float_equal(box_iou(&a, &b), 50.0F / 150.0F, 1e-6F);
    assert_float_equal(box_iou(&a, &touching), 0.0F, 0.0F);
    assert_float_equal(box_iou(&flat, &flat), 0.0F, 0.0F);
}

/* Symmetric, in 0..1, 1 for itself, the same wherever the two stand and however large they are. */
static void iou_is_a_measure_of_likeness(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 23);
    int overlapping = 0;
    for (int round = 0; round < 5000; round++) {
        struct detection a, b;
        struct detection *boxes[] = {&a, &b};
        for (int k = 0; k < 2; k++) {
            *boxes[k] =
                box(0, 1, (float)(random_u32(&random) % 64), (float)(random_u32(&random) % 64),
                    1 + (float)(random_u32(&random) % 64));
            boxes[k]->y2 = boxes[k]->y1 + 1 + (float)(random_u32(&random) % 64);
        }
        const float iou = box_iou(&a, &b);
        assert_true(iou >= 0 && iou <= 1);
        assert_true(box_iou(&b, &a) == iou);
        assert_float_equal(box_iou(&a, &a), 1.0F, 1e-6F);
        overlapping += iou > 0;
        for (int k = 0; k < 2; k++) {
            boxes[k]->x1 = 2 * (boxes[k]->x1 + 100);
            boxes[k]->x2 = 2 * (boxes[k]->x2 + 100);
            boxes[k]->y1 = 2 * (boxes[k]->y1 - 30);
            boxes[k]->y2 = 2 * (boxes[k]->y2 - 30);
        }
        assert_float_equal(box_iou(&a, &b), iou, 1e-6F);
    }
    assert_in_range(overlapping, 1000, 4000); /* both were tried */
}

static void classes_suppress_each_other_only_when_agnostic(void **state)
{
    (void)state;
    for (int agnostic = 0; agnostic < 2; agnostic++) {
        struct candidate_list list = {0};
        struct model_thresholds thresholds = {
            .iou = 0.5F, .max_detections = 10, .agnostic = agnostic != 0};
        add(&list, box(7, 0.6F, 1, 0, 100)); /* a truck that is also … */
        add(&list, box(2, 0.9F, 0, 0, 100)); /* … a car */
        add(&list, box(2, 0.5F, 2, 0, 100)); /* the same car again */
        add(&list, box(2, 0.4F, 300, 0, 100));
        nms_apply(&list, &thresholds);
        assert_int_equal(list.count, agnostic ? 2 : 3);
        assert_float_equal(list.items[0].confidence, 0.9F, 0);
        assert_int_equal(list.items[1].class_id, agnostic ? 2 : 7);
        candidate_list_free(&list);
    }
}

static void random_boxes(struct candidate_list *list, struct random_source *random, int count)
{
    for (int i = 0; i < count; i++) {
        float confidence = (float)(random_u32(random) % 20) / 20.0F; /* ties are wanted */
        add(list, box((int)(random_u32(random) % 3), confidence, (float)(random_u32(random) % 60),
                      (float)(random_u32(random) % 60), 5.0F + (float)(random_u32(random) % 40)));
    }
}

static void shuffle(struct candidate_list *list, struct random_source *random)
{
    for (size_t i = list->count; i > 1; i--) {
        size_t other = random_u32(random) % i;
        struct detection swapped = list->items[i - 1];
        list->items[i - 1] = list->items[other];
        list->items[other] = swapped;
    }
}

static void the_order_of_the_input_is_without_effect(void **state)
{
    (void)state;
    struct random_source random;
    random_seeded(&random, 7);
    for (int round = 0; round < 100; round++) {
        struct candidate_list first = {0};
        struct candidate_list second = {0};
        struct model_thresholds thresholds = {
            .iou = 0.45F, .max_detections = 50, .agnostic = round % 2 == 0};
        random_boxes(&first, &random, 120);
        for (size_t i = 0; i < first.count; i++)
            add(&second, first.items[i]);
        shuffle(&second, &random);
        nms_apply(&first, &thresholds);
        nms_apply(&second, &thresholds);
        assert_int_equal(first.count, second.count);
        assert_true(first.count > 1 && first.count <= 50);
        assert_memory_equal(first.items, second.items, first.count * sizeof *first.items);
        for (size_t i = 1; i < first.count; i++) {
            assert_true(first.items[i].confidence <= first.items[i - 1].confidence);
            for (size_t k = 0; k < i; k++)
                if (thresholds.agnostic || first.items[i].class_id == first.items[k].class_id)
                    assert_true(box_iou(&first.items[i], &first.items[k]) <= 0.45F);
        }
        candidate_list_free(&first);
        candidate_list_free(&second);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    struct candidate_list list = {0};
    struct model_thresholds thresholds = {.iou = 0.5F, .max_detections = 3};
    for (int i = 0; i < 10; i++)
        add(&list, box(0, (float)i / 10.0F, (float)(100 * i), 0, 10));
    nms_apply(&list, &thresholds);
    assert_int_equal(list.count, 3);
    assert_float_equal(list.items[2].confidence, 0.7F, 1e-6F);
    thresholds.max_detections = 2;
    nms_sort(&list, &thresholds);
    assert_int_equal(list.count, 2);
    thresholds.max_detections = -1;
    nms_apply(&list, &thresholds);
    assert_int_equal(list.count, 0);
    nms_apply(&list, &thresholds); /* an empty list stays empty */
    assert_int_equal(list.count, 0);
    candidate_list_free(&list);
}

static void class_filter(void **state)
{
    (void)state;
    const int classes[] = {0, 7};
    struct model_thresholds thresholds = {.classes = classes, .class_count = 2};
    assert_true(class_wanted(&thresholds, 7));
    assert_false(class_wanted(&thresholds, 2));
    thresholds.class_count = 0; /* a filter that lets nothing through */
    assert_false(class_wanted(&thresholds, 7));
    thresholds.classes = NULL;
    assert_true(class_wanted(&thresholds, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iou_of_known_boxes),
        cmocka_unit_test(iou_is_a_measure_of_likeness),
        cmocka_unit_test(classes_suppress_each_other_only_when_agnostic),
        cmocka_unit_test(the_order_of_the_input_is_without_effect),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(class_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
