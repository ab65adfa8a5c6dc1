#include "vision/letterbox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct picture_format picture_format_default = {
    .std = {1.0F, 1.0F, 1.0F},
    .border = 114.0F / 255.0F,
};

/* Where one output column or row is sampled: between `index` and `index + 1`, `fraction` of the
 * way. The last sample has fraction 0 and its neighbour is a copy of itself. */
struct tap {
    int index;
    float fraction;
};

struct letterbox {
    int tensor_width, tensor_height;
    struct picture_format format;
    float scale[3], shift[3]; /* from 0..1 to the tensor, R, G, B */
    struct letterbox_geometry geometry;
    struct tap *columns[2]; /* luma, chroma; geometry.width each */
    struct tap *rows[2];    /* luma, chroma; geometry.height each */
    float *blended;         /* one source row of a plane, blended of two, and one value more */
    float *sampled[FRAME_PLANES]; /* one tensor row of each plane */
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
    if (placement != PLACEMENT_STRETCH)
        gain_x = gain_y = fmin(gain_x, gain_y);
    /* rint: Python's round(), halves to even. A very flat picture still keeps one line. */
    int width = at_least_one(rint(source_width * gain_x));
    int height = at_least_one(rint(source_height * gain_y));
    bool centred = placement == PLACEMENT_CENTRE;
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

static void fill_taps(struct tap *taps, int count, int source_size)
{
    double step = (double)source_size / count;
    for (int i = 0; i < count; i++) {
        double position = fmin(fmax((i + 0.5) * step - 0.5, 0.0), source_size - 1.0);
        int index = (int)position;
        taps[i] = (struct tap){.index = index, .fraction = (float)(position - index)};
    }
}

static void free_tables(struct letterbox *self)
{
    for (int k = 0; k < 2; k++) {
        free(self->columns[k]);
        free(self->rows[k]);
        self->columns[k] = NULL;
        self->rows[k] = NULL;
    }
    for (int p = 0; p < FRAME_PLANES; p++) {
        free(self->sampled[p]);
        self->sampled[p] = NULL;
    }
    free(self->blended);
    self->blended = NULL;
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
    size_t width = (size_t)geometry.width;
    size_t height = (size_t)geometry.height;
    bool complete = true;
    for (int k = 0; k < 2; k++) {
        self->columns[k] = calloc(width, sizeof *self->columns[k]);
        self->rows[k] = calloc(height, sizeof *self->rows[k]);
        complete = complete && self->columns[k] != NULL && self->rows[k] != NULL;
    }
    for (int p = 0; p < FRAME_PLANES; p++) {
        self->sampled[p] = calloc(width, sizeof *self->sampled[p]);
        complete = complete && self->sampled[p] != NULL;
    }
    self->blended = calloc((size_t)source_width + 1, sizeof *self->blended);
    if (!complete || self->blended == NULL) {
        free_tables(self);
        return OW_ENOMEM;
    }
    fill_taps(self->columns[0], geometry.width, source_width);
    fill_taps(self->columns[1], geometry.width, chroma_size(source_width));
    fill_taps(self->rows[0], geometry.height, source_height);
    fill_taps(self->rows[1], geometry.height, chroma_size(source_height));
    self->geometry = geometry;
    return OW_OK;
}

static void fill_border(const struct letterbox *self, float *tensor)
{
    size_t cells = (size_t)self->tensor_width * (size_t)self->tensor_height;
    for (int c = 0; c < 3; c++) {
        int color = self->format.bgr ? 2 - c : c;
        float value = self->format.border * self->scale[color] + self->shift[color];
        for (size_t i = 0; i < cells; i++)
            tensor[(size_t)c * cells + i] = value;
    }
}

/* One row of the plane at a height between two rows, as floats; its last value stands twice. */
static void blend_rows(float *restrict out, const uint8_t *restrict upper,
                       const uint8_t *restrict lower, float fraction, int width)
{
    if (fraction == 0.0F) {
        for (int x = 0; x < width; x++)
            out[x] = upper[x];
    } else {
        for (int x = 0; x < width; x++) {
            int difference = lower[x] - upper[x];
            out[x] = (float)upper[x] + fraction * (float)difference;
        }
    }
    out[width] = out[width - 1];
}

static void sample_columns(float *restrict out, const float *restrict row,
                           const struct tap *restrict taps, int count)
{
    for (int x = 0; x < count; x++) {
        const float *at = row + taps[x].index;
        out[x] = at[0] + taps[x].fraction * (at[1] - at[0]);
    }
}

/* From Y'CbCr as stored to R'G'B' in 0..1: ITU-R BT.601-7 section 2.5, BT.709-6 section 3. */
struct color_transform {
    float luma_offset, luma_gain, red_v, green_u, green_v, blue_u;
};

static struct color_transform color_transform_of(const struct frame *frame)
{
    bool is_601 = frame->matrix == COLOR_BT601;
    double kr = is_601 ? 0.299 : 0.2126;
    double kb = is_601 ? 0.114 : 0.0722;
    double kg = 1.0 - kr - kb;
    double luma = frame->full_range ? 1.0 / 255 : 1.0 / 219;
    double chroma = frame->full_range ? 1.0 / 255 : 1.0 / 224;
    return (struct color_transform){
        .luma_offset = frame->full_range ? 0.0F : 16.0F,
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
static void convert_row(const struct letterbox *self, const struct color_transform *transform,
                        float *restrict red, float *restrict green, float *restrict blue)
{
    const struct color_transform t = *transform;
    const float *restrict luma = self->sampled[0];
    const float *restrict u = self->sampled[1];
    const float *restrict v = self->sampled[2];
    const float scale[3] = {self->scale[0], self->scale[1], self->scale[2]};
    const float shift[3] = {self->shift[0], self->shift[1], self->shift[2]};
    const int count = self->geometry.width;
    for (int x = 0; x < count; x++) {
        float y = (luma[x] - t.luma_offset) * t.luma_gain;
        float cb = u[x] - 128.0F;
        float cr = v[x] - 128.0F;
        red[x] = unit(y + t.red_v * cr) * scale[0] + shift[0];
        green[x] = unit(y + t.green_u * cb + t.green_v * cr) * scale[1] + shift[1];
        blue[x] = unit(y + t.blue_u * cb) * scale[2] + shift[2];
    }
}

static void sample_row(struct letterbox *self, const struct frame *frame, int row)
{
    for (int p = 0; p < FRAME_PLANES; p++) {
        int kind = p == 0 ? 0 : 1;
        int width = p == 0 ? frame->width : chroma_size(frame->width);
        int height = p == 0 ? frame->height : chroma_size(frame->height);
        struct tap tap = self->rows[kind][row];
        int next = tap.index + 1 < height ? tap.index + 1 : tap.index;
        const uint8_t *upper = frame->plane[p] + (ptrdiff_t)tap.index * frame->stride[p];
        const uint8_t *lower = frame->plane[p] + (ptrdiff_t)next * frame->stride[p];
        blend_rows(self->blended, upper, lower, tap.fraction, width);
        sample_columns(self->sampled[p], self->blended, self->columns[kind], self->geometry.width);
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
    const struct color_transform transform = color_transform_of(frame);
    size_t plane = (size_t)g->tensor_width * (size_t)g->tensor_height;
    for (int row = 0; row < g->height; row++) {
        float *at = tensor + (size_t)(g->top + row) * (size_t)g->tensor_width + g->left;
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
