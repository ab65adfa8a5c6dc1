/* The machine-readable clock: 64 bits as black and white squares in a picture's top left corner,
 * big enough to survive H.264 at low rates. The bench, the tests and the test pattern share it; the
 * page-side reader is workflow-builder/src/player/clock-code.ts.
 *
 * Layout: 16 columns x 4 rows of squares, row by row, most significant bit first; the side of a
 * square is max(8, height / 45 rounded down to even) pixels. A 1 is white (luma 235), a 0 black
 * (luma 16), chroma 128. Bits 63..16: wall clock in microseconds modulo 2^48. Bits 15..0: CRC-16
 * (CCITT-FALSE, polynomial 0x1021, initial 0xffff) of those six bytes, big-endian.
 *
 * The picture must be at least 16 x 4 squares. The levels are 235 and 16 in full-range pictures
 * too. A reader averages the 4 x 4 pixels at a square's centre, from (side - 4) / 2 on in both
 * directions, and takes 126 and above for a 1. A picture that was scaled is read with the side of
 * its own height, so scales that keep height / 45 whole and even (1080 to 540) stay readable. */
#ifndef OW_SOURCE_CLOCK_CODE_H
#define OW_SOURCE_CLOCK_CODE_H

#include "core/frame.h"

enum { CLOCK_CODE_COLUMNS = 16, CLOCK_CODE_ROWS = 4 };

int clock_code_side(int picture_height);

/* Draws into a frame owned by the caller; pictures too small for the code are left alone. */
void clock_code_draw(struct frame *frame, int64_t wall_us);

/* The same on a bare I420 luma and chroma planes. */
void clock_code_draw_planes(uint8_t *const plane[3], const int stride[3], int width, int height,
                            int64_t wall_us);

/* Reads the code at the centre of its squares. OW_OK with the time modulo 2^48, OW_EPARSE. */
int clock_code_read(const struct frame *frame, int64_t *wall_us_48);

#endif
