#include "guarded.h"
#include "xray/shapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct ink ink = {{200, 30, 220}};

static void a_rectangle_covers_its_pixels_and_no_others(void **state)
{
    (void)state;
    struct guarded g;
    guarded_open(&g, 21, 15);
    canvas_rect(&g.frame, (struct rect){4, 2, 6, 8}, ink, 255);
    assert_int_equal(guarded_changed_all(&g), 48);
    assert_int_equal(guarded_changed(&g, 4, 2, 10, 10), 48);
    assert_int_equal(g.frame.plane[0][2 * g.frame.stride[0] + 4], 200);
    assert_int_equal(g.frame.plane[1][1 * g.frame.stride[1] + 2], 30);
    assert_int_equal(g.frame.plane[2][4 * g.frame.stride[2] + 4], 220);
    assert_int_equal(g.frame.plane[1][1 * g.frame.stride[1] + 1], GROUND_U);
    assert_int_equal(g.frame.plane[1][5 * g.frame.stride[1] + 2], GROUND_U);
    assert_true(guarded_intact(&g));
    guarded_close(&g);
}

static void chroma_takes_the_share_that_is_covered(void **state)
{
    (void)state;
    struct guarded g;
    guarded_open(&g, 21, 15);
    canvas_rect(&g.frame, (struct rect){3, 3, 1, 1}, ink, 255); /* a quarter of a sample */
    assert_int_equal(g.frame.plane[2][1 * g.frame.stride[2] + 1], 160);
    canvas_rect(&g.frame, (struct rect){20, 14, 1, 1}, ink, 255); /* all there is of the last */
    assert_int_equal(g.frame.plane[2][7 * g.frame.stride[2] + 10], 220);
    static const uint8_t whole[] = {255, 255, 255, 255}, left[] = {255, 0, 255, 0};
    canvas_mask(&g.frame, 8, 8, &(struct mask){whole, 2, 2}, ink, 255);
    assert_int_equal(g.frame.plane[2][4 * g.frame.stride[2] + 4], 220);
    canvas_mask(&g.frame, 12, 8, &(struct mask){left, 2, 2}, ink, 255);
    assert_in_range(g.frame.plane[2][4 * g.frame.stride[2] + 6], 179, 181);
    guarded_close(&g);
}

static void half_transparent_is_half_way(void **state)
{
    (void)state;
    struct guarded g;
    guarded_open(&g, 8, 8);
    canvas_rect(&g.frame, (struct rect){0, 0, 4, 4}, ink, 128);
    assert_in_range(g.frame.plane[0][0], 144, 146);
    canvas_rect(&g.frame, (struct rect){0, 0, 8, 8}, ink, 0);
    assert_int_equal(g.frame.plane[0][7], GROUND_Y);
    guarded_close(&g);
}

/* The share of a sample's pixels in the picture that lie under the mask, by its coverage. */
static double covered(const struct frame *frame, int plane, int column, int row, int x, int y,
                      const struct mask *mask)
{
    int step = plane == 0 ? 1 : 2, pixels = 0;
    double sum = 0;
    for (int py = row * step; py < min_int((row + 1) * step, frame->height); py++)
        for (int px = column * step; px < min_int((column + 1) * step, frame->width); px++) {
            bool in = px >= x && px < x + mask->width && py >= y && py < y + mask->height;
            sum += in ? mask->coverage[(py - y) * mask->width + px - x] / 255.0 : 0;
            pixels++;
        }
    return sum / pixels;
}

static void expect_blended(const struct guarded *g, int x, int y, const struct mask *mask,
                           int alpha)
{
    static const uint8_t ground[FRAME_PLANES] = {GROUND_Y, GROUND_U, GROUND_V};
    const struct frame *frame = &g->frame;
    for (int p = 0; p < FRAME_PLANES; p++)
        for (int row = 0; row < (p ? chroma_size(frame->height) : frame->height); row++)
            for (int column = 0; column < (p ? chroma_size(frame->width) : frame->width);
                 column++) {
                double share = covered(frame, p, column, row, x, y, mask) * alpha / 255;
                double value = ground[p] + share * (ink.plane[p] - ground[p]);
                int is = frame->plane[p][row * frame->stride[p] + column];
                assert_true(is > value - 2.1 && is < value + 2.1);
            }
}

