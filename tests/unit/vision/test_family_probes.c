/* Families that are told by a run on a test picture: each is recognised from values as such models
 * give them, no other takes it for its own, and known values give known boxes. The values are made
 * here; of YOLOX, NanoDet and BlazeFace real models were run as well (docs/models.md). */
#include "core/error.h"
#include "core/random.h"
#include "vision/models/family.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 64, CELLS = 64 + 16 + 4, PLUS_CELLS = CELLS + 1, OUTPUTS_MAX = 6 };

static const struct model_thresholds everything = {
    .confidence = 0.25F, .iou = 0.5F, .max_detections = 300};

/* Outputs of a model with a picture of 64x64, and what is known of it. */
struct scene {
    struct ort_session_info io;
    struct tensor_view views[SESSION_MAX_TENSORS];
    float *values[OUTPUTS_MAX];
    int names;
    const char *task, *wanted;
    int side;
};

static struct random_source source;

static float between(float low, float high)
{
    return low + (high - low) * (float)random_unit(&source);
}

static float *add_output(struct scene *scene, const char *name, int rank, const int64_t *dims)
{
    int at = scene->io.output_count++;
    struct tensor_info *info = &scene->io.outputs[at];
    struct tensor_view *view = &scene->views[at];
    size_t count = 1;
    snprintf(info->name, sizeof info->name, "%s", name);
    info->type = TENSOR_FLOAT32;
    info->rank = view->rank = rank;
    for (int i = 0; i < rank; i++) {
        info->dims[i] = view->dims[i] = dims[i];
        count *= (size_t)dims[i];
    }
    scene->values[at] = calloc(count, sizeof(float));
    assert_non_null(scene->values[at]);
    view->data = scene->values[at];
    view->count = count;
    return scene->values[at];
}

static float *add3(struct scene *scene, const char *name, int64_t rows, int64_t columns)
{
    return add_output(scene, name, 3, (const int64_t[]){1, rows, columns});
}

static void fill(float *values, size_t count, float low, float high)
{
    for (size_t i = 0; i < count; i++)
        values[i] = between(low, high);
}

static void scene_begin(struct scene *scene)
{
    random_seeded(&source, 11);
    *scene = (struct scene){.side = SIDE};
    scene->io.input_count = 1;
}

static void scene_end(struct scene *scene)
{
    for (int i = 0; i < OUTPUTS_MAX; i++)
        free(scene->values[i]);
}

static const struct model_family *find(const struct scene *scene, struct output_layout *layout,
                                       struct picture_format *format)
{
    const struct model_traits traits = {
        .io = &scene->io,
        .probe = scene->views,
        .input_width = scene->side,
        .input_height = scene->side,
        .task = scene->task,
        .names = scene->names,
        .chosen = scene->wanted != NULL,
    };
    *format = picture_format_default;
    const struct model_family *family = model_family_find(&traits, scene->wanted, layout, format);
    layout->input_width = layout->input_height = scene->side;
    return family;
}

static void assert_family(const struct scene *scene, const struct model_family *wanted,
                          struct output_layout *layout, struct picture_format *format)
{
    const struct model_family *family = find(scene, layout, format);
    if (family != wanted)
        fail_msg("%s instead of %s", family != NULL ? family->name : "none",
                 wanted != NULL ? wanted->name : "none");
}

/* The one box that is to be found. */
static void assert_finds(const struct scene *scene, const struct model_family *family,
                         const struct output_layout *layout, int class_id, float confidence,
                         const float box[4])
{
    struct candidate_list list = {0};
    assert_int_equal(family->decode(layout, scene->views, &everything, &list), OW_OK);
    assert_int_equal(list.count, 1);
    const struct detection *seen = &list.items[0];
    const float corners[4] = {seen->x1, seen->y1, seen->x2, seen->y2};
    assert_int_equal(seen->class_id, class_id);
    assert_float_equal(seen->confidence, confidence, 1e-4F);
    for (int i = 0; i < 4; i++)
        if (!(fabsf(corners[i] - box[i]) < 0.01F))
            fail_msg("corner %d: %f instead of %f", i, (double)corners[i], (double)box[i]);
    candidate_list_free(&list);
}

