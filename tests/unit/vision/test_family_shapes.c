/* Masks and key points: known outputs give known shapes. The outputs are made here, and so is the
 * ONNX file of an Ultralytics segmentation model, of which none can be had by a package; MoveNet
 * and the person segmentation models run in test_people_real.c. */
#include "core/error.h"
#include "onnx_file.h"
#include "vision/models/family.h"
#include "vision/onnxruntime.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 64, CELLS = 64 + 16 + 4, OUTPUTS_MAX = 2 };

static const struct model_thresholds everything = {
    .confidence = 0.25F, .iou = 0.5F, .max_detections = 300};

/* A model of one task with a picture of 64x64. */
struct scene {
    struct ort_session_info io;
    struct tensor_view views[SESSION_MAX_TENSORS];
    float *values[OUTPUTS_MAX];
    struct model_traits traits;
    const struct model_family *family;
    struct output_layout layout;
    struct candidate_list list;
};

static void begin(struct scene *scene, const char *task, int names)
{
    *scene = (struct scene){.io.input_count = 1};
    scene->traits = (struct model_traits){
        .io = &scene->io, .input_width = SIDE, .input_height = SIDE, .task = task, .names = names};
}

static float *add_output(struct scene *scene, int rank, const int64_t *dims)
{
    int at = scene->io.output_count++;
    struct tensor_info *info = &scene->io.outputs[at];
    struct tensor_view *view = &scene->views[at];
    snprintf(info->name, sizeof info->name, "output%d", at);
    info->type = TENSOR_FLOAT32;
    info->rank = view->rank = rank;
    view->count = 1;
    for (int i = 0; i < rank; i++) {
        info->dims[i] = view->dims[i] = dims[i];
        view->count *= (size_t)dims[i];
    }
    scene->values[at] = calloc(view->count, sizeof(float));
    assert_non_null(scene->values[at]);
    view->data = scene->values[at];
    return scene->values[at];
}

static void decode(struct scene *scene, const char *family)
{
    struct picture_format format = picture_format_default;
    scene->traits.probe = scene->views;
    scene->family = model_family_find(&scene->traits, NULL, &scene->layout, &format);
    assert_non_null(scene->family);
    assert_string_equal(scene->family->name, family);
    scene->layout.input_width = scene->layout.input_height = SIDE;
    assert_int_equal(scene->family->decode(&scene->layout, scene->views, &everything, &scene->list),
                     OW_OK);
    nms_sort(&scene->list, &everything);
}

static struct object_shape *shape_of(struct scene *scene, size_t candidate, size_t *cells_left)
{
    struct object_shape *shape = NULL;
    assert_true(candidate < scene->list.count);
    assert_int_equal(scene->family->shape(&scene->layout, scene->views,
                                          &scene->list.items[candidate], cells_left, &shape),
                     OW_OK);
    return shape;
}

static void end(struct scene *scene)
{
    for (int i = 0; i < OUTPUTS_MAX; i++)
        free(scene->values[i]);
    candidate_list_free(&scene->list);
}

static void assert_box(const struct detection *box, float x1, float y1, float x2, float y2)
{
    assert_float_equal(box->x1, x1, 1e-3F);
    assert_float_equal(box->y1, y1, 1e-3F);
    assert_float_equal(box->x2, x2, 1e-3F);
    assert_float_equal(box->y2, y2, 1e-3F);
}

static void assert_point(const struct object_shape *shape, int index, float x, float y, float score)
{
    assert_float_equal(shape->keypoints[index].x, x, 1e-5F);
    assert_float_equal(shape->keypoints[index].y, y, 1e-5F);
    assert_float_equal(shape->keypoints[index].score, score, 1e-5F);
}

/* ---- Ultralytics -seg ---- */

enum { PROTOTYPES = 2, PROTOTYPE_SIDE = 16, SEGMENT_ROWS = 4 + 1 + PROTOTYPES };

/* The first prototype is 8 in the left half and -8 in the right one, the second 8 at the top. */
static void fill_prototypes(float *values)
{
    for (int y = 0; y < PROTOTYPE_SIDE; y++)
        for (int x = 0; x < PROTOTYPE_SIDE; x++) {
            values[y * PROTOTYPE_SIDE + x] = x < 8 ? 8 : -8;
            values[(PROTOTYPE_SIDE + y) * PROTOTYPE_SIDE + x] = y < 8 ? 8 : -8;
        }
}

