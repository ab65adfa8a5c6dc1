/* Whole models from files: types and shapes of inputs and outputs, the file beside a model,
 * decoders that are named, execution providers. The models are tiny, made here, and give constants;
 * needs ONNX Runtime, by OVERWATCH_ONNXRUNTIME or installed. */
#include "onnx_file.h"

#include "core/error.h"
#include "vision/model.h"
#include "vision/model_sidecar.h"
#include "vision/onnxruntime.h"
#include "vision/provider.h"
#include "vision/session.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 64, CELLS = 84, CLASSES = 2, VALUES = CELLS * (5 + CLASSES), PATH_BYTES = 96 };

static char folder[64], path[PATH_BYTES], sidecar[PATH_BYTES];
static float grid[VALUES]; /* of a YOLOX with two classes that sees one object */

static const struct onnx_value picture = {"images", ONNX_FLOAT, 4, {1, 3, SIDE, SIDE}, NULL};

static int setup(void **state)
{
    (void)state;
    const float row[] = {0.5F, 0.25F, 0.0F, 0.0F, 0.9F, 0.0F, 0.8F};
    strcpy(folder, "/tmp/overwatch-models-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/tiny.onnx", folder);
    snprintf(sidecar, sizeof sidecar, "%s/tiny.json", folder);
    for (int i = 0; i < CELLS; i++)
        grid[i * 7] = 0.3F;
    memcpy(grid + (64 + 6) * 7, row, sizeof row); /* stride 16, column 2, line 1 */
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unlink(path);
    unlink(sidecar);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rmdir(folder);
    return 0;
}

static void need_runtime(void)
{
    const struct onnxruntime *runtime = NULL;
    struct reason why = {""};
    if (getenv("OVERWATCH_ONNXRUNTIME") != NULL || onnxruntime_get(&runtime, &why) == OW_OK)
        return;
    printf("skip: %s\n", why.text);
    skip();
}

