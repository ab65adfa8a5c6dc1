/* Masks and poses as they are drawn, mode by mode. */
#include "guarded.h"
#include "xray/heat.h"
#include "xray/layer.h"
#include "xray/xray.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct xray *xray;

static int setup(void **state)
{
    (void)state;
    return xray_create(&xray, NULL, NULL);
}

static int teardown(void **state)
{
    (void)state;
    xray_destroy(&xray);
    return 0;
}

/* Draws one object, whose shape is given away. */
static void draw(struct guarded *g, struct object_shape *shape, float x1, float y1, float x2,
                 float y2, const struct xray_style *style)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, 1, NULL), OW_OK);
    all->source_width = g->frame.width;
    all->source_height = g->frame.height;
    all->items[0] = (struct detection){
        .confidence = 0.9f, .x1 = x1, .y1 = y1, .x2 = x2, .y2 = y2, .shape = shape};
    g->frame.capture_us += 100000;
    assert_in_range(xray_draw(xray, &g->frame, all, style), 0, 1);
    detections_unref(&all);
}

static struct xray_style unlabelled(enum xray_mode mode)
{
    struct xray_style style;
    xray_style_default(&style);
    style.show_labels = style.show_confidence = style.show_track_ids = false;
    style.mode = mode;
    return style;
}

/* A mask whose left half is inside. */
static struct object_shape *left_half(void)
{
    struct object_shape *shape = NULL;
    assert_int_equal(object_shape_create(&shape, 10, 10, 0), OW_OK);
    for (int i = 0; i < 100; i++)
        shape->mask[i] = i % 10 < 5 ? 255 : 0;
    return shape;
}

/* What is drawn of an object with the left half inside, at 40,40 to 140,140 of 200x200: of the
 * inside, of its edge to the right (at 90), of the other half, of the box's lower edge there. */
struct seen {
    int inside, edge, outside, box;
};

static struct seen see(const struct xray_style *style)
{
    struct guarded g;
    guarded_open(&g, 200, 200);
    draw(&g, left_half(), 40, 40, 140, 140, style);
    struct seen seen = {.inside = guarded_changed(&g, 50, 50, 80, 130),
                        .edge = guarded_changed(&g, 87, 60, 91, 61),
                        .outside = guarded_changed(&g, 95, 50, 130, 130),
                        .box = guarded_changed(&g, 100, 138, 130, 140)};
    assert_true(guarded_intact(&g));
    guarded_close(&g);
    return seen;
}

