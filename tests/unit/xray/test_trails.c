#include "guarded.h"
#include "xray/trails.h"
#include "xray/xray.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SIDE = 400, FEET = 300, STEP_US = 40000 };

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

static struct xray_style trails_only(void)
{
    struct xray_style style;
    xray_style_default(&style);
    style.show_labels = style.show_confidence = style.show_track_ids = style.show_boxes = false;
    style.overlay_alpha = 0;
    style.line_thickness = 4;
    style.scheme = XRAY_SCHEME_MONOCHROME;
    style.show_trails = true;
    return style;
}

static struct detections *someone(float x, uint32_t id)
{
    struct detections *all = NULL;
    assert_int_equal(detections_create(&all, 1, NULL), OW_OK);
    all->source_width = all->source_height = 2 * SIDE;
    all->items[0] = (struct detection){.confidence = 0.9f,
                                       .x1 = 2 * x - 40,
                                       .x2 = 2 * x + 40,
                                       .y1 = 2 * FEET - 160,
                                       .y2 = 2 * FEET,
                                       .track_id = id};
    return all;
}

/* Draws pictures on fresh ground, the last of which stays open: somebody walks from 20 to the
 * right, 2 pixels each. */
static void walk(struct guarded *g, int pictures, uint32_t id, const struct xray_style *style)
{
    for (int i = 0; i < pictures; i++) {
        struct detections *all = someone(20 + 2 * (float)i, id);
        guarded_open(g, SIDE, SIDE);
        g->frame.capture_us = (i + 1) * (int64_t)STEP_US;
        xray_draw(xray, &g->frame, all, style);
        assert_true(guarded_intact(g));
        if (i + 1 < pictures)
            guarded_close(g);
        detections_unref(&all);
    }
}

static int brightness(const struct guarded *g, int x)
{
    return g->frame.plane[0][FEET * g->frame.stride[0] + x];
}

static void a_line_lies_where_somebody_walked(void **state)
{
    (void)state;
    struct xray_style style = trails_only();
    struct guarded g;
    walk(&g, 150, 7, &style); /* from 20 to 318; three seconds are 150 pixels */
    assert_int_equal(guarded_changed(&g, 0, 0, SIDE, FEET - 6), 0);
    assert_int_equal(guarded_changed(&g, 0, FEET + 6, SIDE, SIDE), 0);
    assert_int_equal(guarded_changed(&g, 0, FEET - 6, 160, FEET + 6), 0);
    assert_int_equal(guarded_changed(&g, 324, FEET - 6, SIDE, FEET + 6), 0);
    assert_true(brightness(&g, 310) > brightness(&g, 260));
    assert_true(brightness(&g, 260) > brightness(&g, 200));
    assert_true(brightness(&g, 180) > GROUND_Y);
    for (int x = 175; x < 316; x++) /* without a hole */
        assert_true(brightness(&g, x) > GROUND_Y + 5);
    guarded_close(&g);
}

static void it_fades_when_nobody_is_there(void **state)
{
    (void)state;
    struct xray_style style = trails_only();
    struct guarded g;
    walk(&g, 100, 7, &style);
    int64_t last_us = g.frame.capture_us;
    int left = guarded_changed_all(&g);
    assert_true(left > 0);
    guarded_close(&g);
    for (int i = 1; i <= 7; i++) {
        assert_true(xray_shows(xray, NULL, &style) || left == 0);
        guarded_open(&g, SIDE, SIDE);
        g.frame.capture_us = last_us + i * (int64_t)500000;
        xray_draw(xray, &g.frame, NULL, &style);
        int now = guarded_changed_all(&g);
        assert_true(now < left || (now == 0 && left == 0));
        left = now;
        guarded_close(&g);
    }
    assert_int_equal(left, 0);
    assert_false(xray_shows(xray, NULL, &style));
}

static void only_who_is_followed_has_one_and_where_it_is_wanted(void **state)
{
    (void)state;
    struct xray_style style = trails_only();
    struct guarded g;
    walk(&g, 50, 0, &style);
    assert_int_equal(guarded_changed_all(&g), 0);
    guarded_close(&g);
    style.show_trails = false;
    xray_destroy(&xray);
    assert_int_equal(xray_create(&xray, NULL, NULL), OW_OK);
    walk(&g, 50, 7, &style);
    assert_int_equal(guarded_changed_all(&g), 0);
    guarded_close(&g);
}

/* A source at 100 pictures a second fills no trail sooner than one at 10. */
static void the_rate_of_pictures_does_not_matter(void **state)
{
    (void)state;
    static struct trails slow, fast;
    for (int i = 1; i <= 500; i++) {
        struct detections *all = someone((float)i / 2, 7);
        trails_update(&fast, i * (int64_t)10000, all, 0);
        trails_update(&fast, i * (int64_t)10000, all, 0); /* in another size */
        if (i % 10 == 0)
            trails_update(&slow, i * (int64_t)10000, all, 0);
        detections_unref(&all);
    }
    assert_int_equal(slow.count, 1);
    assert_int_equal(fast.count, 1);
    assert_true(slow.items[0].count == 31 && fast.items[0].count == 31);
    assert_true(fabsf(slow.items[0].points[0].x - fast.items[0].points[0].x) < 0.02f);
}

/* More objects than there is room for, far away and no places at all: nothing is overwritten. */
static void any_places_are_survived(void **state)
{
    (void)state;
    enum { CROWD = 300 };
    struct xray_style style = trails_only();
    for (int i = 1; i <= 40; i++) {
        struct guarded g;
        struct detections *all = NULL;
        assert_int_equal(detections_create(&all, CROWD, NULL), OW_OK);
        all->source_width = all->source_height = SIDE;
        for (int k = 0; k < CROWD; k++) {
            float x = k % 3 == 0 ? (float)(i * k) : k % 3 == 1 ? NAN : (float)(k - 100) * 50;
            all->items[k] = (struct detection){.confidence = 0.5f,
                                               .x1 = x - 5,
                                               .x2 = x + 5,
                                               .y1 = (float)k,
                                               .y2 = k % 5 ? (float)(k + i) : INFINITY,
                                               .track_id = (uint32_t)k + 1};
        }
        guarded_open(&g, 201, 97);
        g.frame.capture_us = i * (int64_t)STEP_US;
        style.line_thickness = 1 + i % 16;
        xray_draw(xray, &g.frame, all, &style);
        assert_true(guarded_intact(&g));
        guarded_close(&g);
        detections_unref(&all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_lies_where_somebody_walked, setup, teardown),
        cmocka_unit_test_setup_teardown(it_fades_when_nobody_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(only_who_is_followed_has_one_and_where_it_is_wanted, setup,
                                        teardown),
        cmocka_unit_test(the_rate_of_pictures_does_not_matter),
        cmocka_unit_test_setup_teardown(any_places_are_survived, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
