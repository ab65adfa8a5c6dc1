/* Any decoded picture to the frame contract: I420, 8 bits, at the wanted scale. Internal. */
#ifndef OW_SOURCE_CONVERT_H
#define OW_SOURCE_CONVERT_H

#include "core/error.h"
#include "core/frame.h"

#include <libavutil/frame.h>

struct converter;

/* `scale_percent` 1..100 of the input's size. OW_ENOMEM. */
int converter_create(struct converter **out, int scale_percent);

/* Makes a frame from a picture. One that is I420 already (and is not scaled) is wrapped without a
 * copy: its buffers move into the frame and `picture` is left blank. The frame's stamps are zero.
 * OW_EUNSUPPORTED, OW_ENOMEM. */
int converter_take(struct converter *converter, AVFrame *picture, struct frame **out,
                   struct reason *why);

/* Replaces *frame by its scaled version with the same stamps; nothing to do at 100 percent. */
int converter_scale(struct converter *converter, struct frame **frame, struct reason *why);

void converter_destroy(struct converter **converter);

/* The matrix of a picture that does not say: BT.709 from 720 lines on. */
static inline enum color_matrix color_matrix_guess(int height)
{
    return height >= 720 ? COLOR_BT709 : COLOR_BT601;
}

#endif