static void modes_of_masks(void **state)
{
    (void)state;
    enum { INSIDE = 30 * 80 };
    static const struct {
        enum xray_mode mode;
        bool fill, contour, box;
    } cases[] = {{XRAY_BOXES, true, true, true},
                 {XRAY_MASKS, true, true, false},
                 {XRAY_MASKS_CONTOUR, false, true, false},
                 {XRAY_MASKS_SOLID, true, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xray_style style = unlabelled(cases[i].mode);
        struct seen seen = see(&style);
        assert_int_equal(seen.inside, cases[i].fill ? INSIDE : 0);
        assert_true(seen.edge >= 2);
        assert_int_equal(seen.outside, 0); /* a mask's object has no tinted box */
        assert_int_equal(seen.box > 0, cases[i].box);
    }
}

static void settings_of_masks(void **state)
{
    (void)state;
    static const enum xray_mode modes[] = {XRAY_BOXES, XRAY_MASKS};
    for (int i = 0; i < 2; i++) {
        struct xray_style style = unlabelled(modes[i]);
        style.show_masks = false;
        struct seen seen = see(&style);
        assert_int_equal(seen.inside, 0);
        assert_true(seen.edge > 0);
        style.show_masks = true;
        style.show_contours = false;
        style.overlay_alpha = 0;
        style.show_boxes = modes[i] == XRAY_MASKS; /* of others only */
        seen = see(&style);
        assert_int_equal(seen.inside + seen.edge + seen.outside + seen.box, 0);
    }
}

static uint8_t luma_inside(float alpha, enum xray_mode mode)
{
    struct guarded g;
    struct xray_style style = unlabelled(mode);
    style.overlay_alpha = alpha;
    style.scheme = XRAY_SCHEME_MONOCHROME;
    guarded_open(&g, 200, 200);
    draw(&g, left_half(), 40, 40, 140, 140, &style);
    uint8_t value = g.frame.plane[0][90 * g.frame.stride[0] + 60];
    guarded_close(&g);
    return value;
}

static void alpha_says_how_strong(void **state)
{
    (void)state;
    int full = luma_inside(1, XRAY_MASKS), half = luma_inside(0.5f, XRAY_MASKS);
    assert_int_equal(luma_inside(0.1f, XRAY_MASKS_SOLID), full);
    assert_in_range(half, (GROUND_Y + full) / 2 - 2, (GROUND_Y + full) / 2 + 2);
}

static void what_has_no_mask_keeps_its_box(void **state)
{
    (void)state;
    static const enum xray_mode modes[] = {XRAY_MASKS_CONTOUR, XRAY_POSE_SKELETON};
    for (int i = 0; i < 2; i++) {
        struct guarded g;
        struct xray_style style = unlabelled(modes[i]);
        guarded_open(&g, 200, 200);
        draw(&g, NULL, 40, 40, 140, 140, &style);
        assert_true(guarded_changed(&g, 60, 40, 120, 42) == 120);
        guarded_close(&g);
    }
}

/* Where the picture ends an object goes on. */
static void the_edge_of_the_picture_is_no_contour(void **state)
{
    (void)state;
    struct xray_style style = unlabelled(XRAY_MASKS_CONTOUR);
    for (int odd = 0; odd <= 1; odd++) {
        struct guarded g;
        struct object_shape *shape = NULL;
        int side = 100 + odd;
        assert_int_equal(object_shape_create(&shape, 1, 1, 0), OW_OK);
        shape->mask[0] = 255;
        guarded_open(&g, side, side);
        draw(&g, shape, -50, 20, (float)side + 50, (float)side + 50, &style);
        assert_int_equal(guarded_changed(&g, 0, 25, side, side), 0);
        assert_true(guarded_changed(&g, 0, 20, side, 22) >= 2 * side - 4);
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
}

/* A person from head (0) to foot (15) in the box's middle line, by way of hip and knee (11, 13). */
static struct object_shape *person(float knee_score)
{
    struct object_shape *shape = NULL;
    assert_int_equal(object_shape_create(&shape, 0, 0, 17), OW_OK);
    shape->keypoints[0] = (struct keypoint){0.5f, 0.1f, 0.9f};
    shape->keypoints[11] = (struct keypoint){0.5f, 0.5f, 0.9f};
    shape->keypoints[13] = (struct keypoint){0.5f, 0.7f, knee_score};
    shape->keypoints[15] = (struct keypoint){0.5f, 0.9f, 0.9f};
    return shape;
}

static void poses_have_joints_and_bones(void **state)
{
    (void)state;
    static const struct {
        enum xray_mode mode;
        float knee;
        bool bone, joint;
    } cases[] = {{XRAY_POSE_SKELETON, 0.9f, true, true},
                 {XRAY_POSE_SKELETON, 0.1f, false, false}, /* not seen */
                 {XRAY_POSE_KEYPOINTS, 0.9f, false, true},
                 {XRAY_BOXES, 0.9f, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct guarded g;
        struct xray_style style = unlabelled(cases[i].mode);
        style.overlay_alpha = 0;
        guarded_open(&g, 200, 200);
        draw(&g, person(cases[i].knee), 50, 0, 150, 200, &style);
        assert_true(guarded_changed(&g, 98, 98, 102, 102) >= 12); /* the hip, at 100,100 */
        assert_int_equal(guarded_changed(&g, 98, 138, 102, 142) >= 12, cases[i].joint);
        assert_int_equal(guarded_changed(&g, 98, 119, 102, 121) >= 4, cases[i].bone);
        assert_int_equal(guarded_changed(&g, 60, 50, 90, 150), 0);
        assert_int_equal(guarded_changed(&g, 98, 55, 102, 65), 0); /* head and hip are not joined */
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
}

/* Against the distance to a segment, computed plainly. */
static void lines_are_as_wide_as_told(void **state)
{
    (void)state;
    struct guarded g;
    struct layer layer = {0};
    const float x1 = 10.3f, y1 = 12.7f, x2 = 51.2f, y2 = 33.9f, radius = 3;
    guarded_open(&g, 64, 48);
    assert_true(layer_open(&layer, &g.frame, (struct rect){0, 0, 64, 48}));
    layer_line(&layer, x1, y1, x2, y2, radius);
    for (int y = 0; y < 48; y++)
        for (int x = 0; x < 64; x++) {
            float px = (float)x + 0.5f - x1, py = (float)y + 0.5f - y1, dx = x2 - x1, dy = y2 - y1;
            float along = fminf(fmaxf((px * dx + py * dy) / (dx * dx + dy * dy), 0), 1);
            float distance = hypotf(px - along * dx, py - along * dy);
            int value = layer.coverage[y * 64 + x];
            if (distance < radius - 0.5f)
                assert_int_equal(value, 255);
            if (distance > radius + 1.5f)
                assert_int_equal(value, 0);
            if (distance > radius - 0.4f && distance < radius + 1.4f)
                assert_in_range(value, 1, 254);
        }
    layer_free(&layer);
    guarded_close(&g);
}

static void a_mask_warms_what_it_covers(void **state)
{
    (void)state;
    struct heat heat = {0};
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, 1, NULL), OW_OK);
    all->source_width = 960;
    all->source_height = 540;
    all->items[0] = (struct detection){
        .confidence = 0.8f, .x1 = 300, .y1 = 200, .x2 = 500, .y2 = 300, .shape = left_half()};
    heat_update(&heat, 1000000, all, 0, true);
    assert_true(heat.cells[25][33] > 0.1f);
    assert_true(heat.cells[25][45] < FLT_MIN);
    heat_update(&heat, 2000000, all, 0, false); /* the whole box */
    assert_true(heat.cells[25][45] > 0.1f);
    detections_unref(&all);
}

/* Every mode with every odd number, on every odd size. */
static void any_shapes_are_safe(void **state)
{
    (void)state;
    static const float values[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -3.5f, 0, 7, 31, 1e9f};
    static const int sizes[][2] = {{1, 1}, {2, 2}, {17, 9}, {33, 21}, {640, 3}, {3, 480}};
    enum { VALUES = 9 };
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct guarded g;
        guarded_open(&g, sizes[s][0], sizes[s][1]);
        for (int i = 0; i < VALUES * VALUES * VALUES * VALUES; i++) {
            struct object_shape *shape = NULL;
            struct xray_style style = unlabelled((enum xray_mode)(i % (XRAY_POSE_KEYPOINTS + 1)));
            assert_int_equal(object_shape_create(&shape, 1 + i % 5, 1 + i % 3, 17), OW_OK);
            for (int k = 0; k < 17; k++)
                shape->keypoints[k] = (struct keypoint){values[(i + k) % VALUES] / 10,
                                                        values[(i / 5 + k) % VALUES] / 10, 1};
            for (int k = 0; k < shape->mask_width * shape->mask_height; k++)
                shape->mask[k] = (uint8_t)(i * 37 + k * 90);
            style.line_thickness = i % 40 - 10;
            style.overlay_alpha = values[i / 7 % VALUES];
            draw(&g, shape, values[i % VALUES], values[i / 9 % VALUES], values[i / 81 % VALUES],
                 values[i / 729], &style);
        }
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_of_masks),
        cmocka_unit_test(settings_of_masks),
        cmocka_unit_test(alpha_says_how_strong),
        cmocka_unit_test(what_has_no_mask_keeps_its_box),
        cmocka_unit_test(the_edge_of_the_picture_is_no_contour),
        cmocka_unit_test(poses_have_joints_and_bones),
        cmocka_unit_test(lines_are_as_wide_as_told),
        cmocka_unit_test(a_mask_warms_what_it_covers),
        cmocka_unit_test(any_shapes_are_safe),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
