#include "xray/canvas.h"

#include "core/simd.h"

#include <string.h>

/* from + (to - from) * alpha / 255, rounded, without a division and within 16 bits, so that
 * compilers take many at once. */
static inline uint8_t blend(uint8_t from, uint8_t to, int alpha)
{
    uint16_t scaled = (uint16_t)(from * (255 - alpha) + to * alpha + 128);
    return (uint8_t)((uint16_t)(scaled + (scaled >> 8)) >> 8);
}

/* The same for sixteen or eight at once: compilers make less of short loops, and of those whose
 * arrays they cannot tell apart. kept = 255 - alpha, added = to * alpha + 128. */
typedef uint8_t bytes_16 __attribute__((vector_size(16)));
typedef uint16_t words_16 __attribute__((vector_size(32)));
typedef uint8_t bytes_8 __attribute__((vector_size(8)));
typedef uint16_t words_8 __attribute__((vector_size(16)));
typedef uint32_t pairs_8 __attribute__((vector_size(32)));

static inline void blend_16(uint8_t *at, const words_16 *kept, const words_16 *added)
{
    bytes_16 from;
    memcpy(&from, at, sizeof from);
    words_16 scaled = __builtin_convertvector(from, words_16) * *kept + *added;
    from = __builtin_convertvector((scaled + (scaled >> 8)) >> 8, bytes_16);
    memcpy(at, &from, sizeof from);
}

static inline void blend_8(uint8_t *at, const words_8 *kept, const words_8 *added)
{
    bytes_8 from;
    memcpy(&from, at, sizeof from);
    words_8 scaled = __builtin_convertvector(from, words_8) * *kept + *added;
    from = __builtin_convertvector((scaled + (scaled >> 8)) >> 8, bytes_8);
    memcpy(at, &from, sizeof from);
}

static struct rect clip(const struct frame *frame, struct rect rect)
{
    int x0 = max_int(rect.x, 0), y0 = max_int(rect.y, 0);
    int x1 = min_int(rect.x + rect.width, frame->width);
    int y1 = min_int(rect.y + rect.height, frame->height);
    return (struct rect){x0, y0, max_int(x1 - x0, 0), max_int(y1 - y0, 0)};
}

/* ---- rows ---- */

SIMD_CLONES static void blend_row(uint8_t *restrict row, const uint8_t *restrict values,
                                  const uint8_t *restrict alphas, int count)
{
    for (int i = 0; i < count; i++)
        row[i] = blend(row[i], values[i], alphas[i]);
}

void canvas_blend_row(uint8_t *restrict row, const uint8_t *restrict values,
                      const uint8_t *restrict alphas, int count)
{
    blend_row(row, values, alphas, count);
}

/* ---- rectangles ---- */

SIMD_CLONES static void blend_run(uint8_t *row, int count, uint8_t value, int alpha)
{
    for (int i = 0; i < count; i++)
        row[i] = blend(row[i], value, alpha);
}

/* The samples of a plane that some pixels touch, across or down: [begin, end). Of two pixels that
 * the first or the last stands for, only one may be among them. */
struct stretch {
    int begin, end;
    bool half_first, half_last;
};

static struct stretch stretch_of(int plane, int begin, int end, int frame_side)
{
    if (plane == 0)
        return (struct stretch){begin, end, false, false};
    return (struct stretch){begin / 2, chroma_size(end), begin % 2 != 0,
                            end % 2 != 0 && end < frame_side};
}

static int share(const struct stretch *stretch, int at, int alpha)
{
    bool half = (at == stretch->begin && stretch->half_first) ||
                (at == stretch->end - 1 && stretch->half_last);
    return half ? alpha / 2 : alpha;
}

struct samples {
    uint8_t *first; /* of row 0, column 0 */
    ptrdiff_t stride;
    int width; /* of the plane */
    struct stretch across, down;
    uint8_t value;
};