static void write_sidecar(const char *text)
{
    FILE *file = fopen(sidecar, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_yolox(struct onnx_value input)
{
    onnx_file_write(path, &(struct onnx_file){
                              .inputs = {input},
                              .outputs = {{"output", ONNX_FLOAT, 3, {1, CELLS, 5 + CLASSES}, grid}},
                          });
}

static struct model *open_model(const struct model_options *options)
{
    struct model *model = NULL;
    struct reason why = {""};
    if (model_open(&model, path, options, &why) != OW_OK)
        fail_msg("%s", why.text);
    return model;
}

static void assert_refused(const struct model_options *options, int code, const char *word)
{
    struct model *model = NULL;
    struct reason why = {""};
    assert_int_equal(model_open(&model, path, options, &why), code);
    if (!strstr(why.text, word))
        fail_msg("\"%s\" does not say \"%s\"", why.text, word);
}

/* What the model sees in a picture of at most 128x128: one object. */
static struct detection see_one(struct model *model, int width, int height)
{
    static uint8_t grey[128 * 128];
    const struct model_thresholds thresholds = {
        .confidence = 0.25F, .iou = 0.5F, .max_detections = 10};
    struct frame frame = {.width = width, .height = height};
    struct detections *seen = NULL;
    struct reason why = {""};
    for (int p = 0; p < FRAME_PLANES; p++) {
        frame.plane[p] = grey;
        frame.stride[p] = 128;
    }
    if (model_run(model, &frame, &thresholds, &seen, NULL, &why) != OW_OK)
        fail_msg("%s", why.text);
    assert_int_equal(seen->count, 1);
    const struct detection one = seen->items[0];
    detections_unref(&seen);
    return one;
}

static void assert_sees_it(struct model *model)
{
    const struct detection seen = see_one(model, 128, 128);
    const float wanted[4] = {64, 24, 96, 56}; /* centre (40, 20), 16x16, twice as large */
    const float box[4] = {seen.x1, seen.y1, seen.x2, seen.y2};
    assert_int_equal(seen.class_id, 1);
    assert_float_equal(seen.confidence, 0.72F, 1e-4F);
    for (int i = 0; i < 4; i++)
        assert_float_equal(box[i], wanted[i], 1e-3F);
}

static void inputs_of_every_type_and_order(void **state)
{
    (void)state;
    static const int types[] = {ONNX_FLOAT, ONNX_HALF, ONNX_UINT8, ONNX_INT8, ONNX_INT32};
    static const int64_t shapes[][4] = {
        {1, 3, SIDE, SIDE}, {1, SIDE, SIDE, 3}, {-1, 3, -1, -1}, {-1, -1, -1, 3}};
    need_runtime();
    write_sidecar("{\"size\": 64}"); /* for the shapes that leave it open */
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct onnx_value input = {"images", types[t], 4, {0}, NULL};
            memcpy(input.dims, shapes[s], sizeof shapes[s]);
            write_yolox(input);
            struct model *model = open_model(NULL);
            assert_string_equal(model_info(model)->family, "yolox");
            assert_int_equal(model_info(model)->input_width, SIDE);
            assert_sees_it(model);
            model_close(&model);
        }
    write_yolox((struct onnx_value){"images", ONNX_FLOAT, 4, {4, 3, SIDE, SIDE}, NULL});
    assert_refused(NULL, OW_EUNSUPPORTED, "batch 1");
    write_yolox((struct onnx_value){"images", ONNX_FLOAT, 4, {99, 3, SIDE, SIDE}, NULL});
    assert_refused(NULL, OW_EUNSUPPORTED, "at most 16");
}

/* The session gives what it was given, whatever the type. */
static void values_of_every_type_go_through(void **state)
{
    (void)state;
    static const struct {
        int type;
        float in[3], out[3];
    } cases[] = {
        {ONNX_FLOAT, {0.1F, -7.25F, 3e5F}, {0.1F, -7.25F, 3e5F}},
        {ONNX_HALF, {0.25F, -7.25F, 1e6F}, {0.25F, -7.25F, INFINITY}},
        {ONNX_UINT8, {0.4F, -3, 300}, {0, 0, 255}},
        {ONNX_INT8, {2.5F, -300, 300}, {2, -128, 127}},
        {ONNX_INT32, {2.6F, -300, 70000}, {3, -300, 70000}},
        {ONNX_INT64, {2.6F, -300, 70000}, {3, -300, 70000}},
    };
    need_runtime();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ort_session *session = NULL;
        struct tensor_view outputs[SESSION_MAX_TENSORS];
        struct reason why = {""};
        float planes[3];
        int64_t packed[3];
        static const int64_t dims[4] = {1, 3, 1, 1};
        struct onnx_value value = {"x", cases[i].type, 4, {1, 3, 1, 1}, NULL};
        struct onnx_file file = {.inputs = {value}, .outputs = {value}};
        file.outputs[0].name = "y";
        onnx_file_write(path, &file);
        if (ort_session_open(&session, path, 1, "cpu", &why) != OW_OK)
            fail_msg("%s", why.text);
        memcpy(planes, cases[i].in, sizeof planes);
        tensor_from_planes(ort_session_info(session)->inputs[0].type, false, planes, 1, packed);
        if (ort_session_run(session, packed, dims, 1, 1, outputs, &why) != OW_OK)
            fail_msg("%s", why.text);
        assert_int_equal(outputs[0].count, 3);
        for (int k = 0; k < 3; k++)
            if (!(outputs[0].data[k] == cases[i].out[k]))
                fail_msg("type %d: %f instead of %f", cases[i].type, (double)outputs[0].data[k],
                         (double)cases[i].out[k]);
        ort_session_close(&session);
    }
}

/* Every number of binary16 comes back from float as itself, and what lies between two goes to the
 * nearer. */
static void half_precision_is_exact(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        uint16_t half = (uint16_t)bits, back[3];
        float value;
        tensor_to_floats(TENSOR_FLOAT16, &half, 1, &value);
        const float planes[3] = {value, value * 1.0001F, value};
        tensor_from_planes(TENSOR_FLOAT16, false, planes, 1, back);
        if ((bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0) {
            assert_true(isnan(value));
            continue;
        }
        assert_int_equal(back[0], half);
        assert_int_equal(back[1], half);
    }
}

