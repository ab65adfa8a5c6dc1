#include "xray/canvas.h"

#include <string.h>

/* from + (to - from) * alpha / 255, rounded, without a division and within 16 bits, so that
 * compilers take many at once. */
static inline uint8_t blend(uint8_t from, uint8_t to, int alpha)
{
    uint16_t scaled = (uint16_t)(from * (255 - alpha) + to * alpha + 128);
    return (uint8_t)((uint16_t)(scaled + (scaled >> 8)) >> 8);
}

static struct rect clip(const struct frame *frame, struct rect rect)
{
    int x0 = max_int(rect.x, 0), y0 = max_int(rect.y, 0);
    int x1 = min_int(rect.x + rect.width, frame->width);
    int y1 = min_int(rect.y + rect.height, frame->height);
    return (struct rect){x0, y0, max_int(x1 - x0, 0), max_int(y1 - y0, 0)};
}

static void blend_run(uint8_t *row, int count, uint8_t value, int alpha)
{
    if (alpha == 255) {
        memset(row, value, (size_t)count);
        return;
    }
    for (int i = 0; i < count; i++)
        row[i] = blend(row[i], value, alpha);
}

/* How many of the pixels 2*cell and 2*cell+1 lie in [begin, end). */
static int covered(int cell, int begin, int end)
{
    return max_int(0, min_int(2 * cell + 2, end) - max_int(2 * cell, begin));
}

/* One row of the chroma samples that columns [begin, end) touch. */
static void blend_chroma_row(uint8_t *row, int begin, int end, int frame_width, uint8_t value,
                             int alpha)
{
    int first = begin / 2, last = (end - 1) / 2;
    for (int cell = first; cell <= last; cell += last > first ? last - first : 1) {
        int share = alpha * covered(cell, begin, end) / covered(cell, 0, frame_width);
        row[cell] = blend(row[cell], value, share);
    }
    if (last - first > 1) /* between the two that may be covered in part */
        blend_run(row + first + 1, last - first - 1, value, alpha);
}

void canvas_rect(struct frame *frame, struct rect rect, struct ink ink, int alpha)
{
    struct rect r = clip(frame, rect);
    int right = r.x + r.width, bottom = r.y + r.height;
    if (!r.width || !r.height)
        return;
    for (int y = r.y; y < bottom; y++)
        blend_run(frame->plane[0] + (ptrdiff_t)y * frame->stride[0] + r.x, r.width, ink.plane[0],
                  alpha);
    for (int cell = r.y / 2; cell <= (bottom - 1) / 2; cell++) {
        int share = alpha * covered(cell, r.y, bottom) / covered(cell, 0, frame->height);
        for (int i = 1; i < FRAME_PLANES; i++)
            blend_chroma_row(frame->plane[i] + (ptrdiff_t)cell * frame->stride[i], r.x, right,
                             frame->width, ink.plane[i], share);
    }
}

/* The mean coverage of the pixels under a chroma sample. */
static int mean_coverage(const struct mask *mask, const struct frame *frame, struct rect area,
                         int origin_x, int origin_y, int cell_x, int cell_y)
{
    int x0 = max_int(2 * cell_x, area.x), x1 = min_int(2 * cell_x + 2, area.x + area.width);
    int y0 = max_int(2 * cell_y, area.y), y1 = min_int(2 * cell_y + 2, area.y + area.height);
    int sum = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            sum += mask->coverage[(y - origin_y) * mask->width + x - origin_x];
    return sum / (covered(cell_x, 0, frame->width) * covered(cell_y, 0, frame->height));
}

void canvas_mask(struct frame *frame, int x, int y, const struct mask *mask, struct ink ink,
                 int alpha)
{
    struct rect r = clip(frame, (struct rect){x, y, mask->width, mask->height});
    if (!r.width || !r.height)
        return;
    for (int row = r.y; row < r.y + r.height; row++) {
        uint8_t *to = frame->plane[0] + (ptrdiff_t)row * frame->stride[0];
        const uint8_t *coverage = mask->coverage + (ptrdiff_t)(row - y) * mask->width;
        for (int col = r.x; col < r.x + r.width; col++)
            to[col] = blend(to[col], ink.plane[0], coverage[col - x] * alpha / 255);
    }
    for (int cell_y = r.y / 2; cell_y <= (r.y + r.height - 1) / 2; cell_y++) {
        for (int cell_x = r.x / 2; cell_x <= (r.x + r.width - 1) / 2; cell_x++) {
            int share = mean_coverage(mask, frame, r, x, y, cell_x, cell_y) * alpha / 255;
            if (!share)
                continue;
            for (int i = 1; i < FRAME_PLANES; i++) {
                uint8_t *to = frame->plane[i] + (ptrdiff_t)cell_y * frame->stride[i] + cell_x;
                *to = blend(*to, ink.plane[i], share);
            }
        }
    }
}

void canvas_blend_row(uint8_t *restrict row, const uint8_t *restrict values,
                      const uint8_t *restrict alphas, int count)
{
    for (int i = 0; i < count; i++)
        row[i] = blend(row[i], values[i], alphas[i]);
}

void canvas_blend_run(uint8_t *restrict row, uint8_t value, const uint8_t *restrict alphas,
                      int count)
{
    for (int i = 0; i < count; i++)
        row[i] = blend(row[i], value, alphas[i]);
}

int rect_common(struct rect a, struct rect b)
{
    int width = min_int(a.x + a.width, b.x + b.width) - max_int(a.x, b.x);
    int height = min_int(a.y + a.height, b.y + b.height) - max_int(a.y, b.y);
    return width > 0 && height > 0 ? width * height : 0;
}
