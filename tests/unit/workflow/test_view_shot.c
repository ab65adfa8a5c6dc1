/* Pictures of a view as they are composed, on a view that has no thread. */
#include "workflow/view_shot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct view view;

static int setup(void **state)
{
    (void)state;
    memset(&view, 0, sizeof view);
    pthread_rwlock_init(&view.wiring, NULL);
    view.parts.look.xray = true;
    xray_style_default(&view.parts.look.style);
    return xray_create(&view.xray, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    xray_destroy(&view.xray);
    for (int i = 0; i < VIEW_SIZES; i++)
        scaler_destroy(&view.sizes[i].scaler);
    pthread_rwlock_destroy(&view.wiring);
    return 0;
}

/* A picture in which no two places look alike. */
static struct frame *make_source(int width, int height)
{
    struct frame *frame = NULL;
    assert_int_equal(frame_create(&frame, width, height), OW_OK);
    for (int p = 0; p < FRAME_PLANES; p++)
        for (int y = 0; y < (p ? chroma_size(height) : height); y++)
            for (int x = 0; x < (p ? chroma_size(width) : width); x++)
                frame->plane[p][y * frame->stride[p] + x] =
                    (uint8_t)(16 + (x * 7 + y * 13 + p * 31) % 200);
    frame->capture_us = 1234567;
    frame->sequence = 42;
    return frame;
}

static struct detections *one_object(int width, int height)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, 1, NULL), OW_OK);
    all->source_width = width;
    all->source_height = height;
    all->items[0] = (struct detection){.confidence = 0.9f,
                                       .x1 = (float)width / 4,
                                       .y1 = (float)height / 4,
                                       .x2 = (float)width / 2,
                                       .y2 = (float)height / 2};
    return all;
}

/* How many pixels of `part` differ from the frame that would stand at its place. */
static int differing(const struct frame *picture, int x0, const struct frame *expected)
{
    int count = 0;
    for (int p = 0; p < FRAME_PLANES; p++) {
        int width = p ? chroma_size(expected->width) : expected->width;
        int height = p ? chroma_size(expected->height) : expected->height;
        int left = p ? x0 / 2 : x0;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                count += picture->plane[p][y * picture->stride[p] + left + x] !=
                         expected->plane[p][y * expected->stride[p] + x];
    }
    return count;
}

static void the_left_half_is_the_source_and_the_right_one_is_drawn_on(void **state)
{
    (void)state;
    static const int sizes[][2] = {{320, 180}, {180, 320}, {202, 151}};
    view.parts.look.settings.layout = VIEW_SIDE_BY_SIDE;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int width = sizes[i][0], height = sizes[i][1];
        struct frame *source = make_source(width, height), *drawn_on = NULL;
        struct detections *seen = one_object(width, height);
        struct view_shot shot;
        view_shot_picture(&shot, &view, source, seen);
        assert_int_equal(shot.width, 2 * width);
        const struct drawn *drawn = view_shot_at(&shot, shot.width);
        assert_non_null(drawn);
        assert_int_equal(drawn->frame->width, 2 * width);
        assert_int_equal(drawn->frame->height, height);
        assert_int_equal(drawn->frame->capture_us, 1234567);
        assert_int_equal(drawn->frame->sequence, 42);
        assert_int_equal(drawn->detections, 1);
        assert_int_equal(differing(drawn->frame, 0, source), 0);
        /* The right half is the picture that the X-RAY layout has. */
        assert_int_equal(frame_copy(&drawn_on, source), OW_OK);
        xray_draw(view.xray, drawn_on, seen, &view.parts.look.style);
        assert_int_equal(differing(drawn->frame, width, drawn_on), 0);
        assert_true(differing(drawn->frame, width, source) > 100);
        view_shot_end(&shot);
        frame_unref(&drawn_on);
        frame_unref(&source);
        detections_unref(&seen);
    }
}

static void widths_are_those_of_a_half(void **state)
{
    (void)state;
    static const struct {
        int source_width, source_height, wanted, width, height;
    } cases[] = {
        {320, 180, 0, 640, 180},  {320, 180, 160, 320, 90}, {320, 180, 640, 1280, 360},
        {201, 151, 0, 404, 152},  {4096, 64, 0, 4096, 32},  {320, 180, 4096, 4096, 1152},
        {320, 180, 161, 324, 92},
    };
    view.parts.look.settings.layout = VIEW_SIDE_BY_SIDE;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame *source = make_source(cases[i].source_width, cases[i].source_height);
        struct view_shot shot;
        view.parts.look.settings.width = cases[i].wanted;
        view_shot_picture(&shot, &view, source, NULL);
        const struct drawn *drawn = view_shot_at(&shot, shot.width);
        assert_non_null(drawn);
        assert_int_equal(drawn->frame->width, cases[i].width);
        assert_int_equal(drawn->frame->height, cases[i].height);
        assert_int_equal(shot.width, cases[i].width);
        assert_int_equal(shot.height, cases[i].height);
        view_shot_end(&shot);
        frame_unref(&source);
    }
}