/* Any value that is no number, anywhere, spoils no more than boxes; a wrong shape is refused. */
static void assert_stands_bad_values(struct scene *scene, const struct model_family *family,
                                     const struct output_layout *layout)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY, 1e30F, -1e30F};
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        struct candidate_list list = {0};
        float *kept[OUTPUTS_MAX] = {0};
        for (int i = 0; i < scene->io.output_count; i++) {
            size_t bytes = scene->views[i].count * sizeof(float);
            kept[i] = malloc(bytes);
            memcpy(kept[i], scene->values[i], bytes);
            for (size_t k = 0; k < scene->views[i].count; k++)
                if (random_u32(&source) % 3 == 0)
                    scene->values[i][k] = bad[b];
        }
        assert_int_equal(family->decode(layout, scene->views, &everything, &list), OW_OK);
        for (size_t i = 0; i < list.count; i++) {
            const struct detection *item = &list.items[i];
            assert_true(item->confidence > 0.0F && item->confidence <= 1.0F);
            assert_true(item->class_id >= 0);
            assert_true(isfinite(item->x1) && isfinite(item->y1) && item->x2 > item->x1 &&
                        item->y2 > item->y1 && isfinite(item->x2) && isfinite(item->y2));
        }
        for (int i = 0; i < scene->io.output_count; i++) {
            memcpy(scene->values[i], kept[i], scene->views[i].count * sizeof(float));
            free(kept[i]);
        }
        candidate_list_free(&list);
    }
    for (int i = 0; i < layout->output_count; i++) {
        struct candidate_list list = {0};
        struct tensor_view *view = &scene->views[layout->outputs[i]];
        const struct tensor_view whole = *view;
        view->dims[1] += 1;
        assert_int_equal(family->decode(layout, scene->views, &everything, &list), OW_EPARSE);
        *view = whole;
        view->rank = 1;
        view->dims[0] = 7;
        assert_int_equal(family->decode(layout, scene->views, &everything, &list), OW_EPARSE);
        *view = whole;
        candidate_list_free(&list);
    }
}

static void yolox(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    float *values = add3(&scene, "output", CELLS, 85);
    fill(values, CELLS * 85, 0.0F, 0.1F);
    for (int i = 0; i < CELLS; i++)
        fill(values + i * 85, 4, -1.0F, 1.5F);
    assert_family(&scene, &yolox_family, &layout, &format);
    assert_true(format.bgr && format.placement == PLACEMENT_TOP_LEFT);
    assert_int_equal(layout.class_count, 80);
    float *row = values + (64 + 6) * 85; /* of stride 16, column 2, line 1 */
    const float box[] = {0.5F, 0.25F, logf(2.0F), 0.0F, 0.8F};
    memcpy(row, box, sizeof box);
    row[5 + 17] = 0.5F;
    assert_finds(&scene, &yolox_family, &layout, 17, 0.4F, (const float[]){24, 12, 56, 28});
    assert_stands_bad_values(&scene, &yolox_family, &layout);
    scene.names = 7;
    assert_family(&scene, NULL, &layout, &format); /* 85 columns are not 7 classes */
    scene.names = 0;
    values[84] = -3.0F; /* no probability: another layout */
    assert_family(&scene, NULL, &layout, &format);
    scene_end(&scene);
}

/* Boxes in pixels, one a cell, as heads decoded within the graph give them. */
static void fill_pixels(float *values, int columns, int repeats)
{
    for (int stride = 8; stride <= 32; stride *= 2)
        for (int r = 0; r < repeats; r++)
            for (int y = 0; y < SIDE / stride; y++)
                for (int x = 0; x < SIDE / stride; x++, values += columns) {
                    values[0] = ((float)x + between(0, 1)) * (float)stride;
                    values[1] = ((float)y + between(0, 1)) * (float)stride;
                    values[2] = between(4, 60);
                    values[3] = between(4, 60);
                    for (int c = 4; c < columns; c++)
                        values[c] = between(0, 0.1F);
                }
}

