#include "vision/letterbox.h"

#include "core/bounds.h"
#include "core/simd.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct picture_format picture_format_default = {
    .std = {1.0F, 1.0F, 1.0F},
    .border = 114.0F / 255.0F,
};

/* Sampled values have 6 bits behind the point, fractions 15: products are then the upper halves of
 * 16 bits times 16 bits, which vector units have, and what is cut off is at most a 32nd of a step
 * of 8-bit pixels. */
enum { VALUE_ONE = 64, FRACTION_MAX = 32767 };

/* How a plane is sampled: a column or row of the tensor lies between two neighbours of the plane,
 * of which the first is at `index`, at `fraction` of the way. Of the last one neighbours are itself
 * and the one before. */
struct taps {
    uint16_t *index;
    int16_t *fraction;
};

/* The neighbours of all columns in one row of a plane: the first in the lower eight bits. */
struct neighbours {
    uint16_t *pairs;
    int row; /* -1 = none */
};

/* What of the tensor is picture. */
struct part {
    int x, y, width, height;
};

struct letterbox {
    int tensor_width, tensor_height;
    struct picture_format format;
    float scale[3], shift[3]; /* from 0..1 to the tensor, R, G, B */
    struct letterbox_geometry geometry;
    struct part part;
    struct taps columns[2], rows[2];         /* luma, chroma; part.width and part.height each */
    struct neighbours near[FRAME_PLANES][2]; /* of even and odd rows: rows serve several times */
    int16_t *sampled[FRAME_PLANES];          /* one tensor row of each plane */
};

static bool size_allowed(int side)
{
    return side >= 1 && side <= FRAME_MAX_SIDE;
}

static int at_least_one(double value)
{
    return value < 1.0 ? 1 : (int)value;
}

int letterbox_geometry_set(struct letterbox_geometry *out, enum picture_placement placement,
                           int source_width, int source_height, int tensor_width, int tensor_height)
{
    if (!size_allowed(source_width) || !size_allowed(source_height) ||
        !size_allowed(tensor_width) || !size_allowed(tensor_height))
        return OW_EINVAL;
    double gain_x = (double)tensor_width / source_width;
    double gain_y = (double)tensor_height / source_height;
    if (placement == PLACEMENT_CROP)
        gain_x = gain_y = fmax(gain_x, gain_y);
    else if (placement != PLACEMENT_STRETCH)
        gain_x = gain_y = fmin(gain_x, gain_y);
    /* rint: Python's round(), halves to even. A very flat picture still keeps one line. */
    int width = at_least_one(rint(source_width * gain_x));
    int height = at_least_one(rint(source_height * gain_y));
    bool centred = placement == PLACEMENT_CENTRE || placement == PLACEMENT_CROP;
    *out = (struct letterbox_geometry){
        .source_width = source_width,
        .source_height = source_height,
        .tensor_width = tensor_width,
        .tensor_height = tensor_height,
        .left = centred ? (int)rint((tensor_width - width) / 2.0 - 0.1) : 0,
        .top = centred ? (int)rint((tensor_height - height) / 2.0 - 0.1) : 0,
        .width = width,
        .height = height,
        .gain_x = (float)gain_x,
        .gain_y = (float)gain_y,
    };
    return OW_OK;
}

void letterbox_to_source(const struct letterbox_geometry *geometry, float *x, float *y)
{
    *x = (*x - (float)geometry->left) / geometry->gain_x;
    *y = (*y - (float)geometry->top) / geometry->gain_y;
}

/* Of a plane of `source_size` that is scaled to `scaled` the places from `first` on, `count` of
 * them.
 */
static bool make_taps(struct taps *out, int first, int count, int scaled, int source_size)
{
    out->index = calloc((size_t)count, sizeof *out->index);
    out->fraction = calloc((size_t)count, sizeof *out->fraction);
    if (out->index == NULL || out->fraction == NULL)
        return false;
    double step = (double)source_size / scaled;
    for (int i = 0; i < count; i++) {
        double position = fmin(fmax((first + i + 0.5) * step - 0.5, 0.0), source_size - 1.0);
        int index = (int)position;
        if (index > 0 && index == source_size - 1)
            index--;
        out->index[i] = (uint16_t)index;
        out->fraction[i] = (int16_t)fmin(rint((position - index) * 32768), FRACTION_MAX);
    }
    return true;
}

static struct part part_of(const struct letterbox_geometry *g)
{
    return (struct part){.x = g->left > 0 ? g->left : 0,
                         .y = g->top > 0 ? g->top : 0,
                         .width = min_int(g->width, g->tensor_width),
                         .height = min_int(g->height, g->tensor_height)};
}

static void free_taps(struct taps *taps)
{
    free(taps->index);
    free(taps->fraction);
    *taps = (struct taps){NULL, NULL};
}

static void free_tables(struct letterbox *self)
{
    for (int k = 0; k < 2; k++) {
        free_taps(&self->columns[k]);
        free_taps(&self->rows[k]);
    }
    for (int p = 0; p < FRAME_PLANES; p++) {
        for (int k = 0; k < 2; k++) {
            free(self->near[p][k].pairs);
            self->near[p][k].pairs = NULL;
        }
        free(self->sampled[p]);
        self->sampled[p] = NULL;
    }
    self->geometry.source_width = 0; /* no tables for any frame */
}