/* Two objects in rows [cx, cy, w, h, score, coefficients] of channels-first boxes. */
static void fill_boxes(float *values)
{
    static const float objects[2][SEGMENT_ROWS] = {{32, 32, 32, 24, .9F, 1, 0},
                                                   {20, 40, 40, 48, .8F, 0, 1}};
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < SEGMENT_ROWS; k++)
            values[k * CELLS + 7 + 30 * i] = objects[i][k];
}

static void masks_are_sums_of_prototypes(void **state)
{
    (void)state;
    struct scene scene;
    size_t cells_left = 1000;
    begin(&scene, "segment", 1);
    fill_boxes(add_output(&scene, 3, (const int64_t[]){1, SEGMENT_ROWS, CELLS}));
    fill_prototypes(
        add_output(&scene, 4, (const int64_t[]){1, PROTOTYPES, PROTOTYPE_SIDE, PROTOTYPE_SIDE}));
    decode(&scene, "ultralytics-segment");
    assert_int_equal(scene.list.count, 2);
    assert_box(&scene.list.items[0], 16, 20, 48, 44);
    /* A prototype cell is four pixels: 8 x 6 of them are in the box, the middle between 4 and 4. */
    struct object_shape *shape = shape_of(&scene, 0, &cells_left);
    assert_int_equal(shape->mask_width, 8);
    assert_int_equal(shape->mask_height, 6);
    assert_int_equal(cells_left, 1000 - 48);
    for (int i = 0; i < 48; i++)
        assert_int_equal(shape->mask[i], i % 8 < 4 ? 255 : 0);
    object_shape_unref(&shape);
    shape = shape_of(&scene, 1, &cells_left); /* from 16 to 64: the upper third is above 32 */
    assert_int_equal(shape->mask_width, 10);
    assert_int_equal(shape->mask_height, 12);
    for (int i = 0; i < 120; i++)
        assert_int_equal(shape->mask[i], i < 40 ? 255 : 0);
    object_shape_unref(&shape);
    end(&scene);
}

static void masks_keep_to_the_room_there_is(void **state)
{
    (void)state;
    struct scene scene;
    size_t cells_left = 47;
    begin(&scene, "segment", 1);
    fill_boxes(add_output(&scene, 3, (const int64_t[]){1, SEGMENT_ROWS, CELLS}));
    float *prototypes =
        add_output(&scene, 4, (const int64_t[]){1, PROTOTYPES, PROTOTYPE_SIDE, PROTOTYPE_SIDE});
    for (int i = 0; i < PROTOTYPES * PROTOTYPE_SIDE * PROTOTYPE_SIDE; i++)
        prototypes[i] = i % 3 == 0 ? NAN : INFINITY;
    decode(&scene, "ultralytics-segment");
    assert_null(shape_of(&scene, 0, &cells_left));
    assert_int_equal(cells_left, 47);
    cells_left = 48;
    struct object_shape *shape = shape_of(&scene, 0, &cells_left);
    assert_int_equal(cells_left, 0);
    for (int i = 0; i < 48; i++)
        assert_int_equal(shape->mask[i], 0); /* what is no number is outside */
    object_shape_unref(&shape);
    /* Other prototypes than the file has announced. */
    scene.views[1].dims[2]--;
    assert_int_equal(scene.family->decode(&scene.layout, scene.views, &everything, &scene.list),
                     OW_EPARSE);
    end(&scene);
}

/* ---- poses ---- */

static void poses_stand_behind_the_scores(void **state)
{
    (void)state;
    enum { POINTS = 3 };
    for (int values = 2; values <= 3; values++) {
        const int extra = POINTS * values, columns = 4 + 2 + extra;
        struct scene scene;
        size_t cells_left = 0;
        begin(&scene, "pose", 2);
        scene.traits.keypoints = POINTS;
        scene.traits.keypoint_values = values;
        float *rows = add_output(&scene, 3, (const int64_t[]){1, columns, CELLS});
        static const float box[] = {30, 20, 20, 10, .1F, .7F};
        for (int k = 0; k < 6; k++)
            rows[k * CELLS + 11] = box[k];
        static const float points[POINTS][3] = {
            {20, 15, .9F}, {40, 25, 1.5F}, {25, NAN, .5F}}; /* corners of the box, and nothing */
        for (int k = 0; k < extra; k++)
            rows[(6 + k) * CELLS + 11] = points[k / values][k % values];
        decode(&scene, "ultralytics-pose");
        assert_int_equal(scene.list.count, 1);
        assert_int_equal(scene.list.items[0].class_id, 1);
        struct object_shape *shape = shape_of(&scene, 0, &cells_left);
        assert_int_equal(shape->keypoint_count, POINTS);
        assert_int_equal(shape->mask_width, 0);
        assert_point(shape, 0, 0, 0, values == 3 ? .9F : 1);
        assert_point(shape, 1, 1, 1, 1);
        assert_point(shape, 2, 0, 0, 0);
        object_shape_unref(&shape);
        end(&scene);
    }
}

