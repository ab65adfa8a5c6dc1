#include "source/clock_code.h"

#include "core/error.h"

#include <string.h>

enum { WHITE = 235, BLACK = 16, NEUTRAL = 128, THRESHOLD = (WHITE + BLACK + 1) / 2 };
enum { CODE_BITS = CLOCK_CODE_COLUMNS * CLOCK_CODE_ROWS, PROBE_SIDE = 4 };

static const uint64_t time_mask = (UINT64_C(1) << 48) - 1;

int clock_code_side(int picture_height)
{
    int side = picture_height / 45 & ~1;
    return side < 8 ? 8 : side;
}

static bool code_fits(int width, int height)
{
    int side = clock_code_side(height);
    return width >= CLOCK_CODE_COLUMNS * side && height >= CLOCK_CODE_ROWS * side;
}

/* CRC-16/CCITT-FALSE of the time's six bytes, most significant first. */
static uint16_t crc_of_time(uint64_t time)
{
    unsigned crc = 0xffff;
    for (int shift = 40; shift >= 0; shift -= 8) {
        crc ^= (unsigned)(time >> shift & 0xff) << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return (uint16_t)crc;
}

static void fill_rect(uint8_t *plane, int stride, int x, int y, int width, int height, int value)
{
    for (int row = y; row < y + height; row++)
        memset(plane + (ptrdiff_t)row * stride + x, value, (size_t)width);
}

void clock_code_draw_planes(uint8_t *const plane[3], const int stride[3], int width, int height,
                            int64_t wall_us)
{
    if (!code_fits(width, height))
        return;
    int side = clock_code_side(height);
    uint64_t time = (uint64_t)wall_us & time_mask;
    uint64_t code = time << 16 | crc_of_time(time);
    for (int i = 0; i < CODE_BITS; i++) {
        bool one = code >> (CODE_BITS - 1 - i) & 1;
        fill_rect(plane[0], stride[0], i % CLOCK_CODE_COLUMNS * side, i / CLOCK_CODE_COLUMNS * side,
                  side, side, one ? WHITE : BLACK);
    }
    for (int i = 1; i < FRAME_PLANES; i++) /* the side is even: chroma covers it exactly */
        fill_rect(plane[i], stride[i], 0, 0, CLOCK_CODE_COLUMNS * side / 2,
                  CLOCK_CODE_ROWS * side / 2, NEUTRAL);
}

void clock_code_draw(struct frame *frame, int64_t wall_us)
{
    clock_code_draw_planes(frame->plane, frame->stride, frame->width, frame->height, wall_us);
}

/* The mean of the 4 x 4 pixels at a square's centre: one noisy pixel decides nothing. */
static bool square_is_white(const struct frame *frame, int index, int side)
{
    int x = index % CLOCK_CODE_COLUMNS * side + (side - PROBE_SIDE) / 2;
    int y = index / CLOCK_CODE_COLUMNS * side + (side - PROBE_SIDE) / 2;
    int sum = 0;
    for (int row = y; row < y + PROBE_SIDE; row++)
        for (int column = x; column < x + PROBE_SIDE; column++)
            sum += frame->plane[0][(ptrdiff_t)row * frame->stride[0] + column];
    return sum >= THRESHOLD * PROBE_SIDE * PROBE_SIDE;
}

int clock_code_read(const struct frame *frame, int64_t *wall_us_48)
{
    if (!code_fits(frame->width, frame->height))
        return OW_EPARSE;
    int side = clock_code_side(frame->height);
    uint64_t code = 0;
    for (int i = 0; i < CODE_BITS; i++)
        code = code << 1 | square_is_white(frame, i, side);
    uint64_t time = code >> 16;
    if (crc_of_time(time) != (code & 0xffff))
        return OW_EPARSE;
    *wall_us_48 = (int64_t)time;
    return OW_OK;
}
