#include "guarded.h"
#include "xray/heat.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct detections *one(float x1, float y1, float x2, float y2)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, 1, NULL), OW_OK);
    all->source_width = 960;
    all->source_height = 540;
    all->items[0] = (struct detection){.confidence = 0.8f, .x1 = x1, .y1 = y1, .x2 = x2, .y2 = y2};
    return all;
}

static float at(const struct heat *heat, int x, int y) /* of 960x540 */
{
    return heat->cells[y / 10][x / 10];
}

static void it_warms_where_objects_are_and_cools(void **state)
{
    (void)state;
    struct heat heat = {0};
    struct detections *here = one(300, 200, 400, 300);
    int64_t now_us = 1000000;
    float last = 0;
    for (int i = 0; i < 50; i++) {
        heat_update(&heat, now_us += 100000, here, 0, false);
        float warm = at(&heat, 350, 250);
        assert_true(warm > last && warm <= 1);
        last = warm;
    }
    assert_true(last > 0.8f);
    assert_true(heat.warm);
    assert_true(at(&heat, 310, 250) < last); /* softer at the edge */
    assert_true(fabsf(at(&heat, 500, 250)) < FLT_MIN);
    assert_true(fabsf(at(&heat, 350, 100)) < FLT_MIN);
    for (int i = 0; i < 100; i++) {
        heat_update(&heat, now_us += 100000, NULL, 0, false);
        assert_true(at(&heat, 350, 250) < last);
        last = at(&heat, 350, 250);
    }
    assert_true(last > 0.25f && last < 0.45f); /* a third of it is left after ten seconds */
    detections_unref(&here);
}

/* However many pictures a second there are, a place warms the same. */
static void the_rate_of_pictures_does_not_matter(void **state)
{
    (void)state;
    struct detections *here = one(300, 200, 400, 300);
    static const int steps[] = {1, 5, 25, 60};
    float first = 0;
    for (int i = 0; i < 4; i++) {
        struct heat heat = {0};
        heat_update(&heat, 1000000, here, 0, false);
        for (int k = 1; k <= steps[i]; k++)
            heat_update(&heat, 1000000 + 1000000 * k / steps[i], here, 0, false);
        float warm = at(&heat, 350, 250);
        first = i == 0 ? warm : first;
        assert_true(fabsf(warm - first) < 0.03f);
    }
    detections_unref(&here);
}

/* The same picture in another size, and what comes out of order, count once. */
static void a_moment_counts_once(void **state)
{
    (void)state;
    struct heat heat = {0}, before;
    struct detections *here = one(300, 200, 400, 300);
    heat_update(&heat, 1000000, here, 0, false);
    before = heat;
    heat_update(&heat, 1000000, here, 0, false);
    heat_update(&heat, 900000, here, 0, false);
    assert_memory_equal(&heat, &before, sizeof heat);
    assert_true(at(&heat, 350, 250) > 0.5f); /* the first one is seen at once */
    detections_unref(&here);
}

static void the_unsure_leave_no_trace(void **state)
{
    (void)state;
    struct heat heat = {0};
    struct detections *here = one(300, 200, 400, 300);
    heat_update(&heat, 1000000, here, 0.81f, false);
    assert_false(heat.warm);
    detections_unref(&here);
}

static void any_numbers_are_safe(void **state)
{
    (void)state;
    static const float values[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 0,
                                   -5,  7,        500,       999999,  -999999};
    enum { VALUES = 11 };
    struct heat heat = {0};
    for (int i = 0; i < VALUES * VALUES * VALUES * VALUES; i++) {
        struct detections *all = one(values[i % VALUES], values[i / VALUES % VALUES],
                                     values[i / 121 % VALUES], values[i / 1331]);
        all->source_width = i % 7 ? 960 : 1 - i % 3;
        heat_update(&heat, 1000000 + 40000LL * i, all, 0, false);
        detections_unref(&all);
    }
    for (int y = 0; y < HEAT_ROWS; y++)
        for (int x = 0; x < HEAT_COLUMNS; x++)
            assert_true(heat.cells[y][x] >= 0 && heat.cells[y][x] <= 1);
}

static int luma(const struct guarded *g, int x, int y)
{
    return g->frame.plane[0][y * g->frame.stride[0] + x];
}

static void it_is_drawn_where_it_is_warm(void **state)
{
    (void)state;
    struct heat heat = {0};
    struct detections *here = one(480, 270, 720, 405);
    struct xray_style style;
    xray_style_default(&style);
    for (int i = 0; i < 40; i++)
        heat_update(&heat, 1000000 + 100000 * i, here, 0, false);
    static const int sizes[][2] = {{961, 541}, {480, 270}, {101, 75}, {7, 5}, {1, 1}};
    for (int i = 0; i < 5; i++) {
        struct guarded g;
        int width = sizes[i][0], height = sizes[i][1];
        guarded_open(&g, width, height);
        heat_draw(&heat, &g.frame, &style);
        assert_true(guarded_intact(&g));
        if (width > 100) {
            assert_int_equal(guarded_changed(&g, 0, 0, width * 45 / 100, height), 0);
            assert_int_equal(guarded_changed(&g, 0, 0, width, height * 44 / 100), 0);
            assert_true(luma(&g, width * 5 / 8, height * 5 / 8) > GROUND_Y + 40);
        }
        guarded_close(&g);
    }
    detections_unref(&here);
}

/* Neighbouring pixels of a soft field differ little: no cells are seen. */
static void it_is_smooth(void **state)
{
    (void)state;
    struct heat heat = {0};
    struct detections *here = one(300, 100, 700, 400);
    struct guarded g;
    struct xray_style style;
    xray_style_default(&style);
    heat_update(&heat, 1000000, here, 0, false);
    guarded_open(&g, 960, 540);
    heat_draw(&heat, &g.frame, &style);
    for (int y = 0; y < 540; y++)
        for (int x = 1; x < 960; x++)
            assert_true(abs(luma(&g, x, y) - luma(&g, x - 1, y)) <= 6);
    guarded_close(&g);
    detections_unref(&here);
}

static void the_intensity_is_how_much_it_covers(void **state)
{
    (void)state;
    struct heat heat = {0};
    struct detections *here = one(300, 100, 700, 400);
    for (int i = 0; i < 40; i++)
        heat_update(&heat, 1000000 + 100000 * i, here, 0, false);
    int last = -1;
    for (int i = 0; i <= 10; i++) {
        struct guarded g;
        struct xray_style style;
        xray_style_default(&style);
        style.heatmap_intensity = (float)i / 10;
        guarded_open(&g, 960, 540);
        heat_draw(&heat, &g.frame, &style);
        int moved = luma(&g, 500, 250) - GROUND_Y;
        assert_true(i == 0 ? moved == 0 : moved > last);
        last = moved;
        guarded_close(&g);
    }
    detections_unref(&here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_warms_where_objects_are_and_cools),
        cmocka_unit_test(the_rate_of_pictures_does_not_matter),
        cmocka_unit_test(a_moment_counts_once),
        cmocka_unit_test(the_unsure_leave_no_trace),
        cmocka_unit_test(any_numbers_are_safe),
        cmocka_unit_test(it_is_drawn_where_it_is_warm),
        cmocka_unit_test(it_is_smooth),
        cmocka_unit_test(the_intensity_is_how_much_it_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