static void an_output_of_several_pictures_is_cut_in_parts(void **state)
{
    (void)state;
    static const float values[] = {1, 2, 3, 4, 5, 6};
    const struct tensor_view all = {.data = values, .rank = 2, .dims = {3, 2}, .count = 6};
    const struct tensor_view scalar = {.data = values, .count = 1};
    const struct tensor_view empty = {.rank = 2, .dims = {0, 2}};
    struct tensor_view one = {0};
    assert_true(tensor_view_of_picture(&all, 3, 1, &one));
    assert_int_equal(one.dims[0], 1);
    assert_int_equal(one.count, 2);
    assert_float_equal(one.data[0], 3, 0);
    assert_false(tensor_view_of_picture(&all, 2, 1, &one)); /* another number of pictures */
    assert_false(tensor_view_of_picture(&scalar, 3, 0, &one));
    assert_true(tensor_view_of_picture(&empty, 3, 0, &one));
    assert_null(one.data);
    assert_true(tensor_view_of_picture(&all, 1, 0, &one)); /* alone: whatever the shape */
    assert_int_equal(one.count, 6);
}

static void the_picture_arrives_in_its_order(void **state)
{
    (void)state;
    static const float planes[] = {1, 2, 10, 20, 100, 200}; /* two cells, three colours */
    static const uint8_t wanted[] = {1, 10, 100, 2, 20, 200};
    uint8_t seen[6];
    tensor_from_planes(TENSOR_UINT8, true, planes, 2, seen);
    assert_memory_equal(seen, wanted, sizeof seen);
}

static void the_file_beside_a_model_is_heeded(void **state)
{
    (void)state;
    need_runtime();
    write_yolox(picture);
    write_sidecar("{\"classes\": [\"cat\", \"dog\"], \"confidence\": 0.3, \"iou\": 0.6}");
    struct model *model = open_model(NULL);
    assert_string_equal(model_info(model)->labels->names[1], "dog");
    assert_float_equal(model_info(model)->confidence, 0.3F, 1e-6F);
    assert_float_equal(model_info(model)->iou, 0.6F, 1e-6F);
    model_close(&model);
    write_sidecar("{\"classes\": [\"cat\", \"dog\", \"cow\"]}");
    assert_refused(NULL, OW_EUNSUPPORTED, "output [1,84,7]");
    write_sidecar("{\"classes\": [\"cat\", \"dog\"], \"letterbox\": \"bottom\"}");
    assert_refused(NULL, OW_EPARSE, "\"letterbox\" has to be \"centre\"");
    write_sidecar("{\"decoder\": \"nanodet\"}");
    assert_refused(NULL, OW_EUNSUPPORTED, "it does not fit the decoder nanodet");
    assert_refused(&(struct model_options){.decoder = "yolo"}, OW_EINVAL, "no decoder \"yolo\"");
    model = open_model(&(struct model_options){.decoder = "yolox"}); /* before the file's */
    assert_sees_it(model);
    model_close(&model);
}