static void smaller_renditions_are_pairs_too(void **state)
{
    (void)state;
    view.parts.look.settings.layout = VIEW_SIDE_BY_SIDE;
    struct frame *source = make_source(320, 180), *half = NULL;
    struct detections *seen = one_object(320, 180);
    struct view_shot shot;
    view_shot_picture(&shot, &view, source, seen);
    const struct drawn *small = view_shot_at(&shot, 322); /* halves of 161, made even */
    assert_non_null(small);
    assert_int_equal(small->frame->width, 324);
    assert_int_equal(small->frame->height, 92);
    struct scaler *scaler = NULL;
    assert_int_equal(scaler_create(&scaler), OW_OK);
    assert_int_equal(scaler_scale(scaler, source, 162, &half), OW_OK);
    assert_int_equal(differing(small->frame, 0, half), 0);
    assert_true(differing(small->frame, 162, half) > 50);
    scaler_destroy(&scaler);
    view_shot_end(&shot);
    frame_unref(&half);
    frame_unref(&source);
    detections_unref(&seen);
}

/* Nothing to draw: the source's own frame is shown, not a copy. */
static void the_plain_picture_is_not_copied(void **state)
{
    (void)state;
    struct frame *source = make_source(320, 180);
    struct view_shot shot;
    view.parts.look.settings.layout = VIEW_ORIGINAL;
    view.parts.look.xray = false;
    view_shot_picture(&shot, &view, source, NULL);
    const struct drawn *drawn = view_shot_at(&shot, shot.width);
    assert_non_null(drawn);
    assert_ptr_equal(drawn->frame, source);
    view_shot_end(&shot);
    frame_unref(&source);
}

static void check_regions(const struct view_shot *shot, const struct video_region *expected,
                          int count)
{
    struct frame *frame = NULL;
    struct video_focus focus;
    assert_int_equal(frame_create(&frame, shot->width, shot->height), OW_OK);
    view_shot_focus(shot, frame, &focus);
    assert_float_equal(focus.steps, 4, 1e-9);
    assert_int_equal(focus.count, count);
    for (int i = 0; i < count; i++)
        assert_memory_equal(&focus.regions[i], &expected[i], sizeof *expected);
    frame_unref(&frame);
}

static void the_focus_is_where_objects_and_labels_are(void **state)
{
    (void)state;
    struct view_look *look = &view.parts.look;
    struct frame *source = make_source(320, 160);
    struct detections *seen = one_object(320, 160);
    struct view_shot shot;
    look->settings.focus = 4;
    look->style.font_size = 0.8F; /* a label takes 8 of 160 lines */
    view_shot_picture(&shot, &view, source, seen);
    check_regions(&shot, &(struct video_region){80, 32, 160, 80}, 1);
    view_shot_end(&shot);
    look->settings.layout = VIEW_SIDE_BY_SIDE;
    view_shot_picture(&shot, &view, source, seen);
    check_regions(&shot, (struct video_region[]){{400, 32, 480, 80}, {80, 32, 160, 80}}, 2);
    view_shot_end(&shot);
    look->settings.layout = VIEW_CLEAN; /* the page draws the labels */
    look->settings.width = 160;
    view_shot_picture(&shot, &view, source, seen);
    check_regions(&shot, &(struct video_region){40, 20, 80, 40}, 1);
    look->style.mode = XRAY_QUAD; /* four small pictures in one */
    check_regions(&shot, NULL, 0);
    view_shot_end(&shot);
    view_shot_picture(&shot, &view, source, NULL);
    look->style.mode = XRAY_BOXES;
    check_regions(&shot, NULL, 0);
    view_shot_end(&shot);
    frame_unref(&source);
    detections_unref(&seen);
}

/* Of zones in parts of the picture and in its pixels, in every layout that is drawn on: that of a
 * rectangle covers a quarter, in the middle of which nothing but its tint is. */