static int make_tables(struct letterbox *self, int source_width, int source_height)
{
    struct letterbox_geometry geometry;
    int result = letterbox_geometry_set(&geometry, self->format.placement, source_width,
                                        source_height, self->tensor_width, self->tensor_height);
    if (result != OW_OK)
        return result;
    free_tables(self);
    const struct part part = part_of(&geometry);
    const size_t width = (size_t)part.width;
    bool complete = true;
    for (int k = 0; k < 2; k++)
        complete = complete &&
                   make_taps(&self->columns[k], part.x - geometry.left, part.width, geometry.width,
                             k == 0 ? source_width : chroma_size(source_width)) &&
                   make_taps(&self->rows[k], part.y - geometry.top, part.height, geometry.height,
                             k == 0 ? source_height : chroma_size(source_height));
    for (int p = 0; p < FRAME_PLANES; p++) {
        for (int k = 0; k < 2; k++) {
            self->near[p][k].pairs = calloc(width, sizeof *self->near[p][k].pairs);
            complete = complete && self->near[p][k].pairs != NULL;
        }
        self->sampled[p] = calloc(width, sizeof *self->sampled[p]);
        complete = complete && self->sampled[p] != NULL;
    }
    if (!complete) {
        free_tables(self);
        return OW_ENOMEM;
    }
    self->geometry = geometry;
    self->part = part;
    return OW_OK;
}

static void fill(float *values, int count, float value)
{
    for (int i = 0; i < count; i++)
        values[i] = value;
}

/* What the picture leaves free. */
static void fill_border(const struct letterbox *self, float *tensor)
{
    const struct letterbox_geometry *g = &self->geometry;
    const struct part *part = &self->part;
    const int right = part->x + part->width;
    float *row = tensor;
    for (int c = 0; c < 3; c++) {
        int color = self->format.bgr ? 2 - c : c;
        float value = self->format.border * self->scale[color] + self->shift[color];
        for (int y = 0; y < g->tensor_height; y++, row += g->tensor_width) {
            bool beside = y >= part->y && y < part->y + part->height;
            fill(row, beside ? part->x : g->tensor_width, value);
            if (beside)
                fill(row + right, g->tensor_width - right, value);
        }
    }
}

/* This part no compiler makes vectors of. */
static void gather(uint16_t *restrict out, const uint8_t *restrict row,
                   const uint16_t *restrict index, int count, int source_width)
{
    if (source_width == 1)
        for (int x = 0; x < count; x++)
            out[x] = row[0]; /* at fraction 0 */
    else
        for (int x = 0; x < count; x++) {
            uint16_t pair; /* both at once: two loads of a byte take twice as long */
            memcpy(&pair, row + index[x], sizeof pair);
            out[x] = le16toh(pair);
        }
}

/* From one value towards another that is at most 255 steps away. */
static inline int16_t between(int16_t from, int16_t difference, int16_t fraction)
{
    int16_t twice = (int16_t)(2 * difference);
    return (int16_t)(from + (int16_t)(twice * fraction >> 16));
}

/* A row of the tensor from the neighbours in two rows of the plane, `down` of the way. */
SIMD_CLONES static void blend(int16_t *restrict out, const uint16_t *restrict upper,
                              const uint16_t *restrict lower, const int16_t *restrict fraction,
                              int16_t down, int count)
{
    for (int x = 0; x < count; x++) {
        int16_t a = (int16_t)((upper[x] & 0xff) * VALUE_ONE);
        int16_t b = (int16_t)((upper[x] >> 8) * VALUE_ONE);
        int16_t c = (int16_t)((lower[x] & 0xff) * VALUE_ONE);
        int16_t d = (int16_t)((lower[x] >> 8) * VALUE_ONE);
        int16_t top = between(a, (int16_t)(b - a), fraction[x]);
        int16_t bottom = between(c, (int16_t)(d - c), fraction[x]);
        out[x] = between(top, (int16_t)(bottom - top), down);
    }
}

/* From Y'CbCr as sampled to R'G'B' in 0..1: ITU-R BT.601-7 section 2.5, BT.709-6 section 3. */
struct color_transform {
    float luma_offset, luma_gain, red_v, green_u, green_v, blue_u;
};

static struct color_transform color_transform_of(const struct frame *frame)
{
    bool is_601 = frame->matrix == COLOR_BT601;
    double kr = is_601 ? 0.299 : 0.2126;
    double kb = is_601 ? 0.114 : 0.0722;
    double kg = 1.0 - kr - kb;
    double luma = (frame->full_range ? 1.0 / 255 : 1.0 / 219) / VALUE_ONE;
    double chroma = (frame->full_range ? 1.0 / 255 : 1.0 / 224) / VALUE_ONE;
    return (struct color_transform){
        .luma_offset = frame->full_range ? 0.0F : 16.0F * VALUE_ONE,
        .luma_gain = (float)luma,
        .red_v = (float)(chroma * 2 * (1 - kr)),
        .green_u = (float)(-chroma * 2 * (1 - kb) * kb / kg),
        .green_v = (float)(-chroma * 2 * (1 - kr) * kr / kg),
        .blue_u = (float)(chroma * 2 * (1 - kb)),
    };
}