/* What a model is given: the tensor of a picture whose upper half is red. */
static void pictures_go_in_as_the_file_says(void **state)
{
    (void)state;
    struct model_sidecar said = {0};
    struct picture_format format = picture_format_default;
    struct output_layout layout = {0};
    struct reason why = {""};
    static const char text[] = "{\"letterbox\": \"top-left\", \"order\": \"bgr\", \"std\": 2,"
                               " \"mean\": [1, 2, 3], \"border\": 51}";
    if (model_sidecar_parse(&said, text, sizeof text - 1, &why) != OW_OK)
        fail_msg("%s", why.text);
    model_sidecar_apply(&said, &format, &layout);
    static float tensor[3 * 32 * 32];
    static uint8_t luma[32 * 16], blue[16 * 8], red[16 * 8];
    memset(luma, 82, sizeof luma); /* BT.601: pure red */
    memset(blue, 90, sizeof blue);
    memset(red, 240, sizeof red);
    struct frame frame = {.width = 32,
                          .height = 16,
                          .plane = {luma, blue, red},
                          .stride = {32, 16, 16},
                          .matrix = COLOR_BT601};
    struct letterbox *letterbox = NULL;
    struct letterbox_geometry geometry;
    assert_int_equal(letterbox_create(&letterbox, &format, 32, 32), OW_OK);
    assert_int_equal(letterbox_apply(letterbox, &frame, tensor, &geometry), OW_OK);
    assert_int_equal(geometry.top, 0);
    const float wanted[3] = {(0 - 1) / 2.0F, (0 - 2) / 2.0F, (255 - 3) / 2.0F}; /* b, g, r */
    for (int c = 0; c < 3; c++) {
        assert_true(fabsf(tensor[c * 1024 + 3 * 32 + 5] - wanted[c]) < 1.5F);
        assert_float_equal(tensor[c * 1024 + 31 * 32 + 5], (51 - (float)(c + 1)) / 2, 1e-3F);
    }
    letterbox_destroy(&letterbox);
    model_sidecar_clear(&said);
}

static void stretched_pictures_fill_the_tensor(void **state)
{
    (void)state;
    struct letterbox_geometry g;
    float x = 320, y = 320;
    assert_int_equal(letterbox_geometry_set(&g, PLACEMENT_STRETCH, 1920, 1080, 640, 640), OW_OK);
    const int place[4] = {g.left, g.top, g.width, g.height};
    assert_memory_equal(place, ((const int[]){0, 0, 640, 640}), sizeof place);
    letterbox_to_source(&g, &x, &y);
    assert_float_equal(x, 960, 1e-3F);
    assert_float_equal(y, 540, 1e-3F);
}

static void what_is_wrong_in_the_file_is_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"decoder\": \"yolo\"}", "\"decoder\""},
        {"{\"decoder\": 5}", "\"decoder\""},
        {"{\"classes\": []}", "\"classes\""},
        {"{\"classes\": [\"a\", 2]}", "\"classes\""},
        {"{\"size\": [640]}", "\"size\""},
        {"{\"size\": 31}", "\"size\""},
        {"{\"size\": 640.5}", "\"size\""},
        {"{\"order\": \"rbg\"}", "\"order\""},
        {"{\"mean\": [1, 2]}", "\"mean\""},
        {"{\"std\": 0}", "\"std\""},
        {"{\"border\": 256}", "\"border\""},
        {"{\"anchors\": [1, 2, 3]}", "\"anchors\""},
        {"{\"confidence\": 1.1}", "\"confidence\""},
        {"{\"iou\": \"0.5\"}", "\"iou\""},
        {"{\"clases\": [\"a\"]}", "\"clases\" is not known"},
        {"{\"iou\": 0.5,\n \"iou\": 0.5}", "line 2"},
        {"[]", "JSON object"},
        {"", "line"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_sidecar said = {0};
        struct reason why = {""};
        assert_int_equal(model_sidecar_parse(&said, cases[i][0], strlen(cases[i][0]), &why),
                         OW_EPARSE);
        if (!strstr(why.text, cases[i][1]))
            fail_msg("%s: \"%s\" does not say %s", cases[i][0], why.text, cases[i][1]);
        assert_null(said.labels);
    }
}

static void outputs_of_whole_numbers_and_a_size_input(void **state)
{
    (void)state;
    static const int64_t labels[] = {3, 0};
    static const float boxes[] = {8, 16, 24, 32, 0, 0, 0, 0};
    static const uint16_t scores[] = {0x3a00, 0}; /* binary16: 0.75 */
    need_runtime();
    onnx_file_write(path,
                    &(struct onnx_file){
                        .inputs = {picture, {"orig_target_sizes", ONNX_INT64, 2, {-1, 2}, NULL}},
                        .outputs = {{"labels", ONNX_INT64, 2, {1, 2}, labels},
                                    {"boxes", ONNX_FLOAT, 3, {1, 2, 4}, boxes},
                                    {"scores", ONNX_HALF, 2, {1, 2}, scores}},
                    });
    struct model *model = open_model(NULL);
    assert_string_equal(model_info(model)->family, "ssd");
    const struct detection seen = see_one(model, 128, 128);
    assert_int_equal(seen.class_id, 3);
    assert_float_equal(seen.confidence, 0.75F, 1e-6F);
    assert_float_equal(seen.x1, 16, 1e-3F);
    assert_float_equal(seen.y2, 64, 1e-3F);
    model_close(&model);
}