static void people_of_movenet(void **state)
{
    (void)state;
    struct scene scene;
    size_t cells_left = 0;
    begin(&scene, "pose", 1);
    float *rows = add_output(&scene, 3, (const int64_t[]){1, 6, 56});
    static const float box[] = {.25F, .5F, .75F, 1, .6F}; /* y, x, y, x, score */
    memcpy(rows + 56 + 51, box, sizeof box);
    rows[56 + 3] = .5F; /* y of the second point, then x and score */
    rows[56 + 4] = .75F;
    rows[56 + 5] = .8F;
    for (int k = 0; k < 5; k++)
        rows[2 * 56 + 51 + k] = k < 4 ? box[k] : NAN;
    decode(&scene, "movenet");
    assert_int_equal(scene.list.count, 1);
    assert_box(&scene.list.items[0], 32, 16, 64, 48);
    struct object_shape *shape = shape_of(&scene, 0, &cells_left);
    assert_int_equal(shape->keypoint_count, 17);
    assert_point(shape, 1, .5F, .5F, .8F);
    assert_point(shape, 0, 0, 0, 0); /* without a score */
    object_shape_unref(&shape);
    end(&scene);
}

static void a_single_pose_has_a_box_around_it(void **state)
{
    (void)state;
    struct scene scene;
    size_t cells_left = 0;
    begin(&scene, "pose", 1);
    float *points = add_output(&scene, 4, (const int64_t[]){1, 1, 17, 3});
    static const float seen[3][3] = {{.25F, .5F, .9F}, {.75F, .25F, .7F}, {.9F, .9F, .1F}};
    memcpy(points, seen, sizeof seen);
    decode(&scene, "movenet");
    assert_int_equal(scene.list.count, 1);
    /* The third is not seen. A tenth more on each side. */
    assert_box(&scene.list.items[0], 16 - 1.6F, 16 - 3.2F, 32 + 1.6F, 48 + 3.2F);
    assert_float_equal(scene.list.items[0].confidence, .8F, 1e-5F);
    struct object_shape *shape = shape_of(&scene, 0, &cells_left);
    assert_point(shape, 0, 17.6F / 19.2F, 3.2F / 38.4F, .9F);
    assert_point(shape, 1, 1.6F / 19.2F, 35.2F / 38.4F, .7F);
    object_shape_unref(&shape);
    end(&scene);
}

/* ---- class maps ---- */

static void fill_rect(float *map, int width, int x1, int y1, int x2, int y2, float value)
{
    for (int y = y1; y < y2; y++)
        for (int x = x1; x < x2; x++)
            map[y * width + x] = value;
}

/* Two persons apart, whose boxes overlap, and a speck. */
static void regions_are_objects(void **state)
{
    (void)state;
    struct scene scene;
    size_t cells_left = 10000;
    begin(&scene, "segment", 1);
    float *map = add_output(&scene, 4, (const int64_t[]){1, 1, 64, 64});
    fill_rect(map, 64, 4, 4, 8, 40, .9F);
    fill_rect(map, 64, 8, 30, 40, 40, .9F); /* an L */
    fill_rect(map, 64, 20, 10, 30, 20, .7F);
    fill_rect(map, 64, 60, 60, 62, 62, 1);
    map[0] = NAN;
    decode(&scene, "class-map");
    assert_int_equal(scene.list.count, 2);
    assert_box(&scene.list.items[0], 4, 4, 40, 40);
    assert_box(&scene.list.items[1], 20, 10, 30, 20);
    assert_float_equal(scene.list.items[0].confidence, .9F, 1e-4F);
    assert_float_equal(scene.list.items[1].confidence, .7F, 1e-4F);
    struct object_shape *shape = shape_of(&scene, 0, &cells_left);
    assert_int_equal(shape->mask_width, 36);
    for (int y = 0; y < 36; y++)
        for (int x = 0; x < 36; x++) /* the other one is not in it */
            assert_int_equal(shape->mask[y * 36 + x], x < 4 || y >= 26 ? 230 : 0);
    object_shape_unref(&shape);
    end(&scene);
}

