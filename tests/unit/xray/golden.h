/* Pictures that are known to be right, as PNG files, and the comparison with them. It allows for
 * what another version of FreeType or another compiler may do, and for nothing that is seen. */
#ifndef TEST_XRAY_GOLDEN_H
#define TEST_XRAY_GOLDEN_H

#include "core/frame.h"

#include <stdbool.h>

/* Red, green, blue; 3 * width bytes a row. */
struct picture {
    int width, height;
    uint8_t *pixels;
};

/* A dark picture; freed by picture_free(). Without memory it asserts, as all here does. */
struct picture picture_create(int width, int height);
void picture_free(struct picture *picture);
/* Copies a frame into a picture at this place, which it fits into. */
void picture_put(struct picture *picture, const struct frame *frame, int x, int y);

/* How much two pictures of one size differ in an area: the mean of all values (of 255), and the
 * share of pixels with a value that is off by more than GOLDEN_OFF. */
enum { GOLDEN_OFF = 40 };
struct picture_difference {
    double mean, share;
};
struct picture_difference picture_compare(const struct picture *a, const struct picture *b, int x,
                                          int y, int width, int height);

/* Reads or writes a PNG file; false when that fails. */
bool picture_read(struct picture *out, const char *path);
bool picture_write(const struct picture *picture, const char *path);

#endif