static void fill_wide(const struct samples *s, int alpha)
{
    int begin = s->across.begin + s->across.half_first, end = s->across.end - s->across.half_last;
    for (int y = s->down.begin; y < s->down.end; y++) {
        uint8_t *row = s->first + y * s->stride;
        int here = share(&s->down, y, alpha);
        if (here == 255)
            memset(row + begin, s->value, (size_t)(end - begin));
        else
            blend_run(row + begin, end - begin, s->value, here);
        if (s->across.half_first)
            row[begin - 1] = blend(row[begin - 1], s->value, here / 2);
        if (s->across.half_last)
            row[end] = blend(row[end], s->value, here / 2);
    }
}

/* As narrow as the side of a box: all rows alike, of eight samples each, touched or not. */
enum { LANES = 8 };
struct lanes {
    words_8 kept, added;
};

static void set_lanes(struct lanes *lanes, const struct samples *s, int first, int alpha)
{
    for (int i = 0; i < LANES; i++) {
        bool in = first + i >= s->across.begin && first + i < s->across.end;
        int here = in ? share(&s->across, first + i, alpha) : 0;
        lanes->kept[i] = (uint16_t)(255 - here);
        lanes->added[i] = (uint16_t)(s->value * here + 128);
    }
}

static void fill_narrow(const struct samples *s, int alpha)
{
    int first = min_int(s->across.begin, s->width - LANES);
    struct lanes whole, half;
    set_lanes(&whole, s, first, alpha);
    set_lanes(&half, s, first, alpha / 2);
    for (int y = s->down.begin; y < s->down.end; y++) {
        const struct lanes *lanes = share(&s->down, y, alpha) == alpha ? &whole : &half;
        blend_8(s->first + y * s->stride + first, &lanes->kept, &lanes->added);
    }
}

void canvas_rect(struct frame *frame, struct rect rect, struct ink ink, int alpha)
{
    struct rect r = clip(frame, rect);
    if (!r.width || !r.height)
        return;
    for (int plane = 0; plane < FRAME_PLANES; plane++) {
        const struct samples samples = {
            .first = frame->plane[plane],
            .stride = frame->stride[plane],
            .width = plane == 0 ? frame->width : chroma_size(frame->width),
            .across = stretch_of(plane, r.x, r.x + r.width, frame->width),
            .down = stretch_of(plane, r.y, r.y + r.height, frame->height),
            .value = ink.plane[plane],
        };
        bool narrow = samples.across.end - samples.across.begin <= LANES && samples.width >= LANES;
        if (narrow)
            fill_narrow(&samples, alpha);
        else
            fill_wide(&samples, alpha);
    }
}

/* ---- coverage ---- */

enum { BLOCK = 16 };

/* So many pixels of both rows, and their chroma samples. */
static inline void blend_block(struct frame *frame, const struct cells *cells, int at,
                               struct ink ink, int alpha)
{
    words_16 sums = {0};
    int x = cells->x + at;
    for (int k = 0; k < 2; k++) {
        bytes_16 coverage;
        memcpy(&coverage, cells->rows[k] + at, sizeof coverage);
        words_16 alphas =
            (__builtin_convertvector(coverage, words_16) * (uint16_t)alpha + 255) >> 8;
        words_16 kept = 255 - alphas, added = alphas * ink.plane[0] + 128;
        sums += alphas;
        if (cells->y + k < frame->height)
            blend_16(frame->plane[0] + (ptrdiff_t)(cells->y + k) * frame->stride[0] + x, &kept,
                     &added);
    }
    pairs_8 pairs;
    memcpy(&pairs, &sums, sizeof pairs);
    pairs = ((pairs & 0xffff) + (pairs >> 16) + 2) >> 2; /* the mean of two by two */
    words_8 alphas = __builtin_convertvector(pairs, words_8), kept = 255 - alphas;
    for (int p = 1; p < FRAME_PLANES; p++) {
        words_8 added = alphas * ink.plane[p] + 128;
        blend_8(frame->plane[p] + (ptrdiff_t)(cells->y / 2) * frame->stride[p] + x / 2, &kept,
                &added);
    }
}