/* Wide and narrow, at even and odd places, at the edges of even and odd pictures. */
static void each_sample_is_blended_by_what_covers_it(void **state)
{
    (void)state;
    static const int sizes[][2] = {{3, 2}, {21, 15}, {64, 31}, {99, 48}};
    static const int lengths[] = {1, 2, 3, 5, 8, 9, 17, 40, 90};
    static uint8_t all[90 * 90], some[90 * 90];
    memset(all, 255, sizeof all);
    for (size_t i = 0; i < sizeof some; i++)
        some[i] = (uint8_t)(i * 2654435761u >> 13);
    for (int i = 0; i < 4 * 9 * 9 * 12; i++) {
        const int *size = sizes[i % 4];
        struct rect rect = {i * 7 % (size[0] + 8) - 5, i * 11 % (size[1] + 6) - 4,
                            lengths[i / 4 % 9], lengths[i / 36 % 9]};
        int alpha = i % 3 == 0 ? 255 : i * 37 % 256;
        struct guarded g;
        guarded_open(&g, size[0], size[1]);
        canvas_rect(&g.frame, rect, ink, alpha);
        const struct mask full = {all, rect.width, rect.height};
        expect_blended(&g, rect.x, rect.y, &full, alpha);
        guarded_close(&g);
        guarded_open(&g, size[0], size[1]);
        const struct mask mask = {some, rect.width, rect.height};
        canvas_mask(&g.frame, rect.x, rect.y, &mask, ink, alpha);
        expect_blended(&g, rect.x, rect.y, &mask, alpha);
        assert_true(guarded_intact(&g));
        guarded_close(&g);
    }
}

/* All kinds of positions on all kinds of sizes; the guards and the sanitizer see a slip. */
static void everything_is_clipped(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {2, 3}, {21, 15}, {64, 48}};
    static const int places[] = {-CANVAS_FAR, -40, -7, -1, 0, 1, 13, 20, 47, 63, CANVAS_FAR};
    static const int lengths[] = {-5, 0, 1, 2, 3, 17, 100, CANVAS_FAR};
    uint8_t coverage[7 * 5];
    memset(coverage, 255, sizeof coverage);
    for (size_t s = 0; s < 4; s++) {
        struct guarded g;
        guarded_open(&g, sizes[s][0], sizes[s][1]);
        for (size_t i = 0; i < 11 * 11 * 8 * 8; i++) {
            struct rect rect = {places[i % 11], places[i / 11 % 11], lengths[i / 121 % 8],
                                lengths[i / 968]};
            canvas_rect(&g.frame, rect, ink, (int)(i % 256));
            canvas_mask(&g.frame, rect.x, rect.y, &(struct mask){coverage, 7, 5}, ink, 77);
            if (rect.width <= 0 || rect.height <= 0)
                continue;
            shape_ring(&g.frame, rect, (int)(i % 50), 1 + (int)(i % 16), (int)(i % 4), ink, 200);
            shape_fill(&g.frame, rect, (int)(i % 50), (int)(i % 4), ink, 200);
        }
        assert_true(guarded_intact(&g));
        assert_true(guarded_changed_all(&g) > 0);
        guarded_close(&g);
    }
}

static void a_ring_has_a_hole_and_round_corners(void **state)
{
    (void)state;
    struct guarded g;
    guarded_open(&g, 80, 60);
    shape_ring(&g.frame, (struct rect){10, 10, 50, 40}, 6, 2, SHAPE_ROUND, ink, 255);
    assert_int_equal(guarded_changed(&g, 16, 16, 54, 44), 0); /* the hole */
    assert_int_equal(guarded_changed_all(&g), guarded_changed(&g, 10, 10, 60, 50));
    assert_int_equal(g.frame.plane[0][10 * g.frame.stride[0] + 30], 200);
    assert_int_equal(g.frame.plane[0][49 * g.frame.stride[0] + 30], 200);
    assert_int_equal(g.frame.plane[0][30 * g.frame.stride[0] + 59], 200);
    static const int corners[][2] = {{10, 10}, {59, 10}, {10, 49}, {59, 49}};
    for (int i = 0; i < 4; i++)
        assert_int_equal(g.frame.plane[0][corners[i][1] * g.frame.stride[0] + corners[i][0]],
                         GROUND_Y);
    /* Alike in all directions. */
    for (int y = 10; y < 30; y++)
        for (int x = 10; x < 35; x++) {
            uint8_t at = g.frame.plane[0][y * g.frame.stride[0] + x];
            assert_int_equal(at, g.frame.plane[0][y * g.frame.stride[0] + 69 - x]);
            assert_int_equal(at, g.frame.plane[0][(59 - y) * g.frame.stride[0] + x]);
        }
    guarded_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rectangle_covers_its_pixels_and_no_others),
        cmocka_unit_test(chroma_takes_the_share_that_is_covered),
        cmocka_unit_test(half_transparent_is_half_way),
        cmocka_unit_test(each_sample_is_blended_by_what_covers_it),
        cmocka_unit_test(everything_is_clipped),
        cmocka_unit_test(a_ring_has_a_hole_and_round_corners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