/* [1,N,85] in pixels is YOLOX with the decoding inside, or YOLOv6 where the objectness is 1, and
 * three boxes a cell are v5's and v7's; [1,N,84] has no objectness. */
static void boxes_in_pixels_are_told_apart(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    float *values = add3(&scene, "output", CELLS, 85);
    fill_pixels(values, 85, 1);
    assert_family(&scene, &yolox_family, &layout, &format);
    for (int i = 0; i < CELLS; i++)
        values[i * 85 + 4] = 1.0F;
    assert_family(&scene, &ultralytics_family, &layout, &format);
    assert_false(format.bgr);
    scene_end(&scene);
    scene_begin(&scene);
    fill_pixels(add3(&scene, "output", CELLS, 84), 84, 1);
    assert_family(&scene, &ultralytics_family, &layout, &format);
    assert_int_equal(layout.class_count, 80);
    scene_end(&scene);
    scene_begin(&scene);
    fill_pixels(add3(&scene, "output", 3 * CELLS, 12), 12, 3);
    assert_family(&scene, &ultralytics_family, &layout, &format);
    assert_int_equal(layout.class_count, 7);
    scene_end(&scene);
    scene_begin(&scene); /* 4+8 classes or 5+7: nothing tells */
    fill_pixels(add3(&scene, "output", CELLS, 12), 12, 1);
    assert_family(&scene, NULL, &layout, &format);
    scene.names = 7;
    assert_family(&scene, &yolox_family, &layout, &format);
    scene.names = 8;
    assert_family(&scene, &ultralytics_family, &layout, &format);
    scene_end(&scene);
}

static void yolov5_grid(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    /* The coarsest first: the order of outputs is not to matter. */
    for (int stride = 32; stride >= 8; stride /= 2) {
        const int64_t side = SIDE / stride;
        float *values = add_output(&scene, "grid", 5, (const int64_t[]){1, 3, side, side, 8});
        fill(values, (size_t)(3 * side * side * 8), -9.0F, -5.0F);
    }
    assert_family(&scene, &yolov5_grid_family, &layout, &format);
    assert_int_equal(layout.class_count, 3);
    assert_non_null(layout.assumed);
    float *at =
        scene.values[1] + ((1 * 4 + 2) * 4 + 3) * 8; /* stride 16, anchor 1, line 2, column 3 */
    const float box[] = {0, 0, 0, 0, logf(4.0F), -9, logf(9.0F), -9}; /* sigmoid .5, .8, .9 */
    memcpy(at, box, sizeof box);
    /* centre (0.5 + 3, 0.5 + 2) * 16, size the anchor's, 62 x 45 */
    assert_finds(&scene, &yolov5_grid_family, &layout, 1, 0.72F,
                 (const float[]){56 - 31, 40 - 22.5F, 56 + 31, 40 + 22.5F});
    assert_stands_bad_values(&scene, &yolov5_grid_family, &layout);
    scene_end(&scene);
}

/* The same as the convolution leaves it has to be named: v3 and v4 look like it. */
static void yolov5_convolutions_are_taken_when_named(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    for (int stride = 8; stride <= 32; stride *= 2) {
        const int64_t side = SIDE / stride;
        fill(add_output(&scene, "grid", 4, (const int64_t[]){1, 24, side, side}),
             (size_t)(24 * side * side), -9.0F, -5.0F);
    }
    assert_family(&scene, NULL, &layout, &format);
    scene.wanted = "yolov5-grid";
    assert_family(&scene, &yolov5_grid_family, &layout, &format);
    const float box[] = {0, 0, 0, 0, logf(4.0F), -9, logf(9.0F), -9};
    for (int c = 0; c < 8; c++)
        scene.values[1][(8 + c) * 16 + 2 * 4 + 3] = box[c];
    assert_finds(&scene, &yolov5_grid_family, &layout, 1, 0.72F,
                 (const float[]){56 - 31, 40 - 22.5F, 56 + 31, 40 + 22.5F});
    scene_end(&scene);
}

