/* From a frame to a model's input tensor in one pass, and from the tensor's pixels back.
 *
 * Centred geometry as Ultralytics has it (ultralytics/data/augment.py, LetterBox, centred, scaling
 * up allowed; ultralytics/utils/ops.py, scale_boxes): the picture is scaled by one factor to fit,
 * its size rounded, and centred on a field of 114/255. */
#ifndef OW_VISION_LETTERBOX_H
#define OW_VISION_LETTERBOX_H

#include "core/error.h"
#include "core/frame.h"

#include <stdbool.h>

enum picture_placement {
    PLACEMENT_CENTRE,   /* scaled with its aspect kept, in the middle */
    PLACEMENT_TOP_LEFT, /* the same in the corner, as YOLOX has it (yolox/data/data_augment.py) */
    PLACEMENT_STRETCH,  /* scaled to fill the tensor */
    PLACEMENT_CROP,     /* scaled with its aspect kept until it fills the tensor, what is beyond it
                           left out (torchvision: Resize, CenterCrop) */
};

/* What a model wants to be given. A value of 0..1 is in the tensor (value - mean) / std. */
struct picture_format {
    enum picture_placement placement;
    bool bgr; /* the order of the channels; mean and std are in this order, too */
    float mean[3], std[3];
    float border; /* 0..1, what the picture leaves free */
};

/* RGB, 0..1, centred on 114/255. */
extern const struct picture_format picture_format_default;

struct letterbox_geometry {
    int source_width, source_height;
    int tensor_width, tensor_height;
    int left, top, width, height; /* where the picture lies in the tensor, or beyond it */
    float gain_x, gain_y;         /* tensor pixels per source pixel */
};

struct letterbox;

/* OW_EINVAL for a size out of 1..FRAME_MAX_SIDE. */
int letterbox_geometry_set(struct letterbox_geometry *out, enum picture_placement placement,
                           int source_width, int source_height, int tensor_width,
                           int tensor_height);

/* Tensor pixels to source pixels. */
void letterbox_to_source(const struct letterbox_geometry *geometry, float *x, float *y);

/* Bilinear sampling with pixel centres at half: the source position of a tensor column or row is
 * (i + 0.5) * source / scaled - 0.5, held inside the picture; chroma the same way on its own plane.
 */
int letterbox_create(struct letterbox **out, const struct picture_format *format, int tensor_width,
                     int tensor_height);

/* Writes [3][tensor_height][tensor_width] floats as the format has them. The tables follow the
 * frame's size when it changes; the border is written only then, so `tensor` must be the same
 * memory at every call. OW_ENOMEM, OW_EINVAL; the geometry used is in *geometry. */
int letterbox_apply(struct letterbox *letterbox, const struct frame *frame, float *tensor,
                    struct letterbox_geometry *geometry);

void letterbox_destroy(struct letterbox **letterbox);

#endif