static void zones_before_the_view_are_drawn(void **state)
{
    (void)state;
    static const struct {
        enum view_layout layout;
        bool xray, show, in_pixels, drawn;
    } cases[] = {
        {VIEW_XRAY, true, true, false, true},   {VIEW_XRAY, true, true, true, true},
        {VIEW_XRAY, true, false, false, false}, {VIEW_XRAY, false, true, false, false},
        {VIEW_CLEAN, true, true, false, false}, {VIEW_SIDE_BY_SIDE, true, true, false, true}};
    struct frame *source = make_source(320, 180);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double x = cases[i].in_pixels ? 320 : 1, y = cases[i].in_pixels ? 180 : 1;
        struct filter_settings settings = {
            .kind = FILTER_ZONE,
            .shape = {.kind = ZONE_RECTANGLE,
                      .in_pixels = cases[i].in_pixels,
                      .count = 2,
                      .points = {{x / 4, y / 4}, {x * 3 / 4, y * 3 / 4}}}};
        struct view_shot shot;
        assert_int_equal(filter_create(&view.inputs.zones[0], &settings), OW_OK);
        view.inputs.zone_count = 1;
        view.parts.look.settings.layout = cases[i].layout;
        view.parts.look.xray = cases[i].xray;
        view.parts.look.style.show_zones = cases[i].show;
        view_shot_picture(&shot, &view, source, NULL);
        const struct drawn *drawn = view_shot_at(&shot, shot.width);
        assert_non_null(drawn);
        int left = shot.width - 320; /* the half that is drawn on */
        const uint8_t *inside = drawn->frame->plane[0] + 90 * drawn->frame->stride[0] + left + 160;
        const uint8_t *plain = source->plane[0] + 90 * source->stride[0] + 160;
        assert_int_equal(inside[0] != plain[0] || inside[1] != plain[1], cases[i].drawn);
        int all = differing(drawn->frame, left, source);
        assert_int_equal(all > 160 * 90 / 2 && all < 160 * 90 * 2, cases[i].drawn);
        assert_int_equal(all == 0, !cases[i].drawn);
        view_shot_end(&shot);
        view.inputs.zone_count = 0;
        filter_unref(&view.inputs.zones[0]);
    }
    frame_unref(&source);
}

static bool has_section(const struct metadata *record, size_t from, size_t to, uint8_t kind)
{
    while (from + 1 < to && record->data[from] != kind) /* all sizes are below 128 */
        from += 2 + record->data[from + 1];
    return from + 1 < to;
}

/* Drawn by the page where the server does not: on a clean picture, and where there is none. */
static void zones_are_told_to_a_page_that_draws_them(void **state)
{
    (void)state;
    static const struct {
        enum view_layout layout;
        bool xray, show, of_picture, vector;
    } cases[] = {{VIEW_CLEAN, true, true, true, true},
                 {VIEW_CLEAN, true, false, false, false},
                 {VIEW_CLEAN, false, true, false, false},
                 {VIEW_XRAY, true, true, false, true}};
    const struct filter_settings settings = {
        .kind = FILTER_ZONE,
        .name = "Yard",
        .shape = {.kind = ZONE_LINE, .count = 2, .points = {{0.25, 0.25}, {0.75, 0.75}}}};
    struct frame *source = make_source(320, 180);
    assert_int_equal(filter_create(&view.inputs.zones[0], &settings), OW_OK);
    view.inputs.zone_count = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view_shot shot;
        struct encoded unit = {.width = 320, .height = 180};
        struct metadata *record = NULL;
        view.parts.look.settings.layout = cases[i].layout;
        view.parts.look.xray = cases[i].xray;
        view.parts.look.style.show_zones = cases[i].show;
        view_shot_picture(&shot, &view, source, NULL);
        view_shot_describe(&shot, view_shot_at(&shot, shot.width), &unit);
        assert_int_equal(view_shot_record(&shot, &record), OW_OK);
        const struct metadata *told[] = {unit.metadata, record};
        for (int k = 0; k < 2; k++) {
            bool expected = k == 0 ? cases[i].of_picture : cases[i].vector;
            assert_int_equal(has_section(told[k], told[k]->named_size, told[k]->size, 5), expected);
            assert_int_equal(told[k]->size > told[k]->named_size, expected);
        }
        metadata_unref(&unit.metadata);
        metadata_unref(&record);
        view_shot_end(&shot);
    }
    view.inputs.zone_count = 0;
    filter_unref(&view.inputs.zones[0]);
    frame_unref(&source);
}