static void put_distribution(float *sides, int bins, const int hot[4])
{
    for (int s = 0; s < 4; s++)
        for (int b = 0; b < bins; b++)
            sides[s * bins + b] = b == hot[s] ? 30.0F : -5.0F;
}

static void nanodet_by_grid(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    for (int stride = 8; stride <= 32; stride *= 2)
        fill(add3(&scene, "scores", (SIDE / stride) * (SIDE / stride), 6),
             (size_t)(SIDE / stride) * (size_t)(SIDE / stride) * 6, 0.0F, 0.1F);
    for (int stride = 8; stride <= 32; stride *= 2)
        fill(add3(&scene, "sides", (SIDE / stride) * (SIDE / stride), 32),
             (size_t)(SIDE / stride) * (size_t)(SIDE / stride) * 32, -3.0F, 3.0F);
    assert_family(&scene, &nanodet_family, &layout, &format);
    assert_true(format.bgr);
    assert_int_equal(layout.class_count, 6);
    scene.values[1][5 * 6 + 2] = 0.9F; /* stride 16, column 1, line 1 */
    put_distribution(scene.values[4] + 5 * 32, 8, (const int[]){1, 0, 2, 1});
    assert_finds(&scene, &nanodet_family, &layout, 2, 0.9F,
                 (const float[]){24 - 16, 24, 24 + 32, 24 + 16});
    assert_stands_bad_values(&scene, &nanodet_family, &layout);
    scene_end(&scene);
}

static void nanodet_plus(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    float *values = add3(&scene, "output", PLUS_CELLS, 80 + 32);
    for (int i = 0; i < PLUS_CELLS; i++) {
        fill(values + i * 112, 80, 0.0F, 0.1F);
        fill(values + i * 112 + 80, 32, -3.0F, 3.0F);
    }
    assert_family(&scene, &nanodet_family, &layout, &format);
    assert_int_equal(layout.class_count, 80);
    assert_int_equal(format.placement, PLACEMENT_STRETCH);
    float *row = values + (64 + 5) * 112;
    row[3] = 0.9F;
    put_distribution(row + 80, 8, (const int[]){1, 0, 2, 1});
    assert_finds(&scene, &nanodet_family, &layout, 3, 0.9F, (const float[]){0, 16, 48, 32});
    assert_stands_bad_values(&scene, &nanodet_family, &layout);
    scene_end(&scene);
}

static void detr(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    const float box[] = {0.5F, 0.25F, 0.5F, 0.25F};
    const float corners[] = {16, 8, 48, 24};
    scene_begin(&scene); /* sigmoids, as RT-DETR */
    fill(add3(&scene, "logits", 20, 80), 20 * 80, -9.0F, -6.0F);
    fill(add3(&scene, "pred_boxes", 20, 4), 20 * 4, 0.1F, 0.9F);
    assert_family(&scene, &detr_family, &layout, &format);
    assert_int_equal(format.placement, PLACEMENT_STRETCH);
    assert_float_equal(format.mean[0], 0.0F, 0);
    memcpy(scene.values[1] + 7 * 4, box, sizeof box);
    scene.values[0][7 * 80 + 5] = logf(4.0F);
    assert_finds(&scene, &detr_family, &layout, 5, 0.8F, corners);
    assert_stands_bad_values(&scene, &detr_family, &layout);
    scene_end(&scene);
    scene_begin(&scene); /* softmax with "nothing", as DETR */
    fill(add3(&scene, "logits", 20, 92), 20 * 92, -9.0F, -8.9F);
    for (int i = 0; i < 20; i++)
        scene.values[0][i * 92 + 91] = 20.0F;
    fill(add3(&scene, "pred_boxes", 20, 4), 20 * 4, 0.1F, 0.9F);
    assert_family(&scene, &detr_family, &layout, &format);
    assert_int_equal(layout.class_count, 91);
    assert_float_equal(format.mean[0], 0.485F, 1e-6F);
    memcpy(scene.values[1] + 7 * 4, box, sizeof box);
    scene.values[0][7 * 92 + 5] = 20.0F; /* as much as "nothing": one half */
    assert_finds(&scene, &detr_family, &layout, 5, 0.5F, corners);
    assert_stands_bad_values(&scene, &detr_family, &layout);
    scene_end(&scene);
    scene_begin(&scene); /* one output with Ultralytics' metadata */
    scene.names = 3;
    scene.task = "detect";
    fill(add3(&scene, "output0", 300, 7), 300 * 7, 0.01F, 0.1F);
    assert_family(&scene, &detr_family, &layout, &format);
    memcpy(scene.values[0] + 7 * 7, box, sizeof box);
    scene.values[0][7 * 7 + 4 + 2] = 0.7F;
    assert_finds(&scene, &detr_family, &layout, 2, 0.7F, corners);
    assert_stands_bad_values(&scene, &detr_family, &layout);
    scene_end(&scene);
}

