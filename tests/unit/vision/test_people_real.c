/* The models of people in the real runtime against TensorFlow.js. They stand beside the one that
 * OVERWATCH_TEST_MODEL names. Skips where they, or ONNX Runtime, are not there. */
#include "core/error.h"
#include "test_picture.h"
#include "vision/model.h"
#include "vision/onnxruntime.h"
#include "vision/session.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 416, PATH_BYTES = 512 };

static void find_model(char path[PATH_BYTES], const char *name)
{
    const char *detector = getenv("OVERWATCH_TEST_MODEL");
    const struct onnxruntime *runtime = NULL;
    const char *slash = detector != NULL ? strrchr(detector, '/') : NULL;
    if (slash == NULL || onnxruntime_get(&runtime, NULL) != OW_OK) {
        printf("skip: OVERWATCH_TEST_MODEL is not set, or there is no ONNX Runtime\n");
        skip();
    }
    snprintf(path, PATH_BYTES, "%.*s/%s.onnx", (int)(slash - detector), detector, name);
    if (access(path, R_OK) != 0) {
        printf("skip: %s is not there\n", path);
        skip();
    }
}

static float *make_picture(int width, int height)
{
    float *picture = malloc(sizeof *picture * 3 * (size_t)width * (size_t)height);
    assert_non_null(picture);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                picture[(c * height + y) * width + x] =
                    picture_value(c, x * SIDE / width, y * SIDE / height);
    return picture;
}

static void check_output(const json_t *golden, const struct tensor_view *output)
{
    size_t i;
    json_t *entry;
    double sum = 0, tolerance = json_number_value(json_object_get(golden, "tolerance"));
    json_array_foreach(json_object_get(golden, "shape"), i, entry)
        assert_int_equal(output->dims[i], json_integer_value(entry));
    json_t *values = json_object_get(golden, "values");
    assert_true(json_array_size(values) >= 51);
    json_array_foreach(values, i, entry)
    {
        json_int_t index = json_integer_value(json_array_get(entry, 0));
        double expected = json_number_value(json_array_get(entry, 1));
        assert_true((size_t)index < output->count);
        if (!(fabs((double)output->data[index] - expected) <= tolerance))
            fail_msg("value %d: %f instead of %f", (int)index, (double)output->data[index],
                     expected);
    }
    for (size_t k = 0; k < output->count; k++)
        sum += (double)output->data[k];
    double expected = json_number_value(json_object_get(golden, "sum"));
    assert_true(fabs(sum - expected) <= 1e-4 * fabs(expected));
}

static void compare(const char *name)
{
    char path[PATH_BYTES];
    json_error_t error;
    struct ort_session *session = NULL;
    struct reason why = {0};
    struct tensor_view outputs[SESSION_MAX_TENSORS];
    int64_t dims[4];
    find_model(path, name);
    json_t *file = json_load_file(GOLDEN_PEOPLE, 0, &error);
    const json_t *golden = json_object_get(file, name);
    assert_non_null(golden);
    for (size_t k = 0; k < 4; k++)
        dims[k] = json_integer_value(json_array_get(json_object_get(golden, "input"), k));
    if (ort_session_open(&session, path, 2, NULL, &why) != OW_OK)
        fail_msg("%s", why.text);
    float *picture = make_picture((int)dims[3], (int)dims[2]);
    if (ort_session_run(session, picture, dims, dims[2], dims[3], outputs, &why) != OW_OK)
        fail_msg("%s", why.text);
    check_output(golden, &outputs[0]);
    free(picture);
    json_decref(file);
    ort_session_close(&session);
}

static void multipose_computes_what_tensorflow_computes(void **state)
{
    (void)state;
    compare("movenet-multipose");
}

static void single_pose_computes_what_tensorflow_computes(void **state)
{
    (void)state;
    compare("movenet-lightning");
}

static void selfie_computes_what_tensorflow_computes(void **state)
{
    (void)state;
    compare("selfie");
}

static void meet_computes_what_tensorflow_computes(void **state)
{
    (void)state;
    compare("meet");
}

static void families_are_known(void **state)
{
    (void)state;
    static const char *const models[][3] = {{"movenet-multipose", "movenet", "pose"},
                                            {"movenet-lightning", "movenet", "pose"},
                                            {"selfie", "class-map", "segment"},
                                            {"meet", "class-map", "segment"}};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        char path[PATH_BYTES];
        struct model *model = NULL;
        struct reason why = {0};
        find_model(path, models[i][0]);
        if (model_open(&model, path, NULL, &why) != OW_OK)
            fail_msg("%s", why.text);
        assert_string_equal(model_info(model)->family, models[i][1]);
        assert_string_equal(model_info(model)->task, models[i][2]);
        model_close(&model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipose_computes_what_tensorflow_computes),
        cmocka_unit_test(single_pose_computes_what_tensorflow_computes),
        cmocka_unit_test(selfie_computes_what_tensorflow_computes),
        cmocka_unit_test(meet_computes_what_tensorflow_computes),
        cmocka_unit_test(families_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