/* Whether or not the page draws: it may be told to. */
static void colours_that_the_user_chose_are_told(void **state)
{
    (void)state;
    struct xray_style *style = &view.parts.look.style;
    struct frame *source = make_source(320, 180);
    struct detections *seen = one_object(320, 180);
    style->custom_count = 1;
    style->custom[0] = (struct xray_custom_color){"0", {0xff, 0x88, 0}};
    for (int scheme = XRAY_SCHEME_DEFAULT; scheme <= XRAY_SCHEME_MONOCHROME; scheme++) {
        struct view_shot shot;
        struct encoded unit = {.width = 320, .height = 180};
        style->scheme = (enum xray_scheme)scheme;
        view_shot_picture(&shot, &view, source, seen);
        view_shot_describe(&shot, view_shot_at(&shot, shot.width), &unit);
        const struct metadata *told = unit.metadata;
        bool by_class = scheme == XRAY_SCHEME_DEFAULT || scheme == XRAY_SCHEME_CLASS_SPECIFIC;
        assert_int_equal(has_section(told, told->bare_size, told->named_size, 7), by_class);
        if (by_class)
            assert_memory_equal(told->data + told->named_size - 4, "\0\xff\x88\0", 4);
        metadata_unref(&unit.metadata);
        view_shot_end(&shot);
    }
    detections_unref(&seen);
    frame_unref(&source);
}

/* Where there is a picture and where there is none; the objects themselves are all told. */
static void what_the_user_wants_drawn_is_told(void **state)
{
    (void)state;
    static const struct {
        bool boxes, labels, confidence, tracks, masks, contours;
        float from;
        uint8_t told[2]; /* 0, 0: nothing */
    } cases[] = {{true, true, true, true, true, true, 0, {0, 0}},
                 {false, true, true, true, true, true, 0, {1, 0}},
                 {true, false, true, true, true, false, 0, {2, 0}},
                 {true, true, false, false, false, true, 0, {12, 0}},
                 {true, true, true, true, false, false, 1, {16, 255}}};
    struct xray_style *style = &view.parts.look.style;
    struct frame *source = make_source(320, 180);
    struct detections *seen = one_object(320, 180);
    view.parts.look.settings.layout = VIEW_CLEAN;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view_shot shot;
        struct encoded unit = {.width = 320, .height = 180};
        struct metadata *record = NULL;
        style->show_boxes = cases[i].boxes;
        style->show_labels = cases[i].labels;
        style->show_confidence = cases[i].confidence;
        style->show_track_ids = cases[i].tracks;
        style->show_masks = cases[i].masks;
        style->show_contours = cases[i].contours;
        style->min_confidence = cases[i].from;
        view_shot_picture(&shot, &view, source, seen);
        view_shot_describe(&shot, view_shot_at(&shot, shot.width), &unit);
        assert_int_equal(view_shot_record(&shot, &record), OW_OK);
        const struct metadata *told[] = {unit.metadata, record};
        uint8_t expected[] = {METADATA_LOOK, 2, cases[i].told[0], cases[i].told[1]};
        for (int k = 0; k < 2; k++) {
            const uint8_t *end = told[k]->data + told[k]->boxes_size;
            assert_int_equal(memcmp(end - sizeof expected, expected, sizeof expected) == 0, i > 0);
        }
        metadata_unref(&unit.metadata);
        metadata_unref(&record);
        view_shot_end(&shot);
    }
    detections_unref(&seen);
    frame_unref(&source);
}

/* As thick as told up to 720 lines, thicker in larger pictures. */
static void lines_are_not_lost_in_large_pictures(void **state)
{
    (void)state;
    static const int heights[][2] = {{360, 2}, {720, 2}, {1080, 3}, {2160, 6}};
    for (size_t i = 0; i < sizeof heights / sizeof heights[0]; i++) {
        int height = heights[i][0], width = height * 16 / 9, thick = 0;
        struct frame *source = make_source(width, height);
        struct detections *seen = one_object(width, height);
        struct view_shot shot;
        view.parts.look.style.overlay_alpha = 0;
        view_shot_picture(&shot, &view, source, seen);
        const struct drawn *drawn = view_shot_at(&shot, shot.width);
        assert_non_null(drawn);
        /* Across the left side of the box, at half its height. */
        const uint8_t *row = drawn->frame->plane[0] + height * 3 / 8 * drawn->frame->stride[0];
        for (int x = width / 4; row[x] == row[width / 4]; x++)
            thick++;
        assert_int_equal(thick, heights[i][1]);
        view_shot_end(&shot);
        detections_unref(&seen);
        frame_unref(&source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_left_half_is_the_source_and_the_right_one_is_drawn_on,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(widths_are_those_of_a_half, setup, teardown),
        cmocka_unit_test_setup_teardown(smaller_renditions_are_pairs_too, setup, teardown),
        cmocka_unit_test_setup_teardown(the_plain_picture_is_not_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(the_focus_is_where_objects_and_labels_are, setup, teardown),
        cmocka_unit_test_setup_teardown(zones_before_the_view_are_drawn, setup, teardown),
        cmocka_unit_test_setup_teardown(zones_are_told_to_a_page_that_draws_them, setup, teardown),
        cmocka_unit_test_setup_teardown(colours_that_the_user_chose_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_user_wants_drawn_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_are_not_lost_in_large_pictures, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