static void ssd_chosen(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene); /* as TensorFlow exports it */
    float *boxes = add3(&scene, "detection_boxes", 10, 4);
    float *classes = add_output(&scene, "detection_classes", 2, (const int64_t[]){1, 10});
    float *scores = add_output(&scene, "detection_scores", 2, (const int64_t[]){1, 10});
    *add_output(&scene, "num_detections", 1, (const int64_t[]){1}) = 10;
    for (int i = 0; i < 10; i++)
        classes[i] = 1;
    const float parts[] = {0.125F, 0.25F, 0.5F, 0.75F};
    memcpy(boxes + 3 * 4, parts, sizeof parts);
    scores[3] = 0.6F;
    classes[3] = 18;
    assert_family(&scene, &ssd_family, &layout, &format);
    assert_finds(&scene, &ssd_family, &layout, 17, 0.6F, (const float[]){16, 8, 48, 32});
    assert_stands_bad_values(&scene, &ssd_family, &layout);
    classes[3] = 0; /* from 1: this is none */
    struct candidate_list list = {0};
    assert_int_equal(ssd_family.decode(&layout, scene.views, &everything, &list), OW_OK);
    assert_int_equal(list.count, 0);
    scene_end(&scene);
    scene_begin(&scene); /* as RT-DETR's own export: told the picture's size, in pixels */
    scene.io.input_count = 2;
    classes = add_output(&scene, "labels", 2, (const int64_t[]){1, 5});
    boxes = add3(&scene, "boxes", 5, 4);
    scores = add_output(&scene, "scores", 2, (const int64_t[]){1, 5});
    const float pixels[] = {10, 20, 30, 40};
    memcpy(boxes, pixels, sizeof pixels);
    scores[0] = 0.5F;
    assert_family(&scene, &ssd_family, &layout, &format);
    assert_finds(&scene, &ssd_family, &layout, 0, 0.5F, pixels);
    scene_end(&scene);
}

static void ssd_candidates(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene); /* as UltraFace: background and face */
    float *scores = add3(&scene, "scores", 50, 2);
    float *boxes = add3(&scene, "boxes", 50, 4);
    for (int i = 0; i < 50; i++) {
        scores[i * 2] = 0.99F;
        scores[i * 2 + 1] = 0.01F;
        boxes[i * 4] = between(0, 0.4F);
        boxes[i * 4 + 1] = between(0, 0.4F);
        boxes[i * 4 + 2] = between(0.5F, 1);
        boxes[i * 4 + 3] = between(0.5F, 1);
    }
    const float parts[] = {0.25F, 0.125F, 0.75F, 0.5F};
    memcpy(boxes + 9 * 4, parts, sizeof parts);
    scores[18] = 0.1F;
    scores[19] = 0.9F;
    assert_family(&scene, &ssd_family, &layout, &format);
    assert_int_equal(layout.class_count, 1);
    assert_false(layout.suppressed);
    assert_finds(&scene, &ssd_family, &layout, 0, 0.9F, (const float[]){16, 8, 48, 32});
    assert_stands_bad_values(&scene, &ssd_family, &layout);
    boxes[2] = boxes[0] - 1; /* corners the wrong way round: cx, cy, w, h or so */
    boxes[6] = boxes[4] - 1;
    assert_family(&scene, NULL, &layout, &format);
    scene_end(&scene);
}

