/* Scales frames (libswscale) to a width, keeping the aspect; even sizes. One scaler per thread. */
#ifndef OW_ENCODE_SCALER_H
#define OW_ENCODE_SCALER_H

#include "core/error.h"
#include "core/frame.h"

struct scaler;

int scaler_create(struct scaler **out);
/* A new frame of the given width (rounded to even; height follows the aspect, even), with the
 * input's stamps. When the size is already right, a copy is made all the same: the caller draws
 * on it. width 0 = the input's own size. */
int scaler_scale(struct scaler *scaler, const struct frame *frame, int width, struct frame **out);
void scaler_destroy(struct scaler **scaler);

#endif
