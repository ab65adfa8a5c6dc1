/* Class maps against a slow and plain reading of the same values. */
#include "core/error.h"
#include "core/object_shape.h"
#include "core/random.h"
#include "vision/models/family.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 23, HEIGHT = 17, CELLS = WIDTH * HEIGHT, CLASSES = 4, ROUNDS = 200 };
enum kind { PROBABILITIES, LOGITS, IDS, KINDS };

static const struct model_thresholds everything = {.confidence = 0, .max_detections = CELLS};

/* A map of blobs, as the model gives it, and what is in it. */
struct scene {
    enum kind kind;
    int classes;
    float values[CLASSES][CELLS]; /* [C,H,W]; of ids the first alone */
    float given[CLASSES * CELLS]; /* the same in the model's order */
    struct tensor_view view;
    struct output_layout layout;
    int owner[CELLS]; /* the class, -1 = none */
    double sure[CELLS];
};

static double step(double value)
{
    return 1 / (1 + exp(-value));
}

static void read_slowly(struct scene *scene)
{
    for (int i = 0; i < CELLS; i++) {
        double best = -INFINITY, second = -INFINITY;
        scene->owner[i] = -1;
        for (int c = 0; c < scene->classes && scene->kind != IDS; c++) {
            double value = (double)scene->values[c][i];
            if (value > best) {
                second = best;
                best = value;
                scene->owner[i] = c;
            } else if (value > second) {
                second = value;
            }
        }
        bool logits = scene->kind == LOGITS;
        scene->sure[i] = scene->classes == 1 ? (logits ? step(best) : best)
                         : logits            ? step(best - second)
                                             : 0.5 + (best - second) / 2;
        if (scene->kind == IDS) {
            scene->owner[i] = isnan(scene->values[0][i]) ? 0 : (int)scene->values[0][i];
            scene->sure[i] = 1;
        }
        if (scene->classes == 1 ? scene->sure[i] < 0.5 : scene->owner[i] == 0)
            scene->owner[i] = -1;
    }
}

static void make_scene(struct scene *scene, struct random_source *random, enum kind kind,
                       int classes, bool last)
{
    memset(scene, 0, sizeof *scene);
    scene->kind = kind;
    scene->classes = classes;
    for (int c = 0; c < classes; c++)
        for (int i = 0; i < CELLS; i++) {
            /* Blobs of some cells, and noise. */
            int blob = (i % WIDTH / 4 * 7 + i / WIDTH / 3 * 5 + c * 3) % 5;
            double value = 0.2 * blob + 0.5 * random_unit(random);
            scene->values[c][i] = (float)(kind == LOGITS ? 12 * value - 6
                                          : kind == IDS  ? floor(fmod(4 * value, CLASSES))
                                                         : fmin(value / 1.3, 1));
            if (random_u32(random) % 50 == 0)
                scene->values[c][i] = NAN;
        }
    int maps = kind == IDS ? 1 : classes;
    for (int c = 0; c < maps; c++)
        for (int i = 0; i < CELLS; i++)
            scene->given[last ? i * maps + c : c * CELLS + i] = scene->values[c][i];
    scene->view = (struct tensor_view){
        .data = scene->given,
        .rank = 4,
        .dims = {1, last ? HEIGHT : maps, last ? WIDTH : HEIGHT, last ? maps : WIDTH},
        .count = (size_t)(maps * CELLS)};
    read_slowly(scene);
}

/* By a run without a NaN, as the test picture's. */
static void recognise(struct scene *scene)
{
    struct ort_session_info io = {.input_count = 1, .output_count = 1};
    struct picture_format format = picture_format_default;
    struct tensor_view probe = scene->view;
    float *clean = malloc(probe.count * sizeof *clean);
    assert_non_null(clean);
    for (size_t i = 0; i < probe.count; i++)
        clean[i] = isnan(probe.data[i]) ? 0 : probe.data[i];
    probe.data = clean;
    io.outputs[0] =
        (struct tensor_info){.rank = 4, .type = scene->kind == IDS ? TENSOR_INT64 : TENSOR_FLOAT32};
    const struct model_traits traits = {.io = &io,
                                        .probe = &probe,
                                        .input_width = WIDTH,
                                        .input_height = HEIGHT,
                                        .task = "segment",
                                        .names = scene->classes};
    const struct model_family *family = model_family_find(&traits, NULL, &scene->layout, &format);
    assert_ptr_equal(family, &class_map_family);
    scene->layout.input_width = WIDTH;
    scene->layout.input_height = HEIGHT;
    free(clean);
}

/* Marks the cells that touch the i-th, of its class; how many there are, with their box. */
static int spread(const struct scene *scene, int start, int mark[CELLS], int id, int box[4])
{
    int stack[CELLS * 4], count = 0, cells = 0;
    stack[count++] = start;
    while (count > 0) {
        int i = stack[--count], x = i % WIDTH, y = i / WIDTH;
        if (mark[i] || scene->owner[i] != scene->owner[start])
            continue;
        mark[i] = id;
        cells++;
        box[0] = x < box[0] ? x : box[0];
        box[1] = y < box[1] ? y : box[1];
        box[2] = x + 1 > box[2] ? x + 1 : box[2];
        box[3] = y + 1 > box[3] ? y + 1 : box[3];
        if (x > 0)
            stack[count++] = i - 1;
        if (x + 1 < WIDTH)
            stack[count++] = i + 1;
        if (y > 0)
            stack[count++] = i - WIDTH;
        if (y + 1 < HEIGHT)
            stack[count++] = i + WIDTH;
    }
    return cells;
}