static void a_classifier_labels_the_picture(void **state)
{
    (void)state;
    static const float values[] = {0.1F, 0.7F, 0.2F};
    need_runtime();
    onnx_file_write(path, &(struct onnx_file){
                              .inputs = {picture},
                              .outputs = {{"output0", ONNX_FLOAT, 2, {1, 3}, values}},
                              .metadata = {{"task", "classify"}, {"names", "['a', 'b', 'c']"}},
                          });
    struct model *model = open_model(NULL);
    assert_string_equal(model_info(model)->task, "classify");
    struct detection seen = see_one(model, 128, 128);
    assert_int_equal(seen.class_id, 1);
    assert_float_equal(seen.x2, 128, 1e-3F);
    assert_float_equal(seen.y2, 128, 1e-3F);
    seen = see_one(model, 128, 64); /* the middle of a wide one */
    assert_float_equal(seen.x1, 32, 1e-3F);
    assert_float_equal(seen.x2, 96, 1e-3F);
    assert_float_equal(seen.y2, 64, 1e-3F);
    model_close(&model);
    write_sidecar("{\"letterbox\": \"stretch\"}");
    model = open_model(NULL);
    seen = see_one(model, 128, 64);
    assert_float_equal(seen.x1, 0, 1e-3F);
    assert_float_equal(seen.x2, 128, 1e-3F);
    model_close(&model);
}

/* Those that the library or the machine lacks are passed over, the CPU is always there. */
static void absent_providers_are_passed_over(void **state)
{
    (void)state;
    const struct provider *providers[PROVIDERS_MAX + 1];
    struct reason why = {""};
    need_runtime();
    assert_int_equal(provider_list(providers, "tensorrt,cuda,openvino", NULL), OW_OK);
    assert_string_equal(providers[0]->label, "TensorRT");
    assert_string_equal(providers[3]->label, "CPU");
    assert_null(providers[4]);
    assert_int_equal(provider_list(providers, "cpu,cuda", NULL), OW_OK); /* nothing behind it */
    assert_null(providers[1]);
    assert_int_equal(provider_list(providers, "cuda,gpu", &why), OW_EINVAL);
    assert_non_null(strstr(why.text, "\"gpu\""));
    write_yolox(picture);
    struct model *model = open_model(&(struct model_options){.providers = "cpu"});
    assert_string_equal(model_info(model)->provider, "CPU");
    model_close(&model);
    model = open_model(&(struct model_options){.providers = "tensorrt,cuda,openvino"});
    if (access("/dev/nvidiactl", F_OK) != 0 && access("/dev/dri", F_OK) != 0)
        assert_string_equal(model_info(model)->provider, "CPU");
    assert_sees_it(model);
    model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(inputs_of_every_type_and_order, clean),
        cmocka_unit_test_teardown(values_of_every_type_go_through, clean),
        cmocka_unit_test(half_precision_is_exact),
        cmocka_unit_test(an_output_of_several_pictures_is_cut_in_parts),
        cmocka_unit_test(the_picture_arrives_in_its_order),
        cmocka_unit_test_teardown(the_file_beside_a_model_is_heeded, clean),
        cmocka_unit_test(pictures_go_in_as_the_file_says),
        cmocka_unit_test(stretched_pictures_fill_the_tensor),
        cmocka_unit_test(what_is_wrong_in_the_file_is_named),
        cmocka_unit_test_teardown(outputs_of_whole_numbers_and_a_size_input, clean),
        cmocka_unit_test_teardown(a_classifier_labels_the_picture, clean),
        cmocka_unit_test_teardown(absent_providers_are_passed_over, clean),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
