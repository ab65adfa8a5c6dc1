/* The encodings of a view, on one that has no thread. */
#include "core/clock.h"
#include "workflow/view_track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 320, HEIGHT = 180, PICTURES = 20, BYTES_MAX = 1 << 20 };

/* What viewers were given, one picture after the other. */
struct given {
    uint8_t bytes[BYTES_MAX];
    size_t size;
    int pictures;
};

static void on_video(void *context, void *handle, int track, struct encoded *unit)
{
    (void)handle, (void)track;
    struct given *given = context;
    assert_true(given->size + unit->size <= BYTES_MAX);
    memcpy(given->bytes + given->size, unit->data, unit->size);
    given->size += unit->size;
    given->pictures++;
}

static struct view view;

static int setup(void **state)
{
    (void)state;
    memset(&view, 0, sizeof view);
    pthread_rwlock_init(&view.wiring, NULL);
    pthread_mutex_init(&view.lock, NULL);
    pthread_mutex_init(&view.orders_lock, NULL);
    view.parts.look = (struct view_look){.xray = true};
    xray_style_default(&view.parts.look.style);
    view.parts.look.settings = (struct view_settings){.layout = VIEW_CLEAN,
                                                      .max_fps = 30,
                                                      .min_bps = 100000,
                                                      .start_bps = 100000,
                                                      .max_bps = 100000};
    view.parts.h264_backend = "libx264";
    view.output = &view;
    return xray_create(&view.xray, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    xray_destroy(&view.xray);
    for (int i = 0; i < VIEW_SIZES; i++)
        scaler_destroy(&view.sizes[i].scaler);
    pthread_mutex_destroy(&view.orders_lock);
    pthread_mutex_destroy(&view.lock);
    pthread_rwlock_destroy(&view.wiring);
    return 0;
}

static struct frame *make_picture(int index)
{
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, WIDTH, HEIGHT), OW_OK);
    for (int p = 0; p < FRAME_PLANES; p++)
        for (int y = 0; y < (p ? chroma_size(HEIGHT) : HEIGHT); y++)
            for (int x = 0; x < (p ? chroma_size(WIDTH) : WIDTH); x++)
                frame->plane[p][y * frame->stride[p] + x] =
                    (uint8_t)(16 + ((x + index) * (y + p + 7) % 199));
    frame->capture_us = 1000000 + index * 33333;
    return frame;
}

static struct detections *one_object(void)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, 1, NULL), OW_OK);
    all->source_width = WIDTH;
    all->source_height = HEIGHT;
    all->items[0] =
        (struct detection){.confidence = 0.9F, .x1 = 100, .y1 = 40, .x2 = 200, .y2 = 140};
    return all;
}

/* What a viewer gets of the same pictures with this focus on what was seen in them. */
static void show(double focus, struct detections *seen, struct given *given)
{
    const struct rendition_plan plan = {.viewers = 1, .target_bps = 100000};
    *given = (struct given){.size = 0};
    view.parts.outputs = (struct view_outputs){.context = given, .video = on_video};
    view.parts.look.settings.focus = focus;
    view.tracks[0] = (struct view_track){.ordered = plan};
    atomic_store(&view.running, view_track_bit(0));
    view_tracks_attend(&view);
    for (int i = 0; i < PICTURES; i++) {
        struct frame *frame = make_picture(i);
        struct view_shot shot;
        struct drawn best;
        view_shot_picture(&shot, &view, frame, seen);
        view_tracks_demand(&view, clock_now_us(), WIDTH, HEIGHT, false);
        assert_true(view_tracks_give(&view, &shot, clock_now_us(), &best));
        view_shot_end(&shot);
        frame_unref(&frame);
    }
    assert_int_equal(given->pictures, PICTURES);
    view_tracks_close(&view);
}

/* The pictures are the same, nothing is drawn on them: what differs comes from the focus alone. */
static void the_encoder_is_told_where_the_objects_are(void **state)
{
    (void)state;
    struct given *none = malloc(sizeof *none), *focused = malloc(sizeof *focused);
    struct detections *seen = one_object();
    assert_non_null(none);
    assert_non_null(focused);
    show(0, seen, none);
    show(6, NULL, focused);
    assert_int_equal(focused->size, none->size);
    assert_memory_equal(focused->bytes, none->bytes, none->size);
    show(6, seen, focused);
    assert_true(focused->size != none->size || memcmp(focused->bytes, none->bytes, none->size));
    detections_unref(&seen);
    free(focused);
    free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_encoder_is_told_where_the_objects_are),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