/* Held in 0..1, without a comparison: that could trap, and would keep the loop from SIMD. */
static inline float unit(float value)
{
    return 0.5F * (fabsf(value) - fabsf(value - 1.0F) + 1.0F);
}

/* One row from Y'CbCr to the tensor's red, green and blue. */
SIMD_CLONES static void convert_row(const struct letterbox *self,
                                    const struct color_transform *transform, float *restrict red,
                                    float *restrict green, float *restrict blue)
{
    const struct color_transform t = *transform;
    const int16_t *restrict luma = self->sampled[0];
    const int16_t *restrict u = self->sampled[1];
    const int16_t *restrict v = self->sampled[2];
    const float scale[3] = {self->scale[0], self->scale[1], self->scale[2]};
    const float shift[3] = {self->shift[0], self->shift[1], self->shift[2]};
    const int count = self->part.width;
    for (int x = 0; x < count; x++) {
        float y = ((float)luma[x] - t.luma_offset) * t.luma_gain;
        float cb = (float)u[x] - 128.0F * VALUE_ONE;
        float cr = (float)v[x] - 128.0F * VALUE_ONE;
        red[x] = unit(y + t.red_v * cr) * scale[0] + shift[0];
        green[x] = unit(y + t.green_u * cb + t.green_v * cr) * scale[1] + shift[1];
        blue[x] = unit(y + t.blue_u * cb) * scale[2] + shift[2];
    }
}

static const uint16_t *near_in_row(struct letterbox *self, const struct frame *frame, int plane,
                                   int row)
{
    struct neighbours *near = &self->near[plane][row & 1];
    if (near->row != row)
        gather(near->pairs, frame->plane[plane] + (ptrdiff_t)row * frame->stride[plane],
               self->columns[plane > 0].index, self->part.width,
               plane > 0 ? chroma_size(frame->width) : frame->width);
    near->row = row;
    return near->pairs;
}

static void sample_row(struct letterbox *self, const struct frame *frame, int row)
{
    for (int p = 0; p < FRAME_PLANES; p++) {
        const struct taps *rows = &self->rows[p > 0];
        int height = p > 0 ? chroma_size(frame->height) : frame->height;
        int index = rows->index[row];
        const uint16_t *upper = near_in_row(self, frame, p, index);
        const uint16_t *lower = near_in_row(self, frame, p, index + 1 < height ? index + 1 : index);
        blend(self->sampled[p], upper, lower, self->columns[p > 0].fraction, rows->fraction[row],
              self->part.width);
    }
}

int letterbox_create(struct letterbox **out, const struct picture_format *format, int tensor_width,
                     int tensor_height)
{
    if (!size_allowed(tensor_width) || !size_allowed(tensor_height))
        return OW_EINVAL;
    struct letterbox *self = calloc(1, sizeof *self);
    if (self == NULL)
        return OW_ENOMEM;
    self->tensor_width = tensor_width;
    self->tensor_height = tensor_height;
    self->format = *format;
    for (int color = 0; color < 3; color++) {
        int channel = format->bgr ? 2 - color : color;
        self->scale[color] = 1.0F / format->std[channel];
        self->shift[color] = -format->mean[channel] / format->std[channel];
    }
    *out = self;
    return OW_OK;
}

int letterbox_apply(struct letterbox *letterbox, const struct frame *frame, float *tensor,
                    struct letterbox_geometry *geometry)
{
    if (frame->width != letterbox->geometry.source_width ||
        frame->height != letterbox->geometry.source_height) {
        int result = make_tables(letterbox, frame->width, frame->height);
        if (result != OW_OK)
            return result;
        fill_border(letterbox, tensor);
    }
    const struct letterbox_geometry *g = &letterbox->geometry;
    const struct part *part = &letterbox->part;
    const struct color_transform transform = color_transform_of(frame);
    size_t plane = (size_t)g->tensor_width * (size_t)g->tensor_height;
    for (int p = 0; p < FRAME_PLANES; p++)
        letterbox->near[p][0].row = letterbox->near[p][1].row = -1;
    for (int row = 0; row < part->height; row++) {
        float *at = tensor + (size_t)(part->y + row) * (size_t)g->tensor_width + part->x;
        sample_row(letterbox, frame, row);
        float *red = letterbox->format.bgr ? at + 2 * plane : at;
        float *blue = letterbox->format.bgr ? at : at + 2 * plane;
        convert_row(letterbox, &transform, red, at + plane, blue);
    }
    *geometry = *g;
    return OW_OK;
}

void letterbox_destroy(struct letterbox **letterbox)
{
    if (*letterbox == NULL)
        return;
    free_tables(*letterbox);
    free(*letterbox);
    *letterbox = NULL;
}