/* At the picture's right edge, pixel by pixel. */
static void blend_edge(struct frame *frame, const struct cells *cells, int at, struct ink ink,
                       int alpha)
{
    for (; at < cells->count; at += 2) {
        int sum = 0, x = cells->x + at;
        for (int k = 0; k < 2; k++) {
            uint8_t *row = frame->plane[0] + (ptrdiff_t)(cells->y + k) * frame->stride[0] + x;
            for (int i = 0; i < 2; i++) {
                int here = (cells->rows[k][at + i] * alpha + 255) >> 8;
                sum += here;
                if (cells->y + k < frame->height && x + i < frame->width)
                    row[i] = blend(row[i], ink.plane[0], here);
            }
        }
        for (int p = 1; p < FRAME_PLANES; p++) {
            uint8_t *to = frame->plane[p] + (ptrdiff_t)(cells->y / 2) * frame->stride[p] + x / 2;
            *to = blend(*to, ink.plane[p], (sum + 2) >> 2);
        }
    }
}

SIMD_CLONES static void blend_cells(struct frame *frame, const struct cells *cells, struct ink ink,
                                    int alpha)
{
    int at = 0, left = frame->width - cells->x;
    for (; at + BLOCK <= cells->count && at + BLOCK <= left; at += BLOCK)
        blend_block(frame, cells, at, ink, alpha);
    if (at == cells->count)
        return;
    if (at + BLOCK > left) {
        blend_edge(frame, cells, at, ink, alpha);
        return;
    }
    uint8_t rows[2][BLOCK] = {{0}};
    for (int k = 0; k < 2; k++)
        memcpy(rows[k], cells->rows[k] + at, (size_t)(cells->count - at));
    blend_block(frame, &(struct cells){{rows[0], rows[1]}, cells->x + at, cells->y, BLOCK}, 0, ink,
                alpha);
}

void canvas_cells(struct frame *frame, const struct cells *cells, struct ink ink, int alpha)
{
    blend_cells(frame, cells, ink, alpha);
}

/* A row of a mask at (x, y), for pixels from `from` on. What lies over the frame's edge counts as
 * what is at it. */
static void take_row(uint8_t *row, int count, const struct frame *frame, const struct rect *r,
                     const struct mask *mask, int x, int y, int from, int at_y)
{
    int begin = max_int(from, r->x), end = min_int(from + count, r->x + r->width);
    at_y = min_int(at_y, frame->height - 1);
    memset(row, 0, (size_t)count);
    if (at_y < r->y || at_y >= r->y + r->height)
        return;
    if (begin < end)
        memcpy(row + begin - from, mask->coverage + (ptrdiff_t)(at_y - y) * mask->width + begin - x,
               (size_t)(end - begin));
    if (from + count > frame->width && count > 1)
        row[count - 1] = row[count - 2];
}

void canvas_mask(struct frame *frame, int x, int y, const struct mask *mask, struct ink ink,
                 int alpha)
{
    struct rect r = clip(frame, (struct rect){x, y, mask->width, mask->height});
    uint8_t rows[2][CELLS_MAX];
    if (!r.width || !r.height)
        return;
    int right = (r.x + r.width + 1) & ~1;
    for (int cell_y = r.y & ~1; cell_y < r.y + r.height; cell_y += 2) {
        for (int from = r.x & ~1; from < right; from += CELLS_MAX) {
            int count = min_int(right - from, CELLS_MAX);
            for (int k = 0; k < 2; k++)
                take_row(rows[k], count, frame, &r, mask, x, y, from, cell_y + k);
            const struct cells cells = {{rows[0], rows[1]}, from, cell_y, count};
            canvas_cells(frame, &cells, ink, alpha);
        }
    }
}

int rect_common(struct rect a, struct rect b)
{
    int width = min_int(a.x + a.width, b.x + b.width) - max_int(a.x, b.x);
    int height = min_int(a.y + a.height, b.y + b.height) - max_int(a.y, b.y);
    return width > 0 && height > 0 ? width * height : 0;
}