/* Three classes of what goes into a softmax, one value of a cell behind the other; the first is the
 * background. */
static void the_highest_value_has_the_cell(void **state)
{
    (void)state;
    struct scene scene;
    size_t cells_left = 10000;
    begin(&scene, "segment", 3);
    float *map = add_output(&scene, 4, (const int64_t[]){1, 32, 32, 3});
    for (int i = 0; i < 32 * 32; i++) {
        int class_id = i % 32 >= 16 ? 2 : 0;
        for (int c = 0; c < 3; c++)
            map[3 * i + c] = c == class_id ? 4 : 1;
    }
    decode(&scene, "class-map");
    assert_int_equal(scene.list.count, 1);
    assert_int_equal(scene.list.items[0].class_id, 2);
    assert_box(&scene.list.items[0], 32, 0, 64, 64);
    assert_float_equal(scene.list.items[0].confidence, 1 / (1 + expf(-3)), 1e-4F);
    struct object_shape *shape = shape_of(&scene, 0, &cells_left);
    assert_int_equal(shape->mask_width, 16);
    assert_int_equal(shape->mask_height, 32);
    assert_int_equal(shape->mask[5], 243); /* 255 x 0.953 */
    object_shape_unref(&shape);
    end(&scene);
}

/* ---- a whole model ---- */

static void a_mask_comes_to_its_place_in_the_frame(void **state)
{
    (void)state;
    const struct onnxruntime *runtime = NULL;
    static float boxes[SEGMENT_ROWS * CELLS];
    static float prototypes[PROTOTYPES * PROTOTYPE_SIDE * PROTOTYPE_SIDE];
    char path[] = "/tmp/overwatch-segment-XXXXXX";
    if (onnxruntime_get(&runtime, NULL) != OW_OK) {
        printf("skip: there is no ONNX Runtime\n");
        skip();
    }
    fill_boxes(boxes);
    fill_prototypes(prototypes);
    const struct onnx_file file = {
        .inputs = {{"images", ONNX_FLOAT, 4, {1, 3, SIDE, SIDE}, NULL}},
        .outputs = {{"output0", ONNX_FLOAT, 3, {1, SEGMENT_ROWS, CELLS}, boxes},
                    {"output1",
                     ONNX_FLOAT,
                     4,
                     {1, PROTOTYPES, PROTOTYPE_SIDE, PROTOTYPE_SIDE},
                     prototypes}},
        .metadata = {{"task", "segment"}, {"names", "{0: 'thing'}"}}};
    close(mkstemp(path));
    onnx_file_write(path, &file);
    struct model *model = NULL;
    struct reason why = {0};
    struct frame *frame = NULL;
    struct detections *found = NULL;
    if (model_open(&model, path, NULL, &why) != OW_OK)
        fail_msg("%s", why.text);
    unlink(path);
    assert_string_equal(model_info(model)->task, "segment");
    assert_int_equal(frame_create(&frame, 128, 64), OW_OK); /* half as large, 16 from the top */
    for (int p = 0; p < FRAME_PLANES; p++)
        memset(frame->plane[p], 128, (size_t)frame->stride[p] * (p ? 32 : 64));
    assert_int_equal(model_run(model, frame, &everything, &found, NULL, &why), OW_OK);
    assert_int_equal(found->count, 2);
    assert_box(&found->items[0], 32, 8, 96, 56);
    assert_int_equal(found->items[0].track_id, 0);
    assert_int_equal(found->items[0].shape->mask_width, 8);
    assert_int_equal(found->items[0].shape->mask[0], 255);
    assert_int_equal(found->items[0].shape->mask[7], 0);
    detections_unref(&found);
    frame_unref(&frame);
    model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_sums_of_prototypes),
        cmocka_unit_test(masks_keep_to_the_room_there_is),
        cmocka_unit_test(poses_stand_behind_the_scores),
        cmocka_unit_test(people_of_movenet),
        cmocka_unit_test(a_single_pose_has_a_box_around_it),
        cmocka_unit_test(regions_are_objects),
        cmocka_unit_test(the_highest_value_has_the_cell),
        cmocka_unit_test(a_mask_comes_to_its_place_in_the_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
