#ifndef OW_TESTS_TEST_PICTURE_H
#define OW_TESTS_TEST_PICTURE_H

/* The picture of tools/tfjs2onnx/test-picture.mjs: channel c (R, G, B) in 0..1 at a place. */
static inline float picture_value(int c, int x, int y)
{
    static const struct {
        int x1, y1, x2, y2, rgb[3];
    } shapes[] = {
        {90, 120, 150, 290, {40, 30, 60}},
        {105, 80, 135, 120, {200, 150, 120}},
        {230, 210, 380, 300, {180, 20, 30}},
        {250, 175, 350, 210, {60, 70, 90}},
    };
    for (int i = 3; i >= 0; i--)
        if (x >= shapes[i].x1 && x < shapes[i].x2 && y >= shapes[i].y1 && y < shapes[i].y2)
            return (float)(shapes[i].rgb[c] + (x * 3 + y * 5) % 11) / 255.0F;
    return (float)((x + 2 * y + 37 * c + ((x >> 4) ^ (y >> 4)) * 3) % 256) / 255.0F;
}

#endif
