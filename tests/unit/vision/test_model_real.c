/* The default model in the real runtime, against TensorFlow.js and on real footage. Needs
 * OVERWATCH_TEST_MODEL (nanodet.onnx) and ONNX Runtime, by OVERWATCH_ONNXRUNTIME or installed; the
 * footage test also OVERWATCH_TEST_VIDEO or OVERWATCH_TEST_MEDIA (vtest.avi). Skips without. */
#include "core/error.h"
#include "core/frame.h"
#include "test_picture.h"
#include "vision/model.h"
#include "vision/onnxruntime.h"
#include "vision/session.h"

#include <jansson.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 416, COLUMNS = 3549, ROWS = 84 };

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The model's path; skips where there is none or nothing to run it. */
static const char *needed_model(void)
{
    const char *path = setting("OVERWATCH_TEST_MODEL");
    const struct onnxruntime *runtime = NULL;
    struct reason why = {0};
    if (path == NULL)
        printf("skip: OVERWATCH_TEST_MODEL is not set\n");
    else if (setting("OVERWATCH_ONNXRUNTIME") == NULL && onnxruntime_get(&runtime, &why) != OW_OK)
        printf("skip: %s\n", why.text);
    else
        return path;
    skip();
    return NULL;
}

static const char *needed_video(void)
{
    const char *path = setting("OVERWATCH_TEST_VIDEO");
    if (path == NULL)
        path = setting("OVERWATCH_TEST_MEDIA");
    if (path == NULL) {
        printf("skip: neither OVERWATCH_TEST_VIDEO nor OVERWATCH_TEST_MEDIA is set\n");
        skip();
    }
    return path;
}

static float *make_picture(void)
{
    float *picture = malloc(sizeof *picture * 3 * SIDE * SIDE);
    assert_non_null(picture);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                picture[(c * SIDE + y) * SIDE + x] = picture_value(c, x, y);
    return picture;
}

static void check_values(const json_t *golden, const float *data)
{
    size_t index = 0;
    json_t *entry = NULL;
    json_t *values = json_object_get(golden, "values");
    assert_true(json_array_size(values) >= 100);
    json_array_foreach(values, index, entry)
    {
        json_int_t row = json_integer_value(json_array_get(entry, 0));
        json_int_t column = json_integer_value(json_array_get(entry, 1));
        double expected = json_number_value(json_array_get(entry, 2));
        assert_in_range(row, 0, ROWS - 1);
        assert_in_range(column, 0, COLUMNS - 1);
        double seen = (double)data[row * COLUMNS + column];
        double tolerance = row < 4 ? 0.01 : 1e-4; /* pixels; probability */
        if (fabs(seen - expected) > tolerance)
            fail_msg("row %d column %d: %f instead of %f", (int)row, (int)column, seen, expected);
    }
}

static void model_computes_what_tensorflow_computes(void **state)
{
    (void)state;
    const char *path = needed_model();
    json_error_t error;
    json_t *golden = json_load_file(GOLDEN_FILE, 0, &error);
    assert_non_null(golden);
    struct ort_session *session = NULL;
    struct reason why = {0};
    if (ort_session_open(&session, path, 2, NULL, &why) != OW_OK)
        fail_msg("%s", why.text);
    float *picture = make_picture();
    struct tensor_view outputs[SESSION_MAX_TENSORS];
    static const int64_t dims[4] = {1, 3, SIDE, SIDE};
    if (ort_session_run(session, picture, dims, SIDE, SIDE, outputs, &why) != OW_OK)
        fail_msg("%s", why.text);
    assert_int_equal(outputs[0].rank, 3);
    assert_int_equal(outputs[0].count, ROWS * COLUMNS);
    check_values(golden, outputs[0].data);
    double boxes = 0;
    double scores = 0;
    for (size_t i = 0; i < outputs[0].count; i++)
        *(i < 4 * COLUMNS ? &boxes : &scores) += (double)outputs[0].data[i];
    double golden_boxes = json_number_value(json_object_get(golden, "sumOfBoxes"));
    double golden_scores = json_number_value(json_object_get(golden, "sumOfScores"));
    assert_true(fabs(boxes - golden_boxes) < 1e-5 * golden_boxes);
    assert_true(fabs(scores - golden_scores) < 1e-4 * golden_scores);
    free(picture);
    json_decref(golden);
    ort_session_close(&session);
}

struct footage {
    AVFormatContext *format;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *picture;
    int stream;
};