static void blazeface(void **state)
{
    (void)state;
    struct output_layout layout;
    struct picture_format format;
    const float box[] = {10, -6, 20, 30};
    for (int split = 0; split < 2; split++) {
        struct scene scene;
        scene_begin(&scene);
        scene.side = 256;
        if (split) {
            fill(add3(&scene, "b", 384, 16), 384 * 16, -5, 5);
            fill(add3(&scene, "c", 384, 1), 384, -90, -9);
            fill(add3(&scene, "d", 512, 1), 512, -90, -9);
            fill(add3(&scene, "e", 512, 16), 512 * 16, -5, 5);
        } else {
            fill(add3(&scene, "b", 896, 16), 896 * 16, -5, 5);
            fill(add3(&scene, "c", 896, 1), 896, -90, -9);
        }
        int row = (split ? 0 : 512) + (3 * 8 + 2) * 6 + 1; /* coarse grid: column 2, line 3 */
        memcpy(scene.values[0] + row * 16, box, sizeof box);
        scene.values[1][row] = logf(4.0F);
        assert_family(&scene, &blazeface_family, &layout, &format);
        assert_string_equal(layout.only_class, "face");
        /* centre (2.5 / 8, 3.5 / 8) * 256 */
        assert_finds(&scene, &blazeface_family, &layout, 0, 0.8F,
                     (const float[]){80, 112 - 6 - 15, 100, 112 - 6 + 15});
        assert_stands_bad_values(&scene, &blazeface_family, &layout);
        scene_end(&scene);
    }
}

static void classify(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    float *values = add_output(&scene, "output0", 2, (const int64_t[]){1, 5});
    assert_family(&scene, NULL, &layout, &format); /* five numbers may be anything */
    scene.names = 5;
    values[2] = logf(4.0F); /* among four of 1: one half */
    assert_family(&scene, &classify_family, &layout, &format);
    assert_float_equal(format.std[2], 0.225F, 1e-6F);
    assert_int_equal(format.placement, PLACEMENT_CROP);
    assert_finds(&scene, &classify_family, &layout, 2, 0.5F, (const float[]){0, 0, 64, 64});
    assert_stands_bad_values(&scene, &classify_family, &layout);
    values[2] = 0.9F;
    values[4] = 0.1F;
    scene.task = "classify";
    assert_family(&scene, &classify_family, &layout, &format);
    assert_float_equal(format.std[2], 1.0F, 0);
    assert_finds(&scene, &classify_family, &layout, 2, 0.9F, (const float[]){0, 0, 64, 64});
    scene_end(&scene);
}

static void end_to_end_without_metadata(void **state)
{
    (void)state;
    struct scene scene;
    struct output_layout layout;
    struct picture_format format;
    scene_begin(&scene);
    float *values = add3(&scene, "detections", 20, 6);
    assert_family(&scene, NULL, &layout, &format); /* nothing was seen: nothing is known */
    const float row[] = {10, 20, 30, 40, 0.5F, 7};
    memcpy(values + 6, row, sizeof row);
    assert_family(&scene, &ultralytics_family, &layout, &format);
    assert_finds(&scene, &ultralytics_family, &layout, 7, 0.5F, row);
    values[5] = 0.5F; /* no number of a class */
    assert_family(&scene, NULL, &layout, &format);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yolox),
        cmocka_unit_test(boxes_in_pixels_are_told_apart),
        cmocka_unit_test(yolov5_grid),
        cmocka_unit_test(yolov5_convolutions_are_taken_when_named),
        cmocka_unit_test(nanodet_by_grid),
        cmocka_unit_test(nanodet_plus),
        cmocka_unit_test(detr),
        cmocka_unit_test(ssd_chosen),
        cmocka_unit_test(ssd_candidates),
        cmocka_unit_test(blazeface),
        cmocka_unit_test(classify),
        cmocka_unit_test(end_to_end_without_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