/* The one of the list with this box, class and confidence; taken out of it. */
static struct detection take(struct candidate_list *list, const int box[4], int class_id,
                             double sure)
{
    for (size_t i = 0; i < list->count; i++) {
        struct detection item = list->items[i];
        if (item.class_id == class_id && lroundf(item.x1) == box[0] && lroundf(item.y1) == box[1] &&
            lroundf(item.x2) == box[2] && lroundf(item.y2) == box[3] &&
            fabs((double)item.confidence - sure) < 1e-3) {
            list->items[i] = list->items[--list->count];
            return item;
        }
    }
    fail_msg("no object of class %d at %d,%d to %d,%d with %f", class_id, box[0], box[1], box[2],
             box[3], sure);
    return (struct detection){0};
}

/* Inside is what touches the region's seed. What is 128 or 127 is on the line. */
static void check_mask(const struct scene *scene, const struct detection *item,
                       const int mark[CELLS], int id, const int box[4])
{
    struct object_shape *shape = NULL;
    size_t cells_left = CELLS;
    assert_int_equal(
        class_map_family.shape(&scene->layout, &scene->view, item, &cells_left, &shape), OW_OK);
    assert_non_null(shape);
    assert_int_equal(shape->mask_width, box[2] - box[0]);
    assert_int_equal(shape->mask_height, box[3] - box[1]);
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x++) {
            int at = y * WIDTH + x;
            int seen = shape->mask[(y - box[1]) * shape->mask_width + x - box[0]];
            bool own = mark[at] == id;
            if (own && seen < MASK_INSIDE && scene->sure[at] > 0.51)
                fail_msg("%d,%d is %d", x, y, seen);
            if (!own && seen >= MASK_INSIDE)
                fail_msg("%d,%d of another is %d", x, y, seen);
        }
    object_shape_unref(&shape);
}

static void check(const struct scene *scene)
{
    struct candidate_list list = {0};
    int mark[CELLS] = {0}, id = 0;
    assert_int_equal(class_map_family.decode(&scene->layout, &scene->view, &everything, &list),
                     OW_OK);
    for (int i = 0; i < CELLS; i++) {
        int box[4] = {WIDTH, HEIGHT, 0, 0};
        double sure = 0;
        if (mark[i] || scene->owner[i] < 0)
            continue;
        int cells = spread(scene, i, mark, ++id, box);
        for (int k = 0; k < CELLS; k++)
            sure += mark[k] == id ? fmin(scene->sure[k], 1) / cells : 0;
        struct detection item = take(&list, box, scene->owner[i], sure);
        check_mask(scene, &item, mark, id, box);
    }
    assert_true(id > 0);
    assert_int_equal(list.count, 0);
    candidate_list_free(&list);
}

static void maps_equal_a_slow_reference(void **state)
{
    (void)state;
    struct random_source random;
    struct scene *scene = malloc(sizeof *scene);
    assert_non_null(scene);
    random_seeded(&random, 11);
    for (int round = 0; round < ROUNDS; round++) {
        enum kind kind = (enum kind)(round % KINDS);
        int classes = kind == IDS ? CLASSES : 1 + round / KINDS % CLASSES;
        make_scene(scene, &random, kind, classes, kind != IDS && round / 12 % 2 == 1);
        recognise(scene);
        check(scene);
    }
    free(scene);
}

/* [1,H,W], of whole numbers or floats; and a single map of bytes that is no map of ids. */
static void ids_have_one_map(void **state)
{
    (void)state;
    float values[CELLS] = {0};
    struct ort_session_info io = {.input_count = 1, .output_count = 1};
    struct tensor_view view = {
        .data = values, .rank = 3, .dims = {1, HEIGHT, WIDTH}, .count = CELLS};
    struct output_layout layout = {0};
    struct picture_format format = picture_format_default;
    struct model_traits traits = {.io = &io, .probe = &view, .task = "segment", .names = 3};
    struct candidate_list list = {0};
    for (int i = 5 * WIDTH; i < 6 * WIDTH; i++)
        values[i] = 2;
    io.outputs[0] = (struct tensor_info){.rank = 3, .type = TENSOR_FLOAT32};
    assert_ptr_equal(model_family_find(&traits, NULL, &layout, &format), &class_map_family);
    layout.input_width = 2 * WIDTH;
    layout.input_height = 2 * HEIGHT;
    values[5 * WIDTH + 7] = 3; /* no class */
    assert_int_equal(class_map_family.decode(&layout, &view, &everything, &list), OW_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].class_id, 2);
    assert_float_equal(list.items[0].y1, 10, 1e-4F);
    assert_float_equal(list.items[0].x2, 14, 1e-4F);
    assert_float_equal(list.items[0].confidence, 1, 1e-6F);
    candidate_list_free(&list);
    values[3] = 0.5F;
    assert_null(model_family_find(&traits, NULL, &layout, &format));
    values[3] = 3;
    traits.names = 0; /* up to 256 of them */
    assert_ptr_equal(model_family_find(&traits, NULL, &layout, &format), &class_map_family);
    assert_int_equal(layout.class_count, 256);
    traits.names = 1;
    assert_null(model_family_find(&traits, NULL, &layout, &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_equal_a_slow_reference),
        cmocka_unit_test(ids_have_one_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