static void footage_open(struct footage *footage, const char *path)
{
    const AVCodec *decoder = NULL;
    *footage = (struct footage){0};
    assert_int_equal(avformat_open_input(&footage->format, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(footage->format, NULL) >= 0);
    footage->stream = av_find_best_stream(footage->format, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
    assert_true(footage->stream >= 0);
    footage->codec = avcodec_alloc_context3(decoder);
    footage->packet = av_packet_alloc();
    footage->picture = av_frame_alloc();
    assert_non_null(footage->codec);
    avcodec_parameters_to_context(footage->codec,
                                  footage->format->streams[footage->stream]->codecpar);
    assert_int_equal(avcodec_open2(footage->codec, decoder, NULL), 0);
}

static bool footage_next(struct footage *footage)
{
    for (;;) {
        int result = avcodec_receive_frame(footage->codec, footage->picture);
        if (result == 0)
            return true;
        if (result != AVERROR(EAGAIN))
            return false;
        if (av_read_frame(footage->format, footage->packet) < 0) {
            avcodec_send_packet(footage->codec, NULL);
            continue;
        }
        if (footage->packet->stream_index == footage->stream)
            avcodec_send_packet(footage->codec, footage->packet);
        av_packet_unref(footage->packet);
    }
}

static void footage_close(struct footage *footage)
{
    avcodec_free_context(&footage->codec);
    avformat_close_input(&footage->format);
    av_packet_free(&footage->packet);
    av_frame_free(&footage->picture);
}

/* The decoder's picture as a frame of ours, without a copy. */
static struct frame as_frame(const AVFrame *picture)
{
    struct frame frame = {.width = picture->width, .height = picture->height};
    assert_int_equal(picture->format, AV_PIX_FMT_YUV420P);
    for (int p = 0; p < FRAME_PLANES; p++) {
        frame.plane[p] = picture->data[p];
        frame.stride[p] = picture->linesize[p];
    }
    return frame;
}

struct tally {
    int frames, persons, vehicles, others;
    int64_t preprocess_us, inference_us, postprocess_us;
};

static void count_objects(struct tally *tally, const struct detections *seen)
{
    for (int i = 0; i < seen->count; i++) {
        char scratch[16];
        const char *name = label_set_name(seen->labels, seen->items[i].class_id, scratch);
        if (strcmp(name, "person") == 0)
            tally->persons++;
        else if (strcmp(name, "car") == 0 || strcmp(name, "truck") == 0 ||
                 strcmp(name, "bus") == 0 || strcmp(name, "motorcycle") == 0)
            tally->vehicles++;
        else
            tally->others++;
    }
}

static struct tally run_over_footage(const char *model_path, const char *video_path, int threads)
{
    struct tally tally = {0};
    struct reason why = {0};
    struct model *model = NULL;
    struct footage footage;
    if (model_open(&model, model_path, &(struct model_options){.threads = threads}, &why) != OW_OK)
        fail_msg("%s", why.text);
    assert_string_equal(model_info(model)->family, "ultralytics");
    assert_int_equal(model_info(model)->labels->count, 80);
    footage_open(&footage, video_path);
    const struct model_thresholds thresholds = {
        .confidence = 0.40F, .iou = 0.5F, .max_detections = 300, .agnostic = false};
    for (int n = 0; footage_next(&footage); n++) {
        if (n % 10 != 0)
            continue;
        struct frame frame = as_frame(footage.picture);
        struct detections *seen = NULL;
        struct model_timing timing;
        frame.sequence = (uint64_t)n;
        if (model_run(model, &frame, &thresholds, &seen, &timing, &why) != OW_OK)
            fail_msg("%s", why.text);
        assert_int_equal(seen->frame_sequence, n);
        count_objects(&tally, seen);
        tally.frames++;
        tally.preprocess_us += timing.preprocess_us;
        tally.inference_us += timing.inference_us;
        tally.postprocess_us += timing.postprocess_us;
        detections_unref(&seen);
    }
    footage_close(&footage);
    model_close(&model);
    return tally;
}

/* A separate implementation of the same model, with another way of scaling pictures, found 6.1
 * persons, 3.0 vehicles and 0.5 of anything else a frame. Vehicles at the far end are near the
 * threshold, so scaling moves their count; persons are large enough not to care. */
static void model_sees_the_people_and_cars_of_the_footage(void **state)
{
    (void)state;
    const char *model = needed_model();
    const char *video = needed_video();
    const char *threads = getenv("OVERWATCH_TEST_THREADS");
    struct tally tally = run_over_footage(model, video, threads != NULL ? atoi(threads) : 2);
    assert_true(tally.frames >= 70);
    double frames = tally.frames;
    printf("%d frames: %.2f persons, %.2f vehicles, %.2f others; preprocess %.2f ms, inference "
           "%.2f ms, postprocess %.3f ms\n",
           tally.frames, tally.persons / frames, tally.vehicles / frames, tally.others / frames,
           (double)tally.preprocess_us / frames / 1e3, (double)tally.inference_us / frames / 1e3,
           (double)tally.postprocess_us / frames / 1e3);
    assert_true(tally.persons / frames > 5.6 && tally.persons / frames < 6.6);
    assert_true(tally.vehicles / frames > 2.4 && tally.vehicles / frames < 3.4);
    assert_true(tally.others / frames < 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_computes_what_tensorflow_computes),
        cmocka_unit_test(model_sees_the_people_and_cars_of_the_footage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
